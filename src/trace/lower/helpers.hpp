// The kernel's helpers that lowering calls, by number (enum bpf_func_id; facts::helpers() has all of them).
#pragma once

#include <cstdint>

namespace espy::trace::lowering::helper {

inline constexpr std::uint32_t map_lookup_elem = 1, map_update_elem = 2, map_delete_elem = 3, probe_read = 4, ktime_get_ns = 5,
                               get_prandom_u32 = 7, get_smp_processor_id = 8, get_current_pid_tgid = 14, get_current_uid_gid = 15,
                               get_current_comm = 16, perf_event_output = 25, get_stackid = 27, get_current_task = 35,
                               probe_write_user = 36, get_numa_node_id = 42, probe_read_str = 45, get_socket_cookie = 46,
                               override_return = 58, get_stack = 67, get_current_cgroup_id = 80, send_signal = 109, skb_output = 111,
                               probe_read_user = 112, probe_read_kernel = 113, probe_read_user_str = 114, probe_read_kernel_str = 115,
                               send_signal_thread = 117, jiffies64 = 118, get_ns_current_pid_tgid = 120, ktime_get_boot_ns = 125,
                               ringbuf_output = 130, ringbuf_reserve = 131, ringbuf_submit = 132, ringbuf_discard = 133, d_path = 147,
                               per_cpu_ptr = 153, this_cpu_ptr = 154, get_current_task_btf = 158, ktime_get_coarse_ns = 160, for_each_map_elem = 164,
                               snprintf = 165, get_attach_cookie = 174, loop = 181, strncmp = 182, map_lookup_percpu_elem = 195,
                               ktime_get_tai_ns = 208;

}  // namespace espy::trace::lowering::helper
