// What an instruction refers to by name, before the number is known: the text form's relocations.
#pragma once

#include <cstdint>
#include <string>

#include "isa/insn.hpp"

namespace espy::isa {

enum class ReferenceKind : std::uint8_t {
  map,           ///< `map[events]`: a map's descriptor
  map_value,     ///< `map[.rodata][0]+8`: an address inside a map's only value
  ksym,          ///< `ksym[runqueues]`: the address of something the kernel or its configuration provides
  function,      ///< `call parse` or `subprog[parse]`: a subprogram, called or taken the address of
  kfunc,         ///< `call kfunc[bpf_obj_new_impl]`
  symbol,        ///< `r1 = NAME ll`: whatever has this name
};

struct Reference {
  InsnIdx insn = 0;               ///< the instruction that refers, in its function
  ReferenceKind kind{};
  std::string name;
  std::uint32_t offset = 0;       ///< of a map value: bytes
  std::uint32_t line = 0;         ///< in the text it was read from; 0: not from text
  friend bool operator==(const Reference&, const Reference&) = default;
};

}  // namespace espy::isa
