#include <gtest/gtest.h>

#include "object/asm.hpp"
#include "vm/test_run.hpp"

namespace espy::vm {
namespace {

Result<std::unique_ptr<Object>> load(std::string_view text) {
  return Object::load(TRY(object::link(TRY(object::assemble_object(text, "test")), object::Target{})));
}

std::string refusal(std::string_view text) {
  auto object = load(text);
  return object ? "" : describe(object.error());
}

TEST(Context, PointersAreReadWhole) {
  auto object = load(R"(
.section xdp
.func length
  r2 = *(u32 *)(r1 +4)
  r3 = *(u32 *)(r1 +0)
  r2 -= r3
  r0 = r2
  exit
)");
  ASSERT_TRUE(object) << describe(object.error());
  TestRun run;
  run.data_in.resize(77);
  auto result = test_run((*object)->programs()[0], run);
  ASSERT_TRUE(result) << describe(result.error());
  EXPECT_EQ(result->retval, 77U);
}

TEST(Context, WhatIsNoFieldIsNamed) {
  EXPECT_NE(refusal(".section xdp\n.func f\n r0 = *(u32 *)(r1 +24)\n exit\n").find("no field"), std::string::npos);
  EXPECT_NE(refusal(".section xdp\n.func f\n r0 = *(u16 *)(r1 +0)\n exit\n").find("read whole"), std::string::npos);
  EXPECT_NE(refusal(".section xdp\n.func f\n *(u32 *)(r1 +12) = 1\n r0 = 0\n exit\n").find("cannot write `ingress_ifindex`"), std::string::npos);
  EXPECT_NE(refusal(".section socket\n.func f\n r0 = *(u32 *)(r1 +76)\n exit\n").find("cannot use `data`"), std::string::npos);
  EXPECT_NE(refusal(".section tc\n.func f\n r2 = 1\n lock *(u32 *)(r1 +8) += r2\n r0 = 0\n exit\n").find("atomic"), std::string::npos);
}

TEST(Context, AnAccessThatCannotBeToldIsRefused) {
  std::string why = refusal(R"(
.section tc
.func f
  r2 = *(u32 *)(r1 +0)
  if r2 == 0 goto other
  goto both
other:
  r1 = r10
  r1 += -16
both:
  r0 = *(u32 *)(r1 +0)
  exit
)");
  EXPECT_NE(why.find("r1 may be the context or something else"), std::string::npos) << why;
  EXPECT_NE(why.find("instruction 5"), std::string::npos) << why;
  EXPECT_NE(refusal(".section tc\n.func f\n r2 = 4\n r1 += r2\n r0 = *(u32 *)(r1 +0)\n exit\n").find("may be the context"), std::string::npos);
}

TEST(Context, ShortOrImpossibleInputIsRefused) {
  auto object = load(".section xdp\n.func f\n r0 = 2\n exit\n");
  ASSERT_TRUE(object) << describe(object.error());
  const Program& program = (*object)->programs()[0];
  TestRun run;
  run.data_in.resize(13);
  EXPECT_FALSE(test_run(program, run));
  run.data_in.resize(std::size_t{2} << 20);
  EXPECT_FALSE(test_run(program, run));
  run.data_in.resize(64);
  run.ctx_in.resize(24);
  EXPECT_FALSE(test_run(program, run));          // it says that the packet ends at 0
  run.ctx_in[4] = std::byte{64};
  EXPECT_TRUE(test_run(program, run));
  run.ctx_in.resize(2000, std::byte{1});
  EXPECT_FALSE(test_run(program, run));
}

TEST(Context, APacketsEndIsTheEnd) {
  auto object = load(R"(
.section xdp
.func f
  r2 = *(u32 *)(r1 +4)
  r0 = *(u8 *)(r2 +0)
  exit
)");
  ASSERT_TRUE(object) << describe(object.error());
  TestRun run;
  run.data_in.resize(64);
  auto result = test_run((*object)->programs()[0], run);
  ASSERT_FALSE(result);
  EXPECT_NE(describe(result.error()).find("0 bytes behind the end of the packet"), std::string::npos) << describe(result.error());
}

}  // namespace
}  // namespace espy::vm
