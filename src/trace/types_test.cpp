#include "trace/types.hpp"

#include <gtest/gtest.h>

#include "btf/builder.hpp"

namespace espy::trace {
namespace {

TEST(Types, AreSpelledAsTheLanguageDoes) {
  EXPECT_EQ(to_string(int64_type()), "int64");
  EXPECT_EQ(to_string(integer_type(1, false)), "uint8");
  EXPECT_EQ(to_string(boolean_type()), "bool");
  EXPECT_EQ(to_string(string_type(16)), "string[16]");
  EXPECT_EQ(to_string(buffer_type(16)), "buffer[16]");
  EXPECT_EQ(to_string(pointer_to(integer_type(4, true), Space::user)), "int32 *");
  EXPECT_EQ(to_string(pointer_to(pointer_to(integer_type(1, true), Space::user), Space::user)), "int8 **");
  EXPECT_EQ(to_string(pointer_to({}, Space::none)), "void *");
  EXPECT_EQ(to_string(array_of(array_of(integer_type(4, true), 3), 2)), "int32[2][3]");
  EXPECT_EQ(to_string(tuple_of({int64_type(), string_type(16)})), "(int64,string[16])");
  EXPECT_EQ(to_string(record_of({{.name = "a", .type = boolean_type()}, {.name = "b", .type = int64_type()}})), "(a=bool,b=int64)");
  EXPECT_EQ(to_string(simple_type(Kind::kstack)), "kstack_t");
}

TEST(Types, TuplesAreLaidOutAlignedAndPadded) {
  const Type tuple = tuple_of({integer_type(1, true), int64_type(), integer_type(2, false), string_type(3)});
  ASSERT_EQ(tuple.fields->size(), 4U);
  EXPECT_EQ((*tuple.fields)[0].offset, 0U);
  EXPECT_EQ((*tuple.fields)[1].offset, 8U);
  EXPECT_EQ((*tuple.fields)[2].offset, 16U);
  EXPECT_EQ((*tuple.fields)[3].offset, 18U);
  EXPECT_EQ(tuple.size, 24U);
  EXPECT_EQ(alignment_of(tuple), 8U);
  EXPECT_EQ(tuple_of({}).size, 0U);
  EXPECT_EQ(tuple_of({string_type(5), string_type(2)}).size, 7U);
}

TEST(Types, AreTheSameByWhatTheyAreMadeOf) {
  EXPECT_TRUE(same_type(pointer_to(int64_type(), Space::user), pointer_to(int64_type(), Space::kernel)));
  EXPECT_FALSE(same_type(int64_type(), uint64_type()));
  EXPECT_FALSE(same_type(string_type(4), string_type(5)));
  EXPECT_TRUE(same_type(tuple_of({int64_type()}), tuple_of({int64_type()})));
  EXPECT_FALSE(same_type(tuple_of({int64_type()}), record_of({{.name = "a", .type = int64_type()}})));
  Type five = simple_type(Kind::kstack), six = five;
  five.count = 5, six.count = 6;
  EXPECT_FALSE(same_type(five, six));
}

TEST(Types, OfBtfLoseTypedefsAndQualifiers) {
  btf::Builder builder;
  const auto integer = builder.add_int("int", 4, {.bits = 32, .is_signed = true});
  const auto flag = builder.add_int("_Bool", 1, {.bits = 8, .is_bool = true});
  const auto constant = builder.add_ref(btf::Kind::const_, "", integer);
  const auto alias = builder.add_ref(btf::Kind::typedef_, "number", constant);
  const auto node = static_cast<btf::TypeId>(builder.next_id() + 1);
  const auto next = builder.add_ref(btf::Kind::ptr, "", node);
  builder.add_struct(btf::Kind::struct_, "node", 16, {{.name = "next", .type = next}, {.name = "n", .type = alias, .bit_offset = 64}});
  const auto many = builder.add_array(next, integer, 4);
  const auto color = builder.add_enum("color", 4, false, {{"red", 1}});
  auto btf = builder.build().value();

  EXPECT_EQ(to_string(type_of_btf(btf, alias, Space::kernel)), "int32");
  EXPECT_EQ(to_string(type_of_btf(btf, flag, Space::kernel)), "bool");
  EXPECT_EQ(to_string(type_of_btf(btf, node, Space::kernel)), "struct node");
  EXPECT_EQ(type_of_btf(btf, node, Space::user).space, Space::user);
  EXPECT_EQ(to_string(type_of_btf(btf, many, Space::kernel)), "struct node *[4]");
  EXPECT_EQ(type_of_btf(btf, many, Space::kernel).size, 32U);
  EXPECT_EQ(to_string(type_of_btf(btf, color, Space::kernel)), "enum color");
  EXPECT_TRUE(same_type(type_of_btf(btf, node, Space::kernel), type_of_btf(btf, node, Space::user)));
  EXPECT_EQ(alignment_of(type_of_btf(btf, node, Space::kernel)), 8U);
}

}  // namespace
}  // namespace espy::trace
