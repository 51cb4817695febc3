#include "trace/expand/expand.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/fd.hpp"
#include "trace/syntax/parser.hpp"
#include "trace/syntax/print.hpp"

namespace espy::trace {
namespace {

struct Result {
  Sources sources;
  Diagnostics diagnostics;
  Expanded expanded;
  std::string errors() const {
    std::string text;
    for (const Diagnostic& it : diagnostics.all()) text += render(it, sources, false);
    return text;
  }
  /// The statements of the first probe.
  std::string body() const { return expanded.script.probes.empty() ? "" : dump(expanded.script.probes[0].body); }
};

std::unique_ptr<Result> run(const std::string& text, const ExpandOptions& options = {}, const std::string& name = "s.bt") {
  auto result = std::make_unique<Result>();
  Script script = parse(result->sources, result->sources.add(name, text), result->diagnostics);
  result->expanded = expand(std::move(script), result->sources, options, result->diagnostics);
  return result;
}

std::string body_of(const std::string& text) {
  const auto result = run(text);
  EXPECT_EQ(result->errors(), "") << text;
  return result->body();
}

/// A body as the parser would read it.
std::string parsed(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  Script script = parse(sources, sources.add("s", "begin { " + text + " }"), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors()) << text;
  return dump(script.probes.at(0).body);
}

TEST(Macros, ExpressionsArePutInAsTrees) {
  EXPECT_EQ(body_of("macro twice(x) { x * 2 } begin { $a = twice(1 + 2); }"), parsed("$a = (1 + 2) * 2;"));
  EXPECT_EQ(body_of("macro one() { 1 } begin { $a = one() + one; }"), parsed("$a = 1 + 1;"));
  EXPECT_EQ(body_of("macro f(x) { g(x) } macro g(x) { x + 1 } begin { print(f(f(3))); }"), parsed("print(3 + 1 + 1);"));
}

TEST(Macros, VariablesOfTheBodyAreItsOwn) {
  const std::string body = body_of("macro f(x) { let $t = x; $t + $t } begin { $t = 5; $u = f($t); }");
  EXPECT_NE(body.find("let $t#1\n      variable $t\n"), std::string::npos) << body;
  EXPECT_EQ(body_of("macro set($v, x) { $v = x; } begin { $a = 0; set($a, 5); }"), parsed("$a = 0; { $a = 5; }"));
  EXPECT_EQ(body_of("macro add(@m, k) { @m[k]++; } begin { add(@x, pid); }"), parsed("{ @x[pid]++; }"));
  EXPECT_EQ(body_of("macro all(@m) { for $kv : @m { print(1); } } begin { all(@x); }").find("for $kv#1 : @x"), 8U);
}

TEST(Macros, OverloadsByNumberAndKind) {
  EXPECT_EQ(body_of("macro f(a) { f(a, 1) } macro f(a, b) { a + b } begin { $x = f(5); }"), parsed("$x = 5 + 1;"));
  EXPECT_EQ(body_of("macro f(@m) { 1 } macro f($v) { 2 } macro f(e) { 3 } begin { print((f(@a), f($a), f(@a[1]))); }"), parsed("print((1, 2, 3));"));
}

TEST(Macros, TypesAsArguments) {
  EXPECT_EQ(body_of("macro c(p, type, member) { (type *)((uint64)p - offsetof(type, member)) }"
                    "begin { $x = c($p, struct task_struct, se); }"),
            parsed("$x = (struct task_struct *)((uint64)$p - offsetof(struct task_struct, se));"));
  EXPECT_EQ(body_of("macro s(t) { sizeof(typeof(t)) } begin { $x = s(struct a); }"), parsed("$x = sizeof(struct a);"));
}

TEST(Macros, ErrorsShowBothPlaces) {
  const auto unhygienic = run("macro f() { @x = 1; }\nbegin { f(); }");
  EXPECT_EQ(unhygienic->errors(),
            "s.bt:1:13-15: ERROR: macro `f` uses @x, which is not one of its parameters\nmacro f() { @x = 1; }\n            ~~\n"
            "HINT: give it the map: macro f(…, @x)\n"
            "s.bt:2:9-12: NOTE: in the expansion of macro `f`\nbegin { f(); }\n        ~~~\n");
  EXPECT_NE(run("macro f(a) { f(a) } begin { f(1); }")->errors().find("expands to a use of itself"), std::string::npos);
  EXPECT_NE(run("macro f(a) { g(a) } macro g(a) { f(a) } begin { f(1); }")->errors().find("in the expansion of macro `g`"), std::string::npos);
  EXPECT_EQ(run("macro f($v) { $v + 1 } begin { $x = f(5); }")->errors(), "");
  EXPECT_NE(run("macro f(@m) { 1 } begin { $x = f(@a[1]); }")->errors().find("macro `f` wants a map without keys here"), std::string::npos);
  EXPECT_NE(run("macro f(a) { 1 } begin { $x = f(5, 6); }")->errors().find("no macro `f` takes 2 arguments"), std::string::npos);
  EXPECT_NE(run("macro f(a) { print(a); } begin { $x = f(5); }")->errors().find("macro `f` gives no value"), std::string::npos);
  EXPECT_NE(run("macro f(a) { 1 } macro f(b) { 2 } begin { }")->errors().find("macro `f(b)` is there already"), std::string::npos);
  EXPECT_NE(run("macro f(a, a) { 1 } begin { }")->errors().find("two parameters of this name"), std::string::npos);
}

TEST(Macros, GrowthIsBounded) {
  std::string text = "macro f0(x) { x + x }\n";
  for (int number = 1; number < 60; ++number) text += fmt::format("macro f{}(x) {{ f{}(x + x) }}\n", number, number - 1);
  EXPECT_NE(run(text + "begin { $a = f59(1); }")->errors().find("expand to too much"), std::string::npos);
}

TEST(Arguments, PositionalOnesAreNumbersOrStrings) {
  const ExpandOptions options{.arguments = {.positional = {"42", "abc", "-7", "0x10"}}};
  const auto result = run("begin { print(($1, $2, $3, $4, $5, $#, str($1), str($2 + 1), str($2, 2), str($5), str($2 + 9))); }", options);
  EXPECT_EQ(result->errors(), "");
  EXPECT_EQ(result->body(), parsed("print((42, \"abc\", -7, 0x10, 0, 4, \"42\", \"bc\", \"ab\", \"\", \"\"));").replace(
      parsed("print((42, \"abc\", -7));").find("unary"), std::string_view("unary -\n      integer 7").size(), "integer -7"));
}

TEST(Arguments, InAttachPoints) {
  const ExpandOptions options{.arguments = {.positional = {"/bin/sh", "99"}}};
  const auto result = run("uprobe:$1:f$$, profile:hz:$2 { } interval:s:$3 { } begin /$2 == 99/ { }", options);
  EXPECT_EQ(result->expanded.script.probes[0].attach_points[0].text, "uprobe:/bin/sh:f$$");
  EXPECT_EQ(result->expanded.script.probes[0].attach_points[1].text, "profile:hz:99");
  EXPECT_EQ(result->errors(), "s.bt:1:34-47: ERROR: parameter $3 of this probe is not given\n"
            "uprobe:$1:f$$, profile:hz:$2 { } interval:s:$3 { } begin /$2 == 99/ { }\n                                 ~~~~~~~~~~~~~\n"
            "HINT: 2 parameters are given behind the script\n");
}

TEST(Options, TheirDefaultsSayWhatTheyAre) {
  const std::string script = "begin { print((getopt(\"a\"), getopt(\"n\", 5, \"how many\"), getopt(\"s\", \"x\"), getopt(\"b\", true), getopt(\"m\", -3))); }";
  EXPECT_EQ(body_of(script).find("unary"), std::string::npos);
  const std::vector<std::string> before = {"pos"}, after = {"--a", "--n=7", "--s=y=z", "--b=0", "last"};
  const ScriptArguments arguments = read_arguments(before, after);
  EXPECT_EQ(arguments.positional, (std::vector<std::string>{"pos", "last"}));
  const auto result = run(script, {.arguments = arguments});
  EXPECT_EQ(result->errors(), "");
  EXPECT_EQ(result->body().substr(0, result->body().find("integer -3")), parsed("print((true, 7, \"y=z\", false, 1));").substr(0, result->body().find("integer -3")));
  EXPECT_EQ(options_help("s.bt", result->expanded.options),
            "USAGE: espy trace s.bt -- [OPTIONS]\n\nOPTIONS:\n    --a\n    --n=INTEGER  how many (default: 5)\n    --s=STRING   (default: \"x\")\n"
            "    --b          (default: true)\n    --m=INTEGER  (default: -3)\n");
  EXPECT_TRUE(run(script, {.arguments = {.named = {{"help", "true"}}}})->expanded.help_wanted);
}

TEST(Options, Mistakes) {
  const auto errors = [](const std::string& script, std::vector<std::pair<std::string, std::string>> named) {
    return run(script, {.arguments = {.named = std::move(named)}})->errors();
  };
  EXPECT_NE(errors("begin { getopt(\"count\", 5); }", {{"count", "x"}}).find("--count wants an integer, not `x`"), std::string::npos);
  EXPECT_NE(errors("begin { getopt(\"count\", 5); }", {{"coun", "1"}}).find("did you mean --count?"), std::string::npos);
  EXPECT_NE(errors("begin { getopt($x); }", {}).find("wants the option's name"), std::string::npos);
  EXPECT_NE(errors("begin { getopt(\"a\", pid); }", {}).find("the default of an option is"), std::string::npos);
  EXPECT_NE(errors("begin { getopt(\"a\"); getopt(\"a\", 1); }", {}).find("--a is an integer here"), std::string::npos);
}

class Imports : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/espy-imports-XXXXXX";
    directory_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(directory_ + "/" + name).parent_path());
    ASSERT_TRUE(write_file(directory_ + "/" + name, bytes_of(text)));
    chmod((directory_ + "/" + name).c_str(), 0644);
  }
  auto import(const std::string& script, const ExpandOptions& options = {}) { return run(script, options, directory_ + "/main.bt"); }
  std::string directory_;
};

TEST_F(Imports, ScriptsHeadersAndDirectoriesOnceEach) {
  write("a.bt", "import \"b.bt\";\nmacro one() { 1 }\nend { }");
  write("b.bt", "import \"a.bt\";\nlet @m = hash(10);\nkprobe:b { }");
  write("x.h", "struct x { int a; };");
  write("d/c.bt", "kprobe:c { }");
  write("d/ignored.txt", "?");
  const auto result = import("import \"a.bt\"; import \"x.h\"; import \"d\"; import \"a.bt\"; import \"stdlib/x.bpf.c\";\nstruct own { int b; };\nbegin { $x = one(); }");
  EXPECT_EQ(result->errors(), "");
  ASSERT_EQ(result->expanded.script.probes.size(), 4U);
  EXPECT_EQ(result->expanded.script.maps.size(), 1U);
  ASSERT_EQ(result->expanded.script.preambles.size(), 2U);
  EXPECT_EQ(result->expanded.script.preambles[0].text, "struct x { int a; };");
  EXPECT_EQ(result->body(), parsed("$x = 1;"));
}

TEST_F(Imports, WhatOthersMayWriteIsRefused) {
  write("a.bt", "end { }");
  write("d/c.bt", "end { }");
  chmod((directory_ + "/a.bt").c_str(), 0666);
  chmod((directory_ + "/d").c_str(), 0777);
  const std::string errors = import("import \"a.bt\"; import \"d\"; import \"d/c.bt\"; begin { }")->errors();
  EXPECT_NE(errors.find("a.bt` is not imported: anybody may write it"), std::string::npos) << errors;
  EXPECT_NE(errors.find("d` is not imported: anybody may add files to it"), std::string::npos) << errors;
  EXPECT_NE(errors.find("c.bt` is not imported: anybody may write it"), std::string::npos) << errors;
}

TEST_F(Imports, Mistakes) {
  write("bad.bt", "config = { a = 1 }\nbegin { $x = ; }");
  write("x.txt", "");
  const std::string errors = import("import \"none.bt\"; import \"bad.bt\"; import \"x.txt\"; begin { import \"bad.bt\"; }")->errors();
  EXPECT_NE(errors.find("no file or directory `none.bt` to import"), std::string::npos) << errors;
  EXPECT_NE(errors.find("bad.bt:2:14-15: ERROR: expected an expression"), std::string::npos) << errors;
  EXPECT_NE(errors.find("an imported script has no config block"), std::string::npos) << errors;
  EXPECT_NE(errors.find("x.txt` cannot be imported"), std::string::npos) << errors;
  EXPECT_NE(errors.find("`import` inside a block may change"), std::string::npos) << errors;
  write("ok.bt", "kprobe:x { }");
  const auto allowed = import("config = { unstable_import_statement=enable } begin { import \"ok.bt\"; }");
  EXPECT_EQ(allowed->errors(), "");
  EXPECT_EQ(allowed->expanded.script.probes.size(), 2U);
}

TEST_F(Imports, CIsCompiledWhereThereIsClang) {
  write("f.bpf.c", "int answer(void) { return 42; }");
  write("bad.bpf.c", "int answer(void) { return x; }");
  const std::string path = getenv("PATH");
  setenv("PATH", directory_.c_str(), 1);
  EXPECT_NE(import("import \"f.bpf.c\"; begin { }")->errors().find("needs clang, which is not in PATH"), std::string::npos);
  setenv("PATH", path.c_str(), 1);
  const auto result = import("import \"f.bpf.c\"; begin { }");
  EXPECT_EQ(result->errors(), "");
  ASSERT_EQ(result->expanded.objects.size(), 1U);
  EXPECT_EQ(std::to_integer<int>(result->expanded.objects[0].bytes.at(1)), 'E');
  EXPECT_NE(import("import \"bad.bpf.c\"; begin { }")->errors().find("undeclared identifier"), std::string::npos);
}

}  // namespace
}  // namespace espy::trace
