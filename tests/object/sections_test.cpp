// Every row of the section table, read from an object that clang compiled.
#include "object/sections.hpp"

#include "compile.hpp"

namespace espy::object {
namespace {

/// One program for each form a row's name may take.
struct Case {
  std::string section, target;
  bool autoload = true;
};

std::vector<Case> cases_of(const SectionRow& row) {
  const std::string kind(row.kind);
  std::vector<Case> cases;
  if (row.suffix != SectionSuffix::required) cases.push_back({kind, "", true}), cases.push_back({"?" + kind, "", false});
  if (row.suffix != SectionSuffix::none) cases.push_back({kind + "/a/b:c+1", "a/b:c+1", true});
  return cases;
}

TEST(Sections, EachRowIsReadFromACompiledObject) {
  std::string source;
  std::size_t number = 0;
  for (const SectionRow& row : section_table())
    for (const Case& form : cases_of(row)) source += fmt::format("SEC(\"{}\") int p{}(void *ctx) {{ return {}; }}\n", form.section, number++, number);
  ObjectSpec object = read_source("every_section", source);
  ASSERT_EQ(object.programs.size(), number);
  number = 0;
  for (const SectionRow& row : section_table()) {
    for (const Case& form : cases_of(row)) {
      const ProgramSpec* program = object.find_program(fmt::format("p{}", number++));
      ASSERT_NE(program, nullptr) << form.section;
      EXPECT_EQ(program->code.section, form.section);
      EXPECT_EQ(program->section_kind, row.kind) << form.section;
      EXPECT_EQ(program->type, row.type) << form.section;
      EXPECT_EQ(program->attach_type, row.attach_type) << form.section;
      EXPECT_EQ(program->flags, row.flags) << form.section;
      EXPECT_EQ(program->attach_target, form.target) << form.section;
      EXPECT_EQ(program->autoload, form.autoload) << form.section;
      EXPECT_EQ(program->autoattach, row.autoattach && !form.target.empty()) << form.section;
    }
  }
}

TEST(Sections, NamesThatOnlyBeginLikeAKindAreOldOnes) {
  EXPECT_FALSE(match_section("xdp_prog"));
  EXPECT_FALSE(match_section("xdp/anything"));
  EXPECT_FALSE(match_section("kprobes/x"));
  EXPECT_EQ(match_section_loosely("xdp_prog")->row->kind, "xdp");
  EXPECT_EQ(match_section_loosely("cgroup/connect4_v2")->row->kind, "cgroup/connect4");
  ObjectSpec object = read_source("old_names", R"(
    SEC("xdp_prog") int a(void *ctx) { return 1; }
    SEC("classifier") int b(void *ctx) { return 2; }
    SEC("kprob/vfs_read") int c(void *ctx) { return 3; })");
  ASSERT_EQ(object.programs.size(), 3U);
  EXPECT_EQ(object.find_program("a")->type, facts::ProgType::xdp);
  EXPECT_TRUE(warns(object, "does not know this section name"));
  EXPECT_TRUE(warns(object, "an old section name"));
  EXPECT_EQ(object.find_program("c")->type, facts::ProgType::unspec);
  EXPECT_TRUE(warns(object, "`c` cannot be loaded"));
}

}  // namespace
}  // namespace espy::object
