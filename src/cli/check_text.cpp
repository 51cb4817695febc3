// What `espy check` says to people.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/check.hpp"

namespace espy::cli {
namespace {

using verifier::Kernel;
using verifier::Outcome;
using verifier::ProgramOutcome;

template <typename... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

struct Mark {
  std::string_view word, colour;
};
Mark mark_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::accept: return {"loads", "\033[32m"};
    case Outcome::reject: return {"rejected", "\033[1;31m"};
    case Outcome::needs: return {"needs", "\033[33m"};
  }
  return {};
}

class Text {
 public:
  Text(const CheckedObject& object, std::span<const Kernel> kernels, const CheckStyle& style)
      : object_(object), report_(object.report), kernels_(kernels), style_(style) {}

  std::string run() {
    matrix();
    needs();
    stand_ins();
    least();
    rejections();
    if (style_.stats) stats();
    oracle();
    return std::move(out_);
  }

 private:
  const ProgramOutcome& at(std::size_t program, std::size_t kernel) const { return report_.outcomes[program * kernels_.size() + kernel]; }

  void matrix() {
    std::size_t first = report_.path.size();
    for (const std::string& program : report_.programs) first = std::max(first, program.size() + 2);
    append(out_, "{:<{}}", report_.path, first);
    for (const Kernel& kernel : kernels_) append(out_, "  {:<{}}", kernel.name, width(kernel));
    rstrip();
    for (std::size_t program = 0; program < report_.programs.size(); ++program) {
      append(out_, "  {:<{}}", report_.programs[program], first - 2);
      for (std::size_t kernel = 0; kernel < kernels_.size(); ++kernel) {
        const Mark mark = mark_of(at(program, kernel).outcome);
        const std::string padded = fmt::format("{:<{}}", mark.word, width(kernels_[kernel]));
        append(out_, "  {}{}{}", style_.colour ? mark.colour : "", padded, style_.colour ? "\033[0m" : "");
      }
      rstrip();
    }
  }
  static std::size_t width(const Kernel& kernel) { return std::max<std::size_t>(kernel.name.size(), 8); }
  void rstrip() {
    while (out_.ends_with(' ')) out_.pop_back();
    out_ += '\n';
  }

  /// "5.4, 5.10"
  std::string names_of(const std::vector<std::size_t>& kernels) const {
    std::vector<std::string_view> names;
    for (std::size_t kernel : kernels) names.push_back(kernels_[kernel].name);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  // One line for each need: with all programs that have it, and all kernels that lack it.
  void needs() {
    struct Lack {
      std::string need;
      std::vector<std::size_t> kernels;
      std::vector<std::string_view> programs;
    };
    std::vector<Lack> of_program, lacks;
    for (std::size_t program = 0; program < report_.programs.size(); ++program) {
      of_program.clear();
      for (std::size_t kernel = 0; kernel < kernels_.size(); ++kernel) {
        for (const verifier::Need& need : at(program, kernel).needs) {
          const std::string text = describe(need);
          auto same = std::ranges::find(of_program, text, &Lack::need);
          if (same == of_program.end()) same = of_program.insert(same, {text, {}, {}});
          same->kernels.push_back(kernel);
        }
      }
      for (Lack& lack : of_program) {
        auto same = std::ranges::find_if(lacks, [&](const Lack& one) { return one.need == lack.need && one.kernels == lack.kernels; });
        if (same == lacks.end()) same = lacks.insert(same, std::move(lack));
        same->programs.push_back(report_.programs[program]);
      }
    }
    if (!lacks.empty()) out_ += '\n';
    for (const Lack& lack : lacks) append(out_, "{} {} {}: not on {}\n", who(lack.programs), lack.programs.size() == 1 ? "needs" : "need", lack.need, names_of(lack.kernels));
  }
  std::string who(const std::vector<std::string_view>& programs) const {
    if (programs.size() == 1 || programs.size() < report_.programs.size()) return fmt::format("{}", fmt::join(programs, ", "));
    return "all programs";
  }

  void stand_ins() {
    for (std::size_t i = 0; i < kernels_.size(); ++i) {
      if (!kernels_[i].types_of.empty() && report_.uses_kernel_types) append(out_, "note: {} is checked with the {}; `--btf FILE` gives its own\n", kernels_[i].name, kernels_[i].types_of);
    }
  }

  void least() {
    if (report_.least) append(out_, "least kernel: {}\n", to_string(*report_.least));
  }

  void rejections() {
    struct Rejection {
      std::size_t program;
      std::string drawn;
      std::vector<std::size_t> kernels;
    };
    std::vector<Rejection> rejections;
    const verifier::DrawOptions draw_options{.colour = style_.colour, .kernel_words = style_.explain, .max_notes = style_.explain ? 1000U : 8U};
    for (const ProgramOutcome& outcome : report_.outcomes) {
      if (outcome.outcome != Outcome::reject) continue;
      std::string drawn;
      for (const verifier::Diagnostic& error : outcome.verdict.errors) drawn += draw(error, draw_options);
      if (style_.log) drawn += outcome.verdict.log;
      auto same = std::ranges::find_if(rejections, [&](const Rejection& one) { return one.program == outcome.program && one.drawn == drawn; });
      if (same == rejections.end()) same = rejections.insert(rejections.end(), {outcome.program, std::move(drawn), {}});
      same->kernels.push_back(outcome.kernel);
    }
    for (const Rejection& one : rejections) append(out_, "\n{} on {}:\n{}", report_.programs[one.program], names_of(one.kernels), one.drawn);
    if (!style_.log) return;
    for (const ProgramOutcome& outcome : report_.outcomes) {
      if (outcome.outcome == Outcome::accept) append(out_, "\n{} on {}:\n{}", report_.programs[outcome.program], kernels_[outcome.kernel].name, outcome.verdict.log);
    }
  }

  void stats() {
    std::size_t first = 7;
    for (const std::string& program : report_.programs) first = std::max(first, program.size());
    append(out_, "\n{:<{}}  {:<8}  {:>10}  {:>8}  {:>8}  {:>6}  {:>9}\n", "program", first, "kernel", "insns", "states", "peak", "stack", "time");
    for (const ProgramOutcome& outcome : report_.outcomes) {
      const verifier::Stats& stats = outcome.verdict.stats;
      append(out_, "{:<{}}  {:<8}  {:>10}  {:>8}  {:>8}  {:>6}  {:>6} µs\n", report_.programs[outcome.program], first, kernels_[outcome.kernel].name,
             stats.insns_processed, stats.states, stats.peak_states, stats.stack_depth, (stats.nanoseconds + 500) / 1000);
      for (std::size_t i = 0; i < outcome.hot_lines.size(); ++i) {
        const verifier::Place& line = outcome.hot_lines[i];
        append(out_, "  {:>8} insns  {}  {}\n", outcome.hot_visits[i], where(line), line.source.substr(std::min(line.source.find_first_not_of(" \t"), line.source.size())));
      }
    }
  }

  void oracle() {
    if (object_.oracle.empty()) return;
    std::size_t differ = 0, judged = 0;
    out_ += '\n';
    for (std::size_t program = 0; program < object_.oracle.size(); ++program) {
      const OracleAnswer& answer = object_.oracle[program];
      const Outcome ours = at(program, 0).outcome;
      if (ours == Outcome::accept && answer.not_judged) {
        append(out_, "{}: the running kernel cannot be asked: {}\n", answer.program, answer.reason);
        continue;
      }
      ++judged;
      if ((ours == Outcome::accept) == answer.accepted) continue;
      ++differ;
      append(out_, "{}: the running kernel {} it, this says {}{}{}\n", answer.program, answer.accepted ? "takes" : "refuses", mark_of(ours).word,
             answer.reason.empty() ? "" : ": ", answer.reason);
    }
    append(out_, "the running kernel agrees on {} of {}\n", judged - differ, judged);
  }

  const CheckedObject& object_;
  const verifier::ObjectReport& report_;
  std::span<const Kernel> kernels_;
  const CheckStyle& style_;
  std::string out_;
};

}  // namespace

std::string check_text(const CheckedObject& object, std::span<const Kernel> kernels, const CheckStyle& style) { return Text(object, kernels, style).run(); }

}  // namespace espy::cli
