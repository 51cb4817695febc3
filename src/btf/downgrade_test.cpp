#include "btf/downgrade.hpp"

#include <gtest/gtest.h>

#include "btf/builder.hpp"

namespace espy::btf {
namespace {

constexpr BtfFeatures kNone{.func = false, .datasec = false, .func_global = false, .floats = false, .decl_tag = false,
                            .type_tag = false, .enum64 = false, .question_mark = false, .tag_attributes = false};

TEST(Downgrade, ReplacesEachKindAndKeepsIds) {
  Builder b;
  b.add_string("a line of source that line_info names");
  const TypeId u32 = b.add_int("unsigned int", 4, {.bits = 32});
  const TypeId proto = b.add_func_proto(u32, {{"a", u32}});
  const TypeId func = b.add_func("f", proto, Linkage::global);
  const TypeId var = b.add_var("v", u32, Linkage::global);
  const TypeId section = b.add_datasec("?.data", 4, {{var, 0, 4}});
  const TypeId number = b.add_float("double", 8);
  const TypeId tag = b.add_decl_tag("note", func, -1);
  const TypeId type_tag = b.add_ref(Kind::type_tag, "rcu", u32);
  const TypeId sign = b.add_enum("e", 4, true, {{"E", static_cast<std::uint64_t>(-1)}});
  const TypeId wide = b.add_enum("w", 8, false, {{"W", std::uint64_t{1} << 40}});
  auto before = b.build();
  ASSERT_TRUE(before);

  auto same = downgraded(**before, {});
  ASSERT_TRUE(same);
  EXPECT_TRUE(std::ranges::equal(*same, (*before)->bytes()));

  auto bytes = downgraded(**before, kNone);
  ASSERT_TRUE(bytes);
  auto after = Btf::parse(*bytes);
  ASSERT_TRUE(after) << one_line(after.error());
  ASSERT_TRUE((*after)->validate()) << one_line((*after)->validate().error());
  auto kind = [&](TypeId id) { return (*after)->type(id).kind(); };
  EXPECT_EQ(kind(u32), Kind::int_);
  EXPECT_EQ(kind(proto), Kind::enum_);
  EXPECT_EQ(kind(func), Kind::typedef_);
  EXPECT_EQ(kind(var), Kind::int_);
  EXPECT_EQ(kind(section), Kind::struct_);
  EXPECT_EQ((*after)->type(section).name(), "__data");
  EXPECT_EQ((*after)->type(section).member(0).name, "v");
  EXPECT_EQ(kind(number), Kind::struct_);
  EXPECT_EQ((*after)->type(number).size(), 8U);
  EXPECT_EQ(kind(tag), Kind::int_);
  EXPECT_EQ(kind(type_tag), Kind::const_);
  EXPECT_EQ(kind(sign), Kind::enum_);
  EXPECT_FALSE((*after)->type(sign).kind_flag());
  EXPECT_EQ(kind(wide), Kind::union_);
  EXPECT_EQ((*after)->type((*after)->type(wide).member(0).type).name(), "enum64_placeholder");
  EXPECT_EQ((*after)->string(1), "a line of source that line_info names");
}

TEST(Downgrade, OnlyWhatIsMissing) {
  Builder b;
  const TypeId u32 = b.add_int("unsigned int", 4, {.bits = 32});
  const TypeId func = b.add_func("f", b.add_func_proto(u32, {}), Linkage::global);
  auto before = b.build();
  ASSERT_TRUE(before);
  auto bytes = downgraded(**before, {.func_global = false});
  ASSERT_TRUE(bytes);
  auto after = Btf::parse(*bytes);
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->type(func).kind(), Kind::func);
  EXPECT_EQ((*after)->type(func).linkage(), Linkage::static_);
}

}  // namespace
}  // namespace espy::btf
