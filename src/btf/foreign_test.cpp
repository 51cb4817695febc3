// Bytes that are wrong: each is an error that names the place, or is read without harm.
#include <gtest/gtest.h>

#include <cstring>

#include "btf/builder.hpp"
#include "btf/core.hpp"
#include "btf/ext.hpp"
#include "btf/print.hpp"

namespace espy::btf {
namespace {

std::vector<std::byte> sample() {
  Builder b;
  const TypeId u32 = b.add_int("unsigned int", 4, {.bits = 32});
  b.add_struct(Kind::struct_, "pair", 8, {{"a", u32, 0}, {"b", u32, 32}});
  b.add_array(u32, u32, 3);
  return b.bytes();
}

void put(std::vector<std::byte>& bytes, std::size_t offset, std::uint32_t word) { std::memcpy(bytes.data() + offset, &word, sizeof word); }

std::string error_of(std::vector<std::byte> bytes) {
  auto btf = Btf::parse(std::move(bytes), nullptr, "file.o: .BTF");
  return btf ? "" : describe(btf.error());
}

TEST(Foreign, EveryTruncationIsAnError) {
  const auto whole = sample();
  ASSERT_EQ(error_of(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string text = error_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_NE(text.find("file.o: .BTF"), std::string::npos) << size << ": " << text;
  }
}

TEST(Foreign, EveryByteMayBeWrong) {
  const auto whole = sample();
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (unsigned value : {0x00U, 0x01U, 0x7fU, 0x80U, 0xffU}) {
      auto bytes = whole;
      bytes[at] = static_cast<std::byte>(value);
      auto btf = Btf::parse(bytes);
      if (!btf) continue;
      for (std::uint32_t id = 0; id < (*btf)->type_count() + 2; ++id) {
        (void)(*btf)->size_of(TypeId{id});
        (void)(*btf)->align_of(TypeId{id});
        (void)(*btf)->type_name(TypeId{id});
        (void)definition(**btf, TypeId{id});
      }
      (void)(*btf)->validate();
      (void)header(**btf);
    }
}

TEST(Foreign, ErrorsNameThePlace) {
  auto bytes = sample();
  put(bytes, 24 + 4, 31U << 24);  // the first type's kind
  EXPECT_NE(error_of(bytes).find("type section: offset 0x0 (type 1)"), std::string::npos) << error_of(bytes);
  bytes = sample();
  put(bytes, 24 + 16, 0xffff);  // the second type's name
  EXPECT_NE(error_of(bytes).find("offset 0x10 (type 2)"), std::string::npos) << error_of(bytes);
  EXPECT_NE(error_of(bytes).find("string offset 0xffff"), std::string::npos) << error_of(bytes);
}

TEST(Foreign, LoopsEnd) {
  Builder b;
  b.add_ref(Kind::typedef_, "a", TypeId{2});
  b.add_ref(Kind::typedef_, "b", TypeId{1});
  b.add_struct(Kind::struct_, "s", 8, {{"self", TypeId{3}, 0}});
  b.add_array(TypeId{4}, TypeId{4}, 2);
  b.add_ref(Kind::ptr, "", TypeId{5});
  b.add_func_proto(TypeId{6}, {{"x", TypeId{6}}, {"y", TypeId{6}}});
  b.add_struct(Kind::struct_, "", 8, {{"", TypeId{7}, 0}, {"", TypeId{7}, 0}});
  auto btf = b.build();
  ASSERT_TRUE(btf) << one_line(btf.error());
  EXPECT_EQ((*btf)->resolve(TypeId{1}).kind(), Kind::void_);
  EXPECT_FALSE((*btf)->size_of(TypeId{1}));
  EXPECT_FALSE((*btf)->size_of(TypeId{4}));
  EXPECT_FALSE((*btf)->validate());
  for (std::uint32_t id = 1; id < 8; ++id) {
    (void)(*btf)->align_of(TypeId{id});
    EXPECT_LT((*btf)->type_name(TypeId{id}).size(), 1'000'000U);
    (void)definition(**btf, TypeId{id});
  }
  (void)header(**btf);
  CoreMatcher matcher(*btf, *btf);
  for (CoreKind kind : {CoreKind::type_matches, CoreKind::type_exists, CoreKind::type_size, CoreKind::field_byte_offset})
    for (std::uint32_t id = 0; id < 9; ++id) {
      auto result = matcher.resolve({.insn = 0, .type = TypeId{id}, .access = "0", .kind = kind});
      if (!result) {
        EXPECT_NE(one_line(result.error()).find("resolve CO-RE relocation"), std::string::npos);
      }
    }
}

TEST(Foreign, SplitOnABase) {
  Builder lower;
  const TypeId u32 = lower.add_int("unsigned int", 4, {.bits = 32});
  auto base = lower.build("base");
  ASSERT_TRUE(base);
  Builder upper(*base);
  const TypeId own = upper.add_struct(Kind::struct_, "own", 4, {{"a", u32, 0}});
  upper.add_ref(Kind::typedef_, "alias", own);
  auto split = upper.build("split");
  ASSERT_TRUE(split) << one_line(split.error());
  EXPECT_EQ((*split)->start_id(), 2U);
  EXPECT_EQ((*split)->type_count(), 4U);
  EXPECT_EQ((*split)->find("own", Kind::struct_)->id(), own);
  EXPECT_EQ((*split)->find("unsigned int", Kind::int_)->id(), u32);
  EXPECT_EQ((*split)->type(own).member(0).name, "a");
  EXPECT_EQ((*split)->size_of(TypeId{3}), 4U);
  EXPECT_TRUE((*split)->validate());
  EXPECT_TRUE(std::ranges::equal(Builder::copy_of(**split).bytes(), (*split)->bytes()));
  EXPECT_FALSE(Btf::parse(upper.bytes())) << "its strings continue the base's";
}

TEST(Foreign, ExtOfOtherRecordSizes) {
  Builder b;
  const std::uint32_t name = b.add_string("xdp");
  auto btf = b.build();
  ASSERT_TRUE(btf);
  Writer out;
  for (std::uint32_t word : {0x0001eb9fU, 24U, 0U, 24U, 24U, 0U}) out.write(word);
  // func_info with records of 12 bytes: the last word is tomorrow's.
  for (std::uint32_t word : {12U, name, 1U, 16U, 7U, 0xdeadU}) out.write(word);
  auto ext = parse_ext(out.bytes(), **btf);
  ASSERT_TRUE(ext) << one_line(ext.error());
  ASSERT_EQ(ext->size(), 1U);
  EXPECT_EQ(ext->front().name, "xdp");
  EXPECT_EQ(ext->front().functions, (std::vector<FuncInfo>{{.insn = 2, .type = TypeId{7}}}));
  for (std::size_t size = 0; size < out.size(); ++size) EXPECT_FALSE(parse_ext(out.bytes().first(size), **btf)) << size;
}

}  // namespace
}  // namespace espy::btf
