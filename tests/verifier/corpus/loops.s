# Loops, and what makes the verifier see their end: counters, exact states, may_goto, iterators.
.extern bpf_iter_num_new kfunc
.extern bpf_iter_num_next kfunc
.extern bpf_iter_num_destroy kfunc
# an iterator over 0..N at r10-8
.macro begin_numbers N
  r1 = r10 ;; r1 += -8 ;; r2 = 0 ;; r3 = $N
  call kfunc[bpf_iter_num_new]
.endm
.macro next_number
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_iter_num_next]
.endm
.macro end_numbers
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_iter_num_destroy]
.endm

== counted_down | socket | accept
  r6 = 10
again:
  r6 += -1
  if r6 != 0 goto again
  r0 = 0
  exit

== counted_up | socket | accept
  r6 = 0
again:
  r6 += 1
  if r6 < 100 goto again
  r0 = 0
  exit

== counted_in_32_bits | socket | accept
  w6 = 0
again:
  w6 += 1
  if w6 < 100 goto again
  r0 = 0
  exit

== counted_in_steps | socket | accept
  r6 = 0
again:
  r6 += 7
  if r6 s< 100 goto again
  r0 = 0
  exit

== counter_on_the_stack | socket | accept
  *(u64 *)(r10 -8) = 0
again:
  r1 = *(u64 *)(r10 -8)
  r1 += 1
  *(u64 *)(r10 -8) = r1
  if r1 < 50 goto again
  r0 = 0
  exit

== never_counted | socket | reject: infinite loop detected at insn 1
  r6 = 0
again:
  if r6 < 100 goto again
  r0 = 0
  exit

== without_end | socket | reject: unreachable insn 2
again:
  r0 = 0
  goto again
  exit

== counter_in_memory_without_end | socket | reject: infinite loop detected at insn 9
  element a8
  r6 = r0
again:
  r1 = *(u64 *)(r6 +0)
  if r1 != 0 goto again
  leave

== unknown_condition_same_state | socket | reject: infinite loop detected at insn 1
  r6 = 0
again:
  call bpf_get_prandom_u32
  if r0 != 0 goto again
  r0 = 0
  exit

== many_turns | socket | accept
  r6 = 0
again:
  r6 += 1
  if r6 < 10000 goto again
  r0 = 0
  exit

== bound_known_by_range | socket | accept
  unknown r7
  r7 &= 63
  r6 = 0
again:
  r6 += 1
  if r6 < r7 goto again
  r0 = 0
  exit

== bound_unknown | socket slow | reject: BPF program is too large. Processed 1000001 insn
  unknown r7
  r6 = 0
again:
  r6 += 1
  if r6 < r7 goto again
  r0 = 0
  exit

== nested | socket | accept
  r6 = 0
outer:
  r7 = 0
inner:
  r7 += 1
  if r7 < 10 goto inner
  r6 += 1
  if r6 < 10 goto outer
  r0 = 0
  exit

== index_of_an_array | socket | accept
  element a48
  r7 = r0
  r6 = 0
again:
  r1 = r7 ;; r1 += r6
  *(u8 *)(r1 +0) = 1
  r6 += 1
  if r6 < 48 goto again
  leave

== index_of_an_array_one_too_far | socket | reject: invalid access to map value, value_size=48 off=48 size=1
  element a48
  r7 = r0
  r6 = 0
again:
  r1 = r7 ;; r1 += r6
  *(u8 *)(r1 +0) = 1
  r6 += 1
  if r6 < 49 goto again
  leave

== pointer_walks | socket | accept
  element a48
  r7 = r0
  r6 = 0
again:
  *(u8 *)(r7 +0) = 1
  r7 += 1
  r6 += 1
  if r6 < 48 goto again
  leave

== packet_walked_by_a_loop | xdp | accept
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  r8 = 0
again:
  r2 = r6 ;; r2 += 1
  if r2 > r7 goto out
  r0 = *(u8 *)(r6 +0)
  r6 += 1
  r8 += 1
  if r8 < 20 goto again
  leave

== loop_entered_in_the_middle | socket | accept | 5.10..6.1 reject: back-edge from insn 2 to 3
  r6 = 0
  goto middle
again:
  r6 += 1
middle:
  if r6 < 10 goto again
  r0 = 0
  exit

== leaves_by_a_break | socket | accept
  r6 = 0
again:
  call bpf_get_prandom_u32
  if r0 == 0 goto out
  r6 += 1
  if r6 < 20 goto again
  leave

== branches_inside_do_not_explode | socket | accept
  r6 = 0 ;; r7 = 0
again:
  call bpf_get_prandom_u32
  if r0 == 0 goto even
  r7 = 1
even:
  r7 = 0
  r6 += 1
  if r6 < 100 goto again
  r0 = r7
  exit

== branches_inside_explode | socket slow | reject: BPF program is too large. Processed 1000001 insn
  r6 = 0 ;; r7 = 0
again:
  call bpf_get_prandom_u32
  r7 <<= 1
  if r0 == 0 goto even
  r7 += 1
even:
  r6 += 1
  if r6 < 60 goto again
  element a48
  r7 &= 31
  r0 += r7
  r0 = *(u8 *)(r0 +0)
  leave

== may_goto_ends | socket | accept | 5.10..6.1 reject: unknown opcode e5
again:
  may_goto out
  goto again
  leave

== may_goto_with_a_body | socket | accept | 5.10..6.1 reject: unknown opcode e5
  r6 = 0
again:
  may_goto out
  r6 += 1
  goto again
  leave

== may_goto_teaches_no_bound | socket | reject: invalid access to map value, value_size=48 off=48 size=1
  element a48
  r7 = r0
  r6 = 0
again:
  may_goto out
  r1 = r7 ;; r1 += r6
  *(u8 *)(r1 +0) = 1
  r6 += 1
  goto again
  leave

== may_goto_with_a_check | socket | accept | 5.10..6.1 reject: unknown opcode e5
  element a48
  r7 = r0
  r6 = 0
again:
  may_goto out
  if r6 >= 48 goto out
  r1 = r7 ;; r1 += r6
  *(u8 *)(r1 +0) = 1
  r6 += 1
  goto again
  leave

== may_goto_reserved_field | socket | reject: invalid may_goto imm 1
  r0 = 0
  .slot 0x00000001000000e5
  exit

== may_goto_out_of_the_program | socket | reject: jump out of range from insn 1 to 12
  r0 = 0
  may_goto pc+10
  exit

== may_goto_unprivileged | socket unprivileged | reject: back-edge from insn 1 to 0
again:
  may_goto out
  goto again
  leave

== iterator | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  begin_numbers 10
again:
  next_number
  if r0 == 0 goto done
  goto again
done:
  end_numbers
  r0 = 0
  exit

== iterator_element_is_bounded | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  element a48
  r7 = r0
  begin_numbers 40
again:
  next_number
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 +0)
  if r1 > 40 goto again
  r2 = r7 ;; r2 += r1
  *(u64 *)(r2 +0) = 1
  goto again
done:
  end_numbers
  leave

== iterator_element_unchecked | tracepoint | reject: value -2147483648 makes map_value pointer be out of bounds
  element a48
  r7 = r0
  begin_numbers 40
again:
  next_number
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 +0)
  r7 += r1
  *(u64 *)(r7 +0) = 1
  goto again
done:
  end_numbers
  leave

== iterator_element_null_unchecked | tracepoint | reject: R0 invalid mem access 'scalar'
  begin_numbers 10
  next_number
  r1 = *(u32 *)(r0 +0)
  end_numbers
  r0 = 0
  exit

== iterator_element_written | tracepoint | reject: R0 cannot write into rdonly_mem
  begin_numbers 10
  next_number
  if r0 == 0 goto done
  *(u32 *)(r0 +0) = 1
done:
  end_numbers
  r0 = 0
  exit

== iterator_never_destroyed | tracepoint | reject: Unreleased reference id=1 alloc_insn=4
  begin_numbers 10
  r0 = 0
  exit

== iterator_destroyed_on_one_path | tracepoint | reject: Unreleased reference id=1 alloc_insn=4
  begin_numbers 10
  next_number
  if r0 == 0 goto out
  end_numbers
  leave

== iterator_not_begun | tracepoint | reject: expected an initialized iter_num as arg #0
  next_number
  r0 = 0
  exit

== iterator_destroyed_twice | tracepoint | reject: expected an initialized iter_num as arg #0
  begin_numbers 10
  end_numbers
  end_numbers
  r0 = 0
  exit

== iterator_begun_twice | tracepoint | reject: expected uninitialized iter_num as arg #0
  begin_numbers 10
  begin_numbers 10
  end_numbers
  r0 = 0
  exit

== iterator_begun_again_after_destroy | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  begin_numbers 10
  end_numbers
  begin_numbers 10
  end_numbers
  r0 = 0
  exit

== iterator_used_after_destroy | tracepoint | reject: expected an initialized iter_num as arg #0
  begin_numbers 10
  end_numbers
  next_number
  r0 = 0
  exit

== iterator_overwritten | tracepoint | reject: expected an initialized iter_num as arg #0
  begin_numbers 10
  *(u64 *)(r10 -8) = 0
  end_numbers
  r0 = 0
  exit

== iterator_read | tracepoint | reject: invalid read from stack off -8+0 size 8
  begin_numbers 10
  r6 = *(u64 *)(r10 -8)
  end_numbers
  r0 = 0
  exit

== iterator_at_a_misaligned_place | tracepoint | reject: cannot pass in iter at an offset=-12
  r1 = r10 ;; r1 += -12 ;; r2 = 0 ;; r3 = 10
  call kfunc[bpf_iter_num_new]
  r0 = 0
  exit

== iterator_in_a_map_value | tracepoint | reject: arg#0 expected pointer to an iterator on stack
  element a48
  r1 = r0 ;; r2 = 0 ;; r3 = 10
  call kfunc[bpf_iter_num_new]
  leave

== iterator_in_a_moved_pointer | tracepoint | reject: iter has to be at a constant offset
  unknown r6
  r6 &= 8
  r1 = r10 ;; r1 += -16 ;; r1 += r6 ;; r2 = 0 ;; r3 = 10
  call kfunc[bpf_iter_num_new]
  r0 = 0
  exit

== iterator_two_at_once | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  begin_numbers 10
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = 5
  call kfunc[bpf_iter_num_new]
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_iter_num_destroy]
  end_numbers
  r0 = 0
  exit

== iterator_with_a_sum | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  r6 = 0
  begin_numbers 10
again:
  next_number
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 +0)
  r6 += r1
  goto again
done:
  end_numbers
  r0 = 0
  exit

== iterator_with_a_counter_that_is_an_index | tracepoint | reject: invalid access to map value, value_size=48 off=48 size=1
  element a48
  r7 = r0
  r6 = 0
  begin_numbers 10
again:
  next_number
  if r0 == 0 goto done
  r1 = r7 ;; r1 += r6
  *(u8 *)(r1 +0) = 1
  r6 += 1
  goto again
done:
  end_numbers
  leave

== iterator_left_by_a_break | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  begin_numbers 10
again:
  next_number
  if r0 == 0 goto done
  r1 = *(s32 *)(r0 +0)
  if r1 == 5 goto done
  goto again
done:
  end_numbers
  r0 = 0
  exit

== iterator_nested | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_iter_num_new`
  begin_numbers 10
outer:
  next_number
  if r0 == 0 goto done
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = 5
  call kfunc[bpf_iter_num_new]
inner:
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_iter_num_next]
  if r0 != 0 goto inner
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_iter_num_destroy]
  goto outer
done:
  end_numbers
  r0 = 0
  exit
