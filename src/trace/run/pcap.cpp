#include "trace/run/pcap.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace espy::trace::run {

namespace {

struct FileHeader {
  std::uint32_t magic = 0xa1b23c4d;
  std::uint16_t major = 2, minor = 4;
  std::uint32_t zone = 0, accuracy = 0;
  std::uint32_t most_bytes = 0x40000;
  std::uint32_t link_type = 1;   // Ethernet
};

struct PacketHeader {
  std::uint32_t seconds = 0, nanoseconds = 0, kept = 0, length = 0;
};

}  // namespace

Result<PacketFile> PacketFile::create(const std::string& path) {
  UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
  FileHeader header;
  if (::write(fd.get(), &header, sizeof header) != sizeof header) return fail_sys(errno, "write {}", path);
  return PacketFile(std::move(fd));
}

Result<void> PacketFile::add(std::int64_t wall_ns, std::uint32_t length, Bytes data) {
  PacketHeader header{.seconds = static_cast<std::uint32_t>(wall_ns / 1'000'000'000), .nanoseconds = static_cast<std::uint32_t>(wall_ns % 1'000'000'000),
                      .kept = static_cast<std::uint32_t>(data.size()), .length = length};
  std::array<iovec, 2> parts{{{&header, sizeof header}, {const_cast<std::byte*>(data.data()), data.size()}}};
  if (::writev(fd_.get(), parts.data(), parts.size()) < 0) return fail_sys(errno, "write a packet");
  return {};
}

}  // namespace espy::trace::run
