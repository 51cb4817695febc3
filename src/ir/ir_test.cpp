#include "ir/ir.hpp"

#include <gtest/gtest.h>

#include "ir/builder.hpp"

namespace espy::ir {
namespace {

TEST(Builder, LookupWithNullCheck) {
  Module module;
  FuncId id = module.add_function("count", kI32, {ptr(Space::ctx)});
  Builder b(module[id]);
  Function& f = b.function();
  b.mark = Mark{3};
  SlotId key = b.slot(4, 4);
  b.store(32, b.stack_addr(key), 0, b.i32(7));
  ValueId value = b.helper(1, ptr(Space::map_value), {b.map(module.map("counts")), b.stack_addr(key)}, kReadsOnly);
  BlockId found = b.block(), done = b.cold_block();
  b.branch(b.ne(value, b.null(Space::map_value)), found, done);
  b.at(found);
  b.atomic(Op::atomic_add, value, b.i64(1), 64, 8);
  b.jump(done);
  b.at(done);
  EXPECT_FALSE(b.terminated());
  b.ret(b.i32(0));
  EXPECT_TRUE(b.terminated());

  ASSERT_EQ(f.order.size(), 3U);
  EXPECT_EQ(f.successors(f.entry())[0].to, found);
  EXPECT_EQ(f.operand(value, 1), f.stack_addr(key));
  EXPECT_EQ(f[value].mark, Mark{3});
  EXPECT_EQ(f[done].cold, true);
}

TEST(Function, EqualLeavesAreOneValue) {
  Module module;
  Function& f = module[module.add_function("f", kI32, {})];
  std::vector<ValueId> first, second;
  for (int i = 0; i < 1000; ++i) first.push_back(f.constant(kI64, i));
  for (int i = 0; i < 1000; ++i) second.push_back(f.constant(kI64, i));
  EXPECT_EQ(first, second);
  EXPECT_NE(f.constant(kI32, 5), f.constant(kI64, 5));
  EXPECT_EQ(f.constant(kI32, 0xffffffff), f.constant(kI32, -1));
  EXPECT_NE(f.stack_addr(SlotId{0}, 8), f.stack_addr(SlotId{1}, 8));
}

TEST(Function, ManyOperandsAndArguments) {
  Module module;
  Function& f = module[module.add_function("f", kI64, {kI64})];
  Builder b(f);
  std::vector<ValueId> five;
  for (int i = 0; i < 5; ++i) five.push_back(b.i64(i));
  ValueId called = b.helper(6, kI64, five);
  EXPECT_TRUE(std::ranges::equal(f.operands(called), five));
  Edge edge = f.make_edge(f.entry(), f.operands(called));   // from the pool into the pool
  EXPECT_TRUE(std::ranges::equal(f.arguments(edge), five));
}

}  // namespace
}  // namespace espy::ir
