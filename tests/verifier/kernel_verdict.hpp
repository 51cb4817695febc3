// What the running kernel says of a program.
#pragma once

#include <string>

#include "object/link.hpp"

namespace espy::corpus {

enum class Answer {
  accepted,
  rejected,      ///< by its verifier, or by what comes before: a map, a type, a helper that it does not have
  refused,       ///< this machine loads no program of the kind: no verdict
};

struct KernelVerdict {
  Answer answer = Answer::rejected;
  std::string message = {};   ///< of a rejection: the kernel's words, one line
  std::string log = {};       ///< whole
};

/// Loads the object and throws it away.
KernelVerdict ask_kernel(object::LinkedObject linked);
/// The same without capabilities, where the kernel lets such load at all (unprivileged_may_load).
KernelVerdict ask_kernel_unprivileged(object::LinkedObject linked);
bool unprivileged_may_load();

}  // namespace espy::corpus
