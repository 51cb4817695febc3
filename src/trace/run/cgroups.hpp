// Cgroups by number: what bpf_get_current_cgroup_id() gives is the inode of a folder of the cgroup file system.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/fd.hpp"

namespace espy::trace::run {

class Cgroups {
 public:
  /// The path below the cgroup2 mount, "/system.slice/ssh.service"; empty: there is none with this number.
  const std::string& path(std::uint64_t id);

 private:
  std::string find(std::uint64_t id);

  std::string mount_;
  UniqueFd mount_fd_;
  bool looked_ = false;
  std::unordered_map<std::uint64_t, std::string> paths_;
};

}  // namespace espy::trace::run
