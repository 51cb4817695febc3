#include "trace/config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "facts/lookup.hpp"

namespace espy::trace {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

Result<void> read(bool& to, std::string_view value) {
  const std::string word = lower(value);
  if (word == "1" || word == "true") to = true;
  else if (word == "0" || word == "false") to = false;
  else return fail(ErrorKind::invalid_argument, "`{}` is neither true (1) nor false (0)", value);
  return {};
}

Result<void> read(std::uint64_t& to, std::string_view value) {
  auto number = parse_number<std::uint64_t>(value);
  if (!number) return fail(ErrorKind::invalid_argument, "`{}` is not a number that is 0 or greater", value);
  to = *number;
  return {};
}

Result<void> read(std::string& to, std::string_view value) {
  to = value;
  return {};
}

// The words of each enumeration, as they are printed first.
template <typename Enum>
struct Word {
  std::string_view name;
  Enum value;
};
constexpr Word<MissingProbes> kMissing[] = {{"error", MissingProbes::error}, {"warn", MissingProbes::warn}, {"ignore", MissingProbes::ignore}};
// The older spelling is a flag.
constexpr Word<UserSymbolCache> kCaches[] = {{"per_pid", UserSymbolCache::per_pid}, {"per_program", UserSymbolCache::per_program},
                                             {"none", UserSymbolCache::none},       {"1", UserSymbolCache::per_program},
                                             {"true", UserSymbolCache::per_program}, {"0", UserSymbolCache::none},
                                             {"false", UserSymbolCache::none}};
constexpr Word<Unstable> kUnstable[] = {{"enable", Unstable::enable}, {"warn", Unstable::warn}, {"error", Unstable::error},
                                        {"1", Unstable::enable},      {"true", Unstable::enable}, {"0", Unstable::error},
                                        {"false", Unstable::error}};
constexpr Word<StackMode> kModes[] = {{"bpftrace", StackMode::bpftrace}, {"perf", StackMode::perf}, {"raw", StackMode::raw},
                                      {"build_id", StackMode::build_id}};

constexpr std::span<const Word<MissingProbes>> words(MissingProbes) { return kMissing; }
constexpr std::span<const Word<UserSymbolCache>> words(UserSymbolCache) { return kCaches; }
constexpr std::span<const Word<Unstable>> words(Unstable) { return kUnstable; }
constexpr std::span<const Word<StackMode>> words(StackMode) { return kModes; }

template <typename Enum>
  requires std::is_enum_v<Enum>
Result<void> read(Enum& to, std::string_view value) {
  const std::string word = lower(value);
  std::string expected;
  for (const auto& [name, meaning] : words(Enum{})) {
    if (word == name) return to = meaning, Result<void>{};
    if (!expected.empty()) expected += ", ";
    expected += name;
  }
  return fail(ErrorKind::invalid_argument, "`{}` is none of {}", value, expected);
}

std::string show(bool value) { return value ? "1" : "0"; }
std::string show(std::uint64_t value) { return std::to_string(value); }
std::string show(const std::string& value) { return value; }
template <typename Enum>
  requires std::is_enum_v<Enum>
std::string show(Enum value) {
  return std::string(std::ranges::find(words(value), value, &Word<Enum>::value)->name);
}

template <auto Config::*member>
Result<void> set(Config& config, std::string_view value) {
  return read(config.*member, value);
}

template <auto Config::*member>
std::string get(const Config& config) {
  return show(config.*member);
}

Result<void> set_strlen(Config& config, std::string_view value) {
  std::uint64_t bytes = 0;
  TRY(read(bytes, value));
  if (bytes < 2 || bytes > kMaxStringBytes)
    return fail(ErrorKind::invalid_argument, "strings can have 2 to {} bytes", kMaxStringBytes);
  config.max_strlen = bytes;
  return {};
}

Result<void> set_map_keys(Config& config, std::string_view value) {
  std::uint64_t keys = 0;
  TRY(read(keys, value));
  if (keys == 0 || keys > UINT32_MAX) return fail(ErrorKind::invalid_argument, "maps can have 1 to {} keys", UINT32_MAX);
  config.max_map_keys = keys;
  return {};
}

// What the kernel takes for the GPL: helpers that read memory are for such programs only.
constexpr std::string_view kLicenses[] = {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};

Result<void> set_license(Config& config, std::string_view value) {
  if (std::ranges::find(kLicenses, value) == std::end(kLicenses))
    return fail(ErrorKind::invalid_argument, "`{}` is no licence that the kernel gives its helpers to: {}", value, fmt::join(kLicenses, ", "));
  config.license = value;
  return {};
}

Result<void> nothing(Config&, std::string_view) { return {}; }
std::string no_value(const Config&) { return {}; }

constexpr auto kRows = std::to_array<ConfigRow>({
    {"cache_user_symbols", "PER_PROGRAM", "whose symbols of programs are kept: PER_PID, PER_PROGRAM, NONE", set<&Config::cache_user_symbols>, get<&Config::cache_user_symbols>},
    {"cpp_demangle", "1", "print C++ and Rust names as they were written", set<&Config::cpp_demangle>, get<&Config::cpp_demangle>},
    {"lazy_symbolication", "0", "look symbols of programs up when they are printed, not while tracing", set<&Config::lazy_symbolication>, get<&Config::lazy_symbolication>},
    {"license", "GPL", "licence that programs are loaded with", set_license, get<&Config::license>},
    {"log_size", "1000000", "bytes for the kernel's words on a program that it refuses", set<&Config::log_size>, get<&Config::log_size>},
    {"max_bpf_progs", "1024", "programs that a script may become", set<&Config::max_bpf_progs>, get<&Config::max_bpf_progs>},
    {"max_cat_bytes", "10240", "bytes that cat() prints at most", set<&Config::max_cat_bytes>, get<&Config::max_cat_bytes>},
    {"max_map_keys", "4096", "entries that a map can have", set_map_keys, get<&Config::max_map_keys>},
    {"max_probes", "1024", "probes that a script may attach", set<&Config::max_probes>, get<&Config::max_probes>},
    {"max_strlen", "1024", "bytes of a string that str(), buf() and path() read at most", set_strlen, get<&Config::max_strlen>},
    {"missing_probes", "error", "what to do about a probe that is not there: error, warn, ignore", set<&Config::missing_probes>, get<&Config::missing_probes>},
    {"on_stack_limit", "32", "bytes; what is larger lies in memory made beforehand rather than on the stack", set<&Config::on_stack_limit>, get<&Config::on_stack_limit>},
    {"perf_rb_pages", "0", "pages of the buffer that records pass through; 0: by the machine's memory", set<&Config::perf_rb_pages>, get<&Config::perf_rb_pages>},
    {"print_maps_on_exit", "1", "print all maps at the end", set<&Config::print_maps_on_exit>, get<&Config::print_maps_on_exit>},
    {"show_debug_info", "1", "stacks with files and lines, where debug information has them", set<&Config::show_debug_info>, get<&Config::show_debug_info>},
    {"stack_mode", "bpftrace", "how stacks are printed: bpftrace, perf, raw, build_id", set<&Config::stack_mode>, get<&Config::stack_mode>},
    {"str_trunc_trailer", "..", "what follows a string that was cut", set<&Config::str_trunc_trailer>, get<&Config::str_trunc_trailer>},
    {"unstable_dw_ustack", "warn", "what to say to dw_ustack: enable, warn, error", set<&Config::unstable_dw_ustack>, get<&Config::unstable_dw_ustack>},
    {"unstable_import_statement", "error", "what to say to import within a block", set<&Config::unstable_import_statement>, get<&Config::unstable_import_statement>},
    {"unstable_tseries", "warn", "what to say to tseries()", set<&Config::unstable_tseries>, get<&Config::unstable_tseries>},
    {"unstable_typeinfo", "error", "what to say to typeinfo()", set<&Config::unstable_typeinfo>, get<&Config::unstable_typeinfo>},
    {"use_blazesym", "1", "accepted, and without effect", set<&Config::use_blazesym>, get<&Config::use_blazesym>},
    {"max_type_res_iterations", "0", "no longer needed", nothing, no_value, true},
    {"symbol_source", "dwarf", "no longer needed", nothing, no_value, true},
    {"unstable_addr", "enable", "no longer needed", nothing, no_value, true},
    {"unstable_import", "enable", "no longer needed", nothing, no_value, true},
    {"unstable_macro", "enable", "no longer needed", nothing, no_value, true},
    {"unstable_map_decl", "enable", "no longer needed", nothing, no_value, true},
});
static_assert(facts::names_are_unique(kRows));

struct OldName {
  std::string_view old, name;
};
constexpr OldName kOldNames[] = {
    {"strlen", "max_strlen"}, {"cat_bytes_max", "max_cat_bytes"}, {"map_keys_max", "max_map_keys"}, {"no_cpp_demangle", "cpp_demangle"}};

constexpr std::string_view kPrefix = "bpftrace_";

}  // namespace

std::span<const ConfigRow> config_rows() { return kRows; }

Result<void> set_config(Config& config, std::string_view name, std::string_view value) {
  std::string wanted = lower(name);
  if (wanted.starts_with(kPrefix)) wanted.erase(0, kPrefix.size());
  bool negated = false;
  for (const OldName& row : kOldNames)
    if (wanted == row.old) {
      negated = wanted == "no_cpp_demangle";
      wanted = row.name;
    }
  for (const ConfigRow& row : kRows) {
    if (row.name != wanted) continue;
    auto done = row.set(config, value);
    if (!done) return std::unexpected(wrap(std::move(done).error(), fmt::format("{} = {}", row.name, value)));
    if (negated) config.cpp_demangle = !config.cpp_demangle;
    return {};
  }
  std::vector<std::string_view> names;
  for (const ConfigRow& row : kRows)
    if (!row.removed) names.push_back(row.name);
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("Unrecognized config variable: {}", name)};
  if (const std::string_view near = nearest(wanted, names); !near.empty()) error.hint = fmt::format("did you mean `{}`?", near);
  return std::unexpected(std::move(error));
}

Result<void> set_from_environment(Config& config, const Environment& getenv) {
  auto take = [&](std::string_view name) -> Result<void> {
    std::string variable = "BPFTRACE_";
    for (char c : name) variable += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const char* value = getenv(variable.c_str());
    if (value == nullptr) return {};
    auto done = set_config(config, name, value);
    if (!done) return std::unexpected(wrap(std::move(done).error(), fmt::format("environment variable {}", variable)));
    return {};
  };
  for (const OldName& row : kOldNames) TRY(take(row.old));
  for (const ConfigRow& row : kRows) TRY(take(row.name));
  return {};
}

Result<Config> config_from_environment(const Environment& getenv) {
  Config config;
  TRY(set_from_environment(config, getenv));
  return config;
}

std::string value_of(const Config& config, const ConfigRow& row) { return row.get(config); }

}  // namespace espy::trace
