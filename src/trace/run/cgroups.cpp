#include "trace/run/cgroups.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <new>

#include "kernel/attach/cgroup.hpp"

namespace espy::trace::run {

namespace {

// The kernel opens a cgroup by its number as a file handle (include/linux/exportfs.h: FILEID_KERNFS), which needs
// CAP_DAC_READ_SEARCH; else the tree is walked.
constexpr int kFileidKernfs = 0xfe;

std::string open_by_number(int mount, std::uint64_t id) {
  alignas(file_handle) std::array<std::byte, sizeof(file_handle) + sizeof id> room{};
  auto* handle = new (room.data()) file_handle{};
  handle->handle_bytes = sizeof id;
  handle->handle_type = kFileidKernfs;
  std::memcpy(room.data() + sizeof(file_handle), &id, sizeof id);
  UniqueFd fd(::open_by_handle_at(mount, handle, O_PATH | O_CLOEXEC));
  if (!fd) return {};
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink(fmt::format("/proc/self/fd/{}", fd.get()).c_str(), path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string{};
}

std::string walk(const std::string& mount, std::uint64_t id) {
  struct stat info {};
  if (::stat(mount.c_str(), &info) == 0 && info.st_ino == id) return mount;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(mount, std::filesystem::directory_options::skip_permission_denied, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && ::stat(at->path().c_str(), &info) == 0 && info.st_ino == id) return at->path();
  }
  return {};
}

}  // namespace

std::string Cgroups::find(std::uint64_t id) {
  if (!looked_) {
    looked_ = true;
    if (auto mount = kernel::attaching::cgroup2_mount()) mount_ = *mount;
    if (auto fd = mount_.empty() ? Result<UniqueFd>{} : open_file(mount_, O_RDONLY | O_DIRECTORY)) mount_fd_ = std::move(*fd);
  }
  if (mount_.empty()) return {};
  std::string path = mount_fd_ ? open_by_number(mount_fd_.get(), id) : std::string{};
  if (!path.starts_with(mount_)) path = walk(mount_, id);
  if (path.empty()) return {};
  path.erase(0, mount_.size());
  return path.empty() ? "/" : path;
}

const std::string& Cgroups::path(std::uint64_t id) {
  auto [at, is_new] = paths_.try_emplace(id);
  if (is_new) at->second = find(id);
  return at->second;
}

}  // namespace espy::trace::run
