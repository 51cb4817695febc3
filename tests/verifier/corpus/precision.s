# Pruning and precision: two paths meet; the second may be cut off only if what the first found out covers it.

== second_path_is_worse | socket | reject: invalid access to map value, value_size=48 off=1000 size=1
  setup a48 r6
  r8 = 0
  if r6 > 100 goto join
  r8 = 1000
join:
  r7 += r8
  r0 = *(u8 *)(r7 +0)
  leave

== first_path_is_worse | socket | reject: invalid access to map value, value_size=48 off=1000 size=1
  setup a48 r6
  r8 = 1000
  if r6 > 100 goto join
  r8 = 0
join:
  r7 += r8
  r0 = *(u8 *)(r7 +0)
  leave

== unused_difference_is_pruned | socket | accept
  setup a48 r6
  r8 = 1000
  if r6 > 100 goto join
  r8 = 0
join:
  r0 = *(u8 *)(r7 +0)
  leave

== difference_through_arithmetic | socket | reject: invalid access to map value, value_size=48 off=1003 size=1
  setup a48 r6
  r8 = 5
  if r6 > 100 goto join
  r8 = 500
join:
  r9 = r8
  r9 *= 2
  r9 += 3
  r7 += r9
  r0 = *(u8 *)(r7 +0)
  leave

== difference_through_the_stack | socket | reject: invalid access to map value, value_size=48 off=500 size=1
  setup a48 r6
  *(u64 *)(r10 -16) = 5
  if r6 > 100 goto join
  *(u64 *)(r10 -16) = 500
join:
  r9 = *(u64 *)(r10 -16)
  r7 += r9
  r0 = *(u8 *)(r7 +0)
  leave

== difference_through_two_slots | socket | reject: invalid access to map value, value_size=48 off=500 size=1
  setup a48 r6
  r8 = 5
  if r6 > 100 goto join
  r8 = 500
join:
  *(u64 *)(r10 -16) = r8
  r9 = *(u64 *)(r10 -16)
  *(u64 *)(r10 -24) = r9
  r9 = 0
  r9 = *(u64 *)(r10 -24)
  r7 += r9
  r0 = *(u8 *)(r7 +0)
  leave

== difference_through_a_subprogram | socket | reject: invalid access to map value, value_size=48 off=500 size=1
  setup a48 r6
  r8 = 5
  if r6 > 100 goto join
  r8 = 500
join:
  r1 = r8
  call same
  r7 += r0
  r0 = *(u8 *)(r7 +0)
  leave
.section .text
.func same
.local same
  r0 = r1
  exit

== difference_kept_over_a_subprogram | socket | reject: invalid access to map value, value_size=48 off=500 size=1
  setup a48 r6
  r8 = 5
  if r6 > 100 goto join
  r8 = 500
join:
  call nothing
  r7 += r8
  r0 = *(u8 *)(r7 +0)
  leave
.section .text
.func nothing
.local nothing
  r8 = 7
  r0 = 0
  exit

== difference_in_the_callers_stack | socket | reject: invalid access to map value, value_size=48 off=500 size=1
  setup a48 r6
  *(u64 *)(r10 -16) = 5
  if r6 > 100 goto join
  *(u64 *)(r10 -16) = 500
join:
  r1 = r10 ;; r1 += -16
  call get
  r7 += r0
  r0 = *(u8 *)(r7 +0)
  leave
.section .text
.func get
.local get
  r0 = *(u64 *)(r1 +0)
  exit

== difference_in_a_size | tracepoint | reject: invalid access to map value, value_size=48 off=0 size=500
  setup a48 r6
  r8 = 5
  if r6 > 100 goto join
  r8 = 500
join:
  r1 = r7 ;; r2 = r8 ;; r3 = 0
  call bpf_probe_read_kernel
  leave

== difference_in_a_loop_bound | socket | accept
  unknown r6
  r8 = 5
  if r6 > 100 goto join
  r8 = 7
join:
  r7 = 0
again:
  r7 += 1
  if r7 < r8 goto again
  r0 = 0
  exit

== difference_of_linked_registers | socket | reject: math between map_value pointer and register with unbounded min value is not allowed
  setup a48 r6
  r8 = r6
  if r6 == 1 goto join
  unknown r8
join:
  if r6 > 40 goto out
  read_at r8 u8

== pointer_kinds_differ | socket | reject: R8 invalid mem access 'scalar'
  setup a48 r6
  r8 = r7
  if r6 > 100 goto join
  r8 = 0
join:
  r0 = *(u8 *)(r8 +0)
  leave

== null_checked_on_one_path | socket | reject: R0 invalid mem access 'map_value_or_null'
  unknown r6
  *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -8
  r1 = map[h8] ll
  call bpf_map_lookup_elem
  if r6 == 0 goto use
  if r0 == 0 goto out
use:
  r0 = *(u8 *)(r0 +0)
  leave

== packet_checked_on_one_path | xdp | reject: invalid access to packet, off=0 size=1, R6(id=0,off=0,r=0)
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  unknown r8
  if r8 == 0 goto use
  r2 = r6 ;; r2 += 8
  if r2 > r7 goto out
use:
  r0 = *(u8 *)(r6 +0)
  leave

== packet_checked_for_less_on_one_path | xdp | reject: invalid access to packet, off=0 size=8, R6(id=0,off=0,r=4)
  r6 = *(u32 *)(r1 +0) ;; r7 = *(u32 *)(r1 +4)
  unknown r8
  r2 = r6 ;; r2 += 4
  if r2 > r7 goto out
  if r8 == 0 goto use
  r2 = r6 ;; r2 += 8
  if r2 > r7 goto out
use:
  r0 = *(u64 *)(r6 +0)
  leave

== stack_initialised_on_one_path_unprivileged | socket unprivileged | reject: invalid read from stack R10 off=-8 size=8
  r6 = *(u32 *)(r1 +0)
  if r6 == 0 goto use
  *(u64 *)(r10 -8) = 0
use:
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit

== register_initialised_on_one_path | socket | reject: R8 !read_ok
  unknown r6
  if r6 == 0 goto use
  r8 = 0
use:
  r0 = r8
  exit

== reference_held_on_one_path | tracepoint | reject: Unreleased reference id=3 alloc_insn=10
  unknown r6
  if r6 == 0 goto use
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0
  call bpf_ringbuf_reserve
use:
  r0 = 0
  exit

== wider_then_narrower | socket | accept
  setup a48 r6
  unknown r8
  r6 &= 31
  if r8 == 0 goto join
  r6 &= 7
join:
  read_at r6 u64

== narrower_then_wider | socket | accept
  setup a48 r6
  unknown r8
  r6 &= 31
  if r8 != 0 goto join
  r6 &= 7
join:
  read_at r6 u64

== many_paths_one_state | socket | accept
  r6 = r1
  r7 = *(u32 *)(r1 +0)
  if r7 == 1 goto j1
j1:
  if r7 == 2 goto j2
j2:
  if r7 == 3 goto j3
j3:
  if r7 == 4 goto j4
j4:
  if r7 == 5 goto j5
j5:
  if r7 == 6 goto j6
j6:
  if r7 == 7 goto j7
j7:
  if r7 == 8 goto j8
j8:
  r0 = 0
  exit

== constant_folded_branch_on_both_paths | socket | accept
  setup a48 r6
  r8 = 1
  if r6 > 100 goto join
  r8 = 2
join:
  if r8 > 5 goto bad
  goto out
bad:
  r0 = *(u8 *)(r7 +100)
  leave

== constant_folded_branch_wrong_on_one_path | socket | reject: invalid access to map value, value_size=48 off=100 size=1
  setup a48 r6
  r8 = 1
  if r6 > 100 goto join
  r8 = 7
join:
  if r8 > 5 goto bad
  goto out
bad:
  r0 = *(u8 *)(r7 +100)
  leave

== atomic_fetch_result_is_what_the_slot_held | socket | accept | 5.10 reject: BPF_STX uses reserved fields
  setup a48 r6
  *(u64 *)(r10 -16) = 8
  r8 = 8
  r8 = atomic64_fetch_add((u64 *)(r10 -16), r8)
  r7 += r8
  r0 = *(u8 *)(r7 +0)
  leave
