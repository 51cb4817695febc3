r1 = *(u64 *)(r6 +8)
*(u8 *)(r10 -1) = 7
lock *(u64 *)(r1 +0) += r2
r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)
w0 = cmpxchg32_32(r1 + 8, w0, w2)
r0 = *(u32 *)skb[r5 + 4]
r1 = be16 r1
r1 = (s8)r2
r1 = addr_space_cast(r2, 1, 0)
r1 = 0x1122334455667788 ll
r1 = map[fd:4][0]+8 ll
r1 = ksym[btf:77 module:0] ll
r1 = subprog[pc+2] ll
call kfunc[btf:9 module:1]
call 5
may_goto pc+1
gotol pc-3
gotox r1
callx r2
.slot 0xffffffffffffffff
exit
