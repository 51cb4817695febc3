#include "trace/run/losses.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"

namespace espy::trace::run {

Losses::Losses(const Plan& plan, const Engine& engine) : plan_(plan), engine_(engine), told_(plan.counters.size()) {
  if (plan.counters.empty()) return;
  counters_ = engine.find_map(kCountersMap);
  counts_records_ = counters_ && std::ranges::find(plan.counters, Counter::Kind::lost_records, &Counter::kind) != plan.counters.end();
  values_.resize(plan.counters.size() * 8 * engine.cpus());
}

Result<void> Losses::report(Output& output, bool failed_reads) {
  // What programs count themselves, by probe, is not told twice.
  if (const std::uint64_t lost = counts_records_ ? 0 : engine_.lost(); lost > transport_told_) {
    output.lost_events(lost - transport_told_, {});
    lost_records_ += lost - transport_told_;
    transport_told_ = lost;
  }
  if (!counters_) return {};
  const std::uint32_t key = 0;
  if (!TRY(engine_.lookup(*counters_, bytes_of(key), values_))) return {};
  for (std::size_t i = 0; i < told_.size(); ++i) {
    std::uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < engine_.cpus(); ++cpu) sum += load<std::uint64_t>(values_, (cpu * told_.size() + i) * 8);
    if (sum == told_[i]) continue;
    tell(output, plan_.counters[i], sum - told_[i], failed_reads);
    told_[i] = sum;
  }
  return {};
}

void Losses::tell(Output& output, const Counter& counter, std::uint64_t count, bool failed_reads) {
  const std::string_view probe = counter.index < plan_.probes.size() ? std::string_view(plan_.probes[counter.index].name) : std::string_view{};
  auto quoted = [](std::string_view key, std::string_view text, std::uint64_t number) {
    std::string json = fmt::format("\"{}\": ", key);
    append_json_string(text, json);
    return fmt::format("{}, \"count\": {}", json, number);
  };
  const std::string_view times = count == 1 ? "once" : "times";
  const std::string number = count == 1 ? std::string(times) : fmt::format("{} {}", count, times);
  using enum Counter::Kind;
  switch (counter.kind) {
    case lost_records:
      lost_records_ += count;
      output.lost_events(count, probe);
      return;
    case map_full: {
      const std::string_view map = counter.index < plan_.maps.size() ? std::string_view(plan_.maps[counter.index].name) : std::string_view{};
      output.problem("runtime_error", fmt::format("Map full; can't update element: {}, {}; raise max_map_keys, or declare the map with more entries: let {} = hash(N)", map, number, map),
                     quoted("map", map, count));
      return;
    }
    case scratch_busy:
      output.problem("runtime_error", fmt::format("{} did not run {}: too many probes interrupted each other on one CPU", probe, number), quoted("probe", probe, count));
      return;
    case stack_lost:
      output.problem("runtime_error", fmt::format("a stack could not be kept {}: the map of stacks is full", number), fmt::format("\"count\": {}", count));
      return;
    case read_failed:
      if (failed_reads) output.problem("runtime_error", fmt::format("memory could not be read {}{}{}", number, probe.empty() ? "" : " in ", probe), quoted("probe", probe, count));
      return;
  }
}

}  // namespace espy::trace::run
