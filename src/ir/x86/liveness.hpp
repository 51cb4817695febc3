// Where registers hold values that are still wanted: see ir/registers/liveness.hpp.
#pragma once

#include "ir/registers/liveness.hpp"
#include "ir/x86/machine.hpp"

namespace espy::ir::x86 {

registers::Liveness find_liveness(const MFunction& function);

}  // namespace espy::ir::x86
