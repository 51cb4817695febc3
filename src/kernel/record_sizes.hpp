// Where code writes records, and how large they are: found by reading its instructions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "object/spec.hpp"

namespace espy::kernel {

/// A call that writes to a map of records.
struct RecordWrite {
  object::MapIdx map{};
  std::optional<std::uint32_t> size;         ///< if it is a constant in sight of the call
  const object::FunctionSpec* function = nullptr;
  isa::InsnIdx insn = 0;
};

/// All such calls of an unlinked object, by a linear reading that follows constants and map references through registers.
/// Maps and sizes that come from elsewhere (a parameter, memory) are not found.
std::vector<RecordWrite> record_writes(const object::ObjectSpec& object);

}  // namespace espy::kernel
