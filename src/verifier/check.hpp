// check: one object against many kernels. Each program is linked and verified for each kernel; what a kernel lacks is told
// apart from what a program does wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "object/spec.hpp"
#include "object/target.hpp"
#include "verifier/needs.hpp"
#include "verifier/profile.hpp"
#include "verifier/verify.hpp"

namespace espy::verifier {

/// A kernel to check against.
struct Kernel {
  std::string name = {};            ///< "6.1", "running", "vmlinux.btf": the column of the matrix
  object::Target target = {};
  Profile profile = {};
  /// Whose types `target` has, where they are not this kernel's own: "types of 6.1"; empty: they are, or it has none.
  std::string types_of = {};
};

enum class Outcome : std::uint8_t { accept, reject, needs };
/// "accept", "reject", "needs".
std::string_view to_string(Outcome outcome);

/// One program on one kernel.
struct ProgramOutcome {
  std::size_t program = 0, kernel = 0;  ///< indices into ObjectReport::programs and the kernels
  Outcome outcome{};
  std::vector<Need> needs = {};         ///< what the kernel lacks; of Outcome::needs
  Verdict verdict = {};                 ///< empty where linking failed or was useless
  /// Where each instruction of the linked program comes from, for statistics by source line: parallel to stats.visits.
  std::vector<Place> hot_lines = {};
  std::vector<std::uint64_t> hot_visits = {};
};

struct ObjectReport {
  std::string path = {};
  std::vector<std::string> programs = {};
  std::vector<ProgramOutcome> outcomes = {};   ///< program by program, each with all kernels in their order
  std::optional<facts::KernelVersion> least = {};  ///< the first kernel that takes all programs; nullopt: none does, or not asked
  bool uses_kernel_types = false;              ///< CO-RE, kernel functions, programs that attach to kernel types
  bool all_accepted() const;
};

struct CheckOptions {
  std::vector<std::string> programs = {};  ///< by name; empty: all that a loader would load
  Options verify = {};
  unsigned jobs = 1;                       ///< threads
  bool find_least = true;
  std::size_t hot_lines = 0;               ///< how many source lines to name in statistics
};

/// Checks the programs of an object against each kernel. The error: a name that no program has.
Result<ObjectReport> check(const object::ObjectSpec& object, std::span<const Kernel> kernels, const CheckOptions& options = {});

/// The kernel of this version, with the types that are at hand for it: its own if they are stored, else the nearest's, else
/// `stand_in`'s (may be null).
Kernel kernel_of(facts::KernelVersion version, const object::Target* stand_in);
/// The kernel that a target is.
Kernel kernel_of(object::Target target);

/// The version that a kernel's types show: the newest of all that they have of the tables of facts. {}: they show nothing.
facts::KernelVersion version_of(const btf::Btf& types);

}  // namespace espy::verifier
