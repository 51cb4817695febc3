#include "symbol/find_file.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/fd.hpp"
#include "base/glob.hpp"
#include "base/text.hpp"
#include "symbol/archive.hpp"

namespace espy::symbol {

namespace {

std::string root_of(std::optional<int> pid) { return pid ? fmt::format("/proc/{}/root", *pid) : std::string(); }

bool is_library(std::string_view name) { return name.find(".so") != name.npos || name.starts_with("lib"); }

// Is `file` the library that `name` asks for? "libc" and "libc.so" mean "libc.so.6", "libssl.so.3" only itself.
bool answers_to(std::string_view file, std::string_view name) {
  if (file == name) return true;
  if (!file.starts_with(name)) return false;
  std::string_view rest = file.substr(name.size());
  return name.ends_with(".so") ? rest.starts_with('.') : name.find(".so.") == name.npos && rest.starts_with(".so");
}

// What the process has mapped is what it runs, whatever the search path says.
std::optional<std::string> mapped_by(int pid, std::string_view name) {
  auto maps = read_text_file(fmt::format("/proc/{}/maps", pid), 64 << 20);
  if (!maps) return std::nullopt;
  for (std::string_view line : split(*maps, '\n')) {
    std::size_t slash = line.find('/');
    if (slash == line.npos) continue;
    std::string_view path = line.substr(slash);
    if (path.ends_with(" (deleted)")) continue;
    if (answers_to(path.substr(path.rfind('/') + 1), name)) return root_of(pid) + std::string(path);
  }
  return std::nullopt;
}

// Folders named by ld.so.conf and the files it includes (one level, as distributions do).
void add_configured(std::vector<std::string>& folders, const std::string& root, const std::string& file, int depth) {
  auto text = read_text_file(root + file, 1 << 20);
  if (!text) return;
  for (std::string_view line : split(*text, '\n')) {
    line = trim(line.substr(0, line.find('#')));
    if (line.starts_with('/')) folders.emplace_back(line);
    if (!line.starts_with("include ") || depth > 4) continue;
    std::string pattern = root + std::string(trim(line.substr(8)));
    for (const std::string& path : paths_matching(pattern)) add_configured(folders, root, path.substr(root.size()), depth + 1);
  }
}

std::vector<std::string> library_folders(const std::string& root) {
  std::vector<std::string> folders;
  if (const char* own = std::getenv("LD_LIBRARY_PATH"); own != nullptr && root.empty())
    for (std::string_view folder : split(own, ':')) folders.emplace_back(folder);
  add_configured(folders, root, "/etc/ld.so.conf", 0);
#if defined(__aarch64__)
  for (const char* folder : {"/usr/lib/aarch64-linux-gnu", "/lib/aarch64-linux-gnu"}) folders.emplace_back(folder);
#else
  for (const char* folder : {"/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu"}) folders.emplace_back(folder);
#endif
  for (const char* folder : {"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}) folders.emplace_back(folder);
  return folders;
}

std::vector<std::string> program_folders(const std::string& root) {
  std::vector<std::string> folders;
  if (const char* path = std::getenv("PATH"); path != nullptr && root.empty())
    for (std::string_view folder : split(path, ':')) folders.emplace_back(folder);
  for (const char* folder : {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"}) folders.emplace_back(folder);
  return folders;
}

// The newest of the libraries in a folder that answer to the name: "libssl" with libssl.so.1.1 and libssl.so.3 is the latter.
std::optional<std::string> library_in(const std::string& folder, std::string_view name) {
  std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
  if (!directory) return std::nullopt;
  std::string best;
  while (const dirent* entry = ::readdir(directory.get())) {
    std::string_view file = entry->d_name;
    if (file == name) return folder + "/" + std::string(file);
    // "libc.so" may be a linker script for compilers; a versioned name is the library.
    if (answers_to(file, name) && file.find(".so.") != file.npos && file > best) best = file;
  }
  if (best.empty()) return std::nullopt;
  return folder + "/" + best;
}

}  // namespace

Result<std::string> find_file(const std::string& name, std::optional<int> pid) {
  std::string root = root_of(pid);
  if (pid && ::access(fmt::format("/proc/{}", *pid).c_str(), F_OK) != 0) return fail(ErrorKind::not_found, "no process {}", *pid);
  if (name.find('/') != name.npos) {
    bool special = name.starts_with("/proc/");   // names a process already
    std::string path = pid && name.starts_with('/') && !special ? root + name : name;
    if (::access(path.c_str(), R_OK) != 0) {
      if (const auto parts = archive_path(path); parts && ::access(parts->first.c_str(), R_OK) == 0) return path;   // opening it tells of the member
      auto failure = fail_sys(errno, "open {}", path);
      if (pid) failure.error().hint = fmt::format("the path is looked for in the root of process {}", *pid);
      return failure;
    }
    return path;
  }
  bool library = is_library(name);
  if (library && pid)
    if (auto path = mapped_by(*pid, name)) return *path;
  std::vector<std::string> folders = library ? library_folders(root) : program_folders(root);
  for (const std::string& folder : folders) {
    std::string path = root + folder + "/" + name;
    if (library) {
      if (auto found = library_in(root + folder, name)) return *found;
    } else if (!folder.empty() && ::access(path.c_str(), R_OK | X_OK) == 0) {
      return path;
    }
  }
  return std::unexpected(Error{.kind = ErrorKind::not_found,
                               .message = fmt::format("no {} `{}` in {}", library ? "library" : "program", name, fmt::join(folders, ", ")),
                               .hint = "name it by its path"});
}

}  // namespace espy::symbol
