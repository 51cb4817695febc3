// Actions: what user space does on each record of a script: print, act on maps, run commands, end.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trace/plan.hpp"
#include "trace/run/engine.hpp"
#include "trace/run/format.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/names.hpp"
#include "trace/run/output.hpp"
#include "trace/run/pcap.hpp"

namespace espy::trace::run {

/// Tells a person something that is not the script's output (standard error).
using Tell = std::function<void(std::string_view message)>;

/// Handles the records of one script. All that it refers to must outlive it.
class Actions {
 public:
  Actions(const Plan& plan, Engine& engine, Names& names, Output& output, const Sources* sources, Tell tell);

  /// Does what a record says. Records that are too short for what they are, are left out and counted.
  Result<void> handle(Bytes record);

  /// Set by exit(); what came after it in the ring is not to be handled.
  const std::optional<int>& exit_code() const { return exit_code_; }
  std::uint64_t malformed() const { return malformed_; }

  /// Prints one map, as print() does.
  Result<void> print_map(std::size_t map, const PrintOptions& options);
  void print_entries(const MapPlan& plan, Entries entries, const PrintOptions& options);
  /// All maps of the script in the order of their names, as at its end.
  Result<void> print_maps();

 private:
  struct Prepared {
    Format format;
    std::optional<MapHandle> map;
  };

  Result<void> on_map(const Action& action, Bytes record);
  Result<void> on_print(const Action& action, Bytes record);
  void on_value(const Action& action, Bytes record);
  void on_join(const Action& action, Bytes record);
  void on_time(const Action& action);
  void on_cat(const Action& action, Bytes record, const Format& format);
  void on_system(Bytes record, const Format& format);
  void on_message(const Action& action, Bytes record, const Format& format);
  void on_runtime_error(const Action& action, Bytes record);
  void on_packet(const Action& action, Bytes record);
  std::int64_t argument(const Action& action, Bytes record) const;

  const Plan& plan_;
  Engine& engine_;
  Names& names_;
  Output& output_;
  const Sources* sources_;
  Tell tell_;
  std::vector<Prepared> prepared_;                  // by action
  std::vector<std::optional<MapHandle>> maps_;      // by map of the plan
  std::map<std::string, PacketFile> packets_;       // by path
  std::map<std::uint64_t, Entries> snapshots_;      // of maps whose entries are arriving, by their number
  std::optional<int> exit_code_;
  std::uint64_t malformed_ = 0;
  std::string scratch_;
};

}  // namespace espy::trace::run
