// `espy check`: what its parts hand each other.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "espy/verifier.hpp"

namespace espy::cli {

/// What the running kernel itself said of a program.
struct OracleAnswer {
  std::string program;
  bool accepted = false;
  /// It was refused before its instructions were looked at: for want of privileges, of an option, by a lockdown.
  bool not_judged = false;
  std::string reason;            ///< the kernel's words, where it refused
};

/// An object that was checked, or could not be.
struct CheckedObject {
  verifier::ObjectReport report;
  std::vector<OracleAnswer> oracle;  ///< empty: not asked
};

struct CheckStyle {
  bool colour = false;
  bool explain = false;          ///< whole paths, and the kernel's own words
  bool stats = false;
  bool log = false;
};

/// The matrix, what each kernel lacks, and each rejection drawn once for all kernels that agree on it.
std::string check_text(const CheckedObject& object, std::span<const verifier::Kernel> kernels, const CheckStyle& style);
/// One line for each program and kernel.
std::string check_json(const CheckedObject& object, std::span<const verifier::Kernel> kernels);
/// One SARIF 2.1.0 log of all objects.
std::string check_sarif(std::span<const CheckedObject> objects, std::span<const verifier::Kernel> kernels);

/// Loads each program by itself into the running kernel.
std::vector<OracleAnswer> ask_running_kernel(const object::ObjectSpec& object, const object::Target& target, const std::vector<std::string>& programs);

}  // namespace espy::cli
