#include "kernel/attach/cgroup.hpp"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/vfs.h>

#include <cerrno>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/attach/families.hpp"

namespace espy::kernel::attaching {

namespace {

constexpr long kCgroup2Magic = 0x63677270, kCgroup1Magic = 0x27e0eb;   // linux/magic.h

}  // namespace

Result<std::string> cgroup2_mount() {
  std::string mounts = TRY(read_text_file("/proc/self/mounts", 16 << 20));
  for (std::string_view line : split(mounts, '\n'))
    if (auto words = split_words(line); words.size() > 2 && words[2] == "cgroup2") return std::string(words[1]);
  return std::unexpected(Error{.kind = ErrorKind::not_found,
                               .message = "no cgroup2 file system is mounted",
                               .hint = "mount -t cgroup2 none /sys/fs/cgroup"});
}

Result<UniqueFd> open_cgroup(const std::string& path) {
  struct statfs status {};
  std::string found = path;
  int known = ::statfs(found.c_str(), &status);
  if (known != 0) {
    // Not a path: perhaps one below the mount, with or without what people know the mount as.
    std::string mount = TRY(cgroup2_mount());
    std::string_view below = path;
    if (below.starts_with("/sys/fs/cgroup")) below.remove_prefix(std::string_view("/sys/fs/cgroup").size());
    while (below.starts_with('/')) below.remove_prefix(1);
    found = fmt::format("{}/{}", mount, below);
    known = ::statfs(found.c_str(), &status);
    if (known != 0) {
      auto failure = fail_sys(errno, "open cgroup {}", path);
      failure.error().hint = fmt::format("cgroup2 is mounted at {}; `mkdir {}/NAME` makes a cgroup", mount, mount);
      return failure;
    }
  }
  if (status.f_type == kCgroup2Magic) return open_file(found, O_RDONLY | O_DIRECTORY);
  auto mount = cgroup2_mount();
  Error error{.kind = ErrorKind::invalid_argument,
              .message = status.f_type == kCgroup1Magic ? fmt::format("{} belongs to a version 1 cgroup hierarchy, which runs no programs", path)
                                                        : fmt::format("{} is no cgroup", path),
              .hint = mount ? fmt::format("cgroup2 is mounted at {}", *mount) : mount.error().hint};
  return std::unexpected(std::move(error));
}

namespace {

// What the program hangs on where its section does not say.
facts::AttachType default_type(facts::ProgType type) {
  using facts::AttachType;
  using facts::ProgType;
  switch (type) {
    case ProgType::sock_ops: return AttachType::cgroup_sock_ops;
    case ProgType::cgroup_device: return AttachType::cgroup_device;
    case ProgType::cgroup_sysctl: return AttachType::cgroup_sysctl;
    case ProgType::cgroup_sock: return AttachType::cgroup_inet_sock_create;
    case ProgType::cgroup_sockopt: return AttachType::cgroup_getsockopt;
    case ProgType::lsm: return AttachType::lsm_cgroup;
    default: return AttachType::cgroup_inet_ingress;
  }
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Cgroup& probe) {
  UniqueFd cgroup = TRY(open_cgroup(probe.path));
  facts::AttachType type = call.attach_type_or(default_type(call.program.spec().type));
  const facts::AttachTypeRow* row = facts::find(type);
  std::string where = fmt::format("{} ({})", call.where, facts::to_string(type));
  Call named{call.object, call.program, call.options, where};
  const Need need{.what = row != nullptr ? row->name : "this attach type",
                  .since = row != nullptr ? row->since : facts::KernelVersion{},
                  .options = row != nullptr ? row->needs : "CONFIG_CGROUP_BPF",
                  .capabilities = {Capability::net_admin, Capability::bpf}};
  UniqueFd link = link_create(named, static_cast<std::uint32_t>(cgroup.get()), type);
  if (link) return Link(std::move(link), where);
  if (errno == EINVAL && type != facts::AttachType::lsm_cgroup) return prog_attach(named, std::move(cgroup), type, BPF_F_ALLOW_MULTI, need);
  return refused(errno, named, need, errno == E2BIG ? "a cgroup takes 64 programs of a kind" : errno == EPERM ? "a program above this cgroup, attached without `multi`, excludes others" : "");
}

}  // namespace espy::kernel::attaching
