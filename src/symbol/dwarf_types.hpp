// From DWARF's types to BTF and to text.
#pragma once

#include <string>

#include "symbol/dwarf.hpp"
#include "symbol/dwarf_die.hpp"

namespace espy::symbol {

/// The BTF of a function's parameters and return type, and of all that these lead to.
Result<FunctionTypes> types_of_function(Dwarf_Die& function, std::string_view origin);

/// A type as C or C++ spells it in a declaration of `name` (may be empty).
std::string spell_type(std::optional<Dwarf_Die> type, std::string_view name = {});

}  // namespace espy::symbol
