// Builtins: the words of the language that have a value of their own, one row each. The checker, completion and
// docs/language.md read these rows; lowering switches over BuiltinId.
//
// `pid` and `pid()` are the same. Forms with arguments (`comm(pid)`, `nsecs(boot)`, `kstack(perf, 5)`, `tid(init)`) belong to
// the row of the word.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "facts/types.hpp"
#include "trace/availability.hpp"

namespace espy::trace {

enum class BuiltinId : std::uint8_t {
  pid, tid, comm, uid, gid, username, cgroup, cpu, ncpus, numaid, rand, jiffies, nsecs, elapsed, curtask, ppid, pcomm,
  leader_tid, leader_comm, cpid, has_cpid, arg, args, retval, ctx, func, probe, probetype, kstack, ustack, dw_ustack, usermode,
};

/// Clocks of nsecs(…): Identifier::number.
enum class Clock : std::uint8_t { boot, monotonic, tai, sw_tai };
/// PID namespaces of pid(…) and tid(…): Identifier::number.
enum class PidNamespace : std::uint8_t { current, init };

struct Builtin {
  BuiltinId id{};
  std::string_view name{};       ///< "pid"; of `arg0`, `arg1` …: "argN"
  std::string_view aliases{};    ///< separated by spaces; may be empty
  std::string_view type{};       ///< as the language spells it
  std::string_view forms{};      ///< with arguments: "pid([curr_ns|init])"; empty: none but `name` and `name()`
  std::uint8_t arguments = 0;    ///< at most
  Where where = Where::anywhere;
  std::string_view helper{};     ///< the kernel function that it needs; its first kernel is in facts::helpers()
  facts::KernelVersion since{};  ///< where it is not the helper's
  std::string_view needs{};      ///< what else must be there; may be empty
  std::string_view help{};       ///< one line
  std::string_view example{};
  Status status = Status::works;
};

std::span<const Builtin> builtins();             ///< row i is builtin i
const Builtin& row_of(BuiltinId id);
/// By name, alias, `argN` as any of arg0 … arg99, or with `__builtin_` in front; nullptr if there is none.
const Builtin* find_builtin(std::string_view name);
/// N of "argN"; the caller knows that the name is one.
std::uint32_t argument_number(std::string_view name);
/// The first kernel that serves it; zeros: all that run eBPF.
facts::KernelVersion since(const Builtin& builtin);

}  // namespace espy::trace
