// The same commands for a user without privileges: what needs none works, what needs some says which.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "command.hpp"

namespace espy::test {
namespace {

class Unprivileged : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!privileged()) GTEST_SKIP() << "changing to another user needs root (CAP_SETUID)";
    for (const std::string& path : {std::string(ESPY_BINARY_DIR "/espy"), object("kinds.bpf.o"), object("options.bpf.o"), example("opens.bpf.o")}) {
      std::string name = path.substr(path.rfind('/') + 1);
      std::filesystem::copy_file(path, folder_.path(name));
      std::filesystem::permissions(folder_.path(name), std::filesystem::perms(0755));
    }
    unrestricted_ = read("/proc/sys/kernel/unprivileged_bpf_disabled") == "0\n";
  }
  Outcome run(std::vector<std::string> words, const std::string& capabilities = {}) {
    for (std::string& word : words)
      if (word.ends_with(".o") && word.find('/') == word.npos) word = folder_.path(word);
    words.insert(words.begin(), folder_.path("espy"));
    return unprivileged(words, capabilities);
  }
  Folder folder_;
  bool unrestricted_ = false;
};

TEST_F(Unprivileged, ReadingLinkingAndWritingNeedNothing) {
  EXPECT_EQ(run({"show", "opens.bpf.o"}).out.substr(0, 4), "/tmp");
  EXPECT_EQ(run({"show", "opens.bpf.o", "--json"}).status, 0);
  EXPECT_EQ(run({"dis", "opens.bpf.o", "--raw"}).out, espy({"dis", example("opens.bpf.o"), "--raw"}).out);
  Outcome linked = run({"dis", "opens.bpf.o", "--raw", "--linked"});
  EXPECT_EQ(linked.out, espy({"dis", example("opens.bpf.o"), "--raw", "--linked"}).out) << linked.err;
  EXPECT_EQ(run({"gen", "vmlinux", "--btf", "kinds.bpf.o"}).status, 0);
  EXPECT_GT(run({"gen", "vmlinux"}).out.size(), 100'000U);
}

TEST_F(Unprivileged, AssemblesAPipeOfAnotherUsers) {
  std::string espy_path = folder_.path("espy"), out = "/tmp/espy-unprivileged-" + std::to_string(::getpid()) + ".o";
  Outcome outcome = command({"sh", "-c", espy_path + " dis " + folder_.path("opens.bpf.o") + " | setpriv --reuid=65534 --regid=65534 --clear-groups " + espy_path +
                                             " asm - -o " + out});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(espy({"dis", out, "--raw"}).out, espy({"dis", example("opens.bpf.o"), "--raw"}).out);
  std::filesystem::remove(out);
}

struct Lack {
  std::vector<std::string> words;
  const char* held;
  std::vector<const char*> says;
};

TEST_F(Unprivileged, WhatIsMissingIsNamedAllAtOnce) {
  if (unrestricted_) GTEST_SKIP() << "kernel.unprivileged_bpf_disabled is 0";
  const Lack kLacks[] = {
      {{"run", "kinds.bpf.o", "--for", "1s", "--prog", "on_enter"}, "", {"CAP_PERFMON", "CAP_BPF", "setcap cap_perfmon,cap_bpf+ep", "/espy"}},
      {{"run", "kinds.bpf.o", "--for", "1s", "--prog", "on_enter"}, "+bpf", {"this process lacks CAP_PERFMON\n"}},
      {{"run", "options.bpf.o", "--for", "1s", "--prog", "pass", "--iface", "lo"}, "", {"CAP_NET_ADMIN", "CAP_BPF"}},
      {{"run", "options.bpf.o", "--for", "1s", "--prog", "pass", "--iface", "lo"}, "+bpf,+perfmon", {"this process lacks CAP_NET_ADMIN\n"}},
      {{"test-run", "kinds.bpf.o", "--prog", "answer"}, "", {"CAP_BPF"}},
      {{"run", "options.bpf.o", "--for", "1s", "--prog", "disabled"}, "+bpf,+perfmon", {"tracefs", "run it as root"}},
      {{"run", "options.bpf.o", "--for", "1s", "--prog", "in_user_space", "--attach", "in_user_space=libc.so.6:syscall"}, "+bpf,+perfmon", {"lacks CAP_SYS_ADMIN"}},
  };
  for (const Lack& lack : kLacks) {
    Outcome outcome = run(lack.words, lack.held);
    EXPECT_EQ(outcome.status, 1) << lack.words[1];
    for (const char* part : lack.says) EXPECT_NE(outcome.err.find(part), std::string::npos) << part << " in\n" << outcome.err;
    EXPECT_EQ(outcome.err.find("--engine"), std::string::npos) << outcome.err;
  }
}

TEST_F(Unprivileged, BpfAndPerfmonSufficeForTracing) {
  Outcome outcome = run({"run", "opens.bpf.o", "--for", "100ms", "--json"}, "+bpf,+perfmon");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(run({"test-run", "kinds.bpf.o", "--prog", "answer"}, "+bpf").status, 0);
}

}  // namespace
}  // namespace espy::test
