// The verifier's log, read for what a person needs: why, at which instruction, in which source line.
//
// The log is a trace of everything that the verifier walked through: instructions with the registers' states behind them,
// source lines before them, bookkeeping between them. What it objects to stands at the end, in a line or two that no
// format marks: they are what is left when everything that has a known shape is taken away. Logs of kernels since 5.4
// are understood; one that was cut at its front (as kernels since 6.4 do when it outgrows the buffer) is too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espy::kernel {

struct VerifierReport {
  std::vector<std::string> reasons;          ///< the kernel's words, in its order; empty: the log gives none
  std::optional<std::uint32_t> insn;         ///< the instruction it stopped at
  std::string insn_text;                     ///< as the kernel prints it; empty: not in the log
  std::string source;                        ///< the last source line before it; empty: no line information
  std::string place;                         ///< "probe.bpf.c:12", since 6.4; may be empty
  std::optional<std::uint32_t> acquired_at;  ///< of a reference that was not released: the instruction that took it
  std::uint64_t processed = 0;               ///< instructions that were looked at
};

VerifierReport read_verifier_log(std::string_view log);

/// What to do about a reason, where that is well known; empty otherwise.
std::string_view advice_for(std::string_view reason);

}  // namespace espy::kernel
