#include "probe/tracefs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "base/text.hpp"

namespace espy::probe {

namespace {

// linux/magic.h; linux/mount.h (FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC, FSCONFIG_CMD_CREATE), which older headers lack.
constexpr long kTracefsMagic = 0x74726163, kBpffsMagic = 0xcafe4a11, kSecurityfsMagic = 0x73636673;
constexpr unsigned kCloexec = 1, kCreate = 6;
constexpr long kFsopen = 430, kFsconfig = 431, kFsmount = 432;

long magic_of(const std::string& type) { return type == "tracefs" ? kTracefsMagic : type == "bpf" ? kBpffsMagic : kSecurityfsMagic; }

Result<UniqueFd> detached_mount(const std::string& type) {
  UniqueFd context(static_cast<int>(::syscall(kFsopen, type.c_str(), kCloexec)));
  if (!context) return fail_sys(errno, "open a {} file system", type);
  if (::syscall(kFsconfig, context.get(), kCreate, nullptr, nullptr, 0) != 0) return fail_sys(errno, "set up {}", type);
  UniqueFd root(static_cast<int>(::syscall(kFsmount, context.get(), kCloexec, 0)));
  if (!root) return fail_sys(errno, "mount {} privately", type);
  return root;
}

// The descriptor keeps the mount usable after the namespace went with the thread.
Result<UniqueFd> mount_in_private_namespace(const std::string& type) {
  Result<UniqueFd> root = fail(ErrorKind::io, "mount {}", type);
  std::thread([&] {
    if (::unshare(CLONE_FS | CLONE_NEWNS) != 0) root = fail_sys(errno, "make a private mount namespace for {}", type);
    else if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) root = fail_sys(errno, "make mounts private");
    else if (::mount(type.c_str(), "/mnt", type.c_str(), 0, nullptr) != 0) root = fail_sys(errno, "mount {} privately", type);
    else root = open_file("/mnt", O_RDONLY | O_DIRECTORY);
  }).join();
  return root;
}

}  // namespace

Result<UniqueFd> open_filesystem(const std::string& type, const std::vector<std::string>& mounted_at) {
  std::string denied;
  for (const std::string& path : mounted_at) {
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0 || status.f_type != magic_of(type)) continue;
    if (auto root = open_file(path, O_RDONLY | O_DIRECTORY)) return root;
    else if (root.error().sys == EACCES) denied = path;
  }
  auto root = detached_mount(type);
  if (!root && (root.error().sys == ENOSYS)) root = mount_in_private_namespace(type);
  if (root) return root;
  Error error = root.error();
  if (error.sys == EPERM)
    error.hint = denied.empty() ? fmt::format("{} is not mounted, and mounting it needs CAP_SYS_ADMIN: run it as root", type)
                                : fmt::format("{} is not this user's to read: run it as root, or with CAP_DAC_READ_SEARCH", denied);
  if (error.sys == ENODEV) error.hint = fmt::format("the kernel has no {} ({})", type,
                                                    type == "tracefs" ? "CONFIG_FTRACE, CONFIG_EVENT_TRACING" : "CONFIG_BPF_SYSCALL");
  return std::unexpected(std::move(error));
}

Result<Tracefs> Tracefs::open() {
  return Tracefs(TRY(open_filesystem("tracefs", {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"})));
}

Result<std::string> Tracefs::read(const std::string& path) const {
  UniqueFd fd(::openat(root_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    auto failure = fail_sys(errno, "open tracefs' {}", path);
    if (failure.error().sys == EACCES) failure.error().hint = "tracefs is not this user's to read: run it as root, or with CAP_DAC_READ_SEARCH";
    return failure;
  }
  std::string text;
  char buffer[16384];
  for (;;) {
    ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_sys(errno, "read tracefs' {}", path);
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

Result<void> Tracefs::append(const std::string& path, std::string_view line) const {
  UniqueFd fd(::openat(root_.get(), path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd) return fail_sys(errno, "open tracefs' {}", path);
  if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return fail_sys(errno, "write `{}` to tracefs' {}", line, path);
  return {};
}

Result<std::vector<std::string>> Tracefs::list(const std::string& folder) const {
  int fd = ::openat(root_.get(), folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_sys(errno, "open tracefs' {}", folder);
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd), ::closedir);
  if (!directory) {
    ::close(fd);
    return fail_sys(errno, "list tracefs' {}", folder);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory.get()))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  std::ranges::sort(names);
  return names;
}

Result<std::vector<TracepointName>> tracepoints(const Tracefs& tracefs) {
  std::string text = TRY(tracefs.read("available_events"));
  std::vector<TracepointName> names;
  for (std::string_view line : split(text, '\n'))
    if (std::size_t colon = line.find(':'); colon != line.npos)
      names.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 1))});
  std::ranges::sort(names, {}, [](const TracepointName& n) { return std::tie(n.category, n.name); });
  return names;
}

namespace {

// Why a name is not there: the nearest spelling, the same name in another category, or what the category holds.
Error no_such_tracepoint(const Tracefs& tracefs, const std::string& category, const std::string& name) {
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("no tracepoint {}:{}", category, name)};
  auto known = tracepoints(tracefs);
  if (!known) return error;
  std::vector<std::string> all, same_name;
  for (const TracepointName& tp : *known) {
    all.push_back(tp.category + ":" + tp.name);
    if (tp.name == name) same_name.push_back(all.back());
  }
  std::string wanted = category + ":" + name;
  std::string_view near = same_name.empty() ? nearest(wanted, {all.begin(), all.end()}) : std::string_view(same_name.front());
  if (!near.empty()) {
    error.hint = fmt::format("did you mean {}?", near);
    return error;
  }
  std::vector<std::string_view> in_category;
  for (std::string_view tp : all)
    if (tp.starts_with(category + ":")) in_category.push_back(tp.substr(category.size() + 1));
  if (in_category.empty()) error.hint = fmt::format("this kernel has no tracepoints in category {}", category);
  else {
    std::size_t shown = std::min<std::size_t>(in_category.size(), 12);
    error.hint = fmt::format("{} has {}{}", category, fmt::join(std::span(in_category).first(shown), ", "),
                             shown < in_category.size() ? fmt::format(" and {} more", in_category.size() - shown) : "");
  }
  return error;
}

}  // namespace

Result<std::uint64_t> tracepoint_id(const Tracefs& tracefs, const std::string& category, const std::string& name) {
  if (category.find('/') != category.npos || name.find('/') != name.npos || category.starts_with('.') || name.starts_with('.'))
    return fail(ErrorKind::invalid_argument, "`{}:{}` is no name of a tracepoint", category, name);
  auto text = tracefs.read(fmt::format("events/{}/{}/id", category, name));
  if (!text && text.error().sys == ENOENT) return std::unexpected(no_such_tracepoint(tracefs, category, name));
  if (!text) return std::unexpected(std::move(text.error()));
  auto id = parse_number<std::uint64_t>(trim(*text));
  if (!id) return fail(ErrorKind::malformed, "tracefs' events/{}/{}/id holds `{}`", category, name, trim(*text));
  return *id;
}

}  // namespace espy::probe
