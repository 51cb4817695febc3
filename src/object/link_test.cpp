// Linking specs built by hand: subprograms, maps, choices, and what is wrong with bad specs. The comparison with libbpf is in
// tests/link.
#include "object/link.hpp"

#include <gtest/gtest.h>

#include "object/link_steps.hpp"
#include "object/link_test.hpp"

namespace espy::object {
namespace {

/// A call in an otherwise empty function of `slots` instructions.
FunctionSpec calls(std::string name, std::uint32_t callee) {
  return function(std::move(name), {kCall, kExit}, {{0, CallRef{FunctionIdx{callee}}}});
}

TEST(Link, AppendsSubprogramsDepthFirstAtFirstMention) {
  // main calls 1 then 0; 1 calls 0 and loads 2's address.
  ObjectSpec object = object_of(function("main", {kCall, kCall, kExit}, {{0, CallRef{FunctionIdx{1}}}, {1, CallRef{FunctionIdx{0}}}}));
  object.functions.push_back(function("zero", {kMov, kExit}));
  object.functions.push_back(function("one", {kCall, kWide, Insn{}, kExit}, {{0, CallRef{FunctionIdx{0}}}, {1, FunctionRef{FunctionIdx{2}}}}));
  object.functions.push_back(function("two", {kMov, kMov, kExit}));
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  auto insns = linked_insns(linked->programs.at(0));
  ASSERT_EQ(insns.size(), 3U + 4 + 2 + 3);  // main, one, zero, two
  EXPECT_EQ(insns[0].imm, 2);               // 0 → 3
  EXPECT_EQ(insns[1].imm, 5);               // 1 → 7
  EXPECT_EQ(insns[3].imm, 3);               // 3 → 7
  EXPECT_EQ(insns[4].imm, 4);               // 4 → 9
  EXPECT_EQ(insns[4].src, 4);               // a function's address
  EXPECT_TRUE(linked->programs[0].spec.code.relocations.empty());
}

TEST(Link, JoinsEachFunctionOnceEvenInCircles) {
  ObjectSpec object = object_of(calls("main", 0));
  object.functions.push_back(calls("ping", 1));
  object.functions.push_back(calls("pong", 0));
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  auto insns = linked_insns(linked->programs.at(0));
  ASSERT_EQ(insns.size(), 6U);
  EXPECT_EQ(insns[4].imm, -3);  // pong back to ping
}

TEST(Link, FollowsChainsOfAnyDepth) {
  ObjectSpec object = object_of(calls("main", 0));
  constexpr std::uint32_t kDepth = 200'000;
  for (std::uint32_t i = 0; i < kDepth; ++i) object.functions.push_back(i + 1 < kDepth ? calls("f", i + 1) : function("last", {kExit}));
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  EXPECT_EQ(linked->programs[0].spec.code.insns.size(), 2 * kDepth + 1);
}

TEST(Link, RefusesProgramsThatNoKernelCouldLoad) {
  ObjectSpec object = object_of(calls("main", 0));
  object.functions.push_back(function("huge", std::vector<Insn>(1'000'000, kMov)));
  auto linked = link(object, Target{});
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().kind, ErrorKind::exhausted);
}

TEST(Link, MovesFunctionAndLineInformation) {
  FunctionSpec main = calls("main", 0), sub = function("sub", {kMov, kExit});
  main.func_info = {{0, btf::TypeId{5}}};
  main.line_info = {{.insn = 0, .file_name = 1, .line_text = 2, .line = 10, .column = 1}};
  sub.func_info = {{0, btf::TypeId{6}}};
  sub.line_info = {{.insn = 0, .file_name = 1, .line_text = 3, .line = 20, .column = 1}, {.insn = 1, .file_name = 1, .line_text = 3, .line = 21, .column = 1}};
  ObjectSpec object = object_of(main);
  object.functions.push_back(sub);
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked);
  const FunctionSpec& code = linked->programs.at(0).spec.code;
  ASSERT_EQ(code.func_info.size(), 2U);
  EXPECT_EQ(code.func_info[1].insn, 2U);
  EXPECT_EQ(code.func_info[1].type, btf::TypeId{6});
  ASSERT_EQ(code.line_info.size(), 3U);
  EXPECT_EQ(code.line_info[2].insn, 3U);

  object.functions[0].func_info.clear();  // the kernel takes information about all functions or none
  linked = link(object, Target{});
  ASSERT_TRUE(linked);
  EXPECT_TRUE(linked->programs.at(0).spec.code.func_info.empty());
  EXPECT_EQ(linked->programs.at(0).spec.code.line_info.size(), 3U);
}

TEST(Link, LeavesMapReferencesToTheLoad) {
  ObjectSpec object = object_of(function("main", {kWide, Insn{}, kWide, Insn{}, kWide, Insn{}, kExit},
                                         {{0, MapRef{MapIdx{0}}}, {2, MapValueRef{MapIdx{0}, 12}}, {4, MapRef{MapIdx{1}}}}));
  object.maps.resize(2);
  object.maps[1].autocreate = false;
  auto linked = link(object, Target{});
  ASSERT_TRUE(linked) << describe(linked.error());
  const FunctionSpec& code = linked->programs.at(0).spec.code;
  EXPECT_EQ(code.insns[0].src, 1);
  EXPECT_EQ(code.insns[2].src, 2);
  EXPECT_EQ(code.insns[3].imm, 12);
  EXPECT_EQ(code.insns[4], (Insn{.opcode = isa::kOpCall, .imm = 2'001'000'001}));
  EXPECT_EQ(code.insns[5], code.insns[4]);
  EXPECT_EQ(code.relocations, (std::vector<Relocation>{{0, MapRef{MapIdx{0}}}, {2, MapValueRef{MapIdx{0}, 12}}}));
}

TEST(Link, NamesWhatIsWrongWithBadSpecs) {
  auto refused = [](FunctionSpec entry) {
    auto linked = link(object_of(std::move(entry)), Target{});
    return linked ? std::string{} : describe(linked.error());
  };
  EXPECT_NE(refused(function("f", {kExit}, {{5, CallRef{FunctionIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kCall, kExit}, {{0, CallRef{FunctionIdx{3}}}})), "");
  EXPECT_NE(refused(function("f", {kExit}, {{0, MapRef{MapIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kExit, kWide}, {{1, MapRef{MapIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kWide, Insn{}}, {{0, MapRef{MapIdx{0}}}})), "");
  EXPECT_NE(refused(function("f", {kWide, Insn{}}, {{0, ExternRef{ExternIdx{0}}}})), "");
  FunctionSpec core = function("f", {kMov});
  core.core_relocations = {{.insn = 9, .type = btf::TypeId{1}, .access = "0", .kind = btf::CoreKind::type_exists}};
  EXPECT_NE(refused(core), "");
  std::string text = refused(function("f", {kMov, kExit}, {{0, MapRef{MapIdx{0}}}}));
  EXPECT_NE(text.find("link program `f`"), std::string::npos) << text;
  EXPECT_NE(text.find("section socket: function `f`: instruction 0"), std::string::npos) << text;
}

TEST(Link, ChoosesPrograms) {
  ObjectSpec object = object_of(function("on", {kExit}));
  object.programs.push_back(program(function("disabled", {kExit})));
  object.programs[1].autoload = false;
  EXPECT_EQ(link(object, Target{})->programs.size(), 1U);
  auto chosen = link(object, Target{}, {.programs = {"disabled"}});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->programs.at(0).spec.name, "disabled");
  auto none = link(object, Target{}, {.programs = {"disable"}});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().hint.find("`disabled`"), std::string::npos);
}

TEST(Link, RenamesHelpersForOldKernels) {
  std::vector<Insn> insns;
  for (std::int32_t helper : {112, 113, 114, 115, 5}) insns.push_back({.opcode = isa::kOpCall, .imm = helper});
  // The second half of a wide load may look like a call.
  insns.insert(insns.end(), {kWide, Insn{.opcode = isa::kOpCall, .imm = 112}, kExit});
  auto numbers = [&](facts::KernelVersion version) {
    Target target;
    target.version = version;
    std::vector<std::int32_t> result;
    for (const Insn& insn : linked_insns(link(object_of(function("f", insns)), target)->programs.at(0))) result.push_back(insn.imm);
    return result;
  };
  EXPECT_EQ(numbers({5, 4, 200}), (std::vector<std::int32_t>{4, 4, 45, 45, 5, 0, 112, 0}));
  EXPECT_EQ(numbers({5, 5, 0}), (std::vector<std::int32_t>{112, 113, 114, 115, 5, 0, 112, 0}));
  EXPECT_EQ(numbers({}), numbers({6, 1, 0}));
}

}  // namespace
}  // namespace espy::object
