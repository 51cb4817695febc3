// How the code compares with clang's: no more instructions for small functions than it makes of the same at -O2 -mcpu=v3,
// one in twenty aside, in sum.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ir/check.hpp"
#include "ir/text.hpp"
#include "kernel_run.hpp"
#include "object/read.hpp"

namespace espy::ir::bpf {
namespace {

TEST(Near, AboutAsManyInstructionsAsClang) {
  std::ifstream file(ESPY_SOURCE_DIR "/tests/engine-codegen/near.ir");
  std::stringstream text;
  text << file.rdbuf();
  auto module = parse(text.str(), "near.ir");
  ASSERT_TRUE(module) << describe(module.error());
  auto checked = check(*module);
  ASSERT_TRUE(checked) << describe(checked.error());
  auto code = emit(*module, {.isa = 3});
  ASSERT_TRUE(code) << describe(code.error());
  auto object = object::read(ESPY_BINARY_DIR "/tests/engine-codegen/near.bpf.o");
  ASSERT_TRUE(object) << describe(object.error());
  std::size_t ours = 0, theirs = 0;
  for (const Code& function : *code)
    for (const object::ProgramSpec& program : object->programs) {
      if (program.name != function.name) continue;
      std::printf("%-16s %3zu instructions, clang %3zu\n", function.name.c_str(), function.insns.size(), program.code.insns.size());
      ours += function.insns.size();
      theirs += program.code.insns.size();
      EXPECT_LE(function.insns.size(), program.code.insns.size() + 3) << listing(std::span(&function, 1));
    }
  EXPECT_GT(theirs, 100U);
  EXPECT_LE(ours * 20, theirs * 21);
}

}  // namespace
}  // namespace espy::ir::bpf
