// Scripts as the compiler would make them, made by hand for tests: programs in assembly beside the plan that belongs to them.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "object/asm.hpp"
#include "trace/plan.hpp"
#include "trace/run/session.hpp"

namespace espy::trace::run::testing {

class TestScript {
 public:
  /// 0: without a ring.
  explicit TestScript(std::uint32_t ring_bytes = 256 * 1024) {
    if (ring_bytes != 0) maps_ = fmt::format(".map ring type=ringbuf max_entries={}\n", ring_bytes);
  }

  Plan plan;

  /// Declares a map of eBPF.
  void ebpf_map(const std::string& line) { maps_ += ".map " + line + "\n"; }

  std::uint32_t action(Action action) {
    plan.actions.push_back(std::move(action));
    return static_cast<std::uint32_t>(plan.actions.size() - 1);
  }
  /// printf of a literal and one number: "text 5\n".
  std::uint32_t printf_number(const std::string& before, const std::string& after = "\n") {
    Action action{.kind = Action::Kind::printf, .format = {{.literal = before, .conversion = "d"}, {.literal = after}}, .size = 16};
    action.arguments = {{.name = {}, .type = int64_type(), .offset = 8}};
    return this->action(std::move(action));
  }

  /// Code that sends a record: action, probe, u64 words; one that finds no room is counted by counter `lost`.
  std::string send(std::uint32_t action, std::initializer_list<std::uint64_t> words, int lost = -1) {
    std::string code = fmt::format("  r1 = map[ring] ll\n  r2 = {}\n  r3 = 0\n  call bpf_ringbuf_reserve\n  if r0 == 0 goto lost{}\n", 8 + words.size() * 8, label_);
    code += fmt::format("  *(u32 *)(r0 +0) = {}\n  *(u32 *)(r0 +4) = 0\n", action);
    std::size_t at = 8;
    for (std::uint64_t word : words) {
      code += fmt::format("  r1 = {:#x} ll\n  *(u64 *)(r0 +{}) = r1\n", word, at);
      at += 8;
    }
    code += fmt::format("  r1 = r0\n  r2 = 0\n  call bpf_ringbuf_submit\n  goto sent{}\nlost{}:\n", label_, label_);
    if (lost >= 0) code += fmt::format("  *(u32 *)(r10 -4) = 0\n  r2 = r10\n  r2 += -4\n  r1 = map[counters] ll\n  call bpf_map_lookup_elem\n"
                                       "  if r0 == 0 goto sent{}\n  r1 = 1\n  lock *(u64 *)(r0 +{}) += r1\n", label_, lost * 8);
    code += fmt::format("sent{}:\n", label_++);
    return code;
  }

  /// Adds a program that is fired by the session, or attached.
  void program(const std::string& name, probes::Provider provider, const std::string& target, const std::string& code,
               std::vector<probes::Attachment> attachments = {}, facts::ProgType type = facts::ProgType::raw_tracepoint) {
    const bool raw = type == facts::ProgType::raw_tracepoint;
    functions_ += fmt::format(".section {}\n.func {}\n{}  r0 = 0\n  exit\n", raw ? "raw_tp/sys_enter" : "perf_event", name, code);
    ProgramPlan plan_of{.program = name, .first_probe = static_cast<std::uint32_t>(plan.probes.size())};
    plan_of.instance.prog_type = type;
    plan_of.instance.targets.push_back({.provider = provider, .name = target});
    plan_of.instance.attachments = std::move(attachments);
    plan.programs.push_back(std::move(plan_of));
    plan.probes.push_back({.name = target});
  }

  Result<Compiled> compiled() const { return Compiled{TRY(object::assemble_object(".license \"GPL\"\n" + maps_ + functions_, "script.s")), plan}; }

 private:
  std::string maps_, functions_;
  int label_ = 0;
};

/// A file that goes with the test, for what a script prints.
class TemporaryFile {
 public:
  TemporaryFile() : path_("/tmp/espy-run-XXXXXX") { fd_ = UniqueFd(::mkstemp(path_.data())); }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }
  std::string text() const { return read_text_file(path_).value_or("?"); }

 private:
  std::string path_;
  UniqueFd fd_;
};

}  // namespace espy::trace::run::testing
