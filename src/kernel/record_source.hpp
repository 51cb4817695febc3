// All records of a loaded object: its ring buffers and perf buffers, each with the type of its records and what was lost.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernel/object.hpp"
#include "kernel/record_types.hpp"

namespace espy::kernel {

struct RecordOptions {
  std::map<std::string, std::string> types = {};  ///< `--type MAP=TYPE`
  std::vector<std::string> maps = {};             ///< read only these; empty: all
  std::size_t perf_pages_per_cpu = 64;
};

/// Records that did not arrive, since they were last asked for.
struct Loss {
  std::string map;
  std::uint64_t count = 0;
};

/// Reads every record map of an object, which must outlive it.
///
/// Losses: the kernel counts those of perf buffers. Of ring buffers it counts none; only the program sees
/// bpf_ringbuf_reserve fail. An integer global named `dropped`, `lost` (or `…_dropped`, `…_lost`, `dropped_…`, `lost_…`)
/// is taken for its count: of the map whose name the rest is, else of the only ring buffer. Where a program counts none, a
/// ring buffer that was found full is reported by `warnings`.
class RecordSource {
 public:
  /// Called with the stream (an index into `streams`) and the record, a view that is valid during the call. Returning
  /// false stops.
  using Sink = std::function<bool(std::size_t stream, Bytes record)>;

  static Result<RecordSource> open(const Object& object, const RecordOptions& options = {});
  RecordSource(RecordSource&&) noexcept;
  RecordSource& operator=(RecordSource&&) noexcept;
  ~RecordSource();

  /// One for each record map: its name, types, and why these.
  const std::vector<RecordChoice>& streams() const;

  /// Wakes `wait` when this descriptor is readable, too; its owner reads it.
  Result<void> also_wake_on(int fd);
  /// Waits for records (at most `timeout`; less when a signal comes) and hands over all that are there; returns how many.
  Result<std::size_t> wait(std::chrono::milliseconds timeout, const Sink& sink);
  /// Hands over all that are there now: once more after detaching, so that nothing is left behind.
  Result<std::size_t> drain(const Sink& sink);

  /// What was lost since the last call.
  Result<std::vector<Loss>> new_losses();
  /// At the end: losses that are likely but that nobody counted.
  std::vector<object::Warning> warnings() const;

 private:
  struct Impl;
  explicit RecordSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espy::kernel
