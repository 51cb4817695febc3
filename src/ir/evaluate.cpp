#include "ir/evaluate.hpp"

namespace espy::ir {
namespace {

/// The least number divided by -1 overflows in C; eBPF wraps.
std::uint64_t signed_divide(unsigned bits, std::uint64_t a, std::uint64_t b) {
  std::int64_t x = sign_extend(a, bits), y = sign_extend(b, bits);
  return y == -1 ? 0 - a : static_cast<std::uint64_t>(x / y);
}

std::uint64_t signed_remainder(unsigned bits, std::uint64_t a, std::uint64_t b) {
  std::int64_t x = sign_extend(a, bits), y = sign_extend(b, bits);
  return y == -1 ? 0 : static_cast<std::uint64_t>(x % y);
}

std::uint64_t binary(Op op, unsigned bits, std::uint64_t a, std::uint64_t b) {
  switch (op) {
    case Op::add: return a + b;
    case Op::sub: return a - b;
    case Op::mul: return a * b;
    case Op::udiv: return b == 0 ? 0 : a / b;
    case Op::sdiv: return b == 0 ? 0 : signed_divide(bits, a, b);
    case Op::urem: return b == 0 ? a : a % b;
    case Op::srem: return b == 0 ? a : signed_remainder(bits, a, b);
    case Op::and_: return a & b;
    case Op::or_: return a | b;
    case Op::xor_: return a ^ b;
    case Op::shl: return a << (b & (bits - 1));
    case Op::lshr: return a >> (b & (bits - 1));
    case Op::ashr: return static_cast<std::uint64_t>(sign_extend(a, bits) >> (b & (bits - 1)));
    default: return 0;
  }
}

bool compare(Op op, unsigned bits, std::uint64_t a, std::uint64_t b) {
  std::int64_t x = sign_extend(a, bits), y = sign_extend(b, bits);
  switch (op) {
    case Op::eq: return a == b;
    case Op::ne: return a != b;
    case Op::ult: return a < b;
    case Op::ule: return a <= b;
    case Op::ugt: return a > b;
    case Op::uge: return a >= b;
    case Op::slt: return x < y;
    case Op::sle: return x <= y;
    case Op::sgt: return x > y;
    case Op::sge: return x >= y;
    default: return false;
  }
}

}  // namespace

std::uint64_t evaluate(Op op, unsigned bits, std::uint64_t a, std::uint64_t b) {
  if (has(op, kCompare)) return compare(op, bits, a, b) ? 1 : 0;
  return truncate(binary(op, bits, a, b), bits);
}

std::uint64_t evaluate(const Inst& inst, unsigned from, std::uint64_t a) {
  unsigned to = inst.type.bits();
  switch (inst.op) {
    case Op::neg: return truncate(0 - a, to);
    case Op::not_: return truncate(~a, to);
    case Op::bswap: return __builtin_bswap64(a) >> (64 - inst.width);
    case Op::zext: return truncate(a, inst.width);
    case Op::sext: return truncate(static_cast<std::uint64_t>(sign_extend(a, inst.width)), to);
    case Op::trunc: return truncate(a, 32);
    default: return truncate(a, from);
  }
}

}  // namespace espy::ir
