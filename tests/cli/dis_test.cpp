// `espy dis` and `espy asm`: instructions out of an object, and into one.
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

#include "command.hpp"

namespace espy::test {
namespace {

std::string hex_line(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx\n", static_cast<unsigned long long>(value));
  return text;
}

// What libbpf gives the kernel for one program, in the form of `dis --raw`: map descriptors are zero.
std::string by_libbpf(const std::string& path, const std::string& program) {
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
  std::unique_ptr<bpf_object, decltype(&bpf_object__close)> object(bpf_object__open_file(path.c_str(), nullptr), bpf_object__close);
  if (!object || bpf_object__load(object.get()) != 0) return "libbpf cannot load it";
  const bpf_program* found = bpf_object__find_program_by_name(object.get(), program.c_str());
  std::string text;
  for (std::size_t i = 0; i < bpf_program__insn_cnt(found); ++i) {
    bpf_insn insn = bpf_program__insns(found)[i];
    if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && (insn.src_reg == BPF_PSEUDO_MAP_FD || insn.src_reg == BPF_PSEUDO_MAP_VALUE)) insn.imm = 0;
    std::uint64_t value = 0;
    std::memcpy(&value, &insn, sizeof value);
    text += hex_line(value);
  }
  return text;
}

TEST(Dis, RawIsTheValueOfEachSlotInHexadecimal) {
  Outcome outcome = espy({"dis", object("kinds.bpf.o"), "--prog", "answer", "--raw"});
  // w0 = 42 is b4 00 00 00 2a 00 00 00 in the file, exit is 95 and seven zeroes.
  EXPECT_EQ(outcome.out, "0000002a000000b4\n0000000000000095\n");
}

TEST(Dis, RawOfAllProgramsFollowsTheFile) {
  std::string all = espy({"dis", object("kinds.bpf.o"), "--raw"}).out;
  EXPECT_EQ(all, espy({"dis", object("kinds.bpf.o"), "--raw", "--prog", "on_enter"}).out +
                     espy({"dis", object("kinds.bpf.o"), "--raw", "--prog", "answer"}).out);
}

TEST(Dis, RawLinkedIsWhatLibbpfLoads) {
  if (!privileged()) GTEST_SKIP() << "libbpf loads as root only (CAP_BPF, CAP_PERFMON)";
  const std::string path = example("runqlat.bpf.o");  // maps, constants, CO-RE
  std::set<std::string> programs;
  for (const std::string& line : lines(espy({"dis", path, "--linked"}).out))
    if (line.starts_with(".func ")) programs.insert(line.substr(6));
  ASSERT_FALSE(programs.empty());
  for (const std::string& program : programs)
    EXPECT_EQ(espy({"dis", path, "--raw", "--linked", "--prog", program}).out, by_libbpf(path, program)) << program;
}

TEST(Dis, LinkedTakesTypesFromAFile) {
  Outcome running = espy({"dis", example("opens.bpf.o"), "--linked", "--raw"});
  ASSERT_EQ(running.status, 0) << running.err;
  EXPECT_EQ(espy({"dis", example("opens.bpf.o"), "--linked", "--raw", "--btf", "/sys/kernel/btf/vmlinux"}).out, running.out);
  // An object's own BTF lacks what is relocated: the instruction is poisoned, and says so when it is looked at.
  Outcome none = espy({"dis", example("opens.bpf.o"), "--linked", "--btf", "/nowhere"});
  EXPECT_EQ(none.status, 1);
  EXPECT_NE(none.err.find("/nowhere"), std::string::npos) << none.err;
}

TEST(Dis, TextHasSourceLinesLabelsMapsAndHelpers) {
  Outcome outcome = espy({"dis", object("kinds.bpf.o"), "--prog", "on_enter"});
  for (const char* part : {".section", ".func on_enter", "; record = bpf_ringbuf_reserve(&ring", "@ kinds.bpf.c:", "map[ring]", "call bpf_ringbuf_reserve#131", "<L"}) {
    EXPECT_NE(outcome.out.find(part), std::string::npos) << part << " in\n" << outcome.out;
  }
  Outcome bare = espy({"dis", object("kinds.bpf.o"), "--prog", "on_enter", "--no-source"});
  EXPECT_EQ(bare.out.find("@ kinds.bpf.c:"), std::string::npos) << bare.out;
}

TEST(Dis, ASettingIsSeenInTheData) {
  Outcome outcome = espy({"dis", object("kinds.bpf.o"), "--set", "target=4242"});
  Outcome other = espy({"dis", object("kinds.bpf.o")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out, other.out);
}

TEST(Dis, AnUnknownProgramIsAnErrorThatListsThem) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--raw"}, {"--linked"}}) {
    std::vector<std::string> words{"dis", object("kinds.bpf.o"), "--prog", "nope"};
    words.insert(words.end(), more.begin(), more.end());
    Outcome outcome = espy(words);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.err.find("answer"), std::string::npos) << outcome.err;
  }
}

TEST(Dis, AnUndeclaredNameConcernsOnlyTheProgramThatUsesIt) {
  Outcome listing = espy({"dis", object("undeclared.bpf.o")});
  EXPECT_EQ(listing.status, 0) << listing.err;
  EXPECT_NE(listing.out.find(".extern MY_CONST undeclared"), std::string::npos) << listing.out;
  EXPECT_NE(listing.err.find("`MY_CONST` is not defined here"), std::string::npos) << listing.err;
  EXPECT_NE(espy({"show", object("undeclared.bpf.o")}).out.find("undeclared"), std::string::npos);
  EXPECT_EQ(espy({"dis", object("undeclared.bpf.o"), "--linked", "--prog", "uses_nothing"}).status, 0);
  Outcome linked = espy({"dis", object("undeclared.bpf.o"), "--linked", "--prog", "uses_constant"});
  EXPECT_EQ(linked.status, 1);
  EXPECT_NE(linked.err.find("`MY_CONST` is not defined in the object"), std::string::npos) << linked.err;
}

TEST(Asm, WhatDisPrintsIsAssembledToTheSameInstructions) {
  Folder folder;
  for (const std::string& path : {object("kinds.bpf.o"), object("stacks.bpf.o"), object("options.bpf.o"), example("opens.bpf.o"), example("runqlat.bpf.o")}) {
    write(folder.path("a.s"), espy({"dis", path}).out);
    Outcome made = espy({"asm", folder.path("a.s"), "-o", folder.path("a.o")});
    ASSERT_EQ(made.status, 0) << path << made.err;
    EXPECT_EQ(espy({"dis", folder.path("a.o"), "--raw"}).out, espy({"dis", path, "--raw"}).out) << path;
    if (!path.starts_with(ESPY_BINARY_DIR "/tests")) continue;  // the examples' CO-RE relocations are not part of assembly
    const std::vector<std::string> linked{"--raw", "--linked", "--prog", path.find("options") != path.npos ? "swap_addresses" : "on_enter"};
    std::vector<std::string> ours{"dis", folder.path("a.o")}, theirs{"dis", path};
    ours.insert(ours.end(), linked.begin(), linked.end());
    theirs.insert(theirs.end(), linked.begin(), linked.end());
    EXPECT_EQ(espy(ours).out, espy(theirs).out) << path;
  }
}

TEST(Asm, TheOutputIsNamedAfterTheInput) {
  Folder folder;
  write(folder.path("two.s"), ".section socket\n.func two\nr0 = 2\nexit\n");
  ASSERT_EQ(espy({"asm", folder.path("two.s")}).status, 0);
  EXPECT_EQ(espy({"dis", folder.path("two.o"), "--raw"}).out, "00000002000000b7\n0000000000000095\n");
  if (privileged()) {
    EXPECT_NE(espy({"test-run", folder.path("two.o")}).out.find("returned 2"), std::string::npos);
  }
}

TEST(Asm, StandardInputIsReadAndNeedsAName) {
  Folder folder;
  write(folder.path("two.s"), ".section socket\n.func two\nr0 = 2\nexit\n");
  std::string program = ESPY_BINARY_DIR "/espy";
  Outcome outcome = command({"sh", "-c", "cat " + folder.path("two.s") + " | " + program + " asm - -o " + folder.path("out.o")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(espy({"show", folder.path("out.o")}).status, 0);
  Outcome unnamed = command({"sh", "-c", "true | " + program + " asm -"});
  EXPECT_EQ(unnamed.status, 1);
  EXPECT_NE(unnamed.err.find("-o OBJ.o"), std::string::npos) << unnamed.err;
}

TEST(Asm, AnErrorShowsThePlace) {
  Folder folder;
  write(folder.path("bad.s"), ".section socket\n.func f\nr0 = 2\nr0 + = 3\nexit\n");
  Outcome outcome = espy({"asm", folder.path("bad.s")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("bad.s:4:"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("r0 + = 3"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace espy::test
