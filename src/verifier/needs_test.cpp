#include "verifier/needs.hpp"

#include <gtest/gtest.h>

#include "object/asm.hpp"

namespace espy::verifier {
namespace {

TEST(Needs, NamesAndVersions) {
  const Need helper{.kind = NeedKind::helper, .name = "bpf_loop", .since = facts::KernelVersion{5, 17}, .what = "for programs of type xdp"};
  EXPECT_EQ(describe(helper), "the helper bpf_loop for programs of type xdp (Linux 5.17)");
  const Need unknown{.kind = NeedKind::kfunc, .name = "bpf_nothing"};
  EXPECT_EQ(describe(unknown), "the kernel function bpf_nothing");
  EXPECT_EQ(lacking({helper, unknown}, {5, 16}), std::vector{helper});
  EXPECT_TRUE(lacking({helper, unknown}, {5, 17}).empty());
}

std::vector<std::string> names_of(const std::vector<Need>& needs) {
  std::vector<std::string> names;
  for (const Need& need : needs) names.push_back(need.name);
  return names;
}

TEST(Needs, AreFoundInCodeMapsAndTypes) {
  isa::Insn helper{.opcode = isa::kOpCall, .imm = 181};  // bpf_loop
  isa::Insn exit{.opcode = isa::kOpExit};
  isa::Insn jmp32{.opcode = 0x16, .dst = 1, .off = 0, .imm = 3};
  object::ObjectSpec object;
  object.maps.push_back({.name = "events", .type = facts::MapType::ringbuf});
  object.programs.push_back({.name = "p", .code = {.name = "p", .insns = {jmp32, helper, exit}}, .type = facts::ProgType::xdp,
                             .attach_type = facts::AttachType::xdp_devmap, .flags = {.xdp_frags = true}});
  const auto needs = needs_of(object, object.programs[0]);
  const auto names = names_of(needs);
  for (const char* name : {"xdp", "xdp_devmap", "ringbuf", "instruction set v3", "bpf_loop"})
    EXPECT_NE(std::ranges::find(names, name), names.end()) << name;
  EXPECT_EQ(names_of(lacking(needs, {5, 17})), std::vector<std::string>{"XDP programs for packets of several buffers"});
  object.maps[0].autocreate = false;
  EXPECT_EQ(std::ranges::count(names_of(needs_of(object, object.programs[0])), "ringbuf"), 0);
}

TEST(Needs, HostileCodeIsWalkedToItsEnd) {
  object::ObjectSpec object;
  object.programs.push_back({.name = "p", .code = {.insns = {{.opcode = 0xff}, {.opcode = isa::kOpLdImm64}}}});
  EXPECT_FALSE(needs_of(object, object.programs[0]).empty());
}

}  // namespace
}  // namespace espy::verifier
