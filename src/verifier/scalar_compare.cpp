// Comparisons of Scalars: deciding them, and narrowing both sides to where they hold.
#include <algorithm>
#include <bit>
#include <utility>

#include "verifier/scalar.hpp"

namespace espy::verifier {
namespace {

/// One reading of a Scalar, so that each comparison is written once for the four.
template <typename T>
struct Bounds {
  T& min;
  T& max;
};
template <typename T>
struct ConstBounds {
  T min, max;
};

template <typename T>
Decision decide_less(ConstBounds<T> a, ConstBounds<T> b) {   // a < b
  if (a.max < b.min) return Decision::always;
  if (a.min >= b.max) return Decision::never;
  return Decision::unknown;
}

Decision inverse(Decision outcome) {
  return outcome == Decision::always ? Decision::never : outcome == Decision::never ? Decision::always : Decision::unknown;
}

template <typename T>
bool disjoint(T amin, T amax, T bmin, T bmax) { return amin > bmax || amax < bmin; }

Decision decide_equal(const Scalar& a, const Scalar& b, bool narrow, const Deduction& how) {
  const Tnum x = narrow ? a.bits.low32() : a.bits, y = narrow ? b.bits.low32() : b.bits;
  if (x.is_const() && y.is_const()) return x.value == y.value ? Decision::always : Decision::never;
  if (how.tnum_overlap && !x.overlaps(y)) return Decision::never;
  if (!how.equal_by_range && !(x.is_const() && y.is_const())) return Decision::unknown;
  const bool apart32 = disjoint(a.u32min, a.u32max, b.u32min, b.u32max) || disjoint(a.s32min, a.s32max, b.s32min, b.s32max);
  if (narrow) return apart32 ? Decision::never : Decision::unknown;
  if (disjoint(a.umin, a.umax, b.umin, b.umax) || disjoint(a.smin, a.smax, b.smin, b.smax)) return Decision::never;
  return how.two_registers && apart32 ? Decision::never : Decision::unknown;
}

Decision decide_set(const Scalar& a, const Scalar& b, bool narrow) {
  const Scalar* left = &a;
  const Scalar* right = &b;
  if (!(narrow ? right->is_const32() : right->is_const())) std::swap(left, right);
  if (!(narrow ? right->is_const32() : right->is_const())) return Decision::unknown;
  const Tnum x = narrow ? left->bits.low32() : left->bits, y = narrow ? right->bits.low32() : right->bits;
  if ((x.value & y.value) != 0) return Decision::always;
  if (((x.value | x.mask) & y.value) == 0) return Decision::never;
  return Decision::unknown;
}

Decision decide_order(Compare compare, const Scalar& a, const Scalar& b, bool narrow) {
  const auto less = [&](const Scalar& x, const Scalar& y, bool is_signed) {
    if (is_signed)
      return narrow ? decide_less<std::int64_t>({x.s32min, x.s32max}, {y.s32min, y.s32max})
                    : decide_less<std::int64_t>({x.smin, x.smax}, {y.smin, y.smax});
    return narrow ? decide_less<std::uint64_t>({x.u32min, x.u32max}, {y.u32min, y.u32max})
                  : decide_less<std::uint64_t>({x.umin, x.umax}, {y.umin, y.umax});
  };
  switch (compare) {
    case Compare::lt: return less(a, b, false);
    case Compare::gt: return less(b, a, false);
    case Compare::le: return inverse(less(b, a, false));
    case Compare::ge: return inverse(less(a, b, false));
    case Compare::slt: return less(a, b, true);
    case Compare::sgt: return less(b, a, true);
    case Compare::sle: return inverse(less(b, a, true));
    case Compare::sge: return inverse(less(a, b, true));
    default: return Decision::unknown;
  }
}

template <typename T>
void refine_equal(Bounds<T> a, Bounds<T> b) {
  a.min = b.min = std::max(a.min, b.min);
  a.max = b.max = std::min(a.max, b.max);
}

/// a <= b: nothing of a is above b's most, nothing of b below a's least.
template <typename T>
void refine_le(Bounds<T> a, Bounds<T> b) {
  a.max = std::min(a.max, b.max);
  b.min = std::max(a.min, b.min);
}
/// a < b: the same, one apart; a bound at the end of its type has no neighbour, and the comparison cannot hold there.
template <typename T>
void refine_lt(Bounds<T> a, Bounds<T> b) {
  const T below = b.max == std::numeric_limits<T>::min() ? b.max : static_cast<T>(b.max - 1);
  const T above = a.min == std::numeric_limits<T>::max() ? a.min : static_cast<T>(a.min + 1);
  a.max = std::min(a.max, below);
  b.min = std::max(b.min, above);
}

template <typename T>
void cut_end(Bounds<T> a, T number) {
  if (a.min == number && a.min != std::numeric_limits<T>::max()) ++a.min;
  if (a.max == number && a.max != std::numeric_limits<T>::min()) --a.max;
}

/// Which of the two is a constant, and the other one; {null, null}: neither.
std::pair<Scalar*, const Scalar*> range_and_number(Scalar& a, Scalar& b, bool narrow) {
  const auto is_number = [narrow](const Scalar& s) { return narrow ? s.is_const32() : s.is_const(); };
  if (is_number(b)) return {&a, &b};
  if (is_number(a)) return {&b, &a};
  return {nullptr, nullptr};
}

void refine_not_equal(Scalar& a, Scalar& b, bool narrow) {
  const auto [range, number] = range_and_number(a, b, narrow);
  if (number == nullptr) return;
  const std::uint64_t value = number->bits.value;
  if (narrow) {
    cut_end<std::uint32_t>({range->u32min, range->u32max}, static_cast<std::uint32_t>(value));
    cut_end<std::int32_t>({range->s32min, range->s32max}, static_cast<std::int32_t>(value));
  } else {
    cut_end<std::uint64_t>({range->umin, range->umax}, value);
    cut_end<std::int64_t>({range->smin, range->smax}, static_cast<std::int64_t>(value));
  }
}

void refine_bits(Compare compare, Scalar& a, Scalar& b, bool narrow, const Deduction& how) {
  const auto [range, number] = range_and_number(a, b, narrow);
  if (number == nullptr) return;
  const std::uint64_t value = narrow ? number->bits.low32().value : number->bits.value;
  const Tnum known = narrow ? range->bits.low32() : range->bits;
  Tnum result;
  if (compare == Compare::set) {
    if (!std::has_single_bit(value)) return;   // of several bits, one is set: nothing to learn of any
    result = bit_or(known, Tnum::constant(value));
  } else {
    // The kernel (since 6.17, as across_sign) forgets the range here, so that a dead branch does not leave a contradiction.
    if (how.across_sign) range->forget_bounds();
    result = bit_and(known, Tnum::constant(~value));
  }
  range->bits = narrow ? range->bits.with_low32(result) : result;
}

void refine_less(Compare compare, Scalar& a, Scalar& b, bool narrow) {
  const bool strict = compare == Compare::lt || compare == Compare::slt;
  const bool is_signed = compare == Compare::slt || compare == Compare::sle;
  const auto apply = [&]<typename T>(Bounds<T> x, Bounds<T> y) { strict ? refine_lt<T>(x, y) : refine_le<T>(x, y); };
  if (is_signed && narrow) apply(Bounds<std::int32_t>{a.s32min, a.s32max}, Bounds<std::int32_t>{b.s32min, b.s32max});
  else if (is_signed) apply(Bounds<std::int64_t>{a.smin, a.smax}, Bounds<std::int64_t>{b.smin, b.smax});
  else if (narrow) apply(Bounds<std::uint32_t>{a.u32min, a.u32max}, Bounds<std::uint32_t>{b.u32min, b.u32max});
  else apply(Bounds<std::uint64_t>{a.umin, a.umax}, Bounds<std::uint64_t>{b.umin, b.umax});
}

}  // namespace

Compare negated(Compare compare) {
  switch (compare) {
    case Compare::eq: return Compare::ne;
    case Compare::ne: return Compare::eq;
    case Compare::gt: return Compare::le;
    case Compare::ge: return Compare::lt;
    case Compare::lt: return Compare::ge;
    case Compare::le: return Compare::gt;
    case Compare::sgt: return Compare::sle;
    case Compare::sge: return Compare::slt;
    case Compare::slt: return Compare::sge;
    case Compare::sle: return Compare::sgt;
    case Compare::set: return Compare::not_set;
    case Compare::not_set: return Compare::set;
  }
  return compare;
}

Compare mirrored(Compare compare) {
  switch (compare) {
    case Compare::gt: return Compare::lt;
    case Compare::ge: return Compare::le;
    case Compare::lt: return Compare::gt;
    case Compare::le: return Compare::ge;
    case Compare::sgt: return Compare::slt;
    case Compare::sge: return Compare::sle;
    case Compare::slt: return Compare::sgt;
    case Compare::sle: return Compare::sge;
    default: return compare;
  }
}

Decision decide(Compare compare, const Scalar& left, const Scalar& right, bool narrow, const Deduction& how) {
  switch (compare) {
    case Compare::eq: return decide_equal(left, right, narrow, how);
    case Compare::ne: return inverse(decide_equal(left, right, narrow, how));
    case Compare::set: return decide_set(left, right, narrow);
    case Compare::not_set: return inverse(decide_set(left, right, narrow));
    default: return decide_order(compare, left, right, narrow);
  }
}

void refine(Compare compare, Scalar& left, Scalar& right, bool narrow, const Deduction& how) {
  switch (compare) {
    case Compare::eq:
      refine_equal<std::uint32_t>({left.u32min, left.u32max}, {right.u32min, right.u32max});
      refine_equal<std::int32_t>({left.s32min, left.s32max}, {right.s32min, right.s32max});
      if (narrow) {
        const Tnum common = intersect(left.bits.low32(), right.bits.low32());
        left.bits = left.bits.with_low32(common);
        right.bits = right.bits.with_low32(common);
      } else {
        refine_equal<std::uint64_t>({left.umin, left.umax}, {right.umin, right.umax});
        refine_equal<std::int64_t>({left.smin, left.smax}, {right.smin, right.smax});
        left.bits = right.bits = intersect(left.bits, right.bits);
      }
      break;
    case Compare::ne:
      if (how.refine_not_equal) refine_not_equal(left, right, narrow);
      break;
    case Compare::set:
    case Compare::not_set:
      refine_bits(compare, left, right, narrow, how);
      break;
    case Compare::lt:
    case Compare::le:
    case Compare::slt:
    case Compare::sle:
      refine_less(compare, left, right, narrow);
      break;
    case Compare::gt:
    case Compare::ge:
    case Compare::sgt:
    case Compare::sge:
      refine_less(mirrored(compare), right, left, narrow);
      break;
  }
  sync(left, how);
  sync(right, how);
}

}  // namespace espy::verifier
