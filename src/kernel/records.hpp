// Records: what programs send to user space, read in place. Losses are counted by every reader, never silent.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "kernel/map.hpp"

namespace espy::kernel {

/// Called for each record with a view that is valid during the call only. Returning false stops the drain.
using RecordSink = std::function<bool(Bytes record)>;

/// The single consumer of a ring buffer map (BPF_MAP_TYPE_RINGBUF): zero copy, the consumer position published in batches.
class RingBuffer {
 public:
  static Result<RingBuffer> open(const Map& map);
  RingBuffer(RingBuffer&&) noexcept;
  ~RingBuffer();

  /// Hands over all records that are there; returns how many.
  Result<std::size_t> drain(const RecordSink& sink);
  int fd() const;                   ///< for epoll: readable when records wait
  std::size_t capacity() const;     ///< bytes
  std::size_t waiting() const;      ///< bytes not yet drained

 private:
  struct Impl;
  explicit RingBuffer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The consumers of a perf event array, one ring for each CPU. The kernel counts what it could not write.
class PerfBuffer {
 public:
  static Result<PerfBuffer> open(const Map& map, std::size_t pages_per_cpu = 64);
  PerfBuffer(PerfBuffer&&) noexcept;
  ~PerfBuffer();

  Result<std::size_t> drain(const RecordSink& sink);
  std::uint64_t lost() const;       ///< records the kernel dropped because a ring was full, so far
  std::vector<int> fds() const;

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
  ~UserRingBuffer();

  /// Room for one record, to be filled and submitted (or discarded) before the next reserve; `exhausted` when full.
  Result<MutableBytes> reserve(std::uint32_t size);
  void submit();
  void discard();
  std::uint64_t rejected() const;   ///< reservations that found no room, so far

 private:
  struct Impl;
  explicit UserRingBuffer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Waits on many readers at once (epoll).
class Poller {
 public:
  static Result<Poller> create();
  Result<void> add(int fd, std::uint32_t token);
  /// Tokens of the descriptors that became readable; empty on time-out or when a signal came.
  Result<std::vector<std::uint32_t>> wait(std::chrono::milliseconds timeout);

 private:
  explicit Poller(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace espy::kernel
