#include "trace/run/session.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "kernel/capabilities.hpp"
#include "kernel/test_support.hpp"
#include "trace/run/test_script.hpp"

namespace espy::trace::run {
namespace {

using probes::Provider;
using testing::TemporaryFile;
using testing::TestScript;

struct Ran {
  Result<int> code{0};
  std::string output;
  std::vector<std::string> told;
};

Ran run(const TestScript& script, RunOptions options = {}) {
  Ran ran;
  TemporaryFile file;
  options.output.file = file.path();
  options.tell = [&](std::string_view message) { ran.told.emplace_back(message); };
  auto compiled = script.compiled();
  if (!compiled) {
    ran.code = std::unexpected(compiled.error());
    return ran;
  }
  ran.code = run_script(std::move(*compiled), options);
  ran.output = file.text();
  return ran;
}

std::uint32_t add_exit(TestScript& script) {
  Action action{.kind = Action::Kind::exit, .size = 16, .control = true};
  action.arguments = {{.name = {}, .type = int64_type(), .offset = 8}};
  return script.action(std::move(action));
}

TEST(Session, BeginPrintsAndExitsWithItsCode) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  const auto print = script.printf_number("hi ");
  const auto exit = add_exit(script);
  script.program("begin", Provider::begin, "begin", script.send(print, {42}) + script.send(exit, {7}) + script.send(print, {1}));
  script.program("end", Provider::end, "end", script.send(print, {99}));
  Ran ran = run(script);
  ASSERT_OK(ran.code);
  EXPECT_EQ(*ran.code, 7);
  // What came behind exit() is not shown; the end probe's is.
  EXPECT_EQ(ran.output, "Attached 2 probes\nhi 42\nhi 99\n\n\n");
}

TEST(Session, JsonIsOneObjectALine) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  const auto print = script.printf_number("a \"b\" ");
  const auto exit = add_exit(script);
  script.program("begin", Provider::begin, "begin", script.send(print, {static_cast<std::uint64_t>(-5)}) + script.send(exit, {0}));
  Ran ran = run(script, {.output = {.form = OutputForm::json}});
  ASSERT_OK(ran.code);
  EXPECT_EQ(ran.output, "{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n{\"type\": \"printf\", \"data\": \"a \\\"b\\\" -5\\n\"}\n");
}

TEST(Session, IntervalPrintsTheMapOfThatMomentThenClearsIt) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  script.ebpf_map("AT_x type=percpu_hash key=8 value=8 max_entries=16");
  MapPlan map{.name = "@x", .map = "AT_x", .key = int64_type(), .value = simple_type(Kind::count), .per_cpu = true, .key_bytes = 8, .value_bytes = 8};
  script.plan.maps.push_back(map);
  const auto print = script.action({.kind = Action::Kind::print_map, .map = 0, .size = 24, .control = true});
  const auto clear = script.action({.kind = Action::Kind::clear, .map = 0, .size = 8, .control = true});
  const auto exit = add_exit(script);
  // @x[5] = 3; twice, at two times: the second print must not see what was cleared.
  const std::string store = "  *(u64 *)(r10 -8) = 5\n  *(u64 *)(r10 -16) = 3\n  r1 = map[AT_x] ll\n  r2 = r10\n  r2 += -8\n  r3 = r10\n  r3 += -16\n  r4 = 0\n  call bpf_map_update_elem\n";
  script.program("begin", Provider::begin, "begin", store);
  script.program("tick", Provider::interval, "interval:ms:20", script.send(print, {0, 0}) + script.send(clear, {}) + script.send(print, {0, 0}) + script.send(exit, {0}));
  Ran ran = run(script, {.output = {.quiet = true}});
  ASSERT_OK(ran.code);
  EXPECT_EQ(ran.output, "@x[5]: 3\n\n\n");
}

TEST(Session, LossesAreCountedExactlyAndNamed) {
  SKIP_WITHOUT_BPF();
  TestScript script(4096);
  script.ebpf_map("counters type=percpu_array key=4 value=8 max_entries=1");
  script.plan.counters = {{.kind = Counter::Kind::lost_records, .index = 0}};
  const auto print = script.printf_number("");
  const auto exit = add_exit(script);
  std::string flood;
  for (std::uint64_t i = 0; i < 400; ++i) flood += script.send(print, {i}, 0);
  script.program("begin", Provider::begin, "begin", flood);
  script.program("tick", Provider::interval, "interval:ms:20", script.send(exit, {0}));
  Ran ran = run(script, {.output = {.quiet = true}});
  ASSERT_OK(ran.code);
  // 16 bytes behind a header of 8: 170 records fit into 4096 (the last byte stays free).
  std::size_t shown = 0;
  while (ran.output.starts_with(fmt::format("{}\n", shown))) ran.output.erase(0, fmt::format("{}\n", shown++).size());
  EXPECT_EQ(ran.output, fmt::format("Lost {} events of begin\n\n\n", 400 - shown));
  EXPECT_EQ(shown, 170U);

  Ran json = run(script, {.output = {.form = OutputForm::json, .quiet = true}});
  ASSERT_OK(json.code);
  EXPECT_NE(json.output.find(fmt::format("{{\"type\":\"lost_events\", \"count\":{}, \"probe\":\"begin\"}}\n", 400 - shown)), std::string::npos) << json.output;
}

TEST(Session, AttachedProbeCountsUntilItIsStopped) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  script.ebpf_map("AT_ type=percpu_array key=4 value=16 max_entries=1");
  script.plan.maps.push_back({.name = "@", .map = "AT_", .value = simple_type(Kind::count), .per_cpu = true, .key_bytes = 4, .value_bytes = 16});
  const std::string count = "  *(u32 *)(r10 -4) = 0\n  r2 = r10\n  r2 += -4\n  r1 = map[AT_] ll\n  call bpf_map_lookup_elem\n  if r0 == 0 goto none\n"
                            "  r1 = 1\n  lock *(u64 *)(r0 +0) += r1\n  *(u64 *)(r0 +8) = 1\nnone:\n";
  script.program("calls", Provider::rawtracepoint, "rawtracepoint:sys_enter", count, {{.probe = probe::RawTracepoint{"sys_enter"}}});
  auto child = Child::spawn("/bin/true");
  ASSERT_OK(child);
  Ran ran = run(script, {.output = {.quiet = true}, .child = &*child});
  ASSERT_OK(ran.code);
  EXPECT_EQ(*ran.code, 0);
  ASSERT_TRUE(ran.output.starts_with("\n\n@: ")) << ran.output;
  EXPECT_GT(std::atoi(ran.output.c_str() + 5), 10);
  ASSERT_TRUE(child->status().has_value());
  EXPECT_TRUE(WIFEXITED(*child->status()));
}

TEST(Session, TheEndOfAProcessEndsIt) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  script.program("begin", Provider::begin, "begin", "");
  const int pid = ::fork();
  if (pid == 0) {
    ::usleep(50'000);
    ::_exit(3);
  }
  Ran ran = run(script, {.pid = pid});
  int status = 0;
  ::waitpid(pid, &status, 0);
  ASSERT_OK(ran.code);
  EXPECT_EQ(ran.output, "Attached 1 probe\n\n\n");
  Ran gone = run(script, {.pid = pid});
  ASSERT_FALSE(gone.code.has_value());
  EXPECT_EQ(gone.code.error().kind, ErrorKind::not_found);
}

TEST(Session, ASignalEndsItAndEndProbesRun) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  const auto print = script.printf_number("end ");
  const auto self = script.printf_number("self ");
  script.program("self", Provider::self, "self:signal:SIGUSR1", script.send(self, {1}));
  script.program("end", Provider::end, "end", script.send(print, {2}));
  Ran ran = run(script, {.output = {.quiet = true}, .attached = [] {
    ::kill(::getpid(), SIGUSR1);
    ::kill(::getpid(), SIGINT);
  }});
  ASSERT_OK(ran.code);
  EXPECT_EQ(*ran.code, 0);
  EXPECT_EQ(ran.output, "self 1\nend 2\n\n\n");
}

// Stacks by their ids in a map: the kernel's functions, and ours, named.
TEST(Session, StacksAreNamed) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  script.ebpf_map("stacks_8 type=stack_trace key=4 value=64 max_entries=128");
  Type kernel = simple_type(Kind::kstack), user = simple_type(Kind::ustack);
  kernel.count = user.count = 8;
  Action action{.kind = Action::Kind::printf, .format = {{.conversion = "s"}, {.literal = "|", .conversion = "s"}, {.literal = "|\n"}}, .size = 40};
  action.arguments = {{.name = {}, .type = kernel, .offset = 8}, {.name = {}, .type = user, .offset = 16}};
  const auto print = script.action(action);
  // The first system call of this process that is seen: kernel stack in r7, user stack in r8, pid in r9.
  script.program("calls", Provider::rawtracepoint, "rawtracepoint:sys_enter",
                 fmt::format("  r6 = r1\n  call bpf_get_current_pid_tgid\n  r0 >>= 32\n  if r0 != {} goto none\n  r9 = r0\n"
                             "  r1 = r6\n  r2 = map[stacks_8] ll\n  r3 = 0\n  call bpf_get_stackid\n  r7 = r0\n"
                             "  r1 = r6\n  r2 = map[stacks_8] ll\n  r3 = 256\n  call bpf_get_stackid\n  r8 = r0\n"
                             "  r1 = map[ring] ll\n  r2 = 40\n  r3 = 0\n  call bpf_ringbuf_reserve\n  if r0 == 0 goto none\n"
                             "  *(u64 *)(r0 +0) = {}\n  *(u64 *)(r0 +8) = r7\n  *(u64 *)(r0 +16) = r8\n  *(u32 *)(r0 +24) = r9\n  *(u32 *)(r0 +28) = 0\n  *(u64 *)(r0 +32) = 0\n"
                             "  r1 = r0\n  r2 = 0\n  call bpf_ringbuf_submit\nnone:\n", ::getpid(), print),
                 {{.probe = probe::RawTracepoint{"sys_enter"}}});
  Ran ran = run(script, {.output = {.quiet = true}, .attached = [] {
    ::getppid();
    ::kill(::getpid(), SIGTERM);
  }});
  ASSERT_OK(ran.code);
  EXPECT_NE(ran.output.find("syscall_64+"), std::string::npos) << ran.output.substr(0, 2000);
  EXPECT_NE(ran.output.find("getppid+"), std::string::npos) << ran.output.substr(0, 2000);
}

// Kernels before 5.8 have no ring buffer: the same records through a perf event array.
TEST(Session, PerfBuffersServeToo) {
  SKIP_WITHOUT_BPF();
  TestScript script(0);
  script.ebpf_map("ring type=perf_event_array key=4 value=4 max_entries=0");
  const auto print = script.printf_number("n ");
  const auto exit = add_exit(script);
  auto send = [](std::uint32_t action, std::uint64_t value) {
    return fmt::format("  *(u64 *)(r10 -16) = {}\n  *(u64 *)(r10 -8) = {}\n  r1 = r6\n  r2 = map[ring] ll\n  r3 = 0xffffffff ll\n  r4 = r10\n  r4 += -16\n"
                       "  r5 = 16\n  call bpf_perf_event_output\n", action, value);
  };
  script.program("begin", Provider::begin, "begin", "  r6 = r1\n" + send(print, 1) + send(print, 2) + send(exit, 5));
  Ran ran = run(script, {.output = {.quiet = true}});
  ASSERT_OK(ran.code);
  EXPECT_EQ(*ran.code, 5);
  EXPECT_EQ(ran.output, "n 1\nn 2\n\n\n");
}

TEST(Session, CommandsFilesAndTimesAreShown) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  TemporaryFile file;
  ASSERT_OK(write_file(file.path(), bytes_of(std::string_view("contents\n"))));
  const auto system = script.action({.kind = Action::Kind::system, .format = {{.literal = "echo a; echo b"}}, .size = 8});
  const auto cat = script.action({.kind = Action::Kind::cat, .format = {{.literal = file.path()}}, .size = 8});
  const auto none = script.action({.kind = Action::Kind::cat, .format = {{.literal = "/no/such/file"}}, .size = 8});
  const auto time = script.action({.kind = Action::Kind::time, .text = {"%Y\n"}, .size = 8});
  const auto join = script.action({.kind = Action::Kind::join, .arguments = {{.name = {}, .type = string_type(8), .offset = 16}}, .text = {","}, .size = 16});
  const auto value = script.action({.kind = Action::Kind::print_value, .arguments = {{.name = {}, .type = tuple_of({int64_type(), integer_type(4, true)}), .offset = 8}}, .size = 24});
  const auto exit = add_exit(script);
  script.plan.config.max_cat_bytes = 4;
  script.program("begin", Provider::begin, "begin",
                 script.send(system, {}) + script.send(cat, {}) + script.send(none, {}) + script.send(time, {}) +
                     script.send(join, {2, 0x6f77742b656e6f, 0x7a79}) + script.send(value, {7, 0xffffffffffffffff}) + script.send(exit, {0}));
  Ran ran = run(script, {.output = {.quiet = true}});
  ASSERT_OK(ran.code);
  EXPECT_TRUE(ran.output.starts_with("a\nb\ncont20")) << ran.output;
  EXPECT_TRUE(ran.output.ends_with("\none+two,yz\n(7, -1)\n\n\n")) << ran.output;
  ASSERT_EQ(ran.told.size(), 1U);
  EXPECT_EQ(ran.told[0], "ERROR: failed to open file '/no/such/file': No such file or directory");
  Ran json = run(script, {.output = {.form = OutputForm::json, .quiet = true}});
  EXPECT_TRUE(json.output.starts_with("{\"type\": \"syscall\", \"data\": \"a\\nb\\n\"}\n{\"type\": \"cat\", \"data\": \"cont\"}\n{\"type\": \"time\", \"data\": \"20")) << json.output;
  EXPECT_TRUE(json.output.ends_with("{\"type\": \"join\", \"data\": \"one+two,yz\"}\n{\"type\": \"value\", \"data\": [7,-1]}\n")) << json.output;
}

TEST(Session, ProblemsAreToldWithTheirPlace) {
  SKIP_WITHOUT_BPF();
  Sources sources;
  sources.add("x.bt", "begin {\n  errorf(\"bad %d\", 1);\n}\n");
  const Span at{10, 28, 0};
  TestScript script;
  script.ebpf_map("counters type=percpu_array key=4 value=16 max_entries=1");
  script.plan.maps.push_back({.name = "@m", .map = "none", .key = int64_type(), .value = int64_type(), .key_bytes = 8, .value_bytes = 8});
  script.plan.counters = {{.kind = Counter::Kind::map_full, .index = 0}, {.kind = Counter::Kind::read_failed, .index = 0}};
  Action error{.kind = Action::Kind::errorf, .at = at, .format = {{.literal = "bad ", .conversion = "d"}}, .size = 16};
  error.arguments = {{.name = {}, .type = int64_type(), .offset = 8}};
  const auto bad = script.action(error);
  const auto failed = script.action({.kind = Action::Kind::runtime_error, .at = at, .text = {"map update"}, .size = 16, .control = true});
  const auto exit = add_exit(script);
  const std::string count = "  *(u32 *)(r10 -4) = 0\n  r2 = r10\n  r2 += -4\n  r1 = map[counters] ll\n  call bpf_map_lookup_elem\n  if r0 == 0 goto none\n"
                            "  *(u64 *)(r0 +0) = 3\n  *(u64 *)(r0 +8) = 2\nnone:\n";
  script.program("begin", Provider::begin, "begin", count + script.send(bad, {1}) + script.send(failed, {static_cast<std::uint64_t>(-7)}) + script.send(exit, {0}));
  Ran ran = run(script, {.output = {.quiet = true}, .sources = &sources});
  ASSERT_OK(ran.code);
  EXPECT_NE(ran.output.find("x.bt:2:3-21: ERROR: bad 1\n  errorf("), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("WARNING: Map full; can't update element.\nAdditional Info - helper: map_update_elem, retcode: -7"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("Map full; can't update element: @m, 3 times"), std::string::npos) << ran.output;
  EXPECT_EQ(ran.output.find("could not be read"), std::string::npos) << ran.output;
  Ran json = run(script, {.output = {.form = OutputForm::json, .quiet = true}, .failed_reads = true, .sources = &sources});
  EXPECT_NE(json.output.find("{\"type\": \"errorf\", \"msg\": \"bad 1\", \"filename\": \"x.bt\", \"line\": 2, \"col\": 3}\n"), std::string::npos) << json.output;
  EXPECT_NE(json.output.find("\"map\": \"@m\", \"count\": 3}\n"), std::string::npos) << json.output;
  EXPECT_NE(json.output.find("memory could not be read 2 times in begin"), std::string::npos) << json.output;
}

TEST(Session, RecordsThatMakeNoSenseAreLeftOut) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  const auto print = script.printf_number("ok ");
  const auto exit = add_exit(script);
  script.program("begin", Provider::begin, "begin", script.send(4711, {1}) + script.send(print, {}) + script.send(print, {1}) + script.send(exit, {0}));
  Ran ran = run(script, {.output = {.quiet = true}});
  ASSERT_OK(ran.code);
  EXPECT_EQ(ran.output, "ok 1\n\n\n");
  ASSERT_EQ(ran.told.size(), 1U);
  EXPECT_EQ(ran.told[0], "WARNING: 2 records could not be read");
}

TEST(Session, WithoutPrivilegesItSaysWhichAreMissing) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  script.program("begin", Provider::begin, "begin", "");
  TemporaryFile told;
  const int pid = ::fork();
  if (pid == 0) {
    bool dropped = kernel::keep_capabilities({}).has_value();
    auto ran = run_script(std::move(*script.compiled()), {});
    auto written = write_file(told.path(), bytes_of(std::string_view(ran ? "it ran" : describe(ran.error()))));
    ::_exit(dropped && written ? 0 : 1);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  ASSERT_EQ(status, 0);
  EXPECT_NE(told.text().find("CAP_BPF"), std::string::npos) << told.text();
  EXPECT_NE(told.text().find("--explain"), std::string::npos) << told.text();
}

TEST(Session, MissingProbesAreErrorsOrWarnings) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  const auto exit = add_exit(script);
  script.program("begin", Provider::begin, "begin", script.send(exit, {0}));
  script.program("gone", Provider::rawtracepoint, "rawtracepoint:no_such_event", "", {{.probe = probe::RawTracepoint{"no_such_event"}}});
  Ran strict = run(script);
  ASSERT_FALSE(strict.code.has_value());
  EXPECT_NE(describe(strict.code.error()).find("no_such_event"), std::string::npos);
  script.plan.config.missing_probes = MissingProbes::warn;
  Ran warned = run(script);
  ASSERT_OK(warned.code);
  EXPECT_EQ(warned.output, "Attached 1 probe\n\n\n");
  ASSERT_EQ(warned.told.size(), 1U);
  script.plan.config.missing_probes = MissingProbes::ignore;
  EXPECT_TRUE(run(script).told.empty());
}

TEST(Session, RejectedProgramTellsWhy) {
  SKIP_WITHOUT_BPF();
  TestScript script;
  script.program("begin", Provider::begin, "begin", "  r0 = *(u64 *)(r9 +0)\n");
  Ran ran = run(script);
  ASSERT_FALSE(ran.code.has_value());
  EXPECT_EQ(ran.code.error().kind, ErrorKind::rejected);
  EXPECT_NE(describe(ran.code.error()).find("R9 !read_ok"), std::string::npos) << describe(ran.code.error());
}

TEST(Child, CommandsThatAreNotThereSaySo) {
  auto missing = Child::spawn("/no/such/command x");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(Child::spawn("  ").has_value());
}

TEST(Child, OneThatNeverRanIsEnded) {
  int pid = 0;
  {
    auto child = Child::spawn("sleep 100");
    ASSERT_OK(child);
    pid = child->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(Shell, OutputIsGathered) {
  std::string out;
  ASSERT_OK(run_shell("echo a; echo b; exit 3", out));
  EXPECT_EQ(out, "a\nb\n");
}

}  // namespace
}  // namespace espy::trace::run
