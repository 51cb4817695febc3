// A little rtnetlink: one request, its answer, and the kernel's own words when it refuses.
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace espy::kernel::attaching {

/// Builds one message: its fixed part, then attributes, nested as needed.
class NetlinkRequest {
 public:
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, Bytes fixed);
  NetlinkRequest& attribute(std::uint16_t type, Bytes value);
  NetlinkRequest& attribute(std::uint16_t type, std::uint32_t value) { return attribute(type, bytes_of(value)); }
  /// Text with its zero byte.
  NetlinkRequest& text(std::uint16_t type, std::string_view value);
  NetlinkRequest& begin(std::uint16_t type);
  NetlinkRequest& end();

  /// The message, its length filled in.
  Bytes bytes();

 private:
  std::vector<std::byte> buffer_;
  std::vector<std::size_t> open_;   // where nested attributes begin
};

/// A message of an answer: its type and what follows the header.
struct NetlinkMessage {
  std::uint16_t type = 0;
  std::vector<std::byte> body;
};

/// Sends a request and reads the answer to its end (an acknowledgement, or the end of a dump). An error carries the
/// kernel's explanation as a note.
Result<std::vector<NetlinkMessage>> netlink(NetlinkRequest& request);

}  // namespace espy::kernel::attaching
