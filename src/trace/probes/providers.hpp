// Providers: the kinds of probes that a script can name, one row each. The parser of attach points, listings, completion
// and docs/language.md read these rows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "facts/types.hpp"

namespace espy::trace::probes {

enum class Provider : std::uint8_t {
  begin, end, self, test, bench, tracepoint, rawtracepoint, profile, interval, software, hardware, uprobe, uretprobe, usdt,
  iter, watchpoint, kprobe, kretprobe, fentry, fexit,
};

/// What a probe's body can ask of its arguments.
enum class Reads : std::uint8_t {
  nothing,     ///< it has none
  record,      ///< args.FIELD, by the tracepoint's format file
  parameters,  ///< args.NAME and argN, typed by BTF
  registers,   ///< argN by the calling convention, args.NAME where debug information knows the function, reg("…")
  result,      ///< retval, from the register that it is returned in
  usdt,        ///< argN, where the note in the file says
  context,     ///< ctx.FIELD: the iterator's struct of BTF
};

struct ProviderRow {
  Provider provider{};
  std::string_view name{};     ///< "tracepoint"
  std::string_view aliases{};  ///< short and older spellings, separated by spaces: "t"
  std::string_view forms{};    ///< separated by "; ": "tracepoint:CATEGORY:EVENT"
  Reads reads{};
  bool has_retval = false;     ///< `retval` means what the function returns
  bool has_func = false;       ///< `func` means the function that is probed
  bool is_user = false;        ///< it is in a program's or library's file
  facts::KernelVersion since{};  ///< the first kernel that serves it
  std::string_view needs{};    ///< what else the kernel or machine must have: "CONFIG_KPROBES"; may be empty
  std::string_view doc{};
};

std::span<const ProviderRow> providers();   ///< row i is provider i
const ProviderRow& row_of(Provider provider);
/// By name or alias; nullptr if there is none.
const ProviderRow* find_provider(std::string_view name);
/// The nearest name or alias to suggest; empty if none is near.
std::string_view nearest_provider(std::string_view name);
std::string_view to_string(Provider provider);

/// An event that the kernel counts (software) or the processor does (hardware).
struct CounterRow {
  std::string_view name{};       ///< "page-faults"
  std::string_view alias{};      ///< "faults"; may be empty
  bool hardware = false;
  std::uint32_t config = 0;      ///< perf_event_attr::config
  std::uint64_t period = 0;      ///< a probe fires every so many, if the script does not say
};
std::span<const CounterRow> counters();
const CounterRow* find_counter(std::string_view name, bool hardware);

/// Signals by number and name, for self:signal:NAME and signal_name(): "SIGUSR1".
struct SignalRow {
  int number = 0;
  std::string_view name{};
};
std::span<const SignalRow> signals();

}  // namespace espy::trace::probes
