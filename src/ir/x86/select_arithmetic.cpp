// Arithmetic. Divisions by constants become multiplications (Granlund and Montgomery, 1994): a 32-bit number by the high half
// of its product with ceil(2^64 / c), which is exact as the error, less than c in 2^64, stays below 2^64 when multiplied; a
// 64-bit one with a shift that depends on the constant, in the worst case with one bit more than fits, which is added apart.
#include <array>
#include <bit>

#include "ir/evaluate.hpp"
#include "ir/x86/select.hpp"

namespace espy::ir::x86 {
namespace {

__extension__ using Wide = unsigned __int128;

struct Row {
  Op from;
  MOp to;
  bool commutes;
};
constexpr std::array kRows = std::to_array<Row>({
    {Op::add, MOp::add, true}, {Op::ptr_add, MOp::add, true}, {Op::sub, MOp::sub, false}, {Op::mul, MOp::imul, true},
    {Op::and_, MOp::and_, true}, {Op::or_, MOp::or_, true}, {Op::xor_, MOp::xor_, true},
});

constexpr std::array kConditions = {Cond::e, Cond::ne, Cond::b, Cond::be, Cond::a, Cond::ae, Cond::l, Cond::le, Cond::g, Cond::ge};

}  // namespace

void Selector::binary(ValueId id, const Inst& inst) { binary_into(target(id), inst); }

void Selector::binary_into(Reg dst, const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  const unsigned size = bytes_of(inst.type);
  switch (inst.op) {
    case Op::udiv: case Op::sdiv: case Op::urem: case Op::srem: return divide(dst, inst);
    case Op::shl: return shift(dst, inst, MOp::shl);
    case Op::lshr: return shift(dst, inst, MOp::shr);
    case Op::ashr: return shift(dst, inst, MOp::sar);
    case Op::add:
    case Op::ptr_add: return sum(dst, inst);
    case Op::and_:
      if (constant(in[1]) != nullptr) return mask(dst, inst);
      break;
    case Op::or_:
      if (rotate(dst, inst)) return;
      break;
    default: break;
  }
  for (const Row& row : kRows) {
    if (row.from != inst.op) continue;
    Source b = source(in[1], size);
    put({.op = row.to, .size = static_cast<std::uint8_t>(size), .late = !row.commutes, .dst = dst, .a = use(in[0]), .b = b.reg, .imm = b.imm});
  }
}

/// Additions whose second operand is scaled are addresses.
void Selector::sum(Reg dst, const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  const auto size = static_cast<std::uint8_t>(bytes_of(inst.type));
  const bool scaled = size == 8 && (plan_.sunk_shift(plan_.root(in[0])) || plan_.sunk_shift(plan_.root(in[1])));
  if (scaled || (f_[plan_.root(in[0])].is(Op::stack_addr) && constant(in[1]) == nullptr)) {
    Parts parts;
    add_part(parts, in[0]);
    add_part(parts, in[1]);
    return put_at({.op = MOp::lea, .dst = dst}, parts);
  }
  Source b = source(in[1], size);
  put({.op = MOp::add, .size = size, .dst = dst, .a = use(in[0]), .b = b.reg, .imm = b.imm});
}

void Selector::shift(Reg dst, const Inst& inst, MOp op) {
  std::span<const ValueId> in = f_.operands(inst);
  const auto size = static_cast<std::uint8_t>(bytes_of(inst.type));
  if (const std::int64_t* by = constant(in[1])) {
    put({.op = op, .size = size, .dst = dst, .a = use(in[0]), .imm = *by & (size * 8 - 1)});
    return;
  }
  Reg a = use(in[0]), by = use(in[1]);
  if (options_.features.bmi2) {
    put({.op = op, .size = size, .dst = dst, .a = a, .b = by});
    return;
  }
  put({.op = MOp::mov, .dst = kRcx, .a = by});
  put({.op = op, .size = size, .late = true, .dst = dst, .a = a, .b = kRcx});
}

/// And with a constant: the masks that are extensions, and those that fit an immediate without sign.
void Selector::mask(Reg dst, const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  auto size = static_cast<std::uint8_t>(bytes_of(inst.type));
  const std::uint64_t bits = truncate(static_cast<std::uint64_t>(*constant(in[1])), inst.type.bits());
  Reg a = use(in[0]);
  if (bits == 0xff || bits == 0xffff || bits == 0xffffffff) {
    const auto from = static_cast<std::uint8_t>(bits == 0xff ? 1 : bits == 0xffff ? 2 : 4);
    put({.op = MOp::zext, .size = 4, .from = from, .dst = dst, .a = a});
    return;
  }
  if (bits <= 0xffffffff) size = 4;   // it clears the upper half
  Source b = size == 4 ? Source{.imm = static_cast<std::int32_t>(bits)} : source(in[1], 8);
  put({.op = MOp::and_, .size = size, .dst = dst, .a = a, .b = b.reg, .imm = b.imm});
}

/// x << c | x >> (width - c).
bool Selector::rotate(Reg dst, const Inst& inst) {
  if (!inst.type.is_int()) return false;
  const Inst* left = &f_[plan_.root(f_.operands(inst)[0])];
  const Inst* right = &f_[plan_.root(f_.operands(inst)[1])];
  if (left->is(Op::lshr)) std::swap(left, right);
  if (!left->is(Op::shl) || !right->is(Op::lshr) || left->type != inst.type || right->type != inst.type) return false;
  ValueId x = f_.operands(*left)[0];
  const std::int64_t* l = constant(f_.operands(*left)[1]);
  const std::int64_t* r = constant(f_.operands(*right)[1]);
  if (plan_.root(x) != plan_.root(f_.operands(*right)[0]) || l == nullptr || r == nullptr) return false;
  if (*l <= 0 || *r <= 0 || *l + *r != static_cast<std::int64_t>(inst.type.bits())) return false;
  put({.op = MOp::rol, .size = static_cast<std::uint8_t>(bytes_of(inst.type)), .dst = dst, .a = use(x), .imm = *l});
  return true;
}

void Selector::divide(Reg dst, const Inst& inst) {
  if (divide_by_constant(dst, inst)) return;
  std::span<const ValueId> in = f_.operands(inst);
  const bool is_signed = inst.is(Op::sdiv) || inst.is(Op::srem), remainder = inst.is(Op::urem) || inst.is(Op::srem);
  auto size = static_cast<std::uint8_t>(bytes_of(inst.type));
  const std::int64_t* by = constant(in[1]);
  std::uint8_t checks = remainder ? kWantsRemainder : 0;
  const std::int64_t divisor = by == nullptr ? 0 : sign_extend(static_cast<std::uint64_t>(*by), inst.type.bits());
  if (divisor == 0) checks |= kMayBeZero;
  if (is_signed && (by == nullptr || divisor == -1)) checks |= kMayBeMinusOne;
  Reg a = use(in[0]), b = use(in[1]);
  put({.op = MOp::mov, .dst = kRax, .a = a});
  if (is_signed) put({.op = MOp::sign_rdx, .size = size, .reads = mask_of(kRax), .writes = mask_of(kRdx)});
  else put({.op = MOp::mov_imm, .dst = kRdx, .imm = 0});
  put({.op = is_signed ? MOp::idiv : MOp::div, .size = size, .checks = checks, .late = true, .a = b, .reads = mask_of(kRax, kRdx), .writes = mask_of(kRax, kRdx)});
  put({.op = MOp::mov, .dst = dst, .a = remainder ? kRdx : kRax});
}

bool Selector::divide_by_constant(Reg dst, const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  const std::int64_t* by = constant(in[1]);
  if (by == nullptr || inst.is(Op::sdiv) || inst.is(Op::srem)) return false;
  const auto size = static_cast<std::uint8_t>(bytes_of(inst.type));
  const std::uint64_t c = truncate(static_cast<std::uint64_t>(*by), inst.type.bits());
  if (c < 3 || std::has_single_bit(c)) return false;
  Reg x = use(in[0]), quotient = fresh();
  auto high = [&](Reg number, std::uint64_t factor) {
    Reg product = fresh(), constant = fresh();
    put({.op = MOp::mov_imm, .dst = constant, .imm = static_cast<std::int64_t>(factor)});
    put({.op = MOp::mov, .dst = kRax, .a = number});
    put({.op = MOp::mul_high, .late = true, .a = constant, .reads = mask_of(kRax), .writes = mask_of(kRax, kRdx)});
    put({.op = MOp::mov, .dst = product, .a = kRdx});
    return product;
  };
  auto shifted = [&](Reg into, Reg number, std::int64_t count) { put({.op = MOp::shr, .dst = into, .a = number, .imm = count}); };
  if (size == 4) {
    Reg wide = fresh();
    put({.op = MOp::zext, .size = 4, .from = 4, .dst = wide, .a = x});
    put({.op = MOp::mov, .dst = quotient, .a = high(wide, ~std::uint64_t{0} / c + 1)});
  } else {
    const auto bits = static_cast<unsigned>(std::bit_width(c - 1));   // 2^bits is the power of two above c
    const Wide power = Wide{1} << (63 + bits), factor = power / c + 1;
    if (factor >> 64 == 0 && factor * c - power <= Wide{1} << (bits - 1)) {
      shifted(quotient, high(x, static_cast<std::uint64_t>(factor)), bits - 1);
    } else {
      const auto low = static_cast<std::uint64_t>((((Wide{1} << bits) - c) << 64) / c + 1);
      Reg top = high(x, low), rest = fresh(), half = fresh(), all = fresh();
      put({.op = MOp::sub, .late = true, .dst = rest, .a = x, .b = top});
      shifted(half, rest, 1);
      put({.op = MOp::add, .dst = all, .a = half, .b = top});
      shifted(quotient, all, bits - 1);
    }
  }
  if (inst.is(Op::udiv)) {
    put({.op = MOp::mov, .dst = dst, .a = quotient});
    return true;
  }
  Reg whole = fresh();
  Source factor = source(in[1], size);
  put({.op = MOp::imul, .size = size, .dst = whole, .a = quotient, .b = factor.reg, .imm = factor.imm});
  put({.op = MOp::sub, .size = size, .late = true, .dst = dst, .a = x, .b = whole});
  return true;
}

void Selector::unary(ValueId id, const Inst& inst) {
  ValueId a = f_.operands(inst)[0];
  if (plan_.root(id) != id) return;   // the load has swapped its bytes
  const auto size = static_cast<std::uint8_t>(bytes_of(inst.type));
  switch (inst.op) {
    case Op::neg: put({.op = MOp::neg, .size = size, .dst = target(id), .a = use(a)}); return;
    case Op::not_:
      if (inst.type == kI1) put({.op = MOp::xor_, .size = 4, .dst = target(id), .a = use(a), .imm = 1});
      else put({.op = MOp::not_, .size = size, .dst = target(id), .a = use(a)});
      return;
    case Op::bswap: put({.op = MOp::bswap, .size = static_cast<std::uint8_t>(inst.width / 8), .dst = target(id), .a = use(a)}); return;
    case Op::zext: put({.op = MOp::zext, .size = 4, .from = static_cast<std::uint8_t>(inst.width / 8), .dst = target(id), .a = use(a)}); return;
    case Op::sext:
      if (inst.width == 1) put({.op = MOp::neg, .size = size, .dst = target(id), .a = use(a)});
      else put({.op = MOp::sext, .size = size, .from = static_cast<std::uint8_t>(inst.width / 8), .dst = target(id), .a = use(a)});
      return;
    default: return;
  }
}

/// Sets the flags by which a truth value is told.
Cond Selector::condition(ValueId id) {
  id = plan_.root(id);
  const Inst& inst = f_[id];
  if (!inst.compare()) {
    Reg truth = use(id);
    put({.op = MOp::test, .size = 4, .a = truth, .b = truth});
    return Cond::ne;
  }
  ValueId a = f_.operands(inst)[0], b = f_.operands(inst)[1];
  Op op = inst.op;
  if (constant(a) != nullptr && constant(b) == nullptr) {
    std::swap(a, b);
    op = swapped(op);
  }
  const auto size = static_cast<std::uint8_t>(bytes_of(f_.type_of(a)));
  const Cond cond = kConditions[std::to_underlying(op) - std::to_underlying(Op::eq)];
  const bool zero = constant(b) != nullptr && *constant(b) == 0;
  if (zero && plan_.sunk_test(plan_.root(a)) && (op == Op::eq || op == Op::ne)) {
    const Inst& both = f_[plan_.root(a)];
    Source second = source(f_.operands(both)[1], bytes_of(both.type));
    put({.op = MOp::test, .size = static_cast<std::uint8_t>(bytes_of(both.type)), .a = use(f_.operands(both)[0]), .b = second.reg, .imm = second.imm});
    return cond;
  }
  Source second = source(b, size);
  Reg first = use(a);
  if (zero) put({.op = MOp::test, .size = size, .a = first, .b = first});
  else put({.op = MOp::cmp, .size = size, .a = first, .b = second.reg, .imm = second.imm});
  return cond;
}

void Selector::select(ValueId id, const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  Reg yes = use(in[1]), no = use(in[2]);   // before the flags are set
  Cond cond = condition(in[0]);
  put({.op = MOp::cmov, .size = static_cast<std::uint8_t>(bytes_of(inst.type)), .cond = cond, .late = true, .dst = target(id), .a = no, .b = yes});
}

}  // namespace espy::ir::x86
