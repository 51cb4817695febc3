// Any bytes as an object file: the reader says where they are wrong, or what it read holds together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "object/read.hpp"

namespace {

using namespace espy::object;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What linking relies on: references name things that are there, and instructions that are there.
void check(const ObjectSpec& object, const FunctionSpec& function) {
  for (const Relocation& relocation : function.relocations) {
    require(relocation.insn < function.insns.size());
    if (const auto* map = std::get_if<MapRef>(&relocation.to)) require(static_cast<std::size_t>(map->map) < object.maps.size());
    if (const auto* value = std::get_if<MapValueRef>(&relocation.to)) require(static_cast<std::size_t>(value->map) < object.maps.size());
    if (const auto* call = std::get_if<CallRef>(&relocation.to)) require(static_cast<std::size_t>(call->function) < object.functions.size());
    if (const auto* address = std::get_if<FunctionRef>(&relocation.to)) require(static_cast<std::size_t>(address->function) < object.functions.size());
    if (const auto* external = std::get_if<ExternRef>(&relocation.to)) require(static_cast<std::size_t>(external->external) < object.externs.size());
  }
  for (const espy::btf::CoreRelocation& relocation : function.core_relocations) require(relocation.insn < function.insns.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto object = read(std::as_bytes(std::span(data, size)), "fuzz.o");
  if (!object) {
    require(!object.error().message.empty());
    return 0;
  }
  for (const ProgramSpec& program : object->programs) check(*object, program.code);
  for (const FunctionSpec& function : object->functions) check(*object, function);
  for (const Variable& variable : variables(*object)) {
    for (std::string_view value : {"1", "-1", "x", "0.5"}) {
      (void)set_variable(*object, variable.name, value);
      (void)set_variable(*object, variable.name + "[0].a", value);
    }
  }
  return 0;
}
