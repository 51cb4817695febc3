// Arguments that are more than memory: locks, timers, kptrs, dynptrs, callbacks, strings, kernel objects.
#include <algorithm>
#include <cstring>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using facts::Arg;
constexpr std::int32_t kSpinLockHelper = 93, kKptrXchg = 194, kSkRelease = 86;

}  // namespace

/// A bpf_timer, bpf_wq or bpf_task_work in a map's value, exactly at its place.
bool Checker::check_field_argument(unsigned number, FieldKind kind, std::string_view name, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (reg.type != RegType::map_value) return reject_reg(Rule::wrong_argument, at, "arg#{} doesn't point to a map value", number - 1);
  if (!reg.value.is_const()) return reject_reg(Rule::map_field, at, "R{} doesn't have constant offset. {} has to be at the constant offset", number, name);
  const MapView& map = maps_[reg.map];
  const SpecialField* field = map.record->find(kind);
  if (field == nullptr) return reject_reg(Rule::map_field, at, "map '{}' has no valid {}", map.spec->name, name);
  const std::int64_t off = std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value);
  if (off != field->offset) return reject_reg(Rule::map_field, at, "off {} doesn't point to 'struct {}' that is at {}", off, name, field->offset);
  if (meta.map) return reject(Rule::map_field, "verifier bug: Two map pointers in a timer helper");
  meta.map = reg.map;
  meta.map_uid = reg.map_uid;
  return true;
}

bool Checker::check_special_argument(unsigned number, facts::Argument argument, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  switch (argument.kind) {
    case Arg::spin_lock: return lock_spin(number, meta.helper == kSpinLockHelper, false, false);
    case Arg::timer: return check_field_argument(number, FieldKind::timer, "bpf_timer", meta);
    case Arg::callback:
      meta.subprog = reg.subprog;
      return true;
    case Arg::const_str: return check_constant_string(number);
    case Arg::kptr: return check_kptr_argument(number, meta);
    case Arg::dynptr_uninit: {
      if (meta.helper == 197 && regs()[1].type != RegType::map_value)
        return reject_reg(Rule::dynptr, 1, "Unsupported reg type {} for bpf_dynptr_from_mem data", type_name(regs()[1]));
      const DynptrType type = argument.dynptr == facts::DynptrKind::ringbuf ? DynptrType::ringbuf : DynptrType::local;
      return make_dynptr(number, type, meta);
    }
    case Arg::dynptr: return use_dynptr(number, argument.dynptr, meta, meta.prototype->releases);
    case Arg::percpu_btf:
      if (reg.type_id == 0) return reject_reg(Rule::wrong_argument, at, "Helper has invalid btf_id in R{}", number);
      meta.type_id = reg.type_id;
      meta.btf = reg.btf;
      return true;
    case Arg::ringbuf_mem:
      return true;
    case Arg::btf:
    case Arg::btf_or_null:
    case Arg::btf_sock_common:
    case Arg::sock_common: return check_btf_argument(number, argument, meta);
    default: return true;
  }
}

bool Checker::check_btf_argument(unsigned number, const facts::Argument& argument, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (reg.type != RegType::btf) return true;
  if (meta.helper == kKptrXchg) {
    if (meta.kptr == nullptr) return true;
    if (types_.matches(reg.btf, btf::TypeId{reg.type_id}, reg.off, meta.kptr->btf, meta.kptr->type, true)) return true;
    return reject_reg(Rule::map_field, at, "invalid kptr access, R{} type={} expected=ptr_{}", number, type_name(reg), types_.name(meta.kptr->btf, meta.kptr->type));
  }
  const bool common = argument.kind == Arg::btf_sock_common || argument.kind == Arg::sock_common;
  const std::string_view wanted = common ? std::string_view("sock_common") : argument.type;
  const auto type = types_.kernel_struct(wanted);
  if (!type) return reject_reg(Rule::missing_btf, at, "verifier internal error: missing arg compatible BTF ID");
  const bool release = meta.prototype->releases;
  if (types_.matches(reg.btf, btf::TypeId{reg.type_id}, reg.off, BtfRef::vmlinux, *type, release && meta.helper != kSkRelease)) return true;
  return reject_reg(Rule::wrong_argument, at, "R{} is of type {} but {} is expected", number, types_.name(reg.btf, btf::TypeId{reg.type_id}), wanted);
}

bool Checker::check_kptr_argument(unsigned number, CallMeta& meta) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  const Record* record = nullptr;
  if (reg.type == RegType::map_value) {
    record = maps_[reg.map].record;
    if (!reg.value.is_const()) return reject_reg(Rule::map_field, at, "R{} doesn't have constant offset. kptr has to be at the constant offset", number);
    if (types_.own() == nullptr) return reject_reg(Rule::missing_btf, at, "map '{}' has to have BTF in order to use bpf_kptr_xchg", maps_[reg.map].spec->name);
  } else {
    record = &types_.record(btf::TypeId{reg.type_id});
  }
  const std::int64_t off = std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value);
  const SpecialField* field = off >= 0 ? record->at(static_cast<std::uint32_t>(off)) : nullptr;
  if (field == nullptr || (field->kind != FieldKind::kptr && field->kind != FieldKind::kptr_percpu && field->kind != FieldKind::kptr_untrusted))
    return reject_reg(Rule::map_field, at, "off={} doesn't point to kptr", off);
  if (field->kind == FieldKind::kptr_untrusted) return reject_reg(Rule::map_field, at, "off={} kptr isn't referenced kptr", off);
  meta.kptr = field;
  return true;
}

/// The text that a pointer into a read-only map is; failure otherwise.
bool Checker::check_constant_string(unsigned number) {
  const Reg& reg = regs()[number];
  const int at = static_cast<int>(number);
  if (reg.type != RegType::map_value) return reject_reg(Rule::wrong_argument, at, "R{} type={} expected=map_value", number, type_name(reg));
  const object::MapSpec& map = *maps_[reg.map].spec;
  if (map.origin != object::MapOrigin::rodata && map.origin != object::MapOrigin::kconfig)
    return reject_reg(Rule::wrong_argument, at, "R{} does not point to a readonly map'", number);
  if (!reg.value.is_const()) return reject_reg(Rule::wrong_argument, at, "R{} is not a constant address'", number);
  const std::int64_t off = std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value);
  if (!check_map_region(number, reg.off, map.value_size - off > 0 ? map.value_size - off : 1, false, true)) return false;
  for (auto i = static_cast<std::size_t>(off); i < map.value_size; ++i)
    if (i >= map.contents.size() || map.contents[i] == std::byte{0}) return true;
  return reject_reg(Rule::wrong_argument, at, "string is not zero-terminated");
}

/// The format of bpf_snprintf, against how many values it gets.
bool Checker::check_formatting(unsigned format_reg, unsigned data_reg) {
  const Reg& reg = regs()[format_reg];
  const Reg& size = regs()[data_reg + 1];
  if (reg.type != RegType::map_value || !size.value.is_const()) return true;
  if (size.value.bits.value % 8 != 0 || size.value.bits.value > 12 * 8) return reject(Rule::wrong_argument, "Invalid format string");
  const object::MapSpec& map = *maps_[reg.map].spec;
  const auto off = static_cast<std::size_t>(std::int64_t{reg.off} + static_cast<std::int64_t>(reg.value.bits.value));
  std::uint64_t values = 0;
  bool fine = true;
  const auto byte = [&](std::size_t i) { return off + i < map.contents.size() ? static_cast<char>(map.contents[off + i]) : '\0'; };
  for (std::size_t i = 0; byte(i) != '\0' && fine; ++i) {
    const char c = byte(i);
    if (static_cast<unsigned char>(c) >= 0x80 || (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r')) fine = false;
    if (c != '%') continue;
    if (byte(i + 1) == '%') {
      ++i;
      continue;
    }
    ++i;
    while (std::strchr("0+- ", byte(i)) != nullptr && byte(i) != '\0') ++i;
    while (byte(i) >= '0' && byte(i) <= '9') ++i;
    ++values;
    if (byte(i) == 'p') {
      const char next = byte(i + 1);
      if (next == 'k' || next == 'u') fine = byte(i + 2) == 's', i += 2;
      else if (next == 'i' || next == 'I') i += 2;
      else if (next == 's' || next == 'S' || next == 'x' || next == 'K' || next == 'B') ++i;
      continue;
    }
    if (byte(i) == 's') continue;
    if (byte(i) == 'c') continue;
    if (byte(i) == 'l') ++i;
    if (byte(i) == 'l') ++i;
    if (std::strchr("iduxX", byte(i)) == nullptr || byte(i) == '\0') fine = false;
  }
  if (!fine || values != size.value.bits.value / 8) return reject(Rule::wrong_argument, "Invalid format string");
  return true;
}

}  // namespace espy::verifier
