#include "verifier/verify.hpp"

#include <chrono>

#include "verifier/checker.hpp"

namespace espy::verifier {

Verdict verify(const object::LinkedObject& object, const object::LinkedProgram& program, const object::Target& target,
               const Profile& profile, const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  Checker checker(object, program, target, profile, options);
  Verdict verdict = checker.run();
  verdict.stats.nanoseconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count());
  return verdict;
}

}  // namespace espy::verifier
