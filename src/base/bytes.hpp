// Bytes from outside, read through a bounds-checked cursor; and the writer that is its mirror.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.hpp"

namespace espy {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

/// The byte order of a file, which need not be ours.
using Endian = std::endian;

/// Reverses the bytes of an integer (std::byteswap that takes any integer type).
template <std::integral T>
constexpr T swap_bytes(T value) {
  if constexpr (sizeof(T) == 1) return value;
  else return std::byteswap(value);
}

/// Views any trivially copyable values as bytes.
template <typename T>
  requires std::is_trivially_copyable_v<T>
Bytes bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}
inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Reads an integer at an offset that the caller has checked to be inside `bytes`.
template <std::integral T>
T load(Bytes bytes, std::size_t offset, Endian endian = Endian::native) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return endian == Endian::native ? value : swap_bytes(value);
}

/// A cursor over foreign bytes. Every read is checked; an error says the offset at which the bytes ended.
class Reader {
 public:
  /// `what` names the bytes in errors (".BTF.ext header") and must outlive the reader.
  explicit Reader(Bytes bytes, std::string_view what = "input", Endian endian = Endian::native)
      : bytes_(bytes), what_(what), endian_(endian) {}

  template <std::integral T>
  Result<T> read() {
    if (bytes_.size() - offset_ < sizeof(T)) return truncated(sizeof(T));
    T value = load<T>(bytes_, offset_, endian_);
    offset_ += sizeof(T);
    return value;
  }

  /// The next `size` bytes, as a view into the input.
  Result<Bytes> take(std::size_t size) {
    if (bytes_.size() - offset_ < size) return truncated(size);
    Bytes taken = bytes_.subspan(offset_, size);
    offset_ += size;
    return taken;
  }

  Result<void> seek(std::size_t offset) {
    if (offset > bytes_.size()) return fail(ErrorKind::malformed, "{}: offset {:#x} is past its end, {:#x}", what_, offset, bytes_.size());
    offset_ = offset;
    return {};
  }

  std::size_t offset() const { return offset_; }
  std::size_t remaining() const { return bytes_.size() - offset_; }
  bool at_end() const { return remaining() == 0; }
  Endian endian() const { return endian_; }

 private:
  std::unexpected<Error> truncated(std::size_t wanted) const {
    return fail(ErrorKind::malformed, "{}: ends at offset {:#x}, {} more bytes were expected at {:#x}", what_, bytes_.size(),
                wanted, offset_);
  }

  Bytes bytes_;
  std::string_view what_;
  Endian endian_;
  std::size_t offset_ = 0;
};

/// Appends integers and bytes to a buffer in a chosen byte order.
class Writer {
 public:
  explicit Writer(Endian endian = Endian::native) : endian_(endian) {}

  template <std::integral T>
  void write(T value) {
    if (endian_ != Endian::native) value = swap_bytes(value);
    append(bytes_of(value));
  }
  void append(Bytes bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }
  void pad_to(std::size_t alignment) { buffer_.resize((buffer_.size() + alignment - 1) / alignment * alignment); }

  std::size_t size() const { return buffer_.size(); }
  std::vector<std::byte>& buffer() { return buffer_; }
  Bytes bytes() const { return buffer_; }

 private:
  Endian endian_;
  std::vector<std::byte> buffer_;
};

}  // namespace espy
