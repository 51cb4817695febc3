// The stack: where a function's slots lie in its frame, and whether chains of calls have room.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "ir/bpf/demand.hpp"

namespace espy::ir::bpf {

struct Frame {
  std::vector<std::int32_t> offsets;   ///< by SlotId, from the frame pointer; of slots that are used
  std::uint32_t bytes = 0;
};

/// Slots that are used get their places; those that are never in use together may share them.
Frame make_frame(const Demand& demand);

/// Fails where a chain of calls (callbacks among them) needs more stack than there is, or is too deep or endless.
Result<void> check_stack(std::span<const Code> code, const Options& options);

}  // namespace espy::ir::bpf
