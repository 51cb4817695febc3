// The options of `espy run` and `espy test-run`: what each does, and what it says to a value that makes no sense.
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>

#include "command.hpp"

namespace espy::test {
namespace {

class Options : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!privileged()) GTEST_SKIP() << "loading eBPF needs root (CAP_BPF and CAP_PERFMON)";
    ::unshare(CLONE_NEWNET);  // `lo` takes one XDP program, and tests run side by side
  }
  Outcome run(const std::string& program, const std::vector<std::string>& more) {
    std::vector<std::string> words{"run", object("options.bpf.o"), "--for", "100ms", "--prog", program};
    words.insert(words.end(), more.begin(), more.end());
    return espy(words);
  }
};

struct Refusal {
  const char* program;
  std::vector<std::string> options;
  std::vector<const char*> says;
};

TEST_F(Options, AValueThatMakesNoSenseIsAnsweredWithWhatWould) {
  const Refusal kRefusals[] = {
      {"pass", {}, {"on which network interface", "--iface"}},
      {"pass", {"--iface", "nope0"}, {"no network interface `nope0`", "lo"}},
      {"pass", {"--iface", "lo", "--for", "soon"}, {"--for", "`soon` is no duration", "500ms"}},
      {"pass", {"--iface", "lo", "--for", "-1"}, {"--for", "duration"}},
      {"pass", {"--iface", "lo", "--for", "1e3s"}, {"duration"}},
      {"pass", {"--iface", "lo", "--map", "rusn"}, {"no map `rusn`", "runs"}},
      {"pass", {"--iface", "lo", "--type", "runs"}, {"--type takes NAME=VALUE"}},
      {"pass", {"--iface", "lo", "--set", "x=1"}, {"`x`"}},
      {"pass", {"--iface", "lo", "--attach", "pas=lo"}, {"no program `pas`", "did you mean `pass`"}},
      {"pass", {"--attach", "pass="}, {"does not say where to attach `pass`", "KIND is one of xdp\n"}},
      {"pass", {"--attach", "pass=kprobe:vfs_read"}, {"type xdp", "cannot run at `kprobe`"}},
      {"nope", {}, {"no program `nope`"}},
      {"on_egress", {}, {"in which cgroup", "--cgroup"}},
      {"on_egress", {"--cgroup", "/nowhere"}, {"/nowhere", "cgroup2 is mounted at"}},
      {"on_egress", {"--cgroup", "/tmp"}, {"/tmp is no cgroup"}},
      {"classify", {}, {"on which network interface"}},
      {"in_user_space", {}, {"--attach in_user_space=uprobe:"}},
      {"in_user_space", {"--attach", "in_user_space=/nowhere:f"}, {"/nowhere"}},
      {"in_user_space", {"--attach", "in_user_space=libc.so.6:getpi"}, {"no function `getpi`", "did you mean"}},
      {"in_user_space", {"--attach", "in_user_space=libc.so.6:getpid", "--pid", "4194399"}, {"4194399"}},
      {"in_user_space", {"--pid", "me"}, {"--pid takes a process number"}},
      {"doubles", {}, {"syscall", "espy test-run"}},
      {"replacement", {}, {"replaces a function of another program", "--attach replacement=freplace:"}},
      {"replacement", {"--attach", "replacement=freplace:2147483646/verdict_of"}, {"program 2147483646"}},
      {"replacement", {"--attach", "replacement=freplace:/sys/fs/bpf/nowhere/verdict_of"}, {"/sys/fs/bpf/nowhere"}},
      {"on_system_call", {"--pin", "/tmp/espy-no-bpffs"}, {"not in a bpf file system", "/sys/fs/bpf"}},
      {"on_system_call", {"--attach", "on_system_call=raw_tp:sys_entr"}, {"did you mean `sys_enter`"}},
      {"disabled", {"--attach", "disabled=tp:sched:sched_swich"}, {"sched_switch"}},
  };
  for (const Refusal& refusal : kRefusals) {
    Outcome outcome = run(refusal.program, refusal.options);
    EXPECT_EQ(outcome.status, 1) << refusal.program << outcome.err;
    std::string said = outcome.out + outcome.err;  // warnings come in the order of the output
    for (const char* part : refusal.says) EXPECT_NE(said.find(part), std::string::npos) << part << " in\n" << said;
    EXPECT_LT(lines(outcome.err).size(), 8U) << outcome.err;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/espy-no-bpffs"));
}

TEST_F(Options, AProgramIsAttachedWhereToldInAnySpelling) {
  for (const std::vector<std::string>& where : std::vector<std::vector<std::string>>{
           {"--iface", "lo"}, {"--attach", "pass=lo"}, {"--attach", "pass=xdp:lo"}, {"--attach", "pass=xdp:lo:generic"}}) {
    Outcome outcome = run("pass", where);
    EXPECT_EQ(outcome.status, 0) << where.back() << outcome.err;
  }
  Outcome tracepoint = run("disabled", {"--attach", "disabled=tracepoint:sched:sched_waking", "--json"});
  EXPECT_EQ(tracepoint.status, 0) << tracepoint.err;
  EXPECT_EQ(tracepoint.out.find(R"("value":0)"), std::string::npos) << "nothing counted: " << tracepoint.out;
}

TEST_F(Options, AFunctionOfAProgramIsProbed) {
  Caller caller;
  Outcome outcome = run("in_user_space", {"--attach", "in_user_space=libc.so.6:syscall", "--pid", std::to_string(::getpid()), "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out.find(R"("value":0)"), std::string::npos) << "nothing counted: " << outcome.out;
}

// Where cgroup2 is mounted; empty: nowhere.
std::string cgroup_root() {
  for (const std::string& line : lines(read("/proc/mounts"))) {
    std::size_t path = line.find(' ') + 1, type = line.find(' ', path) + 1;
    if (line.substr(type).starts_with("cgroup2 ")) return line.substr(path, type - path - 1);
  }
  return {};
}

TEST_F(Options, SeveralProgramsAreChosenAndEachGetsItsOption) {
  const std::string cgroup = cgroup_root();
  if (cgroup.empty()) GTEST_SKIP() << "cgroup2 is not mounted";
  Outcome outcome = run("on_egress", {"--prog", "classify", "--prog", "pass", "--cgroup", cgroup, "--iface", "lo", "-v"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const std::string& part : {"attached `on_egress` to cgroup " + cgroup, std::string("attached `classify` to tc lo ingress"), std::string("attached `pass` to xdp lo")})
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
  EXPECT_EQ(outcome.err.find("loaded `doubles`"), std::string::npos) << outcome.err;
}

TEST_F(Options, OneProgramRunsInSeveralPlaces) {
  Outcome outcome = run("disabled", {"--attach", "disabled=sched:sched_switch", "--attach", "disabled=sched:sched_waking", "-v"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const char* place : {"sched:sched_switch", "sched:sched_waking"})
    EXPECT_NE(outcome.err.find(std::string("attached `disabled` to tracepoint ") + place), std::string::npos) << outcome.err;
}

TEST_F(Options, AttachChoosesAProgramThatIsOffByDefault) {
  Outcome outcome = run("on_system_call", {"--attach", "disabled=sched:sched_switch", "-v"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("attached `disabled` to tracepoint sched:sched_switch"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("attached `on_system_call` to raw tracepoint sys_enter"), std::string::npos) << outcome.err;
}

TEST_F(Options, VerboseTellsWhatWasDoneAndWhatItCost) {
  Outcome outcome = run("on_system_call", {"-v"});
  for (const char* part : {"loaded `on_system_call`: ", "attached `on_system_call`", "kept of the capabilities: ", "program", "a run"}) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
  }
}

TEST_F(Options, WhatRestrictsNothingIsSaid) {
  Outcome outcome = run("on_system_call", {"--pid", "1", "--iface", "lo", "--cgroup", "/"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  for (const char* option : {"--pid", "--iface", "--cgroup"}) EXPECT_NE(outcome.err.find(option), std::string::npos) << outcome.out;
  EXPECT_EQ(run("pass", {"--iface", "lo"}).err.find("warning"), std::string::npos);
}

TEST_F(Options, APinnedMapIsUsedAgain) {
  std::string folder = "/sys/fs/bpf/espy-cli-" + std::to_string(::getpid());
  Outcome first = run("on_system_call", {"--pin", folder, "--json", "--map", "runs"});
  if (first.status != 0) GTEST_SKIP() << "no bpf file system: " << first.err;
  auto count_of = [](const Outcome& outcome) { return std::stoull(outcome.out.substr(outcome.out.find("\"value\":") + 8)); };
  Outcome second = run("on_system_call", {"--pin", folder, "--json", "--map", "runs"});
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_GT(count_of(second), count_of(first));
  std::filesystem::remove_all(folder);
}

TEST_F(Options, TestRunGivesThePacketThatTheProgramLeaves) {
  Folder folder;
  write(folder.path("in"), std::string("AAAAAABBBBBB\x88\xb5payload", 21));
  Outcome outcome = espy({"test-run", object("options.bpf.o"), "--prog", "swap_addresses", "--data-in", folder.path("in"), "--data-out", folder.path("out")});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("swap_addresses: returned 3"), std::string::npos) << outcome.out;
  EXPECT_EQ(read(folder.path("out")), std::string("BBBBBBAAAAAA\x88\xb5payload", 21));
}

TEST_F(Options, TestRunGivesTheContextThatTheProgramLeaves) {
  Folder folder;
  write(folder.path("in"), std::string("\x15\0\0\0\0\0\0\0", 8));
  Outcome outcome = espy({"test-run", object("options.bpf.o"), "--prog", "doubles", "--ctx-in", folder.path("in"), "--ctx-out", folder.path("out"), "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_TRUE(outcome.out.starts_with(R"({"type":"test_run","prog":"doubles","retval":3,)")) << outcome.out;
  EXPECT_EQ(read(folder.path("out")), std::string("\x2a\0\0\0\0\0\0\0", 8));
}

TEST_F(Options, TestRunInEitherEngine) {
  Folder folder;
  write(folder.path("in"), std::string("AAAAAABBBBBB\x88\xb5payload", 21));
  auto test_run = [&](const std::string& engine) {
    return espy({"test-run", object("options.bpf.o"), "--prog", "swap_addresses", "--data-in", folder.path("in"), "--data-out", folder.path("out"), "--engine", engine});
  };
  Outcome user = test_run("user");
  ASSERT_EQ(user.status, 0) << user.err;
  EXPECT_NE(user.out.find("swap_addresses: returned 3"), std::string::npos) << user.out;
  EXPECT_EQ(read(folder.path("out")), std::string("BBBBBBAAAAAA\x88\xb5payload", 21));
  Outcome both = test_run("both");
  EXPECT_EQ(both.status, 0) << both.err;
  EXPECT_NE(both.out.find("swap_addresses (kernel): returned 3"), std::string::npos) << both.out;
  EXPECT_NE(both.out.find("swap_addresses (user): returned 3"), std::string::npos) << both.out;
  EXPECT_NE(test_run("other").status, 0);
}

TEST_F(Options, TestRunInEachTier) {
  for (const char* tier : {"interpreter", "baseline", "optimised"}) {
    Outcome both = espy({"test-run", object("options.bpf.o"), "--prog", "swap_addresses", "--engine", "both", "--tier", tier});
    EXPECT_EQ(both.status, 0) << both.err;
    EXPECT_NE(both.out.find("swap_addresses (user): returned 3"), std::string::npos) << both.out;
  }
  Outcome wrong = espy({"test-run", object("options.bpf.o"), "--prog", "pass", "--engine", "user", "--tier", "fast"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_NE(wrong.err.find("not `fast`"), std::string::npos) << wrong.err;
  EXPECT_EQ(espy({"test-run", object("options.bpf.o"), "--prog", "pass", "--tier", "baseline"}).status, 1);
}

TEST_F(Options, TestRunSaysWhatIsWrong) {
  Folder folder;
  write(folder.path("short"), "abc");
  const Refusal kRefusals[] = {
      {"pass", {"--data-in", folder.path("short")}, {"14 bytes", "there are 3"}},
      {"pass", {"--data-in", "/nowhere"}, {"/nowhere"}},
      {"pass", {"--data-out", "/nowhere/out"}, {"/nowhere/out"}},
      {"pass", {"--repeat", "0"}, {"--repeat"}},
      {"pass", {"--repeat", "many"}, {"--repeat"}},
      {"doubles", {}, {"context"}},
      {"disabled", {}, {"tracepoint", "only where it is attached"}},
      {"pas", {}, {"no program `pas`", "pass"}},
  };
  for (const Refusal& refusal : kRefusals) {
    std::vector<std::string> words{"test-run", object("options.bpf.o"), "--prog", refusal.program};
    words.insert(words.end(), refusal.options.begin(), refusal.options.end());
    Outcome outcome = espy(words);
    EXPECT_EQ(outcome.status, 1) << refusal.program;
    for (const char* part : refusal.says) EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
  }
}

// Kernels without trampolines refuse the program itself; tests/vm runs it where they are there.
TEST_F(Options, AFunctionOfARunningProgramIsReplacedOrRefusedWithTheReason) {
  Folder folder;
  const std::string log = folder.path("log"), run = ESPY_BINARY_DIR "/espy run " + object("options.bpf.o");
  Outcome outcome = command({"sh", "-c", run + " --prog pass --iface lo --for 20s -v >/dev/null 2>" + log + " & pid=$!; for i in $(seq 100); do grep -q attached " + log +
                                             " && break; sleep 0.05; done; id=$(sed -n 's/^espy: `pass` is program //p' " + log + "); " + run +
                                             " --prog replacement --for 100ms --attach replacement=freplace:$id/pass; echo status $?; " + run +
                                             " --prog replacement --for 100ms --attach replacement=freplace:$id/nope; kill $pid; wait $pid"});
  if (outcome.out.find("status 0") == std::string::npos) {
    EXPECT_NE(outcome.err.find("programs that replace a function of another"), std::string::npos) << outcome.err;
    EXPECT_NE(outcome.err.find("use instead: tail calls"), std::string::npos) << outcome.err;
  }
  EXPECT_NE(outcome.err.find("program `pass` has no function `nope`"), std::string::npos) << outcome.err;
}

TEST_F(Options, StacksAreShownAsFunctions) {
  Caller caller;
  for (bool json : {false, true}) {
    std::vector<std::string> words{"run", object("stacks.bpf.o"), "--for", "300ms", "--map", "stacks", "--set", "target=" + std::to_string(::getpid())};
    if (json) words.push_back("--json");
    Outcome outcome = espy(words);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("do_syscall_64+0x"), std::string::npos) << outcome.out;
  }
}

TEST_F(Options, CapabilitiesAreDroppedWhenAllIsAttached) {
  Folder folder;
  std::string script = std::string(ESPY_BINARY_DIR "/espy run ") + object("options.bpf.o") + " --prog on_system_call -v 2>" + folder.path("err") +
                       " >/dev/null & pid=$!; for i in $(seq 100); do grep -q kept " + folder.path("err") +
                       " && break; sleep 0.05; done; grep -E 'Cap(Eff|Prm)' /proc/$pid/status; kill -TERM $pid; wait $pid; echo status $?";
  Outcome outcome = command({"sh", "-c", script});
  EXPECT_NE(outcome.out.find("CapEff:\t000000c000000000"), std::string::npos) << outcome.out;  // CAP_PERFMON 38, CAP_BPF 39
  EXPECT_NE(outcome.out.find("CapPrm:\t000000c000000000"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("status 0"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace espy::test
