// One run of an object: from its spec to detached again.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "espy/espy.hpp"

namespace espy::cli {

struct SessionOptions {
  std::vector<std::string> programs;                   ///< only these; empty: all with autoload
  std::multimap<std::string, std::string> attach;      ///< by program: each place where it runs
  std::map<std::string, std::string> types;            ///< by map
  std::vector<std::string> maps;                       ///< show only these; empty: all
  probe::ProbeOptions probe;
  std::string pin_dir;
  std::optional<std::chrono::milliseconds> duration;   ///< none: until SIGINT or SIGTERM
  bool json = false, verbose = false;
};

/// Which of the options that restrict programs said something to one that is attached.
struct Restricted {
  bool by_pid = false, by_interface = false, by_cgroup = false;
  friend Restricted operator|(Restricted a, Restricted b) {
    return {a.by_pid || b.by_pid, a.by_interface || b.by_interface, a.by_cgroup || b.by_cgroup};
  }
};
Restricted what_restricts(const probe::Probe& probe);

/// The open programs that an object's freplace programs extend, by the name of the one that does. `--attach
/// PROG=freplace:TARGET` says which: TARGET is a path where one is pinned, or its number, then `/FUNCTION` unless the
/// section names it; the spec is told.
using Replacements = std::map<std::string, UniqueFd>;
Result<Replacements> open_replaced(object::ObjectSpec& spec, const SessionOptions& options);

/// A refusal names at once every capability that the whole run will ask for.
Error with_all_that_is_missing(Error error, kernel::CapabilitySet needed);
std::string capability_names(kernel::CapabilitySet set);

/// Loads and attaches in `start`, shows records in `observe`, the rest in `finish`. Whatever happens, its destructor
/// leaves nothing attached. SIGINT and SIGTERM end `observe`.
class Session {
 public:
  static Result<Session> start(object::ObjectSpec spec, SessionOptions options);

  Result<void> observe();
  Result<void> finish();

 private:
  explicit Session(SessionOptions options) : options_(std::move(options)) {}
  Result<void> load(object::ObjectSpec spec);
  void say_what_restricts_nothing();
  Result<void> drop_privileges();
  Result<void> attach_all();
  Result<void> attach(const kernel::Program& program);
  Result<void> attach(const kernel::Program& program, const Result<probe::Probe>& probe);
  Result<void> open_outputs();
  Result<void> read_iterators();
  Result<void> show_printed();
  Result<void> report_losses();
  Result<void> show_contents();
  void show_costs() const;
  bool shows(std::string_view map) const;
  /// -v: a line on standard error.
  void tell(std::string_view line) const;
  void warn(std::string_view message, std::string_view hint = {}) const;

  SessionOptions options_;
  UniqueFd signals_, stats_;
  render::SymbolName symbols_;
  std::unique_ptr<kernel::Object> object_;             // at a fixed address: records_ refers to it
  std::vector<kernel::Link> links_;
  std::vector<std::pair<std::string, std::size_t>> iterators_;  // program, index into links_
  std::vector<std::string> not_attached_;              // why
  Restricted restricted_;
  std::optional<kernel::RecordSource> records_;
  std::optional<kernel::PrintkReader> printk_;         // if a program prints
  std::uint64_t printk_lost_ = 0;
  std::unique_ptr<render::Output> output_;
  std::vector<render::StreamId> streams_;              // by stream of records_
};

}  // namespace espy::cli
