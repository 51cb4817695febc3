# What a program may read and write of its context, by program type: fields, sizes, alignment, pointers in it.
.macro get32 OFF
  r0 = *(u32 *)(r1 +$OFF)
  r0 = 0
  exit
.endm
.macro get64 OFF
  r0 = *(u64 *)(r1 +$OFF)
  r0 = 0
  exit
.endm
.macro set32 OFF
  *(u32 *)(r1 +$OFF) = 1
  r0 = 0
  exit
.endm
.macro set64 OFF
  *(u64 *)(r1 +$OFF) = 1
  r0 = 0
  exit
.endm

== socket_len | socket | accept
  get32 0

== socket_len_8_bits | socket | accept
  r0 = *(u8 *)(r1 +0)
  r0 = 0
  exit

== socket_len_high_byte | socket | accept
  r0 = *(u8 *)(r1 +3)
  r0 = 0
  exit

== socket_len_64_bits | socket | reject: invalid bpf_context access off=0 size=8
  get64 0

== socket_len_misaligned | socket | reject: invalid bpf_context access off=2 size=4
  get32 2

== socket_negative_offset | socket | reject: invalid bpf_context access off=-4 size=4
  r0 = *(u32 *)(r1 -4)
  r0 = 0
  exit

== socket_past_the_end | socket | reject: invalid bpf_context access off=4096 size=4
  get32 4096

== socket_variable_offset | socket | reject: variable ctx access var_off=(0x0
  r7 = r1
  unknown r6
  r6 &= 4
  r7 += r6
  r0 = *(u32 *)(r7 +0)
  exit

== socket_data | socket | reject: invalid bpf_context access off=76 size=4
  get32 76

== socket_data_end | socket | reject: invalid bpf_context access off=80 size=4
  get32 80

== socket_cb | socket | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 48

== socket_cb_64_bits | socket | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set64 48

== socket_cb_last_word | socket | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 64

== socket_cb_past_its_end | socket | reject: invalid bpf_context access off=64 size=8
  set64 64

== socket_cb_half_way | socket | reject: invalid bpf_context access off=52 size=8
  set64 52

== socket_mark_written | socket | reject: invalid bpf_context access off=8 size=4
  set32 8

== socket_tc_index_written | socket | reject: invalid bpf_context access off=44 size=4
  set32 44

== socket_tc_classid | socket | reject: invalid bpf_context access off=72 size=4
  get32 72

== socket_family | socket | reject: invalid bpf_context access off=88 size=4
  get32 88

== socket_hash | socket | accept
  get32 68

== socket_tstamp | socket | reject: invalid bpf_context access off=152 size=8
  get64 152

== socket_sk_null_unchecked | socket | reject: R1 invalid mem access 'sock_common_or_null'
  r1 = *(u64 *)(r1 +168)
  r0 = *(u32 *)(r1 +4)
  exit

== socket_sk_32_bits | socket | reject: invalid bpf_context access off=168 size=4
  get32 168

== tc_data_read | tc | accept
  get32 76

== tc_data_16_bits | tc | reject: invalid bpf_context access off=76 size=2
  r0 = *(u16 *)(r1 +76)
  exit

== tc_data_64_bits | tc | reject: invalid bpf_context access off=76 size=8
  get64 76

== tc_mark_written | tc | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 8

== tc_mark_one_byte_written | tc | reject: invalid bpf_context access off=8 size=1
  *(u8 *)(r1 +8) = 1
  r0 = 0
  exit

== tc_mark_by_register | tc | accept
  r2 = 5
  *(u32 *)(r1 +8) = r2
  r0 = 0
  exit

== tc_len_written | tc | reject: invalid bpf_context access off=0 size=4
  set32 0

== tc_priority_written | tc | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 32

== tc_tc_index_written | tc | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 44

== tc_tc_classid_written | tc | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 72

== tc_queue_mapping_written | tc | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 12

== tc_ifindex_written | tc | reject: invalid bpf_context access off=40 size=4
  set32 40

== tc_tstamp | tc | accept
  get64 152

== tc_tstamp_32_bits | tc | reject: invalid bpf_context access off=152 size=4
  get32 152

== tc_tstamp_written | tc | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set64 152

== tc_napi_id | tc | accept
  get32 84

== tc_gso_segs | tc | accept
  get32 164

== tc_gso_size | tc | accept
  get32 176

== tc_hwtstamp | tc | accept | 5.10 reject: invalid bpf_context access off=184 size=8
  get64 184

== tc_wire_len_written | tc | reject: invalid bpf_context access off=160 size=4
  set32 160

== tc_family | tc | reject: invalid bpf_context access off=88 size=4
  get32 88

== tc_sk_checked | tc | accept
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  r0 = *(u32 *)(r1 +4)
  leave

== tc_sk_unchecked | tc | reject: R1 invalid mem access 'sock_common_or_null'
  r1 = *(u64 *)(r1 +168)
  r0 = *(u32 *)(r1 +4)
  exit

== tc_sk_port_is_common | tc | accept
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  r0 = *(u32 *)(r1 +44)
  leave

== tc_sk_fullsock_port | tc | accept
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_sk_fullsock
  if r0 == 0 goto out
  r0 = *(u32 *)(r0 +44)
  leave

== tc_sk_fullsock_unchecked | tc | reject: R0 invalid mem access 'sock_or_null'
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_sk_fullsock
  r0 = *(u32 *)(r0 +44)
  leave

== tc_sk_fullsock_of_null | tc | reject: R1 type=sock_common_or_null expected=sock_common, sock, tcp_sock, xdp_sock
  r1 = *(u64 *)(r1 +168)
  call bpf_sk_fullsock
  r0 = 0
  exit

== tc_sk_written | tc | reject: R0 cannot write into sock
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_sk_fullsock
  if r0 == 0 goto out
  *(u32 *)(r0 +16) = 1
  leave

== tc_tcp_sock | tc | accept
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_tcp_sock
  if r0 == 0 goto out
  r0 = *(u32 *)(r0 +0)
  leave

== tc_tcp_sock_past_its_end | tc | reject: R0 invalid tcp_sock access off=200 size=4
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_tcp_sock
  if r0 == 0 goto out
  r0 = *(u32 *)(r0 +200)
  leave

== tc_sk_src_ip6 | tc | accept
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  call bpf_sk_fullsock
  if r0 == 0 goto out
  r0 = *(u32 *)(r0 +28)
  leave

== tc_sk_moved | tc | reject: R1 pointer arithmetic on sock_common prohibited
  r1 = *(u64 *)(r1 +168)
  if r1 == 0 goto out
  r1 += 4
  r0 = *(u32 *)(r1 +0)
  leave

== context_moved | tc | reject: dereference of modified ctx ptr R1 off=4 disallowed
  r1 += 4
  r0 = *(u32 *)(r1 +0)
  exit

== context_moved_by_unknown | tc | reject: variable ctx access var_off=(0x0
  r7 = r1
  unknown r6
  r6 &= 4
  r7 += r6
  r0 = *(u32 *)(r7 +0)
  exit

== context_moved_to_a_helper | tc | reject: dereference of modified ctx ptr R1 off=4 disallowed
  r1 += 4
  r2 = 0 ;; r3 = 0
  call bpf_skb_pull_data
  exit

== context_multiplied | tc | reject: R1 pointer arithmetic with *= operator prohibited
  r1 *= 2
  r0 = 0
  exit

== context_atomic | tc | reject: BPF_ATOMIC stores into R1 ctx is not allowed
  r2 = 1
  lock *(u32 *)(r1 +8) += r2
  r0 = 0
  exit

== context_two_pointers_one_load | tc | reject: same insn cannot be used with different pointers
  r6 = r1
  unknown r7
  r2 = r10 ;; r2 += -8
  *(u64 *)(r10 -8) = 0
  if r7 == 0 goto other
  r2 = r6
other:
  r0 = *(u32 *)(r2 +0)
  r0 = 0
  exit

== xdp_data | xdp | accept
  get32 0

== xdp_data_64_bits | xdp | reject: invalid bpf_context access off=0 size=8
  get64 0

== xdp_data_16_bits | xdp | reject: invalid bpf_context access off=0 size=2
  r0 = *(u16 *)(r1 +0)
  exit

== xdp_data_end | xdp | accept
  get32 4

== xdp_data_meta | xdp | accept
  get32 8

== xdp_ingress_ifindex | xdp | accept
  get32 12

== xdp_rx_queue | xdp | accept
  get32 16

== xdp_egress_ifindex | xdp | reject: invalid bpf_context access off=20 size=4
  get32 20

== xdp_egress_ifindex_devmap | xdp/devmap | accept
  get32 20

== xdp_past_the_end | xdp | reject: invalid bpf_context access off=24 size=4
  get32 24

== xdp_written | xdp | reject: invalid bpf_context access off=16 size=4
  set32 16

== tracepoint_word | tracepoint | accept
  get64 8

== tracepoint_common_words_are_closed | tracepoint | reject: invalid bpf_context access off=0 size=8
  get64 0

== tracepoint_far | tracepoint | accept
  get64 1024

== tracepoint_too_far | tracepoint | reject: invalid bpf_context access off=8192 size=8
  get64 8192

== tracepoint_byte | tracepoint | accept
  r0 = *(u8 *)(r1 +17)
  r0 = 0
  exit

== tracepoint_misaligned | tracepoint | reject: invalid bpf_context access off=18 size=4
  get32 18

== tracepoint_written | tracepoint | reject: invalid bpf_context access off=16 size=8
  set64 16

== tracepoint_pointer_is_a_number | tracepoint | reject: R1 invalid mem access 'scalar'
  r1 = *(u64 *)(r1 +16)
  r0 = *(u8 *)(r1 +0)
  exit

== raw_tp_argument | raw_tp | accept
  get64 0

== raw_tp_argument_11 | raw_tp | accept
  get64 88

== raw_tp_argument_12 | raw_tp | reject: invalid bpf_context access off=96 size=8
  get64 96

== raw_tp_argument_low_half | raw_tp | accept
  get32 0

== raw_tp_argument_misaligned | raw_tp | reject: invalid bpf_context access off=4 size=8
  get64 4

== raw_tp_written | raw_tp | reject: invalid bpf_context access off=0 size=8
  set64 0

== kprobe_register | kprobe | accept
  get64 112

== kprobe_register_32_bits | kprobe | accept
  get32 112

== kprobe_last_register | kprobe | accept
  get64 160

== kprobe_past_the_registers | kprobe | reject: invalid bpf_context access off=168 size=8
  get64 168

== kprobe_misaligned | kprobe | reject: invalid bpf_context access off=4 size=8
  get64 4

== kprobe_written | kprobe | reject: invalid bpf_context access off=112 size=8 | >=7.3 accept
  set64 112

== perf_event_register | perf_event | accept
  get64 0

== perf_event_period | perf_event | accept
  get64 168

== perf_event_period_low_half | perf_event | accept
  get32 168

== perf_event_address | perf_event | accept
  get64 176

== perf_event_past_the_end | perf_event | reject: invalid bpf_context access off=184 size=8
  get64 184

== perf_event_written | perf_event | reject: invalid bpf_context access off=168 size=8
  set64 168

== cgroup_skb_data | cgroup/skb | accept
  get32 76

== cgroup_skb_mark_written | cgroup/skb | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  *(u32 *)(r1 +8) = 1
  r0 = 1
  exit

== cgroup_skb_family | cgroup/skb | accept
  get32 88

== cgroup_skb_tc_classid | cgroup/skb | reject: invalid bpf_context access off=72 size=4
  get32 72

== cgroup_skb_data_meta | cgroup/skb | reject: invalid bpf_context access off=140 size=4
  get32 140

== cgroup_skb_data_unprivileged | cgroup/skb unprivileged | reject: invalid bpf_context access off=76 size=4
  get32 76

== cgroup_sock_family | cgroup/sock_create | accept
  get32 4

== cgroup_sock_mark_written | cgroup/sock_create | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 16

== cgroup_sock_bound_written | cgroup/sock_create | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 0

== cgroup_sock_src_ip4_at_creation | cgroup/sock_create | reject: invalid bpf_context access off=24 size=4
  get32 24

== cgroup_sock_src_ip4_after_bind | cgroup/post_bind4 | accept
  get32 24

== cgroup_sock_src_ip6_after_bind4 | cgroup/post_bind4 | reject: invalid bpf_context access off=28 size=4
  get32 28

== cgroup_sock_src_ip6_after_bind6 | cgroup/post_bind6 | accept
  get32 28

== cgroup_sock_mark_after_bind | cgroup/post_bind4 | reject: invalid bpf_context access off=16 size=4
  set32 16

== sock_addr_user_ip4 | cgroup/connect4 | accept
  get32 4

== sock_addr_user_ip4_written | cgroup/connect4 | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 4

== sock_addr_user_ip4_in_connect6 | cgroup/connect6 | reject: invalid bpf_context access off=4 size=4
  get32 4

== sock_addr_user_ip6 | cgroup/connect6 | accept
  get32 8

== sock_addr_user_ip6_64_bits | cgroup/connect6 | accept
  get64 8

== sock_addr_user_ip6_in_connect4 | cgroup/connect4 | reject: invalid bpf_context access off=8 size=4
  get32 8

== sock_addr_user_port_written | cgroup/connect4 | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 24

== sock_addr_family_written | cgroup/connect4 | reject: invalid bpf_context access off=28 size=4
  set32 28

== sock_addr_msg_src_ip4 | cgroup/sendmsg4 | accept
  get32 40

== sock_addr_msg_src_ip4_in_connect | cgroup/connect4 | reject: invalid bpf_context access off=40 size=4
  get32 40

== sock_addr_sk | cgroup/connect4 | accept
  r1 = *(u64 *)(r1 +64)
  if r1 == 0 goto out
  r0 = *(u32 *)(r1 +4)
out:
  r0 = 1
  exit

== sockopt_level | cgroup/getsockopt | accept
  get32 24

== sockopt_optlen_written | cgroup/getsockopt | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 32

== sockopt_retval_written | cgroup/getsockopt | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 36

== sockopt_retval_in_setsockopt | cgroup/setsockopt | reject: invalid bpf_context access off=36 size=4
  get32 36

== sockopt_level_written | cgroup/setsockopt | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 24

== sockopt_level_written_in_get | cgroup/getsockopt | reject: invalid bpf_context access off=24 size=4
  set32 24

== sockopt_optval_bounds | cgroup/setsockopt | accept
  r6 = *(u64 *)(r1 +8) ;; r7 = *(u64 *)(r1 +16)
  r2 = r6 ;; r2 += 4
  if r2 > r7 goto out
  r0 = *(u32 *)(r6 +0)
out:
  r0 = 1
  exit

== sockopt_optval_unchecked | cgroup/setsockopt | reject: invalid access to packet, off=0 size=4, R6(id=0,off=0,r=0)
  r6 = *(u64 *)(r1 +8)
  r0 = *(u32 *)(r6 +0)
  r0 = 1
  exit

== sysctl_write | cgroup/sysctl | accept
  get32 0

== sysctl_write_written | cgroup/sysctl | reject: invalid bpf_context access off=0 size=4
  set32 0

== sysctl_file_pos_written | cgroup/sysctl | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 4

== device_access | cgroup/dev | accept
  get32 0

== device_access_16_bits | cgroup/dev | accept
  r0 = *(u16 *)(r1 +0)
  r0 = 0
  exit

== device_major_16_bits | cgroup/dev | reject: invalid bpf_context access off=4 size=2
  r0 = *(u16 *)(r1 +4)
  r0 = 0
  exit

== device_written | cgroup/dev | reject: invalid bpf_context access off=0 size=4
  set32 0

== sockops_op | sockops | accept
  get32 0

== sockops_reply_written | sockops | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 4

== sockops_op_written | sockops | reject: invalid bpf_context access off=0 size=4
  set32 0

== sockops_sk_txhash_written | sockops | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 164

== sockops_bytes_received | sockops | accept
  get64 168

== sockops_bytes_received_32_bits | sockops | reject: invalid bpf_context access off=168 size=4
  get32 168

== sk_msg_data | sk_msg | accept
  get64 0

== sk_msg_data_32_bits | sk_msg | reject: invalid bpf_context access off=0 size=4
  get32 0

== sk_msg_size | sk_msg | accept
  get32 68

== sk_msg_written | sk_msg | reject: invalid bpf_context access off=68 size=4
  set32 68

== sk_lookup_family | sk_lookup | accept
  get32 8

== sk_lookup_local_port | sk_lookup | accept
  get32 60

== sk_lookup_written | sk_lookup | reject: invalid bpf_context access off=60 size=4
  set32 60

== sk_reuseport_len | sk_reuseport | accept
  get32 16

== sk_reuseport_data | sk_reuseport | accept
  get64 0

== flow_dissector_keys | flow_dissector | accept
  r2 = *(u64 *)(r1 +144)
  r0 = *(u16 *)(r2 +0)
  r0 = 0
  exit

== flow_dissector_keys_past_the_end | flow_dissector | reject: invalid access to flow keys off=100 size=4
  r2 = *(u64 *)(r1 +144)
  r0 = *(u32 *)(r2 +100)
  r0 = 0
  exit

== flow_dissector_len | flow_dissector | reject: invalid bpf_context access off=0 size=4
  get32 0

== lwt_in_mark_written | lwt_in | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 8

== lwt_in_data | lwt_in | accept
  get32 76

== lwt_in_tc_classid | lwt_in | reject: invalid bpf_context access off=72 size=4
  get32 72

== sk_skb_priority_written | sk_skb | accept | 5.10..6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set32 32

== sk_skb_mark | sk_skb | reject: invalid bpf_context access off=8 size=4
  get32 8

== syscall_context_read | syscall | accept | 5.10 reject: Invalid argument
  get64 0

== syscall_context_written | syscall | accept | 5.10 reject: Invalid argument | 6.1 reject: BPF_ST stores into R1 ctx is not allowed
  set64 0

== syscall_context_moved | syscall | reject: dereference of modified ctx ptr R1 off=8 disallowed | >=7.3 accept
  r1 += 8
  get64 0

== netfilter_state | netfilter | accept | 5.10..6.1 reject: Invalid argument
  get64 0

== netfilter_state_32_bits | netfilter | reject: invalid bpf_context access off=0 size=4
  get32 0

== netfilter_skb_field | netfilter | accept | 5.10..6.1 reject: Invalid argument
  r1 = *(u64 *)(r1 +8)
  r0 = *(u32 *)(r1 +112)
  r0 = 0
  exit

== netfilter_written | netfilter | reject: invalid bpf_context access off=0 size=8
  set64 0
