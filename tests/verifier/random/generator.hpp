// Random programs, biased to what verifiers get wrong: bounds after shifts and masks, comparisons of both widths and signs,
// spills of all sizes, indices into values, the stack and packets, loops, calls, paths that meet with different knowledge.
//
// About half of them load. The maker knows roughly what each register holds, so that most instructions make sense; what it
// does not know is whether an index stays inside, and one program in six has an instruction changed blindly.
#pragma once

#include <cstdint>

#include "object/link.hpp"

namespace espy::corpus {

/// The maps of all random programs: an object without programs.
object::LinkedObject random_maps();

/// The same program for the same seed, on every machine.
object::LinkedProgram random_program(std::uint64_t seed);

}  // namespace espy::corpus
