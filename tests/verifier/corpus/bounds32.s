# Bounds of the lower 32 bits, and what they say of all 64.

== zero_extension | socket | accept
  setup a48 r6
  w6 = w6
  if r6 > 40 goto out
  read_at r6 u64

== compare32_without_extension | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  if w6 > 40 goto out
  read_at r6 u64

== compare32_then_extension | socket | accept
  setup a48 r6
  if w6 > 40 goto out
  w6 = w6
  read_at r6 u64

== extension_then_compare32 | socket | accept
  setup a48 r6
  w6 = w6
  if w6 > 40 goto out
  read_at r6 u64

== extension_then_compare32_outside | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  w6 = w6
  if w6 > 41 goto out
  read_at r6 u64

== signed32_both | socket | accept
  setup a48 r6
  w6 = w6
  if w6 s> 40 goto out ;; if w6 s< 0 goto out
  read_at r6 u64

== signed32_upper_only | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 = w6
  if w6 s> 40 goto out
  read_at r6 u64

== signed32_minus_one_allowed | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 = w6
  if w6 s> 40 goto out ;; if w6 s< -1 goto out
  read_at r6 u64

== alu32_clears_the_upper_half | socket | accept
  setup a48 r6
  w6 += 0
  if w6 > 40 goto out
  read_at r6 u64

== alu32_wraps | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 = w6
  if w6 > 40 goto out
  w6 -= 1
  read_at r6 u64

== alu32_add_wraps | socket | reject: value 2147483631 makes map_value pointer be out of bounds
  setup a48 r6
  w6 = w6
  if w6 < 0xfffffff0 goto out
  w6 += 0x7fffffff
  read_at r6 u64

== alu32_and | socket | accept
  setup a48 r6
  w6 &= 31
  read_at r6 u64

== alu32_and_outside | socket | reject: invalid access to map value, value_size=48 off=63 size=8
  setup a48 r6
  w6 &= 63
  read_at r6 u64

== alu32_or_constant | socket | accept
  setup a48 r6
  w6 &= 7
  w6 |= 32
  read_at r6 u64

== alu32_or_outside | socket | reject: invalid access to map value, value_size=48 off=47 size=8
  setup a48 r6
  w6 &= 15
  w6 |= 32
  read_at r6 u64

== alu32_xor | socket | accept
  setup a48 r6
  w6 &= 7
  w6 ^= 39
  read_at r6 u64

== alu32_xor_outside | socket | reject: invalid access to map value, value_size=48 off=47 size=8
  setup a48 r6
  w6 &= 15
  w6 ^= 39
  read_at r6 u64

== alu32_multiply | socket | accept
  setup a48 r6
  w6 &= 7
  w6 *= 5
  read_at r6 u64

== alu32_multiply_outside | socket | reject: invalid access to map value, value_size=48 off=42 size=8
  setup a48 r6
  w6 &= 7
  w6 *= 6
  read_at r6 u64

== alu32_divide_unknown | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  w6 /= 100
  read_at r6 u64

== alu32_negate | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  w6 &= 7
  w6 = -w6
  read_at r6 u64

== mov32_constant_is_zero_extended | socket | reject: math between map_value pointer and 4294967295 is not allowed
  setup a48 r6
  w6 = -1
  read_at r6 u8

== mov64_constant_is_sign_extended | socket | reject: invalid access to map value, value_size=48 off=-1 size=1
  setup a48 r6
  r6 = -1
  r7 += r6
  r0 = *(u8 *)(r7 +0)
  leave

== mov64_minus_one_and_back | socket | accept | >=7.3 reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  r6 = -1
  r7 += r6
  r0 = *(u8 *)(r7 +1)
  leave

== mov32_minus_one_plus_one | socket | accept
  setup a48 r6
  w6 = -1
  w6 += 1
  read_at r6 u64

== mov32_minus_one_plus_one_in_64 | socket | reject: math between map_value pointer and 4294967296 is not allowed
  setup a48 r6
  w6 = -1
  r6 += 1
  read_at r6 u64

== jeq32_known_low_half | socket | reject: value -9223372036854775804 makes map_value pointer be out of bounds
  setup a48 r6
  if w6 != 4 goto out
  read_at r6 u64

== jeq32_known_low_half_extended | socket | accept
  setup a48 r6
  w6 = w6
  if w6 != 4 goto out
  read_at r6 u64

== jne32_trims_the_edge | socket | accept | <6.8 reject
  setup a48 r6
  w6 = w6
  if w6 > 41 goto out ;; if w6 == 41 goto out
  read_at r6 u64

== bounds64_known_from_32_after_jump | socket | accept
  setup a48 r6
  if r6 > 0x7fffffff goto out
  if w6 > 40 goto out
  read_at r6 u64

== bounds64_known_from_32_with_more_bits | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  r8 = 0x1ffffffff ll
  if r6 > r8 goto out
  if w6 > 40 goto out
  read_at r6 u64

== bounds32_known_from_64 | socket | accept
  setup a48 r6
  if r6 > 40 goto out
  if w6 > 40 goto bad
  goto out
bad:
  r0 = *(u64 *)(r7 +100)
  leave

== signed64_negative_says_nothing_of_32 | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  if r6 s>= 0 goto out
  w6 = w6
  read_at r6 u8

== upper_half_shifted_down | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  r6 >>= 32
  read_at r6 u8

== upper_half_shifted_down_checked | socket | accept
  setup a48 r6
  r6 >>= 32
  if w6 > 40 goto out
  read_at r6 u64

== sign_extend_by_shifts | socket | accept
  setup a48 r6
  w6 = w6
  if w6 > 40 goto out
  r6 <<= 32 ;; r6 s>>= 32
  read_at r6 u64

== sign_extend_by_shifts_unchecked_sign | socket | reject: value -2147483648 makes map_value pointer be out of bounds
  setup a48 r6
  r6 <<= 32 ;; r6 s>>= 32
  if r6 s> 40 goto out
  read_at r6 u64

== sign_extend_by_shifts_checked | socket | accept
  setup a48 r6
  r6 <<= 32 ;; r6 s>>= 32
  if r6 s> 40 goto out ;; if r6 s< 0 goto out
  read_at r6 u64

== copy32_learns_from_the_original | socket | accept | <6.8 reject
  setup a48 r6
  w6 = w6
  w8 = w6
  if w6 > 40 goto out
  read_at r8 u64

== copy32_of_64_does_not_learn | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  w8 = w6
  if r8 > 40 goto out
  read_at r6 u64

== set_bits_known_in_the_lower_half | socket | accept
  setup a48 r6
  w6 &= 24
  if w6 == 24 goto ok
  goto out
ok:
  read_at r6 u64

== helper_result_has_64_bits | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  element a48
  r7 = r0
  unknown32 r6
  r6 >>= 28
  read_at r6 u64

== random_u32_needs_a_check | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  element a48
  r7 = r0
  unknown32 r6
  read_at r6 u64

== skb_field_is_zero_extended | socket | accept
  r6 = *(u32 *)(r1 +0)
  element a48
  r7 = r0
  if w6 > 40 goto out
  read_at r6 u64

== load8_bounds | socket | accept
  element a256
  r7 = r0
  r6 = *(u8 *)(r0 +0)
  read_at r6 u8

== load8_bounds_outside | socket | reject: invalid access to map value, value_size=256 off=255 size=2
  element a256
  r7 = r0
  r6 = *(u8 *)(r0 +0)
  read_at r6 u16

== load16_bounds | socket | reject: invalid access to map value, value_size=256 off=65535 size=1
  element a256
  r7 = r0
  r6 = *(u16 *)(r0 +0)
  read_at r6 u8

== compare32_registers | socket | accept | 5.10..6.1 reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  unknown r8
  w6 = w6 ;; w8 = w8
  if w8 > 40 goto out
  if w6 > w8 goto out
  read_at r6 u64

== compare32_registers_unchecked | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  unknown r8
  w6 = w6 ;; w8 = w8
  if w6 > w8 goto out
  read_at r6 u64

== compare32_jset | socket | accept
  setup a48 r6
  w6 = w6
  if w6 & 0xffffffe0 goto out
  read_at r6 u64

== compare32_lower_bound | socket | accept
  setup a48 r6
  w6 = w6
  if w6 > 40 goto out ;; if w6 < 8 goto out
  r7 += r6
  r0 = *(u64 *)(r7 -8)
  leave

== compare32_lower_bound_missing | socket | reject: invalid access to map value, value_size=48 off=-8 size=8
  setup a48 r6
  w6 = w6
  if w6 > 40 goto out
  r7 += r6
  r0 = *(u64 *)(r7 -8)
  leave
