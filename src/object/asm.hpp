// Assembly text → ObjectSpec: what isa::assemble reads, with names resolved to maps, subprograms and externs.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "object/spec.hpp"

namespace espy::object {

/// Assembles a whole object. Functions in `.text` become subprograms, those in other sections programs, of the type that
/// the section's name says. `file` is named in errors. Helpers go by number or name. The result has no BTF: types are
/// made when it is written (object/write.hpp), and it links and loads without.
Result<ObjectSpec> assemble_object(std::string_view text, const std::string& file = "");

}  // namespace espy::object
