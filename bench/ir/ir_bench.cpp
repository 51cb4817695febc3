// What the intermediate representation costs: building, checking, each pass, and all of `optimise`, over random functions
// of several sizes. The time per instruction should not grow with the size. The shortest of several runs counts:
// what is longer is the machine's other work.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "ir/check.hpp"
#include "ir/passes/passes.hpp"
#include "ir/test_support.hpp"
#include "ir/text.hpp"

namespace {

using namespace espy::ir;

constexpr int kRounds = 25;

/// Of this thread's own time.
double microseconds(auto run) {
  auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  };
  const double begin = now();
  run();
  return now() - begin;
}

/// The shortest time of `run` on a fresh copy of the module.
double shortest(const Module& module, auto run) {
  std::vector<double> times;
  for (int i = 0; i < kRounds; ++i) {
    Module copy = module;
    times.push_back(microseconds([&] { run(copy); }));
  }
  return std::ranges::min(times);
}

std::size_t size_of(const Module& module) {
  std::size_t size = 0;
  for (const Function& f : module.functions)
    for (BlockId block : f.order) size += f[block].insts.size();
  return size;
}

void line(std::string_view what, double time, std::size_t size) {
  fmt::print("  {:<12} {:>10.1f} us  {:>7.1f} ns an instruction\n", what, time, time * 1000 / static_cast<double>(size));
}

void measure(unsigned statements) {
  const Module module = RandomProgram(42).make(statements);
  const std::size_t size = size_of(module);
  Module after = module;
  optimise(after);
  fmt::print("{} instructions, {} when optimised\n", size, size_of(after));
  line("check", shortest(module, [](Module& m) { (void)check(m); }), size);
  line("print", shortest(module, [](Module& m) { (void)print(m); }), size);
  for (const PassRow& pass : passes()) {
    double time = shortest(module, [&](Module& m) {
      for (Function& f : m.functions) pass.run(m, f, {});
    });
    line(pass.name, time, size);
  }
  line("optimise 1", shortest(module, [](Module& m) { optimise(m, {.level = 1}); }), size);
  line("optimise 2", shortest(module, [](Module& m) { optimise(m); }), size);
}

}  // namespace

int main() {
  for (unsigned statements : {50, 500, 2500, 5000}) measure(statements);
}
