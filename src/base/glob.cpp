#include "base/glob.hpp"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace espy {
namespace {

constexpr std::size_t kMostPaths = 65536;

// Names in a folder that a pattern matches.
std::vector<std::string> names_in(const std::string& folder, std::string_view pattern, NameMatcher matcher) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.empty() ? "." : folder.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.') && !pattern.starts_with('.')) continue;
    if (matcher(pattern, name)) names.emplace_back(name);
  }
  return names;
}

}  // namespace

std::vector<std::string> paths_matching(std::string_view pattern, NameMatcher matcher) {
  std::vector<std::string> paths{""};
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t slash = pattern.find('/', at);
    const std::size_t end = slash == pattern.npos ? pattern.size() : slash;
    const std::string_view step = pattern.substr(at, end - at), behind = slash == pattern.npos ? "" : "/";
    std::vector<std::string> further;
    for (const std::string& path : paths) {
      if (step.find_first_of("*?[") == step.npos) {
        further.push_back(path + std::string(step) + std::string(behind));
        continue;
      }
      for (const std::string& name : names_in(path, step, matcher))
        if (further.size() < kMostPaths) further.push_back(path + name + std::string(behind));
    }
    paths = std::move(further);
    at = end + behind.size();
  }
  std::erase_if(paths, [](const std::string& path) { return ::access(path.c_str(), F_OK) != 0; });
  std::ranges::sort(paths);
  return paths;
}

}  // namespace espy
