// Words and positions in memory that the kernel writes at the same time.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace espy::kernel {

template <typename T>
T load_acquire(const std::byte* at) {
  // atomic_ref of a const object is C++26; nothing is written through it.
  return std::atomic_ref<T>(*const_cast<T*>(reinterpret_cast<const T*>(at))).load(std::memory_order_acquire);
}

template <typename T>
void store_release(std::byte* at, T value) {
  std::atomic_ref<T>(*reinterpret_cast<T*>(at)).store(value, std::memory_order_release);
}

inline std::size_t page_size() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

/// Bytes that a record of the BPF ring buffers takes: an 8-byte header, the whole rounded up to 8.
/// (include/uapi/linux/bpf.h: BPF_RINGBUF_HDR_SZ, BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT)
inline constexpr std::size_t kRecordHeader = 8;
inline constexpr std::uint32_t kBusyBit = 1U << 31;
inline constexpr std::uint32_t kDiscardBit = 1U << 30;
constexpr std::uint64_t record_span(std::uint32_t length) { return (std::uint64_t{length} + kRecordHeader + 7) / 8 * 8; }

}  // namespace espy::kernel
