#include "trace/explain.hpp"

#include <fmt/format.h>

#include <array>
#include <numeric>
#include <vector>

#include "base/text.hpp"

namespace espy::trace {
namespace {

// How a program is called, and what that costs by itself.
enum class Call : std::uint8_t { raw_tracepoint, btf_tracepoint, tracepoint, kprobe, kprobe_multi, kprobe_session, uprobe, uprobe_multi, uprobe_session, usdt, trampoline, sample, iterator, user_space, other };

struct CallRow {
  Call call{};
  std::string_view name{};
  unsigned ns = 0;             ///< of a call of an empty program; 0: not on any path of the traced
  std::string_view remark{};
};
constexpr auto kCalls = std::to_array<CallRow>({
    {Call::raw_tracepoint, "raw tracepoint", 72},
    {Call::btf_tracepoint, "BTF tracepoint", 72},
    {Call::tracepoint, "perf tracepoint", 134, "slow to let go of: about 70 ms each"},
    {Call::kprobe, "kprobe", 150},
    {Call::kprobe_multi, "kprobe multi link", 110},
    {Call::kprobe_session, "kprobe session link", 130, "entry and return are one program"},
    {Call::uprobe, "uprobe", 1600, "0.6 us on a nop, 12 us where the instruction must be stepped"},
    {Call::uprobe_multi, "uprobe multi link", 1600, "0.6 us on a nop, 12 us where the instruction must be stepped"},
    {Call::uprobe_session, "uprobe session link", 1900, "entry and return are one program"},
    {Call::usdt, "USDT", 1600, "0.6 us where the nop is 5 bytes"},
    {Call::trampoline, "trampoline (fentry)", 20},
    {Call::sample, "perf event", 500},
    {Call::iterator, "iterator", 0, "runs once, when it is read"},
    {Call::user_space, "test run", 0, "fired by espy itself"},
    {Call::other, "link", 100},
});

Call call_of(const probes::Instance& instance) {
  if (instance.attachments.empty()) return Call::user_space;
  return std::visit(overload{[&](const probe::RawTracepoint&) { return instance.prog_type == facts::ProgType::tracing ? Call::btf_tracepoint : Call::raw_tracepoint; },
                             [](const probe::Tracepoint&) { return Call::tracepoint; },
                             [](const probe::Kprobe&) { return Call::kprobe; },
                             [](const probe::Ksyscall&) { return Call::kprobe; },
                             [](const probe::KprobeMulti& multi) { return multi.session ? Call::kprobe_session : Call::kprobe_multi; },
                             [](const probe::Uprobe&) { return Call::uprobe; },
                             [](const probe::UprobeMulti& multi) { return multi.session ? Call::uprobe_session : Call::uprobe_multi; },
                             [](const probe::Usdt&) { return Call::usdt; },
                             [](const probe::Trampoline&) { return Call::trampoline; },
                             [](const probe::PerfEvent&) { return Call::sample; },
                             [](const probe::Iterator&) { return Call::iterator; },
                             [](const probe::Nothing&) { return Call::user_space; },
                             [](const auto&) { return Call::other; }},
                    instance.attachments.front().probe);
}

struct Row {
  std::string probe, call, cost, instructions;
  std::string remark;
};

Row row_of(const ProgramPlan& plan, const object::ObjectSpec& object) {
  const probes::Instance& instance = plan.instance;
  const CallRow& call = kCalls[static_cast<std::size_t>(call_of(instance))];
  Row row{.probe = instance.targets.front().name, .call = std::string(call.name), .cost = call.ns == 0 ? "-" : fmt::format("{} ns", call.ns),
          .remark = std::string(call.remark)};
  if (instance.targets.size() > 1) row.probe += fmt::format(" and {} more", instance.targets.size() - 1);
  const object::ProgramSpec* program = object.find_program(plan.program);
  row.instructions = program == nullptr ? "-" : std::to_string(program->code.insns.size());
  if (instance.which == probes::Which::syscall) row.remark = "one program for all system calls: others pay for the call, too";
  return row;
}

}  // namespace

static_assert(kCalls.size() == static_cast<std::size_t>(Call::other) + 1);

std::string explain(const Compiled& compiled) {
  std::vector<Row> rows{{"PROBE", "RUNS AS", "A CALL", "INSNS", "NOTE"}};
  for (const ProgramPlan& plan : compiled.plan.programs) rows.push_back(row_of(plan, compiled.object));
  auto width = [&](auto member) {
    return std::accumulate(rows.begin(), rows.end(), std::size_t{0}, [&](std::size_t most, const Row& row) { return std::max(most, (row.*member).size()); });
  };
  const std::size_t probe = width(&Row::probe), call = width(&Row::call), cost = width(&Row::cost), instructions = width(&Row::instructions);
  std::string text;
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}  {}", row.probe, probe, row.call, call, row.cost, cost, row.instructions, instructions, row.remark);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace espy::trace
