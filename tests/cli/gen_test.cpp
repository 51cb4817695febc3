// `espy gen vmlinux`: a C header of the kernel's types.
#include <gtest/gtest.h>

#include "command.hpp"

namespace espy::test {
namespace {

bool compiles(const std::string& source) {
  Outcome outcome = command({"clang-19", "-target", "bpf", "-O2", "-g", "-Wall", "-Werror", "-c", source, "-o", source + ".o"});
  EXPECT_EQ(outcome.status, 0) << outcome.err.substr(0, 4000);
  return outcome.status == 0;
}

TEST(Gen, TheKernelsHeaderCompilesAndServesCore) {
  Folder folder;
  Outcome outcome = espy({"gen", "vmlinux"});
  if (outcome.err.find("/sys/kernel/btf/vmlinux") != std::string::npos) GTEST_SKIP() << "CONFIG_DEBUG_INFO_BTF: " << outcome.err;
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  write(folder.path("vmlinux.h"), outcome.out);
  write(folder.path("use.c"), "#include \"vmlinux.h\"\n"
                              "__attribute__((section(\"tp_btf/sched_switch\"))) int use(unsigned long long *ctx)\n"
                              "{ struct task_struct *task = (void *)ctx[1]; return task->pid; }\n"
                              "char LICENSE[] __attribute__((section(\"license\"))) = \"GPL\";\n");
  ASSERT_TRUE(compiles(folder.path("use.c")));
  Outcome shown = espy({"show", folder.path("use.c.o")});
  EXPECT_NE(shown.out.find("struct task_struct.pid"), std::string::npos) << shown.out;
}

TEST(Gen, AFilesTypesBecomeAHeader) {
  Folder folder;
  Outcome outcome = espy({"gen", "vmlinux", "--btf", object("kinds.bpf.o")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("enum colour {"), std::string::npos);
  write(folder.path("kinds.h"), outcome.out);
  write(folder.path("use.c"), "#include \"kinds.h\"\n_Static_assert(sizeof(struct record) == 40, \"\");\nenum colour c = BLUE;\n");
  EXPECT_TRUE(compiles(folder.path("use.c")));
}

TEST(Gen, WhatCannotBeGeneratedIsSaid) {
  EXPECT_EQ(espy({"gen", "skeleton"}).status, 1);
  Outcome missing = espy({"gen", "vmlinux", "--btf", "/nowhere"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.err.find("/nowhere"), std::string::npos) << missing.err;
  EXPECT_TRUE(missing.out.empty());
}

}  // namespace
}  // namespace espy::test
