// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packet loads by instructions of their own; what the packet has not ends the program with 0.
#include "engine.h"

#define LOAD(name, instruction) LOAD_AT(name, 0, instruction)
#define LOAD_AT(name, DISTANCE, instruction) \
	SEC("tc") __attribute__((naked)) int name(struct __sk_buff *skb) \
	{ \
		asm volatile("r6 = r1; r7 = " #DISTANCE "; r0 = 0; " instruction "; r0 += 1; exit" ::: "r0", "r6", "r7"); \
	}

LOAD(word, "r0 = *(u32 *)skb[14]")
LOAD(half, "r0 = *(u16 *)skb[12]")
LOAD(byte, "r0 = *(u8 *)skb[63]")
LOAD(behind, "r0 = *(u8 *)skb[64]")
LOAD(across, "r0 = *(u32 *)skb[62]")
LOAD_AT(indirect, 15, "r0 = *(u32 *)skb[r7]")
LOAD_AT(indirect_half, 9, "r0 = *(u16 *)skb[r7]")
LOAD_AT(indirect_behind, 112, "r0 = *(u8 *)skb[r7]")
LOAD_AT(indirect_before, -9, "r0 = *(u8 *)skb[r7]")
LOAD(network, "r0 = *(u32 *)skb[-0x100000]")
LOAD(network_further, "r0 = *(u16 *)skb[-0xffffe]")
LOAD(link, "r0 = *(u32 *)skb[-0x200000]")
LOAD(before, "r0 = *(u32 *)skb[-4]")
