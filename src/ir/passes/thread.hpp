// Part of simplify_control: edges that lead through a block are led past it.
#pragma once

#include "ir/ir.hpp"

namespace espy::ir {

/// All blocks must be reachable.
bool thread_edges(Function& function);

}  // namespace espy::ir
