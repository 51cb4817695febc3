// Addresses of processes in a script's output: a symboliser that is told of processes as they come and go.
#pragma once

#include <memory>
#include <vector>

#include "trace/config.hpp"
#include "trace/run/actions.hpp"
#include "trace/run/machine_names.hpp"

namespace espy::trace::run {

/// Started before a script's probes are attached, so that the processes they see are known.
class UserSymbols {
 public:
  virtual ~UserSymbols() = default;
  /// Never fails: what cannot be known (no CAP_PERFMON) is told once, and addresses are named as well as can be.
  static std::unique_ptr<UserSymbols> start(const Config& config, const Tell& tell);

  /// Names addresses; refers to this.
  virtual UserPlaces places() = 0;
  /// A file that the probes are in, which processes may know by other paths.
  virtual void expect(const std::string& path) = 0;
  /// Learns what has happened to processes. To be called before records are handled.
  virtual Result<void> update() = 0;
  /// Readable when there is much to learn. For epoll.
  virtual std::vector<int> descriptors() const = 0;
};

}  // namespace espy::trace::run
