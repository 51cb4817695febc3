// The type sections of an object that is being written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

/// Where the variable that defines a map stands in `.maps`, or a struct_ops value in its section.
struct Definition {
  std::uint32_t offset = 0, size = 0;
  std::optional<std::uint32_t> values;   ///< offset in it of the member `values`, for initial slots
};

struct WrittenTypes {
  std::vector<std::byte> btf, ext;                ///< empty: no such section
  std::map<std::string, Definition> definitions;  ///< by map name
};

Result<WrittenTypes> types_to_write(const ObjectSpec& object, const std::vector<PlacedFunction>& functions);

}  // namespace espy::object
