// Objects as they are found: older conventions, other byte order, damaged files.
#include "compile.hpp"

namespace espy::object {
namespace {

const char* const kLegacyMaps = R"(
struct bpf_map_def { u32 type, key_size, value_size, max_entries, map_flags; };
struct bpf_map_def SEC("maps") first = {1, 4, 8, 16, 1};
struct bpf_map_def SEC("maps") second = {2, 4, 4, 3, 0};
SEC("socket") int prog(void *ctx) { int k = 0; return lookup(&second, &k) != 0 || lookup(&first, &k) != 0; })";

const char* const kElfMaps = R"(
struct bpf_elf_map { u32 type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx; };
struct bpf_elf_map SEC("maps") jumps = {3, 4, 4, 8, 0, 2, 2, 0, 0};
struct bpf_elf_map SEC("maps") outer = {12, 4, 4, 4, 0, 5, 0, 6, 0};
struct bpf_elf_map SEC("maps") inner = {2, 4, 16, 1, 0, 6, 0, 0, 3};
SEC("2/7") int seventh(void *skb) { return 7; }
SEC("classifier") int entry(void *skb) { int k = 0; tail_call(skb, &jumps, 7); return lookup(&outer, &k) != 0 || lookup(&inner, &k) != 0; })";

class WildMaps : public testing::TestWithParam<const char*> {};

TEST_P(WildMaps, Bpf_map_def) {
  ObjectSpec object = read_source("bpf_map_def", kLegacyMaps, GetParam());
  ASSERT_EQ(object.maps.size(), 2U);
  const MapSpec& first = *object.find_map("first");
  EXPECT_EQ(first.type, facts::MapType::hash);
  EXPECT_EQ(std::tuple(first.key_size, first.value_size, first.max_entries, first.flags), std::tuple(4U, 8U, 16U, 1U));
  EXPECT_EQ(first.origin, MapOrigin::legacy);
  EXPECT_EQ(object.programs[0].code.relocations[0].to, Reference(MapRef{*object.map_index("second")}));
  EXPECT_TRUE(warns(object, "struct bpf_map_def"));
}

TEST_P(WildMaps, Iproute2WithTailCallTagsAndInnerMaps) {
  ObjectSpec object = read_source("bpf_elf_map", kElfMaps, GetParam());
  ASSERT_EQ(object.maps.size(), 3U);
  const MapSpec& jumps = *object.find_map("jumps");
  EXPECT_EQ(jumps.pinning, Pinning::by_name);
  ASSERT_EQ(jumps.slots.size(), 1U);
  EXPECT_EQ(jumps.slots[0].slot, 7U);
  EXPECT_EQ(std::get<std::string>(jumps.slots[0].value), "seventh");
  ASSERT_EQ(object.programs.size(), 2U);
  EXPECT_EQ(object.find_program("seventh")->type, facts::ProgType::sched_cls);
  const MapSpec& outer = *object.find_map("outer");
  ASSERT_NE(outer.inner, nullptr);
  EXPECT_EQ(outer.inner->value_size, 16U);
  ASSERT_EQ(outer.slots.size(), 1U);
  EXPECT_EQ(outer.slots[0].slot, 3U);
  EXPECT_EQ(std::get<MapIdx>(outer.slots[0].value), *object.map_index("inner"));
  EXPECT_TRUE(warns(object, "struct bpf_elf_map"));
  EXPECT_TRUE(warns(object, "iproute2's way"));
}
INSTANTIATE_TEST_SUITE_P(WithAndWithoutBtf, WildMaps, testing::Values("-g", "-g0"), [](const auto& info) { return info.index == 0 ? "Btf" : "Plain"; });

TEST(Wild, UntypedSymbolsAndNone) {
  ObjectSpec object = read_source("untyped", R"(
.section xdp,"ax",@progbits
.globl drops
drops:
  r0 = 1
  if r0 == 1 goto LBB0_1
LBB0_1:
  exit
.section socket,"ax",@progbits
  r0 = 0
  exit
)", "", "s");
  ASSERT_EQ(object.programs.size(), 2U);
  EXPECT_EQ(object.find_program("drops")->code.insns.size(), 3U);
  EXPECT_EQ(object.find_program("socket")->type, facts::ProgType::socket_filter);
  EXPECT_TRUE(warns(object, "untyped symbol"));
  EXPECT_TRUE(warns(object, "code without a symbol"));
}

TEST(Wild, LocalProgramsAndTextOnly) {
  ObjectSpec local = read_source("local", R"(SEC("xdp") static int mine(void *ctx) { return 2; })");
  ASSERT_EQ(local.programs.size(), 1U);
  EXPECT_TRUE(warns(local, "local to its file"));
  ObjectSpec text = read_source("text_only", R"(int lonely(void *ctx) { return 2; })");
  ASSERT_EQ(text.programs.size(), 1U);
  EXPECT_EQ(text.programs[0].type, facts::ProgType::unspec);
  EXPECT_TRUE(warns(text, "is in .text"));
}

TEST(Wild, AddressesInDataAreToldOf) {
  ObjectSpec object = read_source("addresses", R"(int x; int *volatile p = &x; SEC("xdp") int prog(void *ctx) { return *p; })");
  EXPECT_TRUE(warns(object, "are addresses"));
}

TEST(Wild, WhatNothingDefinesIsAnUndeclaredExtern) {
  ObjectSpec object = read_source("undefined", R"(int nowhere(int); SEC("xdp") int prog(void *ctx) { return nowhere(1); })");
  ASSERT_EQ(object.externs.size(), 1U);
  EXPECT_EQ(object.externs[0].name, "nowhere");
  EXPECT_EQ(kind_name(object.externs[0]), "undeclared");
  EXPECT_TRUE(warns(object, "`nowhere` is not defined here"));
}

const char* const kBothOrders = R"(
struct { __uint(type, 1); __type(key, u32); __type(value, u64); __uint(max_entries, 9); } map SEC(".maps");
u64 wide = 0x1122334455667788; int number = -5;
static __noinline int twice(int x) { return x * 2 + number; }
SEC("xdp") int prog(void *ctx) { u32 k = 3; u64 *v = lookup(&map, &k); return v ? twice(*v) : wide; })";

TEST(Wild, BigEndianObjectsReadTheSame) {
  ObjectSpec little = read_source("little", kBothOrders), big = read_source("big", kBothOrders, "-g -target bpfeb");
  EXPECT_EQ(big.endian, Endian::big);
  ASSERT_EQ(big.programs.size(), 1U);
  EXPECT_EQ(big.programs[0].code.insns, little.programs[0].code.insns);
  EXPECT_EQ(big.programs[0].code.relocations, little.programs[0].code.relocations);
  ASSERT_EQ(big.functions.size(), 1U);
  EXPECT_EQ(big.functions[0].insns, little.functions[0].insns);
  ASSERT_EQ(big.maps.size(), little.maps.size());
  EXPECT_EQ(big.maps[0].max_entries, 9U);
  EXPECT_EQ(big.maps[0].value_size, 8U);
  EXPECT_EQ(variables(big).size(), variables(little).size());
}

TEST(Wild, DamagedFilesAreErrorsWithAPlace) {
  auto bytes = read_file(compile("whole", "c", kPrelude + kBothOrders));
  ASSERT_TRUE(bytes);
  for (std::size_t size = 0; size < bytes->size(); size += 7) {
    auto object = read(Bytes(*bytes).first(size), "cut.o");
    ASSERT_FALSE(object) << size;
    EXPECT_NE(describe(object.error()).find("cut.o"), std::string::npos) << describe(object.error());
  }
  for (std::size_t at = 0; at < bytes->size(); at += 3) {
    std::vector<std::byte> copy = *bytes;
    copy[at] ^= std::byte{0xff};
    (void)read(copy, "flipped.o");  // may be read or refused, but comes back
  }
}

TEST(Wild, OtherFilesAreRefused) {
  EXPECT_FALSE(read("/bin/true"));
  EXPECT_FALSE(read(std::string(ESPY_SOURCE_DIR "/LICENSE")));
  EXPECT_FALSE(read("/nonexistent.o"));
}

}  // namespace
}  // namespace espy::object
