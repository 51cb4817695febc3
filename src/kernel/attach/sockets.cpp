// Programs of single sockets: a filter on a packet socket of its own, and the chooser of a group that shares a port.
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/text.hpp"
#include "kernel/attach/families.hpp"

#ifndef SO_DETACH_REUSEPORT_BPF
#define SO_DETACH_REUSEPORT_BPF 68
#endif

namespace espy::kernel::attaching {

namespace {

constexpr CapabilitySet kRaw{Capability::bpf};
constexpr Need kSocketFilter{.what = "a socket filter", .since = {3, 19, 0}, .options = "CONFIG_PACKET", .capabilities = kRaw};
constexpr Need kReuseport{.what = "sk_reuseport", .since = {4, 19, 0}, .options = "CONFIG_INET", .capabilities = {Capability::net_admin, Capability::bpf}};
constexpr long kPidfdOpen = 434, kPidfdGetfd = 438;

// The inodes of sockets that are bound to a port, from /proc/net: "  0: 0100007F:1F90 00000000:0000 0A … inode".
std::vector<std::string> bound_sockets(std::uint16_t port, bool udp) {
  std::vector<std::string> inodes;
  for (const char* six : {"", "6"}) {
    auto text = read_text_file(fmt::format("/proc/thread-self/net/{}{}", udp ? "udp" : "tcp", six), 64 << 20);
    if (!text) continue;
    for (std::string_view line : split(*text, '\n')) {
      auto words = split_words(line);
      if (words.size() < 10 || !words[1].ends_with(fmt::format(":{:04X}", port))) continue;
      if (udp || words[3] == "0A") inodes.emplace_back(words[9]);   // 0A: TCP_LISTEN
    }
  }
  return inodes;
}

// Our own descriptor of a socket that a process has open (5.6).
UniqueFd borrow_socket(int pid, const std::vector<std::string>& inodes) {
  std::string folder = fmt::format("/proc/{}/fd", pid);
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (!directory) return {};
  while (const dirent* entry = ::readdir(directory.get())) {
    char target[64];
    ssize_t size = ::readlinkat(::dirfd(directory.get()), entry->d_name, target, sizeof target);
    if (size <= 0) continue;
    std::string_view text(target, static_cast<std::size_t>(size));
    for (const std::string& inode : inodes) {
      auto fd = parse_number<int>(entry->d_name);
      if (text != fmt::format("socket:[{}]", inode) || !fd) continue;
      if (pid == ::getpid()) return duplicate(*fd);
      UniqueFd process(static_cast<int>(::syscall(kPidfdOpen, pid, 0)));
      return UniqueFd(static_cast<int>(::syscall(kPidfdGetfd, process.get(), *fd, 0)));
    }
  }
  return {};
}

UniqueFd find_socket(const probe::Reuseport& probe, const std::vector<std::string>& inodes) {
  if (probe.pid) return borrow_socket(*probe.pid, inodes);
  std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
  if (!processes) return {};
  while (const dirent* entry = ::readdir(processes.get()))
    if (auto pid = parse_number<int>(entry->d_name))
      if (UniqueFd socket = borrow_socket(*pid, inodes)) return socket;
  return {};
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::SocketFilter& probe) {
  unsigned index = probe.interface.empty() ? 0 : TRY(interface_index(probe.interface));
  // Protocol 0 receives nothing yet; binding with a protocol starts it, with the filter in place.
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return refused(errno, call, {.what = "a packet socket", .options = "CONFIG_PACKET", .capabilities = {Capability::net_admin}});
  // Nobody reads what the filter lets through: keep no more than the kernel insists on.
  int small = 1, program = call.program.fd();
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) != 0) return refused(errno, call, kSocketFilter);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return refused(errno, call, kSocketFilter);
  return Link(std::move(socket), call.where);
}

Result<Link> attach_to(const Call& call, const probe::Reuseport& probe) {
  auto inodes = bound_sockets(probe.port, probe.udp);
  if (inodes.empty())
    return std::unexpected(Error{.kind = ErrorKind::not_found,
                                 .message = fmt::format("{}: no socket is {} there", call.where, probe.udp ? "bound" : "listening"),
                                 .hint = "the program chooses among sockets that were opened with SO_REUSEPORT: start the server first"});
  UniqueFd socket = find_socket(probe, inodes);
  if (!socket) {
    auto failure = fail(ErrorKind::permission, "{}: the socket's process cannot be reached", call.where);
    failure.error().hint = "name it (--pid); pidfd_getfd(2) needs Linux 5.6 and the right to trace that process";
    return failure;
  }
  int program = call.program.fd();
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program, sizeof program) != 0)
    return refused(errno, call, kReuseport, errno == EINVAL ? "the socket was bound without SO_REUSEPORT" : "");
  return Link({}, call.where, [socket = std::move(socket)] {
    int none = 0;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof none);
  });
}

}  // namespace espy::kernel::attaching
