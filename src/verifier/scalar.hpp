// Scalar: what is known of a number in a register: its bits (a Tnum) and its bounds in four readings, as unsigned and signed
// 64-bit number and as unsigned and signed number in the low 32 bits.
//
// The five describe one set: each is an over-approximation, the value meant is in all of them. `sync` lets each learn from the
// others. Operations (scalar_arithmetic.cpp) and refinement by comparisons (scalar_compare.cpp) state for each reading why
// the result contains every possible outcome.
#pragma once

#include <cstdint>
#include <limits>

#include "verifier/tnum.hpp"

namespace espy::verifier {

inline constexpr auto kS64Min = std::numeric_limits<std::int64_t>::min();
inline constexpr auto kS64Max = std::numeric_limits<std::int64_t>::max();
inline constexpr auto kS32Min = std::numeric_limits<std::int32_t>::min();
inline constexpr auto kS32Max = std::numeric_limits<std::int32_t>::max();

/// What newer kernels derive and older ones do not. A profile sets it once (Profile::deduction()).
struct Deduction {
  bool across_widths = true;      ///< 64- and 32-bit bounds narrow each other (6.8)
  bool across_sign = true;        ///< unsigned bounds narrow signed ones that cross zero (6.17)
  bool wrapping_add = true;       ///< an addition whose both ends overflow keeps its bounds (6.17)
  bool signed_mul = true;         ///< products of signed bounds (6.14)
  bool joined_mul = true;         ///< Tnum multiplication by joins (6.18)
  bool negation = true;           ///< bounds of a negated number (6.17)
  bool refine_not_equal = true;   ///< `!=` cuts a bound's end off (6.8)
  bool two_registers = true;      ///< comparisons of two registers refine both, whatever they hold (6.8)
  bool tnum_overlap = true;       ///< equality is decided by bits that differ (6.17)
  bool extend_sign_by_shift = true;  ///< `<< 32, s>> 32` keeps a negative lower bound too (6.12)
  bool equal_by_range = true;     ///< equality is decided by ranges that are apart (6.4)
  bool shared_value = true;       ///< where bits and unsigned range have one value in common, it is that (6.18, late)
};

struct Scalar {
  Tnum bits = {};
  std::int64_t smin = std::numeric_limits<std::int64_t>::min(), smax = std::numeric_limits<std::int64_t>::max();
  std::uint64_t umin = 0, umax = ~std::uint64_t{0};
  std::int32_t s32min = std::numeric_limits<std::int32_t>::min(), s32max = std::numeric_limits<std::int32_t>::max();
  std::uint32_t u32min = 0, u32max = ~std::uint32_t{0};

  static constexpr Scalar unknown() { return {}; }
  static constexpr Scalar constant(std::uint64_t number) {
    const auto low = static_cast<std::uint32_t>(number);
    return {Tnum::constant(number), static_cast<std::int64_t>(number), static_cast<std::int64_t>(number), number, number,
            static_cast<std::int32_t>(low), static_cast<std::int32_t>(low), low, low};
  }

  constexpr bool is_const() const { return bits.is_const(); }
  constexpr bool is_const32() const { return bits.low32().is_const(); }
  constexpr bool is_zero() const { return bits.mask == 0 && bits.value == 0; }
  /// Can no number be in all readings? A branch that leads here is dead.
  constexpr bool is_empty() const { return umin > umax || smin > smax || u32min > u32max || s32min > s32max; }
  constexpr bool fits_unsigned(unsigned width) const { return width >= 64 || umax >> width == 0; }
  constexpr bool contains(std::uint64_t n) const {
    const auto s = static_cast<std::int64_t>(n);
    const auto u32 = static_cast<std::uint32_t>(n);
    const auto s32 = static_cast<std::int32_t>(n);
    return bits.contains(n) && n >= umin && n <= umax && s >= smin && s <= smax && u32 >= u32min && u32 <= u32max &&
           s32 >= s32min && s32 <= s32max;
  }

  void forget_bounds();     ///< bounds unknown, bits as they are
  void forget_bounds64();
  void forget_bounds32();

  friend bool operator==(const Scalar&, const Scalar&) = default;
};
static_assert(sizeof(Scalar) == 64);

/// Is every value of `inner` one of `outer`, as states are compared for pruning?
bool within(const Scalar& outer, const Scalar& inner);

/// Each reading learns from the others. `scalar` may be empty afterwards; it is what it was, or smaller.
void sync(Scalar& scalar, const Deduction& how);
/// Bounds learn from the bits, nothing else.
void bounds_from_bits(Scalar& scalar);
/// What contradictions make of a number that is nevertheless there: nothing is known of it.
void repair(Scalar& scalar);

// ---- operations: dst = dst OP src ----

enum class Arithmetic : std::uint8_t { add, sub, mul, and_, or_, xor_, lsh, rsh, arsh, neg, other };

/// 64-bit arithmetic, or (`narrow`) 32-bit whose result is zero-extended. `other` (division, …) leaves the result unknown.
/// Shifts by anything but a constant within the width do as well.
void apply(Arithmetic operation, Scalar& dst, const Scalar& src, bool narrow, const Deduction& how);

void zero_extend32(Scalar& scalar, const Deduction& how);
/// Keeps the low `bytes` (1, 2, 4), zero-extended: what a load of that size leaves.
void truncate(Scalar& scalar, unsigned bytes, const Deduction& how);
/// Sign-extends the low `bytes` (1, 2, 4) to 64 bits.
void sign_extend(Scalar& scalar, unsigned bytes, const Deduction& how);
/// Sign-extends the low `bytes` (1, 2) to 32 bits, and zero-extends that.
void sign_extend32(Scalar& scalar, unsigned bytes, const Deduction& how);

// ---- comparisons ----

enum class Compare : std::uint8_t { eq, ne, gt, ge, lt, le, sgt, sge, slt, sle, set, not_set };
Compare negated(Compare compare);
Compare mirrored(Compare compare);   ///< `a OP b` is `b mirrored(OP) a`

enum class Decision : std::uint8_t { never, always, unknown };
/// Does `left OP right` hold?
Decision decide(Compare compare, const Scalar& left, const Scalar& right, bool narrow, const Deduction& how);
/// Narrows both to where `left OP right` holds. Either may be empty afterwards: then it never does.
void refine(Compare compare, Scalar& left, Scalar& right, bool narrow, const Deduction& how);

}  // namespace espy::verifier
