#include <gtest/gtest.h>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "trace/probes/arguments.hpp"

namespace espy::trace::probes {
namespace {

std::string recorded(const std::string& name) {
  return read_text_file(std::string(ESPY_SOURCE_DIR) + "/src/trace/probes/testdata/format/" + name).value();
}

const Argument& field(const ArgumentSet& set, std::string_view name) {
  for (const Argument& argument : set.arguments)
    if (argument.name == name) return argument;
  throw std::out_of_range(std::string(name));
}

TEST(Format, ReadsFieldsArraysAndSigns) {
  auto fields = parse_format(recorded("sched_switch"));
  ASSERT_TRUE(fields);
  ASSERT_EQ(fields->size(), 7U);
  EXPECT_EQ((*fields)[0].name, "prev_comm");
  EXPECT_EQ((*fields)[0].spelling, "char[16]");
  EXPECT_EQ((*fields)[0].offset, 8U);
  EXPECT_EQ((*fields)[3].spelling, "long");
  EXPECT_TRUE((*fields)[3].is_signed);
}

TEST(Format, KnowsDynamicFields) {
  auto fields = parse_format(recorded("sched_process_exec"));
  ASSERT_TRUE(fields);
  EXPECT_EQ((*fields)[0].name, "filename");
  EXPECT_EQ((*fields)[0].spelling, "char[]");
  EXPECT_EQ((*fields)[0].dynamic, RecordField::Dynamic::from_start);
  auto set = typed(*fields, nullptr);
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_EQ(std::get<Located>(field(*set, "filename").source).offset, 8U);
  EXPECT_EQ(set->btf->type(field(*set, "filename").type).kind(), btf::Kind::array);
}

TEST(Format, ReadsRelativeDynamicFields) {
  auto fields = parse_format("format:\n\tfield:__rel_loc char[] text;\toffset:8;\tsize:4;\tsigned:0;\n");
  ASSERT_TRUE(fields);
  auto set = typed(*fields, nullptr);
  EXPECT_EQ(std::get<Located>(field(*set, "text").source).from, 12U);
}

// A system call's fields are 8 bytes wide whatever C type they are of.
TEST(Format, IntegersAreAsWideAsTheField) {
  auto set = typed(parse_format(recorded("sys_enter_openat")).value(), nullptr);
  ASSERT_TRUE(set);
  const Argument& dfd = field(*set, "dfd");
  EXPECT_EQ(dfd.spelling, "int");
  EXPECT_EQ(dfd.size, 8U);
  EXPECT_EQ(set->btf->size_of(dfd.type).value(), 8U);
  EXPECT_EQ(set->btf->type(field(*set, "filename").type).kind(), btf::Kind::ptr);
}

TEST(Format, TypesComeFromTheKernel) {
  auto base = btf::Btf::kernel();
  if (!base) GTEST_SKIP() << "no kernel BTF: " << base.error().message;
  auto set = typed(parse_format(recorded("sched_switch")).value(), *base);
  ASSERT_TRUE(set) << describe(set.error());
  EXPECT_EQ(set->btf->type_name(field(*set, "prev_pid").type), "pid_t");
  EXPECT_EQ(set->btf->type_name(field(*set, "prev_comm").type), "char[16]");
  auto call = typed(parse_format(recorded("sys_enter_openat")).value(), *base);
  EXPECT_EQ(call->btf->type_name(field(*call, "filename").type), "char *");
}

TEST(Format, RefusesWhatIsNone) {
  for (std::string_view text : {"", "format:\n\tfield:int a;\toffset:x;\tsize:4;", "format:\nfield:int a;", "format:\n\tfield:;\toffset:0;\tsize:4;",
                                "format:\n\tfield:int a;\toffset:99999999;\tsize:4;", "format:\n\tfield:__data_loc char[] a;\toffset:0;\tsize:8;"})
    EXPECT_FALSE(parse_format(text)) << text;
}

TEST(Registers, AreFoundByName) {
  EXPECT_TRUE(named_register("ip"));
  EXPECT_TRUE(named_register("sp"));
  EXPECT_FALSE(named_register("xmm0"));
#if defined(__x86_64__)
  EXPECT_EQ(named_register("rdi"), argument_register(0));
  EXPECT_EQ(named_register("ax"), result_register());
  EXPECT_EQ(named_register("r10"), syscall_register(3));
  EXPECT_FALSE(argument_register(6));
#endif
}

}  // namespace
}  // namespace espy::trace::probes
