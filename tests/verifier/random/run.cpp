// verifier_differential [--programs N] [--seed S] [--out FOLDER]: the long random run. Prints its progress, the shortest
// program for each kind of difference (by both messages), and the counts; ends with 1 if there was any.
#include <chrono>
#include <fstream>
#include <map>

#include "base/text.hpp"
#include "differential.hpp"
#include "generator.hpp"

namespace espy::corpus {
namespace {

struct Options {
  std::uint64_t programs = 100'000, seed = 1;
  std::string out = {};
};

std::optional<Options> options_of(std::span<char*> arguments) {
  Options options;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string_view name = arguments[i], value = arguments[i + 1];
    if (name == "--programs") options.programs = parse_number<std::uint64_t>(value).value_or(0);
    else if (name == "--seed") options.seed = parse_number<std::uint64_t>(value).value_or(1);
    else if (name == "--out") options.out = value;
    else return std::nullopt;
  }
  if (arguments.size() % 2 != 0 || options.programs == 0) return std::nullopt;
  return options;
}

/// The words of a message without its numbers: differences of one kind are shown once.
std::string shape_of(std::string_view message) {
  std::string shape;
  for (char c : message.substr(0, 60))
    if (c < '0' || c > '9') shape += c;
  return shape;
}

struct Totals {
  std::uint64_t programs = 0, accepted = 0, unsound = 0, too_strict = 0, faults = 0;
  std::uint64_t kernel_microseconds = 0, our_nanoseconds = 0, more_work = 0;
  std::map<std::string, std::uint64_t> kinds = {};

  void print(std::chrono::steady_clock::duration time) const {
    fmt::print("{} programs in {} s: {} accepted, {} unsound, {} too strict, {} faults when run; verification {:.3f} s here, {:.3f} s in the kernel\n",
               programs, std::chrono::duration_cast<std::chrono::seconds>(time).count(), accepted, unsound, too_strict, faults,
               static_cast<double>(our_nanoseconds) / 1e9, static_cast<double>(kernel_microseconds) / 1e6);
    std::fflush(stdout);
  }
};

void show(const Options& options, const std::string& name, const std::string& text) {
  fmt::print("{}\n", text);
  if (!options.out.empty()) std::ofstream(options.out + "/" + name + ".s") << text;
}

void one(const Judge& judge, const Options& options, std::uint64_t seed, Totals& totals) {
  const object::LinkedProgram program = random_program(seed);
  const Verdicts verdicts = judge.judge(program);
  ++totals.programs;
  totals.accepted += verdicts.kernel ? 1 : 0;
  totals.kernel_microseconds += verdicts.kernel_microseconds;
  totals.our_nanoseconds += verdicts.our_nanoseconds;
  if (verdicts.difference() == Difference::none) {
    if (!verdicts.ours) return;
    if (auto fault = judge.run_safely(program, seed)) {
      ++totals.faults;
      show(options, fmt::format("fault_{}", seed), fmt::format("# {}\n{}", *fault, corpus_text(program, fmt::format("seed_{}", seed), verdicts)));
    }
    return;
  }
  ++(verdicts.difference() == Difference::unsound ? totals.unsound : totals.too_strict);
  auto same = [&](const object::LinkedProgram& less) { return judge.judge(less).difference() == verdicts.difference(); };
  if (totals.kinds[shape_of(verdicts.kernel_message + verdicts.our_message)]++ > 2) return;
  const object::LinkedProgram least = shrink(program, same);
  show(options, fmt::format("seed_{}", seed), corpus_text(least, fmt::format("seed_{}", seed), judge.judge(least)));
}

int run(const Options& options) {
  auto judge = Judge::create();
  if (!judge) {
    fmt::print(stderr, "{}\n", describe(judge.error()));
    return 2;
  }
  Totals totals;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seed = options.seed; seed < options.seed + options.programs; ++seed) {
    one(*judge, options, seed, totals);
    if (totals.programs % 10'000 == 0) totals.print(std::chrono::steady_clock::now() - start);
  }
  totals.print(std::chrono::steady_clock::now() - start);
  for (const auto& [kind, count] : totals.kinds) fmt::print("{:6} {}\n", count, kind);
  return totals.unsound + totals.too_strict + totals.faults == 0 ? 0 : 1;
}

}  // namespace
}  // namespace espy::corpus

int main(int argc, char** argv) {
  auto options = espy::corpus::options_of(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!options) {
    fmt::print(stderr, "usage: verifier_differential [--programs N] [--seed S] [--out FOLDER]\n");
    return 2;
  }
  return espy::corpus::run(*options);
}
