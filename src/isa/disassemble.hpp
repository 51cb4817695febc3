// Instructions as text, in the C-like style of the kernel's verifier log and bpftool: `r1 = *(u64 *)(r6 +8)`.
//
// What is printed, `assemble` reads back to the same bits, whatever the bits: a slot that is no instruction is printed as
// `.slot 0x…`. Two things differ from the kernel's text so that this holds: a 64-bit immediate load ends in ` ll` (its
// constant would read as a move otherwise), and the addresses of maps and symbols that have no name yet are spelt with
// what kind of number stands there: `map[fd:4]`, `ksym[btf:77 module:0]`.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/insn.hpp"
#include "isa/reference.hpp"

namespace espy::isa {

/// How the target of a jump is shown.
enum class JumpStyle : std::uint8_t {
  relative,   ///< `goto pc+3`, as the kernel does
  annotated,  ///< `goto pc+3 <L7>`; the assembler goes by the label
  labels,     ///< `goto L7`
};

struct DisassembleOptions {
  JumpStyle jumps = JumpStyle::relative;
  bool numbers = false;   ///< `   7: ` before each instruction
  bool opcodes = false;   ///< `(bf) ` before each instruction, as the verifier log does
  /// A helper's name by its number ("bpf_ktime_get_ns"), printed as `call bpf_ktime_get_ns#5`; empty: it has none.
  std::function<std::string_view(std::uint32_t)> helper_name = nullptr;
  /// What the instruction at this index refers to by name, or null. The reference must live until the call returns.
  std::function<const Reference*(InsnIdx)> reference = nullptr;
  /// Lines to print before an instruction, without line ends: source lines, as comments. Appends to the text given.
  std::function<void(InsnIdx, std::string&)> before = nullptr;
};

/// Appends the text of the instruction at `at` (< code.size()) to `out`; returns its slots: 1 or 2. Jumps are shown by
/// label only where `labels` (see jump_targets) has one.
unsigned disassemble_one(std::span<const Insn> code, InsnIdx at, const DisassembleOptions& options, std::string& out,
                         const std::vector<bool>* labels = nullptr);

/// One instruction. A two-slot instruction shows as `.slot`, for its second half is not there.
std::string disassemble(Insn insn, const DisassembleOptions& options = {});

/// All instructions, a line each; labels have their own line.
std::string disassemble(std::span<const Insn> code, const DisassembleOptions& options = {});

/// For each slot, whether an instruction begins there that a jump of this code lands on.
std::vector<bool> jump_targets(std::span<const Insn> code);

/// A label's name: "L7" for the instruction in slot 7.
std::string label_name(InsnIdx at);

}  // namespace espy::isa
