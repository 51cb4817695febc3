// What a script's programs could not do, as they count it in the counters map: reported while it grows, by name.
#pragma once

#include <cstdint>
#include <vector>

#include "trace/plan.hpp"
#include "trace/run/engine.hpp"
#include "trace/run/output.hpp"

namespace espy::trace::run {

class Losses {
 public:
  Losses(const Plan& plan, const Engine& engine);

  /// Is there anything to look at?
  bool counts() const { return counters_.has_value() || engine_.lost() != 0; }
  /// Tells what was lost since the last call.
  Result<void> report(Output& output, bool failed_reads);
  /// Of lost records, all so far.
  std::uint64_t lost_records() const { return lost_records_; }

 private:
  void tell(Output& output, const Counter& counter, std::uint64_t count, bool failed_reads);

  const Plan& plan_;
  const Engine& engine_;
  std::optional<MapHandle> counters_;
  std::vector<std::byte> values_;        // of all CPUs
  std::vector<std::uint64_t> told_;      // by counter
  bool counts_records_ = false;          // by probe, in the counters
  std::uint64_t transport_told_ = 0;
  std::uint64_t lost_records_ = 0;
};

}  // namespace espy::trace::run
