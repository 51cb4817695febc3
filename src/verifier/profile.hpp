// What a kernel's verifier does and what it does not: one value per kernel, made from tables, the only place that knows
// versions. A profile of a kernel that is at hand (or whose BTF is) takes what it can from there, because distributions take
// features back to older versions.
#pragma once

#include <cstdint>
#include <string>

#include "facts/types.hpp"
#include "object/target.hpp"

namespace espy::verifier {

/// A behaviour of the algorithm that came, or went, with a version: one row each in profile.cpp.
enum class Behaviour : std::uint8_t;

struct Profile {
  std::string name = {};                ///< "6.1", "running kernel 6.18.44"
  facts::KernelVersion version = {};
  std::uint64_t behaviours = 0;         ///< bit i: Behaviour i

  bool has(Behaviour behaviour) const { return (behaviours >> static_cast<unsigned>(behaviour) & 1) != 0; }
};

/// By version alone.
Profile profile_of(facts::KernelVersion version);
/// By version, and by what the target's BTF shows.
Profile profile_of(const object::Target& target);

}  // namespace espy::verifier
