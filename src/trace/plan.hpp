// Plan: what user space must know to run a compiled script: where programs attach, what records mean, how maps are printed.
// Lowering makes it next to the ObjectSpec; the run time reads it and never looks at the syntax tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "object/spec.hpp"
#include "trace/config.hpp"
#include "trace/probes/plan.hpp"
#include "trace/syntax/source.hpp"
#include "trace/types.hpp"

namespace espy::trace {

// ---- the maps every compiled script may have, by these names; one that is not used is not made ----

inline constexpr std::string_view kRingMap = "ring";          ///< ring buffer (5.8) or perf event array: records
inline constexpr std::string_view kCountersMap = "counters";  ///< array of one: u64[Plan::counters.size()]
inline constexpr std::string_view kScratchMap = "scratch";    ///< per-CPU array: one entry for each nesting level
inline constexpr std::string_view kStacksMap = "stacks";      ///< stack traces; one for each number of frames: "stacks_5"

/// How a record in the ring begins. What follows is described by the action. How records travel: rings.hpp.
struct RecordHeader {
  std::uint32_t action = 0;   ///< index into Plan::actions
  std::uint32_t probe = 0;    ///< index into Plan::probes: which one fired
};

/// What a formatting function was given: one directive of a format string and its argument.
struct FormatPiece {
  std::string literal = {};       ///< text before the directive, escapes and %% replaced
  std::string flags = {};         ///< "-08.3": between % and the conversion; `*` is not allowed
  std::string conversion = {};    ///< "d", "lx", "s", "r", "rx", "gr"; empty: the piece is only literal
};

/// What user space does on a record. One for each call in the script.
struct Action {
  enum class Kind : std::uint8_t {
    printf, errorf, warnf, cat, system,  ///< `format` and `arguments`
    time,                                ///< text[0]: format
    join,                                ///< text[0]: separator; record: u64 count, then that many string slots of `arguments[0].type`
    print_value,                         ///< arguments[0]
    print_map, clear, zero,              ///< map; the records of print_map: snapshot.hpp
    exit,                                ///< arguments[0]: exit code
    runtime_error,                       ///< record: s64 return code; text[0] what failed ("map update")
    watchpoint_off,                      ///< unwatch(addr)
    skb_output,                          ///< text[0]: path; record: u32 length, bytes
  };
  Kind kind{};
  Span at = {};                          ///< for errorf, warnf, runtime_error
  std::vector<FormatPiece> format = {};
  std::vector<Field> arguments = {};     ///< offsets count from the start of the record, header included
  std::vector<std::string> text = {};
  std::uint32_t map = 0;                 ///< index into Plan::maps
  std::uint32_t size = 0;                ///< bytes of the record, header included (the least, if it varies)
  bool control = false;                  ///< has a second ring to go to
};

/// How a script's map is laid out in its eBPF map.
///
/// Key: the key's bytes, padded to 8; `bucket_in_key`: behind it a u64 bucket number. A scalar map (`@x`, no key) is an
/// array of one entry, and its value ends with a u64 that is not 0 once it was set; one that is kept per CPU is a per-CPU
/// array, or an array whose value is one such value for each possible CPU.
/// Value:
///   count  u64                  sum   s64 total                avg, stats  s64 total, u64 count
///   min, max  s64 value, u64 set     hist, lhist  u64[buckets], or u64 if bucket_in_key
///   tseries  intervals × {u64 epoch, s64 value, u64 count}; epoch = nsecs / interval; slot = epoch % intervals
///   anything else: its bytes, padded to 8
/// hist buckets, with 2^k sub-buckets: see histogram.hpp.
struct MapPlan {
  std::string name;               ///< as the script says, with the `@`
  std::string map;                ///< the MapSpec's: "AT_x"; of the one that is called `@`: "AT_"
  Type key = {};                  ///< none: scalar
  Type value = {};
  bool per_cpu = false;
  bool bucket_in_key = false;
  std::uint32_t key_bytes = 0, value_bytes = 0;  ///< as the map has them
};

/// Counts of what could not be done, reported by the run time at the end and as they grow.
struct Counter {
  enum class Kind : std::uint8_t { lost_records, map_full, scratch_busy, stack_lost, read_failed } kind{};
  std::uint32_t index = 0;        ///< lost_records, scratch_busy: probe; map_full: map
};

/// One eBPF program of the object and what fires it.
struct ProgramPlan {
  std::string program;            ///< in the object
  probes::Instance instance;
  std::uint32_t first_probe = 0;  ///< index into Plan::probes of the instance's first target; the others follow
};

struct ProbePlan {
  std::string name;               ///< "tracepoint:syscalls:sys_enter_openat"
  Span at = {};
};

struct Plan {
  Config config = {};
  std::vector<ProgramPlan> programs = {};
  std::vector<ProbePlan> probes = {};
  std::vector<MapPlan> maps = {};
  std::vector<Action> actions = {};
  std::vector<Counter> counters = {};
  std::vector<std::string> formats = {};        ///< of strftime values, by index
  std::vector<std::string> cgroup_filters = {}; ///< of cgroup_path values, by index
};

/// A compiled script.
struct Compiled {
  object::ObjectSpec object;
  Plan plan;
};

}  // namespace espy::trace
