// The example scripts and some one-liners, checked for the machine that this runs on: real probes, the kernel's types.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "trace/c/types.hpp"
#include "trace/check/check.hpp"
#include "trace/expand/expand.hpp"
#include "trace/syntax/parser.hpp"

namespace espy::trace {
namespace {

namespace fs = std::filesystem;

/// What is wrong with a script here; empty: nothing. `checked` gets what it became.
std::string problems(std::string text, std::optional<Checked>& checked) {
  static probes::Machine machine = probes::Machine::running();
  Sources sources;
  Diagnostics diagnostics;
  Script script = parse(sources, sources.add("script", std::move(text)), diagnostics);
  Expanded expanded = expand(std::move(script), sources, {}, diagnostics);
  c::CTypes types = c::parse(expanded.script.preambles, sources, {.kernel = machine.vmlinux().value_or(nullptr)}, diagnostics);
  if (!diagnostics.has_errors()) {
    CheckOptions options{.machine = &machine, .c_types = std::move(types), .resolve_probes = resolver(machine, {})};
    options.all_arguments = [](const probes::Target& target) { return probes::arguments_of(machine, target); };
    options.kernel_symbol = [](std::string_view) -> Result<std::optional<std::uint64_t>> { return 0xffffffff81000000; };
    checked = check(std::move(expanded.script), options, diagnostics);
  }
  std::string out;
  for (const Diagnostic& each : diagnostics.all())
    if (each.severity == Severity::error) out += render(each, sources, false);
  return out;
}

class OnThisMachine : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: tracefs";
    if (access("/sys/kernel/btf/vmlinux", R_OK) != 0) GTEST_SKIP() << "needs CONFIG_DEBUG_INFO_BTF";
  }
};

TEST_F(OnThisMachine, ExamplesAreRight) {
  for (const auto& entry : fs::directory_iterator(fs::path(ESPY_SOURCE_DIR) / "examples/trace")) {
    if (entry.path().extension() != ".bt") continue;
    std::ifstream in(entry.path());
    std::optional<Checked> checked;
    EXPECT_EQ(problems({std::istreambuf_iterator<char>(in), {}}, checked), "") << entry.path().filename();
  }
}

TEST_F(OnThisMachine, ArgumentsHaveTheKernelsTypes) {
  std::optional<Checked> checked;
  ASSERT_EQ(problems("tracepoint:syscalls:sys_enter_openat { $a = args.filename; $b = str(args.filename); $c = args.dfd; }\n"
                     "tracepoint:sched:sched_switch { $d = args.prev_comm; $e = args.prev_pid; $f = args.prev_state; }\n"
                     "rawtracepoint:sched_switch { $g = args.prev; $h = args.prev.comm; $i = args.next->tgid; }\n"
                     "iter:task { $j = ctx.task.pid; $k = ctx.task.comm; $l = ctx.meta.seq_num; }\n",
                     checked),
            "");
  std::map<std::string, std::string> types;
  for (const CheckedProbe& probe : checked->probes)
    for (const CheckedVariable& variable : probe.variables) types[variable.name] = to_string(variable.type);
  EXPECT_TRUE(types["a"] == "int8 *" || types["a"] == "uint8 *") << types["a"];  // kernels since 6.2 have unsigned chars
  EXPECT_EQ(types["b"], "string[1024]");
  EXPECT_TRUE(types["c"].starts_with("int") || types["c"].starts_with("uint")) << types["c"];
  EXPECT_EQ(types["d"], "string[16]");
  EXPECT_EQ(types["e"], "int32");
  EXPECT_EQ(types["f"], "int64");
  EXPECT_EQ(types["g"], "struct task_struct *");
  EXPECT_EQ(types["h"], "string[16]");
  EXPECT_EQ(types["i"], "int32");
  EXPECT_EQ(types["j"], "int32");
  EXPECT_EQ(types["k"], "string[16]");
  EXPECT_EQ(types["l"], "uint64");
}

TEST_F(OnThisMachine, WrongNamesAreSuggested) {
  std::optional<Checked> checked;
  const std::string said = problems("tracepoint:sched:sched_switch { print(args.prev_com); print(curtask.pidd); }", checked);
  EXPECT_NE(said.find("did you mean `prev_comm`?"), std::string::npos) << said;
  EXPECT_NE(said.find("no field `pidd` in `struct task_struct`"), std::string::npos) << said;
  EXPECT_NE(said.find("did you mean `pid`?"), std::string::npos) << said;
}

}  // namespace
}  // namespace espy::trace
