// Network interfaces, as a program in this process sees them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/fd.hpp"

namespace espy::vm {

/// Gets frames from an interface and sends frames out of it. One thread at a time.
class LiveLink {
 public:
  virtual ~LiveLink() = default;
  /// Becomes readable when there are frames.
  virtual int descriptor() const = 0;
  /// Hands over the frames that are there, at most so many; gives how many. A frame is valid while `sink` runs.
  virtual Result<std::size_t> receive(const std::function<void(Bytes frame)>& sink, std::size_t most) = 0;
  /// false: there is no room now, and the frame is gone.
  virtual Result<bool> send(Bytes frame) = 0;
  /// Frames that came and found no room, since the start.
  virtual Result<std::uint64_t> lost() = 0;
};

/// An AF_PACKET socket: sees copies of what comes in, beside the kernel, which goes on with them. Needs CAP_NET_RAW.
Result<std::unique_ptr<LiveLink>> open_packet_link(const std::string& interface);

/// An AF_XDP socket on a queue of the interface: what an XDP program hands to it comes here and nowhere else. The program is its
/// caller's to load, with this descriptor in its xskmap. Needs CAP_NET_RAW.
Result<std::unique_ptr<LiveLink>> open_xdp_link(const std::string& interface, std::uint32_t queue);

}  // namespace espy::vm
