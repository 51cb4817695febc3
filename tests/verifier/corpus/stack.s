# The stack: 512 bytes a frame below r10, read only where written, pointers in whole slots only.

== written_then_read | socket | accept
  *(u64 *)(r10 -8) = 1
  r0 = *(u64 *)(r10 -8)
  exit

== read_uninitialised_privileged | socket | accept | <6.3 reject: invalid read from stack
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit

== read_uninitialised_unprivileged | socket unprivileged | reject: invalid read from stack R10 off=-8 size=8
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit

== read_partly_uninitialised | socket unprivileged | reject: invalid read from stack off -8+4 size 8
  *(u32 *)(r10 -8) = 1
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit

== uninitialised_key | socket | accept | <6.3 reject: invalid indirect read
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== uninitialised_key_unprivileged | socket unprivileged | reject: invalid read from stack R2 off=-8 size=8
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== partly_initialised_key_unprivileged | socket unprivileged | reject: invalid read from stack R2 off -8+4 size 8
  *(u32 *)(r10 -8) = 1
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== initialised_key_unprivileged | socket unprivileged | accept
  *(u32 *)(r10 -8) = 1 ;; *(u32 *)(r10 -4) = 1
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== key_reaches_above_the_frame | socket | reject: invalid read from stack R2 off=-4 size=8
  *(u64 *)(r10 -8) = 1
  r2 = r10 ;; r2 += -4
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== key_at_the_frame_pointer | socket | reject: invalid read from stack R2 off=0 size=4
  r2 = r10
  r1 = map[a8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== above_the_frame_pointer | socket | reject: invalid write to stack R10 off=0 size=8
  *(u64 *)(r10 +0) = 1
  r0 = 0
  exit

== read_above_the_frame_pointer | socket | reject: invalid read from stack R10 off=8 size=8
  r0 = *(u64 *)(r10 +8)
  exit

== lowest_slot | socket | accept
  *(u64 *)(r10 -512) = 1
  r0 = 0
  exit

== below_the_lowest_slot | socket | reject: invalid write to stack R10 off=-520 size=8
  *(u64 *)(r10 -520) = 1
  r0 = 0
  exit

== below_the_lowest_byte | socket | reject: invalid write to stack R10 off=-513 size=1
  *(u8 *)(r10 -513) = 1
  r0 = 0
  exit

== straddling_the_frame_pointer | socket | reject: misaligned stack access off 0+0+-4 size 8
  *(u64 *)(r10 -4) = 1
  r0 = 0
  exit

== misaligned_64 | socket | reject: misaligned stack access off 0+0+-12 size 8
  *(u64 *)(r10 -12) = 1
  r0 = 0
  exit

== misaligned_32 | socket | reject: misaligned stack access off 0+0+-6 size 4
  *(u32 *)(r10 -6) = 1
  r0 = 0
  exit

== misaligned_16 | socket | reject: misaligned stack access off 0+0+-3 size 2
  *(u16 *)(r10 -3) = 1
  r0 = 0
  exit

== bytes_anywhere | socket | accept
  *(u8 *)(r10 -3) = 1
  r0 = *(u8 *)(r10 -3)
  exit

== misaligned_read | socket | reject: misaligned stack access off 0+0+-12 size 8
  *(u64 *)(r10 -16) = 1 ;; *(u64 *)(r10 -8) = 1
  r0 = *(u64 *)(r10 -12)
  exit

== pointer_spilled_misaligned | socket | reject: misaligned stack access off 0+0+-12 size 8
  *(u64 *)(r10 -12) = r1
  r0 = 0
  exit

== overlapping_writes | socket | accept
  *(u64 *)(r10 -8) = 0
  *(u32 *)(r10 -8) = 1
  *(u16 *)(r10 -6) = 2
  r0 = *(u64 *)(r10 -8)
  exit

== frame_pointer_is_read_only | socket | reject: frame pointer is read only
  r10 += -8
  r0 = 0
  exit

== frame_pointer_overwritten | socket | reject: frame pointer is read only
  r10 = 0
  r0 = 0
  exit

== copy_of_the_frame_pointer_moves | socket | accept
  r2 = r10 ;; r2 += -8
  *(u64 *)(r2 +0) = 1
  r0 = *(u64 *)(r10 -8)
  exit

== copy_moved_below | socket | reject: invalid write to stack R2 off=-520 size=8
  r2 = r10 ;; r2 += -520
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== copy_moved_below_used_inside | socket | accept
  r2 = r10 ;; r2 += -520
  *(u64 *)(r2 +512) = 1
  r0 = 0
  exit

== variable_offset_write | socket | accept
  unknown r6
  r6 &= 8 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== variable_offset_write_unprivileged | socket unprivileged | reject: R2 variable stack access prohibited for !root, var_off=(0xfffffffffffffff0 | 6.12 accept
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  r6 &= 8 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== variable_offset_write_above | socket | reject: invalid variable-offset write to stack R2 var_off=(0x0
  unknown r6
  r6 &= 8 ;; r6 -= 8
  r2 = r10 ;; r2 += r6
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== variable_offset_write_below | socket | reject: invalid variable-offset write to stack R2 var_off=(0xfffffffffffffc00
  unknown r6
  r6 &= 8 ;; r6 -= 520
  r2 = r10 ;; r2 += r6
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== variable_offset_unbounded | socket | reject: math between fp pointer and register with unbounded min value is not allowed
  unknown r6
  r2 = r10 ;; r2 += r6
  *(u64 *)(r2 -8) = 1
  r0 = 0
  exit

== variable_offset_read | socket | accept
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  r6 &= 8 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  r0 = *(u64 *)(r2 +0)
  exit

== variable_offset_read_uninitialised | socket | accept | <6.3 reject: invalid variable-offset read
  *(u64 *)(r10 -8) = 0
  unknown r6
  r6 &= 8 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  r0 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== variable_offset_misaligned | socket | reject: misaligned stack access off (0xfffffffffffffff0
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  r6 &= 4 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  r0 = *(u64 *)(r2 +0)
  exit

== variable_offset_signed_range | socket | accept
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  if r6 s< -16 goto out ;; if r6 s> -8 goto out
  r2 = r10 ;; r2 += r6
  r0 = *(u8 *)(r2 +0)
  leave

== variable_offset_helper_key | socket | accept
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  r6 &= 8 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== variable_offset_helper_key_above | socket | reject: invalid variable-offset read from stack R2 var_off=(0x0
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  r6 &= 8 ;; r6 -= 8
  r2 = r10 ;; r2 += r6
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== variable_offset_through_a_spilled_pointer_read | socket | accept
  *(u64 *)(r10 -8) = r10 ;; *(u64 *)(r10 -16) = 0
  unknown r6
  r6 &= 8 ;; r6 -= 16
  r2 = r10 ;; r2 += r6
  r0 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== helper_writes_uninitialised_memory | tracepoint | accept
  r1 = r10 ;; r1 += -16 ;; r2 = 16
  call bpf_get_current_comm
  r0 = *(u64 *)(r10 -16)
  r0 = 0
  exit

== helper_writes_beyond | tracepoint | reject: invalid write to stack R1 off=-16 size=17
  r1 = r10 ;; r1 += -16 ;; r2 = 17
  call bpf_get_current_comm
  r0 = 0
  exit

== helper_writes_below | tracepoint | reject: invalid write to stack R1 off=-520 size=16
  r1 = r10 ;; r1 += -520 ;; r2 = 16
  call bpf_get_current_comm
  r0 = 0
  exit

== helper_writes_nothing | tracepoint | reject: R2 invalid zero-sized read: u64=[0,0]
  r1 = r10 ;; r1 += -16 ;; r2 = 0
  call bpf_get_current_comm
  r0 = 0
  exit

== helper_size_variable | tracepoint | accept | 5.10..6.1 reject: invalid indirect read from stack R1 off -16+0 size 16
  unknown r6
  if r6 > 16 goto out ;; if r6 < 1 goto out
  r1 = r10 ;; r1 += -16 ;; r2 = r6
  call bpf_get_current_comm
  leave

== helper_size_may_be_zero | tracepoint | reject: R2 invalid zero-sized read: u64=[0,16]
  unknown r6
  if r6 > 16 goto out
  r1 = r10 ;; r1 += -16 ;; r2 = r6
  call bpf_get_current_comm
  leave

== helper_size_unbounded | tracepoint | reject: R2 min value is negative, either use unsigned or 'var &= const'
  unknown r6
  r1 = r10 ;; r1 += -16 ;; r2 = r6
  call bpf_get_current_comm
  r0 = 0
  exit

== helper_size_negative | tracepoint | reject: R2 min value is negative, either use unsigned or 'var &= const'
  unknown r6
  if r6 s> 16 goto out
  r1 = r10 ;; r1 += -16 ;; r2 = r6
  call bpf_get_current_comm
  leave

== helper_size_one_too_many | tracepoint | reject: invalid write to stack R1 off=-16 size=17
  unknown r6
  if r6 > 17 goto out ;; if r6 < 1 goto out
  r1 = r10 ;; r1 += -16 ;; r2 = r6
  call bpf_get_current_comm
  leave

== helper_size_by_mask | tracepoint | accept | 5.10..6.1 reject: invalid indirect read from stack R1 off -16+0 size 16
  unknown r6
  r6 &= 15 ;; r6 += 1
  r1 = r10 ;; r1 += -16 ;; r2 = r6
  call bpf_get_current_comm
  r0 = 0
  exit

== stack_pointer_compared | socket | accept
  r2 = r10
  if r2 == 0 goto out
  r0 = 1
  exit
out:
  r0 = 0
  exit

== stack_pointer_multiplied | socket | reject: R2 pointer arithmetic with *= operator prohibited
  r2 = r10 ;; r2 *= 2
  r0 = 0
  exit

== stack_pointers_subtracted | socket | accept
  r2 = r10 ;; r3 = r10 ;; r3 += -8
  r2 -= r3
  r0 = r2
  exit

== stack_pointers_added | socket | reject: R2 pointer += pointer prohibited
  r2 = r10 ;; r3 = r10
  r2 += r3
  r0 = 0
  exit

== number_minus_stack_pointer | socket | reject: R2 tried to subtract pointer from scalar
  r2 = 8
  r2 -= r10
  r0 = 0
  exit

== stack_pointer_32_bit_arithmetic | socket | reject: R2 32-bit pointer arithmetic prohibited
  r2 = r10
  w2 += -8
  r0 = 0
  exit
