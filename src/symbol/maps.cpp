// The two texts that tell what a process' memory holds: /proc/PID/maps and a just-in-time compiler's /tmp/perf-PID.map.
#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.hpp"
#include "symbol/process.hpp"

namespace espy::symbol {

namespace {

constexpr std::size_t kMappingLimit = 1 << 17, kJitLimit = 1 << 21;

// Takes the next word of a line off its front.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  return word;
}

template <typename T>
std::optional<T> hex(std::string_view text) {
  T value{};
  if (text.starts_with("0x")) text.remove_prefix(2);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "a-b" or "a:b" in hexadecimal.
template <typename T>
std::optional<std::pair<T, T>> hex_pair(std::string_view text, char between) {
  std::size_t at = text.find(between);
  if (at == text.npos) return std::nullopt;
  auto first = hex<T>(text.substr(0, at)), second = hex<T>(text.substr(at + 1));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

// The kernel writes a line feed in a path as \012, and marks files that are gone.
std::string mapped_path(std::string_view text) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (text.ends_with(kDeleted)) text.remove_suffix(kDeleted.size());
  std::string path(text);
  for (std::size_t at = 0; (at = path.find("\\012", at)) != path.npos; ++at) path.replace(at, 4, "\n");
  return path;
}

// "55d0c0de0000-55d0c0de1000 r-xp 00001000 fe:01 1234   /usr/bin/x"
std::optional<Mapping> parse_mapping(std::string_view line) {
  auto range = hex_pair<std::uint64_t>(take_word(line), '-');
  std::string_view rights = take_word(line);
  auto offset = hex<std::uint64_t>(take_word(line));
  auto device = hex_pair<std::uint32_t>(take_word(line), ':');
  auto inode = parse_number<std::uint64_t>(take_word(line));
  if (!range || !offset || !device || !inode || rights.size() != 4 || rights[2] != 'x' || range->first >= range->second) return std::nullopt;
  return Mapping{.start = range->first, .end = range->second, .offset = *offset, .device_major = device->first,
                 .device_minor = device->second, .inode = *inode, .path = mapped_path(trim(line))};
}

}  // namespace

std::vector<Mapping> parse_maps(std::string_view maps) {
  std::vector<Mapping> mappings;
  while (!maps.empty() && mappings.size() < kMappingLimit) {
    std::string_view line = maps.substr(0, maps.find('\n'));
    maps.remove_prefix(std::min(line.size() + 1, maps.size()));
    if (auto mapping = parse_mapping(line); mapping && (mappings.empty() || mapping->start >= mappings.back().end)) mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

std::vector<JitSymbol> parse_perf_map(std::string_view text) {
  struct Code {
    std::uint64_t end;
    std::string_view name;
  };
  std::map<std::uint64_t, Code> code;   // by begin, without overlaps
  while (!text.empty() && code.size() < kJitLimit) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    auto start = hex<std::uint64_t>(take_word(line)), size = hex<std::uint64_t>(take_word(line));
    std::string_view name = trim(line);
    if (!start || !size || *size == 0 || *size > UINT64_MAX - *start || name.empty()) continue;
    auto at = code.lower_bound(*start);
    if (at != code.begin() && std::prev(at)->second.end > *start) at = std::prev(at);
    while (at != code.end() && at->first < *start + *size) at = code.erase(at);
    code.insert_or_assign(*start, Code{*start + *size, name});
  }
  std::vector<JitSymbol> symbols;
  symbols.reserve(code.size());
  for (const auto& [start, what] : code) symbols.push_back({start, what.end - start, std::string(what.name)});
  return symbols;
}

}  // namespace espy::symbol
