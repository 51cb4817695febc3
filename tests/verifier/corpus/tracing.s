# Programs whose context is the arguments of a traced function or tracepoint, by the kernel's types.
.extern bpf_task_acquire kfunc
.extern bpf_task_release kfunc

== tp_btf_argument | tp_btf/sched_switch | accept
  r2 = *(u64 *)(r1 +8)
  r0 = 0
  exit

== tp_btf_argument_dereferenced | tp_btf/sched_switch | accept
  r2 = *(u64 *)(r1 +8)
  r2 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== tp_btf_argument_written_through | tp_btf/sched_switch | reject: only read is supported
  r2 = *(u64 *)(r1 +8)
  *(u64 *)(r2 +0) = 1
  r0 = 0
  exit

== tp_btf_argument_4_bytes | tp_btf/sched_switch | reject: func 'sched_switch' size 4 must be 8 | 5.10..6.1 accept
  r2 = *(u32 *)(r1 +8)
  r0 = 0
  exit

== tp_btf_argument_past_the_last | tp_btf/sched_switch | reject: func 'sched_switch' doesn't have 5-th argument
  r2 = *(u64 *)(r1 +32)
  r0 = 0
  exit

== tp_btf_argument_misaligned | tp_btf/sched_switch | reject: invalid bpf_context access off=4 size=8
  r2 = *(u64 *)(r1 +4)
  r0 = 0
  exit

== tp_btf_context_written | tp_btf/sched_switch | reject: invalid bpf_context access off=8 size=8
  *(u64 *)(r1 +8) = 1
  r0 = 0
  exit

== tp_btf_number | tp_btf/sys_enter | accept
  r2 = *(u64 *)(r1 +8)
  r0 = 0
  exit

== tp_btf_number_dereferenced | tp_btf/sys_enter | reject: R2 invalid mem access 'scalar'
  r2 = *(u64 *)(r1 +8)
  r2 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== tp_btf_pt_regs | tp_btf/sys_enter | accept
  r2 = *(u64 *)(r1 +0)
  r2 = *(u64 *)(r2 +112)
  r0 = 0
  exit

== tp_btf_past_the_structure | tp_btf/sys_enter | reject: access beyond struct pt_regs at off 4000 size 8
  r2 = *(u64 *)(r1 +0)
  r2 = *(u64 *)(r2 +4000)
  r0 = 0
  exit

== tp_btf_negative_offset | tp_btf/sys_enter | reject: R2 is ptr_pt_regs invalid negative access: off=-8
  r2 = *(u64 *)(r1 +0)
  r2 = *(u64 *)(r2 -8)
  r0 = 0
  exit

== tp_btf_variable_offset | tp_btf/sys_enter | reject: R6 is ptr_pt_regs invalid variable offset: off=0, var_off=(0x0
  r6 = *(u64 *)(r1 +0)
  unknown r7
  r7 &= 8
  r6 += r7
  r2 = *(u64 *)(r6 +0)
  r0 = 0
  exit

== tp_btf_pointer_moved | tp_btf/sys_enter | accept
  r2 = *(u64 *)(r1 +0)
  r2 += 8
  r2 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== tp_btf_argument_acquired | tp_btf/sched_switch | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_task_acquire`
  r1 = *(u64 *)(r1 +8)
  call kfunc[bpf_task_acquire]
  if r0 == 0 goto out
  r1 = r0
  call kfunc[bpf_task_release]
  leave

== tp_btf_argument_released | tp_btf/sched_switch | reject: release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID
  r1 = *(u64 *)(r1 +8)
  call kfunc[bpf_task_release]
  r0 = 0
  exit

== tp_btf_wrong_argument_acquired | tp_btf/sys_enter | reject: kernel function bpf_task_acquire args#0 expected pointer to STRUCT task_struct but R1 has
  r1 = *(u64 *)(r1 +0)
  call kfunc[bpf_task_acquire]
  r0 = 0
  exit

== tp_btf_skb_output | tp_btf/kfree_skb | accept
  r2 = map[events] ll ;; r6 = *(u64 *)(r1 +0)
  *(u64 *)(r10 -8) = 0
  r1 = r6 ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_skb_output
  r0 = 0
  exit

== tp_btf_skb_output_of_a_number | tp_btf/kfree_skb | reject: R1 type=scalar expected=ptr_, trusted_ptr_, rcu_ptr_
  *(u64 *)(r10 -8) = 0
  r1 = 5 ;; r2 = map[events] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_skb_output
  r0 = 0
  exit

== tp_btf_skb_output_of_a_task | tp_btf/sched_switch | reject: R1 is of type task_struct but sk_buff is expected
  r6 = *(u64 *)(r1 +8)
  *(u64 *)(r10 -8) = 0
  r1 = r6 ;; r2 = map[events] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_skb_output
  r0 = 0
  exit

== tp_btf_argument_that_may_be_null | tp_btf/sched_pi_setprio | reject: R1 invalid mem access 'trusted_ptr_or_null_' | 5.10..6.1 accept
  r1 = *(u64 *)(r1 +8)
  r2 = *(u64 *)(r1 +0)
  r0 = 0
  exit

== tp_btf_argument_that_may_be_null_checked | tp_btf/sched_pi_setprio | accept
  r1 = *(u64 *)(r1 +8)
  if r1 == 0 goto out
  r2 = *(u64 *)(r1 +0)
  leave

== tp_btf_context_given_to_a_helper | tp_btf/sched_switch | accept
  *(u64 *)(r10 -8) = 0
  r2 = map[events] ll ;; r3 = 0 ;; r4 = r10 ;; r4 += -8 ;; r5 = 8
  call bpf_perf_event_output
  r0 = 0
  exit

== tp_btf_func_arg | tp_btf/sched_switch | reject: program of this type cannot use helper bpf_get_func_arg#183 | >=7.3 accept
  r2 = 0 ;; r3 = r10 ;; r3 += -8
  call bpf_get_func_arg
  r0 = 0
  exit

== fentry_argument | fentry/bpf_fentry_test1 | accept
  r2 = *(u64 *)(r1 +0)
  r0 = 0
  exit

== fentry_return_value | fentry/bpf_fentry_test1 | reject
  r2 = *(u64 *)(r1 +8)
  r0 = 0
  exit

== fexit_return_value | fexit/bpf_fentry_test1 | accept
  r2 = *(u64 *)(r1 +8)
  r0 = 0
  exit

== fexit_past_the_return_value | fexit/bpf_fentry_test1 | reject
  r2 = *(u64 *)(r1 +16)
  r0 = 0
  exit

== fentry_func_arg | fentry/bpf_fentry_test1 | accept | 5.10 reject: invalid func unknown#183
  r2 = 0 ;; r3 = r10 ;; r3 += -8
  call bpf_get_func_arg
  r0 = 0
  exit

== fentry_func_ret | fentry/bpf_fentry_test1 | accept | 5.10 reject: invalid func unknown#184
  r2 = r10 ;; r2 += -8
  call bpf_get_func_ret
  r0 = 0
  exit

== fexit_func_ret | fexit/bpf_fentry_test1 | accept | 5.10 reject: invalid func unknown#184
  r2 = r10 ;; r2 += -8
  call bpf_get_func_ret
  r0 = 0
  exit

== fmod_ret_of_a_function_that_takes_none | fmod_ret/vfs_read | reject
  r0 = 0
  exit

== lsm_argument | lsm/bprm_check_security | accept
  r2 = *(u64 *)(r1 +0)
  r2 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== lsm_written_through | lsm/bprm_check_security | reject
  r2 = *(u64 *)(r1 +0)
  *(u64 *)(r2 +0) = 0
  r0 = 0
  exit

== lsm_d_path | lsm/file_open | accept
  r1 = *(u64 *)(r1 +0)
  r1 += 64
  r0 = 0
  exit

== lsm_sleepable_helper | lsm.s/file_open | accept | 5.10 reject: bpf_lsm_file_open is not sleepable
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== lsm_sleepable_helper_in_plain | lsm/file_open | reject
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== lsm_sleepable_on_a_hook_that_is_not | lsm.s/task_free | reject
  r0 = 0
  exit

== fentry_sleepable_on_a_function_that_is_not | fentry.s/vfs_read | reject
  r0 = 0
  exit

== iter_meta | iter/task | accept
  r2 = *(u64 *)(r1 +0)
  r2 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== iter_task_unchecked | iter/task | reject: R2 invalid mem access 'trusted_ptr_or_null_'
  r2 = *(u64 *)(r1 +8)
  r2 = *(u64 *)(r2 +0)
  r0 = 0
  exit

== iter_task_checked | iter/task | accept
  r2 = *(u64 *)(r1 +8)
  if r2 == 0 goto out
  r2 = *(u64 *)(r2 +0)
  leave

== iter_seq_write | iter/task | accept
  *(u64 *)(r10 -8) = 0x6968
  r1 = *(u64 *)(r1 +0)
  r1 = *(u64 *)(r1 +0)
  r2 = r10 ;; r2 += -8 ;; r3 = 8
  call bpf_seq_write
  r0 = 0
  exit

== iter_seq_write_of_a_task | iter/task | reject: R1 is of type task_struct but seq_file is expected
  *(u64 *)(r10 -8) = 0x6968
  r1 = *(u64 *)(r1 +8)
  if r1 == 0 goto out
  r2 = r10 ;; r2 += -8 ;; r3 = 8
  call bpf_seq_write
  leave

== iter_seq_write_in_tp_btf | tp_btf/sched_switch | reject: program of this type cannot use helper bpf_seq_write#127
  *(u64 *)(r10 -8) = 0x6968
  r1 = *(u64 *)(r1 +8)
  r2 = r10 ;; r2 += -8 ;; r3 = 8
  call bpf_seq_write
  r0 = 0
  exit
