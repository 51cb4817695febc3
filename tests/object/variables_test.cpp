// Setting globals before a load, and the parts of an object that only its BTF describes.
#include "compile.hpp"

namespace espy::object {
namespace {

const char* const kSource = R"(
enum mode { OFF, ON = 5, NEGATIVE = -2 };
struct limits { int low; struct { unsigned char high; }; char name[8]; int steps[4]; };
const volatile int pid = 3; const volatile unsigned char small; const volatile _Bool flag; volatile char letter;
volatile char comm[6]; volatile enum mode mode; volatile struct limits limits[2]; volatile long long wide; volatile int *pointer;
__attribute__((visibility("hidden"))) volatile int hidden_one;
extern int CONFIG_HZ __attribute__((section(".kconfig")));
SEC("xdp") int prog(void *ctx) { return pid + small + flag + letter + comm[0] + mode + limits[1].low + wide + (pointer != 0) + CONFIG_HZ + hidden_one; })";

template <typename T>
T value_of(const ObjectSpec& object, std::string_view name, std::size_t extra = 0) {
  const auto all = variables(object);
  auto variable = std::ranges::find(all, name, &Variable::name);
  EXPECT_NE(variable, all.end()) << name;
  return load<T>(object.map(variable->map).contents, variable->offset + extra);
}

TEST(Variables, AreSetByTypeAndByPart) {
  ObjectSpec object = read_source("variables", kSource);
  ASSERT_FALSE(variables(object).empty());
  EXPECT_EQ(value_of<int>(object, "pid"), 3);
  for (auto [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
           {"pid", "-7"}, {"small", "0xff"}, {"flag", "true"}, {"letter", "x"}, {"comm", "hello"}, {"mode", "NEGATIVE"},
           {"limits[1].low", "9"}, {"limits[1].high", "8"}, {"limits[0].name", "\"abc\""}, {"limits[1].steps[3]", "4"}, {"wide", "-9223372036854775808"}}) {
    auto done = set_variable(object, name, value);
    EXPECT_TRUE(done) << describe(done.error());
  }
  EXPECT_EQ(value_of<int>(object, "pid"), -7);
  EXPECT_EQ(value_of<unsigned char>(object, "small"), 255);
  EXPECT_EQ(value_of<unsigned char>(object, "flag"), 1);
  EXPECT_EQ(value_of<char>(object, "letter"), 'x');
  EXPECT_EQ(value_of<char>(object, "comm", 4), 'o');
  EXPECT_EQ(value_of<int>(object, "mode"), -2);
  EXPECT_EQ(value_of<int>(object, "limits", 32), 9);
  EXPECT_EQ(value_of<unsigned char>(object, "limits", 36), 8);
  EXPECT_EQ(value_of<char>(object, "limits", 7), 'c');
  EXPECT_EQ(value_of<int>(object, "limits", 60), 4);
  EXPECT_EQ(value_of<std::int64_t>(object, "wide"), INT64_MIN);
}

TEST(Variables, WhatDoesNotFitIsRefusedWithTheRange) {
  ObjectSpec object = read_source("variables", kSource);
  struct Case { const char *name, *value, *says; };
  for (const Case& wrong : {Case{"small", "256", "0 to 255"}, {"small", "-1", "0 to 255"}, {"pid", "2147483648", "2147483647"}, {"flag", "2", "true or false"},
                            {"comm", "sixsix", "at most 5 bytes"}, {"mode", "ONN", "did you mean `ON`"}, {"limits", "1", "VAR.member"}, {"limits[2].low", "1", "0 to 1"},
                            {"limits[0].lo", "1", "low"}, {"pidd", "1", "did you mean `pid`"}, {"pid.x", "1", "no members"}, {"CONFIG_HZ", "1", "cannot be set"}}) {
    auto done = set_variable(object, wrong.name, wrong.value);
    ASSERT_FALSE(done) << wrong.name;
    EXPECT_NE(describe(done.error()).find(wrong.says), std::string::npos) << describe(done.error());
  }
}

TEST(Variables, KconfigIsLaidOutAndItsTypesAreChecked) {
  ObjectSpec object = read_source("kconfig_order", R"(
    extern int B_INT __attribute__((section(".kconfig"))); extern char A_CHAR __attribute__((section(".kconfig"), weak));
    extern long long C_LONG __attribute__((section(".kconfig"))); extern char D_TEXT[5] __attribute__((section(".kconfig")));
    SEC("xdp") int prog(void *ctx) { return B_INT + A_CHAR + C_LONG + D_TEXT[1]; })");
  std::map<std::string, std::uint32_t> offsets;
  for (const ExternSpec& external : object.externs) offsets[external.name] = std::get<KconfigExtern>(external.kind).offset;
  EXPECT_EQ(offsets, (std::map<std::string, std::uint32_t>{{"C_LONG", 0}, {"B_INT", 8}, {"A_CHAR", 12}, {"D_TEXT", 13}}));
  ASSERT_NE(object.find_map(".kconfig"), nullptr);
  EXPECT_EQ(object.find_map(".kconfig")->value_size, 18U);
  auto wrong = read(compile("kconfig_wrong", "c", kPrelude + R"(struct s { int a; }; extern struct s X __attribute__((section(".kconfig"))); SEC("xdp") int prog(void *ctx) { return X.a; })"));
  ASSERT_FALSE(wrong);
  EXPECT_NE(describe(wrong.error()).find("struct s"), std::string::npos);
}

TEST(Variables, OptionalStructOpsAreNotCreated) {
  ObjectSpec object = read_source("struct_ops", R"(
    struct ops { int flags; int (*call)(void *); };
    SEC("struct_ops/call") int call(void *ctx) { return 1; }
    SEC(".struct_ops.link") struct ops linked = {.flags = 2, .call = (void *)call};
    SEC("?.struct_ops") struct ops optional = {.call = (void *)call};)");
  ASSERT_EQ(object.maps.size(), 2U);
  const MapSpec& linked = *object.find_map("linked");
  EXPECT_TRUE(linked.autocreate);
  EXPECT_EQ(linked.flags, 1U << 13);
  ASSERT_EQ(linked.struct_ops_members.size(), 1U);
  EXPECT_EQ(linked.struct_ops_members[0].member, "call");
  EXPECT_EQ(linked.struct_ops_members[0].offset, 8U);
  EXPECT_EQ(linked.struct_ops_members[0].program, "call");
  EXPECT_FALSE(object.find_map("optional")->autocreate);
}

}  // namespace
}  // namespace espy::object
