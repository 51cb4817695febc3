// What kernel verifiers must be able to follow though values live on the stack in between, and go through loops.
#include <gtest/gtest.h>

#include <cstring>

#include "ir/builder.hpp"
#include "ir/check.hpp"
#include "ir/text.hpp"
#include "kernel_run.hpp"

namespace espy::ir::bpf {
namespace {

/// Runs a module at every level, on one input, against the interpreter.
void agree(const Module& module, const Io& input = {}) {
  if (!may_load()) GTEST_SKIP() << "needs CAP_BPF";
  auto checked = check(module);
  ASSERT_TRUE(checked) << describe(checked.error());
  auto want = run_interpreted(module, input);
  ASSERT_TRUE(want) << describe(want.error());
  for (unsigned isa : {1U, 2U, 3U, 4U}) {
    if (!takes_level(isa)) continue;
    auto have = run_on_kernel(module, Options{.isa = isa}, input);
    ASSERT_TRUE(have) << "v" << isa << "\n" << describe(have.error()).substr(0, 8000);
    EXPECT_TRUE(*have == *want) << "v" << isa << ": " << have->retval << ", not " << want->retval;
  }
}

Io numbers() {
  Io input{};
  for (std::uint64_t i = 0; i < kIoBytes / 8; ++i) {
    std::uint64_t value = i * 0x123456789 + 7;
    std::memcpy(input.data() + i * 8, &value, 8);
  }
  return input;
}

struct Program {
  Module module;
  MapId io;
  Builder b;
  Program() : io(reserve()), b(module[module.add_function("main", kI32, {ptr(Space::ctx)})]) {}
  MapId reserve() {
    module.functions.reserve(4);
    return module.map("io");
  }
};

/// Pointers into the map's value that lookups gave, as many as there are registers and more.
TEST(Verifier, CheckedPointersSurviveOnTheStack) {
  for (bool checks_first : {true, false}) {
    Module module;
    MapId io = module.map("io");
    Builder b(module[module.add_function("main", kI32, {ptr(Space::ctx)})]);
    SlotId key = b.slot(4);
    b.store(32, b.stack_addr(key), 0, b.i32(0));
    BlockId none = b.cold_block();
    std::vector<ValueId> pointers;
    auto test = [&](ValueId pointer) {
      BlockId found = b.block();
      b.branch(b.ne(pointer, b.null(Space::map_value)), found, none);
      b.at(found);
    };
    for (int i = 0; i < 8; ++i) {
      pointers.push_back(b.helper(1, ptr(Space::map_value), {b.map(io), b.stack_addr(key)}, kReadsOnly));
      if (checks_first) test(pointers.back());
    }
    if (!checks_first)
      for (ValueId pointer : pointers) test(pointer);
    b.helper(5, kI64, {});
    ValueId sum = b.i64(0);
    for (std::size_t i = 0; i < pointers.size(); ++i) sum = b.add(sum, b.load(kI64, 64, pointers[i], static_cast<std::int64_t>(i * 8)));
    for (std::size_t i = 0; i < pointers.size(); ++i) b.store(64, pointers[i], static_cast<std::int64_t>(512 + i * 8), sum);
    b.ret(b.trunc(sum));
    b.at(none);
    b.ret(b.i32(1));
    if (!may_load()) GTEST_SKIP() << "needs CAP_BPF";
    ASSERT_TRUE(check(module));
    std::uint64_t expected = 0;
    for (std::uint64_t i = 0; i < 8; ++i) expected += i * 0x123456789 + 7;
    for (unsigned isa : {1U, 3U}) {
      auto code = emit(module, {.isa = isa});
      ASSERT_TRUE(code) << describe(code.error());
      EXPECT_GT(code->front().stack_bytes, 8U) << "nothing is spilled: the test tests nothing";
      auto have = run_on_kernel(module, *code, numbers());
      ASSERT_TRUE(have) << describe(have.error()).substr(0, 8000) << listing(*code);
      EXPECT_EQ(have->retval, static_cast<std::uint32_t>(expected));
    }
  }
}

TEST(Verifier, IndexesThatWereCheckedAgainstTheirBound) {
  Program p;
  ValueId io = p.b.map_value(p.io);
  std::vector<ValueId> indexes;
  BlockId out = p.b.cold_block();
  for (int i = 0; i < 6; ++i) {
    ValueId index = p.b.and_(p.b.load(kI64, 64, io, i * 8), p.b.i64(255));
    BlockId fits = p.b.block();
    p.b.branch(p.b.compare(Op::ult, index, p.b.i64(100)), fits, out);
    p.b.at(fits);
    indexes.push_back(index);
  }
  ValueId sum = p.b.i64(0);
  for (ValueId index : indexes) sum = p.b.add(sum, p.b.load(kI64, 64, p.b.ptr_add(io, p.b.shl(index, p.b.i64(3)))));
  p.b.ret(p.b.trunc(sum));
  p.b.at(out);
  p.b.ret(p.b.i32(9));
  Io input = numbers();
  for (std::uint64_t i = 0; i < 6; ++i) {
    std::uint64_t value = 5 + i * 13 + (i << 20);
    std::memcpy(input.data() + i * 8, &value, 8);
  }
  agree(p.module, input);
}

TEST(Verifier, MoreLiveValuesThanRegistersAcrossCallsInALoop) {
  Program p;
  ValueId io = p.b.map_value(p.io);
  std::vector<ValueId> live;
  for (int i = 0; i < 24; ++i) live.push_back(p.b.load(kI64, 64, io, i * 8));
  BlockId head = p.b.block({kI64, kI64}), turn = p.b.block(), done = p.b.block();
  p.b.jump(head, {p.b.i64(0), p.b.i64(1)});
  p.b.at(head);
  ValueId i = p.b.param_of(head, 0), sum = p.b.param_of(head, 1);
  p.b.branch(p.b.compare(Op::ult, i, p.b.i64(5)), turn, done);
  p.b.at(turn);
  p.b.helper(5, kI64, {});
  ValueId next = sum;
  for (ValueId value : live) next = p.b.xor_(p.b.mul(next, p.b.i64(31)), value);
  p.b.jump(head, {p.b.add(i, p.b.i64(1)), next});
  p.b.at(done);
  for (std::size_t at = 0; at < live.size(); ++at) p.b.store(64, io, static_cast<std::int64_t>(512 + at * 8), live[at]);
  p.b.ret(p.b.trunc(sum));
  agree(p.module, numbers());
}

TEST(Verifier, SwitchesOfEverySizeAndSign) {
  for (int cases = 1; cases <= 40; cases += 3)
    for (bool negative : {false, true})
      for (Type type : {kI32, kI64}) {
        Program p;
        ValueId io = p.b.map_value(p.io);
        BlockId join = p.b.block({kI64}), otherwise = p.b.block();
        ValueId x = p.b.load(type, type.bits(), io);
        std::vector<Builder::Case> list;
        for (int i = 0; i < cases; ++i) list.push_back({i * 7 % 41 - (negative ? 20 : 0), p.b.block()});
        p.b.switch_(x, list, otherwise);
        for (const Builder::Case& one : list) {
          p.b.at(one.to);
          p.b.jump(join, {p.b.i64(one.value * 3 + 1)});
        }
        p.b.at(otherwise);
        p.b.jump(join, {p.b.i64(-7)});
        p.b.at(join);
        p.b.ret(p.b.trunc(p.b.param_of(join, 0)));
        for (std::int64_t value : {0, 7, -20, -6, 35, 100, -1}) {
          Io input{};
          std::memcpy(input.data(), &value, type.bits() / 8);
          agree(p.module, input);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
}

TEST(Verifier, LargeCopiesGoInLoops) {
  for (std::uint32_t size : {1016U, 900U}) {
    Program p;
    ValueId io = p.b.map_value(p.io);
    SlotId slot = p.b.slot(400);
    p.b.zero(p.b.stack_addr(slot), 400, 1);
    p.b.copy(p.b.stack_addr(slot), io, 397, 1);
    p.b.copy(io, p.b.stack_addr(slot, 8), 300, 2);
    p.b.zero(p.b.map_value(p.io, 1), size, 1);
    p.b.copy(p.b.map_value(p.io, 600), p.b.stack_addr(slot), 400, 8);
    p.b.ret(p.b.i32(3));
    agree(p.module, numbers());
  }
}

TEST(Verifier, CallbacksChangeWhatTheyAreGiven) {
  if (!may_load() || !takes_callbacks()) GTEST_SKIP() << "needs Linux 5.17: bpf_loop";
  Program p;
  FuncId turn = p.module.add_function("turn", kI64, {kI64, ptr(Space::stack)}, Role::callback);
  Builder c(p.module[turn]);
  ValueId had = c.load(kI64, 64, c.param(1));
  c.store(64, c.param(1), 0, c.add(c.mul(had, c.i64(3)), c.param(0)));
  c.ret(c.zext(c.compare(Op::ugt, had, c.i64(1000)), 1));
  SlotId slot = p.b.slot(8);
  ValueId first = p.b.load(kI64, 64, p.b.map_value(p.io));
  p.b.store(64, p.b.stack_addr(slot), 0, first);
  ValueId turns = p.b.helper(181, kI64, {p.b.i64(50), p.b.func_addr(turn), p.b.stack_addr(slot), p.b.i64(0)});
  p.b.store(64, p.b.map_value(p.io), 8, turns);
  p.b.store(64, p.b.map_value(p.io), 16, first);
  p.b.ret(p.b.trunc(p.b.load(kI64, 64, p.b.stack_addr(slot))));
  agree(p.module, numbers());
}

}  // namespace
}  // namespace espy::ir::bpf
