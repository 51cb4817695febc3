// Objects that are well formed and mean harm: what they ask for grows with the product of two of their parts. Each is small
// for its kind; a reader that follows it literally runs for hours or takes all memory.
#include <gtest/gtest.h>

#include "btf/builder.hpp"
#include "object/elf_writer.hpp"
#include "object/link.hpp"
#include "object/read.hpp"

namespace espy::object {
namespace {

using btf::Kind;

constexpr std::byte kExitBytes[8] = {std::byte{0x95}};

std::vector<std::byte> words(std::initializer_list<std::uint32_t> values) {
  std::vector<std::byte> bytes;
  for (std::uint32_t value : values)
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
  return bytes;
}

void append(std::vector<std::byte>& bytes, const std::vector<std::byte>& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

/// A section of programs of one instruction each.
std::vector<ElfWriter::SymbolId> add_programs(ElfWriter& elf, std::string section, std::size_t count) {
  std::vector<std::byte> code;
  for (std::size_t i = 0; i < count; ++i) code.insert(code.end(), std::begin(kExitBytes), std::end(kExitBytes));
  auto id = elf.add_section({.name = std::move(section), .flags = SHF_ALLOC | SHF_EXECINSTR, .bytes = std::move(code)});
  std::vector<ElfWriter::SymbolId> symbols;
  for (std::size_t i = 0; i < count; ++i)
    symbols.push_back(elf.add_symbol({.name = fmt::format("p{}", i), .type = STT_FUNC, .section = id, .value = i * 8, .size = 8}));
  return symbols;
}

void add_btf(ElfWriter& elf, const btf::Builder& types) { elf.add_section({.name = ".BTF", .bytes = types.bytes(Endian::little)}); }

Result<ObjectSpec> read_file_of(ElfWriter& elf) { return read(elf.finish(), "hostile.o"); }

btf::TypeId add_int(btf::Builder& types) { return types.add_int("int", 4, {.bits = 32, .is_signed = true}); }

TEST(Hostile, ManyMapsWithManyInitialValues) {
  constexpr std::uint32_t kMaps = 20000, kMapBytes = 24;
  ElfWriter elf;
  auto programs = add_programs(elf, "xdp", kMaps);
  btf::Builder types;
  auto integer = add_int(types);
  auto number = [&](std::uint32_t value) { return types.add_ref(Kind::ptr, "", types.add_array(integer, integer, value)); };
  auto values = types.add_array(types.add_ref(Kind::ptr, "", types.add_func_proto(integer, {})), integer, 0);
  auto definition = types.add_struct(Kind::struct_, "", kMapBytes - 8, {{"type", number(3), 0, 0}, {"max_entries", number(1), 64, 0}, {"values", values, 128, 0}});
  auto maps = elf.add_section({.name = ".maps", .flags = SHF_ALLOC | SHF_WRITE, .bytes = std::vector<std::byte>(kMaps * kMapBytes)});
  std::vector<btf::SectionVar> vars;
  for (std::uint32_t i = 0; i < kMaps; ++i) {
    const std::string name = fmt::format("m{}", i);
    vars.push_back({types.add_var(name, definition, btf::Linkage::global), i * kMapBytes, kMapBytes});
    elf.add_symbol({.name = name, .type = STT_OBJECT, .section = maps, .value = i * kMapBytes, .size = kMapBytes});
    elf.add_relocation(maps, i * kMapBytes + 16, programs[kMaps - 1 - i], 2);
  }
  types.add_datasec(".maps", kMaps * kMapBytes, vars);
  add_btf(elf, types);
  auto object = read_file_of(elf);
  ASSERT_TRUE(object) << object.error().message;
  ASSERT_EQ(object->maps.size(), kMaps);
  EXPECT_EQ(std::get<std::string>(object->maps[7].slots.at(0).value), fmt::format("p{}", kMaps - 8));
}

TEST(Hostile, ManySectionsAndSymbols) {
  ElfWriter elf;
  for (std::size_t i = 0; i < 20000; ++i) add_programs(elf, fmt::format("xdp/{}", i), 1);
  for (std::size_t i = 0; i < 300000; ++i) elf.add_symbol({.name = "x"});
  auto object = read_file_of(elf);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->programs.size(), 20000U);
}

TEST(Hostile, WarningsAreBounded) {
  ElfWriter elf;
  add_programs(elf, std::string(4000, 'x'), 20000);
  auto object = read_file_of(elf);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->programs.size(), 20000U);
  EXPECT_LE(object->warnings.size(), 1000U);
}

TEST(Hostile, LongNamesAreErrors) {
  ElfWriter elf;
  add_programs(elf, std::string(100000, 'x'), 1);
  auto section = read_file_of(elf);
  ASSERT_FALSE(section);
  EXPECT_NE(section.error().message.find("a name of 100000 characters"), std::string::npos) << section.error().message;
  ElfWriter named;
  btf::Builder types;
  types.add_int(std::string(100000, 'x'), 4, {.bits = 32});
  add_btf(named, types);
  auto type = read_file_of(named);
  ASSERT_FALSE(type);
  EXPECT_NE(type.error().message.find("name longer than"), std::string::npos) << type.error().message;
}

// Programs and prog arrays of one id: iproute2's tag means the first of these.
TEST(Hostile, TailCallTagsOfManyMaps) {
  constexpr std::uint32_t kMaps = 3000;
  ElfWriter elf;
  add_programs(elf, "1/0", kMaps);
  std::vector<std::byte> bytes;
  for (std::uint32_t i = 0; i < kMaps; ++i) append(bytes, words({3, 4, 4, 8, 0, 1, 0, 0, 0}));
  auto maps = elf.add_section({.name = "maps", .flags = SHF_ALLOC | SHF_WRITE, .bytes = bytes});
  for (std::uint32_t i = 0; i < kMaps; ++i) elf.add_symbol({.name = fmt::format("m{}", i), .type = STT_OBJECT, .section = maps, .value = i * 36, .size = 36});
  auto object = read_file_of(elf);
  ASSERT_TRUE(object) << object.error().message;
  std::size_t slots = 0;
  for (const MapSpec& map : object->maps) slots += map.slots.size();
  EXPECT_EQ(slots, kMaps);
}

TEST(Hostile, ManyMapsInManyMaps) {
  ElfWriter elf;
  std::vector<std::byte> bytes;
  for (std::uint32_t i = 0; i < 2000; ++i) append(bytes, words({12, 4, 4, 8, 0, 1, 0, 1, 0}));
  auto maps = elf.add_section({.name = "maps", .flags = SHF_ALLOC | SHF_WRITE, .bytes = bytes});
  for (std::uint32_t i = 0; i < 2000; ++i) elf.add_symbol({.name = fmt::format("m{}", i), .type = STT_OBJECT, .section = maps, .value = i * 36, .size = 36});
  auto object = read_file_of(elf);
  ASSERT_FALSE(object);
  EXPECT_NE(object.error().message.find("maps in maps"), std::string::npos) << object.error().message;
}

TEST(Hostile, StructOpsDoNotOverlap) {
  ElfWriter elf;
  btf::Builder types;
  auto integer = add_int(types);
  auto ops = types.add_struct(Kind::struct_, "ops", 1 << 20, {{"a", integer, 0, 0}});
  std::vector<btf::SectionVar> vars;
  for (std::uint32_t i = 0; i < 20000; ++i) vars.push_back({types.add_var(fmt::format("v{}", i), ops, btf::Linkage::static_), 0, 1 << 20});
  types.add_datasec(".struct_ops", 1 << 20, vars);
  elf.add_section({.name = ".struct_ops", .flags = SHF_ALLOC | SHF_WRITE, .bytes = std::vector<std::byte>(1 << 20)});
  add_btf(elf, types);
  auto object = read_file_of(elf);
  ASSERT_FALSE(object);
  EXPECT_NE(object.error().message.find("begins inside the variable before it"), std::string::npos) << object.error().message;
}

TEST(Hostile, KconfigArrayOfArraysWithoutEnd) {
  ElfWriter elf;
  btf::Builder types;
  auto integer = add_int(types), element = integer;
  for (int i = 0; i < 200000; ++i) element = types.add_array(element, integer, 1);
  auto var = types.add_var("CONFIG_DEEP", element, btf::Linkage::extern_);
  types.add_datasec(".kconfig", 4, {{var, 0, 4}});
  elf.add_symbol({.name = "CONFIG_DEEP"});
  add_btf(elf, types);
  auto object = read_file_of(elf);
  ASSERT_FALSE(object);
  EXPECT_NE(object.error().message.find("cannot be read as"), std::string::npos) << object.error().message;
}

/// Structs of anonymous structs of the next kind: `levels` deep, `width` wide.
btf::TypeId add_fan(btf::Builder& types, std::string_view name, std::string_view last, int levels, std::uint32_t width) {
  auto integer = add_int(types);
  auto inner = types.add_struct(Kind::struct_, "", 4, {{last, integer, 0, 0}});
  for (int level = 0; level < levels; ++level)
    inner = types.add_struct(Kind::struct_, level + 1 == levels ? name : "", 4, std::vector<btf::Member>(width, {"", inner, 0, 0}));
  return inner;
}

TEST(Hostile, VariablesOfTypesThatFanOut) {
  ElfWriter elf;
  btf::Builder types;
  auto var = types.add_var("fan", add_fan(types, "fan", "a", 15, 64), btf::Linkage::global);
  types.add_datasec(".data", 4, {{var, 0, 4}});
  auto data = elf.add_section({.name = ".data", .flags = SHF_ALLOC | SHF_WRITE, .bytes = std::vector<std::byte>(4)});
  elf.add_symbol({.name = "fan", .type = STT_OBJECT, .section = data, .value = 0, .size = 4});
  add_btf(elf, types);
  auto object = read_file_of(elf);
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_FALSE(set_variable(*object, "fan.b", "1"));
  EXPECT_TRUE(set_variable(*object, "fan.a", "1"));
}

TEST(Hostile, AVariableLargerThanItsSection) {
  ElfWriter elf;
  btf::Builder types;
  auto integer = add_int(types), character = types.add_int("char", 1, {.bits = 8, .is_signed = true});
  auto var = types.add_var("text", types.add_array(character, integer, 0xffff0000), btf::Linkage::global);
  types.add_datasec(".data", 4, {{var, 0, 4}});
  auto data = elf.add_section({.name = ".data", .flags = SHF_ALLOC | SHF_WRITE, .bytes = std::vector<std::byte>(4)});
  elf.add_symbol({.name = "text", .type = STT_OBJECT, .section = data, .value = 0, .size = 4});
  add_btf(elf, types);
  auto object = read_file_of(elf);
  ASSERT_TRUE(object) << object.error().message;
  auto set = set_variable(*object, "text", "x");
  ASSERT_FALSE(set);
  EXPECT_NE(one_line(set.error()).find("whose size is 4"), std::string::npos) << one_line(set.error());
}

// Each relocation searches types that fan out, up to the bound of one; all together are bounded too.
TEST(Hostile, RelocationsOfTypesThatFanOut) {
  btf::Builder local, target;
  auto integer = add_int(local);
  auto type = local.add_struct(Kind::struct_, "fan", 4, {{"missing", integer, 0, 0}});
  add_fan(target, "fan", "other", 4, 40);
  ObjectSpec object;
  object.btf = local.build().value();
  ProgramSpec program{.name = "p", .code = {}};
  program.code.name = "p";
  program.type = facts::ProgType::socket_filter;
  for (std::uint32_t i = 0; i < 100000; ++i) {
    program.code.insns.push_back({.opcode = 0xb7, .imm = 1});  // r0 = 1: the field is there
    program.code.core_relocations.push_back({.insn = i, .type = type, .access = "0:0", .kind = btf::CoreKind::field_exists});
  }
  object.programs.push_back(std::move(program));
  Target kernel;
  kernel.name = "made-up kernel";
  kernel.vmlinux = target.build().value();
  auto linked = link(std::move(object), kernel, {});
  ASSERT_FALSE(linked);
  EXPECT_NE(one_line(linked.error()).find("fan out"), std::string::npos) << describe(linked.error());
}

}  // namespace
}  // namespace espy::object
