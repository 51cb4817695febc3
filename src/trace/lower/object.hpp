// Back end: the finished IR module of a script becomes an ObjectSpec, with types, names and places for the verifier.
#pragma once

#include "trace/lower/unit.hpp"

namespace espy::trace::lowering {

Result<Compiled> make_object(Unit& unit);

}  // namespace espy::trace::lowering
