// Two rounds for each object, each of them spread over threads: link for every kernel, then verify every program on every
// kernel. A link that fails as a whole is tried program by program, so that one program's missing symbol does not hide the
// others' verdicts.
//
// needs or reject? What a kernel asks for whatever path is taken (types, maps, instructions, kernel functions) is looked up
// before. The rest shows when the analysis stops at a call of a helper that this version lacks, or at a CO-RE relocation that
// found nothing: then it is a need, not a mistake; a call behind a check that no path passes does no harm, as in the kernel.
#include "verifier/check.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "facts/prog_rules.hpp"


namespace espy::verifier {
namespace {

using facts::KernelVersion;

/// Calls `work(i)` for each i below `count`, on up to `jobs` threads.
void for_each_index(std::size_t count, unsigned jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < std::min<std::size_t>(jobs, count); ++i) threads.emplace_back(run);
  run();
}

/// An object linked for one kernel: all programs together, or, where that fails, each for itself.
struct Linked {
  std::vector<Result<object::LinkedObject>> objects;  ///< one, or one a program
  const Result<object::LinkedObject>& of(std::size_t program) const { return objects[objects.size() == 1 ? 0 : program]; }
};

class Check {
 public:
  Check(const object::ObjectSpec& object, std::span<const Kernel> kernels, const CheckOptions& options)
      : object_(object), kernels_(kernels), options_(options) {}

  Result<void> run() {
    report_.path = object_.path;
    TRY(choose());
    report_.uses_kernel_types = uses_kernel_types();
    linked_.resize(kernels_.size());
    for_each_index(kernels_.size(), options_.jobs, [this](std::size_t i) { linked_[i] = link_for(kernels_[i]); });
    report_.outcomes.resize(programs_.size() * kernels_.size());
    for_each_index(report_.outcomes.size(), options_.jobs, [this](std::size_t i) {
      ProgramOutcome& outcome = report_.outcomes[i];
      outcome = judge(i / kernels_.size(), kernels_[i % kernels_.size()], linked_[i % kernels_.size()]);
      outcome.kernel = i % kernels_.size();
    });
    return {};
  }
  ObjectReport take_report() { return std::move(report_); }

  std::optional<KernelVersion> least(const object::Target* stand_in);

 private:
  Result<void> choose() {
    std::vector<std::string> names = options_.programs;
    if (names.empty()) {
      for (const object::ProgramSpec& program : object_.programs)
        if (program.autoload) names.push_back(program.name);
    }
    for (const std::string& name : names) {
      const object::ProgramSpec* program = object_.find_program(name);
      if (program == nullptr) return fail(ErrorKind::not_found, "{} has no program named `{}`", object_.path, name);
      programs_.push_back(program);
      needs_.push_back(needs_of(object_, *program));
    }
    report_.programs = std::move(names);
    return {};
  }

  bool uses_kernel_types() const {
    auto relocated = [](const object::FunctionSpec& function) { return !function.core_relocations.empty(); };
    auto attached = [&](const object::ProgramSpec* program) {
      return relocated(program->code) || facts::traits_of(program->type).needs_attach_btf;
    };
    return !object_.externs.empty() || std::ranges::any_of(object_.functions, relocated) || std::ranges::any_of(programs_, attached);
  }

  Linked link_for(const Kernel& kernel) const {
    Linked linked;
    linked.objects.push_back(object::link(object_, kernel.target, {.programs = report_.programs}));
    if (linked.objects[0] || programs_.size() == 1) return linked;
    linked.objects.clear();
    for (const std::string& name : report_.programs) linked.objects.push_back(object::link(object_, kernel.target, {.programs = {name}}));
    return linked;
  }

  ProgramOutcome judge(std::size_t index, const Kernel& kernel, const Linked& linked) const;
  void add_hot_lines(ProgramOutcome& outcome, const object::LinkedObject& object, const object::LinkedProgram& program) const;

  const object::ObjectSpec& object_;
  std::span<const Kernel> kernels_;
  const CheckOptions& options_;
  ObjectReport report_;
  std::vector<const object::ProgramSpec*> programs_;
  std::vector<std::vector<Need>> needs_;   ///< by program
  std::vector<Linked> linked_;             ///< by kernel
};

/// A rejection that stands for a failed link.
Diagnostic diagnostic_of(const Error& error, const std::string& program) {
  const Error* deepest = &error;
  while (deepest->cause) deepest = deepest->cause.get();
  return {.place = {.function = program}, .message = one_line(error), .hint = deepest->hint};
}

ProgramOutcome Check::judge(std::size_t index, const Kernel& kernel, const Linked& linked) const {
  ProgramOutcome outcome{.program = index};
  for (Need& need : lacking(needs_[index], kernel.profile.version)) {
    if (!need.if_reached) outcome.needs.push_back(std::move(need));
  }
  if (!outcome.needs.empty()) return outcome.outcome = Outcome::needs, outcome;

  const Result<object::LinkedObject>& object = linked.of(index);
  if (!object) {
    if (auto need = need_of_link(object.error())) outcome.outcome = Outcome::needs, outcome.needs.push_back(std::move(*need));
    else outcome.outcome = Outcome::reject, outcome.verdict.errors.push_back(diagnostic_of(object.error(), report_.programs[index]));
    return outcome;
  }
  auto program = std::ranges::find(object->programs, report_.programs[index], [](const object::LinkedProgram& one) { return one.spec.name; });
  if (program == object->programs.end()) return outcome.outcome = Outcome::accept, outcome;  // struct_ops that nothing refers to
  outcome.verdict = verify(*object, *program, kernel.target, kernel.profile, options_.verify);
  outcome.verdict.facts.clear();
  add_hot_lines(outcome, *object, *program);
  outcome.outcome = outcome.verdict.accepted ? Outcome::accept : Outcome::reject;
  if (outcome.verdict.accepted || outcome.verdict.errors.empty()) return outcome;
  outcome.needs = needs_at(*object, *program, outcome.verdict.errors.front().place.insn, kernel.profile.version);
  if (!outcome.needs.empty()) outcome.outcome = Outcome::needs;
  return outcome;
}

void Check::add_hot_lines(ProgramOutcome& outcome, const object::LinkedObject& object, const object::LinkedProgram& program) const {
  const auto& visits = outcome.verdict.stats.visits;
  const auto& lines = program.spec.code.line_info;
  if (options_.hot_lines == 0 || lines.empty() || object.object.btf == nullptr) return;
  std::map<std::pair<std::string_view, std::uint32_t>, std::pair<std::uint64_t, const btf::LineInfo*>> by_line;
  std::size_t line = 0;
  for (std::size_t insn = 0; insn < visits.size(); ++insn) {
    while (line + 1 < lines.size() && lines[line + 1].insn <= insn) ++line;
    auto& entry = by_line[{object.object.btf->string(lines[line].file_name), lines[line].line}];
    entry.first += visits[insn];
    entry.second = &lines[line];
  }
  std::vector<std::pair<std::uint64_t, const btf::LineInfo*>> sorted;
  for (const auto& [key, entry] : by_line) sorted.push_back(entry);
  std::ranges::stable_sort(sorted, std::ranges::greater{}, [](const auto& entry) { return entry.first; });
  if (sorted.size() > options_.hot_lines) sorted.resize(options_.hot_lines);
  for (const auto& [count, info] : sorted) {
    outcome.hot_visits.push_back(count);
    outcome.hot_lines.push_back({.insn = info->insn, .file = std::string(object.object.btf->string(info->file_name)), .line = info->line,
                                 .source = std::string(object.object.btf->string(info->line_text))});
  }
}

/// The releases between the first that has what `needs` lists and the newest that is known.
std::vector<KernelVersion> releases_from(KernelVersion first) {
  constexpr KernelVersion kLast[] = {{4, 20}, {5, 19}, {6, 19}, {7, 3}};
  std::vector<KernelVersion> releases;
  for (KernelVersion last : kLast) {
    for (std::uint16_t minor = last.major == 4 ? 14 : 0; minor <= last.minor; ++minor) {
      const KernelVersion version{last.major, minor};
      if (version >= KernelVersion{first.major, first.minor}) releases.push_back(version);
    }
  }
  return releases;
}

std::optional<KernelVersion> Check::least(const object::Target* stand_in) {
  KernelVersion first{4, 14};
  for (const auto& needs : needs_) {
    for (const Need& need : needs)
      if (need.since && !need.if_reached) first = std::max(first, *need.since);
  }
  const auto releases = releases_from(first);
  auto takes_all = [&](KernelVersion version) {
    const Kernel kernel = kernel_of(version, stand_in);
    const Linked linked = link_for(kernel);
    std::atomic<bool> all = true;
    for_each_index(programs_.size(), options_.jobs, [&](std::size_t i) {
      if (all && judge(i, kernel, linked).outcome != Outcome::accept) all = false;
    });
    return all.load();
  };
  // What the newest kernel does not take has a mistake; looking for the first that does would take long and find nothing.
  if (releases.empty() || !takes_all(releases.back())) return std::nullopt;
  auto found = std::ranges::find_if(releases, takes_all);
  return found == releases.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::accept: return "accept";
    case Outcome::reject: return "reject";
    case Outcome::needs: return "needs";
  }
  return {};
}

bool ObjectReport::all_accepted() const { return std::ranges::all_of(outcomes, [](const ProgramOutcome& one) { return one.outcome == Outcome::accept; }); }

Result<ObjectReport> check(const object::ObjectSpec& object, std::span<const Kernel> kernels, const CheckOptions& options) {
  Check job(object, kernels, options);
  TRY(job.run());
  const auto least = options.find_least && !kernels.empty() ? job.least(&kernels.back().target) : std::nullopt;
  ObjectReport report = job.take_report();
  report.least = least;
  return report;
}

}  // namespace espy::verifier
