// Where registers hold values that are still wanted: see ir/registers/liveness.hpp.
#pragma once

#include "ir/bpf/machine.hpp"
#include "ir/registers/liveness.hpp"

namespace espy::ir::bpf {

registers::Liveness find_liveness(const MFunction& function);

}  // namespace espy::ir::bpf
