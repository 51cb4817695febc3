// docs/language.md, made of the tables that the compiler itself uses.
#pragma once

#include <string>

namespace espy::trace {

/// The whole page: providers, statements, types, operators, builtins, functions, configuration, each row with its status.
std::string language_page();

}  // namespace espy::trace
