// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// tc: the fields of __sk_buff, bytes in and out, checksums, bounds.
#include "engine.h"

SEC("tc")
int fields(struct __sk_buff *skb)
{
	note(0, skb->len);
	note(1, skb->pkt_type);
	note(2, skb->mark);
	note(3, skb->protocol);
	note(4, skb->priority);
	note(5, skb->ifindex);
	note(6, skb->ingress_ifindex);
	note(7, skb->tc_index);
	note(8, skb->cb[0]);
	note(9, skb->cb[4]);
	note(10, skb->data_end - skb->data);
	note(11, skb->data - skb->data_meta);
	note(12, skb->vlan_present);
	note(13, skb->vlan_tci);
	note(14, skb->queue_mapping);
	note(15, skb->tc_classid);
	note(16, skb->gso_segs);
	note(17, skb->gso_size);
	note(18, skb->tstamp);
	return TC_ACT_OK;
}

SEC("tc")
int written_fields(struct __sk_buff *skb)
{
	skb->mark = 0x12345678;
	skb->priority = 77;
	skb->tc_index = 5;
	skb->cb[1] = 111;
	skb->cb[2] = 222;
	skb->tstamp = 123456789012ull;
	note(20, skb->mark);
	note(21, *(volatile __u16 *)((char *)&skb->mark + 2));
	note(22, *(volatile __u8 *)&skb->mark);
	note(23, skb->priority);
	note(24, skb->tc_index);
	note(25, skb->cb[1] + skb->cb[2]);
	note(26, skb->tstamp);
	return skb->mark;
}

SEC("tc")
int bytes(struct __sk_buff *skb)
{
	__u64 value = 0;

	note(30, bpf_skb_load_bytes(skb, 6, &value, 8));
	note(31, value);
	note(32, bpf_skb_load_bytes(skb, 60, &value, 8));
	note(33, value);
	value = 0x0102030405060708;
	note(34, bpf_skb_store_bytes(skb, 30, &value, 8, 0));
	note(35, bpf_skb_store_bytes(skb, 60, &value, 8, 0));
	note(36, bpf_skb_store_bytes(skb, 0, &value, 8, 1 << 10));
	note(37, bpf_skb_load_bytes_relative(skb, 0, &value, 8, BPF_HDR_START_NET));
	note(38, value);
	note(39, bpf_skb_load_bytes_relative(skb, 0, &value, 8, BPF_HDR_START_MAC));
	note(40, value);
	note(41, bpf_skb_load_bytes_relative(skb, 0, &value, 8, 2));
	note(42, bpf_skb_pull_data(skb, 64));
	note(43, bpf_skb_pull_data(skb, 65));
	note(44, bpf_skb_pull_data(skb, 0));
	return TC_ACT_OK;
}

SEC("tc")
int direct(struct __sk_buff *skb)
{
	unsigned char *data = (void *)(long)skb->data;
	int i;

	if (data + 34 > (unsigned char *)(long)skb->data_end)
		return TC_ACT_SHOT;
	for (i = 14; i < 34; i++)
		data[i] ^= i;
	return TC_ACT_OK;
}

SEC("tc")
int checksums(struct __sk_buff *skb)
{
	__u32 old_words[4] = {1, 0xffffffff, 3, 0x80008000}, new_words[4] = {5, 6, 0xfffffff0, 8};

	note(50, bpf_csum_diff(0, 0, new_words, 16, 0));
	note(51, bpf_csum_diff(old_words, 16, 0, 0, 0));
	note(52, bpf_csum_diff(old_words, 16, new_words, 16, 0));
	note(53, bpf_csum_diff(old_words, 8, new_words, 16, 0x1234));
	note(54, bpf_csum_diff(old_words, 4, new_words, 4, 0xffffffff));
	note(55, bpf_csum_diff(0, 0, 0, 0, 0x12345));
	note(60, bpf_l3_csum_replace(skb, 24, 0x1234, 0x5678, 2));
	note(61, bpf_l3_csum_replace(skb, 26, 0x12345678, 0x9abcdef0, 4));
	note(62, bpf_l3_csum_replace(skb, 28, 0, 0x8765, 0));
	note(63, bpf_l3_csum_replace(skb, 28, 1, 0x8765, 0));
	note(64, bpf_l3_csum_replace(skb, 25, 1, 2, 2));
	note(65, bpf_l3_csum_replace(skb, 63, 1, 2, 2));
	note(66, bpf_l3_csum_replace(skb, 24, 1, 2, 3));
	note(67, bpf_l3_csum_replace(skb, 24, 1, 2, 0x12));
	note(68, bpf_l4_csum_replace(skb, 40, 0x1111, 0x2222, 2));
	note(69, bpf_l4_csum_replace(skb, 42, 0x11112222, 0x22223333, 4 | BPF_F_PSEUDO_HDR));
	note(70, bpf_l4_csum_replace(skb, 44, 0, 0x2222, BPF_F_MARK_MANGLED_0));
	note(71, bpf_l4_csum_replace(skb, 64, 0, 0x2222, 0));
	return TC_ACT_OK;
}

SEC("tc")
int bounds(struct __sk_buff *skb)
{
	note(80, bpf_skb_change_tail(skb, 100, 0));
	note(81, skb->len);
	note(82, skb->data_end - skb->data);
	note(83, bpf_skb_change_tail(skb, 50, 0));
	note(84, skb->len);
	note(85, bpf_skb_change_tail(skb, 13, 0));
	note(86, bpf_skb_change_tail(skb, 50, 1));
	note(87, bpf_skb_change_tail(skb, 100000, 0));
	note(88, bpf_skb_change_head(skb, 16, 0));
	note(89, skb->len);
	note(90, bpf_skb_change_head(skb, 16, 1));
	note(91, bpf_skb_change_type(skb, 1));
	note(92, skb->pkt_type);
	note(93, bpf_skb_change_type(skb, 4));
	note(94, bpf_set_hash(skb, 0x1234));
	note(95, skb->hash);
	bpf_set_hash_invalid(skb);
	note(96, skb->hash);
	note(97, bpf_csum_update(skb, 1));
	note(98, bpf_redirect(1, 0));
	note(99, bpf_redirect(1, 1));
	return bpf_redirect(1, 2);
}

SEC("socket")
int behind_the_header(struct __sk_buff *skb)
{
	__u64 value = 0;

	note(110, skb->len);
	note(111, bpf_skb_load_bytes(skb, 0, &value, 8));
	note(112, value);
	skb->cb[3] = 9;
	note(113, skb->cb[3]);
	note(114, bpf_skb_load_bytes_relative(skb, 0, &value, 8, BPF_HDR_START_NET));
	note(115, value);
	return skb->len;
}

SEC("cgroup_skb/ingress")
int cgroup(struct __sk_buff *skb)
{
	unsigned char *data = (void *)(long)skb->data;

	note(120, skb->len);
	if (data + 4 > (unsigned char *)(long)skb->data_end)
		return 0;
	note(121, data[0] << 8 | data[3]);
	return 1;
}
