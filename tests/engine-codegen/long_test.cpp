// Functions in which jumps do not reach.
#include <gtest/gtest.h>

#include <cstring>

#include "ir/builder.hpp"
#include "kernel_run.hpp"

namespace espy::ir::bpf {
namespace {

/// A loop of three turns around `size` statements, each with a way to the far end.
Module far_jumps(int size) {
  Module module;
  MapId io = module.map("io");
  Builder b(module[module.add_function("main", kI32, {ptr(Space::ctx)})]);
  BlockId head = b.block({kI64}), next_turn = b.block(), error = b.cold_block({kI32}), done = b.block();
  b.jump(head, {b.i64(0)});
  b.at(head);
  ValueId turn = b.param_of(head, 0);
  for (int i = 0; i < size; ++i) {
    BlockId next = b.block();
    ValueId x = b.load(kI64, 64, b.map_value(io), i % 64 * 8);
    b.branch(b.eq(x, b.i64(i + 5)), error, {b.i32(i)}, next, {});
    b.at(next);
    b.store(64, b.map_value(io), i % 64 * 8, b.add(x, b.i64(1)));
  }
  b.jump(next_turn);
  b.at(next_turn);
  ValueId more = b.add(turn, b.i64(1));
  b.branch(b.compare(Op::ult, more, b.i64(3)), head, {more}, done, {});
  b.at(done);
  b.ret(b.i32(77777));
  b.at(error);
  b.ret(b.param_of(error, 0));
  // The far end is last, and the loop's last block stands there too.
  auto& order = b.function().order;
  for (BlockId last : {next_turn, done}) {
    std::erase(order, last);
    order.push_back(last);
  }
  return module;
}

TEST(Long, JumpsReachTheFarEndAndBack) {
  if (!may_load()) GTEST_SKIP() << "needs CAP_BPF";
  Module module = far_jumps(8'000);
  for (bool fails : {false, true}) {
    Io input{};
    for (std::size_t i = 0; i < 64; ++i) {
      std::int64_t value = -100'000;
      std::memcpy(input.data() + i * 8, &value, 8);
    }
    if (fails) {   // statement 7'990 finds what ends the program, in the third turn
      std::int64_t value = 7'990 + 5 - (124 + 2 * 125);
      std::memcpy(input.data() + 7'990 % 64 * 8, &value, 8);
    }
    auto want = run_interpreted(module, input);
    ASSERT_TRUE(want) << describe(want.error());
    for (unsigned isa : {1U, 4U}) {
      auto code = emit(module, {.isa = isa});
      ASSERT_TRUE(code) << describe(code.error());
      EXPECT_GT(code->front().insns.size(), 33'000U);
      auto have = run_on_kernel(module, *code, input);
      ASSERT_TRUE(have) << "v" << isa << describe(have.error()).substr(0, 2000);
      EXPECT_TRUE(*have == *want) << have->retval << ", not " << want->retval;
    }
  }
}

}  // namespace
}  // namespace espy::ir::bpf
