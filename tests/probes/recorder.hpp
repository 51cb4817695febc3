// Recorder: programs that write down, for every event of one process, which target fired and what its arguments were. They are
// assembled from a plan's instances, the way the language's compiler reads them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/attach.hpp"
#include "kernel/object.hpp"
#include "trace/probes/plan.hpp"

namespace espy::probes_test {

using trace::probes::Abilities;
using trace::probes::Instance;
using trace::probes::Machine;
using trace::probes::Needs;

/// One event: the target's index, then the first 8 bytes of each field.
using Row = std::vector<std::uint64_t>;

/// The instances of these attach points ("t:sched:sched_switch").
Result<std::vector<Instance>> plan(Machine& machine, const std::vector<std::string>& points, const Needs& needs, const Abilities& abilities,
                                   std::optional<int> pid = {});

class Recorder {
 public:
  /// One program for each instance; events of process `tgid` count, of any if it is 0, once `start` was called.
  static Result<Recorder> load(const std::vector<Instance>& instances, int tgid);
  Result<void> attach(std::optional<int> pid = {});
  void detach();
  /// How many links were made.
  std::size_t links() const { return links_.size(); }
  void start();
  /// What program `index` saw, sorted.
  std::vector<Row> rows(std::size_t index) const;
  kernel::Object& object() { return *object_; }

 private:
  Recorder(kernel::Object object, std::vector<Instance> instances);
  std::unique_ptr<kernel::Object> object_;
  std::vector<Instance> instances_;
  std::vector<kernel::Link> links_;
};

/// A child process that waits, then does what it was given, and ends.
class Actor {
 public:
  explicit Actor(std::function<void()> act);
  ~Actor();
  int pid() const { return pid_; }
  /// Lets it act, and waits for its end.
  void act();

 private:
  int pid_ = -1, start_ = -1;
};

}  // namespace espy::probes_test
