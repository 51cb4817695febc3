// What the running kernel says of a program.
//
// Programs are loaded with the log level that gives the verifier's words and its statistics without its trace: one load,
// a small log, and the verifier as fast as it is without a log.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"
#include "kernel/object.hpp"
#include "object/link.hpp"

namespace espy::corpus {

enum class Answer {
  accepted,
  rejected,      ///< by its verifier, or by what comes before: a map, a type, a helper that it does not have
  refused,       ///< this machine loads no program of the kind: no verdict
};

struct KernelVerdict {
  Answer answer = Answer::rejected;
  std::string message = {};            ///< of a rejection: the kernel's words, one line
  std::uint64_t insns_processed = 0, total_states = 0, peak_states = 0, microseconds = 0;
  UniqueFd program = {};               ///< of an accepted one
};

/// Maps that live in the kernel, for many programs to be asked about.
class KernelMaps {
 public:
  /// Of an object's maps; its programs are left out.
  static Result<KernelMaps> create(object::LinkedObject linked);
  KernelVerdict ask(const object::LinkedProgram& program) const;

 private:
  explicit KernelMaps(kernel::Object object) : object_(std::move(object)) {}
  kernel::Object object_;
};

/// Loads the object's maps and its first program.
KernelVerdict ask_kernel(object::LinkedObject linked);
/// The same without capabilities, where the kernel lets such load at all (unprivileged_may_load).
KernelVerdict ask_kernel_unprivileged(object::LinkedObject linked);
bool unprivileged_may_load();

}  // namespace espy::corpus
