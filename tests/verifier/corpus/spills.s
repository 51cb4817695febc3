# What a stack slot keeps of a register that is spilled to it, and what is read back.

== scalar_keeps_its_bounds | socket | accept
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = r6
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== scalar_keeps_no_better_bounds | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  setup a48 r6
  if r6 > 41 goto out
  *(u64 *)(r10 -16) = r6
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== slot_learns_from_the_register | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  *(u64 *)(r10 -16) = r6
  if r6 > 40 goto out
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== filled_register_teaches_the_other | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  *(u64 *)(r10 -16) = r6
  r8 = *(u64 *)(r10 -16)
  if r8 > 40 goto out
  read_at r6 u64

== pointer_survives | socket | accept
  element a48
  *(u64 *)(r10 -16) = r0
  r7 = *(u64 *)(r10 -16)
  r0 = *(u64 *)(r7 +40)
  leave

== null_check_reaches_the_slot | socket | accept
  lookup a48
  *(u64 *)(r10 -16) = r0
  if r0 == 0 goto out
  r7 = *(u64 *)(r10 -16)
  r0 = *(u64 *)(r7 +40)
  leave

== null_check_of_a_filled_one_reaches_the_other | socket | accept
  lookup a48
  r8 = r0
  *(u64 *)(r10 -16) = r0
  r7 = *(u64 *)(r10 -16)
  if r7 == 0 goto out
  r0 = *(u64 *)(r8 +40)
  leave

== pointer_partly_overwritten | socket | reject: R7 invalid mem access 'scalar'
  element a48
  *(u64 *)(r10 -16) = r0
  *(u8 *)(r10 -16) = 0
  r7 = *(u64 *)(r10 -16)
  r0 = *(u64 *)(r7 +40)
  leave

== pointer_overwritten_then_again | socket | accept
  element a48
  *(u64 *)(r10 -16) = r0
  *(u64 *)(r10 -16) = 0
  *(u64 *)(r10 -16) = r0
  r7 = *(u64 *)(r10 -16)
  r0 = *(u64 *)(r7 +40)
  leave

== pointer_overwritten_by_a_number | socket | reject: R7 invalid mem access 'scalar'
  element a48
  *(u64 *)(r10 -16) = r0
  *(u64 *)(r10 -16) = 0
  r7 = *(u64 *)(r10 -16)
  r0 = *(u64 *)(r7 +40)
  leave

== half_of_a_spilled_pointer | socket | reject: invalid size of register fill
  element a48
  *(u64 *)(r10 -16) = r0
  r7 = *(u32 *)(r10 -16)
  r0 = *(u32 *)(r7 +0)
  leave

== half_of_a_spilled_pointer_cannot_be_read | socket | reject: invalid size of register fill
  element a48
  *(u64 *)(r10 -16) = r0
  r0 = *(u32 *)(r10 -16)
  r0 = 0
  leave

== byte_of_a_spilled_pointer_cannot_be_read | tc | reject: invalid size of register fill
  *(u64 *)(r10 -16) = r1
  r0 = *(u8 *)(r10 -9)
  exit

== part_of_a_pointer_spilled | tc | reject: invalid size of register spill
  *(u32 *)(r10 -16) = r1
  r0 = 0
  exit

== context_survives | tc | accept
  *(u64 *)(r10 -8) = r1
  r1 = *(u64 *)(r10 -8)
  r0 = *(u32 *)(r1 +0)
  exit

== low_half_of_a_spilled_number | socket | accept
  setup a48 r6
  *(u64 *)(r10 -16) = r6
  r6 = *(u32 *)(r10 -16)
  if r6 > 40 goto out
  read_at r6 u64

== low_half_keeps_bounds_that_fit | socket | accept | 5.10..6.1 reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = r6
  r6 = *(u32 *)(r10 -16)
  read_at r6 u64

== high_half_of_a_spilled_number | socket | reject: R7 unbounded memory access, make sure to bounds check any such access
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = r6
  r6 = *(u32 *)(r10 -12)
  read_at r6 u64

== byte_of_a_spilled_number_keeps_bounds | socket | accept | <6.8 reject
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = r6
  r6 = *(u8 *)(r10 -16)
  read_at r6 u64

== spill32_keeps_bounds | socket | accept
  setup a48 r6
  w6 = w6
  if r6 > 40 goto out
  *(u32 *)(r10 -16) = r6
  r6 = *(u32 *)(r10 -16)
  read_at r6 u64

== spill32_of_a_64_bit_number | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  *(u32 *)(r10 -16) = r6
  r8 = *(u32 *)(r10 -16)
  if r8 > 40 goto out
  read_at r6 u64

== spill32_filled_as_64 | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  if r6 > 40 goto out
  *(u32 *)(r10 -16) = r6
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== spill32_high_half_known | socket | accept
  setup a48 r6
  w6 = w6
  if r6 > 40 goto out
  *(u32 *)(r10 -12) = 0
  *(u32 *)(r10 -16) = r6
  r6 = *(u32 *)(r10 -16)
  read_at r6 u64

== spill8_keeps_bounds | socket | accept
  setup a48 r6
  if r6 > 40 goto out
  *(u8 *)(r10 -16) = r6
  r6 = *(u8 *)(r10 -16)
  read_at r6 u64

== spill16_keeps_bounds | socket | accept
  setup a48 r6
  if r6 > 40 goto out
  *(u16 *)(r10 -16) = r6
  r6 = *(u16 *)(r10 -16)
  read_at r6 u64

== spill8_of_a_large_number | socket | reject: invalid access to map value, value_size=256 off=255 size=2
  setup a256 r6
  *(u8 *)(r10 -16) = r6
  r6 = *(u8 *)(r10 -16)
  read_at r6 u16

== spill_not_at_the_slots_beginning | socket | reject: invalid access to map value, value_size=48 off=255 size=8
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = 0
  *(u8 *)(r10 -15) = r6
  r6 = *(u8 *)(r10 -15)
  read_at r6 u64

== constant_stored_is_known | socket | accept
  setup a48 r6
  *(u64 *)(r10 -16) = 40
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== constant_stored_as_32 | socket | accept
  setup a48 r6
  *(u32 *)(r10 -16) = 40
  r6 = *(u32 *)(r10 -16)
  read_at r6 u64

== constant_stored_negative | socket | reject: invalid access to map value, value_size=48 off=-1 size=1
  setup a48 r6
  *(u64 *)(r10 -16) = -1
  r6 = *(u64 *)(r10 -16)
  r7 += r6
  r0 = *(u8 *)(r7 +0)
  leave

== zero_stored_in_halves | socket | reject: math between map_value pointer and register with unbounded min value is not allowed | 5.10..6.1 accept
  setup a48 r6
  *(u32 *)(r10 -16) = 0
  *(u32 *)(r10 -12) = 0
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== number_in_two_halves_is_not_known | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  *(u32 *)(r10 -16) = 8
  *(u32 *)(r10 -12) = 0
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== slot_overwritten_by_a_helper | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = r6
  r1 = r10 ;; r1 += -16 ;; r2 = 8 ;; r3 = 0
  call bpf_get_current_comm
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== slot_overwritten_at_a_variable_offset | socket | reject: R7 invalid mem access 'scalar'
  setup a48 r6
  *(u64 *)(r10 -16) = r7
  *(u64 *)(r10 -24) = 0
  r6 &= 8
  r8 = r10 ;; r8 += r6
  *(u64 *)(r8 -24) = 0
  r7 = *(u64 *)(r10 -16)
  r0 = *(u8 *)(r7 +0)
  leave

== number_overwritten_at_a_variable_offset | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  *(u64 *)(r10 -16) = 8
  *(u64 *)(r10 -24) = 8
  r8 = r6
  r6 &= 8
  r9 = r10 ;; r9 += r6
  *(u64 *)(r9 -24) = r8
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== zero_over_zero_at_a_variable_offset | socket | accept | 5.10..6.1 reject: math between map_value pointer and register with unbounded min value is not
  setup a48 r6
  *(u64 *)(r10 -16) = 0
  *(u64 *)(r10 -24) = 0
  r6 &= 8
  r9 = r10 ;; r9 += r6
  *(u64 *)(r9 -24) = 0
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== slot_through_another_pointer | socket | accept
  setup a48 r6
  if r6 > 40 goto out
  r8 = r10 ;; r8 += -32
  *(u64 *)(r8 +16) = r6
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== packet_pointer_survives | xdp | accept
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  *(u64 *)(r10 -8) = r6
  r2 = r6 ;; r2 += 8
  if r2 > r7 goto out
  r6 = *(u64 *)(r10 -8)
  r0 = *(u64 *)(r6 +0)
  leave

== packet_end_survives | xdp | accept
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  *(u64 *)(r10 -8) = r7
  r2 = r6 ;; r2 += 8
  r7 = *(u64 *)(r10 -8)
  if r2 > r7 goto out
  r0 = *(u64 *)(r6 +0)
  leave

== frame_pointer_survives | socket | accept
  r2 = r10 ;; r2 += -16
  *(u64 *)(r10 -8) = r2
  r2 = *(u64 *)(r10 -8)
  *(u64 *)(r2 +0) = 1
  r0 = *(u64 *)(r10 -16)
  r0 = 0
  exit

== map_pointer_survives | socket | accept
  r1 = map[a8] ll
  *(u64 *)(r10 -16) = r1
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  r1 = *(u64 *)(r10 -16)
  call bpf_map_lookup_elem
  r0 = 0
  exit

== spilled_in_one_branch_only_privileged | socket | accept | 5.10..6.1 reject: invalid read from stack R10 off=-16 size=8
  setup a48 r6
  if r6 == 0 goto out
  if r6 > 100 goto skip
  *(u64 *)(r10 -16) = r6
skip:
  r0 = *(u64 *)(r10 -16)
  leave

== spilled_differently_in_two_branches | socket | reject: R7 invalid mem access 'scalar'
  setup a48 r6
  if r6 > 100 goto other
  *(u64 *)(r10 -16) = r7
  goto join
other:
  *(u64 *)(r10 -16) = 0
join:
  r7 = *(u64 *)(r10 -16)
  r0 = *(u8 *)(r7 +0)
  leave

== null_pointer_constant_spilled | socket | reject: R6 invalid mem access 'scalar'
  r6 = 0
  *(u64 *)(r10 -8) = r6
  r6 = *(u64 *)(r10 -8)
  r0 = *(u8 *)(r6 +0)
  exit

== sign_extending_fill | socket | accept | 5.10..6.1 reject: BPF_LDX uses reserved fields
  setup a48 r6
  if r6 > 40 goto out
  *(u64 *)(r10 -16) = r6
  r6 = *(s8 *)(r10 -16)
  if r6 s< 0 goto out ;; if r6 s> 40 goto out
  read_at r6 u64

== sign_extending_fill_unchecked | socket | reject: R7 min value is negative, either use unsigned index or do a if (index >=0) check.
  setup a256 r6
  *(u64 *)(r10 -16) = r6
  r6 = *(s8 *)(r10 -16)
  r7 += r6
  r0 = *(u8 *)(r7 +0)
  leave

== atomic_on_a_spilled_number | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  *(u64 *)(r10 -16) = 8
  r8 = 8
  lock *(u64 *)(r10 -16) += r8
  r6 = *(u64 *)(r10 -16)
  read_at r6 u64

== atomic_on_a_spilled_pointer | socket | reject: R7 invalid mem access 'scalar'
  setup a48 r6
  *(u64 *)(r10 -16) = r7
  r8 = 8
  lock *(u64 *)(r10 -16) += r8
  r7 = *(u64 *)(r10 -16)
  r0 = *(u8 *)(r7 +0)
  leave
