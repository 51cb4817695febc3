// Helpers that say where the process belongs: its control group, its network namespace.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

// Where cgroup2 is mounted: by itself, or beside the old hierarchies.
constexpr const char* kMounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

/// The path of this process's group below the mount: "/user.slice/x". Empty: it is in none.
std::string group_path() {
  auto text = read_text_file("/proc/self/cgroup");
  if (!text) return {};
  const std::size_t line = text->starts_with("0::") ? 0 : text->find("\n0::");
  if (line == std::string::npos) return {};
  const std::size_t begin = text->find("0::", line) + 3;
  return text->substr(begin, std::min(text->find('\n', begin), text->size()) - begin);
}

// A group's number is its directory's inode number.
std::uint64_t number_of(const std::string& path) {
  for (const char* mount : kMounts) {
    struct stat info {};
    if (::stat((std::string(mount) + "/cgroup.controllers").c_str(), &info) != 0) continue;
    return ::stat((mount + path).c_str(), &info) == 0 ? info.st_ino : 0;
  }
  return 0;
}

std::uint64_t current_group(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  const std::string path = group_path();
  return path.empty() ? 0 : number_of(path);
}

// Level 0 is the root; a level below the group's own has none.
std::uint64_t ancestor_group(std::uint64_t level, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  const std::string path = group_path();
  const auto wanted = static_cast<std::int32_t>(level);
  if (path.empty() || wanted < 0) return 0;
  if (wanted == 0) return number_of("/");
  std::size_t end = 0;
  for (std::int32_t at = 0; at < wanted; ++at) {
    if (end >= path.size() || path == "/") return 0;
    end = std::min(path.find('/', end + 1), path.size());
  }
  return number_of(path.substr(0, end));
}

std::uint64_t network_namespace(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  constexpr int kNamespaceCookie = 71;   // SO_NETNS_COOKIE
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return socket && ::getsockopt(socket.get(), SOL_SOCKET, kNamespaceCookie, &cookie, &size) == 0 ? cookie : 0;
}

constexpr Helper kHelpers[] = {{80, current_group}, {122, network_namespace}, {123, ancestor_group}};

}  // namespace

std::span<const Helper> cgroup_helpers() { return kHelpers; }

}  // namespace espy::vm
