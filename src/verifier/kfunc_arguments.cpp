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
  const std::uint32_t count = meta.proto->vlen();
  if (count > 5) return reject(Rule::kfunc, "Function {} has {} > 5 args", meta.name, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    bool skip_next = false;
    if (!check_kfunc_argument(i, meta, skip_next)) return false;
    if (skip_next) ++i;
  }
  if ((meta.flags & facts::release) != 0 && meta.release_reg == 0)
    return reject(Rule::kfunc_reference, "release kernel function {} expects refcounted PTR_TO_BTF_ID", meta.name);
  return true;
}

bool Checker::check_kfunc_argument(std::uint32_t index, CallMeta& meta, bool& skip_next) {
  const btf::Btf& btf = *types_.btf(meta.btf);
  const btf::Param param = meta.proto->param(index);
  if (param.name.ends_with("__ign") || param.name.ends_with("__prog") || param.name.ends_with("__aux")) return true;
  const unsigned number = index + 1;
  const int at = static_cast<int>(number);
  const btf::Type type = btf.resolve(param.type);
  if (is_number(type.kind())) return check_kfunc_number(number, param.name, meta);
  if (!read_reg(number)) return false;
  if (type.kind() != btf::Kind::ptr) return reject_reg(Rule::kfunc, at, "Unrecognized arg#{} type {}", index, btf::to_string(type.kind()));
  const btf::Type target = btf.resolve(type.target());
  KfuncArgument argument{.number = number, .index = index, .name = param.name, .pointee = type.target(), .target = target, .type_name = target.name(),
                         .nullable = param.name.ends_with("__nullable") || param.name.ends_with("__opt"),
                         .trusted = (meta.flags & (facts::trusted_args | facts::release)) != 0,
                         .rcu = (meta.flags & facts::rcu) != 0,
                         .next = number < meta.proto->vlen() ? meta.proto->param(number).name : std::string_view{}};
  if (!check_kfunc_reference(argument, meta)) return false;
  if (const auto decided = check_kfunc_by_name(argument, meta)) return *decided;
  if (argument.nullable && regs()[number].is_null()) return skip_absent_memory(argument, meta, skip_next);
  if (const auto decided = check_kfunc_by_type(argument, meta)) return *decided;
  const Reg& reg = regs()[number];
  if (reg.type == RegType::btf || !struct_behind(reg.type).empty()) return check_kfunc_object(argument, meta);
  if (target.kind() == btf::Kind::func_proto) {
    if (reg.type != RegType::func) return reject_reg(Rule::wrong_argument, at, "arg{} expected pointer to func", index);
    meta.subprog = reg.subprog;
    return true;
  }
  return check_kfunc_memory(argument, meta, skip_next);
}

bool Checker::check_kfunc_number(unsigned number, std::string_view name, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (!reg.is_scalar()) return reject_reg(Rule::wrong_argument, at, "R{} is not a scalar", number);
  if (name.ends_with("__k") || name.ends_with("__szk")) {
    if (!reg.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} must be a known constant", number);
    meta.arg_constant = reg.value.bits.value;
    return need_precise(number);
  }
  if (name == "rdonly_buf_size" || name == "rdwr_buf_size") {
    if (!reg.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} is not a const", number);
    meta.mem_size = reg.value.bits.value;
    meta.read_only_memory = name == "rdonly_buf_size";
    return need_precise(number);
  }
  return true;
}

/// NULL only where it may be, and the reference that the call is about.
bool Checker::check_kfunc_reference(const KfuncArgument& argument, CallMeta& meta) {
  const Reg& reg = regs()[argument.number];
  const int at = static_cast<int>(argument.number);
  if ((argument.trusted || argument.rcu) && (reg.is_null() || (reg.is_pointer() && reg.maybe_null())) && !argument.nullable)
    return reject_reg(Rule::missing_null_check, at, "Possibly NULL pointer passed to trusted arg{}", argument.index);
  if (reg.ref_id == 0) return true;
  const bool releases = (meta.flags & facts::release) != 0;
  if (releases && meta.ref_id != 0)
    return reject(Rule::kfunc_reference, "verifier internal error: more than one arg with ref_obj_id R{} {} {}", argument.number, reg.ref_id, meta.ref_id);
  meta.ref_id = reg.ref_id;
  if (releases) meta.release_reg = at;
  return true;
}

/// The context, and objects of the program's own; nullopt: it is neither.
std::optional<bool> Checker::check_kfunc_by_name(const KfuncArgument& argument, CallMeta& meta) {
  const Reg& reg = regs()[argument.number];
  const int at = static_cast<int>(argument.number);
  const bool is_context = is_struct(argument.target.kind()) && context_ != nullptr &&
                          (argument.type_name == kernel_context_name() || (context_->layout != nullptr && argument.type_name == context_->layout->name));
  if (meta.name == "bpf_cast_to_kern_ctx" || is_context) {
    if (reg.type != RegType::ctx) return reject_reg(Rule::wrong_argument, at, "arg#{} expected pointer to ctx, but got {}", argument.index, type_name(reg));
    return check_pointer_offset(reg, argument.number, false);
  }
  if (argument.name.ends_with("__alloc")) {
    if (reg.type != RegType::btf || !reg.has(kAlloc)) return reject_reg(Rule::wrong_argument, at, "arg#{} expected pointer to allocated object", argument.index);
    if (reg.ref_id == 0) return reject_reg(Rule::kfunc_reference, at, "allocated object must be referenced");
    if (reg.off != 0) return reject_reg(Rule::modified_pointer, at, "R{} must have zero offset when passed to release func or trusted arg to kfunc", argument.number);
    meta.arg_btf = reg.btf;
    meta.arg_type_id = reg.type_id;
    return true;
  }
  if (!argument.name.ends_with("__refcounted_kptr")) return std::nullopt;
  if (reg.type != RegType::btf || !reg.has(kAlloc)) return reject_reg(Rule::wrong_argument, at, "arg#{} is neither owning or non-owning ref", argument.index);
  if (types_.record(btf::TypeId{reg.type_id}).find(FieldKind::refcount) == nullptr)
    return reject_reg(Rule::wrong_argument, at, "arg#{} doesn't point to a type with bpf_refcount field", argument.index);
  meta.arg_btf = reg.btf;
  meta.arg_type_id = reg.type_id;
  if (!reg.has(kNonOwning) && !reg.has(kRcu)) meta.flags &= ~std::uint32_t{facts::ret_null};
  return true;
}

/// Memory that is NULL has no size to check.
bool Checker::skip_absent_memory(const KfuncArgument& argument, CallMeta& meta, bool& skip_next) {
  const bool constant = argument.next.ends_with("__szk");
  if (!constant && !argument.next.ends_with("__sz")) return true;
  skip_next = true;
  if (!constant) return true;
  const unsigned number = argument.number + 1;
  if (!read_reg(number)) return false;
  const Reg& size = regs()[number];
  if (!size.is_const()) return reject_reg(Rule::wrong_argument, static_cast<int>(number), "R{} must be a known constant", number);
  meta.arg_constant = size.value.bits.value;
  return need_precise(number);
}

/// Arguments that are checked by what they are for; nullopt: it is none of those.
std::optional<bool> Checker::check_kfunc_by_type(const KfuncArgument& argument, CallMeta& meta) {
  const Reg& reg = regs()[argument.number];
  const int at = static_cast<int>(argument.number);
  const std::string_view name = is_struct(argument.target.kind()) ? argument.type_name : std::string_view{};
  if (name == "bpf_dynptr") return check_kfunc_dynptr(argument.number, argument.name, meta);
  if (!meta.iterator.empty() && argument.index == 0) return check_kfunc_iterator(argument.number, argument.target, meta);
  if (name == "bpf_list_head" || name == "bpf_rb_root") return check_graph_root(argument.number, name, meta);
  if (name == "bpf_list_node" || name == "bpf_rb_node") return check_graph_node(argument.number, name, meta);
  if (name == "bpf_wq") return check_field_argument(argument.number, FieldKind::workqueue, name, meta);
  if (name == "bpf_timer") return check_field_argument(argument.number, FieldKind::timer, name, meta);
  if (name == "bpf_task_work") return check_field_argument(argument.number, FieldKind::task_work, name, meta);
  if (argument.name.ends_with("__irq_flag")) {
    if (reg.type != RegType::stack) return reject_reg(Rule::irq, at, "arg#{} doesn't point to an irq flag on stack", argument.index);
    const std::uint32_t kind = meta.name.contains("res_spin") ? 1 : 0;
    return meta.name.contains("save") ? irq_save(argument.number, kind) : irq_restore(argument.number, kind);
  }
  if (name == "bpf_res_spin_lock") {
    if (reg.type != RegType::map_value && !(reg.type == RegType::btf && reg.has(kAlloc)))
      return reject_reg(Rule::wrong_argument, at, "arg#{} doesn't point to map value or allocated object", argument.index);
    return lock_spin(argument.number, !meta.name.contains("unlock"), true, meta.name.contains("irq"));
  }
  if (argument.name.ends_with("__str")) return check_constant_string(argument.number);
  if (!argument.name.ends_with("__map")) return std::nullopt;
  if (reg.type != RegType::map_ptr) return reject_reg(Rule::wrong_argument, at, "pointer in R{} isn't map pointer", argument.number);
  meta.map = reg.map;
  return true;
}

/// An object of the kernel, of the right type and trusted enough.
bool Checker::check_kfunc_object(const KfuncArgument& argument, CallMeta& meta) {
  const Reg& reg = regs()[argument.number];
  const int at = static_cast<int>(argument.number);
  const bool releases = (meta.flags & facts::release) != 0;
  if (!is_struct(argument.target.kind()))
    return reject_reg(Rule::wrong_argument, at, "kernel function {} args#{} pointer type {} {} is not supported", meta.name, argument.index, "UNKNOWN", argument.type_name);
  if ((argument.trusted || argument.rcu) && !is_trusted(reg)) {
    if (!argument.rcu) return reject_reg(Rule::kfunc_reference, at, "R{} must be referenced or trusted", argument.number);
    if (!reg.has(kRcu)) return reject_reg(Rule::kfunc_reference, at, "R{} must be a rcu pointer", argument.number);
  }
  if (releases && reg.ref_id != 0 && reg.off != 0)
    return reject_reg(Rule::modified_pointer, at, "R{} must have zero offset when passed to release func or trusted arg to kfunc", argument.number);
  if (!check_pointer_offset(reg, argument.number, true)) return false;
  if (reg.type == RegType::btf && reg.has(kUntrusted | kPerCpu | kUser | kMaybeNull | kAlloc) && !reg.has(kRcu) && reg.ref_id == 0)
    return reject_reg(Rule::wrong_argument, at, "arg#{} is {} expected {} or socket", argument.index, type_name(reg), type_name(RegType::btf, 0));
  const std::string_view behind = struct_behind(reg.type);
  BtfRef ref = reg.btf;
  btf::TypeId id{reg.type_id};
  if (!behind.empty()) {
    const auto kernel = types_.kernel_struct(behind);
    if (!kernel) return reject_reg(Rule::missing_btf, at, "type {} is not known", behind);
    ref = BtfRef::vmlinux;
    id = *kernel;
  }
  if (types_.matches(ref, id, behind.empty() ? reg.off : 0, meta.btf, argument.target.id(), releases)) return true;
  // `struct foo` of the kernel's own view: an alias named foo___init or so.
  if (types_.name(ref, id) + "___init" == argument.type_name) return true;
  return reject_reg(Rule::wrong_argument, at, "kernel function {} args#{} expected pointer to STRUCT {} but R{} has a pointer to STRUCT {}", meta.name, argument.index,
                    argument.type_name, argument.number, types_.name(ref, id));
}

/// Memory: of the size in the next argument, or of the size of its type.
bool Checker::check_kfunc_memory(const KfuncArgument& argument, CallMeta& meta, bool& skip_next) {
  const btf::Btf& btf = *types_.btf(meta.btf);
  Reg& reg = regs()[argument.number];
  const int at = static_cast<int>(argument.number);
  const btf::Type& target = argument.target;
  const bool sized = argument.next.ends_with("__sz") || argument.next.ends_with("__szk");
  if ((meta.flags & facts::arena_arg2) != 0 && argument.index == 1) return true;
  if (!is_number(target.kind()) && !only_numbers(btf, target.id(), 0) && !(sized && target.kind() == btf::Kind::void_)) {
    if (reg.type == RegType::arena) return true;
    return reject_reg(Rule::wrong_argument, at, "arg#{} pointer type {} {} must point to {}scalar, or struct with scalar", argument.index,
                      is_struct(target.kind()) ? "STRUCT" : "UNKNOWN", argument.type_name, sized ? "void, " : "");
  }
  if (sized) {
    skip_next = true;
    return check_kfunc_sized_memory(argument, meta);
  }
  const auto bytes = btf.size_of(argument.pointee);
  if (!bytes) return reject_reg(Rule::kfunc, at, "arg#{} reference type('{}') size cannot be determined", argument.index, btf.type_name(argument.pointee));
  const Reg kept = reg;
  if (reg.is_pointer()) reg.flags &= ~kMaybeNull;
  const bool fine = check_memory_argument(argument.number, *bytes, Access::read, false, nullptr) && check_memory_argument(argument.number, *bytes, Access::write, false, nullptr);
  if (kept.is_pointer() && kept.maybe_null()) regs()[argument.number] = kept;
  return fine;
}

bool Checker::check_kfunc_sized_memory(const KfuncArgument& argument, CallMeta& meta) {
  const unsigned number = argument.number + 1;
  const int at = static_cast<int>(number);
  if (!read_reg(number)) return false;
  const Reg& size = regs()[number];
  if (!size.is_scalar()) return reject_reg(Rule::wrong_argument, at, "R{} is not a scalar", number);
  if (!check_size_argument(argument.number, number, Access::read, true, nullptr) || !check_size_argument(argument.number, number, Access::write, true, nullptr)) {
    failure_.says += fmt::format("\narg#{} arg#{} memory, len pair leads to invalid memory access", argument.index, argument.index + 1);
    return false;
  }
  if (!argument.next.ends_with("__szk")) return true;
  if (!size.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} must be a known constant", number);
  meta.arg_constant = size.value.bits.value;
  return true;
}

bool Checker::check_kfunc_dynptr(unsigned number, std::string_view name, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (reg.type != RegType::stack && reg.type != RegType::dynptr)
    return reject_reg(Rule::dynptr, at, "arg#{} expected pointer to stack or const struct bpf_dynptr", number - 1);
  if (name.ends_with("__uninit")) {
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
