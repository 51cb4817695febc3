# Dynptrs: made once, known by their slots, released if they hold something, their slices dead after that.
.extern bpf_dynptr_from_skb kfunc
.extern bpf_dynptr_from_xdp kfunc
.extern bpf_dynptr_slice kfunc
.extern bpf_dynptr_slice_rdwr kfunc
.extern bpf_dynptr_size kfunc
.extern bpf_dynptr_is_null kfunc
.extern bpf_dynptr_adjust kfunc
.extern bpf_dynptr_clone kfunc
# a dynptr of 8 bytes of the ring at r10-16
.macro reserve
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -16
  call bpf_ringbuf_reserve_dynptr
.endm
.macro discard
  r1 = r10 ;; r1 += -16 ;; r2 = 0
  call bpf_ringbuf_discard_dynptr
.endm
# a dynptr of a value of 48 bytes at r10-24
.macro of_value
  element a48
  r1 = r0 ;; r2 = 48 ;; r3 = 0 ;; r4 = r10 ;; r4 += -24
  call bpf_dynptr_from_mem
.endm
.macro data OFF LEN AT
  r1 = r10 ;; r1 += $AT ;; r2 = $OFF ;; r3 = $LEN
  call bpf_dynptr_data
.endm

== reserved_and_discarded | tracepoint | accept | 5.10 reject: invalid func unknown#198
  reserve
  discard
  r0 = 0
  exit

== reserved_and_submitted | tracepoint | accept | 5.10 reject: invalid func unknown#198
  reserve
  r1 = r10 ;; r1 += -16 ;; r2 = 0
  call bpf_ringbuf_submit_dynptr
  r0 = 0
  exit

== leaked | tracepoint | reject: Unreleased reference id=2 alloc_insn=6
  reserve
  r0 = 0
  exit

== discarded_twice | tracepoint | reject: arg 1 is an unacquired reference
  reserve
  discard
  discard
  r0 = 0
  exit

== discarded_unmade | tracepoint | reject: arg 1 is an unacquired reference
  discard
  r0 = 0
  exit

== made_twice_in_one_place | tracepoint | reject: cannot overwrite referenced dynptr
  reserve
  reserve
  discard
  r0 = 0
  exit

== overwritten | tracepoint | reject: cannot overwrite referenced dynptr
  reserve
  *(u64 *)(r10 -16) = 0
  discard
  r0 = 0
  exit

== overwritten_partly | tracepoint | reject: cannot overwrite referenced dynptr
  reserve
  *(u8 *)(r10 -1) = 0
  discard
  r0 = 0
  exit

== read | tracepoint | reject: invalid read from stack off -16+0 size 8
  reserve
  r6 = *(u64 *)(r10 -16)
  discard
  r0 = 0
  exit

== used_at_its_second_slot | tracepoint | reject: cannot pass in dynptr at an offset=-8
  reserve
  r1 = r10 ;; r1 += -8 ;; r2 = 0
  call bpf_ringbuf_discard_dynptr
  r0 = 0
  exit

== at_a_misaligned_place | tracepoint | reject: cannot pass in dynptr at an offset=-20
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -20
  call bpf_ringbuf_reserve_dynptr
  r0 = 0
  exit

== above_the_frame | tracepoint | reject: cannot pass in dynptr at an offset=-8
  r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -8
  call bpf_ringbuf_reserve_dynptr
  r0 = 0
  exit

== in_a_map_value | tracepoint | reject: R4 type=map_value expected=fp, dynptr_ptr
  element a48
  r4 = r0 ;; r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0
  call bpf_ringbuf_reserve_dynptr
  leave

== at_a_variable_place | tracepoint | reject: dynptr has to be at a constant offset
  unknown r6
  r6 &= 8
  r4 = r10 ;; r4 += -24 ;; r4 += r6 ;; r1 = map[ring] ll ;; r2 = 8 ;; r3 = 0
  call bpf_ringbuf_reserve_dynptr
  r0 = 0
  exit

== of_a_value | tracepoint | accept | 5.10 reject: invalid func unknown#197
  of_value
  leave

== of_a_value_too_large | tracepoint | reject: invalid access to map value, value_size=48 off=0 size=49
  element a48
  r1 = r0 ;; r2 = 49 ;; r3 = 0 ;; r4 = r10 ;; r4 += -24
  call bpf_dynptr_from_mem
  leave

== of_the_stack | tracepoint | reject: Unsupported reg type fp for bpf_dynptr_from_mem data
  *(u64 *)(r10 -32) = 0
  r1 = r10 ;; r1 += -32 ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -24
  call bpf_dynptr_from_mem
  r0 = 0
  exit

== of_a_value_may_be_overwritten | tracepoint | accept | 5.10 reject: invalid func unknown#197
  of_value
  *(u64 *)(r10 -24) = 0
  leave

== of_a_value_used_after_overwriting | tracepoint | reject: Expected an initialized dynptr as arg #0
  of_value
  *(u64 *)(r10 -24) = 0
  data 0 8 -24
  leave

== of_a_value_released | tracepoint | reject: arg 1 is an unacquired reference
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0
  call bpf_ringbuf_discard_dynptr
  leave

== data | tracepoint | accept | 5.10 reject: invalid func unknown#197
  of_value
  data 0 8 -24
  if r0 == 0 goto out
  *(u64 *)(r0 +0) = 1
  leave

== data_unchecked | tracepoint | reject: R0 invalid mem access 'mem_or_null'
  of_value
  data 0 8 -24
  *(u64 *)(r0 +0) = 1
  leave

== data_beyond | tracepoint | reject: invalid access to memory, mem_size=8 off=1 size=8
  of_value
  data 0 8 -24
  if r0 == 0 goto out
  *(u64 *)(r0 +1) = 1
  leave

== data_of_unknown_length | tracepoint | reject: R3 is not a known constant'
  of_value
  unknown r6
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r6
  call bpf_dynptr_data
  leave

== data_after_discard | tracepoint | reject: R6 invalid mem access 'scalar'
  reserve
  data 0 8 -16
  if r0 == 0 goto done
  r6 = r0
  discard
  *(u64 *)(r6 +0) = 1
  leave
done:
  discard
  goto out

== data_after_overwriting | tracepoint | reject: R0 invalid mem access 'scalar' | 6.1 accept
  of_value
  data 0 8 -24
  if r0 == 0 goto out
  *(u64 *)(r10 -24) = 0
  *(u64 *)(r0 +0) = 1
  leave

== read_helper | tracepoint | accept | 5.10 reject: invalid func unknown#197
  of_value
  r1 = r10 ;; r1 += -40 ;; r2 = 8 ;; r3 = r10 ;; r3 += -24 ;; r4 = 0 ;; r5 = 0
  call bpf_dynptr_read
  leave

== read_helper_without_a_dynptr | tracepoint | reject: Expected an initialized dynptr as arg #2
  r1 = r10 ;; r1 += -40 ;; r2 = 8 ;; r3 = r10 ;; r3 += -24 ;; r4 = 0 ;; r5 = 0
  call bpf_dynptr_read
  r0 = 0
  exit

== read_helper_over_itself | tracepoint | reject: potential write to dynptr at off=-16 disallowed
  reserve
  r1 = r10 ;; r1 += -16 ;; r2 = 8 ;; r3 = r10 ;; r3 += -16 ;; r4 = 0 ;; r5 = 0
  call bpf_dynptr_read
  discard
  r0 = 0
  exit

== write_helper | tracepoint | accept | 5.10 reject: invalid func unknown#197
  *(u64 *)(r10 -40) = 0
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = 8 ;; r5 = 0
  call bpf_dynptr_write
  leave

== spilled_over_by_a_helper | tracepoint | reject: potential write to dynptr at off=-16 disallowed
  reserve
  r1 = r10 ;; r1 += -16 ;; r2 = 16
  call bpf_get_current_comm
  discard
  r0 = 0
  exit

== leaked_on_one_path | tracepoint | reject: Unreleased reference id=2 alloc_insn=6
  reserve
  unknown r6
  if r6 == 0 goto out
  discard
  leave

== size | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_size`
  of_value
  r1 = r10 ;; r1 += -24
  call kfunc[bpf_dynptr_size]
  leave

== size_of_nothing | tracepoint | reject: Expected an initialized dynptr as arg #0
  r1 = r10 ;; r1 += -24
  call kfunc[bpf_dynptr_size]
  r0 = 0
  exit

== adjust | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_adjust`
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = 8
  call kfunc[bpf_dynptr_adjust]
  leave

== clone | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_clone`
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = r10 ;; r2 += -48
  call kfunc[bpf_dynptr_clone]
  leave

== clone_dies_with_its_origin | tracepoint | reject: Expected an initialized dynptr as arg #0
  reserve
  r1 = r10 ;; r1 += -16 ;; r2 = r10 ;; r2 += -48
  call kfunc[bpf_dynptr_clone]
  discard
  data 0 8 -48
  r0 = 0
  exit

== slice | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_slice`
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = 8
  call kfunc[bpf_dynptr_slice]
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +0)
  leave

== slice_written | tracepoint | reject: R0 cannot write into rdonly_mem
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = 8
  call kfunc[bpf_dynptr_slice]
  if r0 == 0 goto out
  *(u64 *)(r0 +0) = 1
  leave

== slice_rdwr_written | tracepoint | reject: the prog does not allow writes to packet data
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = 8
  call kfunc[bpf_dynptr_slice_rdwr]
  if r0 == 0 goto out
  *(u64 *)(r0 +0) = 1
  leave

== slice_beyond | tracepoint | reject: invalid access to memory, mem_size=8 off=1 size=8
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = 8
  call kfunc[bpf_dynptr_slice]
  if r0 == 0 goto out
  r0 = *(u64 *)(r0 +1)
  leave

== slice_of_unknown_length | tracepoint | reject: R4 must be a known constant
  of_value
  unknown r6
  r6 &= 8
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = r6
  call kfunc[bpf_dynptr_slice]
  leave

== slice_buffer_too_small | tracepoint | reject: invalid read from stack R3 off=-4 size=8
  of_value
  r1 = r10 ;; r1 += -24 ;; r2 = 0 ;; r3 = r10 ;; r3 += -4 ;; r4 = 8
  call kfunc[bpf_dynptr_slice]
  leave

== of_an_skb | tc | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_from_skb`
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_skb]
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = r10 ;; r3 += -32 ;; r4 = 14
  call kfunc[bpf_dynptr_slice]
  if r0 == 0 goto out
  r0 = *(u16 *)(r0 +12)
  leave

== of_an_skb_in_xdp | xdp | reject: calling kernel function bpf_dynptr_from_skb is not allowed
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_skb]
  r0 = 0
  exit

== of_an_skb_in_a_tracepoint | tracepoint | reject: arg#0 pointer type STRUCT __sk_buff must point to scalar
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_skb]
  r0 = 0
  exit

== of_an_xdp_frame | xdp | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_from_xdp`
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_xdp]
  r0 = 0
  exit

== of_an_skb_data_helper | tc | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_dynptr_from_skb`
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_skb]
  data 0 8 -16
  r0 = 0
  exit

== slice_dies_when_the_packet_moves | tc | reject: R7 invalid mem access 'scalar'
  r6 = r1
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_skb]
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = r10 ;; r3 += -32 ;; r4 = 14
  call kfunc[bpf_dynptr_slice]
  if r0 == 0 goto out
  r7 = r0
  r1 = r6 ;; r2 = 0
  call bpf_skb_pull_data
  r0 = *(u16 *)(r7 +12)
  leave

== slice_dies_when_the_dynptr_writes_to_the_skb | tc | reject: R7 invalid mem access 'scalar'
  r6 = r1
  *(u64 *)(r10 -40) = 0
  r2 = 0 ;; r3 = r10 ;; r3 += -16
  call kfunc[bpf_dynptr_from_skb]
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = r10 ;; r3 += -32 ;; r4 = 14
  call kfunc[bpf_dynptr_slice]
  if r0 == 0 goto out
  r7 = r0
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = r10 ;; r3 += -40 ;; r4 = 8 ;; r5 = 0
  call bpf_dynptr_write
  r0 = *(u16 *)(r7 +12)
  leave
