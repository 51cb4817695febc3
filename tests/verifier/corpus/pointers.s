# Arithmetic on pointers, comparisons of pointers, and where pointers may go.

== value_plus_constant | socket | accept
  element a48
  r0 += 8
  r0 = *(u64 *)(r0 +0)
  leave

== number_plus_value | socket | accept
  element a48
  r6 = 8
  r6 += r0
  r0 = *(u64 *)(r6 +0)
  leave

== value_plus_value | socket | reject: R6 pointer += pointer prohibited
  element a48
  r6 = r0
  r6 += r0
  leave

== value_minus_value | socket | accept
  element a48
  r6 = r0
  r6 += 8
  r6 -= r0
  r0 = 0
  leave

== value_minus_value_is_a_number | socket | reject: R6 invalid mem access 'scalar'
  element a48
  r6 = r0
  r6 -= r0
  r0 = *(u8 *)(r6 +0)
  leave

== number_minus_value | socket | reject: R6 tried to subtract pointer from scalar
  element a48
  r6 = 8
  r6 -= r0
  leave

== value_times_two | socket | reject: R0 pointer arithmetic with *= operator prohibited
  element a48
  r0 *= 2
  leave

== value_divided | socket | reject: R0 pointer arithmetic with /= operator prohibited
  element a48
  r0 /= 2
  leave

== value_masked | socket | reject: R0 bitwise operator &= on pointer prohibited
  element a48
  r0 &= -8
  leave

== value_ored | socket | reject: R0 bitwise operator
  element a48
  r0 |= 1
  leave

== value_xored | socket | reject: R0 bitwise operator ^= on pointer prohibited
  element a48
  r0 ^= 1
  leave

== value_shifted | socket | reject: R0 pointer arithmetic with <<= operator prohibited
  element a48
  r0 <<= 1
  leave

== value_negated | socket | accept
  element a48
  r0 = -r0
  leave

== value_negated_is_no_pointer | socket | reject: R0 invalid mem access 'scalar'
  element a48
  r0 = -r0
  r0 = *(u8 *)(r0 +0)
  leave

== value_swapped | socket | accept
  element a48
  r0 = be64 r0
  leave

== value_in_32_bits | socket | reject: R0 32-bit pointer arithmetic prohibited
  element a48
  w0 += 8
  leave

== value_copied_in_32_bits | socket | accept
  element a48
  w6 = w0
  leave

== value_copied_in_32_bits_is_no_pointer | socket | reject: R6 invalid mem access 'scalar'
  element a48
  w6 = w0
  r0 = *(u8 *)(r6 +0)
  leave

== value_copied_in_32_bits_unprivileged | socket unprivileged | reject: R0 partial copy of pointer
  element a48
  w6 = w0
  leave

== value_copied_with_sign | socket | reject: R6 invalid mem access 'scalar'
  element a48
  r6 = (s32)r0
  r0 = *(u8 *)(r6 +0)
  leave

== context_plus_unknown | socket | reject: math between ctx pointer and register with unbounded min value is not allowed
  r6 = r1
  unknown r7
  r6 += r7
  r0 = *(u32 *)(r6 +0)
  exit

== map_plus_zero | socket | accept
  r1 = map[a8] ll
  r1 += 0
  r0 = 0
  exit

== maybe_null_plus_constant | socket | reject: R0 pointer arithmetic on map_value_or_null prohibited, null-check it first
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h48] ll
  call bpf_map_lookup_elem
  r0 += 8
  r0 = 0
  exit

== maybe_null_plus_zero | socket | reject: R0 pointer arithmetic on map_value_or_null prohibited, null-check it first
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h48] ll
  call bpf_map_lookup_elem
  r0 += 0
  if r0 == 0 goto out
  r0 = *(u8 *)(r0 +0)
  leave

== constant_of_two_31 | socket | reject: math between map_value pointer and 2147483648 is not allowed
  element a48
  r6 = 0x80000000 ll
  r0 += r6
  leave

== constant_of_two_29 | socket | reject: math between map_value pointer and 536870912 is not allowed
  element a48
  r6 = 0x20000000
  r0 += r6
  leave

== constant_below_two_29 | socket | accept
  element a48
  r6 = 0x1fffffff
  r0 += r6
  r0 -= r6
  r0 = *(u8 *)(r0 +0)
  leave

== offsets_together_too_large | socket | reject: map_value pointer offset 1073741822 is not allowed
  element a48
  r0 += 0x1fffffff
  r0 += 0x1fffffff
  leave

== stack_plus_large | socket | reject: math between fp pointer and -536870912 is not allowed
  r2 = r10
  r2 += -0x20000000
  r0 = 0
  exit

== compared_with_zero | socket | accept
  element a48
  if r0 == 0 goto out
  if r0 != 0 goto out
  leave

== compared_with_a_number | socket | accept
  element a48
  if r0 == 5 goto out
  leave

== compared_by_order_with_a_number | socket | accept
  element a48
  if r0 > 5 goto out
  leave

== compared_with_a_number_unprivileged | socket unprivileged | reject: R0 pointer comparison prohibited
  element a48
  if r0 == 5 goto out
  leave

== compared_with_a_pointer | socket | accept
  element a48
  if r0 == r10 goto out
  leave

== compared_with_a_pointer_unprivileged | socket unprivileged | reject: R10 pointer comparison prohibited
  element a48
  if r0 == r10 goto out
  leave

== compared_in_32_bits_unprivileged | socket unprivileged | accept | >=7.3 reject: R0 pointer comparison prohibited
  element a48
  if w0 == 0 goto out
  leave

== equal_pointers_prove_no_null | socket | accept | <6.5 reject
  element a48
  r6 = r0
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h48] ll
  call bpf_map_lookup_elem
  if r0 != r6 goto out
  r0 = *(u8 *)(r0 +0)
  leave

== unequal_pointers_prove_nothing | socket | reject: R0 invalid mem access 'map_value_or_null'
  element a48
  r6 = r0
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h48] ll
  call bpf_map_lookup_elem
  if r0 == r6 goto out
  r0 = *(u8 *)(r0 +0)
  leave

== returned_to_the_kernel | socket | accept
  r0 = r1
  exit

== returned_unprivileged | socket unprivileged | reject: R0 leaks addr as return value
  r0 = r1
  exit

== stack_pointer_returned_unprivileged | socket unprivileged | reject: R0 leaks addr as return value
  r0 = r10
  exit

== arithmetic_between_pointers_unprivileged | socket unprivileged | reject: R0 pointer -= pointer prohibited
  r0 = r10
  r0 -= r1
  exit

== number_from_a_pointer_unprivileged | socket unprivileged | reject: R2 pointer arithmetic prohibited
  r2 = r10
  r2 = -r2
  r0 = 0
  exit

== half_a_pointer_spilled_unprivileged | socket unprivileged | reject: invalid size of register spill
  *(u32 *)(r10 -8) = r1
  r0 = 0
  exit

== spilled_pointer_read_as_bytes_unprivileged | socket unprivileged | reject: invalid size of register fill
  *(u64 *)(r10 -8) = r1
  r0 = *(u8 *)(r10 -8)
  r0 = 0
  exit

== spilled_pointer_overwritten_partly_unprivileged | socket unprivileged | reject: attempt to corrupt spilled pointer on stack
  *(u64 *)(r10 -8) = r1
  *(u8 *)(r10 -8) = 0
  r0 = 0
  exit

== pointer_into_the_context_unprivileged | socket unprivileged | reject: R1 leaks addr into ctx
  *(u64 *)(r1 +48) = r1
  r0 = 0
  exit

== pointer_into_the_context | socket | accept
  r2 = r10
  *(u64 *)(r1 +48) = r2
  r0 = 0
  exit

== pointer_into_a_value_by_atomic | socket | accept
  element a48
  lock *(u64 *)(r0 +0) += r10
  leave

== pointer_into_a_value_by_exchange | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  element a48
  r6 = r10
  r6 = atomic64_xchg((u64 *)(r0 +0), r6)
  leave

== value_plus_unknown_unprivileged | socket unprivileged | reject: math between map_value pointer and register with unbounded min value is not allowed
  element a48
  r6 = *(u64 *)(r0 +0)
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== value_plus_masked_unprivileged | socket unprivileged | accept
  element a48
  r6 = *(u64 *)(r0 +0)
  r6 &= 31
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== value_plus_masked_beyond_unprivileged | socket unprivileged | reject: invalid access to map value, value_size=48 off=63 size=1
  element a48
  r6 = *(u64 *)(r0 +0)
  r6 &= 63
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== value_plus_signed_unprivileged | socket unprivileged | reject: R6 has unknown scalar with mixed signed bounds, pointer arithmetic with it prohibited for | >=7.3 accept
  element a48
  r6 = *(u64 *)(r0 +0)
  if r6 s> 10 goto out ;; if r6 s< -10 goto out
  r0 += 20
  r0 += r6
  r0 = *(u8 *)(r0 +0)
  leave

== stack_plus_number_unprivileged | socket unprivileged | accept
  r2 = r10 ;; r2 += -8
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== unreachable_code_unprivileged | socket unprivileged | reject: unreachable insn 2
  r0 = 0
  exit
  r0 = 1
  exit

== loop_unprivileged | socket unprivileged | reject: back-edge from insn 2 to 1
  r6 = 0
again:
  r6 += 1
  if r6 < 10 goto again
  r0 = 0
  exit

== xdp_unprivileged | xdp unprivileged | reject: Operation not permitted
  r0 = 0
  exit

== tracepoint_unprivileged | tracepoint unprivileged | reject: Operation not permitted
  r0 = 0
  exit

== cgroup_skb_unprivileged | cgroup/skb unprivileged | accept
  r0 = 0
  exit

== bounded_value_access_unprivileged | socket unprivileged | accept
  element a48
  r0 = *(u64 *)(r0 +40)
  leave

== value_access_beyond_unprivileged | socket unprivileged | reject: invalid access to map value, value_size=48 off=41 size=8
  element a48
  r0 = *(u64 *)(r0 +41)
  leave
