// What pure operations compute: the one definition that constant folding and the interpreter share.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/ir.hpp"

namespace espy::ir {

/// The low bits of a number that a type holds; pointers and i64: all.
constexpr std::uint64_t truncate(std::uint64_t value, unsigned bits) {
  return bits >= 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}
/// The low `bits` (1 to 64) sign-extended to 64.
constexpr std::int64_t sign_extend(std::uint64_t value, unsigned bits) {
  if (bits >= 64) return static_cast<std::int64_t>(value);
  std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return static_cast<std::int64_t>((truncate(value, bits) ^ sign) - sign);
}

/// An operation of two numbers of `bits` (1, 32, 64), both truncated to them; so is the result. A comparison gives 0 or 1.
std::uint64_t evaluate(Op op, unsigned bits, std::uint64_t a, std::uint64_t b);

/// neg, not, bswap, zext, sext, trunc of an operand of `from` bits.
std::uint64_t evaluate(const Inst& inst, unsigned from, std::uint64_t a);

}  // namespace espy::ir
