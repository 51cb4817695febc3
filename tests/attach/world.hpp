// What the tests of attaching share: loading an object of this folder, reading its counters, and little worlds of their
// own to make events in: a network namespace, a cgroup, a process.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <functional>
#include <string>
#include <vector>

#include "kernel/attach.hpp"
#include "kernel/object.hpp"
#include "kernel/version.hpp"
#include "object/read.hpp"

namespace espy::attach_test {

using kernel::Link;
using kernel::Object;

/// Loads NAME.bpf.o with only these programs (empty: all). Events of this process count.
Result<Object> load(const std::string& name, const std::vector<std::string>& programs = {}, const kernel::LoadOptions& options = {});

/// A global integer of a loaded object.
std::uint64_t number(const Object& object, std::string_view variable);

struct How {
  std::string text = {};                 ///< a target as on the command line; empty: as the section says
  probe::ProbeOptions options = {};
  kernel::AttachOptions attach = {};
};
Result<Link> attach(Object& object, std::string_view program, const How& how = {});

/// The counter grows while the link is there and the trigger is pulled, and no more once it is gone.
void fires(Object& object, Result<Link> link, std::string_view counter, const std::function<void()>& trigger);

/// Is the kernel at least this version?
bool since(int major, int minor);

/// Runs in a thread that has a network namespace of its own, its loopback up. Skips what needs more privileges than there are.
void in_own_network(const std::function<void()>& body);

/// A cgroup (version 2) that goes with the object.
class OwnCgroup {
 public:
  OwnCgroup();
  ~OwnCgroup();
  const std::string& path() const { return path_; }
  /// Runs in a child process inside the cgroup; its answer must be true.
  void run(const std::function<bool()>& body) const;

 private:
  std::string path_;
};

/// A socket of this process; closed with the object.
UniqueFd socket_of(int family, int type, int protocol = 0);
/// Binds to the loopback address at a port the kernel chooses; returns it.
std::uint16_t bind_to_loopback(const UniqueFd& socket, int family = AF_INET);
bool connect_to_loopback(const UniqueFd& socket, std::uint16_t port, int family = AF_INET);
/// Sends one UDP datagram to a closed port of the loopback.
void send_datagram();
/// Two connected TCP sockets over the loopback.
std::pair<UniqueFd, UniqueFd> tcp_pair(const std::string& congestion_control = {});

/// Runs a program of the machine and returns its exit status.
int run(const std::string& command);

}  // namespace espy::attach_test
