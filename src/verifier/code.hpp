// Code: the program to judge, decoded once, and what is known of it before it is walked: its functions, where paths meet,
// which registers an instruction's successors read, which instructions stand in a loop.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/decode.hpp"
#include "object/link.hpp"
#include "verifier/scalar.hpp"

namespace espy::verifier {

/// What a 64-bit immediate load stands for.
enum class Literal : std::uint8_t { number, map, map_value, function, kernel_variable };

/// An instruction as the walk wants it: one cache line holds what the hot path reads.
struct Insn {
  isa::Operation op{};
  isa::Class cls{};
  std::uint8_t bits = 64, dst = 0, src = 0, slots = 1;
  std::uint8_t selected = 0;        ///< movsx, byte swaps: width in bits
  bool reg_operand = false;
  std::int16_t off = 0;
  std::uint16_t live = 0;           ///< registers that it or a successor reads before writing, as bits
  std::int32_t imm = 0;
  std::uint32_t target = 0;         ///< of a jump or a call of a subprogram, of a function literal: an instruction
  std::uint32_t scc = 0;            ///< number of the loop (strongly connected component) it stands in; 0: none
  Literal literal = Literal::number;
  isa::CallKind call{};
  bool prune_point = false, jump_point = false, force_checkpoint = false, calls_callback = false;
  bool second_half = false;         ///< the second slot of a 64-bit immediate load
  bool defective = false;           ///< Code::late_flaws says why; what stands here serves the flow of control only
  std::uint32_t map = 0;            ///< literal map, map_value: index of the map in the object
  std::uint64_t imm64 = 0;          ///< 64-bit immediate loads; map_value: the offset
};

/// A function of the program: the program itself (number 0) or a subprogram.
struct Subprogram {
  std::uint32_t start = 0, end = 0;       ///< instructions [start, end)
  btf::TypeId func{};                     ///< in the object's BTF; kVoid: not known
  std::string name = {};
  bool is_global = false;                 ///< verified on its own, by its BTF
  bool has_tail_call = false, tail_call_reachable = false, has_ld_abs = false;
  bool is_callback = false, is_async_callback = false, is_exception_callback = false;
  bool changes_packet = false, might_sleep = false, might_throw = false;
  std::uint16_t stack_depth = 0;          ///< bytes
};

/// A defect of the program itself, whatever its registers hold.
struct Flaw {
  std::uint32_t insn = 0;
  enum class Kind : std::uint8_t { instruction, jump, unreachable, loop, end, call, frame_pointer, too_large, subprograms } kind{};
  std::string kernel_says = {}, message = {};
};

struct CodeRules {
  bool allow_back_edges = true;   ///< bounded loops: 5.3 and privileged
  bool may_goto = true;
  bool fields_everywhere = false;  ///< Behaviour::fields_everywhere
  std::uint32_t max_insns = 1'000'000;
  facts::KernelVersion kernel = {};
};

class Code {
 public:
  /// Decodes and checks; the first flaw is what the kernel would stop at.
  static Code make(const object::LinkedObject& object, const object::LinkedProgram& program, const CodeRules& rules);

  std::vector<Insn> insns;
  std::vector<Subprogram> subprograms;
  std::optional<Flaw> flaw;
  std::vector<Flaw> late_flaws;     ///< by instruction: of those that count only where the program gets to them

  std::uint32_t size() const { return static_cast<std::uint32_t>(insns.size()); }
  /// The subprogram that begins here; -1: none does.
  int subprogram_at(std::uint32_t insn) const;
  /// The one that an instruction is in.
  std::uint32_t subprogram_of(std::uint32_t insn) const;
};

/// Instructions that may follow, at most two; calls are followed by what is behind them.
struct Successors {
  std::uint32_t count = 0;
  std::uint32_t at[2] = {};
};
Successors successors(const Code& code, std::uint32_t insn);

/// Checks that control stays inside each function and reaches every instruction; marks where paths meet.
std::optional<Flaw> check_flow(Code& code, const CodeRules& rules);
/// Fills Insn::live. `parameters` says how many registers a call reads.
void compute_live_registers(Code& code, const std::vector<std::uint8_t>& call_parameters);
/// Fills Insn::scc.
void compute_loops(Code& code);

constexpr std::uint16_t bit(unsigned reg) { return static_cast<std::uint16_t>(1U << reg); }
/// Registers that an instruction reads and writes.
struct UseDef {
  std::uint16_t use = 0, def = 0;
};
UseDef use_def(const Insn& insn, unsigned call_parameters);

}  // namespace espy::verifier
