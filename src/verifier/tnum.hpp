// Tnum: what is known of the single bits of a 64-bit number ("tracked number", the kernel's tnum).
//
// A bit of `mask` that is set is unknown; where it is clear, the bit is as `value` has it. So `value & mask == 0` always, and
// the numbers meant are those n with `n & ~mask == value`. Every operation returns a Tnum that contains all results of the
// operation on members of its operands; add, sub and the bitwise operations are the best such Tnum, mul is not.
// See Vishwanathan et al., "Sound, precise, and fast abstract interpretation with tristate numbers", CGO 2022.
#pragma once

#include <bit>
#include <cstdint>

namespace espy::verifier {

struct Tnum {
  std::uint64_t value = 0, mask = ~std::uint64_t{0};

  static constexpr Tnum constant(std::uint64_t number) { return {number, 0}; }
  static constexpr Tnum unknown() { return {}; }
  /// The smallest Tnum that contains min … max (unsigned, min <= max).
  static constexpr Tnum range(std::uint64_t min, std::uint64_t max) {
    const int width = std::bit_width(min ^ max);
    if (width > 63) return unknown();
    const std::uint64_t delta = (std::uint64_t{1} << width) - 1;
    return {min & ~delta, delta};
  }

  constexpr bool is_const() const { return mask == 0; }
  constexpr bool is_unknown() const { return value == 0 && ~mask == 0; }
  constexpr bool contains(std::uint64_t number) const { return (number & ~mask) == value; }
  /// Is every member of `other` one of this?
  constexpr bool contains(Tnum other) const { return (other.mask & ~mask) == 0 && (other.value & ~mask) == value; }
  /// Have both a common member?
  constexpr bool overlaps(Tnum other) const { return ((value ^ other.value) & ~(mask | other.mask)) == 0; }
  constexpr bool aligned_to(std::uint64_t size) const { return size == 0 || ((value | mask) & (size - 1)) == 0; }

  /// The low `bytes` bytes, the rest zero.
  constexpr Tnum low_bytes(unsigned bytes) const {
    if (bytes >= 8) return *this;
    const std::uint64_t keep = (std::uint64_t{1} << (bytes * 8)) - 1;
    return {value & keep, mask & keep};
  }
  constexpr Tnum low32() const { return low_bytes(4); }
  constexpr Tnum without_low32() const { return {value & ~std::uint64_t{0xffffffff}, mask & ~std::uint64_t{0xffffffff}}; }
  constexpr Tnum with_low32(Tnum low) const {
    const Tnum high = without_low32(), cut = low.low32();
    return {high.value | cut.value, high.mask | cut.mask};
  }

  friend constexpr bool operator==(Tnum, Tnum) = default;
};

constexpr Tnum shift_left(Tnum a, unsigned by) { return {a.value << by, a.mask << by}; }
constexpr Tnum shift_right(Tnum a, unsigned by) { return {a.value >> by, a.mask >> by}; }
/// Arithmetic shift of the low `bits` (32 or 64); an unknown sign bit spreads as unknown bits.
constexpr Tnum shift_right_signed(Tnum a, unsigned by, unsigned bits) {
  if (bits == 32)
    return {static_cast<std::uint32_t>(static_cast<std::int32_t>(a.value) >> by),
            static_cast<std::uint32_t>(static_cast<std::int32_t>(a.mask) >> by)};
  return {static_cast<std::uint64_t>(static_cast<std::int64_t>(a.value) >> by),
          static_cast<std::uint64_t>(static_cast<std::int64_t>(a.mask) >> by)};
}

constexpr Tnum add(Tnum a, Tnum b) {
  const std::uint64_t masks = a.mask + b.mask, values = a.value + b.value;
  const std::uint64_t carries = (masks + values) ^ values;   // where a carry may or may not arrive
  const std::uint64_t mask = carries | a.mask | b.mask;
  return {values & ~mask, mask};
}
constexpr Tnum sub(Tnum a, Tnum b) {
  const std::uint64_t difference = a.value - b.value;
  const std::uint64_t borrows = (difference + a.mask) ^ (difference - b.mask);
  const std::uint64_t mask = borrows | a.mask | b.mask;
  return {difference & ~mask, mask};
}
constexpr Tnum bit_and(Tnum a, Tnum b) {
  const std::uint64_t value = a.value & b.value;
  return {value, (a.value | a.mask) & (b.value | b.mask) & ~value};
}
constexpr Tnum bit_or(Tnum a, Tnum b) {
  const std::uint64_t value = a.value | b.value;
  return {value, (a.mask | b.mask) & ~value};
}
constexpr Tnum bit_xor(Tnum a, Tnum b) {
  const std::uint64_t mask = a.mask | b.mask;
  return {(a.value ^ b.value) & ~mask, mask};
}
/// The members of both; the operands must overlap for the result to mean anything.
constexpr Tnum intersect(Tnum a, Tnum b) {
  const std::uint64_t mask = a.mask & b.mask;
  return {(a.value | b.value) & ~mask, mask};
}
/// The smallest Tnum that contains both.
constexpr Tnum join(Tnum a, Tnum b) {
  const std::uint64_t mask = (a.value ^ b.value) | a.mask | b.mask;
  return {a.value & b.value & ~mask, mask};
}

/// Long multiplication. `joined` (6.18 and later) takes, at an unknown bit of `a`, the smallest Tnum of both ways; before,
/// kernels added the known and the unknown parts up apart.
constexpr Tnum mul(Tnum a, Tnum b, bool joined) {
  if (joined) {
    Tnum sum = Tnum::constant(0);
    while (a.value != 0 || a.mask != 0) {
      if ((a.value & 1) != 0) sum = add(sum, b);
      else if ((a.mask & 1) != 0) sum = join(sum, add(sum, b));
      a = shift_right(a, 1);
      b = shift_left(b, 1);
    }
    return sum;
  }
  const std::uint64_t known = a.value * b.value;
  Tnum unknown = Tnum::constant(0);
  while (a.value != 0 || a.mask != 0) {
    if ((a.value & 1) != 0) unknown = add(unknown, {0, b.mask});
    else if ((a.mask & 1) != 0) unknown = add(unknown, {0, b.value | b.mask});
    a = shift_right(a, 1);
    b = shift_left(b, 1);
  }
  return add(Tnum::constant(known), unknown);
}

}  // namespace espy::verifier
