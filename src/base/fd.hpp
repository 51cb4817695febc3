// Owners of what the kernel lends: file descriptors and memory mappings.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace espy {

/// Owns one file descriptor; closes it when it goes.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

/// Owns one mmap()ed range.
class MappedRegion {
 public:
  MappedRegion() = default;
  /// mmap(2) with these arguments; `address` is a hint unless `flags` make it more.
  static Result<MappedRegion> map(int fd, std::size_t size, int protection, int flags, std::size_t offset = 0,
                                  void* address = nullptr);
  MappedRegion(MappedRegion&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MappedRegion& operator=(MappedRegion&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MappedRegion();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  Bytes bytes() const { return {data_, size_}; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  MappedRegion(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Opens a file with O_CLOEXEC added to `flags`; the error names the path.
Result<UniqueFd> open_file(const std::string& path, int flags, unsigned mode = 0644);

/// Reads a whole file, of /proc and /sys too (whose sizes are not known before). Refuses more than `limit` bytes, and more
/// than 128 MiB where the size is not known before. Standard input is "/dev/stdin".
Result<std::vector<std::byte>> read_file(const std::string& path, std::size_t limit = std::size_t{1} << 30);
Result<std::string> read_text_file(const std::string& path, std::size_t limit = std::size_t{1} << 30);

/// Writes a whole file, replacing what it held.
Result<void> write_file(const std::string& path, Bytes bytes);

}  // namespace espy
