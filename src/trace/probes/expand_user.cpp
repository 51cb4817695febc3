// Probes in programs and libraries: functions, instructions, source lines, USDT.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/glob.hpp"
#include "base/text.hpp"
#include "symbol/archive.hpp"
#include "symbol/demangle.hpp"
#include "symbol/dwarf.hpp"
#include "symbol/find_file.hpp"
#include "symbol/usdt.hpp"
#include "trace/probes/expand.hpp"

namespace espy::trace::probes {

using facts::ProgType;

namespace {

// What a process has mapped to run, each file once, as this process can open it.
Result<std::vector<std::string>> mapped_files(int pid) {
  std::string maps = TRY(read_text_file(fmt::format("/proc/{}/maps", pid), 64 << 20));
  std::vector<std::string> files;
  std::set<std::string_view> seen;
  for (std::string_view line : split(maps, '\n')) {
    auto words = split_words(line);
    std::size_t slash = line.find('/');
    if (words.size() < 6 || words[1].find('x') == std::string_view::npos || slash == line.npos || line.ends_with(" (deleted)")) continue;
    std::string_view path = line.substr(slash);
    if (seen.insert(path).second) files.push_back(fmt::format("/proc/{}/root{}", pid, path));
  }
  return files;
}

// ELF files whose paths match a pattern.
std::vector<std::string> files_matching(const std::string& pattern) {
  std::vector<std::string> files;
  for (std::string& path : paths_matching(pattern, matches))
    if (files.size() < 4096 && symbol::ElfFile::open(path)) files.push_back(std::move(path));
  return files;
}

}  // namespace

Result<std::vector<std::string>> files_named(std::string_view path, std::optional<int> pid) {
  if (path.empty() || path == "*") {
    if (!pid) {
      std::string_view what = path.empty() ? "in which program or library?" : "`*` as a file means what a process has mapped: which process?";
      auto failure = fail(ErrorKind::invalid_argument, "{}", what);
      failure.error().hint = path.empty() ? "uprobe:BINARY:FUNCTION, or -p PID for the program that a process runs" : "-p PID";
      return failure;
    }
    if (path == "*") return mapped_files(*pid);
    std::string link = fmt::format("/proc/{}/exe", *pid), target(4096, '\0');
    ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    if (size < 0) return fail_sys(errno, "find the program of process {}", *pid);
    target.resize(static_cast<std::size_t>(size));
    return std::vector{fmt::format("/proc/{}/root{}", *pid, target)};
  }
  if (is_pattern(path)) {
    auto files = files_matching(pid && path.starts_with('/') ? fmt::format("/proc/{}/root{}", *pid, path) : std::string(path));
    if (files.empty()) return std::unexpected(missing(fmt::format("no program or library matches `{}`", path)));
    return files;
  }
  return std::vector{TRY(symbol::find_file(std::string(path), pid))};
}

namespace {

// "ns::f" of "ns::f(int) const".
std::string_view without_parameters(std::string_view name) {
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth == 0 && !name.substr(i).starts_with("(anonymous")) return name.substr(0, i);
  }
  return name;
}

// Does a function's symbol answer to the name or pattern of the attach point?
bool answers_to(const symbol::Function& function, const UserPlace& place, bool cpp) {
  if (matches(place.function, function.name)) return true;
  if (!cpp) return false;
  std::string full = symbol::demangle(function.name);
  if (full == function.name) return false;
  return matches(place.function, place.function.find('(') == std::string::npos ? without_parameters(full) : std::string_view(full));
}

// What the kernel is told to probe: of a library in an archive, that.
std::string probed_file(const std::string& path) {
  const auto parts = ::access(path.c_str(), F_OK) == 0 ? std::nullopt : symbol::archive_path(path);
  return parts ? parts->first : path;
}

// As the process of -p calls it, which is what a script said.
std::string named_file(const Expanding& ask, const std::string& path) {
  const std::string root = ask.options.pid ? fmt::format("/proc/{}/root/", *ask.options.pid) : std::string();
  return !root.empty() && path.starts_with(root) ? path.substr(root.size() - 1) : path;
}

Target uprobe_target(const Expanding& ask, const std::string& path, const std::string& function, std::uint64_t file_offset, std::uint64_t inside) {
  AttachPoint named = ask.point;
  UserPlace& place = std::get<UserPlace>(named.place);
  place.path = named_file(ask, path), place.function = function, place.language.clear();
  return {.provider = ask.point.provider, .name = name_of(named), .function = function,
          .probe = probe::Uprobe{probed_file(path), "", file_offset + inside, ask.at_return(), 0}, .prog_type = ProgType::kprobe,
          .arguments = RegisterArguments{path, inside == 0 ? function : "", ask.at_return()}};
}

// All functions that match, each place once.
Result<std::vector<Target>> matching_functions(const Expanding& ask, const UserPlace& place, const std::string& path) {
  bool cpp = place.language == "cpp" || place.function.find("::") != std::string::npos || place.function.find('(') != std::string::npos;
  std::vector<Target> targets;
  std::set<std::uint64_t> places;
  for (const symbol::Function& f : *TRY(ask.machine.functions_of(path)))
    if (!f.indirect && answers_to(f, place, cpp) && places.insert(f.file_offset).second)
      targets.push_back(uprobe_target(ask, path, f.name, f.file_offset, place.offset));
  return targets;
}

Result<std::vector<Target>> in_file(const Expanding& ask, const UserPlace& place, const std::string& path) {
  const symbol::ElfFile& elf = *TRY(ask.machine.elf(path));
  std::vector<Target> targets;
  if (place.line != 0) {
    // Where the code of a line begins, arguments need not be in their registers any more.
    for (const symbol::LineAddress& at : TRY(symbol::addresses_of_line(path, place.source, place.line, place.column)))
      targets.push_back(uprobe_target(ask, path, "", at.file_offset, 0));
    return targets;
  }
  if (place.address) {
    auto offset = elf.file_offset(*place.address);
    if (!offset) return fail(ErrorKind::not_found, "{}: address {:#x} is in none of the file's segments", path, *place.address);
    targets.push_back(uprobe_target(ask, path, "", *offset, 0));
    return targets;
  }
  if (is_pattern(place.function) || place.language == "cpp") return matching_functions(ask, place, path);
  auto function = symbol::find_function(elf, place.function);
  if (!function) return std::unexpected(std::move(function.error()));
  if (function->indirect) {
    auto failure = fail(ErrorKind::unsupported, "{}: `{}` only chooses the function that runs, once for each process", path, place.function);
    failure.error().hint = fmt::format("probe those it chooses from: -l 'uprobe:{}:*{}*'", path, place.function);
    return failure;
  }
  if (place.offset != 0 && function->size != 0 && place.offset >= function->size)
    return fail(ErrorKind::invalid_argument, "{}: `{}` has {:#x} bytes", path, place.function, function->size);
  targets.push_back(uprobe_target(ask, path, function->name, function->file_offset, place.offset));
  return targets;
}

}  // namespace

Result<std::vector<Target>> expand_user_function(const Expanding& ask, const UserPlace& place) {
  auto files = TRY(files_named(place.path, ask.options.pid));
  std::vector<Target> targets;
  std::optional<Error> last;
  for (const std::string& path : files) {
    auto found = in_file(ask, place, path);
    if (!found) {
      last = std::move(found.error());
      continue;   // one of many files need not have it
    }
    std::ranges::move(*found, std::back_inserter(targets));
  }
  if (!targets.empty()) return targets;
  if (last) return std::unexpected(std::move(*last));
  return std::unexpected(missing(fmt::format("no function of {} matches `{}`", fmt::join(files, ", "), place.function)));
}

Result<std::vector<Target>> expand_usdt(const Expanding& ask, const UsdtPlace& place) {
  // With -p and no file, whatever the process has mapped.
  auto files = TRY(files_named(place.path.empty() && ask.options.pid ? "*" : std::string_view(place.path), ask.options.pid));
  std::vector<Target> targets;
  std::vector<std::string> known;
  for (const std::string& path : files) {
    auto elf = ask.machine.elf(path);
    if (!elf && files.size() > 1) continue;
    if (!elf) return std::unexpected(std::move(elf.error()));
    for (const symbol::UsdtNote& note : TRY(symbol::usdt_notes(**elf))) {
      known.push_back(note.provider + ":" + note.name);
      if ((!place.provider.empty() && !matches(place.provider, note.provider)) || !matches(place.name, note.name)) continue;
      auto arguments = symbol::parse_usdt_arguments(note.arguments, (*elf)->machine());
      targets.push_back({.provider = Provider::usdt, .name = fmt::format("usdt:{}:{}:{}", named_file(ask, path), note.provider, note.name),
                         .probe = probe::Uprobe{probed_file(path), "", note.file_offset, false, note.semaphore_offset}, .prog_type = ProgType::kprobe,
                         .arguments = arguments ? UsdtArguments{std::move(*arguments), ""} : UsdtArguments{{}, arguments.error().message}});
    }
  }
  if (!targets.empty()) return targets;
  std::ranges::sort(known);
  auto rest = std::ranges::unique(known);
  known.erase(rest.begin(), rest.end());
  std::string wanted = place.provider.empty() ? place.name : place.provider + ":" + place.name;
  Error error = missing(fmt::format("no USDT probe of {} matches `{}`", fmt::join(files, ", "), wanted), wanted, {known.begin(), known.end()});
  if (known.empty()) error.hint = "it was built without USDT probes";
  else if (error.hint.empty()) error.hint = fmt::format("there are {}", fmt::join(std::span(known).first(std::min<std::size_t>(known.size(), 12)), ", "));
  return std::unexpected(std::move(error));
}

}  // namespace espy::trace::probes
