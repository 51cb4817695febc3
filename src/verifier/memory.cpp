// Loads and stores: through what kind of pointer, and is all of it inside?
//
// Where a pointer's offset is variable, both ends of its range are checked: the least one signed, because a negative offset
// would be in front of the memory, the greatest one unsigned.
#include <cstring>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::int64_t kMaxOffset = std::int64_t{1} << 29;

std::string tnum_text(Tnum bits) {
  if (bits.is_const()) return fmt::format("{}", static_cast<std::int64_t>(bits.value));
  return fmt::format("(0x{:x}; 0x{:x})", bits.value, bits.mask);
}

bool is_socket(RegType type) {
  return type == RegType::socket || type == RegType::sock_common || type == RegType::tcp_sock || type == RegType::xdp_sock;
}

}  // namespace

bool Checker::check_alignment(const Reg& reg, std::int32_t off, unsigned size, bool once_strict) {
  bool strict = strict_alignment_ || once_strict;
  if (reg.type == RegType::stack) strict = true;   // spills are whole slots
  if (!strict || size <= 1) return true;
  const std::int64_t extra = reg.is_packet() ? 2 : 0;   // the network header is aligned, two bytes behind it
  const Tnum address = add(reg.value.bits, Tnum::constant(static_cast<std::uint64_t>(extra + reg.off + off)));
  if (address.aligned_to(size)) return true;
  if (reg.is_packet())
    return reject(Rule::misaligned, "misaligned packet access off 2+{}+{}+{} size {}", tnum_text(reg.value.bits), reg.off, off, size);
  const char* what = reg.type == RegType::stack ? "stack " : reg.type == RegType::map_value ? "value " : reg.type == RegType::ctx ? "context " : "";
  return reject(Rule::misaligned, "misaligned {}access off {}+{}+{} size {}", what, tnum_text(reg.value.bits), reg.off, off, size);
}

/// Is [off, off + size) inside mem_size bytes?
bool Checker::check_bounds(unsigned number, std::int64_t off, std::int64_t size, std::uint64_t mem_size, bool zero_ok) {
  const bool size_ok = size > 0 || (size == 0 && zero_ok);
  if (off >= 0 && size_ok && static_cast<std::uint64_t>(off) + static_cast<std::uint64_t>(size) <= mem_size) return true;
  const Reg& reg = regs()[number];
  failure_.offset = off;
  failure_.size = size;
  failure_.most = static_cast<std::int64_t>(mem_size);
  const int at = static_cast<int>(number);
  switch (reg.type) {
    case RegType::map_key: return reject_reg(Rule::memory_bounds, at, "invalid access to map key, key_size={} off={} size={}", mem_size, off, size);
    case RegType::map_value: return reject_reg(Rule::map_value_bounds, at, "invalid access to map value, value_size={} off={} size={}", mem_size, off, size);
    case RegType::packet:
    case RegType::packet_meta:
    case RegType::packet_end:
      return reject_reg(Rule::packet_bounds, at, "invalid access to packet, off={} size={}, R{}(id={},off={},r={})", off, size, number, reg.id, off, mem_size);
    default: return reject_reg(Rule::memory_bounds, at, "invalid access to memory, mem_size={} off={} size={}", mem_size, off, size);
  }
}

bool Checker::check_region(unsigned number, std::int64_t off, std::int64_t size, std::uint64_t mem_size, bool zero_ok) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const Scalar& value = reg.value;
  const auto fits = [](std::int64_t n) { return n == static_cast<std::int32_t>(n); };
  if (value.smin < 0 && (value.smin == std::numeric_limits<std::int64_t>::min() || !fits(off + value.smin) || off + value.smin < 0))
    return reject_reg(Rule::unbounded_offset, at, "R{} min value is negative, either use unsigned index or do a if (index >=0) check.", number);
  if (!check_bounds(number, value.smin + off, size, mem_size, zero_ok)) {
    failure_.says += fmt::format("\nR{} min value is outside of the allowed memory range", number);
    return false;
  }
  if (value.umax >= static_cast<std::uint64_t>(kMaxOffset))
    return reject_reg(Rule::unbounded_offset, at, "R{} unbounded memory access, make sure to bounds check any such access", number);
  if (!check_bounds(number, static_cast<std::int64_t>(value.umax) + off, size, mem_size, zero_ok)) {
    failure_.says += fmt::format("\nR{} max value is outside of the allowed memory range", number);
    return false;
  }
  return true;
}

bool Checker::check_map_region(unsigned number, std::int64_t off, std::int64_t size, bool zero_ok, bool by_helper) {
  const Reg& reg = regs()[number];
  const MapView& map = maps_[reg.map];
  if (!check_region(number, off, size, map.spec->value_size, zero_ok)) return false;
  // Fields that only helpers may touch: no access may come near them.
  for (const SpecialField& field : map.record->fields) {
    const std::int64_t least = off + reg.value.smin, most = static_cast<std::int64_t>(reg.value.umax) + off + size;
    if (least >= std::int64_t{field.offset} + field.size || most <= field.offset) continue;
    const bool pointer = field.kind == FieldKind::kptr || field.kind == FieldKind::kptr_untrusted || field.kind == FieldKind::kptr_percpu || field.kind == FieldKind::uptr;
    if (pointer && !by_helper) {
      if (!reg.value.is_const()) return reject_reg(Rule::map_field, static_cast<int>(number), "kptr access cannot have variable offset");
      if (least != field.offset) return reject_reg(Rule::map_field, static_cast<int>(number), "kptr access misaligned expected={} off={}", field.offset, least);
      if (size != 8) return reject_reg(Rule::map_field, static_cast<int>(number), "kptr access size must be BPF_DW");
      continue;
    }
    if (pointer) return reject_reg(Rule::map_field, static_cast<int>(number), "kptr cannot be accessed indirectly by helper");
    return reject_reg(Rule::map_field, static_cast<int>(number), "{} cannot be accessed directly by load/store", name_of(field.kind));
  }
  return true;
}

bool Checker::check_packet_region(unsigned number, std::int64_t off, std::int64_t size, bool zero_ok) {
  const Reg& reg = regs()[number];
  if (reg.value.smin < 0)
    return reject_reg(Rule::unbounded_offset, static_cast<int>(number), "R{} min value is negative, either use unsigned index or do a if (index >=0) check.", number);
  if (reg.range < 0 || !check_bounds(number, off, size, static_cast<std::uint64_t>(reg.range), zero_ok)) {
    if (!failed_) return reject_reg(Rule::packet_bounds, static_cast<int>(number), "R{} offset is outside of the packet", number);
    failure_.says += fmt::format("\nR{} offset is outside of the packet", number);
    return false;
  }
  return true;
}

/// A context or a kernel object must be passed as it came: with an offset it would be something else.
bool Checker::check_pointer_offset(const Reg& reg, unsigned number, bool fixed_ok) {
  const int at = static_cast<int>(number);
  const std::string name = reg.type == RegType::ctx ? "ctx" : type_name(reg);
  if (!fixed_ok && reg.off < 0) return reject_reg(Rule::modified_pointer, at, "negative offset {} ptr R{} off={} disallowed", name, number, reg.off);
  if (!fixed_ok && reg.off != 0) return reject_reg(Rule::modified_pointer, at, "dereference of modified {} ptr R{} off={} disallowed", name, number, reg.off);
  if (!reg.value.is_zero()) return reject_reg(Rule::modified_pointer, at, "variable {} access var_off={} disallowed", name, tnum_text(reg.value.bits));
  return true;
}

bool Checker::may_access_packet(const CallMeta* meta, Access access) {
  const facts::ProgTraitsRow& traits = facts::traits_of(type_);
  if (access == Access::write && meta == nullptr) return traits.writes_packet;
  if (meta == nullptr) return true;
  return traits.packet_to_any_helper || (traits.packet_to_helpers && meta->prototype != nullptr && meta->prototype->packet_access);
}

bool Checker::access_memory(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg, bool once_strict, bool extends) {
  Reg& reg = regs()[number];
  if (!check_alignment(reg, off, size, once_strict)) return false;
  const int at = static_cast<int>(number);
  const bool writes = access == Access::write;
  const auto leaks = [&](std::string_view where) {
    if (!writes || value_reg < 0 || !is_pointer_value(regs()[value_reg])) return false;
    reject_reg(Rule::pointer_leak, value_reg, "R{} leaks addr into {}", value_reg, where);
    return true;
  };
  bool fine = false;
  const std::int32_t whole = static_cast<std::int32_t>(static_cast<std::uint32_t>(off) + static_cast<std::uint32_t>(reg.off));
  switch (reg.type) {
    case RegType::map_key: {
      if (writes) return reject_reg(Rule::read_only, at, "write to change key R{} not allowed", number);
      if (!check_region(number, whole, size, maps_[reg.map].spec->key_size, false)) return false;
      if (value_reg >= 0) set_unknown(regs()[value_reg]);
      fine = true;
      break;
    }
    case RegType::map_value:
      if (reg.maybe_null()) return reject_reg(Rule::missing_null_check, at, "R{} invalid mem access '{}'", number, type_name(reg));
      if (leaks("map")) return false;
      fine = access_map_value(number, whole, size, access, value_reg);
      break;
    case RegType::mem:
      if (reg.maybe_null()) return reject_reg(Rule::missing_null_check, at, "R{} invalid mem access '{}'", number, type_name(reg));
      if (writes && reg.has(kReadOnly)) return reject_reg(Rule::read_only, at, "R{} cannot write into {}", number, type_name(reg));
      if (leaks("mem")) return false;
      fine = access_sized_memory(number, whole, size, access, value_reg);
      break;
    case RegType::ctx:
      if (reg.maybe_null()) return reject_reg(Rule::missing_null_check, at, "R{} invalid mem access '{}'", number, type_name(reg));
      if (leaks("ctx")) return false;
      if (!check_pointer_offset(reg, number, type_ == facts::ProgType::syscall && profile_.has(Behaviour::variable_context_offset))) return false;
      fine = access_context(number, off, size, access, value_reg);
      break;
    case RegType::stack: {
      if (!stack_bounds(number, off, size, access)) return false;
      fine = writes ? stack_write(number, off, size, value_reg) : stack_read(number, off, size, value_reg);
      break;
    }
    case RegType::packet:
    case RegType::packet_meta:
      if (writes && !may_access_packet(nullptr, access)) return reject_reg(Rule::read_only, at, "cannot write into packet");
      if (leaks("packet")) return false;
      fine = check_packet_region(number, whole, size, false);
      if (fine && !writes && value_reg >= 0) set_unknown(regs()[value_reg]);
      break;
    case RegType::flow_keys:
      if (leaks("flow keys")) return false;
      if (whole < 0 || static_cast<std::uint32_t>(whole) + size > facts::kFlowKeysSize)
        return reject_reg(Rule::memory_bounds, at, "invalid access to flow keys off={} size={}", whole, size);
      if (!writes && value_reg >= 0) set_unknown(regs()[value_reg]);
      fine = true;
      break;
    case RegType::tp_buffer:
      if (whole < 0 || !reg.value.is_const()) return reject_reg(Rule::memory_bounds, at, "R{} invalid tracepoint buffer access: off={}, size={}", number, whole, size);
      if (!writes && value_reg >= 0) set_unknown(regs()[value_reg]);
      fine = true;
      break;
    case RegType::arena:
      if (!writes && value_reg >= 0) set_unknown(regs()[value_reg]);
      fine = true;
      break;
    case RegType::btf:
      if (reg.maybe_null()) return reject_reg(Rule::missing_null_check, at, "R{} invalid mem access '{}'", number, type_name(reg));
      fine = access_btf(number, off, size, access, value_reg);
      break;
    case RegType::buffer:
      if (reg.maybe_null()) return reject_reg(Rule::missing_null_check, at, "R{} invalid mem access '{}'", number, type_name(reg));
      fine = access_buffer(number, off, size, access, value_reg);
      break;
    case RegType::map_ptr: fine = access_map_pointer(number, off, size, access, value_reg); break;
    default:
      if (is_socket(reg.type) && !reg.maybe_null()) {
        if (writes) return reject_reg(Rule::read_only, at, "R{} cannot write into {}", number, type_name(reg));
        fine = access_socket(number, whole, size, access, value_reg);
        break;
      }
      return reject_reg(reg.maybe_null() ? Rule::missing_null_check : Rule::memory_bounds, at, "R{} invalid mem access '{}'", number, type_name(reg));
  }
  if (!fine) return false;
  if (size < 8 && value_reg >= 0 && !writes && regs()[value_reg].is_scalar()) {
    Scalar& loaded = regs()[value_reg].value;
    if (extends) sign_extend(loaded, size, how_);
    else truncate(loaded, size, how_);
    repair(loaded);
  }
  return true;
}

/// What a map that neither side writes holds there: a number known now.
std::optional<std::uint64_t> Checker::read_only_value(const Reg& reg, std::int64_t off, unsigned size) const {
  const object::MapSpec& map = *maps_[reg.map].spec;
  const bool constant = map.origin == object::MapOrigin::rodata || map.origin == object::MapOrigin::kconfig;
  if (!constant || !reg.value.is_const() || map.type != facts::MapType::array) return std::nullopt;
  const std::int64_t at = off + static_cast<std::int64_t>(reg.value.bits.value);
  if (at < 0 || at + size > map.value_size) return std::nullopt;
  std::uint64_t number = 0;
  if (static_cast<std::uint64_t>(at) < map.contents.size())
    std::memcpy(&number, map.contents.data() + at, std::min<std::size_t>(size, map.contents.size() - static_cast<std::size_t>(at)));
  return number;
}

bool Checker::access_map_value(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg& reg = regs()[number];
  const MapView& map = maps_[reg.map];
  const int at = static_cast<int>(number);
  const bool writes = access == Access::write;
  if (writes && (map_flags(map) & kReadOnlyProg) != 0)
    return reject_reg(Rule::read_only, at, "write into map forbidden, value_size={} off={} size={}", map.spec->value_size, off + reg.value.smin, size);
  if (!writes && (map_flags(map) & kWriteOnlyProg) != 0)
    return reject_reg(Rule::map_use, at, "read from map forbidden, value_size={} off={} size={}", map.spec->value_size, off + reg.value.smin, size);
  if (!check_map_region(number, off, size, false, false)) return false;
  note_map(reg.map);
  if (!map.record->fields.empty() && reg.value.is_const()) {
    const SpecialField* field = map.record->at(static_cast<std::uint32_t>(off + static_cast<std::int64_t>(reg.value.bits.value)));
    if (field != nullptr) return kptr_access(number, value_reg, code_.insns[insn_], *field);
  }
  if (writes || value_reg < 0) return true;
  if (auto known = read_only_value(reg, off, size)) {
    const bool extends = code_.insns[insn_].op == isa::Operation::load_signed;
    std::uint64_t value = *known;
    if (extends) value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << (64 - 8 * size)) >> (64 - 8 * size));
    set_constant(regs()[value_reg], value);
  } else {
    set_unknown(regs()[value_reg]);
  }
  return true;
}

bool Checker::access_sized_memory(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg& reg = regs()[number];
  const bool probed = reg.has(kReadOnly) && reg.has(kUntrusted);   // read with faults caught
  if (!probed && !check_region(number, off, size, reg.mem_size, false)) return false;
  if (value_reg >= 0 && access == Access::read) set_unknown(regs()[value_reg]);
  return true;
}

bool Checker::access_buffer(unsigned number, std::int32_t off, unsigned size, Access access, int value_reg) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const char* what = reg.has(kReadOnly) ? "rdonly" : "rdwr";
  if (access == Access::write && reg.has(kReadOnly)) return reject_reg(Rule::read_only, at, "R{} cannot write into {}", number, type_name(reg));
  if (off < 0) return reject_reg(Rule::memory_bounds, at, "R{} invalid {} buffer access: off={}, size={}", number, what, off, size);
  if (!reg.value.is_zero())
    return reject_reg(Rule::unbounded_offset, at, "R{} invalid variable buffer offset: off={}, var_off={}", number, off, tnum_text(reg.value.bits));
  if (value_reg >= 0 && access == Access::read) set_unknown(regs()[value_reg]);
  return true;
}

}  // namespace espy::verifier
