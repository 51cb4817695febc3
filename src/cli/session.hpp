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
  std::map<std::string, std::string> attach, types;    ///< by program; by map
  std::vector<std::string> maps;                       ///< show only these; empty: all
  probe::ProbeOptions probe;
  std::string pin_dir;
  std::optional<std::chrono::milliseconds> duration;   ///< none: until SIGINT or SIGTERM
  bool json = false, verbose = false;
};

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
  Result<void> attach_all();
  Result<void> attach(const kernel::Program& program);
  Result<void> open_outputs();
  Result<void> read_iterators();
  Result<void> show_printed();
  Result<void> report_losses();
  Result<void> show_contents();
  void show_costs() const;
  bool shows(std::string_view map) const;
  /// -v: a line on standard error.
  void tell(std::string_view line) const;

  SessionOptions options_;
  UniqueFd signals_, stats_;
  std::unique_ptr<kernel::Object> object_;             // at a fixed address: records_ refers to it
  std::vector<kernel::Link> links_;
  std::vector<std::pair<std::string, std::size_t>> iterators_;  // program, index into links_
  std::vector<std::string> not_attached_;              // why
  std::optional<kernel::RecordSource> records_;
  std::optional<kernel::PrintkReader> printk_;         // if a program prints
  std::uint64_t printk_lost_ = 0;
  std::unique_ptr<render::Output> output_;
  std::vector<render::StreamId> streams_;              // by stream of records_
};

}  // namespace espy::cli
