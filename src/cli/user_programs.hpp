// What programs in user space run on: live interfaces and timers; and how their maps are shown.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/user_session.hpp"

namespace espy::cli {

/// The interface that a probe names; empty: none.
std::string interface_of(const probe::Probe& probe);

/// Where frames come from and go to. While it lives, an XDP program in the kernel may hand it the interface's packets.
struct LiveLinks {
  std::vector<std::unique_ptr<vm::LiveLink>> links;           ///< first: frames come from them
  std::map<std::uint32_t, std::unique_ptr<vm::LiveLink>> out; ///< by interface: where redirects go
  bool takes_packets = false;                                 ///< they do not go on into the kernel
  std::unique_ptr<kernel::Object> handover;                   ///< the XDP program; its maps have the sockets
  std::optional<kernel::Link> attached;
};
/// XDP programs take the packets from the interface (AF_XDP) if this machine can; others, and where it cannot, look at copies of
/// them (AF_PACKET).
Result<LiveLinks> open_links(const std::string& interface, Via via, facts::ProgType type);
/// Does with the packet as the program says; counts in `unsent` what there was no way for.
Result<void> forward(LiveLinks& links, vm::LiveLink& from, vm::Verdict verdict, vm::Packet& packet, std::uint64_t& unsent);

/// Samples in a thousand seconds.
std::uint64_t sampling_rate(const probe::Probe& probe);
Result<UniqueFd> sampling_timer(std::uint64_t rate);
/// How often it was due since last asked.
std::uint64_t expirations(const UniqueFd& timer);
/// Runs a perf_event program as if this place had been sampled: its registers, its stack.
Result<void> run_sample(const vm::Program& program, std::uint64_t rate, const std::function<void(std::string_view)>& print);

/// A copy of a map as it is now, as kernel::view_map.
Result<render::MapView> view_user_map(const object::ObjectSpec& object, object::MapIdx index, vm::Map& map);

}  // namespace espy::cli
