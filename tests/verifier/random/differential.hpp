// One program, two verifiers: what the running kernel says, what verify says, and the shortest program on which they differ.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "kernel_verdict.hpp"
#include "object/link.hpp"
#include "verifier/verify.hpp"

namespace espy::corpus {

enum class Difference {
  none,
  unsound,      ///< the kernel rejects it, verify does not
  too_strict,   ///< the other way round
};

struct Verdicts {
  bool kernel = false, ours = false;
  std::string kernel_message = {}, our_message = {};
  std::uint64_t kernel_insns = 0, our_insns = 0, kernel_microseconds = 0, our_nanoseconds = 0;

  Difference difference() const { return kernel == ours ? Difference::none : ours ? Difference::unsound : Difference::too_strict; }
};

/// Compares programs that use the maps of random_maps().
class Judge {
 public:
  static Result<Judge> create();
  Verdicts judge(const object::LinkedProgram& program) const;
  /// Runs an accepted program in the user engine's safe mode on random input; what it touched that it may not, or nothing.
  std::optional<std::string> run_safely(const object::LinkedProgram& program, std::uint64_t seed) const;

 private:
  Judge(KernelMaps maps, object::Target target) : maps_(std::move(maps)), target_(std::move(target)), profile_(verifier::profile_of(target_)) {}
  KernelMaps maps_;
  object::Target target_;
  verifier::Profile profile_;
};

/// Takes away instructions as long as what is left is still `interesting`.
object::LinkedProgram shrink(object::LinkedProgram program, const std::function<bool(const object::LinkedProgram&)>& interesting);

/// A program as it stands in a file of the corpus.
std::string corpus_text(const object::LinkedProgram& program, const std::string& name, const Verdicts& verdicts);

}  // namespace espy::corpus
