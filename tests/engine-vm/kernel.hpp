// Programs on the running kernel.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "isa/insn.hpp"

namespace espy::vm {

/// Loads a socket filter. The verifier's words are in the error's notes.
Result<UniqueFd> load_into_kernel(std::span<const isa::Insn> code);
/// What it returns for a packet of 64 zeros.
Result<std::uint32_t> run_on_kernel(const UniqueFd& program);

}  // namespace espy::vm
