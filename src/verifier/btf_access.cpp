// Pointers to kernel structures: what a load of a field gives, and how far the result may be trusted.
//
// A pointer is trusted where the kernel guarantees that what it points to lives on: arguments of some programs, references that
// were taken, a few fields of trusted objects. In an RCU read section fields tagged __rcu live till its end. Everything else is
// read with faults caught, and may not be given to functions that rely on it.
#include <algorithm>
#include <array>
#include <utility>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

enum class Trust : std::uint8_t { rcu, rcu_or_null, trusted, trusted_or_null };
struct SafeField {
  std::string_view type, field;
  Trust trust;
};
/// Fields that the kernel promises to keep alive with their object.
constexpr SafeField kSafeFields[] = {
    {"task_struct", "cpus_ptr", Trust::rcu},         {"task_struct", "cgroups", Trust::rcu},
    {"task_struct", "real_parent", Trust::rcu},      {"task_struct", "group_leader", Trust::rcu},
    {"cgroup", "kn", Trust::rcu},                    {"css_set", "dfl_cgrp", Trust::rcu},
    {"cgroup_subsys_state", "cgroup", Trust::rcu},   {"mm_struct", "exe_file", Trust::rcu_or_null},
    {"sk_buff", "sk", Trust::rcu_or_null},           {"request_sock", "sk", Trust::rcu_or_null},
    {"bpf_iter_meta", "seq", Trust::trusted},        {"bpf_iter__task", "meta", Trust::trusted},
    {"bpf_iter__task", "task", Trust::trusted},      {"linux_binprm", "file", Trust::trusted},
    {"file", "f_inode", Trust::trusted},             {"dentry", "d_inode", Trust::trusted_or_null},
    {"socket", "sk", Trust::trusted_or_null},        {"vm_area_struct", "vm_mm", Trust::trusted_or_null},
    {"vm_area_struct", "vm_file", Trust::trusted_or_null},
};

const SafeField* safe_field(std::string_view type, std::string_view field) {
  auto found = std::ranges::find_if(kSafeFields, [&](const SafeField& row) { return row.type == type && row.field == field; });
  return found == std::end(kSafeFields) ? nullptr : found;
}

bool is_struct(btf::Kind kind) { return kind == btf::Kind::struct_ || kind == btf::Kind::union_; }

std::uint32_t tag_flags(const btf::Btf& btf, btf::TypeId target) {
  std::uint32_t flags = 0;
  btf::Type type = btf.type(target);
  for (int i = 0; i < 8; ++i) {
    if (type.kind() == btf::Kind::type_tag) {
      if (type.name() == "user") flags |= kUser;
      if (type.name() == "percpu") flags |= kPerCpu;
      if (type.name() == "rcu") flags |= kRcu;
    } else if (type.kind() != btf::Kind::const_ && type.kind() != btf::Kind::volatile_ && type.kind() != btf::Kind::typedef_) {
      break;
    }
    type = btf.type(type.target());
  }
  return flags;
}

}  // namespace

bool is_trusted(const Reg& reg) {
  if (reg.ref_id != 0) return true;
  if (reg.type != RegType::btf) return reg.type == RegType::map_ptr || reg.type == RegType::socket || reg.type == RegType::tcp_sock ||
                                       reg.type == RegType::sock_common || reg.type == RegType::xdp_sock;
  const std::uint32_t good = kAlloc | kTrusted;
  return (reg.flags & good) != 0 && (reg.flags & ~good) == 0;
}

FieldAccess Types::access(BtfRef ref, btf::TypeId id, std::int64_t offset, std::uint32_t size) const {
  FieldAccess result{.btf = ref};
  const btf::Btf* btf = this->btf(ref);
  if (btf == nullptr) {
    result.why = "no BTF";
    return result;
  }
  btf::Type type = btf->resolve(id);
  std::uint32_t union_flags = 0;
  for (int depth = 0; depth < 32; ++depth) {
    if (!is_struct(type.kind())) {
      result.why = fmt::format("Type '{}' is not a struct", type.name());
      return result;
    }
    const std::string name(type.name());
    if (type.kind() == btf::Kind::union_ && type.vlen() != 1) union_flags = kUntrusted;
    if (type.vlen() != 0 && offset + size > type.size()) {
      // Behind the end there may be an array of no fixed length.
      const btf::Member last = type.member(type.vlen() - 1);
      const btf::Type array = btf->resolve(last.type);
      const std::int64_t at = last.bit_offset / 8;
      const auto element = array.kind() == btf::Kind::array && array.array().count <= 1 ? btf->size_of(array.array().element) : Result<std::uint32_t>(0U);
      if (array.kind() != btf::Kind::array || array.array().count > 1 || !element || *element == 0 || offset < at) {
        result.why = fmt::format("access beyond struct {} at off {} size {}", name, offset, size);
        return result;
      }
      const btf::Type inner = btf->resolve(array.array().element);
      offset = (offset - at) % *element;
      if (!is_struct(inner.kind())) {
        result.kind = FieldAccess::Kind::scalar;
        return result;
      }
      type = inner;
      continue;
    }
    bool again = false;
    for (std::uint32_t i = 0; i < type.vlen() && !again; ++i) {
      const btf::Member member = type.member(i);
      const std::int64_t at = member.bit_offset / 8;
      if (member.bitfield_size != 0) {
        const std::int64_t end = (std::int64_t{member.bit_offset} + member.bitfield_size + 7) / 8;
        if (offset <= at && end <= offset + size) {
          result.kind = FieldAccess::Kind::scalar;
          return result;
        }
        continue;
      }
      if (offset + size <= at && type.kind() == btf::Kind::struct_) break;
      if (offset < at) break;
      btf::Type inner = btf->resolve(member.type);
      const auto whole = btf->size_of(member.type);
      if (!whole || offset >= at + std::int64_t{*whole}) continue;
      std::int64_t inside = offset - at;
      btf::TypeId inner_id = member.type;
      for (int nesting = 0; inner.kind() == btf::Kind::array && nesting < 8; ++nesting) {
        inner_id = inner.array().element;
        inner = btf->resolve(inner_id);
      }
      const auto one = btf->size_of(inner_id);
      if (!one || *one == 0) continue;
      if (is_struct(inner.kind())) {
        offset = inside % *one;
        type = inner;
        again = true;
        break;
      }
      if (inner.kind() == btf::Kind::ptr) {
        if (size != 8 || inside % 8 != 0) {
          result.why = fmt::format("cannot access ptr member {} with moff {} in struct {} with off {} size {}", member.name, at, name, offset, size);
          return result;
        }
        const btf::Type target = btf->resolve(inner.target());
        if (!is_struct(target.kind())) {
          result.kind = FieldAccess::Kind::scalar;
          return result;
        }
        result.kind = FieldAccess::Kind::pointer;
        result.type = target.id();
        result.flags = tag_flags(*btf, inner.target()) | union_flags;
        result.field = member.name;
        result.owner = type.name();
        return result;
      }
      if (inside + size > *whole) {
        result.why = fmt::format("access beyond the end of member {} (mend:{}) in struct {} with off {} size {}", member.name, at + *whole, name, offset, size);
        return result;
      }
      result.kind = FieldAccess::Kind::scalar;
      return result;
    }
    if (again) continue;
    result.why = fmt::format("struct {} doesn't have field at offset {}", name, offset);
    return result;
  }
  result.why = "struct nests too deeply";
  return result;
}

bool Types::matches(BtfRef ref, btf::TypeId type, std::int64_t offset, BtfRef wanted_ref, btf::TypeId wanted, bool strict) const {
  const btf::Btf* btf = this->btf(ref);
  const btf::Btf* other = this->btf(wanted_ref);
  if (btf == nullptr || other == nullptr) return false;
  const btf::Type target = other->resolve(wanted);
  btf::Type at = btf->resolve(type);
  for (int depth = 0; depth < 16; ++depth) {
    const bool same = btf == other ? at.id() == target.id() : at.name() == target.name() && at.size() == target.size() && at.kind() == target.kind();
    if (offset == 0 && same && !at.name().empty()) return true;
    if (strict || !is_struct(at.kind())) return false;
    // The structure that begins at (or is) the first member there.
    bool found = false;
    for (const btf::Member& member : at.members()) {
      const std::int64_t begin = member.bit_offset / 8;
      const auto size = btf->size_of(member.type);
      if (member.bitfield_size != 0 || !size || offset < begin || offset >= begin + std::int64_t{*size}) continue;
      btf::Type inner = btf->resolve(member.type);
      std::int64_t inside = offset - begin;
      if (inner.kind() == btf::Kind::array) {
        const auto one = btf->size_of(inner.array().element);
        if (!one || *one == 0) return false;
        inside %= *one;
        inner = btf->resolve(inner.array().element);
      }
      if (!is_struct(inner.kind())) return false;
      at = inner;
      offset = inside;
      found = true;
      break;
    }
    if (!found) return false;
  }
  return false;
}

/// How far a pointer read through `from` may be trusted.
std::uint32_t Checker::trust_of(const Reg& from, const FieldAccess& field) const {
  if (from.has(kUntrusted)) return kUntrusted;
  const bool rcu_reg = from.has(kRcu);
  if (!is_trusted(from) && !rcu_reg) return field.flags & ~(kTrusted | kRcu | kUntrusted);
  const SafeField* safe = safe_field(field.owner, field.field);
  if (safe != nullptr && safe->trust == Trust::trusted) return field.flags | kTrusted;
  if (safe != nullptr && safe->trust == Trust::trusted_or_null) return field.flags | kTrusted | kMaybeNull;
  if (in_rcu() && !from.maybe_null()) {
    if (safe != nullptr && safe->trust == Trust::rcu) return field.flags | kRcu;
    if ((field.flags & kRcu) != 0 || safe != nullptr) {
      std::uint32_t flags = field.flags | kRcu | kMaybeNull;
      if (safe != nullptr) flags &= ~kUntrusted;
      return flags;
    }
    if ((field.flags & (kPerCpu | kUser)) != 0) return field.flags;
    return field.flags & ~(kTrusted | kRcu | kUntrusted);
  }
  return kUntrusted;
}

bool Checker::access_btf(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg reg = regs()[number];
  const int at = static_cast<int>(number);
  const bool writes = access == Access::write;
  const std::string name = types_.name(reg.btf, btf::TypeId{reg.type_id});
  const std::int64_t whole = std::int64_t{off} + reg.off;
  failure_.offset = whole;
  failure_.size = size;
  if (!leaks_allowed_) return reject_reg(Rule::privileges, at, "'struct {}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN", name);
  if (!gpl_compatible_ && reg.btf != BtfRef::program)
    return reject_reg(Rule::gpl_only, at, "Cannot access kernel 'struct {}' from non-GPL compatible program", name);
  if (whole < 0) return reject_reg(Rule::btf_access, at, "R{} is ptr_{} invalid negative access: off={}", number, name, whole);
  if (!reg.value.is_zero())
    return reject_reg(Rule::btf_access, at, "R{} is ptr_{} invalid variable offset: off={}, var_off=(0x{:x}; 0x{:x})", number, name, whole, reg.value.bits.value, reg.value.bits.mask);
  if (reg.has(kUser)) return reject_reg(Rule::btf_access, at, "R{} is ptr_{} access user memory: off={}", number, name, whole);
  if (reg.has(kPerCpu)) return reject_reg(Rule::btf_access, at, "R{} is ptr_{} access percpu memory: off={}", number, name, whole);
  if (writes && !reg.has(kAlloc)) {
    if (type_ == facts::ProgType::struct_ops && struct_ops_may_write(reg, whole, size)) return true;
    return reject_reg(Rule::read_only, at, "only read is supported");
  }
  if (writes && value_reg >= 0 && is_pointer_value(regs()[value_reg])) return reject_reg(Rule::pointer_leak, value_reg, "R{} leaks addr into mem", value_reg);
  if (reg.has(kAlloc) && reg.btf == BtfRef::program) {
    const SpecialField* special = types_.record(btf::TypeId{reg.type_id}).overlapping(static_cast<std::uint32_t>(whole), size);
    if (special != nullptr) return reject_reg(Rule::map_field, at, "direct access to {} is disallowed", name_of(special->kind));
  }
  const FieldAccess field = types_.access(reg.btf, btf::TypeId{reg.type_id}, whole, size);
  if (field.kind == FieldAccess::Kind::invalid) return reject_reg(Rule::btf_access, at, "{}", field.why);
  if (writes || value_reg < 0) return true;
  Reg& dst = regs()[value_reg];
  if (field.kind == FieldAccess::Kind::scalar || reg.has(kAlloc)) {
    set_unknown(dst);
    return true;
  }
  const std::uint32_t flags = trust_of(reg, field);
  dst = Reg::pointer(RegType::btf, flags);
  dst.btf = field.btf;
  dst.type_id = static_cast<std::uint32_t>(field.type);
  if (dst.maybe_null()) dst.id = new_id();
  return true;
}

/// Congestion control may change a few fields of the socket.
bool Checker::struct_ops_may_write(const Reg& reg, std::int64_t off, unsigned size) const {
  const std::string name = types_.name(reg.btf, btf::TypeId{reg.type_id});
  constexpr std::array<std::string_view, 3> kSockets = {"tcp_sock", "inet_connection_sock", "sock"};
  if (std::ranges::find(kSockets, name) == kSockets.end()) return false;
  const auto socket = types_.kernel_struct("tcp_sock");
  if (!socket || types_.kernel() == nullptr) return false;
  constexpr std::array<std::string_view, 8> kFields = {"icsk_ca_priv", "sk_pacing_rate", "sk_pacing_status", "snd_cwnd", "snd_cwnd_cnt",
                                                       "snd_cwnd_stamp", "snd_ssthresh", "ecn_flags"};
  std::vector<std::pair<btf::TypeId, std::int64_t>> work = {{*socket, 0}};
  for (std::size_t i = 0; i < work.size() && i < 64; ++i) {
    const auto [id, base] = work[i];
    for (const btf::Member& member : types_.kernel()->resolve(id).members()) {
      const std::int64_t at = base + member.bit_offset / 8;
      const auto bytes = types_.kernel()->size_of(member.type);
      if (!bytes || off < at || off + size > at + *bytes) continue;
      if (std::ranges::find(kFields, member.name) != kFields.end()) return true;
      if (is_struct(types_.kernel()->resolve(member.type).kind())) work.emplace_back(member.type, at);
    }
  }
  return false;
}

/// The structure that the kernel keeps a map of this type in.
std::string_view map_struct(facts::MapType type) {
  using enum facts::MapType;
  switch (type) {
    case array: case percpu_array: case prog_array: case perf_event_array: case cgroup_array: case array_of_maps: return "bpf_array";
    case hash: case percpu_hash: case lru_hash: case lru_percpu_hash: case hash_of_maps: return "bpf_htab";
    case lpm_trie: return "lpm_trie";
    case queue: case stack: return "bpf_queue_stack";
    case facts::MapType::ringbuf: case user_ringbuf: return "bpf_ringbuf_map";
    case stack_trace: return "bpf_stack_map";
    case devmap: case devmap_hash: return "bpf_dtab";
    case sockmap: return "bpf_stab";
    case sockhash: return "bpf_shtab";
    case sk_storage: case inode_storage: case task_storage: case cgrp_storage: return "bpf_local_storage_map";
    case bloom_filter: return "bpf_bloom_filter";
    default: return "bpf_map";
  }
}

/// `map->max_entries` and its like: fields of `struct bpf_map` may be read.
bool Checker::access_map_pointer(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const std::string_view name = map_struct(maps_[reg.map].spec->type);
  const auto type = types_.kernel_struct(name);
  if (!type) return reject_reg(Rule::missing_btf, at, "map_ptr access not supported without CONFIG_DEBUG_INFO_BTF");
  if (!leaks_allowed_) return reject_reg(Rule::privileges, at, "'struct {}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN", name);
  const std::int64_t whole = std::int64_t{off} + reg.off;
  if (whole < 0) return reject_reg(Rule::btf_access, at, "R{} is {} invalid negative access: off={}", number, name, off);
  if (access == Access::write) return reject_reg(Rule::read_only, at, "only read from {} is supported", name);
  const FieldAccess field = types_.access(BtfRef::vmlinux, *type, whole, size);
  if (field.kind == FieldAccess::Kind::invalid) return reject_reg(Rule::btf_access, at, "{}", field.why);
  if (value_reg < 0) return true;
  Reg& dst = regs()[value_reg];
  set_unknown(dst);
  if (field.kind == FieldAccess::Kind::pointer) {
    dst = Reg::pointer(RegType::btf, field.flags & ~(kTrusted | kRcu));
    dst.type_id = static_cast<std::uint32_t>(field.type);
  }
  return true;
}

/// A kptr in a map's value: loaded as an untrusted pointer, stored only untrusted, or NULL.
bool Checker::kptr_access(unsigned number, int value_reg, const Insn& insn, const SpecialField& field) {
  const int at = static_cast<int>(number);
  if (insn.op != isa::Operation::load && insn.op != isa::Operation::store)
    return reject_reg(Rule::map_field, at, "kptr in map can only be accessed using BPF_MEM instruction mode");
  if (insn.cls == isa::Class::ldx) {
    if (value_reg < 0) return true;
    const bool in_section = in_rcu() && (field.kind == FieldKind::kptr || field.kind == FieldKind::kptr_percpu);
    const std::string name = types_.name(field.btf, field.type);
    const bool rcu_safe = field.btf == BtfRef::program || name == "cpumask" || name == "bpf_cpumask" || name == "task_struct" || name == "cgroup";
    std::uint32_t flags = kMaybeNull;
    if (field.kind == FieldKind::uptr) {
      Reg& dst = regs()[value_reg];
      dst = Reg::pointer(RegType::mem, kMaybeNull);
      dst.mem_size = types_.size(field.btf, field.type);
      dst.id = new_id();
      return true;
    }
    flags |= in_section && rcu_safe ? kRcu | (field.btf == BtfRef::program ? kAlloc : 0U) | (field.kind == FieldKind::kptr_percpu ? kPercpuMem : 0U) : kUntrusted;
    Reg& dst = regs()[value_reg];
    dst = Reg::pointer(RegType::btf, flags);
    dst.btf = field.btf;
    dst.type_id = static_cast<std::uint32_t>(field.type);
    dst.id = new_id();
    return true;
  }
  if (field.kind != FieldKind::kptr_untrusted) return reject_reg(Rule::map_field, at, "store to referenced kptr disallowed");
  if (insn.cls == isa::Class::st) {
    if (insn.imm != 0) return reject_reg(Rule::map_field, at, "BPF_ST imm must be 0 when storing to kptr at off={}", field.offset);
    return true;
  }
  const Reg& value = regs()[value_reg];
  if (value.is_null()) return true;
  if (value.type != RegType::btf || !types_.matches(value.btf, btf::TypeId{value.type_id}, value.off, field.btf, field.type, false))
    return reject_reg(Rule::map_field, value_reg, "invalid kptr access, R{} type={} expected=ptr_{}", value_reg, type_name(value), types_.name(field.btf, field.type));
  return true;
}

/// Kernel variables and functions whose address the program takes: the kernel fills them in before it looks at anything else,
/// and may know a symbol's type without its address (variables, where CONFIG_KALLSYMS_ALL is off).
bool Checker::check_kernel_symbols() {
  if (!target_.symbol_address) return true;
  for (std::uint32_t at = 0; at < code_.size(); ++at) {
    const Insn& insn = code_.insns[at];
    if (insn.second_half || insn.op != isa::Operation::ld_imm64 || insn.literal != Literal::kernel_variable) continue;
    insn_ = at;
    const btf::Btf* btf = types_.btf(types_.module_of(at));
    if (btf == nullptr) continue;   // told where the program gets there
    const btf::Type type = btf->type(btf::TypeId{static_cast<std::uint32_t>(insn.imm)});
    if (type.kind() != btf::Kind::var && type.kind() != btf::Kind::func) continue;
    const auto address = target_.symbol_address(type.name());
    // An address that this process may not see, or one of several, is one all the same.
    if (!address || address->value_or(0) != 0) continue;
    failure_.message = fmt::format("the kernel does not know the address of its symbol `{}`", type.name());
    failure_.hint = "it knows those of variables only with CONFIG_KALLSYMS_ALL=y: get at the value another way, by a helper or from the context";
    return reject(Rule::missing_btf, "ldimm64 failed to find the address for kernel symbol '{}'.", type.name());
  }
  return true;
}

bool Checker::load_kernel_variable(const Insn& insn, Reg& dst) {
  const BtfRef ref = types_.module_of(insn_);
  const btf::Btf* btf = types_.btf(ref);
  if (btf == nullptr) return reject(Rule::missing_btf, "kernel is missing BTF, make sure CONFIG_DEBUG_INFO_BTF=y is specified in Kconfig.");
  const btf::Type type = btf->type(btf::TypeId{static_cast<std::uint32_t>(insn.imm)});
  if (type.kind() == btf::Kind::func) {
    dst = Reg::pointer(RegType::mem, kReadOnly);
    dst.mem_size = 0;
    return true;
  }
  if (type.kind() != btf::Kind::var) return reject(Rule::missing_btf, "pseudo btf_id {} in ldimm64 isn't KIND_VAR or KIND_FUNC", insn.imm);
  bool per_cpu = false;
  if (auto section = btf->find(".data..percpu", btf::Kind::datasec))
    for (const btf::SectionVar& var : section->section_vars()) per_cpu = per_cpu || var.type == type.id();
  const btf::Type target = btf->resolve(type.target());
  if (per_cpu) {
    dst = Reg::pointer(RegType::btf, kPerCpu);
    dst.btf = ref;
    dst.type_id = static_cast<std::uint32_t>(type.target());
  } else if (!is_struct(target.kind())) {
    dst = Reg::pointer(RegType::mem, kReadOnly);
    dst.mem_size = types_.size(ref, type.target());
  } else {
    dst = Reg::pointer(RegType::btf);
    dst.btf = ref;
    dst.type_id = static_cast<std::uint32_t>(target.id());
  }
  return true;
}

}  // namespace espy::verifier
