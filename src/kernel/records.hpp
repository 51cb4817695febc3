// Records: what programs send to user space, read in place. Losses are counted by every reader, never silent.
//
// Each reader is used by one thread at a time. A record is a view into memory shared with the kernel, valid during the
// call it is handed to; nothing is copied, except a perf record that wraps around the end of its ring.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/bytes.hpp"
#include "kernel/map.hpp"

namespace espy::kernel {

/// What is called for each record, with a view that is valid during the call only: any function object
/// `bool(Bytes record)`. Returning false stops the drain; the record counts as handed over. It refers to the callable, which must outlive the drain, and
/// costs one indirect call.
class RecordSink {
 public:
  template <typename Callable>
    requires(std::is_object_v<std::remove_reference_t<Callable>> && std::is_invocable_r_v<bool, Callable&, Bytes> && !std::is_same_v<std::remove_cvref_t<Callable>, RecordSink>)
  RecordSink(Callable&& callable)  // implicit: a lambda is a sink
      : callable_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))), call_([](void* at, Bytes record) -> bool {
          return (*static_cast<std::remove_reference_t<Callable>*>(at))(record);
        }) {}
  bool operator()(Bytes record) const { return call_(callable_, record); }

 private:
  void* callable_;
  bool (*call_)(void*, Bytes);
};

/// The single consumer of a ring buffer map (BPF_MAP_TYPE_RINGBUF): zero copy, the consumer position published in batches.
/// The kernel does not count records for which it found no room: bpf_ringbuf_reserve just fails, and only the program
/// knows. `high_water` shows whether that may have happened.
class RingBuffer {
 public:
  static Result<RingBuffer> open(const Map& map);
  RingBuffer(RingBuffer&&) noexcept;
  RingBuffer& operator=(RingBuffer&&) noexcept;
  ~RingBuffer();

  /// Hands over the records that are there; returns how many. A flood cannot hold the caller forever: after as many bytes
  /// as the ring has, it returns with more waiting. Then drain again rather than wait: no wake-up comes before the ring
  /// was seen empty.
  Result<std::size_t> drain(RecordSink sink);
  int fd() const;                   ///< for epoll: readable when records wait
  std::size_t capacity() const;     ///< bytes
  std::size_t waiting() const;      ///< bytes not yet drained
  std::size_t high_water() const;   ///< most bytes that a drain found waiting, so far
  /// A drain found so little room left that a record of the largest size seen would not have fit.
  bool was_full() const;

 private:
  struct Impl;
  explicit RingBuffer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The consumers of a perf event array, one ring for each online CPU. The kernel counts what it could not write.
/// Records come in order for each CPU, not across CPUs; the kernel pads them to 8 bytes less 4, so a record may be up to
/// 7 bytes longer than what the program sent.
class PerfBuffer {
 public:
  /// `pages_per_cpu`: a power of two. `wakeup_bytes`: the descriptors become readable once so many bytes wait on a CPU;
  /// 0: with every record. With a watermark, drain at intervals too: fewer bytes wake nobody.
  static Result<PerfBuffer> open(const Map& map, std::size_t pages_per_cpu = 64, std::uint32_t wakeup_bytes = 0);
  PerfBuffer(PerfBuffer&&) noexcept;
  PerfBuffer& operator=(PerfBuffer&&) noexcept;
  ~PerfBuffer();

  /// Hands over the records that are there, CPU by CPU; returns how many.
  Result<std::size_t> drain(RecordSink sink);
  std::uint64_t lost() const;       ///< records the kernel dropped because a ring was full, so far
  std::vector<int> fds() const;     ///< for epoll, one for each CPU

 private:
  struct Impl;
  explicit PerfBuffer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The producer side of a user ring buffer (BPF_MAP_TYPE_USER_RINGBUF).
class UserRingBuffer {
 public:
  static Result<UserRingBuffer> open(const Map& map);
  UserRingBuffer(UserRingBuffer&&) noexcept;
  UserRingBuffer& operator=(UserRingBuffer&&) noexcept;
  ~UserRingBuffer();

  /// Room for one record, to be filled and submitted (or discarded) before the next reserve; `exhausted` when full.
  Result<MutableBytes> reserve(std::uint32_t size);
  void submit();
  void discard();
  std::uint64_t rejected() const;   ///< reservations that found no room, so far
  int fd() const;                   ///< for epoll: writable when there is room

 private:
  struct Impl;
  explicit UserRingBuffer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Waits on many readers at once (epoll).
class Poller {
 public:
  static Result<Poller> create();
  /// Readable, hung up or failed descriptors are reported by their token, which need not be unique.
  Result<void> add(int fd, std::uint32_t token);
  /// Tokens of the descriptors that became readable; empty on time-out or when a signal came.
  Result<std::vector<std::uint32_t>> wait(std::chrono::milliseconds timeout);

 private:
  explicit Poller(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace espy::kernel
