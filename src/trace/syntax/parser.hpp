// Text to syntax tree.
#pragma once

#include <cstdint>

#include "trace/syntax/ast.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

/// Parses one source as a script: all of the language, in its newest syntax and the older spellings. Whatever is wrong goes
/// to `diagnostics`, all of it at once, each saying what was expected and what stands there; the tree holds what could be
/// read. Any bytes do; nesting is bounded, so that a walk over the tree may recurse.
Script parse(const Sources& sources, std::uint32_t source, Diagnostics& diagnostics);

}  // namespace espy::trace
