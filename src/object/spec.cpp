#include "object/spec.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace espy::object {
namespace {

template <typename Vector>
auto* by_name(Vector& values, std::string_view name) {
  auto found = std::ranges::find_if(values, [&](const auto& value) { return value.name == name; });
  return found == values.end() ? nullptr : &*found;
}

}  // namespace

std::string_view kind_name(const ExternSpec& external) {
  return std::visit(overload{
      [](const KconfigExtern&) { return std::string_view("kconfig"); },
      [](const KsymExtern&) { return std::string_view("ksym"); },
      [](const KfuncExtern&) { return std::string_view("kfunc"); },
      [](const UndeclaredExtern&) { return std::string_view("undeclared"); },
  }, external.kind);
}

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
