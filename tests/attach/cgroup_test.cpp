// Every cgroup hook: a process in a cgroup of its own does what the hook watches.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "kernel/attach/cgroup.hpp"
#include "kernel/features.hpp"
#include "world.hpp"

namespace espy::attach_test {
namespace {

// ---- what a process does to make each hook run ----

bool talk_udp(int family) {
  UniqueFd server = socket_of(family, SOCK_DGRAM), client = socket_of(family, SOCK_DGRAM);
  std::uint16_t port = bind_to_loopback(server, family);
  if (port == 0) return false;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &size);
  if (::sendto(client.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), size) != 1) return false;
  char text[4];
  sockaddr_storage from{};
  socklen_t from_size = sizeof from;
  return ::recvfrom(server.get(), text, sizeof text, 0, reinterpret_cast<sockaddr*>(&from), &from_size) == 1;
}

bool talk_tcp(int family) {
  UniqueFd listener = socket_of(family, SOCK_STREAM), client = socket_of(family, SOCK_STREAM);
  std::uint16_t port = bind_to_loopback(listener, family);
  if (port == 0 || ::listen(listener.get(), 1) != 0 || !connect_to_loopback(client, port, family)) return false;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getpeername(client.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0 && ::send(client.get(), "x", 1, 0) == 1;
}

bool use_socket_options() {
  UniqueFd socket = socket_of(AF_INET, SOCK_STREAM);
  int value = 1;
  socklen_t size = sizeof value;
  return ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &value, size) == 0 && ::getsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &value, &size) == 0;
}

bool open_device() { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)).get() >= 0; }
bool read_sysctl() { return read_text_file("/proc/sys/kernel/ostype", 64).has_value(); }

bool talk_unix() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "espy-test-%d", ::getpid());   // an abstract name
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  UniqueFd listener = socket_of(AF_UNIX, SOCK_STREAM), client = socket_of(AF_UNIX, SOCK_STREAM), datagrams = socket_of(AF_UNIX, SOCK_DGRAM);
  if (::bind(listener.get(), raw, sizeof address) != 0 || ::listen(listener.get(), 1) != 0 || ::connect(client.get(), raw, sizeof address) != 0) return false;
  sockaddr_un name{};
  socklen_t size = sizeof name;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&name), &size);
  size = sizeof name;
  ::getpeername(client.get(), reinterpret_cast<sockaddr*>(&name), &size);
  address.sun_path[1] = 'd';
  UniqueFd sender = socket_of(AF_UNIX, SOCK_DGRAM);
  if (::bind(datagrams.get(), raw, sizeof address) != 0 || ::sendto(sender.get(), "x", 1, 0, raw, sizeof address) != 1) return false;
  char text[4];
  size = sizeof name;
  return ::recvfrom(datagrams.get(), text, sizeof text, 0, reinterpret_cast<sockaddr*>(&name), &size) == 1;
}

struct HookCase {
  const char* program;
  bool (*act)();
  int major = 4, minor = 17;   // since
};
const HookCase kHooks[] = {
    {"skb_ingress", [] { return talk_tcp(AF_INET); }},
    {"skb_egress", [] { return talk_tcp(AF_INET); }},
    {"sock_create", [] { return socket_of(AF_INET, SOCK_DGRAM).get() >= 0; }},
    {"sock_release", [] { return socket_of(AF_INET, SOCK_DGRAM).get() >= 0; }, 5, 9},
    {"post_bind4", [] { return talk_tcp(AF_INET); }},
    {"post_bind6", [] { return talk_tcp(AF_INET6); }},
    {"bind4", [] { return talk_tcp(AF_INET); }},
    {"bind6", [] { return talk_tcp(AF_INET6); }},
    {"connect4", [] { return talk_tcp(AF_INET); }},
    {"connect6", [] { return talk_tcp(AF_INET6); }},
    {"sendmsg4", [] { return talk_udp(AF_INET); }},
    {"sendmsg6", [] { return talk_udp(AF_INET6); }},
    {"recvmsg4", [] { return talk_udp(AF_INET); }, 5, 2},
    {"recvmsg6", [] { return talk_udp(AF_INET6); }, 5, 2},
    {"getpeername4", [] { return talk_tcp(AF_INET); }, 5, 8},
    {"getpeername6", [] { return talk_tcp(AF_INET6); }, 5, 8},
    {"getsockname4", [] { return talk_udp(AF_INET); }, 5, 8},
    {"getsockname6", [] { return talk_udp(AF_INET6); }, 5, 8},
    {"getsockopt", use_socket_options, 5, 3},
    {"setsockopt", use_socket_options, 5, 3},
    {"sysctl", read_sysctl, 5, 2},
    {"device", open_device},
    {"sock_ops", [] { return talk_tcp(AF_INET); }},
};

class Cgroup : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "attaching to cgroups needs CAP_NET_ADMIN and CAP_BPF";
    if (cgroup.path().empty()) GTEST_SKIP() << "no cgroup2 file system is mounted, or it cannot be written";
  }
  void check(const std::string& object_name, const std::string& program, bool (*act)()) {
    auto object = load(object_name, {program});
    ASSERT_TRUE(object) << describe(object.error());
    auto link = attach(*object, program, {.text = {}, .options = {.interface = {}, .cgroup = cgroup.path(), .pid = {}}});
    fires(*object, std::move(link), program + "_hits", [&] { cgroup.run(act); });
  }
  OwnCgroup cgroup;
};

class CgroupHook : public Cgroup, public testing::WithParamInterface<HookCase> {};

TEST_P(CgroupHook, Fires) {
  const HookCase& hook = GetParam();
  if (!since(hook.major, hook.minor)) GTEST_SKIP() << hook.program << " came with " << hook.major << "." << hook.minor;
  if (std::string(hook.program).ends_with('6') && ::access("/proc/net/if_inet6", F_OK) != 0) GTEST_SKIP() << "no IPv6 here (CONFIG_IPV6)";
  check("cgroup", hook.program, hook.act);
}
INSTANTIATE_TEST_SUITE_P(Every, CgroupHook, testing::ValuesIn(kHooks), [](const auto& info) { return std::string(info.param.program); });

TEST_F(Cgroup, UnixSockets) {
  if (!since(6, 7)) GTEST_SKIP() << "hooks of Unix sockets came with 6.7";
  for (const char* program : {"connect_unix", "sendmsg_unix", "recvmsg_unix", "getpeername_unix", "getsockname_unix"}) check("cgroup_unix", program, talk_unix);
}

TEST_F(Cgroup, SecurityModule) {
  auto object = load("lsm_cgroup");
  if (!object) {
    EXPECT_TRUE(object.error().sys == EPERM || !kernel::has_feature(facts::Feature::lsm_cgroup)) << describe(object.error());
    return;
  }
  auto link = attach(*object, "on_socket_bind", {.text = {}, .options = {.interface = {}, .cgroup = cgroup.path(), .pid = {}}});
  fires(*object, std::move(link), "lsm_cgroup_hits", [&] { cgroup.run([] { return talk_tcp(AF_INET); }); });
}

TEST_F(Cgroup, FoundByWhatPeopleCallIt) {
  std::string mount = kernel::attaching::cgroup2_mount().value();
  std::string below = cgroup.path().substr(mount.size());
  EXPECT_TRUE(kernel::attaching::open_cgroup(below.substr(1)));
  EXPECT_TRUE(kernel::attaching::open_cgroup("/sys/fs/cgroup" + below));   // as if there were no version 1 beside it
  EXPECT_TRUE(kernel::attaching::open_cgroup(mount));
  EXPECT_EQ(kernel::attaching::open_cgroup("/no/such/cgroup").error().kind, ErrorKind::not_found);
  auto none = kernel::attaching::open_cgroup("/tmp");
  ASSERT_FALSE(none);
  EXPECT_NE(describe(none.error()).find("/tmp is no cgroup\n  hint: cgroup2 is mounted at " + mount), std::string::npos) << describe(none.error());
  if (::access("/sys/fs/cgroup/memory/cgroup.procs", F_OK) != 0) return;
  auto old = kernel::attaching::open_cgroup("/sys/fs/cgroup/memory");
  ASSERT_FALSE(old);
  EXPECT_NE(describe(old.error()).find("belongs to a version 1 cgroup hierarchy"), std::string::npos) << describe(old.error());
}

// ---- iterators ----

template <typename T>
std::multiset<T> read_all(const Link& link) {
  std::multiset<T> values;
  std::vector<std::byte> bytes;
  auto read = kernel::read_iterator(link, [&](Bytes piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return true;
  });
  EXPECT_TRUE(read) << describe(read.error());
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    values.insert(value);
  }
  return values;
}

class Iterator : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "iterators need CAP_BPF and CAP_PERFMON";
    if (!since(5, 8)) GTEST_SKIP() << "iterators came with 5.8";
  }
};

TEST_F(Iterator, Tasks) {
  auto object = load("iterators", {"tasks"});
  ASSERT_TRUE(object) << describe(object.error());
  auto link = attach(*object, "tasks");
  ASSERT_TRUE(link) << describe(link.error());
  EXPECT_TRUE(read_all<int>(*link).contains(::getpid()));
  EXPECT_TRUE(read_all<int>(*link).contains(::getpid())) << "each reading walks anew";
}

TEST_F(Iterator, TasksOfOneProcess) {
  auto object = load("iterators", {"tasks"});
  ASSERT_TRUE(object) << describe(object.error());
  auto link = attach(*object, "tasks", {.text = {}, .options = {.interface = {}, .cgroup = {}, .pid = ::getpid()}});
  if (!since(6, 1)) {
    ASSERT_FALSE(link);
    EXPECT_NE(describe(link.error()).find("6.1"), std::string::npos);
    return;
  }
  ASSERT_TRUE(link) << describe(link.error());
  auto tasks = read_all<int>(*link);
  EXPECT_GE(tasks.size(), 1U);
  EXPECT_EQ(tasks.size(), tasks.count(::getpid()));
}

TEST_F(Iterator, MapElements) {
  if (!since(5, 9)) GTEST_SKIP() << "iterators over map elements came with 5.9";
  auto object = load("iterators", {"elements"});
  ASSERT_TRUE(object) << describe(object.error());
  for (std::uint32_t i : {5U, 6U, 7U}) {
    std::uint32_t value = i * 10;
    ASSERT_TRUE(object->find_map("numbers")->update(bytes_of(i), bytes_of(value)));
  }
  auto link = attach(*object, "elements", {.text = "iter:bpf_map_elem:numbers"});
  ASSERT_TRUE(link) << describe(link.error());
  EXPECT_EQ(read_all<std::uint32_t>(*link), (std::multiset<std::uint32_t>{50, 60, 70}));
  auto untold = attach(*object, "elements");
  ASSERT_FALSE(untold);
  EXPECT_NE(describe(untold.error()).find("--attach elements=iter:bpf_map_elem:numbers"), std::string::npos) << describe(untold.error());
}

TEST_F(Iterator, Cgroups) {
  if (!since(6, 1)) GTEST_SKIP() << "iterators over cgroups came with 6.1";
  OwnCgroup cgroup;
  if (cgroup.path().empty()) GTEST_SKIP() << "no cgroup2 file system is mounted";
  auto object = load("cgroup_iter");
  ASSERT_TRUE(object) << describe(object.error());
  struct stat status {};
  ASSERT_EQ(::stat(cgroup.path().c_str(), &status), 0);
  auto one = attach(*object, "cgroups", {.text = "iter:cgroup:" + cgroup.path()});
  ASSERT_TRUE(one) << describe(one.error());
  EXPECT_EQ(read_all<std::uint64_t>(*one), (std::multiset<std::uint64_t>{status.st_ino}));
  auto all = attach(*object, "cgroups");
  ASSERT_TRUE(all) << describe(all.error());
  EXPECT_TRUE(read_all<std::uint64_t>(*all).contains(status.st_ino));
}

}  // namespace
}  // namespace espy::attach_test
