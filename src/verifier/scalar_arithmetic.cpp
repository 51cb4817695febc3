// Arithmetic on Scalars. Each operation computes bits and bounds apart, each from what it can argue about alone; `sync` then
// lets them narrow each other. 32-bit operations touch the low half only; the caller zero-extends.
#include <algorithm>
#include <cstdint>

#include "verifier/scalar.hpp"

namespace espy::verifier {
namespace {

template <typename T>
struct Range {
  T& min;
  T& max;
  void set(T low, T high) { min = low, max = high; }
  void forget() { set(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()); }
};

/// Sums are monotone; if one end overflows the range wraps and is lost. If both ends of an unsigned sum do, all sums do, by
/// the same 2^n, and their order stays.
template <typename T>
void add_range(Range<T> dst, T src_min, T src_max, bool both_may_wrap) {
  T low{}, high{};
  const bool low_over = __builtin_add_overflow(dst.min, src_min, &low), high_over = __builtin_add_overflow(dst.max, src_max, &high);
  if (both_may_wrap ? low_over != high_over : low_over || high_over) return dst.forget();
  dst.set(low, high);
}

/// Differences: least minus most, most minus least; wrapping as for sums.
template <typename T>
void sub_range(Range<T> dst, T src_min, T src_max, bool both_may_wrap) {
  T low{}, high{};
  const bool low_under = __builtin_sub_overflow(dst.min, src_max, &low), high_under = __builtin_sub_overflow(dst.max, src_min, &high);
  if (both_may_wrap ? low_under != high_under : low_under || high_under) return dst.forget();
  dst.set(low, high);
}

/// Unsigned products are monotone; signed ones have their extremes at corners.
template <typename T>
void mul_range(Range<T> dst, T src_min, T src_max) {
  T corner[4];
  bool over = __builtin_mul_overflow(dst.min, src_min, &corner[0]);
  over |= __builtin_mul_overflow(dst.min, src_max, &corner[1]);
  over |= __builtin_mul_overflow(dst.max, src_min, &corner[2]);
  over |= __builtin_mul_overflow(dst.max, src_max, &corner[3]);
  if (over) return dst.forget();
  const auto [low, high] = std::minmax({corner[0], corner[1], corner[2], corner[3]});
  dst.set(low, high);
}

/// Before 6.14: only products of non-negative operands below 2^(n/2).
void mul_range_old(Scalar& dst, const Scalar& src, bool narrow) {
  if (narrow) {
    if (dst.s32min < 0 || src.s32min < 0 || src.u32max > 0xffff || dst.u32max > 0xffff) return dst.forget_bounds32();
    dst.u32min *= src.u32min, dst.u32max *= src.u32max;
    if (dst.u32max > static_cast<std::uint32_t>(kS32Max)) dst.s32min = kS32Min, dst.s32max = kS32Max;
    else dst.s32min = static_cast<std::int32_t>(dst.u32min), dst.s32max = static_cast<std::int32_t>(dst.u32max);
    return;
  }
  if (dst.smin < 0 || src.smin < 0 || src.umax > 0xffffffff || dst.umax > 0xffffffff) return dst.forget_bounds64();
  dst.umin *= src.umin, dst.umax *= src.umax;
  if (dst.umax > static_cast<std::uint64_t>(kS64Max)) dst.smin = kS64Min, dst.smax = kS64Max;
  else dst.smin = static_cast<std::int64_t>(dst.umin), dst.smax = static_cast<std::int64_t>(dst.umax);
}

/// Signed bounds from unsigned ones that do not cross the sign.
void signed_from_unsigned(Scalar& s, bool narrow) {
  if (narrow) {
    const auto low = static_cast<std::int32_t>(s.u32min), high = static_cast<std::int32_t>(s.u32max);
    s.s32min = low <= high ? low : kS32Min;
    s.s32max = low <= high ? high : kS32Max;
    return;
  }
  const auto low = static_cast<std::int64_t>(s.umin), high = static_cast<std::int64_t>(s.umax);
  s.smin = low <= high ? low : kS64Min;
  s.smax = low <= high ? high : kS64Max;
}

/// Bitwise operations take their bounds from the bits; `and` is not above either operand, `or` not below.
void bitwise_bounds(Arithmetic operation, Scalar& dst, const Scalar& src, bool narrow) {
  if (narrow) {
    const auto least = static_cast<std::uint32_t>(dst.bits.value), most = static_cast<std::uint32_t>(dst.bits.value | dst.bits.mask);
    dst.u32min = operation == Arithmetic::or_ ? std::max(dst.u32min, src.u32min) : least;
    dst.u32max = operation == Arithmetic::and_ ? std::min(dst.u32max, src.u32max) : most;
  } else {
    const std::uint64_t least = dst.bits.value, most = dst.bits.value | dst.bits.mask;
    dst.umin = operation == Arithmetic::or_ ? std::max(dst.umin, src.umin) : least;
    dst.umax = operation == Arithmetic::and_ ? std::min(dst.umax, src.umax) : most;
  }
  signed_from_unsigned(dst, narrow);
}

void shift_left_bounds(Scalar& dst, unsigned by, bool narrow, const Deduction& how) {
  if (narrow) {
    dst.s32min = kS32Min, dst.s32max = kS32Max;
    if (dst.u32max > std::uint64_t{1} << (31 - by)) dst.u32min = 0, dst.u32max = ~std::uint32_t{0};
    else dst.u32min <<= by, dst.u32max <<= by;
    return;
  }
  // `<< 32, s>> 32` is how compilers sign-extend: the low half's signed bounds move up.
  const bool extends = by == 32;
  dst.smax = extends && (how.extend_sign_by_shift || dst.s32max >= 0) ? static_cast<std::int64_t>(static_cast<std::uint64_t>(dst.s32max) << 32) : kS64Max;
  dst.smin = extends && (how.extend_sign_by_shift || dst.s32min >= 0) ? static_cast<std::int64_t>(static_cast<std::uint64_t>(dst.s32min) << 32) : kS64Min;
  if (dst.umax > std::uint64_t{1} << (63 - by)) dst.umin = 0, dst.umax = ~std::uint64_t{0};
  else dst.umin <<= by, dst.umax <<= by;
}

/// Shifts are by a constant here. What is shifted out or in changes every other reading, which starts over from the bits.
void shift(Arithmetic operation, Scalar& dst, unsigned by, bool narrow, const Deduction& how) {
  if (operation == Arithmetic::lsh) {
    if (narrow) {
      const Tnum low = shift_left(dst.bits.low32(), by);
      shift_left_bounds(dst, by, true, how);
      dst.bits = low.low32();
      dst.forget_bounds64();
    } else {
      shift_left_bounds(dst, by, false, how);
      dst.bits = shift_left(dst.bits, by);
      dst.forget_bounds32();
    }
    return bounds_from_bits(dst);
  }
  if (operation == Arithmetic::rsh) {
    if (narrow) {
      const std::uint32_t low = dst.u32min >> by, high = dst.u32max >> by;
      dst.bits = shift_right(dst.bits.low32(), by);
      dst.forget_bounds();
      dst.u32min = low, dst.u32max = high;
    } else {
      const std::uint64_t low = dst.umin >> by, high = dst.umax >> by;
      dst.bits = shift_right(dst.bits, by);
      dst.forget_bounds();
      dst.umin = low, dst.umax = high;
    }
    return bounds_from_bits(dst);
  }
  if (narrow) {
    const std::int32_t low = dst.s32min >> by, high = dst.s32max >> by;
    dst.bits = shift_right_signed(dst.bits.low32(), by, 32);
    dst.forget_bounds();
    dst.s32min = low, dst.s32max = high;
  } else {
    const std::int64_t low = dst.smin >> by, high = dst.smax >> by;
    dst.bits = shift_right_signed(dst.bits, by, 64);
    dst.forget_bounds();
    dst.smin = low, dst.smax = high;
  }
  bounds_from_bits(dst);
}

void add_or_sub(Arithmetic operation, Scalar& dst, const Scalar& src, bool narrow, const Deduction& how) {
  const bool adds = operation == Arithmetic::add;
  const bool wraps = how.wrapping_add;
  if (narrow) {
    adds ? add_range<std::int32_t>({dst.s32min, dst.s32max}, src.s32min, src.s32max, false)
         : sub_range<std::int32_t>({dst.s32min, dst.s32max}, src.s32min, src.s32max, false);
    adds ? add_range<std::uint32_t>({dst.u32min, dst.u32max}, src.u32min, src.u32max, wraps)
         : sub_range<std::uint32_t>({dst.u32min, dst.u32max}, src.u32min, src.u32max, wraps);
    return;
  }
  adds ? add_range<std::int64_t>({dst.smin, dst.smax}, src.smin, src.smax, false)
       : sub_range<std::int64_t>({dst.smin, dst.smax}, src.smin, src.smax, false);
  adds ? add_range<std::uint64_t>({dst.umin, dst.umax}, src.umin, src.umax, wraps)
       : sub_range<std::uint64_t>({dst.umin, dst.umax}, src.umin, src.umax, wraps);
}

}  // namespace

void apply(Arithmetic operation, Scalar& dst, const Scalar& src, bool narrow, const Deduction& how) {
  const unsigned width = narrow ? 32 : 64;
  switch (operation) {
    case Arithmetic::add:
    case Arithmetic::sub:
      // The low half of a sum depends on the low halves alone, so both widths are kept by a 64-bit addition.
      add_or_sub(operation, dst, src, true, how);
      if (!narrow) add_or_sub(operation, dst, src, false, how);
      dst.bits = operation == Arithmetic::add ? add(dst.bits, src.bits) : sub(dst.bits, src.bits);
      break;
    case Arithmetic::neg: {
      if (!how.negation) {
        dst = Scalar::unknown();
        return;
      }
      Scalar zero = Scalar::constant(0);
      add_or_sub(Arithmetic::sub, zero, dst, true, how);
      if (!narrow) add_or_sub(Arithmetic::sub, zero, dst, false, how);
      zero.bits = sub(Tnum::constant(0), dst.bits);
      dst = zero;
      break;
    }
    case Arithmetic::mul:
      if (how.signed_mul) {
        mul_range<std::int32_t>({dst.s32min, dst.s32max}, src.s32min, src.s32max);
        mul_range<std::uint32_t>({dst.u32min, dst.u32max}, src.u32min, src.u32max);
        if (!narrow) {
          mul_range<std::int64_t>({dst.smin, dst.smax}, src.smin, src.smax);
          mul_range<std::uint64_t>({dst.umin, dst.umax}, src.umin, src.umax);
        }
      } else {
        mul_range_old(dst, src, true);
        if (!narrow) mul_range_old(dst, src, false);
      }
      dst.bits = mul(dst.bits, src.bits, how.joined_mul);
      break;
    case Arithmetic::and_:
    case Arithmetic::or_:
    case Arithmetic::xor_:
      dst.bits = operation == Arithmetic::and_  ? bit_and(dst.bits, src.bits)
                 : operation == Arithmetic::or_ ? bit_or(dst.bits, src.bits)
                                                : bit_xor(dst.bits, src.bits);
      bitwise_bounds(operation, dst, src, true);
      if (!narrow) bitwise_bounds(operation, dst, src, false);
      break;
    case Arithmetic::lsh:
    case Arithmetic::rsh:
    case Arithmetic::arsh:
      if (!(narrow ? src.is_const32() : src.is_const()) || (narrow ? src.u32max : src.umax) >= width) {
        dst = Scalar::unknown();
        return;
      }
      shift(operation, dst, static_cast<unsigned>(narrow ? src.u32min : src.umin), narrow, how);
      break;
    case Arithmetic::other:
      dst = Scalar::unknown();
      return;
  }
  if (narrow) zero_extend32(dst, how);
  sync(dst, how);
}

void zero_extend32(Scalar& s, const Deduction& how) {
  s.bits = s.bits.low32();
  s.umin = s.u32min;
  s.umax = s.u32max;
  s.smin = static_cast<std::int64_t>(s.umin);
  s.smax = static_cast<std::int64_t>(s.umax);
  sync(s, how);
}

void truncate(Scalar& s, unsigned bytes, const Deduction& how) {
  s.bits = s.bits.low_bytes(bytes);
  const std::uint64_t mask = bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (bytes * 8)) - 1;
  // Bounds survive where everything that is cut off is the same at both ends.
  if ((s.umin & ~mask) == (s.umax & ~mask)) s.umin &= mask, s.umax &= mask;
  else s.umin = 0, s.umax = mask;
  s.smin = static_cast<std::int64_t>(s.umin);
  s.smax = static_cast<std::int64_t>(s.umax);
  if (bytes < 4) s.forget_bounds32();
  sync(s, how);
}

namespace {

/// Signed bounds of the low `bits` bits read as signed number, from the signed bounds of the whole: they stay where both ends
/// agree in everything above, sign bit included, up to the extension.
template <typename T>
bool narrow_signed(T& low, T& high, unsigned bits) {
  const auto drop = static_cast<unsigned>(sizeof(T) * 8 - bits);
  using U = std::make_unsigned_t<T>;
  if (static_cast<U>(low) >> bits != static_cast<U>(high) >> bits) return false;
  const T a = static_cast<T>(static_cast<U>(low) << drop) >> drop, b = static_cast<T>(static_cast<U>(high) << drop) >> drop;
  if (a > b || (a < 0) != (b < 0)) return false;
  low = a, high = b;
  return true;
}

}  // namespace

void sign_extend(Scalar& s, unsigned bytes, const Deduction& how) {
  const unsigned bits = bytes * 8;
  if (s.is_const()) {
    const unsigned drop = 64 - bits;
    s = Scalar::constant(static_cast<std::uint64_t>(static_cast<std::int64_t>(s.bits.value << drop) >> drop));
    return;
  }
  std::int64_t low = s.smin, high = s.smax;
  const std::int64_t limit = std::int64_t{1} << (bits - 1);
  if (!narrow_signed(low, high, bits)) low = -limit, high = limit - 1;
  const bool same_sign = (low < 0) == (high < 0);
  s = Scalar::unknown();
  s.smin = low, s.smax = high;
  s.s32min = static_cast<std::int32_t>(low), s.s32max = static_cast<std::int32_t>(high);
  if (same_sign) {
    s.umin = static_cast<std::uint64_t>(low), s.umax = static_cast<std::uint64_t>(high);
    s.u32min = static_cast<std::uint32_t>(low), s.u32max = static_cast<std::uint32_t>(high);
    s.bits = Tnum::range(s.umin, s.umax);
  }
  sync(s, how);
}

void sign_extend32(Scalar& s, unsigned bytes, const Deduction& how) {
  const unsigned bits = bytes * 8;
  if (s.is_const32()) {
    const unsigned drop = 32 - bits;
    const auto value = static_cast<std::int32_t>(static_cast<std::uint32_t>(s.bits.value) << drop) >> drop;
    s = Scalar::constant(static_cast<std::uint32_t>(value));
    return;
  }
  std::int32_t low = s.s32min, high = s.s32max;
  const std::int32_t limit = std::int32_t{1} << (bits - 1);
  if (!narrow_signed(low, high, bits)) low = -limit, high = limit - 1;
  const bool same_sign = (low < 0) == (high < 0);
  s = Scalar::unknown();
  s.s32min = low, s.s32max = high;
  if (same_sign) s.u32min = static_cast<std::uint32_t>(low), s.u32max = static_cast<std::uint32_t>(high);
  zero_extend32(s, how);
}

}  // namespace espy::verifier
