// A script's life: load, begin, attach, drain and act, end, print, detach.
//
// Order: everything is loaded; begin probes fire; the others are attached; then the command of -c runs. Records wait in the
// ring meanwhile. At the end (exit(), a signal, the end of the command or process) the attached programs stop first, then end
// probes fire, what is left in the ring is handled, maps are printed, and only then what programs hung on is let go, which
// may be slow. One thread does all of it, waiting in one epoll; while records come fast it looks after the ring every few
// milliseconds rather than being woken for each.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trace/plan.hpp"
#include "trace/run/actions.hpp"
#include "trace/run/child.hpp"
#include "trace/run/engine.hpp"
#include "trace/run/kernel_engine.hpp"
#include "trace/run/machine_names.hpp"
#include "trace/run/output.hpp"

namespace espy::trace::run {

/// Which probes run: those of the script, or only `test:` or `bench:` ones.
enum class Mode : std::uint8_t { trace, test, bench };

/// Something that looks at a running script from time to time (live.hpp).
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual std::chrono::milliseconds period() const = 0;
  /// A descriptor whose readability matters, -1: none.
  virtual int descriptor() const = 0;
  /// Called every period, and when the descriptor is readable (`readable`); false: the script is to end.
  virtual Result<bool> look(const Engine& engine, Names& names, bool readable) = 0;
};

struct RunOptions {
  OutputOptions output = {};
  Mode mode = Mode::trace;
  bool dry_run = false;                   ///< attach all, and end: no probe of the script runs
  bool failed_reads = false;              ///< -k: tell of memory that could not be read
  Child* child = nullptr;                 ///< -c: spawned before the script was compiled; borrowed
  int pid = 0;                            ///< -p: the session ends with this process
  const Sources* sources = nullptr;       ///< for messages that have a place in the script; borrowed
  Tell tell = {};                         ///< warnings and errors that are not output; empty: dropped
  /// Called once all probes are attached and before the command of -c runs.
  std::function<void()> attached = {};
  Watcher* watcher = nullptr;             ///< instead of printing maps at the end; borrowed
  KernelOptions kernel = {};
};

/// Runs a script on an engine until it ends; what exit() said, else 0. An error: it could not begin, or the engine failed.
Result<int> run_script(const Plan& plan, Engine& engine, const RunOptions& options);

/// The same in the kernel: links, loads and runs.
Result<int> run_script(Compiled script, const RunOptions& options);

}  // namespace espy::trace::run
