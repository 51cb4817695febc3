# Shifts and masks: what is known of each bit (tnum) beside the ranges.

== and_constant | socket | accept
  setup a48 r6
  r6 &= 31
  read_at r6 u64

== and_constant_outside | socket | reject: invalid access to map value, value_size=48 off=63 size=8
  setup a48 r6
  r6 &= 63
  read_at r6 u64

== and_low_bits_cleared | socket | accept
  setup a48 r6
  r6 &= 0x28
  read_at r6 u64

== and_negative_mask_keeps_the_top | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r6 &= -8
  read_at r6 u64

== and_with_unknown_bounded | socket | accept
  setup a48 r6
  unknown r8
  if r8 > 40 goto out
  r6 &= r8
  read_at r6 u64

== and_with_unknown_bounded_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  unknown r8
  if r8 > 41 goto out
  r6 &= r8
  read_at r6 u64

== or_grows | socket | reject: invalid access to map value, value_size=48 off=47 size=8
  setup a48 r6
  unknown r8
  r6 &= 32 ;; r8 &= 15
  r6 |= r8
  read_at r6 u64

== or_inside | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  unknown r8
  r6 &= 32 ;; r8 &= 7
  r6 |= r8
  read_at r6 u64

== xor_of_itself_is_not_known | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r8 = r6
  r6 ^= r8
  read_at r6 u64

== subtract_itself_is_not_known | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r8 = r6
  r6 -= r8
  read_at r6 u64

== xor_with_constant | socket | accept
  setup a48 r6
  r6 &= 31
  r6 ^= 8
  read_at r6 u64

== left_shift | socket | accept
  setup a48 r6
  r6 &= 3
  r6 <<= 3
  read_at r6 u64

== left_shift_outside | socket | reject: invalid access to map value, value_size=48 off=48 size=8
  setup a48 r6
  r6 &= 3
  r6 <<= 4
  read_at r6 u64

== left_shift_of_unknown | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r6 <<= 1
  read_at r6 u64

== left_shift_out_of_the_top | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r6 <<= 63
  read_at r6 u8

== left_shift_then_back | socket | accept
  setup a48 r6
  r6 <<= 59 ;; r6 >>= 59
  read_at r6 u64

== left_shift_then_back_outside | socket | reject: invalid access to map value, value_size=48 off=63 size=8
  setup a48 r6
  r6 <<= 58 ;; r6 >>= 58
  read_at r6 u64

== right_shift | socket | accept
  setup a48 r6
  r6 >>= 59
  read_at r6 u64

== right_shift_outside | socket | reject: invalid access to map value, value_size=48 off=63 size=8
  setup a48 r6
  r6 >>= 58
  read_at r6 u64

== right_shift_after_check | socket | accept
  setup a48 r6
  if r6 > 160 goto out
  r6 >>= 2
  read_at r6 u64

== right_shift_after_check_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 > 164 goto out
  r6 >>= 2
  read_at r6 u64

== arithmetic_right_shift_keeps_the_sign | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  r6 s>>= 60
  read_at r6 u64

== arithmetic_right_shift_sign_checked | socket | accept
  setup a48 r6
  r6 s>>= 60
  if r6 s< 0 goto out
  read_at r6 u64

== arithmetic_right_shift_of_a_range | socket | accept
  setup a48 r6
  if r6 > 160 goto out
  r6 s>>= 2
  read_at r6 u64

== arithmetic_right_shift_by_63_is_a_mask | socket | accept
  setup a48 r6
  r6 s>>= 63
  r6 &= 40
  read_at r6 u64

== left_shift32 | socket | accept
  setup a48 r6
  w6 &= 3
  w6 <<= 3
  read_at r6 u64

== left_shift32_out_of_the_top | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 <<= 31
  read_at r6 u8

== right_shift32 | socket | accept
  setup a48 r6
  w6 >>= 27
  read_at r6 u64

== right_shift32_outside | socket | reject: invalid access to map value, value_size=48 off=63 size=8
  setup a48 r6
  w6 >>= 26
  read_at r6 u64

== arithmetic_right_shift32_is_zero_extended | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 s>>= 28
  if r6 s< 0 goto out
  read_at r6 u64

== arithmetic_right_shift32_sign_checked | socket | accept
  setup a48 r6
  w6 s>>= 28
  if w6 s< 0 goto out
  read_at r6 u64

== shift_by_register_known | socket | accept
  setup a48 r6
  r8 = 59
  r6 >>= r8
  read_at r6 u64

== shift_by_register_range_is_not_followed | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  r8 &= 3
  r6 &= 5
  r6 <<= r8
  read_at r6 u64

== shift_by_register_range_outside | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  r8 &= 3
  r6 &= 6
  r6 <<= r8
  read_at r6 u64

== shift_by_unknown_register | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  r6 &= 1
  r6 <<= r8
  read_at r6 u64

== right_shift_by_unknown_register | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  if r6 > 40 goto out
  r6 >>= r8
  read_at r6 u64

== right_shift_by_register_range_is_not_followed | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  r8 &= 63
  if r6 > 40 goto out
  r6 >>= r8
  read_at r6 u64

== right_shift_by_register_up_to_64 | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  unknown r8
  if r8 > 64 goto out
  if r6 > 40 goto out
  r6 >>= r8
  read_at r6 u64

== shift_by_64 | socket | reject: invalid shift 64
  r0 = 1
  .slot 0x0000004000000067
  exit

== shift_by_63 | socket | accept
  r0 = 1
  r0 <<= 63
  r0 = 0
  exit

== shift32_by_32 | socket | reject: invalid shift 32
  r0 = 1
  .slot 0x0000002000000064
  exit

== shift_by_minus_one | socket | reject: invalid shift -1
  r0 = 1
  .slot 0xffffffff00000077
  exit

== bits_known_make_alignment | xdp | reject: last insn is not an exit or jmp
  r6 = *(u32 *)(r1 +0)
  r2 = *(u32 *)(r1 +4)
  r0 = 0
  exit
  r6 += 1

== mask_then_add_then_mask | socket | accept
  setup a48 r6
  r6 &= 15
  r6 += 17
  r6 &= 31
  read_at r6 u64

== tnum_add_carries | socket | reject: invalid access to map value, value_size=48 off=47 size=2
  setup a48 r6
  r6 &= 32
  r6 += 15
  read_at r6 u16

== tnum_add_inside | socket | accept
  setup a48 r6
  r6 &= 32
  r6 += 8
  read_at r6 u64

== tnum_subtract_borrows | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a48 r6
  r6 &= 32
  r6 -= 1
  read_at r6 u8

== tnum_multiply | socket | accept
  setup a48 r6
  r6 &= 1
  r6 *= 40
  read_at r6 u64

== tnum_multiply_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  r6 &= 1
  r6 *= 41
  read_at r6 u64

== even_numbers_are_not_trimmed | socket | reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  r6 &= 62
  if r6 > 41 goto out
  if r6 == 40 goto out
  if r6 > 38 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== byte_by_mask | socket | accept
  setup a256 r6
  r6 &= 0xff
  read_at r6 u8

== byte_by_shift | socket | accept
  setup a256 r6
  r6 <<= 56 ;; r6 >>= 56
  read_at r6 u8

== variable_and_or_mix | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  r8 = r6
  r8 >>= 3 ;; r8 &= 7
  r6 &= 16 ;; r6 |= r8
  r6 += 16
  read_at r6 u64

== mask_by_64_bit_constant | socket | accept
  setup a48 r6
  r8 = 0x1f ll
  r6 &= r8
  read_at r6 u64

== mask_keeps_a_high_bit | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  r8 = 0x10000001f ll
  r6 &= r8
  read_at r6 u64

== mask_keeps_a_high_bit_dropped | socket | accept
  setup a48 r6
  r8 = 0x10000001f ll
  r6 &= r8
  w6 = w6
  read_at r6 u64

== range_and_bits_share_one_value | socket | accept | 5.10..6.12 reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  r6 &= 16
  if r6 == 0 goto out
  if r6 != 16 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== range_and_bits_share_one_value_in_the_middle | socket | accept | 5.10..6.12 reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  r6 &= 24
  if r6 > 20 goto out
  if r6 < 10 goto out
  if r6 != 16 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== range_and_bits_share_two_values | socket | reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  r6 &= 24
  if r6 > 20 goto out
  if r6 < 3 goto out
  if r6 != 16 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== range_and_bits_share_one_value_narrow | socket | accept | 5.10..6.12 reject: invalid access to map value, value_size=48 off=100 size=8
  setup a48 r6
  w6 &= 16
  if w6 == 0 goto out
  if w6 != 16 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave
