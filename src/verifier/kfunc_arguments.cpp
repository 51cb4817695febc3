// Arguments of kernel functions, against their types in the kernel's BTF.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

bool is_struct(btf::Kind kind) { return kind == btf::Kind::struct_ || kind == btf::Kind::union_; }
bool is_number(btf::Kind kind) { return kind == btf::Kind::int_ || kind == btf::Kind::enum_ || kind == btf::Kind::enum64; }

/// Nothing but numbers inside, so that a program may make one.
bool only_numbers(const btf::Btf& btf, btf::TypeId id, int depth) {
  const btf::Type type = btf.resolve(id);
  if (is_number(type.kind())) return true;
  if (depth > 4) return false;
  if (type.kind() == btf::Kind::array) return type.array().count != 0 && only_numbers(btf, type.array().element, depth + 1);
  if (!is_struct(type.kind())) return false;
  for (std::uint32_t i = 0; i < type.vlen(); ++i)
    if (!only_numbers(btf, type.member(i).type, depth + 1)) return false;
  return true;
}

/// Pointers that stand for kernel structures without being BTF pointers.
std::string_view struct_behind(RegType type) {
  switch (type) {
    case RegType::socket: return "sock";
    case RegType::sock_common: return "sock_common";
    case RegType::tcp_sock: return "tcp_sock";
    case RegType::map_ptr: return "bpf_map";
    default: return {};
  }
}

}  // namespace

bool Checker::check_kfunc_arguments(CallMeta& meta) {
  const btf::Btf& btf = *types_.btf(meta.btf);
  const std::uint32_t count = meta.proto->vlen();
  if (count > 5) return reject(Rule::kfunc, "Function {} has {} > 5 args", meta.name, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    bool skip_next = false;
    if (!check_kfunc_argument(i + 1, meta.proto->param(i), btf, i, count, meta, skip_next)) return false;
    if (skip_next) ++i;
  }
  if ((meta.flags & facts::release) != 0 && meta.release_reg == 0)
    return reject(Rule::kfunc_reference, "release kernel function {} expects refcounted PTR_TO_BTF_ID", meta.name);
  return true;
}

bool Checker::check_kfunc_argument(unsigned number, const btf::Param& param, const btf::Btf& btf, std::uint32_t index, std::uint32_t count, CallMeta& meta, bool& skip_next) {
  if (param.name.ends_with("__ign") || param.name.ends_with("__prog") || param.name.ends_with("__aux")) return true;
  Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const btf::Type type = btf.resolve(param.type);
  if (!is_number(type.kind()) && !read_reg(number)) return false;
  if (is_number(type.kind())) {
    if (!reg.is_scalar()) return reject_reg(Rule::wrong_argument, at, "R{} is not a scalar", number);
    if (param.name.ends_with("__k") || param.name.ends_with("__szk")) {
      if (!reg.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} must be a known constant", number);
      meta.arg_constant = reg.value.bits.value;
      return need_precise(number);
    }
    if (param.name == "rdonly_buf_size" || param.name == "rdwr_buf_size") {
      if (!reg.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} is not a const", number);
      meta.mem_size = reg.value.bits.value;
      meta.read_only_memory = param.name == "rdonly_buf_size";
      return need_precise(number);
    }
    return true;
  }
  if (type.kind() != btf::Kind::ptr) return reject_reg(Rule::kfunc, at, "Unrecognized arg#{} type {}", index, btf::to_string(type.kind()));
  const bool nullable = param.name.ends_with("__nullable") || param.name.ends_with("__opt");
  const bool rcu = (meta.flags & facts::rcu) != 0;
  const bool trusted = (meta.flags & (facts::trusted_args | facts::release)) != 0;
  if ((trusted || rcu) && (reg.is_null() || (reg.is_pointer() && reg.maybe_null())) && !nullable)
    return reject_reg(Rule::missing_null_check, at, "Possibly NULL pointer passed to trusted arg{}", index);
  if (reg.ref_id != 0) {
    if ((meta.flags & facts::release) != 0 && meta.ref_id != 0)
      return reject(Rule::kfunc_reference, "verifier internal error: more than one arg with ref_obj_id R{} {} {}", number, reg.ref_id, meta.ref_id);
    meta.ref_id = reg.ref_id;
    if ((meta.flags & facts::release) != 0) meta.release_reg = at;
  }
  const btf::Type target = btf.resolve(type.target());
  const std::string name(target.name());
  const auto is_context_type = [&] { return is_struct(target.kind()) && context_ != nullptr && (name == kernel_context_name() || (context_->layout != nullptr && name == context_->layout->name)); };

  if (meta.name == "bpf_cast_to_kern_ctx" || is_context_type()) {
    if (reg.type != RegType::ctx) return reject_reg(Rule::wrong_argument, at, "arg#{} expected pointer to ctx, but got {}", index, type_name(reg));
    return check_pointer_offset(reg, number, false);
  }
  if (param.name.ends_with("__alloc")) {
    if (reg.type != RegType::btf || !reg.has(kAlloc)) return reject_reg(Rule::wrong_argument, at, "arg#{} expected pointer to allocated object", index);
    if (reg.ref_id == 0) return reject_reg(Rule::kfunc_reference, at, "allocated object must be referenced");
    if (reg.off != 0) return reject_reg(Rule::modified_pointer, at, "R{} must have zero offset when passed to release func or trusted arg to kfunc", number);
    meta.arg_btf = reg.btf;
    meta.arg_type_id = reg.type_id;
    return true;
  }
  if (param.name.ends_with("__refcounted_kptr")) {
    if (reg.type != RegType::btf || !reg.has(kAlloc)) return reject_reg(Rule::wrong_argument, at, "arg#{} is neither owning or non-owning ref", index);
    if (types_.record(btf::TypeId{reg.type_id}).find(FieldKind::refcount) == nullptr)
      return reject_reg(Rule::wrong_argument, at, "arg#{} doesn't point to a type with bpf_refcount field", index);
    meta.arg_btf = reg.btf;
    meta.arg_type_id = reg.type_id;
    if (reg.has(kNonOwning) || reg.has(kRcu)) return true;
    meta.flags &= ~std::uint32_t{facts::ret_null};
    return true;
  }
  if (nullable && reg.is_null()) {
    if (index + 1 < count) {
      const std::string_view next = meta.proto->param(index + 1).name;
      if ((next.ends_with("__sz") || next.ends_with("__szk")) && reg.is_null()) {
        if (next.ends_with("__szk")) {
          const Reg& size = regs()[number + 1];
          if (!read_reg(number + 1)) return false;
          if (!size.is_const()) return reject_reg(Rule::wrong_argument, at + 1, "R{} must be a known constant", number + 1);
          meta.arg_constant = size.value.bits.value;
          if (!need_precise(number + 1)) return false;
        }
        skip_next = true;
      }
    }
    return true;
  }
  if (is_struct(target.kind()) && name == "bpf_dynptr") return check_kfunc_dynptr(number, param, meta);
  if (!meta.iterator.empty() && index == 0) return check_kfunc_iterator(number, target, meta);
  if (is_struct(target.kind()) && (name == "bpf_list_head" || name == "bpf_rb_root")) return check_graph_root(number, name, meta);
  if (is_struct(target.kind()) && (name == "bpf_list_node" || name == "bpf_rb_node")) return check_graph_node(number, name, meta);
  if (is_struct(target.kind()) && name == "bpf_wq") return check_field_argument(number, FieldKind::workqueue, "bpf_wq", meta);
  if (is_struct(target.kind()) && name == "bpf_timer") return check_field_argument(number, FieldKind::timer, "bpf_timer", meta);
  if (is_struct(target.kind()) && name == "bpf_task_work") return check_field_argument(number, FieldKind::task_work, "bpf_task_work", meta);
  if (param.name.ends_with("__irq_flag")) {
    if (reg.type != RegType::stack) return reject_reg(Rule::irq, at, "arg#{} doesn't point to an irq flag on stack", index);
    const std::uint32_t kind = meta.name.find("res_spin") != std::string_view::npos ? 1 : 0;
    return meta.name.find("save") != std::string_view::npos ? irq_save(number, kind) : irq_restore(number, kind);
  }
  if (is_struct(target.kind()) && name == "bpf_res_spin_lock") {
    if (reg.type != RegType::map_value && !(reg.type == RegType::btf && reg.has(kAlloc)))
      return reject_reg(Rule::wrong_argument, at, "arg#{} doesn't point to map value or allocated object", index);
    return lock_spin(number, meta.name.find("unlock") == std::string_view::npos, true, meta.name.find("irq") != std::string_view::npos);
  }
  if (param.name.ends_with("__str")) return check_constant_string(number);
  if (param.name.ends_with("__map")) {
    if (reg.type != RegType::map_ptr) return reject_reg(Rule::wrong_argument, at, "pointer in R{} isn't map pointer", number);
    meta.map = reg.map;
    return true;
  }
  const std::string_view behind = struct_behind(reg.type);
  if (reg.type == RegType::btf || !behind.empty()) {
    if (!is_struct(target.kind()))
      return reject_reg(Rule::wrong_argument, at, "kernel function {} args#{} pointer type {} {} is not supported", meta.name, index, "UNKNOWN", name);
    if ((trusted || rcu) && !is_trusted(reg)) {
      if (!rcu) return reject_reg(Rule::kfunc_reference, at, "R{} must be referenced or trusted", number);
      if (!reg.has(kRcu)) return reject_reg(Rule::kfunc_reference, at, "R{} must be a rcu pointer", number);
    }
    if ((meta.flags & facts::release) != 0 && reg.ref_id != 0 && reg.off != 0)
      return reject_reg(Rule::modified_pointer, at, "R{} must have zero offset when passed to release func or trusted arg to kfunc", number);
    if (!check_pointer_offset(reg, number, true)) return false;
    if (reg.type == RegType::btf && reg.has(kUntrusted | kPerCpu | kUser | kMaybeNull | kAlloc) && !reg.has(kRcu) && reg.ref_id == 0)
      return reject_reg(Rule::wrong_argument, at, "arg#{} is {} expected {} or socket", index, type_name(reg), type_name(RegType::btf, 0));
    BtfRef ref = reg.btf;
    btf::TypeId id{reg.type_id};
    if (!behind.empty()) {
      const auto kernel = types_.kernel_struct(behind);
      if (!kernel) return reject_reg(Rule::missing_btf, at, "type {} is not known", behind);
      ref = BtfRef::vmlinux;
      id = *kernel;
    }
    const bool strict = (meta.flags & (facts::release)) != 0;
    if (types_.matches(ref, id, behind.empty() ? reg.off : 0, meta.btf, target.id(), strict)) return true;
    // `struct foo` of the kernel's own view: an alias named foo___init or so.
    if (types_.name(ref, id) + "___init" == name) return true;
    return reject_reg(Rule::wrong_argument, at, "kernel function {} args#{} expected pointer to STRUCT {} but R{} has a pointer to STRUCT {}", meta.name, index, name, number, types_.name(ref, id));
  }
  if (target.kind() == btf::Kind::func_proto) {
    if (reg.type != RegType::func) return reject_reg(Rule::wrong_argument, at, "arg{} expected pointer to func", index);
    meta.subprog = reg.subprog;
    return true;
  }
  const std::string_view next = index + 1 < count ? meta.proto->param(index + 1).name : std::string_view{};
  const bool sized = next.ends_with("__sz") || next.ends_with("__szk");
  if (meta.flags & facts::arena_arg2 && index == 1) return true;
  if (!is_number(target.kind()) && !only_numbers(btf, target.id(), 0) && !(sized && target.kind() == btf::Kind::void_)) {
    if (reg.type == RegType::arena) return true;
    return reject_reg(Rule::wrong_argument, at, "arg#{} pointer type {} {} must point to {}scalar, or struct with scalar", index,
                      is_struct(target.kind()) ? "STRUCT" : "UNKNOWN", name, sized ? "void, " : "");
  }
  if (sized) {
    if (!read_reg(number + 1)) return false;
    const Reg& size = regs()[number + 1];
    if (!size.is_scalar()) return reject_reg(Rule::wrong_argument, at + 1, "R{} is not a scalar", number + 1);
    if (!check_size_argument(number, number + 1, Access::read, true, nullptr) || !check_size_argument(number, number + 1, Access::write, true, nullptr)) {
      failure_.says += fmt::format("\narg#{} arg#{} memory, len pair leads to invalid memory access", index, index + 1);
      return false;
    }
    if (next.ends_with("__szk")) {
      if (!size.value.is_const()) return reject_reg(Rule::wrong_argument, at + 1, "R{} must be a known constant", number + 1);
      meta.arg_constant = size.value.bits.value;
    }
    skip_next = true;
    return true;
  }
  const auto bytes = btf.size_of(type.target());
  if (!bytes) return reject_reg(Rule::kfunc, at, "arg#{} reference type('{}') size cannot be determined", index, btf.type_name(type.target()));
  if (reg.is_pointer() && reg.maybe_null()) {
    const Reg kept = reg;
    reg.flags &= ~kMaybeNull;
    const bool fine = check_memory_argument(number, *bytes, Access::read, false, nullptr) && check_memory_argument(number, *bytes, Access::write, false, nullptr);
    regs()[number] = kept;
    return fine;
  }
  return check_memory_argument(number, *bytes, Access::read, false, nullptr) && check_memory_argument(number, *bytes, Access::write, false, nullptr);
}

bool Checker::check_kfunc_dynptr(unsigned number, const btf::Param& param, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (reg.type != RegType::stack && reg.type != RegType::dynptr)
    return reject_reg(Rule::dynptr, at, "arg#{} expected pointer to stack or const struct bpf_dynptr", number - 1);
  if (param.name.ends_with("__uninit")) {
    DynptrType type = DynptrType::local;
    if (meta.name == "bpf_dynptr_from_skb") type = DynptrType::skb;
    else if (meta.name == "bpf_dynptr_from_skb_meta") type = DynptrType::skb_meta;
    else if (meta.name == "bpf_dynptr_from_xdp") type = DynptrType::xdp;
    else if (meta.name == "bpf_dynptr_clone") type = meta.dynptr;
    if (type == DynptrType::skb && !facts::traits_of(type_).writes_packet) meta.read_only_memory = true;
    if (type != DynptrType::ringbuf) return make_dynptr(number, type, meta);
    // A clone of a reservation shares its reference.
    const std::uint32_t shared = meta.ref_id;
    if (!make_dynptr(number, DynptrType::ringbuf, meta)) return false;
    Hold own = state_->holds.back();
    state_->holds.pop_back();
    for (std::uint32_t i = 0; i <= state_->current; ++i) {
      Frame& frame = *state_->frames[i];
      for (unsigned slot = 0; slot < frame.slots; ++slot)
        if (frame.stack[slot].kinds[7] == SlotKind::dynptr && frame.stack[slot].reg.ref_id == own.id) frame.stack[slot].reg.ref_id = shared;
    }
    return true;
  }
  return use_dynptr(number, facts::DynptrKind::any, meta, false);
}

bool Checker::check_kfunc_iterator(unsigned number, const btf::Type& target, CallMeta& meta) {
  if (regs()[number].type != RegType::stack) return reject_reg(Rule::iterator, static_cast<int>(number), "arg#{} expected pointer to an iterator on stack", number - 1);
  meta.type_id = static_cast<std::uint32_t>(target.id());
  const unsigned slots = std::max(1U, (target.size() + 7) / 8);
  if ((meta.flags & facts::iter_new) != 0) return make_iterator(number, meta, slots);
  if (!use_iterator(number, meta, slots)) return false;
  return (meta.flags & facts::iter_destroy) == 0 || drop_iterator(meta, slots);
}

/// The list or tree that an argument is, and its lock, which must be held.
bool Checker::check_graph_root(unsigned number, std::string_view name, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const bool in_map = reg.type == RegType::map_value;
  if (!in_map && !(reg.type == RegType::btf && reg.has(kAlloc)))
    return reject_reg(Rule::wrong_argument, at, "arg#{} expected pointer to map value or allocated object", number - 1);
  if (!in_map && reg.ref_id == 0) return reject_reg(Rule::kfunc_reference, at, "allocated object must be referenced");
  if (!reg.value.is_const()) return reject_reg(Rule::map_field, at, "R{} doesn't have constant offset. {} has to be at the constant offset", number, name);
  const Record& record = in_map ? *maps_[reg.map].record : types_.record(btf::TypeId{reg.type_id});
  const std::int64_t off = std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value);
  const FieldKind kind = name == "bpf_list_head" ? FieldKind::list_head : FieldKind::rb_root;
  const SpecialField* field = off >= 0 ? record.at(static_cast<std::uint32_t>(off)) : nullptr;
  if (field == nullptr || field->kind != kind) return reject_reg(Rule::map_field, at, "{} not found at offset={}", name, off);
  const std::uint64_t object = in_map ? std::uint64_t{1} << 32 | reg.map : std::uint64_t{2} << 32 | reg.type_id;
  const bool locked = std::ranges::any_of(state_->holds, [&](const Hold& held) { return held.kind != HoldKind::pointer && held.kind != HoldKind::irq && held.object == object && held.id == reg.id; });
  if (!locked) {
    const SpecialField* lock = record.find(FieldKind::spin_lock);
    return reject_reg(Rule::lock_held, at, "bpf_spin_lock at off={} must be held for {}", lock != nullptr ? lock->offset : 0, name);
  }
  meta.graph_root = field;
  return true;
}

bool Checker::check_graph_node(unsigned number, std::string_view name, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const bool removes = meta.name == "bpf_rbtree_remove";
  const bool walks = meta.name == "bpf_rbtree_left" || meta.name == "bpf_rbtree_right";
  if (reg.type != RegType::btf || !reg.has(kAlloc) || (!removes && !walks && reg.flags != kAlloc))
    return reject_reg(Rule::wrong_argument, at, "arg#{} expected pointer to allocated object", number - 1);
  if (removes || walks) {
    if (!reg.has(kNonOwning) && removes) return reject_reg(Rule::kfunc_reference, at, "rbtree_remove node input must be non-owning ref");
    if (reg.ref_id != 0) return reject_reg(Rule::kfunc_reference, at, "rbtree_remove node input must be non-owning ref");
  } else if (reg.ref_id == 0) {
    return reject_reg(Rule::kfunc_reference, at, "allocated object must be referenced");
  }
  const SpecialField* field = types_.record(btf::TypeId{reg.type_id}).at(static_cast<std::uint32_t>(reg.off));
  const FieldKind kind = name == "bpf_list_node" ? FieldKind::list_node : FieldKind::rb_node;
  if (field == nullptr || field->kind != kind) return reject_reg(Rule::map_field, at, "{} not found at offset={}", name, reg.off);
  if (meta.graph_root != nullptr && meta.graph_root->type != btf::TypeId{reg.type_id})
    return reject_reg(Rule::wrong_argument, at, "operation on {} expects arg#1 {} at offset={} in struct {}, but arg is at offset={} in struct {}", name, name,
                      meta.graph_root->node_offset, types_.name(BtfRef::program, meta.graph_root->type), reg.off, types_.name(BtfRef::program, btf::TypeId{reg.type_id}));
  meta.arg_btf = reg.btf;
  meta.arg_type_id = reg.type_id;
  meta.mem_size = static_cast<std::uint64_t>(reg.off);
  if (!removes && !walks) meta.release_reg = at;
  return true;
}

}  // namespace espy::verifier
