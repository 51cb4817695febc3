// Packets as a file that tcpdump and Wireshark read (pcap with times in nanoseconds: magic number 0xa1b23c4d, link type
// Ethernet).
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"

namespace espy::trace::run {

class PacketFile {
 public:
  static Result<PacketFile> create(const std::string& path);
  /// `length`: of the packet on the wire, of which `data` is the beginning.
  Result<void> add(std::int64_t wall_ns, std::uint32_t length, Bytes data);

 private:
  explicit PacketFile(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace espy::trace::run
