// AttachPoint: what a script's list of probes names, read but not yet looked up: wildcards, libraries and functions are as
// they were written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "trace/probes/providers.hpp"

namespace espy::trace::probes {

// Where, by provider. A `*`, `?` or `[…]` makes any name here a pattern.

struct NoPlace {};                                                ///< begin, end
struct NamePlace { std::string name; };                           ///< test, bench
struct SignalPlace { SignalRow signal; };                         ///< self
struct EventPlace { std::string category, event; };               ///< tracepoint
struct RawEventPlace { std::string module, event; };              ///< rawtracepoint; module may be empty: any
/// profile, interval: exactly one of the two is not 0. `unit` and `count` are as written: "hz", 99.
struct TimerPlace { std::uint64_t period_ns = 0, frequency = 0; std::string unit; std::uint64_t count = 0; };
/// software, hardware. `spelled` is the rest of the name as written: "faults:1000".
struct CounterPlace { const CounterRow* event = nullptr; std::uint64_t period = 0; std::string spelled; };
/// kprobe, kretprobe, fentry, fexit. An empty module is any; an address stands alone.
struct KernelPlace { std::string module, function; std::uint64_t offset = 0; std::optional<std::uint64_t> address; };
struct ProgramPlace { std::optional<std::uint32_t> id; std::string function; };         ///< fentry:bpf, fexit:bpf
/// uprobe, uretprobe: in `path` (empty: the program of -p) a function and an offset in it, or an offset in the file, or a line
/// of source. `language` is "cpp" where the function is spelled as in C++.
struct UserPlace {
  std::string path, language, function;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> address;
  std::string source;
  std::uint32_t line = 0, column = 0;
};
struct UsdtPlace { std::string path, provider, name; };           ///< path empty: the process of -p; provider empty: any
struct IteratorPlace { std::string name, pin; };
struct MemoryPlace { std::uint64_t address = 0; std::uint32_t length = 0; bool read = false, write = false, execute = false; };

using Place = std::variant<NoPlace, NamePlace, SignalPlace, EventPlace, RawEventPlace, TimerPlace, CounterPlace, KernelPlace,
                           ProgramPlace, UserPlace, UsdtPlace, IteratorPlace, MemoryPlace>;

struct AttachPoint {
  Provider provider{};
  std::string label;     ///< of "label=probe"; empty: none
  Place place;
};

/// What is wrong with the text of an attach point, and where in it.
struct PointError {
  std::size_t offset = 0, length = 0;   ///< of the part that is wrong
  std::string message;
  std::string hint;                     ///< may be empty
};

/// Reads one attach point: the text between the commas of a script's list of probes, white space around it allowed, parts with
/// special characters in double quotes. Positional parameters have been replaced.
std::expected<AttachPoint, PointError> parse_attach_point(std::string_view text);

/// As `probe` spells it: "tracepoint:sched:sched_switch", "interval:s:1", "uprobe:/bin/bash:readline+4".
std::string name_of(const AttachPoint& point);

/// Is there a wildcard in this text?
bool is_pattern(std::string_view text);
/// Does `text` match a pattern of `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`?
bool matches(std::string_view pattern, std::string_view text);

}  // namespace espy::trace::probes
