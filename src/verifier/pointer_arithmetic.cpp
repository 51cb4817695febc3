// Pointers plus and minus numbers. A constant goes into the fixed offset; anything else into the variable one, whose bounds are
// kept as a number's are. Offsets stay far from where addresses would wrap: below 2^29 either way.
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using isa::Operation;
constexpr std::int64_t kMaxOffset = std::int64_t{1} << 29;

std::string_view word_of(Operation op) {
  switch (op) {
    case Operation::and_: return "&=";
    case Operation::or_: return "|=";
    case Operation::xor_: return "^=";
    case Operation::mul: return "*=";
    case Operation::div: return "/=";
    case Operation::mod: return "%=";
    case Operation::lsh: return "<<=";
    case Operation::rsh: return ">>=";
    case Operation::arsh: return "s>>=";
    default: return "=";
  }
}

/// Which pointers may be moved by numbers.
bool movable(const Reg& pointer, bool constant, bool zero_added) {
  switch (pointer.type) {
    case RegType::ctx:
    case RegType::map_value:
    case RegType::map_key:
    case RegType::stack:
    case RegType::packet_meta:
    case RegType::packet:
    case RegType::tp_buffer:
    case RegType::btf:
    case RegType::mem:
    case RegType::buffer:
    case RegType::func:
    case RegType::dynptr: return true;
    case RegType::flow_keys: return constant;
    case RegType::map_ptr: return zero_added;
    default: return false;
  }
}

}  // namespace

bool Checker::sane_offset(const Reg& pointer, RegType type, const Reg& number) {
  const Scalar& value = number.value;
  const auto known = static_cast<std::int64_t>(value.bits.value);
  const std::string name = type_name(type, pointer.flags);
  if (value.is_const() && (known >= kMaxOffset || known <= -kMaxOffset))
    return reject(Rule::unbounded_offset, "math between {} pointer and {} is not allowed", name, known);
  if (number.is_pointer() && (number.off >= kMaxOffset || number.off <= -kMaxOffset))
    return reject(Rule::unbounded_offset, "{} pointer offset {} is not allowed", name, number.off);
  if (value.smin == std::numeric_limits<std::int64_t>::min())
    return reject(Rule::unbounded_offset, "math between {} pointer and register with unbounded min value is not allowed", name);
  if (value.smin >= kMaxOffset || value.smin <= -kMaxOffset)
    return reject(Rule::unbounded_offset, "value {} makes {} pointer be out of bounds", value.smin, name);
  return true;
}

bool Checker::pointer_arithmetic(const Insn& insn, const Reg& pointer, const Reg& number) {
  const unsigned dst_number = insn.dst;
  Reg& dst = regs()[dst_number];
  const Scalar& amount = number.value;
  const bool constant = amount.is_const();
  const std::int64_t known = amount.smin;
  if (amount.is_empty() || (constant && (amount.smin != amount.smax || amount.umin != amount.umax))) {   // it cannot be
    set_unknown(dst);
    return true;
  }
  if (insn.bits == 32) {
    if (insn.op == Operation::sub && leaks_allowed_) {
      set_unknown(dst);
      return true;
    }
    return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} 32-bit pointer arithmetic prohibited", dst_number);
  }
  if (pointer.maybe_null())
    return reject_reg(Rule::missing_null_check, insn.dst, "R{} pointer arithmetic on {} prohibited, null-check it first", dst_number, type_name(pointer));
  if (pointer.type == RegType::mem && pointer.has(kUntrusted)) {
    dst = pointer;
    return true;
  }
  if (!movable(pointer, constant, constant && known == 0 && insn.op == Operation::add))
    return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} pointer arithmetic on {} prohibited", dst_number, type_name(pointer));
  if (!sane_offset(pointer, pointer.type, number) || !sane_offset(pointer, pointer.type, pointer)) return false;

  Reg result = pointer;
  result.precise = false;
  switch (insn.op) {
    case Operation::add: {
      const std::int64_t moved = std::int64_t{pointer.off} + known;
      if (constant && moved == static_cast<std::int32_t>(moved)) {
        result.off = static_cast<std::int32_t>(moved);
        break;
      }
      Scalar offset = pointer.value;
      apply(Arithmetic::add, offset, amount, false, how_);
      result.value = offset;
      if (pointer.is_packet()) {
        result.id = new_id();   // another variable offset, of which nothing has been checked
        result.range = 0;
      }
      break;
    }
    case Operation::sub: {
      if (!regs()[insn.dst].is_pointer())
        return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} tried to subtract pointer from scalar", dst_number);
      if (pointer.type == RegType::stack)
        return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} subtraction from stack pointer prohibited", dst_number);
      const std::int64_t moved = std::int64_t{pointer.off} - known;
      if (constant && moved == static_cast<std::int32_t>(moved)) {
        result.off = static_cast<std::int32_t>(moved);
        break;
      }
      Scalar offset = pointer.value;
      apply(Arithmetic::sub, offset, amount, false, how_);
      result.value = offset;
      if (pointer.is_packet()) {
        result.id = new_id();
        if (known < 0) result.range = 0;   // may have moved forward
      }
      break;
    }
    case Operation::and_:
    case Operation::or_:
    case Operation::xor_:
      return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} bitwise operator {} on pointer prohibited", dst_number, word_of(insn.op));
    default:
      return reject_reg(Rule::pointer_arithmetic, insn.dst, "R{} pointer arithmetic with {} operator prohibited", dst_number, word_of(insn.op));
  }
  if (!sane_offset(result, pointer.type, result)) return false;
  dst = result;
  return privileged() || check_unprivileged_pointer(dst_number, dst);
}

/// Without privileges a pointer may not even point outside, because processors look ahead.
bool Checker::check_unprivileged_pointer(unsigned number, const Reg& pointer) {
  if (pointer.type == RegType::stack) {
    if (!pointer.value.is_const())
      return reject_reg(Rule::privileges, static_cast<int>(number), "R{} variable stack access prohibited for !root, var_off=({:#x}; {:#x}) off={}", number,
                        pointer.value.bits.value, pointer.value.bits.mask, pointer.off);
    const std::int64_t off = pointer.off + static_cast<std::int64_t>(pointer.value.bits.value);
    if (off >= 0 || off < -isa::kStackBytes)
      return reject_reg(Rule::privileges, static_cast<int>(number), "R{} stack pointer arithmetic goes out of range, prohibited for !root; off={}", number, off);
  }
  if (pointer.type == RegType::map_value) {
    const std::int64_t size = maps_[pointer.map].spec->value_size;
    const std::int64_t least = pointer.off + pointer.value.smin, most = pointer.off + static_cast<std::int64_t>(pointer.value.umax);
    if (least < 0 || most >= size || pointer.value.umax >= static_cast<std::uint64_t>(kMaxOffset))
      return reject_reg(Rule::privileges, static_cast<int>(number), "R{} pointer arithmetic of map value goes out of range, prohibited for !root", number);
  }
  return true;
}

}  // namespace espy::verifier
