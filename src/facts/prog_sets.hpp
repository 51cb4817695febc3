// Sets of program types that share what they may call. Used by the tables of this folder only.
#pragma once

#include "facts/tables.hpp"

namespace espy::facts {

/// ProgTypes of its arguments, so that rows stay short.
template <typename... Types>
constexpr ProgTypes of(Types... types) {
  return ProgTypes{types...};
}

inline constexpr ProgTypes kTracing{ProgType::kprobe, ProgType::tracepoint, ProgType::perf_event,
                                    ProgType::raw_tracepoint, ProgType::raw_tracepoint_writable, ProgType::tracing};
inline constexpr ProgTypes kTc{ProgType::sched_cls, ProgType::sched_act};
inline constexpr ProgTypes kLwt{ProgType::lwt_in, ProgType::lwt_out, ProgType::lwt_xmit, ProgType::lwt_seg6local};
inline constexpr ProgTypes kCgroup{ProgType::cgroup_device, ProgType::cgroup_skb, ProgType::cgroup_sock,
                                   ProgType::cgroup_sockopt, ProgType::cgroup_sock_addr, ProgType::cgroup_sysctl};
inline constexpr ProgTypes kSocket{ProgType::sock_ops, ProgType::sk_msg, ProgType::sk_skb, ProgType::sk_lookup,
                                   ProgType::flow_dissector};

/// Every type but `ext`, which may call what the program that it extends may.
inline constexpr ProgTypes kAny =
    kTracing | kTc | kLwt | kCgroup | kSocket |
    ProgTypes{ProgType::socket_filter, ProgType::xdp,     ProgType::lirc_mode2, ProgType::sk_reuseport,
              ProgType::struct_ops,    ProgType::lsm,     ProgType::syscall,    ProgType::netfilter};

}  // namespace espy::facts
