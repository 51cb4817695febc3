#include "vm/io/pcap.hpp"

#include <algorithm>

namespace espy::vm {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d, kNextGeneration = 0x0a0d0d0a;
constexpr std::uint32_t kEthernet = 1;
constexpr std::uint32_t kMostBytes = 1U << 18;   // of a packet: what tcpdump cuts them at
constexpr std::size_t kFileHeader = 24, kPacketHeader = 16;

std::unexpected<Error> malformed(std::string what) { return fail(ErrorKind::malformed, "packet capture: {}", what); }

}  // namespace

Result<PcapReader> PcapReader::open(Bytes file) {
  if (file.size() < 4) return malformed(fmt::format("a file of {} bytes", file.size()));
  const auto magic = load<std::uint32_t>(file, 0), swapped = swap_bytes(magic);
  if (magic == kNextGeneration) {
    auto error = fail(ErrorKind::unsupported, "packet capture: the file is in pcapng format");
    error.error().hint = "convert it: tcpdump -r FILE -w FILE.pcap, or editcap -F pcap FILE FILE.pcap";
    return error;
  }
  const bool other_order = swapped == kMicroseconds || swapped == kNanoseconds;
  const std::uint32_t kind = other_order ? swapped : magic;
  if (kind != kMicroseconds && kind != kNanoseconds) return malformed(fmt::format("the file begins with {:#010x}, which no capture does", magic));
  if (file.size() < kFileHeader) return malformed(fmt::format("its header is cut short: {} bytes of {}", file.size(), kFileHeader));
  const Endian endian = !other_order ? Endian::native : Endian::native == Endian::little ? Endian::big : Endian::little;
  const auto link = load<std::uint32_t>(file, 20, endian) & 0xffff;   // above: the length of frame check sequences
  if (link != kEthernet) return fail(ErrorKind::unsupported, "packet capture: its packets are of link type {}, not Ethernet (1)", link);
  PcapReader reader(file.subspan(kFileHeader), endian, kind == kNanoseconds);
  return reader;
}

Result<std::optional<CapturedPacket>> PcapReader::next() {
  if (reader_.remaining() == 0) return std::nullopt;
  const auto cut_short = [&](std::size_t wanted) {
    return malformed(fmt::format("it is cut short behind packet {}: {} bytes are left of {}", packets_, reader_.remaining(), wanted));
  };
  if (reader_.remaining() < kPacketHeader) return cut_short(kPacketHeader);
  const auto seconds = TRY(reader_.read<std::uint32_t>()), fraction = TRY(reader_.read<std::uint32_t>());
  const auto captured = TRY(reader_.read<std::uint32_t>()), original = TRY(reader_.read<std::uint32_t>());
  if (captured > kMostBytes) return malformed(fmt::format("packet {} has {} bytes", packets_ + 1, captured));
  if (reader_.remaining() < captured) return cut_short(captured);
  ++packets_;
  return CapturedPacket{.time_ns = seconds * std::uint64_t{1'000'000'000} + fraction * std::uint64_t{nanoseconds_ ? 1U : 1000U}, .original_bytes = original,
                        .data = TRY(reader_.take(captured))};
}

PcapWriter::PcapWriter() {
  constexpr std::uint16_t kVersion[2] = {2, 4};
  const std::uint32_t header[6] = {kNanoseconds, std::bit_cast<std::uint32_t>(kVersion), 0, 0, kMostBytes, kEthernet};
  std::ranges::copy(std::as_bytes(std::span(header)), std::back_inserter(bytes_));
}

void PcapWriter::add(const CapturedPacket& packet) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const auto size = static_cast<std::uint32_t>(std::min<std::size_t>(packet.data.size(), kMostBytes));
  const std::uint32_t header[4] = {static_cast<std::uint32_t>(packet.time_ns / kSecond), static_cast<std::uint32_t>(packet.time_ns % kSecond), size,
                                   std::max(packet.original_bytes, size)};
  std::ranges::copy(std::as_bytes(std::span(header)), std::back_inserter(bytes_));
  bytes_.insert(bytes_.end(), packet.data.begin(), packet.data.begin() + size);
}

}  // namespace espy::vm
