# Kernel functions: who may call them, acquire and release, RCU, preemption, trusted pointers, sleeping.
.extern bpf_rcu_read_lock kfunc
.extern bpf_rcu_read_unlock kfunc
.extern bpf_preempt_disable kfunc
.extern bpf_preempt_enable kfunc
.extern bpf_local_irq_save kfunc
.extern bpf_local_irq_restore kfunc
.extern bpf_task_from_pid kfunc
.extern bpf_task_acquire kfunc
.extern bpf_task_release kfunc
.extern bpf_cgroup_from_id kfunc
.extern bpf_cgroup_release kfunc
.extern bpf_cgroup_ancestor kfunc
.extern bpf_get_task_exe_file kfunc
.extern bpf_put_file kfunc
.extern bpf_cast_to_kern_ctx kfunc
.extern bpf_rdonly_cast kfunc
.extern bpf_task_under_cgroup kfunc
.extern bpf_strlen kfunc
.extern bpf_copy_from_user_str kfunc
.extern bpf_xdp_metadata_rx_hash kfunc
.extern vfs_read kfunc
.macro lock_rcu
  call kfunc[bpf_rcu_read_lock]
.endm
.macro unlock_rcu
  call kfunc[bpf_rcu_read_unlock]
.endm

== rcu_balanced | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_rcu_read_lock`
  lock_rcu
  unlock_rcu
  r0 = 0
  exit

== rcu_never_unlocked | syscall | reject: BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region
  lock_rcu
  r0 = 0
  exit

== rcu_unlocked_unlocked | syscall | reject: unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)
  unlock_rcu
  r0 = 0
  exit

== rcu_unlocked_on_one_path | syscall | reject: BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region
  lock_rcu
  call bpf_get_prandom_u32
  if r0 == 0 goto out
  unlock_rcu
  leave

== rcu_nested | syscall | reject: nested rcu read lock (kernel function bpf_rcu_read_lock) | >=7.3 accept
  lock_rcu
  lock_rcu
  unlock_rcu
  unlock_rcu
  r0 = 0
  exit

== rcu_nested_one_unlock | syscall | reject: nested rcu read lock (kernel function bpf_rcu_read_lock)
  lock_rcu
  lock_rcu
  unlock_rcu
  r0 = 0
  exit

== rcu_and_a_sleeping_helper | syscall | reject: sleepable helper bpf_copy_from_user#148 in rcu_read_lock region
  lock_rcu
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  unlock_rcu
  r0 = 0
  exit

== rcu_and_a_sleeping_helper_behind_it | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_rcu_read_lock`
  lock_rcu
  unlock_rcu
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  r0 = 0
  exit

== rcu_in_a_program_that_does_not_sleep | tracepoint | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_rcu_read_lock`
  lock_rcu
  unlock_rcu
  r0 = 0
  exit

== rcu_in_a_subprogram | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_rcu_read_lock`
  lock_rcu
  call inside
  unlock_rcu
  r0 = 0
  exit
.section .text
.func inside
.local inside
  r0 = 0
  exit

== rcu_unlocked_by_a_subprogram | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_rcu_read_unlock`
  lock_rcu
  call inside
  r0 = 0
  exit
.section .text
.func inside
.local inside
  unlock_rcu
  r0 = 0
  exit

== preempt_balanced | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_preempt_disable`
  call kfunc[bpf_preempt_disable]
  call kfunc[bpf_preempt_enable]
  r0 = 0
  exit

== preempt_left_disabled | syscall | reject: BPF_EXIT instruction in main prog cannot be used inside bpf_preempt_disable-ed region
  call kfunc[bpf_preempt_disable]
  r0 = 0
  exit

== preempt_enabled_alone | syscall | reject: unmatched attempt to enable preemption (kernel function bpf_preempt_enable)
  call kfunc[bpf_preempt_enable]
  r0 = 0
  exit

== preempt_nested | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_preempt_disable`
  call kfunc[bpf_preempt_disable]
  call kfunc[bpf_preempt_disable]
  call kfunc[bpf_preempt_enable]
  call kfunc[bpf_preempt_enable]
  r0 = 0
  exit

== preempt_nested_one_missing | syscall | reject: BPF_EXIT instruction in main prog cannot be used inside bpf_preempt_disable-ed region
  call kfunc[bpf_preempt_disable]
  call kfunc[bpf_preempt_disable]
  call kfunc[bpf_preempt_enable]
  r0 = 0
  exit

== preempt_and_a_sleeping_helper | syscall | reject: sleepable helper bpf_copy_from_user#148 in non-preemptible region
  call kfunc[bpf_preempt_disable]
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0
  call bpf_copy_from_user
  call kfunc[bpf_preempt_enable]
  r0 = 0
  exit

== irq_balanced | tracepoint | accept | 5.10..6.12 reject: the kernel has no kfunc `bpf_local_irq_save`
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_save]
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_restore]
  r0 = 0
  exit

== irq_left_off | tracepoint | reject: BPF_EXIT instruction in main prog cannot be used inside bpf_local_irq_save-ed region
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_save]
  r0 = 0
  exit

== irq_restored_alone | tracepoint | reject: expected an initialized irq flag as arg#0
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_restore]
  r0 = 0
  exit

== irq_restored_out_of_order | tracepoint | reject: cannot restore irq state out of order, expected id=2 acquired at insn_idx=5
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_save]
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_local_irq_save]
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_restore]
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_local_irq_restore]
  r0 = 0
  exit

== irq_nested | tracepoint | accept | 5.10..6.12 reject: the kernel has no kfunc `bpf_local_irq_save`
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_save]
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_local_irq_save]
  r1 = r10 ;; r1 += -16
  call kfunc[bpf_local_irq_restore]
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_restore]
  r0 = 0
  exit

== irq_flag_overwritten | tracepoint | reject: expected an initialized irq flag as arg#0
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_save]
  *(u64 *)(r10 -8) = 0
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_restore]
  r0 = 0
  exit

== irq_flag_read | tracepoint | reject: invalid read from stack off -8+0 size 8
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_save]
  r6 = *(u64 *)(r10 -8)
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_local_irq_restore]
  r0 = 0
  exit

== task_from_pid | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_task_from_pid`
  r1 = 1
  call kfunc[bpf_task_from_pid]
  if r0 == 0 goto out
  r1 = r0
  call kfunc[bpf_task_release]
  leave

== task_from_pid_leaked | syscall | reject: Unreleased reference id=2 alloc_insn=1
  r1 = 1
  call kfunc[bpf_task_from_pid]
  r0 = 0
  exit

== task_from_pid_unchecked | syscall | reject: Possibly NULL pointer passed to trusted arg0
  r1 = 1
  call kfunc[bpf_task_from_pid]
  r1 = r0
  call kfunc[bpf_task_release]
  r0 = 0
  exit

== task_from_pid_read | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_task_from_pid`
  r1 = 1
  call kfunc[bpf_task_from_pid]
  if r0 == 0 goto out
  r6 = r0
  r7 = *(u64 *)(r6 +0)
  r1 = r6
  call kfunc[bpf_task_release]
  leave

== task_from_pid_written | syscall | reject: only read is supported
  r1 = 1
  call kfunc[bpf_task_from_pid]
  if r0 == 0 goto out
  *(u64 *)(r0 +0) = 0
  r1 = r0
  call kfunc[bpf_task_release]
  leave

== task_from_pid_read_after_release | syscall | reject: R6 invalid mem access 'scalar'
  r1 = 1
  call kfunc[bpf_task_from_pid]
  if r0 == 0 goto out
  r6 = r0 ;; r1 = r0
  call kfunc[bpf_task_release]
  r7 = *(u64 *)(r6 +0)
  leave

== task_released_twice | syscall | reject: arg#0 pointer type STRUCT task_struct must point to scalar
  r1 = 1
  call kfunc[bpf_task_from_pid]
  if r0 == 0 goto out
  r6 = r0 ;; r1 = r0
  call kfunc[bpf_task_release]
  r1 = r6
  call kfunc[bpf_task_release]
  leave

== task_released_moved | syscall | reject: R1 must have zero offset when passed to release func or trusted arg to kfunc
  r1 = 1
  call kfunc[bpf_task_from_pid]
  if r0 == 0 goto out
  r1 = r0 ;; r1 += 8
  call kfunc[bpf_task_release]
  leave

== task_acquired_from_current | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_task_acquire`
  call bpf_get_current_task_btf
  r1 = r0
  call kfunc[bpf_task_acquire]
  if r0 == 0 goto out
  r1 = r0
  call kfunc[bpf_task_release]
  leave

== task_released_from_current | syscall | reject: release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID
  call bpf_get_current_task_btf
  r1 = r0
  call kfunc[bpf_task_release]
  r0 = 0
  exit

== task_acquired_from_a_number | syscall | reject: arg#0 pointer type STRUCT task_struct must point to scalar
  r1 = 5
  call kfunc[bpf_task_acquire]
  r0 = 0
  exit

== task_acquired_from_null | syscall | reject: Possibly NULL pointer passed to trusted arg0
  r1 = 0
  call kfunc[bpf_task_acquire]
  r0 = 0
  exit

== task_acquired_from_the_stack | syscall | reject: arg#0 pointer type STRUCT task_struct must point to scalar
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_task_acquire]
  r0 = 0
  exit

== cgroup_released_as_a_task | syscall | reject: kernel function bpf_task_release args#0 expected pointer to STRUCT task_struct but R1 has
  r1 = 1
  call kfunc[bpf_cgroup_from_id]
  if r0 == 0 goto out
  r1 = r0
  call kfunc[bpf_task_release]
  leave

== cgroup_from_id | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_cgroup_from_id`
  r1 = 1
  call kfunc[bpf_cgroup_from_id]
  if r0 == 0 goto out
  r1 = r0
  call kfunc[bpf_cgroup_release]
  leave

== cgroup_ancestor | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_cgroup_from_id`
  r1 = 1
  call kfunc[bpf_cgroup_from_id]
  if r0 == 0 goto out
  r6 = r0
  r1 = r0 ;; r2 = 0
  call kfunc[bpf_cgroup_ancestor]
  if r0 == 0 goto one
  r1 = r0
  call kfunc[bpf_cgroup_release]
one:
  r1 = r6
  call kfunc[bpf_cgroup_release]
  leave

== cgroup_ancestor_without_its_number | syscall | reject: R2 is not a scalar
  r1 = 1
  call kfunc[bpf_cgroup_from_id]
  if r0 == 0 goto out
  r1 = r0
  call kfunc[bpf_cgroup_ancestor]
  leave

== kfunc_for_other_types | socket | reject: calling kernel function bpf_cgroup_from_id is not allowed
  r1 = 1
  call kfunc[bpf_cgroup_from_id]
  r0 = 0
  exit

== kfunc_for_all_types | socket | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_rcu_read_lock`
  lock_rcu
  unlock_rcu
  r0 = 0
  exit

== kfunc_of_xdp_in_tc | tc | reject: metadata kfuncs require device-bound program
  r2 = r10 ;; r2 += -4 ;; r3 = r10 ;; r3 += -8
  call kfunc[bpf_xdp_metadata_rx_hash]
  r0 = 0
  exit

== kfunc_for_devices_only | xdp | reject: metadata kfuncs require device-bound program
  r2 = r10 ;; r2 += -4 ;; r3 = r10 ;; r3 += -8
  call kfunc[bpf_xdp_metadata_rx_hash]
  r0 = 0
  exit

== kernel_function_that_is_no_kfunc | syscall | reject: calling kernel function vfs_read is not allowed
  r1 = 0 ;; r2 = 0 ;; r3 = 0 ;; r4 = 0
  call kfunc[vfs_read]
  r0 = 0
  exit

== kfunc_without_gpl | syscall proprietary | reject: cannot call kernel function from non-GPL compatible program
  lock_rcu
  unlock_rcu
  r0 = 0
  exit

== kfunc_that_is_dead | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_task_acquire`
  r0 = 0
  if r0 == 0 goto out
  r1 = 0
  call kfunc[bpf_task_acquire]
  leave

== kfunc_of_no_number | syscall | reject: kernel btf_id 1 is not a function
  .slot 0x0000000100002085
  r0 = 0
  exit

== kfunc_unprivileged | socket unprivileged | reject: loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN
  lock_rcu
  unlock_rcu
  r0 = 0
  exit

== kernel_context_of_tc | tc | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_cast_to_kern_ctx`
  call kfunc[bpf_cast_to_kern_ctx]
  r0 = *(u32 *)(r0 +112)
  r0 = 0
  exit

== kernel_context_written | tc | reject: only read is supported
  call kfunc[bpf_cast_to_kern_ctx]
  *(u32 *)(r0 +112) = 1
  r0 = 0
  exit

== kernel_context_of_a_number | tc | reject: arg#0 expected pointer to ctx, but got scalar
  r1 = 0
  call kfunc[bpf_cast_to_kern_ctx]
  r0 = 0
  exit

== string_kfunc_of_a_value | syscall | accept | 5.10..6.12 reject: the kernel has no kfunc `bpf_strlen`
  element a48
  r1 = r0
  call kfunc[bpf_strlen]
  leave

== string_kfunc_of_the_stack | syscall | accept | 5.10..6.12 reject: the kernel has no kfunc `bpf_strlen`
  *(u64 *)(r10 -8) = 0
  r1 = r10 ;; r1 += -8
  call kfunc[bpf_strlen]
  r0 = 0
  exit

== sleeping_kfunc | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_copy_from_user_str`
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = 0
  call kfunc[bpf_copy_from_user_str]
  r0 = 0
  exit

== sleeping_kfunc_where_no_sleep_is | tracepoint | reject: program must be sleepable to call sleepable kfunc bpf_copy_from_user_str
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = 0
  call kfunc[bpf_copy_from_user_str]
  r0 = 0
  exit

== sleeping_kfunc_under_rcu | syscall | reject: kernel func bpf_copy_from_user_str is sleepable within rcu_read_lock region
  lock_rcu
  r1 = r10 ;; r1 += -8 ;; r2 = 8 ;; r3 = 0 ;; r4 = 0
  call kfunc[bpf_copy_from_user_str]
  unlock_rcu
  r0 = 0
  exit

== sleeping_kfunc_buffer_too_small | syscall | reject: invalid read from stack R1 off=-8 size=9
  r1 = r10 ;; r1 += -8 ;; r2 = 9 ;; r3 = 0 ;; r4 = 0
  call kfunc[bpf_copy_from_user_str]
  r0 = 0
  exit

== sleeping_kfunc_size_zero | syscall | accept | 5.10..6.1 reject: the kernel has no kfunc `bpf_copy_from_user_str`
  r1 = r10 ;; r1 += -8 ;; r2 = 0 ;; r3 = 0 ;; r4 = 0
  call kfunc[bpf_copy_from_user_str]
  r0 = 0
  exit

== sleeping_kfunc_size_unknown | syscall | reject: R2 min value is negative, either use unsigned or 'var &= const'
  unknown r6
  r1 = r10 ;; r1 += -8 ;; r2 = r6 ;; r3 = 0 ;; r4 = 0
  call kfunc[bpf_copy_from_user_str]
  r0 = 0
  exit

== task_under_cgroup_with_null | syscall | reject: Possibly NULL pointer passed to trusted arg1
  call bpf_get_current_task_btf
  r1 = r0 ;; r2 = 0
  call kfunc[bpf_task_under_cgroup]
  r0 = 0
  exit
