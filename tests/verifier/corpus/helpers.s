# Helpers: who may call them, and what each argument must be.
.map stacks type=stack_trace key=4 value=1016 max_entries=4
.map storage type=cgroup_storage key=16 value=8

== unknown_to_the_type | socket | reject: program of this type cannot use helper bpf_redirect#23
  r1 = 1
  call bpf_redirect
  exit

== known_to_the_type | tc | accept
  r1 = 1 ;; r2 = 0
  call bpf_redirect
  exit

== redirect_without_an_argument | tc | reject: R2 !read_ok
  r1 = 1
  call bpf_redirect
  exit

== gpl_only | tracepoint proprietary | reject: cannot call GPL-restricted function from non-GPL compatible program
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_probe_read_kernel
  r0 = 0
  exit

== gpl_only_with_gpl | tracepoint | accept
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_probe_read_kernel
  r0 = 0
  exit

== free_for_all_licences | socket proprietary | accept
  call bpf_get_prandom_u32
  r0 = 0
  exit

== printk_is_gpl_only | socket proprietary | reject: cannot call GPL-restricted function from non-GPL compatible program
  *(u64 *)(r10 -8) = 0x6968
  r1 = r10 ;; r1 += -8 ;; r2 = 8
  call bpf_trace_printk
  r0 = 0
  exit

== trace_printk | tracepoint | accept
  *(u64 *)(r10 -8) = 0x6968
  r1 = r10 ;; r1 += -8 ;; r2 = 8
  call bpf_trace_printk
  r0 = 0
  exit

== trace_printk_in_socket_filter | socket | accept
  *(u64 *)(r10 -8) = 0x6968
  r1 = r10 ;; r1 += -8 ;; r2 = 8
  call bpf_trace_printk
  r0 = 0
  exit

== trace_printk_without_text | tracepoint | reject: R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf,
  r1 = 0 ;; r2 = 8
  call bpf_trace_printk
  r0 = 0
  exit

== probe_read_to_the_stack | tracepoint | accept
  r1 = r10 ;; r1 += -16 ;; r2 = 16 ;; r3 = 4096
  call bpf_probe_read_user
  r0 = *(u64 *)(r10 -8)
  r0 = 0
  exit

== probe_read_zero_bytes | tracepoint | accept
  r1 = r10 ;; r1 += -16 ;; r2 = 0 ;; r3 = 4096
  call bpf_probe_read_user
  r0 = 0
  exit

== probe_read_to_a_number | tracepoint | reject: R1 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf,
  r1 = 4096 ;; r2 = 8 ;; r3 = 4096
  call bpf_probe_read_user
  r0 = 0
  exit

== probe_read_variable_size_to_a_value | tracepoint | accept
  element a48
  r6 = r0
  unknown r7
  if r7 > 48 goto out
  r1 = r6 ;; r2 = r7 ;; r3 = 4096
  call bpf_probe_read_user
  leave

== probe_read_variable_size_beyond | tracepoint | reject: invalid access to map value, value_size=48 off=0 size=49
  element a48
  r6 = r0
  unknown r7
  if r7 > 49 goto out
  r1 = r6 ;; r2 = r7 ;; r3 = 4096
  call bpf_probe_read_user
  leave

== probe_read_moved_with_size_left | tracepoint | reject: invalid access to map value, value_size=48 off=48 size=48
  element a48
  r6 = r0
  unknown r7
  if r7 > 48 goto out
  r6 += r7
  r8 = 48 ;; r8 -= r7
  r1 = r6 ;; r2 = r8 ;; r3 = 4096
  call bpf_probe_read_user
  leave

== probe_read_size_in_32_bits | tracepoint | accept
  element a48
  r6 = r0
  unknown r7
  w7 &= 31
  r1 = r6 ;; r2 = r7 ;; r3 = 4096
  call bpf_probe_read_user
  leave

== probe_read_size_negative_possible | tracepoint | reject: R2 min value is negative, either use unsigned or 'var &= const'
  element a48
  r6 = r0
  unknown r7
  if r7 s> 48 goto out
  r1 = r6 ;; r2 = r7 ;; r3 = 4096
  call bpf_probe_read_user
  leave

== probe_read_into_the_context | tracepoint | reject: R1 type=ctx expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf,
  r2 = 8 ;; r3 = 4096
  call bpf_probe_read_user
  r0 = 0
  exit

== string_result_bounds_are_known | tracepoint | accept
  element a48
  r6 = r0
  r1 = r6 ;; r2 = 40 ;; r3 = 4096
  call bpf_probe_read_user_str
  if r0 s< 0 goto out
  r6 += r0
  *(u64 *)(r6 +0) = 0
  leave

== string_result_may_be_negative | tracepoint | reject: R6 min value is negative, either use unsigned index or do a if (index >=0) check.
  element a48
  r6 = r0
  r1 = r6 ;; r2 = 40 ;; r3 = 4096
  call bpf_probe_read_user_str
  r6 += r0
  *(u64 *)(r6 +0) = 0
  leave

== string_result_beyond | tracepoint | reject: invalid access to map value, value_size=48 off=41 size=8
  element a48
  r6 = r0
  r1 = r6 ;; r2 = 41 ;; r3 = 4096
  call bpf_probe_read_user_str
  if r0 s< 0 goto out
  r6 += r0
  *(u64 *)(r6 +0) = 0
  leave

== get_stack_result | tracepoint | accept
  r9 = r1
  element a256
  r6 = r0
  r1 = r9 ;; r2 = r6 ;; r3 = 200 ;; r4 = 0
  call bpf_get_stack
  if r0 s< 0 goto out
  r6 += r0
  *(u64 *)(r6 +0) = 0
  leave

== result_is_not_a_pointer | socket | reject: R0 invalid mem access 'scalar'
  call bpf_get_prandom_u32
  r0 = *(u8 *)(r0 +0)
  exit

== map_argument_is_a_number | socket | reject: R1 type=scalar expected=map_ptr
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  r1 = 5
  call bpf_map_lookup_elem
  r0 = 0
  exit

== map_argument_is_the_context | socket | reject: R1 type=ctx expected=map_ptr
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  call bpf_map_lookup_elem
  r0 = 0
  exit

== map_argument_is_a_value | socket | reject: R1 type=map_value expected=map_ptr
  element a48
  r1 = r0
  *(u32 *)(r10 -4) = 0
  r2 = r10 ;; r2 += -4
  call bpf_map_lookup_elem
  leave

== key_argument_is_a_number | socket | reject: R2 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf,
  r2 = 0
  r1 = map[a8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== key_argument_is_missing | socket | reject: R2 !read_ok
  r1 = map[a8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== key_argument_is_the_context | socket | reject: R2 type=ctx expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf,
  r2 = r1
  r1 = map[a8] ll
  call bpf_map_lookup_elem
  r0 = 0
  exit

== context_argument_is_a_number | tc | reject: R1 type=scalar expected=ctx
  r1 = 0 ;; r2 = 0
  call bpf_skb_pull_data
  r0 = 0
  exit

== context_argument_is_the_stack | tc | reject: R1 type=fp expected=ctx
  r1 = r10 ;; r2 = 0
  call bpf_skb_pull_data
  r0 = 0
  exit

== number_argument_may_be_a_pointer | tc | accept
  r2 = r10
  call bpf_skb_pull_data
  r0 = 0
  exit

== number_argument_uninitialised | tc | reject: R2 !read_ok
  call bpf_skb_pull_data
  r0 = 0
  exit

== update_flags_missing | socket | reject: R4 !read_ok
  *(u64 *)(r10 -8) = 0
  r1 = map[h8] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = r2
  call bpf_map_update_elem
  r0 = 0
  exit

== perf_output | tracepoint | accept
  *(u64 *)(r10 -8) = 0
  r2 = map[events] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_perf_event_output
  r0 = 0
  exit

== perf_output_with_an_array | tracepoint | reject: cannot pass map_type 2 into func bpf_perf_event_output#25
  *(u64 *)(r10 -8) = 0
  r2 = map[a8] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_perf_event_output
  r0 = 0
  exit

== perf_output_of_uninitialised_stack | tracepoint | accept | <6.3 reject
  r2 = map[events] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_perf_event_output
  r0 = 0
  exit

== perf_output_zero_bytes | tracepoint | accept
  r2 = map[events] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 0
  call bpf_perf_event_output
  r0 = 0
  exit

== perf_output_null_and_zero_bytes | tracepoint | reject: R4 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf,
  r2 = map[events] ll ;; r3 = 0 ;; r4 = 0 ;; r5 = 0
  call bpf_perf_event_output
  r0 = 0
  exit

== csum_diff_null_and_zero_bytes | tc | accept
  *(u64 *)(r10 -8) = 0
  r1 = 0 ;; r2 = 0 ;; r3 = r10 ;; r3 += -8 ;; r4 = 8 ;; r5 = 0
  call bpf_csum_diff
  r0 = 0
  exit

== csum_diff_null_and_eight_bytes | tc | reject: R1 type=scalar expected=fp
  r1 = 0 ;; r2 = 8 ;; r3 = 0 ;; r4 = 0 ;; r5 = 0
  call bpf_csum_diff
  r0 = 0
  exit

== csum_diff_null_and_unknown_size | tc | reject: R1 type=scalar expected=fp
  unknown r6
  r6 &= 8
  r1 = 0 ;; r2 = r6 ;; r3 = 0 ;; r4 = 0 ;; r5 = 0
  call bpf_csum_diff
  r0 = 0
  exit

== strtol | cgroup/sysctl | accept
  *(u64 *)(r10 -8) = 0x3231 ;; *(u64 *)(r10 -16) = 0
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -16
  call bpf_strtol
  r0 = 1
  exit

== strtol_into_a_misaligned_long | cgroup/sysctl | reject: misaligned stack access off 0+-20+0 size 8
  *(u64 *)(r10 -8) = 0x3231 ;; *(u64 *)(r10 -16) = 0 ;; *(u64 *)(r10 -24) = 0
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -20
  call bpf_strtol
  r0 = 1
  exit

== strtol_into_uninitialised | cgroup/sysctl | accept | 5.10 reject: invalid indirect read from stack R4 off -16+0 size 8
  *(u64 *)(r10 -8) = 0x3231
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = r10 ;; r4 += -16
  call bpf_strtol
  r0 = 1
  exit

== local_storage | cgroup/skb | accept
  r1 = map[storage] ll ;; r2 = 0
  call bpf_get_local_storage
  r0 = *(u64 *)(r0 +0)
  r0 = 1
  exit

== local_storage_with_flags | cgroup/skb | reject: get_local_storage() doesn't support non-zero flags
  r1 = map[storage] ll ;; r2 = 1
  call bpf_get_local_storage
  r0 = 1
  exit

== local_storage_with_unknown_flags | cgroup/skb | reject: get_local_storage() doesn't support non-zero flags
  unknown r6
  r1 = map[storage] ll ;; r2 = r6
  call bpf_get_local_storage
  r0 = 1
  exit

== local_storage_with_another_map | cgroup/skb | reject: cannot pass map_type 2 into func bpf_get_local_storage#81
  r1 = map[a8] ll ;; r2 = 0
  call bpf_get_local_storage
  r0 = 1
  exit

== local_storage_beyond | cgroup/skb | reject: invalid access to map value, value_size=8 off=8 size=8
  r1 = map[storage] ll ;; r2 = 0
  call bpf_get_local_storage
  r0 = *(u64 *)(r0 +8)
  r0 = 1
  exit

== current_task_is_a_number | tracepoint | reject: R0 invalid mem access 'scalar'
  call bpf_get_current_task
  r0 = *(u64 *)(r0 +0)
  exit

== current_task_btf | tracepoint | accept | 5.10 reject: invalid func unknown#158
  call bpf_get_current_task_btf
  r0 = *(u64 *)(r0 +0)
  r0 = 0
  exit

== current_task_btf_written | tracepoint | reject: only read is supported
  call bpf_get_current_task_btf
  *(u64 *)(r0 +0) = 1
  r0 = 0
  exit

== current_task_btf_far | tracepoint | reject: access beyond struct task_struct at off 30000 size 8
  call bpf_get_current_task_btf
  r0 = *(u64 *)(r0 +30000)
  r0 = 0
  exit

== sleepable_helper_in_a_program_that_is_not | tracepoint | reject: helper call might sleep in a non-sleepable prog
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== sleepable_helper_in_uprobe_s | uprobe.s | accept | 5.10 reject: Only fentry/fexit/fmod_ret and lsm programs can be sleepable
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== sleepable_helper_in_plain_uprobe | uprobe | reject: helper call might sleep in a non-sleepable prog
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== sleepable_helper_in_syscall | syscall | accept | 5.10 reject: Invalid argument
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== sys_close_outside_syscall | tracepoint | reject: program of this type cannot use helper bpf_sys_close#168
  r1 = 1
  call bpf_sys_close
  r0 = 0
  exit

== sys_close_in_syscall | syscall | accept | 5.10 reject: Invalid argument
  r1 = 1
  call bpf_sys_close
  r0 = 0
  exit

== send_signal | tracepoint | accept
  r1 = 1
  call bpf_send_signal
  r0 = 0
  exit

== override_return_in_tracepoint | tracepoint | reject: program of this type cannot use helper bpf_override_return#58
  r2 = 0
  call bpf_override_return
  r0 = 0
  exit

== func_ip_in_kprobe | kprobe | accept | 5.10 reject: invalid func unknown#173
  call bpf_get_func_ip
  r0 = 0
  exit

== func_ip_in_tracepoint | tracepoint | reject: func bpf_get_func_ip#173 not supported for program type 5
  call bpf_get_func_ip
  r0 = 0
  exit

== attach_cookie_in_kprobe | kprobe | accept | 5.10 reject: invalid func unknown#174
  call bpf_get_attach_cookie
  r0 = 0
  exit

== attach_cookie_in_xdp | xdp | reject: program of this type cannot use helper bpf_get_attach_cookie#174
  call bpf_get_attach_cookie
  r0 = 0
  exit

== get_socket_cookie_in_socket | socket | accept
  call bpf_get_socket_cookie
  r0 = 0
  exit

== sk_assign_null_in_tc | tc | reject: R2 type=scalar expected=sock_common
  r2 = 0 ;; r3 = 0
  call bpf_sk_assign
  exit

== fib_lookup | xdp | accept
  *(u64 *)(r10 -64) = 0 ;; *(u64 *)(r10 -56) = 0 ;; *(u64 *)(r10 -48) = 0 ;; *(u64 *)(r10 -40) = 0
  *(u64 *)(r10 -32) = 0 ;; *(u64 *)(r10 -24) = 0 ;; *(u64 *)(r10 -16) = 0 ;; *(u64 *)(r10 -8) = 0
  r2 = r10 ;; r2 += -64 ;; r3 = 64 ;; r4 = 0
  call bpf_fib_lookup
  r0 = 0
  exit

== setsockopt | cgroup/connect4 | accept
  *(u64 *)(r10 -8) = 1
  r2 = 1 ;; r3 = 8 ;; r4 = r10 ;; r4 += -8 ;; r5 = 4
  call bpf_setsockopt
  r0 = 1
  exit

== setsockopt_in_xdp | xdp | reject: program of this type cannot use helper bpf_setsockopt#49
  *(u64 *)(r10 -8) = 1
  r2 = 1 ;; r3 = 8 ;; r4 = r10 ;; r4 += -8 ;; r5 = 4
  call bpf_setsockopt
  r0 = 1
  exit

== bind_in_connect4 | cgroup/connect4 | accept
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  r2 = r10 ;; r2 += -16 ;; r3 = 16
  call bpf_bind
  r0 = 1
  exit

== bind_in_bind4 | cgroup/bind4 | reject: program of this type cannot use helper bpf_bind#64
  *(u64 *)(r10 -8) = 0 ;; *(u64 *)(r10 -16) = 0
  r2 = r10 ;; r2 += -16 ;; r3 = 16
  call bpf_bind
  r0 = 1
  exit

== sysctl_get_name | cgroup/sysctl | accept | 5.10..6.1 reject: invalid indirect read from stack R2 off -16+0 size 16
  r2 = r10 ;; r2 += -16 ;; r3 = 16 ;; r4 = 0
  call bpf_sysctl_get_name
  r0 = 1
  exit

== perf_prog_read_value | perf_event | accept
  r2 = r10 ;; r2 += -24 ;; r3 = 24
  call bpf_perf_prog_read_value
  r0 = 0
  exit

== perf_prog_read_value_in_kprobe | kprobe | reject: program of this type cannot use helper bpf_perf_prog_read_value#56
  r2 = r10 ;; r2 += -24 ;; r3 = 24
  call bpf_perf_prog_read_value
  r0 = 0
  exit

== ringbuf_output | tracepoint | accept
  *(u64 *)(r10 -8) = 0
  r1 = map[ring] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = 8 ;; r4 = 0
  call bpf_ringbuf_output
  r0 = 0
  exit

== ringbuf_output_to_an_array | tracepoint | reject: cannot pass map_type 2 into func bpf_ringbuf_output#130
  *(u64 *)(r10 -8) = 0
  r1 = map[a8] ll ;; r2 = r10 ;; r2 += -8 ;; r3 = 8 ;; r4 = 0
  call bpf_ringbuf_output
  r0 = 0
  exit

== ringbuf_query | socket | accept
  r1 = map[ring] ll ;; r2 = 0
  call bpf_ringbuf_query
  r0 = 0
  exit

== ringbuf_map_looked_up | socket | reject: invalid zero-sized read
  lookup ring
  r0 = 0
  exit

== tail_call_result_goes_on | socket | accept
  r2 = map[progs] ll ;; r3 = 1
  call bpf_tail_call
  r0 = 0
  exit

== per_cpu_ptr_of_a_number | tracepoint | reject: R1 type=scalar expected=percpu_ptr_, percpu_rcu_ptr_, percpu_trusted_ptr_
  r1 = 0 ;; r2 = 0
  call bpf_per_cpu_ptr
  r0 = 0
  exit

== d_path_in_tracepoint | tracepoint | reject: program of this type cannot use helper bpf_d_path#147
  r2 = 0
  call bpf_d_path
  r0 = 0
  exit

== kallsyms_outside_syscall | tracepoint | reject: program of this type cannot use helper bpf_kallsyms_lookup_name#179
  call bpf_kallsyms_lookup_name
  r0 = 0
  exit

== unprivileged_socket_helper | socket unprivileged | accept
  call bpf_get_prandom_u32
  r0 = 0
  exit

== unprivileged_trace_printk | socket unprivileged | reject: program of this type cannot use helper bpf_trace_printk#6
  *(u64 *)(r10 -8) = 0x6968
  r1 = r10 ;; r1 += -8 ;; r2 = 8
  call bpf_trace_printk
  r0 = 0
  exit
