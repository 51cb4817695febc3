#include "verifier/scalar.hpp"

#include <algorithm>
#include <bit>

namespace espy::verifier {
namespace {

template <typename T>
void raise(T& bound, T to) { bound = std::max(bound, to); }
template <typename T>
void lower(T& bound, T to) { bound = std::min(bound, to); }

/// The low half of a 64-bit range: where both ends share their upper half, the range is one of the low halves.
void low_half_of(Scalar& s, std::uint64_t min, std::uint64_t max) {
  const auto ulow = static_cast<std::uint32_t>(min), uhigh = static_cast<std::uint32_t>(max);
  const auto slow = static_cast<std::int32_t>(ulow), shigh = static_cast<std::int32_t>(uhigh);
  if (min >> 32 == max >> 32) {
    if (ulow <= uhigh) raise(s.u32min, ulow), lower(s.u32max, uhigh);
    if (slow <= shigh) raise(s.s32min, slow), lower(s.s32max, shigh);
  } else if (static_cast<std::uint32_t>(min >> 32) + 1 == static_cast<std::uint32_t>(max >> 32) && slow < 0 && shigh >= 0) {
    // One step of the upper half, from a low half that reads negative to one that does not: no jump in the signed reading.
    raise(s.s32min, slow), lower(s.s32max, shigh);
  }
}

void deduce32(Scalar& s, const Deduction& how) {
  if (how.across_widths) {
    low_half_of(s, s.umin, s.umax);
    low_half_of(s, static_cast<std::uint64_t>(s.smin), static_cast<std::uint64_t>(s.smax));
  }
  // A range whose ends keep their order in the other reading does not cross its discontinuity.
  if (static_cast<std::int32_t>(s.u32min) <= static_cast<std::int32_t>(s.u32max)) {
    raise(s.s32min, static_cast<std::int32_t>(s.u32min));
    lower(s.s32max, static_cast<std::int32_t>(s.u32max));
  }
  if (static_cast<std::uint32_t>(s.s32min) <= static_cast<std::uint32_t>(s.s32max)) {
    raise(s.u32min, static_cast<std::uint32_t>(s.s32min));
    lower(s.u32max, static_cast<std::uint32_t>(s.s32max));
  }
}

void deduce64(Scalar& s, const Deduction& how) {
  if (static_cast<std::int64_t>(s.umin) <= static_cast<std::int64_t>(s.umax)) {
    raise(s.smin, static_cast<std::int64_t>(s.umin));
    lower(s.smax, static_cast<std::int64_t>(s.umax));
  }
  if (static_cast<std::uint64_t>(s.smin) <= static_cast<std::uint64_t>(s.smax)) {
    raise(s.umin, static_cast<std::uint64_t>(s.smin));
    lower(s.umax, static_cast<std::uint64_t>(s.smax));
  } else if (how.across_sign) {
    // Read unsigned, the signed range is 0…smax and smin…max. Where the unsigned range misses one of the two, the value is
    // in the other.
    if (s.umax < static_cast<std::uint64_t>(s.smin)) {
      s.smin = static_cast<std::int64_t>(s.umin);
      lower(s.umax, static_cast<std::uint64_t>(s.smax));
    } else if (static_cast<std::uint64_t>(s.smax) < s.umin) {
      s.smax = static_cast<std::int64_t>(s.umax);
      raise(s.umin, static_cast<std::uint64_t>(s.smin));
    }
  }
}

void deduce64_from32(Scalar& s) {
  constexpr std::uint64_t kHigh = ~std::uint64_t{0xffffffff};
  // Whatever the upper half is, with it the low half is within its own bounds.
  raise(s.umin, (s.umin & kHigh) | s.u32min);
  lower(s.umax, (s.umax & kHigh) | s.u32max);
  raise(s.smin, static_cast<std::int64_t>((static_cast<std::uint64_t>(s.smin) & kHigh) | s.u32min));
  lower(s.smax, static_cast<std::int64_t>((static_cast<std::uint64_t>(s.smax) & kHigh) | s.u32max));
  // A sign-extended number whose low half is not negative is that low half.
  if (s.s32min >= 0 && s.smin >= kS32Min && s.smax <= kS32Max) {
    s.smin = s.s32min;
    s.smax = s.s32max;
    s.umin = static_cast<std::uint64_t>(s.s32min);
    s.umax = static_cast<std::uint64_t>(s.s32max);
    s.bits = intersect(s.bits, Tnum::range(s.umin, s.umax));
  }
}

void bits_from_bounds(Scalar& s) {
  const Tnum whole = intersect(s.bits, Tnum::range(s.umin, s.umax));
  const Tnum low = intersect(whole.low32(), Tnum::range(s.u32min, s.u32max));
  s.bits = whole.with_low32(low);
}

/// What kernels before 6.8 make of one width for the other: bounds that fit go down as they are; the low half's come up where
/// the upper half is zero.
void deduce_where_it_fits(Scalar& s) {
  if (s.smin >= kS32Min && s.smax <= kS32Max) {
    raise(s.s32min, static_cast<std::int32_t>(s.smin));
    lower(s.s32max, static_cast<std::int32_t>(s.smax));
  }
  if (s.umax <= ~std::uint32_t{0}) {
    raise(s.u32min, static_cast<std::uint32_t>(s.umin));
    lower(s.u32max, static_cast<std::uint32_t>(s.umax));
  }
  if ((s.bits.value | s.bits.mask) >> 32 != 0) return;
  raise(s.umin, std::uint64_t{s.u32min});
  lower(s.umax, std::uint64_t{s.u32max});
  if (s.s32min < 0) return;
  raise(s.smin, std::int64_t{s.s32min});
  lower(s.smax, std::int64_t{s.s32max});
}

/// The least value above `number` whose known bits are these; the greatest of all where none is above.
std::uint64_t next_above(const Tnum& bits, std::uint64_t number) {
  const std::uint64_t most = bits.value | bits.mask;
  if (number >= most) return most;
  const std::uint64_t least = number + 1, wrong = (least ^ bits.value) & ~bits.mask;
  if (wrong == 0) return least;
  const unsigned highest = 63U - static_cast<unsigned>(std::countl_zero(wrong));
  const std::uint64_t from_it = (std::uint64_t{2} << highest) - 1;   // that bit and all below
  if ((bits.value >> highest & 1) != 0) return (least & ~from_it) | (bits.value & from_it);
  // The known bit is clear where `least` has it set: the next greater choice of the unknown bits above.
  const std::uint64_t free = bits.mask & ~least & ~from_it;
  if (free == 0) return most;
  const std::uint64_t step = free & (~free + 1);
  return (least & ~(2 * step - 1)) | step | (bits.value & (step - 1));
}

/// Where the unsigned range holds one value of the known bits' only, that is the number. Both sets hold the number, so it is in
/// what they share.
void take_shared_value(Scalar& s) {
  const std::uint64_t most = s.bits.value | s.bits.mask, next = next_above(s.bits, s.umin);
  const bool least_fits = (s.umin & ~s.bits.mask) == s.bits.value;
  if (least_fits && next > s.umax) s = Scalar::constant(s.umin);
  else if (!least_fits && next == most) s = Scalar::constant(most);
  else if (!least_fits && next <= s.umax && next_above(s.bits, next) > s.umax) s = Scalar::constant(next);
}

}  // namespace

void Scalar::forget_bounds64() {
  smin = kS64Min, smax = kS64Max;
  umin = 0, umax = ~std::uint64_t{0};
}

void Scalar::forget_bounds32() {
  s32min = kS32Min, s32max = kS32Max;
  u32min = 0, u32max = ~std::uint32_t{0};
}

void Scalar::forget_bounds() {
  forget_bounds64();
  forget_bounds32();
}

bool within(const Scalar& outer, const Scalar& inner) {
  return outer.umin <= inner.umin && outer.umax >= inner.umax && outer.smin <= inner.smin && outer.smax >= inner.smax &&
         outer.u32min <= inner.u32min && outer.u32max >= inner.u32max && outer.s32min <= inner.s32min &&
         outer.s32max >= inner.s32max;
}

void bounds_from_bits(Scalar& s) {
  const std::uint64_t least = s.bits.value, most = s.bits.value | s.bits.mask;
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  raise(s.umin, least);
  lower(s.umax, most);
  // Least signed: an unknown sign bit is set, all other unknown bits are clear; most: the other way round.
  raise(s.smin, static_cast<std::int64_t>(least | (s.bits.mask & kSign)));
  lower(s.smax, static_cast<std::int64_t>(least | (s.bits.mask & ~kSign)));
  const auto least32 = static_cast<std::uint32_t>(least), mask32 = static_cast<std::uint32_t>(s.bits.mask);
  constexpr std::uint32_t kSign32 = std::uint32_t{1} << 31;
  raise(s.u32min, least32);
  lower(s.u32max, least32 | mask32);
  raise(s.s32min, static_cast<std::int32_t>(least32 | (mask32 & kSign32)));
  lower(s.s32max, static_cast<std::int32_t>(least32 | (mask32 & ~kSign32)));
}

void sync(Scalar& s, const Deduction& how) {
  if (s.bits.is_const() && s.umin == s.umax && s.umin == s.bits.value && s.smin == s.smax && s.u32min == s.u32max &&
      s.s32min == s.s32max)
    return;
  bounds_from_bits(s);
  if (how.shared_value) take_shared_value(s);
  for (int round = 0; round < (how.across_sign ? 3 : 2); ++round) {
    deduce32(s, how);
    deduce64(s, how);
    if (how.across_widths) deduce64_from32(s);
    else deduce_where_it_fits(s);
  }
  bits_from_bounds(s);
  bounds_from_bits(s);
  if (how.shared_value) take_shared_value(s);
}

void repair(Scalar& s) {
  const bool impossible = s.is_empty() || (s.bits.value & s.bits.mask) != 0 ||
                          (s.bits.is_const() && (s.umin != s.bits.value || s.umax != s.bits.value));
  const bool impossible32 =
      s.is_const32() && (s.u32min != static_cast<std::uint32_t>(s.bits.value) || s.u32max != static_cast<std::uint32_t>(s.bits.value));
  if (impossible || impossible32) s.forget_bounds();   // the known bits stay, as the kernel keeps them
}

}  // namespace espy::verifier
