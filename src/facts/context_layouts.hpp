// The layouts of contexts, and the kinds of programs that see them differently. Used by the tables of this folder only.
#pragma once

#include "facts/contexts.hpp"

namespace espy::facts {

// Users of one structure, as bits of `readers` and `writers`.
enum SkbUsers : std::uint32_t { kSocketFilter = 1, kTrafficControl = 2, kCgroupSkb = 4, kTunnel = 8, kStream = 16, kFlowDissector = 32 };
enum XdpUsers : std::uint32_t { kXdpOther = 1, kXdpDevmap = 2 };
enum SockUsers : std::uint32_t { kSockCreate = 1, kSockPostBind4 = 2, kSockPostBind6 = 4 };
enum AddressUsers : std::uint32_t { kAddress4 = 1, kAddressSend4 = 2, kAddress6 = 4, kAddressSend6 = 8, kAddressUnix = 16 };
enum SockoptUsers : std::uint32_t { kGetsockopt = 1, kSetsockopt = 2 };

extern const ContextLayout kSkb, kXdp, kReuseport, kSkMsg, kNetfilter, kInfrared, kPerfEvent;
extern const ContextLayout kSock, kSockCommon, kTcpSock, kXdpSock, kSockAddr, kSockOps, kSockopt, kSkLookup, kSysctl, kCgroupDevice;

}  // namespace espy::facts
