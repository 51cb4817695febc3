.license "GPL"
.map events type=ringbuf max_entries=4096
.map .rodata origin=rodata value=8
.bytes 01 02 03ff
.zero 4
.extern bpf_rcu_read_lock kfunc weak
.section xdp
.func main
   0: (bf) r6 = r1
  r1 = map[events] ll
  r2 = map[.rodata][0]+4 ll
again:
  if r1 s> 0x5 goto pc+2 <out>
  w1 += -1
  goto again
out:
  call helper
  call kfunc[bpf_rcu_read_lock]
  exit
.section .text
.local helper
.func helper
  r0 = 0
  exit
