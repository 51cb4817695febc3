// What `espy show` says of an object: as text for people, as one line of JSON for programs.
#pragma once

#include <string>

#include "espy/object.hpp"

namespace espy::cli {

/// Tables of everything the object holds; `types` adds its types as C.
std::string object_as_text(const object::ObjectSpec& object, bool types);

/// {"type":"object", …}: docs/records.md has the schema.
std::string object_as_json(const object::ObjectSpec& object);

}  // namespace espy::cli
