#include "world.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "kernel/attach/cgroup.hpp"

namespace espy::attach_test {

Result<Object> load(const std::string& name, const std::vector<std::string>& programs, const kernel::LoadOptions& options) {
  const char* folder = std::getenv("ESPY_TEST_BPF_DIR");
  std::string path = fmt::format("{}/{}.bpf.o", folder != nullptr ? folder : ESPY_BINARY_DIR "/tests/attach/objects", name);
  auto spec = TRY(object::read(path));
  if (spec.find_map(".bss") != nullptr) TRY(object::set_variable(spec, "target_pid", std::to_string(::getpid())));
  auto target = TRY(kernel::running_target());
  auto linked = TRY(object::link(std::move(spec), target, {.programs = programs}));
  return Object::load(std::move(linked), options);
}

std::uint64_t number(const Object& object, std::string_view variable) {
  auto bytes = object.read_variable(variable);
  if (!bytes) {
    ADD_FAILURE() << describe(bytes.error());
    return 0;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, bytes->data(), std::min(bytes->size(), sizeof value));
  return value;
}

Result<Link> attach(Object& object, std::string_view name, const How& how) {
  const kernel::Program* program = object.find_program(name);
  if (program == nullptr) return fail(ErrorKind::not_found, "no program {}", name);
  auto probe = how.text.empty() ? probe::probe_of(program->spec(), how.options) : probe::parse(how.text, program->spec(), how.options);
  return kernel::attach(object, *program, TRY(std::move(probe)), how.attach);
}

void fires(Object& object, Result<Link> link, std::string_view counter, const std::function<void()>& trigger) {
  ASSERT_TRUE(link) << describe(link.error());
  std::uint64_t before = number(object, counter);
  trigger();
  EXPECT_GT(number(object, counter), before) << link->where();
  link->detach();
  std::uint64_t settled = number(object, counter);
  trigger();
  EXPECT_EQ(number(object, counter), settled) << "still there after detaching: " << link->where();
}

bool since(int major, int minor) {
  return kernel::running_version() >= facts::KernelVersion{static_cast<std::uint16_t>(major), static_cast<std::uint16_t>(minor), 0};
}

void in_own_network(const std::function<void()>& body) {
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "a network namespace of one's own needs CAP_SYS_ADMIN and CONFIG_NET_NS";
    UniqueFd socket = socket_of(AF_INET, SOCK_DGRAM);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
    body();
  }).join();
}

OwnCgroup::OwnCgroup() {
  auto mount = kernel::attaching::cgroup2_mount();
  if (!mount) return;
  static int count = 0;
  path_ = fmt::format("{}/espy-test-{}-{}", *mount, ::getpid(), count++);
  if (::mkdir(path_.c_str(), 0755) != 0) path_.clear();
}

OwnCgroup::~OwnCgroup() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

void OwnCgroup::run(const std::function<bool()>& body) const {
  pid_t child = ::fork();
  if (child == 0) {
    std::ofstream(path_ + "/cgroup.procs") << ::getpid() << std::flush;
    ::_exit(body() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

UniqueFd socket_of(int family, int type, int protocol) { return UniqueFd(::socket(family, type | SOCK_CLOEXEC, protocol)); }

namespace {

struct LoopbackAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

LoopbackAddress loopback(int family, std::uint16_t port) {
  LoopbackAddress address;
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&address.storage, &v4, address.size = sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = in6addr_loopback;
    std::memcpy(&address.storage, &v6, address.size = sizeof v6);
  }
  return address;
}

}  // namespace

std::uint16_t bind_to_loopback(const UniqueFd& socket, int family) {
  LoopbackAddress address = loopback(family, 0);
  if (::bind(socket.get(), address.get(), address.size) != 0) return 0;
  address.size = sizeof address.storage;
  if (::getsockname(socket.get(), address.get(), &address.size) != 0) return 0;
  std::uint16_t port = 0;   // at the same place in both families' addresses
  std::memcpy(&port, reinterpret_cast<const char*>(&address.storage) + 2, sizeof port);
  return ntohs(port);
}

bool connect_to_loopback(const UniqueFd& socket, std::uint16_t port, int family) {
  LoopbackAddress address = loopback(family, port);
  return ::connect(socket.get(), address.get(), address.size) == 0;
}

void send_datagram() {
  UniqueFd socket = socket_of(AF_INET, SOCK_DGRAM);
  LoopbackAddress address = loopback(AF_INET, 9);
  ::sendto(socket.get(), "x", 1, 0, address.get(), address.size);
}

std::pair<UniqueFd, UniqueFd> tcp_pair(const std::string& congestion_control) {
  UniqueFd listener = socket_of(AF_INET, SOCK_STREAM), client = socket_of(AF_INET, SOCK_STREAM);
  std::uint16_t port = bind_to_loopback(listener);
  if (!congestion_control.empty() &&
      ::setsockopt(client.get(), IPPROTO_TCP, TCP_CONGESTION, congestion_control.c_str(), static_cast<socklen_t>(congestion_control.size())) != 0)
    return {};
  if (::listen(listener.get(), 4) != 0 || !connect_to_loopback(client, port)) return {};
  return {std::move(client), UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))};
}

int run(const std::string& command) {
  int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace espy::attach_test
