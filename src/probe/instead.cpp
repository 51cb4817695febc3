// Where kernel functions cannot be probed, tracepoints tell much of the same. What people probe most is a table; for other
// names, tracepoints are searched by the words of the name.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.hpp"
#include "probe/tracefs.hpp"

namespace espy::probe {

namespace {

struct InsteadRow {
  std::string_view functions;    ///< pattern
  std::string_view tracepoints;  ///< patterns, separated by spaces, best first
};

// Function names stay over versions less than tracepoints do; rows that this kernel has no tracepoint for are passed over.
constexpr auto kInstead = std::to_array<InsteadRow>({
    {"vfs_read*", "syscalls:sys_enter_read syscalls:sys_exit_read syscalls:sys_enter_pread64 syscalls:sys_enter_readv"},
    {"vfs_write*", "syscalls:sys_enter_write syscalls:sys_exit_write syscalls:sys_enter_pwrite64 syscalls:sys_enter_writev"},
    {"vfs_open*", "syscalls:sys_enter_openat syscalls:sys_exit_openat syscalls:sys_enter_openat2"},
    {"do_sys_open*", "syscalls:sys_enter_openat syscalls:sys_exit_openat syscalls:sys_enter_open"},
    {"do_filp_open", "syscalls:sys_enter_openat syscalls:sys_exit_openat"},
    {"vfs_fsync*", "syscalls:sys_enter_fsync syscalls:sys_enter_fdatasync"},
    {"vfs_unlink*", "syscalls:sys_enter_unlinkat syscalls:sys_enter_unlink"},
    {"do_unlinkat", "syscalls:sys_enter_unlinkat syscalls:sys_exit_unlinkat"},
    {"vfs_create*", "syscalls:sys_enter_openat syscalls:sys_enter_mknodat"},
    {"vfs_rename*", "syscalls:sys_enter_renameat2"},
    {"vfs_statx*", "syscalls:sys_enter_statx syscalls:sys_enter_newfstatat"},
    {"vfs_*stat*", "syscalls:sys_enter_statx syscalls:sys_enter_newfstatat"},
    {"tcp_v?_connect", "sock:inet_sock_set_state syscalls:sys_enter_connect"},
    {"tcp_connect", "sock:inet_sock_set_state"},
    {"tcp_set_state", "sock:inet_sock_set_state"},
    {"inet_csk_accept", "sock:inet_sock_set_state syscalls:sys_exit_accept4 syscalls:sys_exit_accept"},
    {"tcp_close", "sock:inet_sock_set_state tcp:tcp_destroy_sock"},
    {"tcp_sendmsg*", "sock:sock_send_length"},
    {"tcp_recvmsg*", "sock:sock_recv_length"},
    {"udp*_sendmsg*", "sock:sock_send_length syscalls:sys_enter_sendto"},
    {"udp*_recvmsg*", "sock:sock_recv_length syscalls:sys_enter_recvfrom"},
    {"sock_sendmsg*", "sock:sock_send_length"},
    {"sock_recvmsg*", "sock:sock_recv_length"},
    {"tcp_cleanup_rbuf", "sock:sock_recv_length"},
    {"tcp_retransmit_*", "tcp:tcp_retransmit_skb"},
    {"tcp_rcv_*", "tcp:tcp_probe tcp:tcp_rcv_space_adjust sock:sk_data_ready"},
    {"tcp_drop*", "skb:kfree_skb"},
    {"kfree_skb*", "skb:kfree_skb"},
    {"consume_skb", "skb:consume_skb"},
    {"dev_queue_xmit*", "net:net_dev_queue net:net_dev_start_xmit"},
    {"dev_hard_start_xmit", "net:net_dev_start_xmit net:net_dev_xmit"},
    {"netif_receive_skb*", "net:netif_receive_skb"},
    {"__netif_receive_skb*", "net:netif_receive_skb"},
    {"netif_rx*", "net:netif_rx"},
    {"blk_account_io_start", "block:block_io_start block:block_rq_issue"},
    {"blk_account_io_done", "block:block_io_done block:block_rq_complete"},
    {"blk_mq_start_request", "block:block_rq_issue"},
    {"submit_bio*", "block:block_bio_queue"},
    {"oom_kill_process", "oom:mark_victim"},
    {"do_exit", "sched:sched_process_exit"},
    {"*_execve*", "sched:sched_process_exec syscalls:sys_enter_execve"},
    {"kernel_clone", "sched:sched_process_fork task:task_newtask"},
    {"_do_fork", "sched:sched_process_fork task:task_newtask"},
    {"wake_up_new_task", "sched:sched_wakeup_new"},
    {"try_to_wake_up", "sched:sched_waking sched:sched_wakeup"},
    {"finish_task_switch*", "sched:sched_switch"},
    {"__schedule", "sched:sched_switch"},
    {"schedule*", "sched:sched_switch"},
    {"cap_capable", "capability:cap_capable"},
    {"security_file_open", "syscalls:sys_enter_openat"},
    {"security_socket_connect", "syscalls:sys_enter_connect"},
    {"security_bprm_check", "sched:sched_process_exec"},
    {"handle_mm_fault", "exceptions:page_fault_user exceptions:page_fault_kernel"},
    {"do_user_addr_fault", "exceptions:page_fault_user"},
    {"__alloc_pages*", "kmem:mm_page_alloc"},
    {"kmalloc*", "kmem:kmalloc"},
    {"__kmalloc*", "kmem:kmalloc"},
    {"kmem_cache_alloc*", "kmem:kmem_cache_alloc"},
    {"kfree", "kmem:kfree"},
    {"shrink_*", "vmscan:mm_vmscan_direct_reclaim_begin vmscan:mm_vmscan_lru_shrink_inactive"},
    {"try_to_free_pages", "vmscan:mm_vmscan_direct_reclaim_begin vmscan:mm_vmscan_direct_reclaim_end"},
    {"mutex_lock*", "lock:contention_begin lock:contention_end"},
    {"send_signal*", "signal:signal_generate"},
    {"get_signal", "signal:signal_deliver"},
    {"handle_irq_event*", "irq:irq_handler_entry irq:irq_handler_exit"},
    {"__do_softirq", "irq:softirq_entry irq:softirq_exit"},
    {"mark_page_accessed", "filemap:mm_filemap_add_to_page_cache"},
    {"add_to_page_cache_lru", "filemap:mm_filemap_add_to_page_cache"},
    {"filemap_add_folio", "filemap:mm_filemap_add_to_page_cache"},
});

// The words of a function's name that say something: "tcp_v4_do_rcv" → tcp, rcv.
std::vector<std::string_view> words_of(std::string_view function) {
  static constexpr auto kEmpty = std::to_array<std::string_view>({"do", "v4", "v6", "sys", "x64", "arm64", "the", "get", "set", "ksys"});
  std::vector<std::string_view> words;
  for (std::string_view word : split(function, '_'))
    if (word.size() >= 2 && std::ranges::find(kEmpty, word) == kEmpty.end()) words.push_back(word);
  return words;
}

// A system call's own function: "__x64_sys_openat", "ksys_read", "__do_sys_futex".
std::string_view syscall_of(std::string_view function) {
  for (std::string_view prefix : {"__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "ksys_", "sys_", "SyS_"})
    if (function.starts_with(prefix)) return function.substr(prefix.size());
  return {};
}

void add_matching(std::vector<std::string>& found, const std::vector<TracepointName>& known, std::string_view pattern) {
  for (const TracepointName& tp : known) {
    std::string name = tp.category + ":" + tp.name;
    if (glob_match(pattern, name) && std::ranges::find(found, name) == found.end()) found.push_back(std::move(name));
  }
}

// Tracepoints by how many of the function's words they have; at least two, or the only one.
std::vector<std::string> by_words(const std::vector<TracepointName>& known, std::string_view function) {
  auto words = words_of(function);
  std::vector<std::pair<std::size_t, std::string>> scored;
  for (const TracepointName& tp : known) {
    std::set<std::string_view> own;
    for (std::string_view word : split(tp.name, '_')) own.insert(word);
    own.insert(tp.category);
    std::size_t score = 0;
    for (std::string_view word : words) score += own.contains(word) ? 1 : 0;
    if (score >= std::min<std::size_t>(2, std::max<std::size_t>(words.size(), 1))) scored.emplace_back(score, tp.category + ":" + tp.name);
  }
  std::ranges::stable_sort(scored, std::greater{}, &std::pair<std::size_t, std::string>::first);
  std::vector<std::string> names;
  for (auto& [score, name] : scored) names.push_back(std::move(name));
  return names;
}

}  // namespace

std::vector<std::string> tracepoints_instead_of(const Tracefs& tracefs, std::string_view function) {
  auto known = tracepoints(tracefs);
  if (!known) return {};
  std::vector<std::string> found;
  if (std::string_view call = syscall_of(function); !call.empty()) {
    add_matching(found, *known, fmt::format("syscalls:sys_enter_{}", call));
    add_matching(found, *known, fmt::format("syscalls:sys_exit_{}", call));
  }
  for (const InsteadRow& row : kInstead)
    if (glob_match(row.functions, function) || glob_match(function, row.functions))
      for (std::string_view pattern : split_words(row.tracepoints)) add_matching(found, *known, pattern);
  if (found.empty()) found = by_words(*known, function);
  if (found.size() > 4) found.resize(4);
  return found;
}

}  // namespace espy::probe
