# Calls of subprograms: frames, arguments, results, the stack of a chain, tail calls.

== static_call | socket | accept
  r1 = 1
  call twice
  r0 = 0
  exit
.section .text
.func twice
.local twice
  r0 = r1
  r0 += r1
  exit

== arguments_are_known_inside | socket | accept
  element a48
  r1 = r0 ;; r2 = 40
  call get
  r0 = 0
  leave
.section .text
.func get
.local get
  r1 += r2
  r0 = *(u64 *)(r1 +0)
  exit

== arguments_are_known_inside_beyond | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  element a48
  r1 = r0 ;; r2 = 41
  call get
  r0 = 0
  leave
.section .text
.func get
.local get
  r1 += r2
  r0 = *(u64 *)(r1 +0)
  exit

== result_is_known_outside | socket | accept
  element a48
  r7 = r0
  call forty
  r7 += r0
  r0 = *(u64 *)(r7 +0)
  leave
.section .text
.func forty
.local forty
  r0 = 40
  exit

== result_pointer | socket | accept
  call find
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave
.section .text
.func find
.local find
  lookup a48
  exit

== result_pointer_unchecked | socket | reject: R0 invalid mem access 'map_value_or_null'
  call find
  r0 = *(u64 *)(r0 +0)
  exit
.section .text
.func find
.local find
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  exit

== no_result | socket | reject: R0 !read_ok
  call nothing
  exit
.section .text
.func nothing
.local nothing
  exit

== argument_uninitialised | socket | reject: R2 !read_ok
  call second
  r0 = 0
  exit
.section .text
.func second
.local second
  r0 = r2
  exit

== registers_are_lost | socket | reject: R2 !read_ok
  r2 = 1
  r1 = 1
  call one
  r0 = r2
  exit
.section .text
.func one
.local one
  r0 = 1
  exit

== callee_saved_registers_are_kept | socket | accept
  r6 = 1
  call one
  r0 = r6
  exit
.section .text
.func one
.local one
  r6 = 5
  r0 = 1
  exit

== callee_does_not_see_the_callers_registers | socket | reject: R6 !read_ok
  r6 = 1
  call six
  r0 = 0
  exit
.section .text
.func six
.local six
  r0 = r6
  exit

== stack_of_the_caller_written | socket | accept
  r1 = r10 ;; r1 += -8
  call fill
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit
.section .text
.func fill
.local fill
  *(u64 *)(r1 +0) = 7
  r0 = 0
  exit

== stack_of_the_caller_written_above | socket | reject: invalid write to stack R1 off=0 size=8
  r1 = r10
  call fill
  r0 = 0
  exit
.section .text
.func fill
.local fill
  *(u64 *)(r1 +0) = 7
  r0 = 0
  exit

== stack_of_the_callee_returned | socket | reject: cannot return stack pointer to the caller
  call local
  r0 = 0
  exit
.section .text
.func local
.local local
  r0 = r10 ;; r0 += -8
  exit

== stack_of_the_callee_stored_in_the_callers | socket | reject: cannot spill pointers to stack into stack frame of the caller
  r1 = r10 ;; r1 += -8
  *(u64 *)(r10 -8) = 0
  call local
  r0 = 0
  exit
.section .text
.func local
.local local
  *(u64 *)(r1 +0) = r10
  r0 = 0
  exit

== stack_of_the_caller_in_the_callees | socket | accept
  r1 = r10 ;; r1 += -8
  *(u64 *)(r10 -8) = 5
  call local
  r0 = 0
  exit
.section .text
.func local
.local local
  *(u64 *)(r10 -8) = r1
  r2 = *(u64 *)(r10 -8)
  r0 = *(u64 *)(r2 +0)
  exit

== frames_together_too_deep | socket | reject: combined stack size of 2 calls is 608. Too large
  *(u64 *)(r10 -304) = 0
  call deep
  r0 = 0
  exit
.section .text
.func deep
.local deep
  *(u64 *)(r10 -304) = 0
  r0 = 0
  exit

== frames_together_fit | socket | accept
  *(u64 *)(r10 -256) = 0
  call deep
  r0 = 0
  exit
.section .text
.func deep
.local deep
  *(u64 *)(r10 -224) = 0
  r0 = 0
  exit

== frames_one_after_the_other_fit | socket | accept
  *(u64 *)(r10 -128) = 0
  call deep
  call deep
  r0 = 0
  exit
.section .text
.func deep
.local deep
  *(u64 *)(r10 -256) = 0
  r0 = 0
  exit

== private_stack_of_a_kprobe | kprobe | accept | <6.13 reject
  *(u64 *)(r10 -504) = 0
  call deep
  r0 = 0
  exit
.section .text
.func deep
.local deep
  *(u64 *)(r10 -104) = 0
  r0 = 0
  exit

== recursion | socket | reject: the call stack of 9 frames is too deep
  call again
  r0 = 0
  exit
.section .text
.func again
.local again
  call again
  r0 = 0
  exit

== recursion_of_two | socket | reject: the call stack of 9 frames is too deep
  call a
  r0 = 0
  exit
.section .text
.func a
.local a
  call b
  exit
.func b
.local b
  call a
  exit

== eight_frames | socket | accept
  call f1 ;; r0 = 0
  exit
.section .text
.func f1
.local f1
  call f2 ;; exit
.func f2
.local f2
  call f3 ;; exit
.func f3
.local f3
  call f4 ;; exit
.func f4
.local f4
  call f5 ;; exit
.func f5
.local f5
  call f6 ;; exit
.func f6
.local f6
  call f7 ;; exit
.func f7
.local f7
  r0 = 0 ;; exit

== nine_frames | socket | reject: the call stack of 9 frames is too deep | >=7.3 accept
  call f1 ;; r0 = 0
  exit
.section .text
.func f1
.local f1
  call f2 ;; exit
.func f2
.local f2
  call f3 ;; exit
.func f3
.local f3
  call f4 ;; exit
.func f4
.local f4
  call f5 ;; exit
.func f5
.local f5
  call f6 ;; exit
.func f6
.local f6
  call f7 ;; exit
.func f7
.local f7
  call f8 ;; exit
.func f8
.local f8
  r0 = 0 ;; exit

== call_in_a_loop | socket | accept
  r6 = 0
again:
  call one
  r6 += 1
  if r6 < 10 goto again
  r0 = 0
  exit
.section .text
.func one
.local one
  r0 = 1
  exit

== reference_released_by_the_callee | tc | accept
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0
  call bpf_ringbuf_reserve
  if r0 == 0 goto out
  r1 = r0
  call release
  leave
.section .text
.func release
.local release
  r2 = 0
  call bpf_ringbuf_discard
  r0 = 0
  exit

== reference_taken_by_the_callee | tc | accept
  call take
  if r0 == 0 goto out
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_discard
  leave
.section .text
.func take
.local take
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0
  call bpf_ringbuf_reserve
  exit

== reference_leaked_by_the_callee | tc | reject: Unreleased reference id=2 alloc_insn=7
  call take
  r0 = 0
  exit
.section .text
.func take
.local take
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0
  call bpf_ringbuf_reserve
  r0 = 0
  exit

== packet_moved_by_the_callee | xdp | reject: R6 invalid mem access 'scalar'
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  r2 = r6 ;; r2 += 8
  if r2 > r7 goto out
  call move
  r0 = *(u8 *)(r6 +0)
  leave
.section .text
.func move
.local move
  r2 = 0
  call bpf_xdp_adjust_head
  exit

== packet_checked_by_the_callee | xdp | accept
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  r1 = r6 ;; r2 = r7
  call check
  if r0 == 0 goto out
  r0 = *(u64 *)(r6 +0)
  leave
.section .text
.func check
.local check
  r1 += 8
  if r1 > r2 goto no
  r0 = 1
  exit
no:
  r0 = 0
  exit

== context_passed | xdp | accept
  call length
  r0 = 0
  exit
.section .text
.func length
.local length
  r0 = *(u32 *)(r1 +4)
  r1 = *(u32 *)(r1 +0)
  r0 -= r1
  exit

== call_over_an_exit | socket | accept
  r0 = 0
  call pc+1
  exit
  r0 = 1 ll
  exit

== call_into_a_wide_load | socket | reject: last insn is not an exit or jmp
  call pc+3
  r0 = 0
  exit
  r0 = 1 ll
  exit

== call_out_of_the_program | socket | reject: call to invalid destination
  call pc+100
  r0 = 0
  exit

== call_of_itself | socket | reject: last insn is not an exit or jmp
  r0 = 0
  call pc-1
  exit

== jump_into_a_subprogram | socket | reject: jump out of range from insn 1 to 5
  r0 = 0
  if r0 == 1 goto pc+3
  call pc+1
  exit
  r0 = 2
  exit

== subprogram_falls_through | socket | reject: last insn is not an exit or jmp
  call pc+2
  r0 = 0
  exit
  r0 = 2
  r0 = 3

== subprogram_never_called | socket | reject: unreachable insn 2
  r0 = 0
  exit
  call pc+1
  exit
  r0 = 0
  exit

== tail_call | socket | accept
  r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  r0 = 0
  exit

== tail_call_with_another_map | socket | reject: expected prog array map for tail call
  r2 = map[a4] ll ;; r3 = 0
  call bpf_tail_call
  r0 = 0
  exit

== tail_call_without_the_context | socket | reject: R1 type=scalar expected=ctx
  r1 = 0
  r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  r0 = 0
  exit

== tail_call_index_unknown | socket | accept
  r6 = r1
  unknown r7
  r1 = r6 ;; r2 = map[progs] ll ;; r3 = r7
  call bpf_tail_call
  r0 = 0
  exit

== tail_call_in_a_subprogram_without_types | tc | reject: tail_call is not allowed in subprogs without BTF
  call jump
  r0 = 0
  exit
.section .text
.func jump
.local jump
  r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  r0 = 0
  exit

== tail_call_in_a_subprogram_with_a_deep_caller | tc | reject: tail_call is not allowed in subprogs without BTF
  *(u64 *)(r10 -264) = 0
  call jump
  r0 = 0
  exit
.section .text
.func jump
.local jump
  r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  r0 = 0
  exit

== tail_call_may_move_the_packet | tc | reject: tail_call is not allowed in subprogs without BTF
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  r2 = r6 ;; r2 += 8
  if r2 > r7 goto out
  call jump
  r0 = *(u8 *)(r6 +0)
  leave
.section .text
.func jump
.local jump
  r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  r0 = 0
  exit

== ld_abs_in_a_subprogram | tc | reject: LD_ABS is not allowed in subprogs without BTF
  call load
  r0 = 0
  exit
.section .text
.func load
.local load
  r6 = r1
  r0 = *(u8 *)skb[0]
  exit

== unprivileged_calls | socket unprivileged | reject: loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN
  call one
  r0 = 0
  exit
.section .text
.func one
.local one
  r0 = 1
  exit

== bounds_from_the_callees_branches | socket | accept
  element a48
  r7 = r0
  unknown r6
  r1 = r6
  call clamp
  r7 += r0
  r0 = *(u64 *)(r7 +0)
  leave
.section .text
.func clamp
.local clamp
  if r1 > 40 goto big
  r0 = r1
  exit
big:
  r0 = 40
  exit

== bounds_from_the_callees_branches_beyond | socket | reject: invalid access to map value, value_size=48 off=41 size=8
  element a48
  r7 = r0
  unknown r6
  r1 = r6
  call clamp
  r7 += r0
  r0 = *(u64 *)(r7 +0)
  leave
.section .text
.func clamp
.local clamp
  if r1 > 40 goto big
  r0 = r1
  exit
big:
  r0 = 41
  exit

== check_in_the_callee_reaches_the_caller | socket | accept
  element a48
  r7 = r0
  unknown r6
  r1 = r6
  call small
  if r0 == 0 goto out
  r7 += r6
  r0 = *(u64 *)(r7 +0)
  leave
.section .text
.func small
.local small
  if r1 > 40 goto big
  r0 = 1
  exit
big:
  r0 = 0
  exit
