// IR → eBPF instructions.
//
//   TRY(auto code, ir::bpf::emit(module, {.isa = 3}));
//   for (const Code& function : code) …   // function.insns; what it refers to by id: function.references
//
// The stages, each a file: `demand` decides what of the IR is computed at all, and what is folded into its users;
// `select*` turn that into machine instructions over virtual registers, as the instruction set level allows; `liveness`
// and `allocate` give them registers or stack; `layout` puts the blocks in order and resolves jumps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ir/ir.hpp"
#include "isa/insn.hpp"

namespace espy::ir::bpf {

/// What the target can do.
struct Options {
  unsigned isa = 3;                  ///< instruction set level, as clang's -mcpu: 1 to 4
  bool fetching_atomics = true;      ///< atomics but plain addition, and those that give the old value (5.12, any level)
  bool ordered_access = false;       ///< load-acquire and store-release (6.15); else kOrdered is an error
  std::uint32_t stack_bytes = 512;   ///< that a chain of calls may use, each frame rounded up to 32 bytes
};

enum class ReferenceKind : std::uint8_t {
  map,        ///< id: a MapId. A ld_imm64 with src map_fd
  map_value,  ///< id: a MapId; offset into its value. A ld_imm64 with src map_value
  function,   ///< id: a FuncId. A call with src subprogram (imm -1), or a ld_imm64 with src func
  external,   ///< id: an ExternId. A call with src kfunc, or a ld_imm64 with src btf_id
};

/// An instruction whose immediates wait for somebody who knows what the id means.
struct Reference {
  isa::InsnIdx insn = 0;
  ReferenceKind kind{};
  std::uint32_t id = 0;
  std::uint32_t offset = 0;          ///< bytes; map_value only
  friend bool operator==(const Reference&, const Reference&) = default;
};

/// From this instruction on, until the next mark, code comes from there.
struct LineMark {
  isa::InsnIdx insn = 0;
  Mark mark{};
  friend bool operator==(const LineMark&, const LineMark&) = default;
};

struct Code {
  std::string name;
  std::vector<isa::Insn> insns;
  std::vector<Reference> references;  ///< by instruction
  std::vector<LineMark> marks;        ///< by instruction; none is Mark{0}
  std::uint32_t stack_bytes = 0;      ///< of its own frame
};

/// The code of all functions of a module that `check` accepts, by FuncId. A program without a result is one whose result the
/// kernel does not look at: it returns what r0 happens to hold. Fails, naming the function, with
/// `unsupported` where the target lacks an operation (atomics), and with `exhausted` where a chain of calls needs more
/// stack than there is (the functions of the chain and their bytes are in the notes), is deeper than 8 frames, or a
/// call has more than 5 arguments.
Result<std::vector<Code>> emit(const Module& module, const Options& options = {});

}  // namespace espy::ir::bpf
