// Engine: what a session needs of whatever runs a script's programs. The kernel is one (kernel_engine.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "kernel/records.hpp"
#include "trace/plan.hpp"

namespace espy::trace::run {

/// One of an engine's maps: the position in the object.
enum class MapHandle : std::uint32_t {};

/// Runs the programs of one compiled script: made with maps and programs loaded, nothing attached.
class Engine {
 public:
  virtual ~Engine() = default;

  // ---- programs ----

  /// Runs a program that is attached to nothing, once, here and now. What it sends is in the ring when this returns.
  virtual Result<void> fire(const ProgramPlan& program) = 0;
  struct Attached {
    std::size_t targets = 0;                  ///< attached, of the instance's
    std::vector<Error> failures = {};         ///< of targets that could not be, where others could
  };
  /// Attaches a program everywhere its plan says. `pid`: only to this process, where the probe can; 0: to all.
  virtual Result<Attached> attach(const ProgramPlan& program, int pid) = 0;
  /// Runs the attached iterator programs over all that they iterate over. Called in a thread of its own.
  virtual Result<void> run_iterators() = 0;
  /// Lets go of the attachments to an address that is watched.
  virtual void unwatch(std::uint64_t address) = 0;
  /// No attached program runs any more; quick.
  virtual void stop() = 0;
  /// Lets go of what programs were attached to; may be slow.
  virtual void detach() = 0;

  // ---- records ----

  /// Hands over the records that are there; returns how many.
  virtual Result<std::size_t> drain(kernel::RecordSink sink) = 0;
  /// Readable when records come after all were drained. For epoll.
  virtual std::vector<int> wake_descriptors() const = 0;
  /// Records that the transport itself lost and counted (perf buffers), so far.
  virtual std::uint64_t lost() const = 0;

  // ---- maps ----

  /// nullopt: the script has no such map.
  virtual std::optional<MapHandle> find_map(std::string_view name) const = 0;
  /// How many values a per-CPU map has for each key, each padded to 8 bytes.
  virtual unsigned cpus() const = 0;
  /// Calls with each entry; a per-CPU map's value is that of all CPUs.
  virtual Result<void> for_each(MapHandle map, const std::function<bool(Bytes key, Bytes value)>& visit) const = 0;
  /// false: no such key. `value` has room for all CPUs.
  virtual Result<bool> lookup(MapHandle map, Bytes key, MutableBytes value) const = 0;
  virtual Result<void> update(MapHandle map, Bytes key, Bytes value) = 0;
  virtual Result<void> erase(MapHandle map, Bytes key) = 0;
};

}  // namespace espy::trace::run
