// Is this well-formed IR? Tests ask after every pass, a tool after reading a text.
#pragma once

#include "base/error.hpp"
#include "ir/ir.hpp"

namespace espy::ir {

inline constexpr std::uint32_t kMaxSlotBytes = 1 << 16;     ///< of one slot
inline constexpr std::uint64_t kMaxFrameBytes = 1 << 18;    ///< of all slots of a function
inline constexpr std::int64_t kMaxBlockBytes = 1 << 16;     ///< that one copy or zero covers
inline constexpr std::size_t kMaxArguments = 5;             ///< of a call, and parameters of a function

/// Types, widths, operands that are defined before they are used, blocks that end in their only terminator, edges that
/// give a block what it takes, calls that agree with the called. Says where it is not so: "function f: block 2: …".
Result<void> check(const Module& module);
Result<void> check(const Module& module, const Function& function);

}  // namespace espy::ir
