// Needs: what a program asks of the kernel by name: helpers, map types, program and attach types, instructions, kernel
// functions, types. Each with the version that has it, so that a kernel that lacks one can be told from a program that is
// wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "object/link.hpp"
#include "verifier/verify.hpp"

namespace espy::verifier {

enum class NeedKind : std::uint8_t {
  program_type, attach_type, program_flag, map_type, helper, kfunc, instruction, feature, kernel_type,
};
/// "program type", "helper": for people.
std::string_view to_string(NeedKind kind);

/// One thing that a program needs.
struct Need {
  NeedKind kind{};
  std::string name = {};               ///< "bpf_ringbuf_reserve", "ringbuf", "instruction set v4"
  /// The first kernel with it (for this kind of program); nullopt: not known by version, or no kernel has it.
  std::optional<facts::KernelVersion> since = {};
  std::string what = {};               ///< more words: "for programs of type xdp", "struct task_struct.pid"; may be empty
  std::optional<isa::InsnIdx> insn = {};  ///< of the linked program: where it is used; only if `if_reached`
  /// The kernel asks for it only where the program can get there: a dead call does no harm.
  bool if_reached = false;
  friend bool operator==(const Need&, const Need&) = default;
};

/// "the helper bpf_ringbuf_reserve (Linux 5.8)": for messages.
std::string describe(const Need& need);

/// What an unlinked program asks of any kernel, the maps of its object included, each once.
std::vector<Need> needs_of(const object::ObjectSpec& object, const object::ProgramSpec& program);

/// Those of `needs` that a kernel of this version lacks.
std::vector<Need> lacking(const std::vector<Need>& needs, facts::KernelVersion version);

/// The helper calls and the failed CO-RE relocations of a linked program, by instruction: what a rejection at one of them
/// is really about.
std::vector<Need> needs_at(const object::LinkedObject& object, const object::LinkedProgram& program, isa::InsnIdx insn,
                           facts::KernelVersion version);

/// What a failed link says about the kernel's types and symbols; nullopt: it failed for another reason.
std::optional<Need> need_of_link(const Error& error);

}  // namespace espy::verifier
