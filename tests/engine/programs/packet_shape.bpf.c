// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tc: VLAN tags, other protocols, room for headers, congestion marks, timestamps.
#include "engine.h"

#define IPV4 8           /* as they stand in the packet */
#define IPV6 0xdd86
#define VLAN 0x81
#define VLAN_AD 0xa888

static __always_inline void look(struct __sk_buff *skb, __u32 at)
{
	__u64 head = 0, tag = 0;

	note(at, skb->len);
	note(at + 1, skb->protocol);
	note(at + 2, skb->vlan_present);
	note(at + 3, skb->vlan_tci);
	note(at + 4, skb->vlan_proto);
	bpf_skb_load_bytes(skb, 0, &head, 8);
	bpf_skb_load_bytes(skb, 12, &tag, 8);
	note(at + 5, head);
	note(at + 6, tag);
}

SEC("tc")
int vlans(struct __sk_buff *skb)
{
	note(0, bpf_skb_vlan_push(skb, VLAN, 5));
	look(skb, 1);
	note(8, bpf_skb_vlan_push(skb, VLAN_AD, 0x2007));
	look(skb, 9);
	note(16, bpf_skb_vlan_push(skb, 0x1234, 9));
	look(skb, 17);
	note(24, bpf_skb_vlan_pop(skb));
	look(skb, 25);
	note(32, bpf_skb_vlan_pop(skb));
	look(skb, 33);
	note(40, bpf_skb_vlan_pop(skb));
	look(skb, 41);
	note(48, bpf_skb_vlan_pop(skb));
	look(skb, 49);
	return 0;
}

SEC("tc")
int protocols(struct __sk_buff *skb)
{
	note(60, bpf_skb_change_proto(skb, IPV4, 0));
	note(61, bpf_skb_change_proto(skb, IPV6, 1));
	note(62, bpf_skb_change_proto(skb, IPV6, 0));
	look(skb, 63);
	note(70, bpf_skb_change_proto(skb, IPV4, 0));
	look(skb, 71);
	note(78, bpf_skb_change_proto(skb, VLAN, 0));
	return 0;
}

SEC("tc")
int rooms(struct __sk_buff *skb)
{
	note(80, bpf_skb_adjust_room(skb, 8, BPF_ADJ_ROOM_NET, 0));
	look(skb, 81);
	note(88, bpf_skb_adjust_room(skb, 12, BPF_ADJ_ROOM_MAC, 0));
	look(skb, 89);
	note(96, bpf_skb_adjust_room(skb, -12, BPF_ADJ_ROOM_MAC, 0));
	note(97, bpf_skb_adjust_room(skb, -8, BPF_ADJ_ROOM_NET, 0));
	look(skb, 98);
	note(105, bpf_skb_adjust_room(skb, 8, 7, 0));
	note(106, bpf_skb_adjust_room(skb, 8, BPF_ADJ_ROOM_MAC, 1ull << 40));
	note(107, bpf_skb_adjust_room(skb, 5000, BPF_ADJ_ROOM_MAC, 0));
	note(108, bpf_skb_adjust_room(skb, -60, BPF_ADJ_ROOM_MAC, 0));
	note(109, bpf_skb_adjust_room(skb, 40, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6));
	look(skb, 110);
	note(117, bpf_skb_adjust_room(skb, 20, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4));
	note(118, bpf_skb_adjust_room(skb, 20, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L3_IPV6));
	return 0;
}

SEC("tc")
int marks(struct __sk_buff *skb)
{
	__u8 tos = 2;
	__u32 sum = 0;

	note(120, bpf_skb_ecn_set_ce(skb));
	bpf_skb_store_bytes(skb, 15, &tos, 1, 0);
	note(121, bpf_skb_ecn_set_ce(skb));
	bpf_skb_load_bytes(skb, 14, &sum, 4);
	note(122, sum);
	bpf_skb_load_bytes(skb, 24, &sum, 2);
	note(123, sum);
	note(124, bpf_skb_ecn_set_ce(skb));
	note(125, bpf_csum_level(skb, 0));
	note(126, bpf_csum_level(skb, 1));
	note(127, bpf_csum_level(skb, 4));
	note(128, bpf_skb_set_tstamp(skb, 0, 1));
	note(129, bpf_skb_set_tstamp(skb, 123456789, 1));
	note(130, skb->tstamp);
	note(131, bpf_skb_set_tstamp(skb, 1, 0));
	note(132, bpf_skb_set_tstamp(skb, 0, 0));
	note(133, skb->tstamp);
	note(134, bpf_skb_set_tstamp(skb, 1, 9));
	return 0;
}

SEC("tc")
int limits(struct __sk_buff *skb)
{
	__u32 mtu = 0;

	note(140, bpf_check_mtu(skb, 0, &mtu, 0, 0));
	note(141, mtu);
	mtu = 0;
	note(142, bpf_check_mtu(skb, 1, &mtu, 65536, 0));
	mtu = 70000;
	note(143, bpf_check_mtu(skb, 1, &mtu, 0, 0));
	note(144, mtu);
	mtu = 0;
	note(145, bpf_check_mtu(skb, 0x7fff0000, &mtu, 0, 0));
	note(146, bpf_check_mtu(skb, 1, &mtu, 0, 8));
	note(147, bpf_redirect(1, 8));
	note(148, bpf_redirect_neigh(1, 0, 0, 0));
	note(149, bpf_redirect_neigh(1, 0, 0, 1));
	note(150, bpf_redirect_peer(1, 0));
	note(151, bpf_redirect_peer(1, 1));
	return TC_ACT_OK;
}
