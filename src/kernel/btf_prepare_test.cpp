#include "kernel/btf_prepare.hpp"

#include "btf/builder.hpp"
#include "kernel/test_support.hpp"

namespace espy::kernel {
namespace {

using btf::Kind;
using btf::Linkage;

TEST(PrepareBtf, TurnsExternsIntoDefinitions) {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .offset = 0, .is_signed = true});
  auto longer = builder.add_int("long", 8, {.bits = 64, .offset = 0, .is_signed = true});
  auto proto = builder.add_func_proto(integer, {{"", longer}, {"named", integer}});
  auto function = builder.add_func("bpf_do", proto, Linkage::extern_);
  auto variable = builder.add_var("runqueues", longer, Linkage::extern_);
  auto config = builder.add_var("CONFIG_HZ", integer, Linkage::extern_);
  auto ksyms = builder.add_datasec(".ksyms", 0, {{function, 0, 0}, {variable, 0, 0}});
  auto kconfig = builder.add_datasec(".kconfig", 4, {{config, 0, 4}});
  auto before = builder.build();
  ASSERT_OK(before);
  auto after = btf::Btf::parse(prepare_btf(**before));
  ASSERT_OK(after);
  ASSERT_OK((*after)->validate());
  const btf::Btf& btf = **after;
  EXPECT_EQ(btf.type(function).linkage(), Linkage::global);
  EXPECT_EQ(btf.type(proto).param(0).name, "ksym_function");
  EXPECT_EQ(btf.type(proto).param(1).name, "named");
  EXPECT_EQ(btf.type(config).linkage(), Linkage::global);
  EXPECT_EQ(btf.type(config).target(), integer);
  EXPECT_EQ(btf.type(variable).linkage(), Linkage::global);
  EXPECT_EQ(btf.type(variable).target(), integer);
  EXPECT_EQ(btf.type(kconfig).section_var(0).type, config);
  ASSERT_EQ(btf.type(ksyms).vlen(), 2U);
  EXPECT_EQ(btf.type(ksyms).size(), 8U);
  EXPECT_EQ(btf.type(btf.type(ksyms).section_var(0).type).kind(), Kind::var);
  EXPECT_EQ(btf.type(ksyms).section_var(1).type, variable);
  EXPECT_EQ(btf.type(ksyms).section_var(1).offset, 4U);
}

TEST(PrepareBtf, LeavesTheRestAsItIs) {
  btf::Builder builder;
  auto integer = builder.add_int("int", 4, {.bits = 32, .offset = 0, .is_signed = true});
  builder.add_func("mine", builder.add_func_proto(integer, {}), Linkage::static_);
  builder.add_struct(Kind::struct_, "pair", 8, {{"a", integer, 0}, {"b", integer, 32}});
  auto before = builder.build();
  ASSERT_OK(before);
  Bytes bytes = (*before)->bytes();
  EXPECT_EQ(prepare_btf(**before), std::vector<std::byte>(bytes.begin(), bytes.end()));
}

}  // namespace
}  // namespace espy::kernel
