// Packet captures: files of libpcap's format (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html), of both byte orders,
// with times in micro- or nanoseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace espy::vm {

struct CapturedPacket {
  std::uint64_t time_ns = 0;          ///< since 1970
  std::uint32_t original_bytes = 0;   ///< on the wire; more than there is data where the capture cut it
  Bytes data = {};
};

/// Reads a capture of Ethernet frames packet by packet.
class PcapReader {
 public:
  /// `file` must outlive the reader. A file that is no capture, is of another link than Ethernet, or of the newer pcapng format,
  /// is an error.
  static Result<PcapReader> open(Bytes file);
  /// nullopt: that was the last. A file that is cut short is an error that says behind which packet.
  Result<std::optional<CapturedPacket>> next();
  std::uint64_t packets() const { return packets_; }

 private:
  PcapReader(Bytes file, Endian endian, bool nanoseconds) : reader_(file, "packet capture", endian), nanoseconds_(nanoseconds) {}
  Reader reader_;
  bool nanoseconds_;
  std::uint64_t packets_ = 0;
};

/// Makes a capture of Ethernet frames, with times in nanoseconds, in this machine's byte order.
class PcapWriter {
 public:
  PcapWriter();
  void add(const CapturedPacket& packet);
  /// What was made since the last time; the first begins the file.
  std::vector<std::byte> take() { return std::exchange(bytes_, {}); }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace espy::vm
