# Bounds of 64-bit numbers, as comparisons teach them: an access stays inside the 48 bytes or it does not.

== unsigned_le_inside | socket | accept
  setup a48 r6
  if r6 > 44 goto out
  read_at r6 u32

== unsigned_le_outside | socket | reject: invalid access to map value, value_size=48 off=45 size=4
  setup a48 r6
  if r6 > 45 goto out
  read_at r6 u32

== unsigned_lt_inside | socket | accept
  setup a48 r6
  if r6 >= 45 goto out
  read_at r6 u32

== unsigned_lt_outside | socket | reject: invalid access to map value, value_size=48 off=45 size=4
  setup a48 r6
  if r6 >= 46 goto out
  read_at r6 u32

== unsigned_reversed_lt | socket | accept
  setup a48 r6
  if r6 < 41 goto ok ;; goto out
ok:
  read_at r6 u64

== unsigned_reversed_lt_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 < 42 goto ok ;; goto out
ok:
  read_at r6 u64

== unsigned_reversed_le | socket | accept
  setup a48 r6
  if r6 <= 40 goto ok ;; goto out
ok:
  read_at r6 u64

== unsigned_reversed_le_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 <= 41 goto ok ;; goto out
ok:
  read_at r6 u64

== unchecked | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  read_at r6 u8

== checked_on_the_wrong_side | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  if r6 < 44 goto out
  read_at r6 u32

== signed_upper_only | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  if r6 s> 44 goto out
  read_at r6 u32

== signed_both | socket | accept
  setup a48 r6
  if r6 s> 44 goto out ;; if r6 s< 0 goto out
  read_at r6 u32

== signed_both_other_order | socket | accept
  setup a48 r6
  if r6 s< 0 goto out ;; if r6 s> 44 goto out
  read_at r6 u32

== signed_one_below_zero | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  if r6 s< -1 goto out ;; if r6 s> 44 goto out
  read_at r6 u32

== signed_ge_le | socket | accept
  setup a48 r6
  if r6 s>= 45 goto out ;; if r6 s<= -1 goto out
  read_at r6 u32

== signed_ge_le_outside | socket | reject: invalid access to map value, value_size=48 off=45 size=4
  setup a48 r6
  if r6 s>= 46 goto out ;; if r6 s<= -1 goto out
  read_at r6 u32

== signed_lower_then_unsigned_upper | socket | accept
  setup a48 r6
  if r6 s< 0 goto out ;; if r6 > 40 goto out
  read_at r6 u64

== equal_gives_the_value | socket | accept
  setup a48 r6
  if r6 != 40 goto out
  read_at r6 u64

== equal_gives_the_value_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 != 41 goto out
  read_at r6 u64

== equal_taken_branch | socket | accept
  setup a48 r6
  if r6 == 40 goto ok ;; goto out
ok:
  read_at r6 u64

== not_equal_trims_the_edge | socket | accept | <6.8 reject
  setup a48 r6
  if r6 > 41 goto out ;; if r6 == 41 goto out
  read_at r6 u64

== not_equal_in_the_middle_trims_nothing | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 > 41 goto out ;; if r6 == 20 goto out
  read_at r6 u64

== zero_trimmed_then_decremented | socket | accept | <6.8 reject
  setup a48 r6
  if r6 > 41 goto out ;; if r6 == 0 goto out
  r6 += -1
  read_at r6 u64

== negative_offset_is_unbounded_unsigned | socket | reject: R7 unbounded memory access, make sure to bounds check any such access | >=7.3 accept
  setup a48 r6
  if r6 > 40 goto out
  r7 += 40 ;; r7 -= r6
  r0 = *(u64 *)(r7 +0)
  leave

== negative_offset_too_far | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  if r6 > 41 goto out
  r7 += 40 ;; r7 -= r6
  r0 = *(u64 *)(r7 +0)
  leave

== fixed_offset_with_variable | socket | accept
  setup a48 r6
  if r6 > 30 goto out
  r7 += r6
  r0 = *(u64 *)(r7 +10)
  leave

== fixed_offset_with_variable_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 > 31 goto out
  r7 += r6
  r0 = *(u64 *)(r7 +10)
  leave

== fixed_offset_below_zero_saved_by_variable | socket | reject: invalid access to map value, value_size=48 off=-1 size=8
  setup a48 r6
  if r6 > 30 goto out ;; if r6 < 8 goto out
  r7 += r6
  r0 = *(u64 *)(r7 -9)
  leave

== minimum_makes_negative_offset_safe | socket | accept
  setup a48 r6
  if r6 > 40 goto out ;; if r6 < 8 goto out
  r7 += r6
  r0 = *(u64 *)(r7 -8)
  leave

== minimum_one_too_small | socket | reject: invalid access to map value, value_size=48 off=-1 size=8
  setup a48 r6
  if r6 > 40 goto out ;; if r6 < 7 goto out
  r7 += r6
  r0 = *(u64 *)(r7 -8)
  leave

== sum_of_two_checked | socket | accept
  setup a48 r6
  unknown r8
  if r6 > 20 goto out ;; if r8 > 20 goto out
  r6 += r8
  read_at r6 u64

== sum_of_two_checked_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  unknown r8
  if r6 > 20 goto out ;; if r8 > 21 goto out
  r6 += r8
  read_at r6 u64

== sum_checked_before_overflow | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  if r6 > 40 goto out
  r6 += -1
  read_at r6 u64

== sum_checked_after | socket | accept
  setup a48 r6
  r6 += 100
  if r6 > 40 goto out
  read_at r6 u64

== difference_of_checked | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  unknown r8
  if r6 > 20 goto out ;; if r8 > 20 goto out
  r6 -= r8
  read_at r6 u64

== difference_made_safe | socket | accept
  setup a48 r6
  unknown r8
  if r6 > 40 goto out ;; if r6 < 20 goto out ;; if r8 > 20 goto out
  r6 -= r8
  read_at r6 u64

== product_inside | socket | accept
  setup a48 r6
  if r6 > 5 goto out
  r6 *= 8
  read_at r6 u64

== product_outside | socket | reject: invalid access to map value, value_size=48 off=48 size=8
  setup a48 r6
  if r6 > 6 goto out
  r6 *= 8
  read_at r6 u64

== product_of_registers | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  unknown r8
  if r6 > 5 goto out ;; if r8 > 8 goto out
  r6 *= r8
  read_at r6 u64

== product_with_negative | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  if r6 > 5 goto out
  r6 *= -8
  read_at r6 u64

== quotient_inside | socket | reject: math between map_value pointer and register with unbounded min value is not allowed | >=7.3 accept
  setup a48 r6
  if r6 > 80 goto out
  r6 /= 2
  read_at r6 u64

== quotient_of_anything | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r6 /= 10
  read_at r6 u64

== remainder | socket | reject: math between map_value pointer and register with unbounded min value is not allowed | >=7.3 accept
  setup a48 r6
  r6 %= 41
  read_at r6 u64

== negated_back | socket | accept
  setup a48 r6
  if r6 > 40 goto out
  r8 = 0 ;; r8 -= r6
  r7 -= r8
  r0 = *(u64 *)(r7 +0)
  leave

== negation_loses_nothing_since_6_14 | socket | accept | <6.17 reject
  setup a48 r6
  if r6 > 40 goto out
  r6 = -r6
  r7 -= r6
  r0 = *(u64 *)(r7 +0)
  leave

== compared_with_a_register_constant | socket | accept
  setup a48 r6
  r8 = 40
  if r6 > r8 goto out
  read_at r6 u64

== compared_with_a_register_range | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  unknown r8
  if r8 > 40 goto out ;; if r6 > r8 goto out
  read_at r6 u64

== compared_with_a_register_range_too_wide | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  unknown r8
  if r8 > 41 goto out ;; if r6 > r8 goto out
  read_at r6 u64

== compared_with_an_unknown_register | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  if r6 > r8 goto out
  read_at r6 u64

== register_lower_bound_learnt_from_other | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  unknown r8
  if r6 > 40 goto out
  if r8 > r6 goto out
  read_at r8 u64

== equal_registers_share_bounds | socket | accept
  setup a48 r6
  unknown r8
  if r6 > 40 goto out
  if r8 != r6 goto out
  read_at r8 u64

== equal_registers_share_bounds_both_ways | socket | accept
  setup a48 r6
  unknown r8
  if r6 > 40 goto out
  if r6 != r8 goto out
  read_at r8 u64

== copy_learns_from_the_original | socket | accept
  setup a48 r6
  r8 = r6
  if r6 > 40 goto out
  read_at r8 u64

== original_learns_from_the_copy | socket | accept
  setup a48 r6
  r8 = r6
  if r8 > 40 goto out
  read_at r6 u64

== copy_with_a_constant_added_learns | socket | accept | <6.12 reject
  setup a48 r6
  r8 = r6 ;; r8 += 4
  if r6 > 36 goto out
  read_at r8 u64

== copy_with_a_constant_added_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  r8 = r6 ;; r8 += 4
  if r6 > 37 goto out
  read_at r8 u64

== copy_changed_learns_nothing | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r8 = r6 ;; r8 *= 2
  if r6 > 10 goto out
  read_at r8 u64

== branch_that_cannot_be_taken | socket | accept
  setup a48 r6
  r8 = 5
  if r8 > 4 goto out
  r7 += 100
  r0 = *(u64 *)(r7 +0)
  leave

== branch_decided_by_range | socket | accept
  setup a48 r6
  if r6 > 10 goto out
  if r6 > 10 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== branch_not_decided_by_range | socket | reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  if r6 > 10 goto out
  if r6 > 9 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== signed_decided_by_unsigned | socket | accept
  setup a48 r6
  if r6 > 10 goto out
  if r6 s< 0 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== equality_decided_by_range | socket | accept | 5.10..6.1 reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  if r6 > 10 goto out
  if r6 == 11 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== bit_test_decided_by_range | socket | accept
  setup a48 r6
  r6 &= 7
  if r6 & 8 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== bit_test_not_decided | socket | reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  r6 &= 15
  if r6 & 8 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== bit_test_clears_high_bits | socket | accept
  setup a48 r6
  if r6 & 0xffffffe0 goto out
  w6 = w6
  read_at r6 u64

== bit_test_of_a_power_sets_the_bit | socket | accept
  setup a48 r6
  r6 &= 31
  if r6 & 16 goto ok
  goto out
ok:
  r6 -= 16
  read_at r6 u64

== range_crossing_the_sign | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  r6 += 10
  if r6 > 20 goto out
  r6 -= 10
  read_at r6 u64

== minus_one_as_unsigned | socket | reject: invalid access to map value, value_size=48 off=-1 size=8
  setup a48 r6
  if r6 <= 40 goto ok
  if r6 != -1 goto out
ok:
  read_at r6 u64

== two_branches_join | socket | accept
  setup a48 r6
  unknown r8
  if r8 == 0 goto other
  r6 = 40
  goto join
other:
  r6 = 8
join:
  read_at r6 u64

== two_branches_join_one_bad | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  unknown r8
  if r8 == 0 goto other
  r6 = 40
  goto join
other:
  r6 = 41
join:
  read_at r6 u64

== offset_too_large_for_any_map | socket | reject: invalid access to map value, value_size=48 off=536870911 size=1
  setup a48 r6
  if r6 > 0x1fffffff goto out
  read_at r6 u8

== pointer_with_a_huge_constant | socket | reject: math between map_value pointer and 536870912 is not allowed
  setup a48 r6
  r8 = 0x20000000
  r7 += r8
  r0 = *(u8 *)(r7 +0)
  leave

== pointer_with_a_huge_constant_taken_away | socket | reject: math between map_value pointer and 1073741824 is not allowed
  setup a48 r6
  r8 = 0x40000000
  r7 += r8 ;; r7 -= r8
  r0 = *(u8 *)(r7 +0)
  leave

== pointer_with_a_large_constant_taken_away | socket | accept
  setup a48 r6
  r7 += 0x1000000 ;; r7 -= 0x1000000
  r0 = *(u8 *)(r7 +0)
  leave

== register_above_itself | socket | accept
  setup a48 r6
  r6 &= 31
  if r6 > r6 goto ok ;; goto out
ok:
  read_at r6 u64

== register_not_above_itself | socket | accept
  setup a48 r6
  r6 &= 31
  if r6 > r6 goto out
  read_at r6 u64

== register_equal_to_itself | socket | accept
  setup a48 r6
  r6 &= 31
  if r6 == r6 goto ok ;; goto out
ok:
  read_at r6 u64

== register_unequal_to_itself | socket | accept
  setup a48 r6
  r6 &= 31
  if r6 != r6 goto ok ;; goto out
ok:
  read_at r6 u64

== register_below_itself_narrow | socket | accept
  setup a48 r6
  w6 &= 31
  if w6 s< w6 goto ok ;; goto out
ok:
  read_at r6 u64

== clear_bits_make_the_range_forgotten | socket | reject: R7 max value is outside of the allowed memory range | 5.10 accept
  setup a48 r6
  if r6 > 41 goto out
  if w6 & 2 goto out
  read_at r6 u32
