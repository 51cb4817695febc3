#include "object/spec.hpp"

#include <algorithm>

namespace espy::object {
namespace {

template <typename Vector>
auto* by_name(Vector& values, std::string_view name) {
  auto found = std::ranges::find_if(values, [&](const auto& value) { return value.name == name; });
  return found == values.end() ? nullptr : &*found;
}

}  // namespace

ProgramSpec* ObjectSpec::find_program(std::string_view program) { return by_name(programs, program); }
const ProgramSpec* ObjectSpec::find_program(std::string_view program) const { return by_name(programs, program); }
MapSpec* ObjectSpec::find_map(std::string_view map_name) { return by_name(maps, map_name); }
const MapSpec* ObjectSpec::find_map(std::string_view map_name) const { return by_name(maps, map_name); }

std::optional<MapIdx> ObjectSpec::map_index(std::string_view map_name) const {
  const MapSpec* map = find_map(map_name);
  if (map == nullptr) return std::nullopt;
  return static_cast<MapIdx>(map - maps.data());
}

}  // namespace espy::object
