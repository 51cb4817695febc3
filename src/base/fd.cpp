#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace espy {

void UniqueFd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<MappedRegion> MappedRegion::map(int fd, std::size_t size, int protection, int flags, std::size_t offset,
                                       void* address) {
  void* data = ::mmap(address, size, protection, flags, fd, static_cast<off_t>(offset));
  if (data == MAP_FAILED) return fail_sys(errno, "map {} bytes", size);
  return MappedRegion(static_cast<std::byte*>(data), size);
}

MappedRegion::~MappedRegion() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Result<UniqueFd> open_file(const std::string& path, int flags, unsigned mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd) return fail_sys(errno, "open {}", path);
  return fd;
}

namespace {

constexpr std::size_t kUnsizedLimit = std::size_t{128} << 20;

// Fills any contiguous container of byte-sized elements from a file whose size may be a lie.
template <typename Buffer>
Result<Buffer> read_whole(const std::string& path, std::size_t limit) {
  // Not opened anew: a pipe of another user's can be read, but not opened.
  UniqueFd fd = path == "/dev/stdin" ? UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) : TRY(open_file(path, O_RDONLY));
  if (!fd) return fail_sys(errno, "read standard input");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_sys(errno, "stat {}", path);
  if (S_ISDIR(status.st_mode)) return fail(ErrorKind::invalid_argument, "{} is a directory", path);
  // A size that is known is refused before any of it is read; devices and pipes, which may never end, get less. Files of
  // /sys say a page, or more, whatever they hold.
  constexpr std::uint64_t kSysfsSize = 64 << 10;
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    if (static_cast<std::uint64_t>(status.st_size) > std::max<std::uint64_t>(limit, kSysfsSize)) return fail(ErrorKind::exhausted, "{} holds more than {} bytes", path, limit);
  } else {
    limit = std::min(limit, kUnsizedLimit);
  }
  Buffer buffer;
  std::size_t used = 0;
  buffer.resize(std::min(limit, status.st_size > 0 ? static_cast<std::size_t>(status.st_size) + 1 : 4096));
  for (;;) {
    if (used == buffer.size()) {
      if (used >= limit) return fail(ErrorKind::exhausted, "{} holds more than {} bytes", path, limit);
      buffer.resize(std::min(limit, buffer.size() * 2));
    }
    ssize_t got = ::read(fd.get(), buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_sys(errno, "read {}", path);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  buffer.resize(used);
  return buffer;
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path, std::size_t limit) {
  return read_whole<std::vector<std::byte>>(path, limit);
}

Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
  return read_whole<std::string>(path, limit);
}

Result<void> write_file(const std::string& path, Bytes bytes) {
  UniqueFd fd = TRY(open_file(path, O_WRONLY | O_CREAT | O_TRUNC));
  while (!bytes.empty()) {
    ssize_t wrote = ::write(fd.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_sys(errno, "write {}", path);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

}  // namespace espy
