// How much CPU time the eBPF back end takes for functions as a long tracing script makes them.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "ir/bpf/emit.hpp"
#include "ir/builder.hpp"
#include "ir/check.hpp"

namespace {

using namespace espy;
using namespace espy::ir;

/// `if (args.x > n) { @a[args.y, pid] = count(); $v += args.z; }`, again and again; `live` values live throughout.
Module script(unsigned statements, unsigned live) {
  Module module;
  MapId map = module.map("a");
  Builder b(module[module.add_function("script", kI32, {ptr(Space::ctx)})]);
  ValueId ctx = b.param(0);
  std::vector<ValueId> sums(live, b.i64(0));
  for (unsigned i = 0; i < statements; ++i) {
    b.mark = Mark{i + 1};
    SlotId key = b.slot(16), one = b.slot(8);
    BlockId then = b.block(), found = b.block(), missing = b.cold_block(), after = b.block(), next = b.block({kI64});
    ValueId x = b.load(kI64, 64, ctx, 8), sum = live == 0 ? x : sums[i % live];
    b.branch(b.compare(Op::sgt, x, b.i64(i)), then, {}, next, {sum});
    b.at(then);
    ValueId y = b.load(kI32, 32, ctx, 16);
    b.store(64, b.stack_addr(key), 0, b.zext(y, 32));
    ValueId pid = b.lshr(b.helper(14, kI64, {}), b.i64(32));
    b.store(64, b.stack_addr(key), 8, pid);
    ValueId value = b.helper(1, ptr(Space::map_value), {b.map(map), b.stack_addr(key)}, kReadsOnly);
    b.branch(b.ne(value, b.null(Space::map_value)), found, missing);
    b.at(found);
    b.store(64, value, 0, b.add(b.load(kI64, 64, value), b.i64(1)));
    b.jump(after);
    b.at(missing);
    b.store(64, b.stack_addr(one), 0, b.i64(1));
    b.helper(2, kI64, {b.map(map), b.stack_addr(key), b.stack_addr(one), b.i64(0)});
    b.jump(after);
    b.at(after);
    ValueId z = b.load(kI64, 32, ctx, 24, kSigned);
    b.jump(next, {b.add(b.mul(z, b.i64(3)), sum)});
    b.at(next);
    if (live != 0) sums[i % live] = b.param_of(next, 0);
  }
  ValueId total = b.i64(0);
  for (ValueId sum : sums) total = b.add(total, sum);
  b.ret(b.trunc(total));
  return module;
}

double cpu_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void measure(unsigned statements, unsigned live) {
  constexpr int kRounds = 15;
  Module module = script(statements, live);
  if (auto checked = check(module); !checked) {
    fmt::print(stderr, "bench/codegen: {}\n", describe(checked.error()));
    std::exit(1);
  }
  std::vector<double> times;
  std::size_t insns = 0;
  for (int i = 0; i < kRounds; ++i) {
    double begin = cpu_milliseconds();
    auto code = bpf::emit(module, {.isa = 4, .stack_bytes = 100'000});
    times.push_back(cpu_milliseconds() - begin);
    if (!code) {
      fmt::print(stderr, "bench/codegen: {}\n", describe(code.error()));
      std::exit(1);
    }
    insns = code->front().insns.size();
  }
  std::ranges::sort(times);
  std::size_t size = module.functions[0].insts.size();
  fmt::print("{:>5} statements, {:>2} values live throughout: {:>6} IR instructions → {:>6} of eBPF in {:>7.3f} ms ({:.0f} ns each)\n",
             statements, live, size, insns, times[kRounds / 2], times[kRounds / 2] * 1e6 / static_cast<double>(size));
}

}  // namespace

int main() {
  for (unsigned statements : {10U, 100U, 1000U})
    for (unsigned live : {0U, 2U, 12U}) measure(statements, live);
}
