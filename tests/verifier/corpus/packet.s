# Packet pointers: a comparison with the packet's end opens a range, calls that move the packet close it.
.macro packet
  r9 = r1
  r6 = *(u32 *)(r1 +0)
  r7 = *(u32 *)(r1 +4)
.endm
# r2 = packet + N
.macro upto N
  r2 = r6 ;; r2 += $N
.endm
.macro get SIZE OFF
  r0 = *($SIZE *)(r6 +$OFF)
  leave
.endm

== end_below_gt | xdp | accept
  packet ;; upto 8
  if r2 > r7 goto out
  get u64 0

== end_below_gt_one_beyond | xdp | reject: invalid access to packet, off=8 size=1, R6(id=0,off=8,r=8)
  packet ;; upto 8
  if r2 > r7 goto out
  get u8 8

== end_below_ge | xdp | accept
  packet ;; upto 8
  if r2 >= r7 goto out
  get u64 0

== end_below_ge_knows_one_more | xdp | accept
  packet ;; upto 8
  if r2 >= r7 goto out
  get u8 8

== end_below_ge_two_beyond | xdp | reject: invalid access to packet, off=9 size=1, R6(id=0,off=9,r=9)
  packet ;; upto 8
  if r2 >= r7 goto out
  get u8 9

== end_below_lt | xdp | accept
  packet ;; upto 8
  if r2 < r7 goto ok ;; goto out
ok:
  get u64 0

== end_below_lt_one_more | xdp | accept
  packet ;; upto 8
  if r2 < r7 goto ok ;; goto out
ok:
  get u8 8

== end_below_le | xdp | accept
  packet ;; upto 8
  if r2 <= r7 goto ok ;; goto out
ok:
  get u64 0

== end_below_le_beyond | xdp | reject: invalid access to packet, off=8 size=1, R6(id=0,off=8,r=8)
  packet ;; upto 8
  if r2 <= r7 goto ok ;; goto out
ok:
  get u8 8

== end_on_the_left_lt | xdp | accept
  packet ;; upto 8
  if r7 < r2 goto out
  get u64 0

== end_on_the_left_le | xdp | accept
  packet ;; upto 8
  if r7 <= r2 goto out
  get u8 8

== end_on_the_left_gt | xdp | accept
  packet ;; upto 8
  if r7 > r2 goto ok ;; goto out
ok:
  get u8 8

== end_on_the_left_ge | xdp | accept
  packet ;; upto 8
  if r7 >= r2 goto ok ;; goto out
ok:
  get u64 0

== end_on_the_left_ge_beyond | xdp | reject: invalid access to packet, off=8 size=1, R6(id=0,off=8,r=8)
  packet ;; upto 8
  if r7 >= r2 goto ok ;; goto out
ok:
  get u8 8

== wrong_branch | xdp | reject: invalid access to packet, off=0 size=8, R6(id=0,off=0,r=0)
  packet ;; upto 8
  if r2 > r7 goto ok ;; goto out
ok:
  get u64 0

== wrong_branch_lt | xdp | reject: invalid access to packet, off=0 size=8, R6(id=0,off=0,r=0)
  packet ;; upto 8
  if r2 < r7 goto out
  get u64 0

== unchecked | xdp | reject: invalid access to packet, off=0 size=1, R6(id=0,off=0,r=0)
  packet
  get u8 0

== equal_opens_nothing | xdp | reject: invalid access to packet, off=0 size=8, R6(id=0,off=0,r=0)
  packet ;; upto 8
  if r2 != r7 goto out
  get u64 0

== signed_comparison_opens_nothing | xdp | reject: invalid access to packet, off=0 size=8, R6(id=0,off=0,r=0)
  packet ;; upto 8
  if r2 s> r7 goto out
  get u64 0

== comparison_32_bits | xdp | reject: invalid access to packet, off=0 size=8, R6(id=0,off=0,r=0)
  packet ;; upto 8
  if w2 > w7 goto out
  get u64 0

== negative_offset | xdp | reject: invalid access to packet, off=-1 size=1, R6(id=0,off=-1,r=8)
  packet ;; upto 8
  if r2 > r7 goto out
  r0 = *(u8 *)(r6 -1)
  leave

== from_the_checked_end_backwards | xdp | accept
  packet ;; upto 8
  if r2 > r7 goto out
  r0 = *(u64 *)(r2 -8)
  leave

== from_the_checked_end_too_far_back | xdp | reject: invalid access to packet, off=-1 size=1, R2(id=0,off=-1,r=8)
  packet ;; upto 8
  if r2 > r7 goto out
  r0 = *(u8 *)(r2 -9)
  leave

== at_the_checked_end | xdp | reject: invalid access to packet, off=8 size=1, R2(id=0,off=8,r=8)
  packet ;; upto 8
  if r2 > r7 goto out
  r0 = *(u8 *)(r2 +0)
  leave

== copies_share_the_range | xdp | accept
  packet
  r8 = r6
  upto 8
  if r2 > r7 goto out
  r0 = *(u64 *)(r8 +0)
  leave

== read_again_shares_nothing | xdp | reject: invalid access to packet, off=0 size=8, R8(id=0,off=0,r=0)
  packet
  upto 8
  if r2 > r7 goto out
  r8 = *(u32 *)(r9 +0)
  r0 = *(u64 *)(r8 +0)
  leave

== end_of_another_read | xdp | accept
  packet
  upto 8
  r7 = *(u32 *)(r9 +4)
  if r2 > r7 goto out
  get u64 0

== smaller_then_larger_check | xdp | accept
  packet
  upto 8
  if r2 > r7 goto out
  upto 16
  if r2 > r7 goto out
  get u64 8

== larger_then_smaller_check | xdp | accept
  packet
  upto 16
  if r2 > r7 goto out
  upto 8
  if r2 > r7 goto out
  get u64 8

== moved_and_within | xdp | accept
  packet ;; upto 16
  if r2 > r7 goto out
  r6 += 8
  get u64 0

== moved_and_beyond | xdp | reject: invalid access to packet, off=9 size=8, R6(id=0,off=9,r=16)
  packet ;; upto 16
  if r2 > r7 goto out
  r6 += 9
  get u64 0

== moved_back | xdp | accept
  packet ;; upto 16
  if r2 > r7 goto out
  r6 += 100 ;; r6 += -100
  get u64 8

== written | xdp | accept
  packet ;; upto 8
  if r2 > r7 goto out
  *(u64 *)(r6 +0) = 1
  leave

== written_beyond | xdp | reject: invalid access to packet, off=1 size=8, R6(id=0,off=1,r=8)
  packet ;; upto 8
  if r2 > r7 goto out
  *(u64 *)(r6 +1) = 1
  leave

== atomic_add | xdp | reject: BPF_ATOMIC stores into R6 pkt is not allowed
  packet ;; upto 8
  if r2 > r7 goto out
  r1 = 1
  lock *(u64 *)(r6 +0) += r1
  leave

== variable_offset_small | xdp | accept
  packet
  upto 1
  if r2 > r7 goto out
  r3 = *(u8 *)(r6 +0)
  r6 += r3
  upto 8
  if r2 > r7 goto out
  get u64 0

== variable_offset_unchecked_again | xdp | reject: invalid access to packet, off=0 size=1, R6(id=1,off=0,r=0)
  packet
  upto 16
  if r2 > r7 goto out
  r3 = *(u8 *)(r6 +0)
  r6 += r3
  get u8 0

== variable_offset_16_bits | xdp | accept
  packet
  upto 2
  if r2 > r7 goto out
  r3 = *(u16 *)(r6 +0)
  r3 &= 0x7fff
  r6 += r3
  upto 8
  if r2 > r7 goto out
  get u64 0

== variable_offset_too_wide | xdp | reject: invalid access to packet, off=0 size=8, R6(id=1,off=0,r=0)
  packet
  upto 4
  if r2 > r7 goto out
  r3 = *(u32 *)(r6 +0)
  r6 += r3
  upto 8
  if r2 > r7 goto out
  get u64 0

== variable_offset_the_widest | xdp | reject: invalid access to packet, off=0 size=8, R6(id=1,off=0,r=0)
  packet
  upto 2
  if r2 > r7 goto out
  r3 = *(u16 *)(r6 +0)
  r6 += r3
  upto 8
  if r2 > r7 goto out
  get u64 0

== variable_offset_with_a_fixed_part | xdp | accept
  packet
  upto 1
  if r2 > r7 goto out
  r3 = *(u8 *)(r6 +0)
  r6 += 14 ;; r6 += r3
  r2 = r6 ;; r2 += 4
  if r2 > r7 goto out
  get u32 0

== variable_offset_other_copy_has_another_id | xdp | reject: invalid access to packet, off=0 size=8, R8(id=2,off=0,r=0)
  packet
  upto 1
  if r2 > r7 goto out
  r3 = *(u8 *)(r6 +0)
  r8 = r6
  r6 += r3
  r8 += r3
  upto 8
  if r2 > r7 goto out
  r0 = *(u64 *)(r8 +0)
  leave

== number_added_to_a_pointer_the_other_way | xdp | accept
  packet
  upto 1
  if r2 > r7 goto out
  r3 = *(u8 *)(r6 +0)
  r3 += r6
  r2 = r3 ;; r2 += 8
  if r2 > r7 goto out
  r0 = *(u64 *)(r3 +0)
  leave

== huge_check_opens_nothing_useful | xdp | reject: invalid access to packet, off=0 size=1, R6(id=0,off=0,r=0)
  packet
  r2 = r6 ;; r2 += 0x10000
  if r2 > r7 goto out
  get u8 0

== large_check | xdp | accept
  packet
  r2 = r6 ;; r2 += 0xfff0
  if r2 > r7 goto out
  get u8 1000

== pointer_minus_packet_end | xdp | accept
  packet
  r7 -= r6
  r0 = 0
  exit

== length_by_subtraction_opens_nothing | xdp | reject: invalid access to packet, off=0 size=1, R6(id=0,off=0,r=0)
  packet
  r7 -= r6
  if r7 < 8 goto out
  get u8 0

== packet_end_moved | xdp | reject: R7 pointer arithmetic on pkt_end prohibited
  packet
  r7 += -8
  if r6 > r7 goto out
  get u8 0

== packet_end_read | xdp | reject: R7 invalid mem access 'pkt_end'
  packet
  r0 = *(u8 *)(r7 +0)
  exit

== packet_pointer_32_bit_arithmetic | xdp | reject: R6 32-bit pointer arithmetic prohibited
  packet
  w6 += 1
  r0 = 0
  exit

== packet_pointer_shifted | xdp | reject: R6 pointer arithmetic with <<= operator prohibited
  packet
  r6 <<= 1
  r0 = 0
  exit

== packet_pointer_masked | xdp | reject: R6 bitwise operator &= on pointer prohibited
  packet
  r6 &= -8
  r0 = 0
  exit

== packet_pointer_in_a_map | xdp | accept
  packet
  element a8
  *(u64 *)(r0 +0) = r6
  leave

== lost_after_adjust_head | xdp | reject: R6 invalid mem access 'scalar'
  packet ;; upto 8
  if r2 > r7 goto out
  r1 = r9 ;; r2 = 0
  call bpf_xdp_adjust_head
  get u64 0

== pointers_read_again_after_adjust_head | xdp | accept
  packet
  r1 = r9 ;; r2 = 0
  call bpf_xdp_adjust_head
  r6 = *(u32 *)(r9 +0) ;; r7 = *(u32 *)(r9 +4)
  upto 8
  if r2 > r7 goto out
  get u64 0

== lost_after_adjust_tail | xdp | reject: R6 invalid mem access 'scalar'
  packet ;; upto 8
  if r2 > r7 goto out
  r1 = r9 ;; r2 = 0
  call bpf_xdp_adjust_tail
  get u64 0

== lost_after_adjust_meta | xdp | reject: R6 invalid mem access 'scalar'
  packet ;; upto 8
  if r2 > r7 goto out
  r1 = r9 ;; r2 = 0
  call bpf_xdp_adjust_meta
  get u64 0

== kept_over_other_helpers | xdp | accept
  packet ;; upto 8
  if r2 > r7 goto out
  call bpf_ktime_get_ns
  get u64 0

== spilled_pointer_lost_too | xdp | reject: R6 invalid mem access 'scalar'
  packet ;; upto 8
  if r2 > r7 goto out
  *(u64 *)(r10 -8) = r6
  r1 = r9 ;; r2 = 0
  call bpf_xdp_adjust_head
  r6 = *(u64 *)(r10 -8)
  get u64 0

== meta_below_data | xdp | accept
  r6 = *(u32 *)(r1 +8) ;; r7 = *(u32 *)(r1 +0)
  upto 4
  if r2 > r7 goto out
  get u32 0

== meta_beyond | xdp | reject: invalid access to packet, off=4 size=4, R6(id=0,off=4,r=4)
  r6 = *(u32 *)(r1 +8) ;; r7 = *(u32 *)(r1 +0)
  upto 4
  if r2 > r7 goto out
  get u32 4

== meta_with_the_packets_end | xdp | reject: invalid access to packet, off=0 size=4, R6(id=0,off=0,r=0)
  r6 = *(u32 *)(r1 +8) ;; r7 = *(u32 *)(r1 +4)
  upto 4
  if r2 > r7 goto out
  get u32 0

== meta_unchecked | xdp | reject: invalid access to packet, off=0 size=4, R6(id=0,off=0,r=0)
  r6 = *(u32 *)(r1 +8)
  get u32 0

== meta_written | xdp | accept
  r6 = *(u32 *)(r1 +8) ;; r7 = *(u32 *)(r1 +0)
  upto 4
  if r2 > r7 goto out
  *(u32 *)(r6 +0) = 1
  leave

== meta_end_moved | xdp | reject: invalid access to packet, off=0 size=4, R6(id=0,off=0,r=0)
  r6 = *(u32 *)(r1 +8) ;; r7 = *(u32 *)(r1 +0)
  r7 += 8
  upto 4
  if r2 > r7 goto out
  get u32 0

== meta_on_the_right | xdp | accept
  r6 = *(u32 *)(r1 +8) ;; r7 = *(u32 *)(r1 +0)
  upto 4
  if r7 >= r2 goto ok ;; goto out
ok:
  get u32 0

== helper_reads_the_packet | xdp | accept
  packet ;; upto 16
  if r2 > r7 goto out
  r1 = 0 ;; r2 = 0 ;; r3 = r6 ;; r4 = 16 ;; r5 = 0
  call bpf_csum_diff
  leave

== helper_reads_beyond_the_packet | xdp | reject: invalid access to packet, off=0 size=16, R3(id=0,off=0,r=15)
  packet ;; upto 15
  if r2 > r7 goto out
  r1 = 0 ;; r2 = 0 ;; r3 = r6 ;; r4 = 16 ;; r5 = 0
  call bpf_csum_diff
  leave

== packet_as_a_key | xdp | accept
  packet ;; upto 8
  if r2 > r7 goto out
  r1 = map[h8] ll ;; r2 = r6
  call bpf_map_lookup_elem
  leave

== packet_as_a_key_too_short | xdp | reject: invalid access to packet, off=0 size=8, R2(id=0,off=0,r=7)
  packet ;; upto 7
  if r2 > r7 goto out
  r1 = map[h8] ll ;; r2 = r6
  call bpf_map_lookup_elem
  leave

== packet_as_a_value | xdp | accept
  packet ;; upto 16
  if r2 > r7 goto out
  r1 = map[h8] ll ;; r2 = r6 ;; r3 = r6 ;; r3 += 8 ;; r4 = 0
  call bpf_map_update_elem
  leave

== tc_read | tc | accept
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  get u16 12

== tc_written | tc | accept
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  *(u8 *)(r6 +0) = 1
  leave

== tc_lost_after_store_bytes | tc | reject: R6 invalid mem access 'scalar'
  r9 = r1
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  *(u64 *)(r10 -8) = 0
  r2 = 0 ;; r3 = r10 ;; r3 += -8 ;; r4 = 8 ;; r5 = 0
  r1 = r9
  call bpf_skb_store_bytes
  get u8 0

== tc_lost_after_pull_data | tc | reject: R6 invalid mem access 'scalar'
  r9 = r1
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  r1 = r9 ;; r2 = 0
  call bpf_skb_pull_data
  get u8 0

== tc_kept_after_load_bytes | tc | accept
  r9 = r1
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  r1 = r9 ;; r2 = 0 ;; r3 = r10 ;; r3 += -8 ;; r4 = 8
  call bpf_skb_load_bytes
  get u8 0

== tc_data_meta | tc | accept
  r6 = *(u32 *)(r1 +140) ;; r7 = *(u32 *)(r1 +76)
  upto 4
  if r2 > r7 goto out
  get u32 0

== cgroup_skb_written | cgroup/skb | reject: cannot write into packet
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  *(u8 *)(r6 +0) = 1
  leave

== cgroup_skb_read | cgroup/skb | accept
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  get u8 0

== lwt_in_written | lwt_in | reject: cannot write into packet
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  *(u8 *)(r6 +0) = 1
  leave

== lwt_xmit_written | lwt_xmit | accept
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 14
  if r2 > r7 goto out
  *(u8 *)(r6 +0) = 1
  leave

== sk_msg_read | sk_msg | accept
  r6 = *(u64 *)(r1 +0) ;; r7 = *(u64 *)(r1 +8)
  upto 8
  if r2 > r7 goto out
  get u64 0

== sk_msg_read_beyond | sk_msg | reject: invalid access to packet, off=1 size=8, R6(id=0,off=1,r=8)
  r6 = *(u64 *)(r1 +0) ;; r7 = *(u64 *)(r1 +8)
  upto 8
  if r2 > r7 goto out
  get u64 1

== flow_dissector_read | flow_dissector | accept
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 8
  if r2 > r7 goto out
  get u64 0

== flow_dissector_written | flow_dissector | reject: cannot write into packet
  r6 = *(u32 *)(r1 +76) ;; r7 = *(u32 *)(r1 +80)
  upto 8
  if r2 > r7 goto out
  *(u8 *)(r6 +0) = 1
  leave

== ld_abs | socket | accept
  r6 = r1
  r0 = *(u16 *)skb[12]
  exit

== ld_abs_in_tc | tc | accept
  r6 = r1
  r0 = *(u32 *)skb[0]
  exit

== ld_abs_in_xdp | xdp | reject: instructions not allowed for this program type
  r6 = r1
  r0 = *(u32 *)skb[0]
  exit

== ld_abs_without_the_context | socket | reject: R6 != pointer to skb
  r6 = 0
  r0 = *(u16 *)skb[12]
  exit

== ld_abs_uninitialised | socket | reject: R6 !read_ok
  r0 = *(u16 *)skb[12]
  exit

== ld_abs_loses_registers | socket | reject: R2 !read_ok
  r6 = r1
  r2 = 1
  r0 = *(u16 *)skb[12]
  r0 = r2
  exit

== ld_abs_keeps_r7 | socket | accept
  r6 = r1
  r7 = 1
  r0 = *(u16 *)skb[12]
  r0 = r7
  exit

== ld_ind | socket | accept
  r6 = r1
  r7 = 12
  r0 = *(u8 *)skb[r7 + 2]
  exit

== ld_ind_by_a_pointer | socket | accept
  r6 = r1
  r7 = r10
  r0 = *(u8 *)skb[r7 + 2]
  exit

== ld_abs_64_bits | socket | reject: unknown opcode 38
  r6 = r1
  .slot 0x0000000000000038
  exit
