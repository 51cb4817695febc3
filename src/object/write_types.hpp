// The type sections of an object that is being written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "object/spec.hpp"

namespace espy::object {

/// Where a function stands in its section.
struct PlacedFunction {
  const FunctionSpec* function = nullptr;
  std::uint32_t first = 0;   ///< slot
};

struct WrittenTypes {
  std::vector<std::byte> btf, ext;                       ///< empty: no such section
  std::map<std::string, std::uint32_t> definition_sizes; ///< bytes that each BTF-defined map takes in `.maps`
  std::map<std::string, std::uint32_t> slots_offsets;    ///< where its `values` member begins
};

Result<WrittenTypes> types_to_write(const ObjectSpec& object, const std::vector<PlacedFunction>& functions);

}  // namespace espy::object
