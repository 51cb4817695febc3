// Draws a Diagnostic for a person, in the manner of compilers: the source line with the offending expression underlined, what
// is known there, the path that leads there, and what mends it.
//
//   error: `n` may reach past the end of `buf`
//     --> probe.bpf.c:23:3, in handle_exec
//       |
//    23 |   buf[n] = 1;
//       |   ^^^^^^ n may be 0…4294967295, the buffer holds 64 bytes
//       |
//   note: n was read from the context here
//    20 |   __u32 n = ctx->len;
//       |         ^
//   help: check `n < 64` before this line
#pragma once

#include <string>
#include <string_view>

#include "verifier/verify.hpp"

namespace espy::verifier {

struct DrawOptions {
  bool colour = false;          ///< escape sequences, for terminals
  bool kernel_words = false;    ///< also the line that the kernel's log would end with
  std::size_t max_notes = 8;    ///< hops of the path; the first and last ones are kept
};

/// Several lines, each with its end.
std::string draw(const Diagnostic& diagnostic, const DrawOptions& options = {});

/// The expression that a column (from 1) of a source line is about, as the line's characters [begin, begin + length). Columns of
/// line information point at a name in the middle of it (`pid` of `task->pid`) or at its operator (`=` of `buf[n] = 1`).
struct Underline {
  std::size_t begin = 0, length = 1;
  friend bool operator==(const Underline&, const Underline&) = default;
};
Underline expression_at(std::string_view source, std::size_t column);

/// "probe.bpf.c:23:3", or "instruction 7" without line information.
std::string where(const Place& place);

}  // namespace espy::verifier
