# What a program may return, by program type and attach type.
.macro result N
  r0 = $N
  exit
.endm
.macro any_result
  call bpf_get_prandom_u32
  exit
.endm

== socket_anything | socket | accept
  any_result

== tc_anything | tc | accept
  any_result

== xdp_anything | xdp | accept
  any_result

== xdp_large | xdp | accept
  result 1000

== cgroup_skb_zero | cgroup/skb | accept
  result 0

== cgroup_skb_one | cgroup/skb | accept
  result 1

== cgroup_skb_two_without_attach_type | cgroup/skb | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== cgroup_skb_egress_three | cgroup_skb/egress | accept
  result 3

== cgroup_skb_egress_four | cgroup_skb/egress | reject: At program exit the register R0 has smin=4 smax=4 should have been in [0, 3]
  result 4

== cgroup_skb_ingress_two | cgroup_skb/ingress | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== cgroup_skb_unknown | cgroup_skb/ingress | reject: At program exit the register R0 has unknown scalar value should have been in [0, 1]
  any_result

== cgroup_skb_masked | cgroup_skb/ingress | accept
  call bpf_get_prandom_u32
  r0 &= 1
  exit

== cgroup_skb_negative | cgroup_skb/ingress | reject: At program exit the register R0 has smin=-1 smax=-1 should have been in [0, 1]
  result -1

== cgroup_skb_high_bits | cgroup_skb/ingress | reject: At program exit the register R0 has smin=4294967297 smax=4294967297 should have been in
  r0 = 0x100000001 ll
  exit

== cgroup_skb_pointer | cgroup_skb/ingress | reject: At program exit the register R0 is not a known value (ctx)
  r0 = r1
  exit

== cgroup_sock_create_one | cgroup/sock_create | accept
  result 1

== cgroup_sock_create_two | cgroup/sock_create | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== cgroup_sock_unknown | cgroup/sock_create | reject: At program exit the register R0 has unknown scalar value should have been in [0, 1]
  any_result

== connect4_one | cgroup/connect4 | accept
  result 1

== connect4_two | cgroup/connect4 | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== bind4_three | cgroup/bind4 | accept | 5.10 reject: At program exit the register R0 has value (0x3
  result 3

== bind4_four | cgroup/bind4 | reject: At program exit the register R0 has smin=4 smax=4 should have been in [0, 3]
  result 4

== sendmsg4_two | cgroup/sendmsg4 | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== recvmsg4_one | cgroup/recvmsg4 | accept
  result 1

== recvmsg4_zero | cgroup/recvmsg4 | reject: At program exit the register R0 has smin=0 smax=0 should have been in [1, 1]
  result 0

== getpeername4_zero | cgroup/getpeername4 | reject: At program exit the register R0 has smin=0 smax=0 should have been in [1, 1]
  result 0

== getpeername4_one | cgroup/getpeername4 | accept
  result 1

== getsockname6_zero | cgroup/getsockname6 | reject: At program exit the register R0 has smin=0 smax=0 should have been in [1, 1]
  result 0

== sockopt_one | cgroup/getsockopt | accept
  result 1

== sockopt_two | cgroup/getsockopt | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== setsockopt_masked | cgroup/setsockopt | accept
  call bpf_get_prandom_u32
  r0 &= 1
  exit

== sysctl_two | cgroup/sysctl | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== sysctl_one | cgroup/sysctl | accept
  result 1

== device_two | cgroup/dev | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== device_zero | cgroup/dev | accept
  result 0

== sock_ops_one | sockops | accept
  result 1

== sock_ops_two | sockops | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== sk_lookup_pass | sk_lookup | accept
  result 1

== sk_lookup_two | sk_lookup | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== sk_lookup_unknown | sk_lookup | reject: At program exit the register R0 has unknown scalar value should have been in [0, 1]
  any_result

== flow_dissector_anything | flow_dissector | accept
  any_result

== netfilter_accept | netfilter | accept | 5.10..6.1 reject: Invalid argument
  result 1

== netfilter_two | netfilter | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== raw_tp_anything | raw_tp | accept
  any_result

== tracepoint_anything | tracepoint | accept
  any_result

== kprobe_anything | kprobe | accept
  any_result

== perf_event_anything | perf_event | accept
  any_result

== kprobe_session_one | kprobe.session | accept
  result 1

== kprobe_session_two | kprobe.session | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1] | 5.10..6.1 accept
  result 2

== uprobe_session_two | uprobe.session | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1] | 5.10..6.12 accept
  result 2

== uprobe_session_zero | uprobe.session | accept
  result 0

== lwt_anything | lwt_in | accept
  any_result

== sk_msg_anything | sk_msg | accept
  any_result

== sk_skb_anything | sk_skb | accept
  any_result

== sk_reuseport_anything | sk_reuseport | accept
  any_result

== syscall_anything | syscall | accept | 5.10 reject: Invalid argument
  any_result

== tp_btf_zero | tp_btf/sys_enter | accept
  result 0

== tp_btf_one | tp_btf/sys_enter | accept
  result 1

== tp_btf_unknown | tp_btf/sys_enter | accept
  any_result

== raw_tp_writable | raw_tp.w | accept
  result 0

== fentry_zero | fentry/bpf_fentry_test1 | accept
  result 0

== fentry_one | fentry/bpf_fentry_test1 | reject: should have been in [0, 0]
  result 1

== fexit_one | fexit/bpf_fentry_test1 | reject: should have been in [0, 0]
  result 1

== fmod_ret_anything | fmod_ret/bpf_modify_return_test | accept | 5.10..6.1 reject: bpf_modify_return_test() is not modifiable
  any_result

== iterator_zero | iter/task | accept
  result 0

== iterator_one | iter/task | accept
  result 1

== iterator_two | iter/task | reject: At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]
  result 2

== lsm_zero | lsm/file_open | accept
  result 0

== lsm_error | lsm/file_open | accept
  result -1

== lsm_positive | lsm/file_open | reject: should have been in [-4095, 0] | <6.8 accept
  result 1

== lsm_void_anything | lsm/file_free_security | accept
  any_result

== lsm_unknown | lsm/file_open | reject: should have been in [-4095, 0] | <6.8 accept
  any_result

== lsm_unknown_hook | lsm/no_such_hook | reject: no
  result 0

== tp_btf_unknown_tracepoint | tp_btf/no_such_tracepoint | reject: has no tracepoint `no_such_tracepoint` to attach to
  result 0

== fentry_unknown_function | fentry/no_such_function | reject: no
  result 0
