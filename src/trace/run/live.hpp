// espy top: a script's maps, redrawn while it runs.
//
// In a terminal: the alternate screen, each map as rows of key, value and rate (what came since the last look, a second), the
// largest first, as many as fit; `q` or Ctrl-C ends it. Elsewhere: a block of the same rows every period.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "trace/run/maps.hpp"
#include "trace/run/session.hpp"

namespace espy::trace::run {

struct LiveOptions {
  std::chrono::milliseconds period{1000};
  int output = 1;                ///< descriptor to draw on
  int input = 0;                 ///< descriptor that keys come from, if it is a terminal
  std::size_t rows = 0;          ///< of each map, where it is no terminal; 0: 20
};

/// To be given to run_script as RunOptions::watcher. The terminal is as it was when it goes. The plan must outlive it.
Result<std::unique_ptr<Watcher>> live_view(const Plan& plan, const LiveOptions& options = {});

// ---- what is drawn, apart from where ----

/// What a map's values were, by key, so that the next look can tell rates.
struct LiveMap {
  std::vector<std::pair<std::vector<std::byte>, std::int64_t>> ranks;   ///< sorted by key
};

/// Appends a map as at most `rows` lines of at most `columns` characters. `seconds` since `before` was made, which is
/// replaced; 0: no rates yet.
void append_live_map(const MapPlan& plan, const Entries& sorted, LiveMap& before, double seconds, std::size_t rows, std::size_t columns,
                     Names& names, std::string& out);

}  // namespace espy::trace::run
