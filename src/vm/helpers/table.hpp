// Helpers of the user engine: one row and one function each. What they take stands in facts::prototypes(), by which safe mode
// checks arguments before a helper is called: a helper itself trusts its pointers.
//
// To add one: a function in the file of its family, a row in that file's table.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "facts/prototypes.hpp"
#include "vm/run.hpp"

namespace espy::vm {

using HelperFunction = std::uint64_t (*)(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t);

struct Helper {
  std::uint32_t id = 0;
  HelperFunction function = nullptr;
  bool on_packet = false;        ///< works on the run's packet: other programs cannot call it
};

/// nullptr: it has no meaning in user space.
const Helper* find_helper(std::uint32_t id);

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

inline std::uint64_t result(long value) { return static_cast<std::uint64_t>(value); }
template <typename T>
T* pointer(std::uint64_t value) { return reinterpret_cast<T*>(value); }

}  // namespace espy::vm
