// verify: would the kernel's verifier let this program run, and if not, why?
//
// A program is followed path by path, as the kernel does (kernel/bpf/verifier.c, Documentation/bpf/verifier.rst): each
// register and stack slot holds what is known of its value, states that an earlier one covers are pruned. The terms are the
// kernel's. What differs from one kernel version to the next stands in the profile (profile.hpp), nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isa/insn.hpp"
#include "object/link.hpp"
#include "verifier/profile.hpp"

namespace espy::verifier {

/// What kind of rule a program broke: one row each in the table of rules (rules.hpp), which carries the hint, and one section
/// each in docs/check.md.
enum class Rule : std::uint8_t;

/// Where something stands: an instruction of the program as loaded, and the source line that it came from, if BTF tells.
struct Place {
  isa::InsnIdx insn = 0;
  std::string function = {};   ///< the subprogram's name; may be empty
  std::string file = {};       ///< empty: no line information
  std::uint32_t line = 0, column = 0;
  std::string source = {};     ///< the line's text, as the object's BTF keeps it
};

/// One hop of the path that leads to a rejection: a branch taken, a value made, a check that was not enough.
struct Note {
  Place place = {};
  std::string text = {};       ///< "r2 was read from the packet here: 0…65535", "this branch is taken: n > 64"
};

/// Why a program was rejected, as values; diagnostic.hpp draws it.
struct Diagnostic {
  Rule rule{};
  Place place = {};
  std::string message = {};    ///< one sentence on what is wrong, in the words of the source where they are known
  std::string values = {};     ///< what is known there: "n may be 0…4294967295, the buffer holds 64 bytes"; may be empty
  std::vector<Note> path = {}; ///< from the program's start, shortened to what matters
  std::string hint = {};       ///< what mends it, written out
  std::string kernel_says = {};///< the line that the kernel's log would end with: "invalid access to map value, …"
};

/// As veristat counts them.
struct Stats {
  std::uint64_t insns_processed = 0;
  std::uint64_t states = 0, peak_states = 0;
  std::uint32_t max_states_per_insn = 0;
  std::uint32_t stack_depth = 0;               ///< bytes, of the deepest chain of calls
  std::uint64_t nanoseconds = 0;
  std::vector<std::uint32_t> visits = {};      ///< by instruction: how often it was processed
};

/// What holds whenever an instruction of an accepted program is reached: for compilers (unsigned bounds of what it writes, …).
struct InsnFacts {
  bool reached = false;               ///< false: dead; the kernel removes it
  bool never_jumps = false, always_jumps = false;  ///< of a conditional jump
  bool result_not_null = false;       ///< of a call that could return NULL: it never does where the result is used unchecked
  std::optional<object::MapIdx> map = {};  ///< of a helper call or a memory access: the same map each time
  std::uint64_t umin = 0, umax = ~std::uint64_t{0};   ///< of the destination register after it
};

struct Verdict {
  bool accepted = false;
  std::vector<Diagnostic> errors = {};  ///< of a rejected program: the first is what the kernel stops at
  Stats stats = {};
  std::vector<InsnFacts> facts = {};    ///< of an accepted program: one an instruction
  std::string log = {};                 ///< Options::log_level > 0: in the manner of the kernel's
};

struct Options {
  bool unprivileged = false;            ///< without CAP_BPF, CAP_PERFMON: more is refused, nothing is "probably fine"
  std::uint32_t log_level = 0;          ///< 1: the failing path; 2: every state
  std::uint64_t max_insns = 0;          ///< processed instructions at most; 0: the profile's limit (1,000,000 since 5.2)
};

/// Judges one program of a linked object as the kernel of `profile` would. `target` gives the types (vmlinux' BTF may be
/// null: what needs it is then refused). Any instruction stream is taken: a hostile one gets a verdict, never a crash.
Verdict verify(const object::LinkedObject& object, const object::LinkedProgram& program, const object::Target& target,
               const Profile& profile, const Options& options = {});

}  // namespace espy::verifier
