// Every operation at every width and instruction set level, on operands that are hard and on random ones.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "ir/builder.hpp"
#include "ir/check.hpp"
#include "ir/text.hpp"
#include "kernel_run.hpp"

namespace espy::ir::bpf {
namespace {

void put(Io& io, std::size_t at, std::uint64_t value) { std::memcpy(io.data() + at, &value, 8); }

constexpr std::uint64_t kHard[] = {0, 1, 2, 7, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
                                   0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffffff9, 0x12345678, 0x123456789abcdef0, 0x80, 0x8000};
constexpr std::int64_t kConstants[] = {0, 1, -1, 3, -7, 64, 255, 0x7fffffff, -0x7fffffff - 1, 0xffffffff, 0x123456789a, -0x123456789a};

/// A program that applies an operation to two inputs, and to inputs and constants, and stores all results.
struct Program {
  Module module;
  Builder b;
  MapId io;
  std::int64_t next = 16;
  Program() : b(start()), io(module.map("io")) {}
  Function& start() {
    module.functions.reserve(4);
    return module[module.add_function("main", kI32, {ptr(Space::ctx)})];
  }
  ValueId input(Type type, std::int64_t at) { return b.load(type, type.bits(), b.map_value(io), at); }
  void output(ValueId value) {
    if (b.function().type_of(value).kind == Kind::i1) value = b.zext(value, 1);
    b.store(b.function().type_of(value).bits(), b.map_value(io), next, value);
    next += 8;
  }
  void compare_runs(unsigned isa, std::span<const Io> inputs) {
    b.ret(b.i32(7));
    auto checked = check(module);
    ASSERT_TRUE(checked) << describe(checked.error());
    auto code = emit(module, {.isa = isa});
    ASSERT_TRUE(code) << describe(code.error());
    for (const Io& in : inputs) {
      auto want = run_interpreted(module, in);
      ASSERT_TRUE(want) << describe(want.error());
      auto have = run_on_kernel(module, *code, in);
      ASSERT_TRUE(have) << describe(have.error()) << listing(*code) << print(module);
      ASSERT_EQ(have->retval, want->retval);
      for (std::size_t at = 0; at < kIoBytes; at += 8) {
        std::uint64_t a = 0, e = 0, x = 0, y = 0;
        std::memcpy(&a, have->io.data() + at, 8);
        std::memcpy(&e, want->io.data() + at, 8);
        std::memcpy(&x, in.data(), 8);
        std::memcpy(&y, in.data() + 8, 8);
        ASSERT_EQ(a, e) << "at " << at << " of " << std::hex << x << " and " << y << " isa v" << isa << "\n" << listing(*code)
                        << print(module);
      }
    }
  }
};

std::vector<Io> hard_inputs(unsigned count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<Io> inputs(count);
  auto one = [&] {
    switch (random() % 4) {
      case 0: return random();
      case 1: return random() >> (random() % 64);
      default: return kHard[random() % std::size(kHard)];
    }
  };
  for (Io& io : inputs) {
    put(io, 0, one());
    put(io, 8, one());
  }
  return inputs;
}

class Operations : public testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
    if (!may_load()) GTEST_SKIP() << "needs CAP_BPF";
    if (!takes_level(GetParam())) GTEST_SKIP() << "needs Linux 6.6: instruction set v4";
  }
};

TEST_P(Operations, BinaryOnInputsAndConstants) {
  for (unsigned op = static_cast<unsigned>(Op::add); op <= static_cast<unsigned>(Op::ashr); ++op)
    for (Type type : {kI32, kI64}) {
      Program p;
      ValueId x = p.input(type, 0), y = p.input(type, 8);
      p.output(p.b.binary(static_cast<Op>(op), x, y));
      p.output(p.b.binary(static_cast<Op>(op), y, x));
      p.output(p.b.binary(static_cast<Op>(op), x, x));
      for (std::int64_t constant : kConstants) {
        p.output(p.b.binary(static_cast<Op>(op), x, p.b.constant(type, constant)));
        p.output(p.b.binary(static_cast<Op>(op), p.b.constant(type, constant), y));
      }
      p.compare_runs(GetParam(), hard_inputs(12, op));
      if (HasFatalFailure()) return;
    }
}

TEST_P(Operations, ComparisonsTakenAndAsNumbers) {
  for (unsigned op = static_cast<unsigned>(Op::eq); op <= static_cast<unsigned>(Op::sge); ++op)
    for (Type type : {kI32, kI64}) {
      Program p;
      ValueId x = p.input(type, 0), y = p.input(type, 8);
      p.output(p.b.compare(static_cast<Op>(op), x, y));
      p.output(p.b.select(p.b.compare(static_cast<Op>(op), x, y), x, y));
      p.output(p.b.select(p.b.compare(static_cast<Op>(op), x, p.b.constant(type, -5)), p.b.i64(1), p.b.i64(-2)));
      p.output(p.b.select(p.b.not_(p.b.compare(static_cast<Op>(op), y, p.b.constant(type, 64))), y, p.b.constant(type, 3)));
      // A register whose upper half is not clear.
      ValueId low = p.b.trunc(p.input(kI64, 0));
      p.output(p.b.compare(static_cast<Op>(op), low, p.b.i32(100)));
      p.output(p.b.compare(static_cast<Op>(op), low, p.b.trunc(p.input(kI64, 8))));
      for (std::int64_t constant : kConstants) p.output(p.b.compare(static_cast<Op>(op), x, p.b.constant(type, constant)));
      ValueId both = p.b.and_(p.b.compare(static_cast<Op>(op), x, y), p.b.compare(Op::ne, y, p.b.constant(type, 1)));
      p.output(p.b.select(both, p.b.i64(11), p.b.i64(22)));
      ValueId either = p.b.or_(p.b.compare(static_cast<Op>(op), x, y), p.b.compare(Op::eq, p.b.and_(x, y), p.b.constant(type, 0)));
      p.output(p.b.select(either, p.b.i64(33), p.b.i64(44)));
      p.compare_runs(GetParam(), hard_inputs(12, op));
      if (HasFatalFailure()) return;
    }
}

TEST_P(Operations, UnaryAndConversions) {
  Program p;
  ValueId x = p.input(kI64, 0), narrow = p.input(kI32, 8), low = p.b.trunc(x);
  for (ValueId v : {x, narrow, low}) {
    p.output(p.b.neg(v));
    p.output(p.b.not_(v));
    for (unsigned width : {16U, 32U, 64U})
      if (width <= p.b.function().type_of(v).bits()) p.output(p.b.bswap(v, width));
    for (unsigned width : {8U, 16U, 32U})
      for (Type type : {kI32, kI64}) {
        if (width == 32 && type == kI32) continue;
        p.output(p.b.zext(v, width, type));
        p.output(p.b.sext(v, width, type));
      }
  }
  for (Type type : {kI32, kI64}) {
    ValueId truth = p.b.compare(Op::slt, x, p.b.i64(100));
    p.output(p.b.zext(truth, 1, type));
    p.output(p.b.sext(truth, 1, type));
    p.output(p.b.zext(p.b.xor_(truth, p.b.compare(Op::eq, narrow, p.b.i32(1))), 1, type));
  }
  p.output(p.b.trunc(p.b.lshr(x, p.b.i64(20))));
  p.output(p.b.zext(p.b.trunc(p.b.lshr(x, p.b.i64(20))), 32));
  p.compare_runs(GetParam(), hard_inputs(16, 1));
}

TEST_P(Operations, LoadsAndStores) {
  Program p;
  SlotId slot = p.b.slot(16);
  p.b.zero(p.b.stack_addr(slot), 16);
  ValueId x = p.input(kI64, 0);
  for (unsigned width : {8U, 16U, 32U, 64U}) {
    p.b.store(width, p.b.stack_addr(slot), 8, x);
    for (Type type : {kI32, kI64}) {
      if (width > type.bits()) continue;
      p.output(p.b.load(type, width, p.b.stack_addr(slot), 8));
      p.output(p.b.load(type, width, p.b.stack_addr(slot), 8, kSigned));
      p.output(p.b.load(type, width, p.b.map_value(p.io), 8, kSigned));
      if (type == kI32) p.output(p.b.sext(p.b.load(type, width, p.b.map_value(p.io), 8, kSigned), 32));
    }
    p.b.store(width, p.b.stack_addr(slot, 8), 0, p.b.i64(-0x123456789));
    p.output(p.b.load(kI64, 64, p.b.stack_addr(slot), 8));
  }
  p.compare_runs(GetParam(), hard_inputs(8, 2));
}

TEST_P(Operations, Atomics) {
  if (!takes_fetching_atomics()) GTEST_SKIP() << "needs Linux 5.12: atomic operations that fetch";
  Program p;
  for (unsigned width : {32U, 64U}) {
    Type type = width == 32 ? kI32 : kI64;
    ValueId x = p.input(type, 0), y = p.input(type, 8);
    for (Op op : {Op::atomic_add, Op::atomic_and, Op::atomic_or, Op::atomic_xor}) {
      p.b.atomic(op, p.b.map_value(p.io, 512), x, width, 8);
      p.output(p.b.atomic_fetch(op, p.b.map_value(p.io), y, width, 512));
      p.b.atomic_fetch(op, p.b.map_value(p.io), p.b.constant(type, 3), width, 512);
    }
    p.output(p.b.atomic_fetch(Op::atomic_xchg, p.b.map_value(p.io), x, width, 520));
    p.output(p.b.cmpxchg(p.b.map_value(p.io), x, y, width, 520));
    p.output(p.b.cmpxchg(p.b.map_value(p.io), x, p.b.constant(type, 77), width, 520));
    p.output(p.b.load(type, width, p.b.map_value(p.io), 520));
  }
  p.compare_runs(GetParam(), hard_inputs(8, 3));
}

TEST_P(Operations, CopiesAndZeroes) {
  for (std::uint32_t size : {1U, 3U, 8U, 15U, 24U, 63U, 200U})
    for (unsigned align : {1U, 4U, 8U}) {
      Program p;
      SlotId slot = p.b.slot(208);
      p.b.zero(p.b.stack_addr(slot), 208);
      p.b.copy(p.b.stack_addr(slot), p.b.map_value(p.io), size, align);
      p.b.copy(p.b.map_value(p.io, 512), p.b.stack_addr(slot), 208);
      p.b.zero(p.b.map_value(p.io), size / 2, align);
      Io input{};
      for (std::size_t i = 0; i < 512; ++i) input[i] = std::byte(i * 7 + 1);
      p.compare_runs(GetParam(), std::span(&input, 1));
      if (HasFatalFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(Isa, Operations, testing::Values(1U, 2U, 3U, 4U), [](const auto& info) { return "v" + std::to_string(info.param); });

}  // namespace
}  // namespace espy::ir::bpf
