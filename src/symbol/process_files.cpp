#include "symbol/process_files.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"

namespace espy::symbol {

namespace {

// What O_PATH has opened, opened to read if it is a regular file.
std::optional<OpenedFile> reopen(const UniqueFd& place) {
  OpenedFile file;
  if (!place || ::fstat(place.get(), &file.status) != 0 || !S_ISREG(file.status.st_mode)) return std::nullopt;
  file.fd = UniqueFd(::open(fmt::format("/proc/self/fd/{}", place.get()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.fd) return std::nullopt;
  return file;
}

bool is_mapped_file(const OpenedFile& file, const Mapping& mapping) {
  // Some file systems (btrfs, overlayfs) show another device to stat() than to maps: the inode decides.
  return file.status.st_ino == mapping.inode;
}

std::string proc(int pid, std::string_view what) { return fmt::format("/proc/{}/{}", pid, what); }

}  // namespace

std::optional<OpenedFile> open_in_root(int pid, const std::string& path) {
  UniqueFd root(::open(proc(pid, "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return std::nullopt;
  open_how how{.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  UniqueFd place(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
  if (!place && errno == ENOSYS)   // before 5.6
    place = UniqueFd(::open((proc(pid, "root") + path).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return reopen(place);
}

std::optional<OpenedFile> open_mapped(int pid, const Mapping& mapping) {
  if (mapping.inode == 0 || !mapping.path.starts_with('/')) return std::nullopt;
  // This link is the file itself; following it takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN.
  std::string link = proc(pid, fmt::format("map_files/{:x}-{:x}", mapping.start, mapping.end));
  if (auto file = reopen(UniqueFd(::open(link.c_str(), O_PATH | O_CLOEXEC))); file && is_mapped_file(*file, mapping)) return file;
  if (auto file = open_in_root(pid, mapping.path); file && is_mapped_file(*file, mapping)) return file;
  // The process may be gone; most have the root that we have.
  auto file = reopen(UniqueFd(::open(mapping.path.c_str(), O_PATH | O_CLOEXEC)));
  const bool same_device = file && file->status.st_dev == makedev(mapping.device_major, mapping.device_minor);
  if (file && is_mapped_file(*file, mapping) && (same_device || mapping.device_major == 0)) return file;
  return std::nullopt;
}

std::optional<OpenedFile> open_again(const UniqueFd& file) { return reopen(file); }

std::optional<OpenedFile> open_perf_map(int pid) {
  // In a container the process knows itself by another id: the last of "NSpid: 1234 7".
  std::string inner = std::to_string(pid);
  uid_t owner = 0;
  struct stat process {};
  const bool alive = ::stat(proc(pid, "").c_str(), &process) == 0;
  if (alive) owner = process.st_uid;
  if (auto status = read_text_file(proc(pid, "status"), 1 << 16)) {
    if (std::size_t at = status->find("\nNSpid:"); at != status->npos) {
      auto ids = split_words(std::string_view(*status).substr(at + 7, status->find('\n', at + 1) - at - 7));
      if (!ids.empty()) inner = ids.back();
    }
  }
  auto file = open_in_root(pid, fmt::format("/tmp/perf-{}.map", inner));
  if (!file && !alive) file = reopen(UniqueFd(::open(fmt::format("/tmp/perf-{}.map", pid).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)));
  if (file && alive && file->status.st_uid != owner && file->status.st_uid != 0) return std::nullopt;
  return file;
}

std::optional<ProcessIdentity> process_identity(int pid) {
  auto text = read_text_file(proc(pid, "stat"), 4096);
  if (!text) return std::nullopt;
  // "1234 (name, which may hold anything) S ...": the 22nd field, the 20th after the name.
  std::size_t name_end = text->rfind(')');
  if (name_end == text->npos) return std::nullopt;
  auto fields = split_words(std::string_view(*text).substr(name_end + 1));
  ProcessIdentity identity;
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  identity.start_time = parse_number<std::uint64_t>(fields[19]).value_or(0);
  struct stat program {};
  if (::stat(proc(pid, "exe").c_str(), &program) == 0) {
    identity.program_device = program.st_dev;
    identity.program_inode = program.st_ino;
  }
  return identity;
}

}  // namespace espy::symbol
