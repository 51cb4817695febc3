// IR → x86-64 machine code.
//
//   TRY(auto code, ir::x86::emit(module, options));
//   // copy code.bytes to executable memory, anywhere; function f begins at code.entries[f]
//
// The stages, each a file: `plan` decides what is computed at all, and what is folded into its users (addresses, comparisons);
// `select*` turn the rest into machine instructions over virtual registers, with three addresses where the machine has two;
// `liveness` and `allocate` give them registers or stack; `encode` puts blocks in order and writes bytes.
//
// Every function follows the C convention (up to five arguments, in rdi, rsi, rdx, rcx, r8; the result in rax), so that helpers
// are called, and call back, without anything in between.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "ir/ir.hpp"

namespace espy::ir::x86 {

/// What the processor has beyond the first x86-64.
struct Features {
  bool bmi2 = false;    ///< shifts by any register
  bool movbe = false;   ///< loads and stores that swap bytes
};
Features host_features();

/// Calls that become instructions where the options tell how.
enum KnownHelper : std::uint32_t {
  kThisCpu = 8,              ///< bpf_get_smp_processor_id
  kCountTurns = 1U << 26,    ///< (amount): counts down, and ends the run when nothing is left. Not for code that was not laid out
};

struct Options {
  Features features = {};
  /// Distances from the thread pointer: of a 32-bit number, the CPU; of the 64-bit number that kCountTurns counts; 0: there is none.
  std::int32_t thread_cpu = 0, thread_turns = 0;
  std::uint64_t out_of_turns = 0;        ///< the address of a function that does not return
  std::uint64_t blinding = 0;            ///< not 0: constants are blinded, by random numbers of this seed (blind.cpp)
  std::function<std::uint64_t(std::uint32_t id)> helper = {};   ///< the address of a helper; 0: there is none
  /// The address of `std::uint64_t (map, index)`: where a tail call goes on, or 0 if it fails; 0: there are none.
  std::uint64_t tail_call = 0;
  std::span<const std::uint64_t> maps = {};              ///< by MapId: handles
  std::span<const std::uint64_t> map_values = {};        ///< by MapId: the address of its only value
};

/// From this byte on, until the next mark, code comes from there.
struct CodeMark {
  std::uint32_t offset = 0;
  Mark mark{};
};

struct Code {
  std::vector<std::uint8_t> bytes;      ///< works wherever it is put
  std::vector<std::uint32_t> entries;   ///< by FuncId: offsets
  std::vector<CodeMark> marks;          ///< by offset
};

/// The code of all functions of a module that `check` accepts, and that `lay_out` ordered. `unsupported` where it does what
/// this back end has no code for (kfuncs), or calls a helper that there is not.
Result<Code> emit(const Module& module, const Options& options);

}  // namespace espy::ir::x86
