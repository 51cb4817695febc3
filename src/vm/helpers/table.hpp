// Helpers of the user engine: one row and one function each. What they take stands in facts::prototypes(), by which safe mode
// checks arguments before a helper is called: a helper itself trusts its pointers.
//
// To add one: a function in the file of its family, a row in that file's table.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "facts/prototypes.hpp"
#include "vm/registry.hpp"
#include "vm/run.hpp"

namespace espy::vm {

struct Helper {
  std::uint32_t id = 0;
  HelperFunction function = nullptr;
  bool on_packet = false;        ///< works on the run's packet: other programs cannot call it
};

/// The engine's own. nullptr: it has no meaning in user space.
const Callee* find_helper(std::uint32_t id);
const Callee* find_kfunc(std::string_view name);
/// Why a helper is not here, a clause for messages; empty: it is, or there is no such helper.
std::string_view why_no_helper(std::uint32_t id);

/// Safe mode: may the helper have these arguments? Empty: yes; else what is wrong.
std::string check_arguments(const Run& run, const facts::Prototype& prototype, const std::uint64_t* arguments);

// The families.
std::span<const Helper> map_helpers();
std::span<const Helper> record_helpers();
std::span<const Helper> task_helpers();
std::span<const Helper> memory_helpers();
std::span<const Helper> loop_helpers();
std::span<const Helper> packet_helpers();
std::span<const Helper> checksum_helpers();
std::span<const Helper> text_helpers();
std::span<const Helper> dynptr_helpers();
std::span<const Helper> lock_helpers();
std::span<const Helper> packet_shape_helpers();
std::span<const Helper> target_helpers();
std::span<const Helper> cgroup_helpers();
std::span<const Helper> stack_helpers();
std::span<const Helper> event_helpers();
std::span<const Helper> storage_helpers();
std::span<const Helper> timer_helpers();
std::span<const Helper> route_helpers();

/// Ends the run early, by the exception or the fault that it has. Compiled code is left at once, and with it the frames between:
/// they must own nothing. The interpreter, and code that nobody may leave, end where this returns.
void leave(Run& run);
/// What helpers that call the program back end with: a run that was left inside goes on being left.
inline std::uint64_t after_callbacks(Run& run, std::uint64_t value) {
  if (run.leaving) leave(run);
  return value;
}

inline std::uint64_t result(long value) { return static_cast<std::uint64_t>(value); }
template <typename T>
T* pointer(std::uint64_t value) { return reinterpret_cast<T*>(value); }

}  // namespace espy::vm
