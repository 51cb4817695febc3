// ObjectSpec → ELF: an object file as clang makes it, that libbpf, bpftool and `read` take.
#pragma once

#include <cstddef>
#include <vector>

#include "base/error.hpp"
#include "object/spec.hpp"

namespace espy::object {

/// Writes a relocatable ELF64 little-endian file: program sections, subprograms, maps defined through BTF, data sections,
/// struct_ops values, licence, version, relocations and symbols, `.BTF` and `.BTF.ext`. An object without BTF gets as
/// much as its maps, kernel symbols and callbacks need. What a file cannot hold, as a map that the object's BTF does not
/// define, is an error.
Result<std::vector<std::byte>> write_elf(const ObjectSpec& object);

}  // namespace espy::object
