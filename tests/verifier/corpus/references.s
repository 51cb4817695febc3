# References: what is acquired must be released, once, on every path, and not be used afterwards.
.macro tuple
  r9 = r1
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0 ;; *(u64 *)(r10 -24) = 0 ;; *(u64 *)(r10 -32) = 0 ;; *(u64 *)(r10 -40) = 0 ;; *(u64 *)(r10 -48) = 0
.endm
.macro find_tcp
  tuple
  r2 = r10 ;; r2 += -48 ;; r3 = 12 ;; r4 = 0 ;; r5 = 0
  call bpf_sk_lookup_tcp
.endm
.macro reserve N
  r1 = map[ring] ll ;; r2 = $N ;; r3 = 0
  call bpf_ringbuf_reserve
.endm

== released | tc | accept
  find_tcp
  if r0 == 0 goto out
  r1 = r0
  call bpf_sk_release
  leave

== leaked | tc | reject: Unreleased reference id=2 alloc_insn=12
  find_tcp
  r0 = 0
  exit

== leaked_on_one_path | tc | reject: Unreleased reference id=2 alloc_insn=12
  find_tcp
  if r0 == 0 goto out
  r6 = r0
  unknown r7
  if r7 == 0 goto out
  r1 = r6
  call bpf_sk_release
  leave

== released_unchecked | tc | reject: R1 type=sock_or_null expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_
  find_tcp
  r1 = r0
  call bpf_sk_release
  r0 = 0
  exit

== released_twice | tc | reject: R1 type=scalar expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_
  find_tcp
  if r0 == 0 goto out
  r6 = r0 ;; r1 = r0
  call bpf_sk_release
  r1 = r6
  call bpf_sk_release
  leave

== used_after_release | tc | reject: R6 invalid mem access 'scalar'
  find_tcp
  if r0 == 0 goto out
  r6 = r0 ;; r1 = r0
  call bpf_sk_release
  r0 = *(u32 *)(r6 +4)
  leave

== copy_in_the_stack_after_release | tc | reject: R6 invalid mem access 'scalar'
  find_tcp
  if r0 == 0 goto out
  *(u64 *)(r10 -8) = r0 ;; r1 = r0
  call bpf_sk_release
  r6 = *(u64 *)(r10 -8)
  r0 = *(u32 *)(r6 +4)
  leave

== used_before_release | tc | accept
  find_tcp
  if r0 == 0 goto out
  r1 = r0
  r6 = *(u32 *)(r0 +4)
  call bpf_sk_release
  r0 = r6
out:
  exit

== moved_before_release | tc | reject: R1 pointer arithmetic on sock prohibited
  find_tcp
  if r0 == 0 goto out
  r1 = r0 ;; r1 += 4
  call bpf_sk_release
  leave

== number_released | tc | reject: R1 type=scalar expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_
  r1 = 5
  call bpf_sk_release
  r0 = 0
  exit

== context_released | tc | reject: R1 type=ctx expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_
  call bpf_sk_release
  r0 = 0
  exit

== sk_of_the_context_released | tc | reject: R1 must be referenced when passed to release function
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_sk_release
  leave

== pointer_overwritten | tc | reject: Unreleased reference id=2 alloc_insn=12
  find_tcp
  if r0 == 0 goto out
  r0 = 0
  leave

== null_branch_needs_no_release | tc | accept
  find_tcp
  if r0 != 0 goto have
  r0 = 0
  exit
have:
  r1 = r0
  call bpf_sk_release
  r0 = 0
  exit

== two_lookups_two_releases | tc | accept
  find_tcp
  r6 = r0
  r1 = r9 ;; r2 = r10 ;; r2 += -48 ;; r3 = 12 ;; r4 = 0 ;; r5 = 0
  call bpf_sk_lookup_udp
  if r0 == 0 goto second
  r1 = r0
  call bpf_sk_release
second:
  if r6 == 0 goto out
  r1 = r6
  call bpf_sk_release
  leave

== two_lookups_one_release | tc | reject: Unreleased reference id=2 alloc_insn=12
  find_tcp
  r6 = r0
  r1 = r9 ;; r2 = r10 ;; r2 += -48 ;; r3 = 12 ;; r4 = 0 ;; r5 = 0
  call bpf_sk_lookup_udp
  if r0 == 0 goto second
  r1 = r0
  call bpf_sk_release
second:
  r0 = 0
  exit

== leaked_by_a_tail_call | tc | reject: Unreleased reference id=2 alloc_insn=12
  find_tcp
  if r0 == 0 goto out
  r6 = r0
  r1 = r9 ;; r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  r1 = r6
  call bpf_sk_release
  leave

== released_before_a_tail_call | tc | accept
  find_tcp
  if r0 == 0 goto out
  r1 = r0
  call bpf_sk_release
  r1 = r9 ;; r2 = map[progs] ll ;; r3 = 0
  call bpf_tail_call
  leave

== leaked_by_ld_abs | tc | reject: Unreleased reference id=2 alloc_insn=12
  find_tcp
  if r0 == 0 goto out
  r8 = r0
  r6 = r9
  r0 = *(u8 *)skb[0]
  r1 = r8
  call bpf_sk_release
  leave

== lookup_in_tracepoint | tracepoint | reject: program of this type cannot use helper bpf_sk_lookup_tcp#84
  find_tcp
  r0 = 0
  exit

== lookup_in_xdp | xdp | accept
  find_tcp
  if r0 == 0 goto out
  r1 = r0
  call bpf_sk_release
  leave

== skc_lookup | tc | accept
  tuple
  r2 = r10 ;; r2 += -48 ;; r3 = 12 ;; r4 = 0 ;; r5 = 0
  call bpf_skc_lookup_tcp
  if r0 == 0 goto out
  r1 = r0
  call bpf_sk_release
  leave

== skc_lookup_field_of_a_full_socket | tc | reject: R1 invalid sock_common access off=8 size=4
  tuple
  r2 = r10 ;; r2 += -48 ;; r3 = 12 ;; r4 = 0 ;; r5 = 0
  call bpf_skc_lookup_tcp
  if r0 == 0 goto out
  r1 = r0
  r6 = *(u32 *)(r1 +8)
  call bpf_sk_release
  leave

== tcp_sock_of_a_reference_dies_with_it | tc | reject: R7 invalid mem access 'scalar'
  find_tcp
  if r0 == 0 goto out
  r6 = r0
  r1 = r0
  call bpf_tcp_sock
  r7 = r0
  r1 = r6
  call bpf_sk_release
  if r7 == 0 goto out
  r0 = *(u32 *)(r7 +0)
  leave

== tcp_sock_of_a_reference_before_release | tc | accept
  find_tcp
  if r0 == 0 goto out
  r6 = r0
  r1 = r0
  call bpf_tcp_sock
  if r0 == 0 goto release
  r0 = *(u32 *)(r0 +0)
release:
  r1 = r6
  call bpf_sk_release
  leave

== released_through_the_tcp_sock | tc | accept
  find_tcp
  if r0 == 0 goto out
  r6 = r0
  r1 = r0
  call bpf_tcp_sock
  if r0 == 0 goto release
  r1 = r0
  call bpf_sk_release
  r0 = 0
  exit
release:
  r1 = r6
  call bpf_sk_release
  leave

== ringbuf_submitted | tracepoint | accept
  reserve 8
  if r0 == 0 goto out
  *(u64 *)(r0 +0) = 1
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_discarded | tracepoint | accept
  reserve 8
  if r0 == 0 goto out
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_discard
  leave

== ringbuf_leaked | tracepoint | reject: Unreleased reference id=2 alloc_insn=4
  reserve 8
  r0 = 0
  exit

== ringbuf_unchecked | tracepoint | reject: R0 invalid mem access 'ringbuf_mem_or_null'
  reserve 8
  *(u64 *)(r0 +0) = 1
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  r0 = 0
  exit

== ringbuf_beyond_the_reservation | tracepoint | reject: invalid access to memory, mem_size=8 off=8 size=8
  reserve 8
  if r0 == 0 goto out
  *(u64 *)(r0 +8) = 1
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_used_after_submit | tracepoint | reject: R6 invalid mem access 'scalar'
  reserve 8
  if r0 == 0 goto out
  r6 = r0
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  *(u64 *)(r6 +0) = 1
  leave

== ringbuf_submitted_twice | tracepoint | reject: R1 type=scalar expected=ringbuf_mem
  reserve 8
  if r0 == 0 goto out
  r6 = r0
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  r1 = r6 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_submitted_moved | tracepoint | reject: R1 must have zero offset when passed to release func or trusted arg to kfunc | 5.10 accept
  reserve 16
  if r0 == 0 goto out
  r1 = r0 ;; r1 += 8 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_size_unknown | tracepoint | reject: R2 is not a known constant'
  unknown r6
  r6 &= 8
  r1 = map[ring] ll ;; r2 = r6 ;; r3 = 0
  call bpf_ringbuf_reserve
  r0 = 0
  exit

== ringbuf_size_zero | tracepoint | accept
  reserve 0
  if r0 == 0 goto out
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_discard
  leave

== ringbuf_variable_inside | tracepoint | accept
  reserve 64
  if r0 == 0 goto out
  r6 = r0
  unknown r7
  r7 &= 63
  r1 = r6 ;; r1 += r7
  *(u8 *)(r1 +0) = 1
  r1 = r6 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_variable_beyond | tracepoint | reject: invalid access to memory, mem_size=64 off=63 size=2
  reserve 64
  if r0 == 0 goto out
  r6 = r0
  unknown r7
  r7 &= 63
  r1 = r6 ;; r1 += r7
  *(u16 *)(r1 +0) = 1
  r1 = r6 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_filled_by_a_helper | tracepoint | accept
  reserve 16
  if r0 == 0 goto out
  r6 = r0
  r1 = r0 ;; r2 = 16
  call bpf_get_current_comm
  r1 = r6 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== ringbuf_filled_beyond | tracepoint | reject: invalid access to memory, mem_size=16 off=0 size=17
  reserve 16
  if r0 == 0 goto out
  r6 = r0
  r1 = r0 ;; r2 = 17
  call bpf_get_current_comm
  r1 = r6 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== map_value_submitted | tracepoint | reject: R1 type=map_value expected=ringbuf_mem
  element a8
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  leave

== reservation_released_as_a_socket | tc | reject: R1 type=ringbuf_mem expected=sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_
  reserve 8
  if r0 == 0 goto out
  r1 = r0
  call bpf_sk_release
  leave

== reservation_in_a_map | tracepoint | accept
  element a8
  r6 = r0
  reserve 8
  if r0 == 0 goto out
  *(u64 *)(r6 +0) = r0
  r1 = r0 ;; r2 = 0
  call bpf_ringbuf_submit
  leave
