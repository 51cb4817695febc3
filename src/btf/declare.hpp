// C's declarators, the part of its syntax that is written inside out. Used by type names and by printing.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "btf/btf.hpp"

namespace espy::btf {

/// How a declaration spells what is no pointer, array, function or qualifier: "struct x", "int", an expanded definition.
using SpellBase = std::function<std::string(const Type&)>;

enum class Tags : bool { dropped, kept };  ///< of type tags: left out, or as __attribute__((btf_type_tag("…")))

/// A declaration of `name` (may be empty) with this type.
std::string declare(const Btf& btf, TypeId id, std::string_view name, const SpellBase& spell, Tags tags);

/// "struct x", "enum y", "z": by name; "struct {...}" where there is none.
std::string spell_by_name(const Type& type);

}  // namespace espy::btf
