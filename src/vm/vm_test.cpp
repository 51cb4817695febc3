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

}  // namespace
}  // namespace espy::vm
