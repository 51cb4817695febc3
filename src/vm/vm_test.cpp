#include <gtest/gtest.h>

#include "object/asm.hpp"
#include "object/target.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

std::unique_ptr<Object> load(std::string_view text) {
  auto spec = object::assemble_object(text, "test");
  EXPECT_TRUE(spec) << describe(spec.error());
  auto linked = object::link(std::move(*spec), object::Target{});
  EXPECT_TRUE(linked) << describe(linked.error());
  auto object = Object::load(std::move(*linked));
  EXPECT_TRUE(object) << describe(object.error());
  return std::move(*object);
}

TEST(Vm, ArithmeticAndJumps) {
  auto object = load(R"(
.section socket
.func sum
  r0 = 0
  r1 = 10
again:
  r0 += r1
  r1 -= 1
  if r1 != 0 goto again
  exit
)");
  auto result = object->programs()[0].run({});
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(result->value, 55U);
}

TEST(Vm, AWriteBehindTheStackIsAFault) {
  auto object = load(R"(
.section socket
.func bad
  *(u64 *)(r10 + 8) = 1
  r0 = 0
  exit
)");
  auto result = object->programs()[0].run({});
  ASSERT_FALSE(result);
  EXPECT_NE(describe(result.error()).find("behind the end of the stack"), std::string::npos) << describe(result.error());
}

TEST(Vm, ABudgetBoundsCallbacksToo) {
  auto object = load(R"(
.section kprobe/x
.func many
  r1 = 0x100000
  r2 = subprog[turn] ll
  r3 = 0
  r4 = 0
  call 181
  r0 = 0
  exit
.section .text
.func turn
  r0 = 0
  r0 += 1
  r0 -= 1
  exit
)");
  RunInput input{.budget = 1000};
  auto result = object->programs()[0].run(input);
  ASSERT_FALSE(result);
  EXPECT_NE(describe(result.error()).find("budget"), std::string::npos) << describe(result.error());
}

TEST(Vm, HelpersOnPacketsNeedOne) {
  auto spec = object::assemble_object(".section kprobe/x\n.func f\n r2 = 0\n call 44\n exit\n", "test");
  ASSERT_TRUE(spec) << describe(spec.error());
  auto linked = object::link(std::move(*spec), object::Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  auto object = Object::load(std::move(*linked));
  ASSERT_FALSE(object);
  EXPECT_NE(describe(object.error()).find("no packet"), std::string::npos) << describe(object.error());
  EXPECT_FALSE(load(".section xdp\n.func f\n r2 = 0\n call 44\n exit\n")->programs()[0].run({}));
}

}  // namespace
}  // namespace espy::vm
