// Every object of the corpus: taken apart to text and put together again, and written as a file and read again.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/text.hpp"
#include "isa/decode.hpp"
#include "object/asm.hpp"
#include "object/listing.hpp"
#include "object/read.hpp"
#include "object/write.hpp"

namespace espy::object {
namespace {

// The objects compiled for one instruction set.
std::vector<std::string> corpus(std::string_view cpu) {
  std::vector<std::string> paths;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("{}/{}", CORPUS, cpu), missing)) {
    if (entry.path().extension() == ".o") paths.push_back(entry.path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

// What a reference means, whatever the order of maps and functions.
std::string name_of(const ObjectSpec& object, const Relocation& relocation) {
  auto text = std::visit(overload{
      [&](const MapRef& to) { return "map " + object.map(to.map).name; },
      [&](const MapValueRef& to) { return fmt::format("value {}+{}", object.map(to.map).name, to.offset); },
      [&](const CallRef& to) { return "call " + object.function(to.function).name; },
      [&](const FunctionRef& to) { return "address " + object.function(to.function).name; },
      [&](const ExternRef& to) { return "extern " + object.external(to.external).name; }}, relocation.to);
  return fmt::format("{}: {}", relocation.insn, text);
}

void expect_same_code(const ObjectSpec& a, const FunctionSpec& x, const ObjectSpec& b, const FunctionSpec& y) {
  SCOPED_TRACE(x.name);
  EXPECT_EQ(x.name, y.name);
  EXPECT_EQ(x.section, y.section);
  EXPECT_EQ(x.is_global, y.is_global);
  ASSERT_EQ(x.relocations.size(), y.relocations.size());
  std::vector<bool> relocated(x.insns.size() + 1);
  for (std::size_t i = 0; i < x.relocations.size(); ++i) {
    EXPECT_EQ(name_of(a, x.relocations[i]), name_of(b, y.relocations[i]));
    relocated[x.relocations[i].insn] = true;
  }
  ASSERT_EQ(x.insns.size(), y.insns.size());
  for (std::size_t i = 0; i < x.insns.size(); ++i) {
    // What a relocated instruction holds before linking is the relocation's business.
    if (relocated[i] || (i > 0 && relocated[i - 1])) continue;
    EXPECT_EQ(isa::to_word(x.insns[i]), isa::to_word(y.insns[i])) << "instruction " << i;
  }
}

void expect_same(const ObjectSpec& a, const ObjectSpec& b) {
  EXPECT_EQ(a.license, b.license);
  EXPECT_EQ(a.version, b.version);
  ASSERT_EQ(a.programs.size(), b.programs.size());
  for (std::size_t i = 0; i < a.programs.size(); ++i) {
    expect_same_code(a, a.programs[i].code, b, b.programs[i].code);
    EXPECT_EQ(a.programs[i].type, b.programs[i].type);
    EXPECT_EQ(a.programs[i].autoload, b.programs[i].autoload);
    EXPECT_EQ(a.programs[i].attach_target, b.programs[i].attach_target);
  }
  ASSERT_EQ(a.functions.size(), b.functions.size());
  for (std::size_t i = 0; i < a.functions.size(); ++i) expect_same_code(a, a.functions[i], b, b.functions[i]);
  ASSERT_EQ(a.maps.size(), b.maps.size());
  for (const MapSpec& map : a.maps) {
    SCOPED_TRACE(map.name);
    const MapSpec* other = b.find_map(map.name);
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(map.origin, other->origin);
    EXPECT_EQ(map.type, other->type);
    EXPECT_EQ(map.key_size, other->key_size);
    EXPECT_EQ(map.value_size, other->value_size);
    EXPECT_EQ(map.max_entries, other->max_entries);
    EXPECT_EQ(map.flags, other->flags);
    EXPECT_EQ(map.map_extra, other->map_extra);
    EXPECT_EQ(map.pinning, other->pinning);
    EXPECT_EQ(map.contents, other->contents);
    EXPECT_EQ(map.slots.size(), other->slots.size());
    EXPECT_EQ(map.struct_ops_members.size(), other->struct_ops_members.size());
    EXPECT_EQ(map.inner != nullptr, other->inner != nullptr);
  }
  EXPECT_EQ(a.externs.size(), b.externs.size());
}

class Corpus : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_FALSE(corpus(GetParam()).empty()) << "no objects in " << CORPUS; }
};

void list_and_assemble(const std::string& path) {
  auto object = read(path);
  ASSERT_TRUE(object) << describe(object.error());
  auto text = listing(*object);
  ASSERT_TRUE(text) << describe(text.error());
  auto again = assemble_object(*text, "listing.s");
  ASSERT_TRUE(again) << describe(again.error());
  expect_same(*object, *again);
}

void write_and_read(const std::string& path) {
  auto object = read(path);
  ASSERT_TRUE(object) << describe(object.error());
  auto bytes = write_elf(*object);
  ASSERT_TRUE(bytes) << describe(bytes.error());
  auto again = read(*bytes, path);
  ASSERT_TRUE(again) << describe(again.error());
  expect_same(*object, *again);
  for (std::size_t i = 0; i < object->programs.size(); ++i) {
    const FunctionSpec &x = object->programs[i].code, &y = again->programs[i].code;
    EXPECT_EQ(x.core_relocations.size(), y.core_relocations.size());
    EXPECT_EQ(x.line_info.size(), y.line_info.size());
    EXPECT_EQ(x.func_info.size(), y.func_info.size());
  }
}

TEST_P(Corpus, ListingAssemblesToTheSameObject) {
  for (const std::string& path : corpus(GetParam())) {
    SCOPED_TRACE(path);
    list_and_assemble(path);
  }
}

TEST_P(Corpus, FileIsReadAsItWasWritten) {
  for (const std::string& path : corpus(GetParam())) {
    SCOPED_TRACE(path);
    write_and_read(path);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Corpus, testing::Values("v1", "v2", "v3", "v4"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace espy::object
