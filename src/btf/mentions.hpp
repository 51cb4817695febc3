// A quick question that needs no index of types.
#pragma once

#include <string_view>

#include "btf/btf.hpp"

namespace espy::btf {

/// Does a string of this BTF's own end in `name`? Then there may be a type, a member or an enumerator of that name; else there
/// is none. A look through the strings: a tenth of a millisecond for a kernel's.
bool mentions(const Btf& btf, std::string_view name);

}  // namespace espy::btf
