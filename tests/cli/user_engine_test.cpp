// `espy run --engine user`: captures, interfaces, timers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "command.hpp"

namespace espy::test {
namespace {

std::string object(const std::string& name) { return std::string(ESPY_BINARY_DIR) + "/tests/cli/" + name; }

std::string number(std::uint32_t value) { return {reinterpret_cast<const char*>(&value), 4}; }

std::string frame(std::uint16_t type, std::size_t bytes) {
  std::string text("\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x01", 12);
  text += static_cast<char>(type >> 8);
  text += static_cast<char>(type & 0xff);
  text.resize(bytes);
  return text;
}

std::string capture(const std::vector<std::string>& frames) {
  std::string file = number(0xa1b2c3d4) + number(0x00040002) + number(0) + number(0) + number(65535) + number(1);
  for (const std::string& bytes : frames) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    file += number(1) + number(2) + number(size) + number(size) + bytes;
  }
  return file;
}

TEST(UserEngine, APacketProgramOnACapture) {
  Folder folder;
  write(folder.path("in.pcap"), capture({frame(0x0800, 60), frame(0x0806, 42), frame(0x88b5, 50), frame(0x86dd, 90), std::string(5, 'x')}));
  for (const std::vector<std::string>& tier : {std::vector<std::string>{}, {"--tier", "baseline"}, {"--tier", "optimised"}}) {
    std::vector<std::string> words = {"run", object("packets.bpf.o"), "--engine", "user", "--json", "--pcap-in", folder.path("in.pcap"), "--pcap-out", folder.path("out.pcap")};
    words.insert(words.end(), tier.begin(), tier.end());
    const Outcome outcome = espy(words);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(R"({"type":"record","map":"packets","data":{"bytes":60,"type":2048}})"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("5 packets: 2 dropped, 1 passed, 1 sent back, 1 too short or too long to run on"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find(R"({"key":2054,"value":1})"), std::string::npos) << outcome.out;
    const std::string kept = read(folder.path("out.pcap"));
    ASSERT_EQ(kept.size(), 24U + 16 + 60 + 16 + 50);
    EXPECT_EQ(kept.substr(24 + 16 + 60 + 16, 12), std::string("\x02\0\0\0\0\x01\xff\xff\xff\xff\xff\xff", 12)) << "as the program left it";
  }
}

TEST(UserEngine, ACaptureThatIsCutShortIsAnErrorBehindWhatWasRead) {
  Folder folder;
  const std::string whole = capture({frame(0x0800, 60), frame(0x0800, 60)});
  write(folder.path("cut.pcap"), whole.substr(0, whole.size() - 7));
  const Outcome outcome = espy({"run", object("packets.bpf.o"), "--engine", "user", "--pcap-in", folder.path("cut.pcap")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("cut short behind packet 1"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("1 packet: 1 passed"), std::string::npos) << outcome.out;
  write(folder.path("text"), "no capture at all, but some text");
  EXPECT_EQ(espy({"run", object("packets.bpf.o"), "--engine", "user", "--pcap-in", folder.path("text")}).status, 1);
}

TEST(UserEngine, WhatDoesNotVerifyIsRefused) {
  Folder folder;
  write(folder.path("in.pcap"), capture({frame(0x0800, 60)}));
  write(folder.path("packet"), frame(0x0800, 60));
  for (const std::vector<std::string>& words : {std::vector<std::string>{"run", object("behind.bpf.o"), "--engine", "user", "--pcap-in", folder.path("in.pcap")},
                                                {"test-run", object("behind.bpf.o"), "--engine", "user", "--data-in", folder.path("packet")}}) {
    const Outcome refused = espy(words);
    EXPECT_EQ(refused.status, 1) << words[0];
    EXPECT_EQ(refused.out, "") << words[0];
    for (const char* part : {"program `reads_behind` does not verify", "behind.bpf.c:14", "*(volatile unsigned char *)(end + 4)", "--unverified", "hint: "})
      EXPECT_NE(refused.err.find(part), std::string::npos) << words[0] << ": " << part << " in\n" << refused.err;
    std::vector<std::string> all_the_same = words;
    all_the_same.push_back("--unverified");
    const Outcome ran = espy(all_the_same);
    EXPECT_EQ(ran.status, 0) << ran.err;
    all_the_same.insert(all_the_same.end(), {"--tier", "baseline"});
    EXPECT_NE(espy(all_the_same).err.find("compiled code checks nothing"), std::string::npos) << words[0];
  }
  EXPECT_NE(espy({"test-run", object("behind.bpf.o"), "--unverified"}).err.find("--unverified is of the user engine"), std::string::npos);
  EXPECT_NE(espy({"run", object("behind.bpf.o"), "--unverified"}).err.find("--unverified is for programs in user space"), std::string::npos);
}

TEST(UserEngine, ABadAccessSaysPacketInstructionAndPlace) {
  Folder folder;
  write(folder.path("in.pcap"), capture({frame(0x0800, 60), frame(0xffff, 60)}));
  const Outcome outcome = espy({"run", object("behind.bpf.o"), "--engine", "user", "--unverified", "--pcap-in", folder.path("in.pcap")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("packet 2"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("4 bytes behind the end of the packet"), std::string::npos) << outcome.err;
}

TEST(UserEngine, NeedsNoPrivileges) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to become nobody";
  Folder folder;
  write(folder.path("in.pcap"), capture({frame(0x0800, 60)}));
  for (const std::string& path : {std::string(ESPY_BINARY_DIR "/espy"), object("packets.bpf.o")}) {
    const std::string copy = folder.path(path.substr(path.rfind('/') + 1));
    std::filesystem::copy_file(path, copy);
    std::filesystem::permissions(copy, std::filesystem::perms(0755));
  }
  std::filesystem::permissions(folder.path("in.pcap"), std::filesystem::perms(0644));
  const Outcome outcome = unprivileged({folder.path("espy"), "run", folder.path("packets.bpf.o"), "--engine", "user", "--pcap-in", folder.path("in.pcap")});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("1 packet: 1 passed"), std::string::npos) << outcome.out;
}

TEST(UserEngine, SamplesOnATimer) {
  const Outcome outcome = espy({"run", object("samples.bpf.o"), "--engine", "user", "--json", "--for", "300ms"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find(R"("period":10101010)"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find(R"("samples":0,)"), std::string::npos) << outcome.out;
}

TEST(UserEngine, OptionsThatWouldSayNothingAreRefused) {
  const std::string packets = object("packets.bpf.o");
  EXPECT_NE(espy({"run", packets, "--engine", "user"}).err.find("--pcap-in FILE or --iface DEV"), std::string::npos);
  EXPECT_NE(espy({"run", packets, "--engine", "other"}).err.find("kernel or user"), std::string::npos);
  EXPECT_NE(espy({"run", packets, "--pcap-in", "x"}).err.find("--engine user"), std::string::npos);
  EXPECT_NE(espy({"run", packets, "--engine", "user", "--pin", "/sys/fs/bpf"}).err.find("says nothing"), std::string::npos);
  EXPECT_NE(espy({"run", packets, "--engine", "user", "--iface", "no-such-device"}).err.find("no-such-device"), std::string::npos);
}

// Two ends of a wire in a network namespace of the test's own: frames that go in at one come back, as the program says.
class UserEngineLive : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs CAP_NET_ADMIN";
    if (command({"ip", "netns", "add", name_}).status != 0) GTEST_SKIP() << "no network namespaces";
    made_ = true;
    if (command({"ip", "-n", name_, "link", "add", "espyv0", "type", "veth", "peer", "name", "espyv1"}).status != 0) GTEST_SKIP() << "no veth devices";
    for (const char* device : {"espyv0", "espyv1"}) command({"ip", "-n", name_, "link", "set", device, "up"});
  }
  void TearDown() override {
    if (made_) command({"ip", "netns", "del", name_});
  }
  std::string name_ = "espy-test-" + std::to_string(::getpid());
  bool made_ = false;
};

TEST_P(UserEngineLive, FramesComeInAndGoBack) {
  Folder folder;
  write(folder.path("peer.py"), R"(
import socket, sys, time
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
wire.bind(('espyv1', 0x88b5))
wire.settimeout(0.2)
back, end = 0, time.time() + 20
while back < 5 and time.time() < end:
    wire.send(b'\xff' * 6 + b'\x02\0\0\0\0\1' + b'\x88\xb5' + bytes(50))
    try:
        while True:
            data, where = wire.recvfrom(2000)
            back += where[2] != 4 and data[:6] == b'\x02\0\0\0\0\1'
    except TimeoutError:
        pass
print('came back', back >= 5)
)");
  Outcome peer;
  std::thread other([&] { peer = command({"ip", "netns", "exec", name_, "python3", folder.path("peer.py")}); });
  const Outcome outcome = command({"ip", "netns", "exec", name_, std::string(ESPY_BINARY_DIR) + "/espy", "run", object("packets.bpf.o"), "--engine", "user", "--iface", "espyv0", "--via", GetParam(),
                                   "--for", "6s", "--json"});
  other.join();
  if (outcome.status != 0 && std::string(GetParam()) == "xdp") GTEST_SKIP() << "no AF_XDP here: " << outcome.err;
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(peer.out, "came back True\n") << peer.err << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("sent back"), std::string::npos) << outcome.out;
}

INSTANTIATE_TEST_SUITE_P(Ways, UserEngineLive, testing::Values("xdp", "packet"), [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace espy::test
