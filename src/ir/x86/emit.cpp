#include "ir/x86/emit.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "ir/x86/machine.hpp"

namespace espy::ir::x86 {

Features host_features() {
  Features features;
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) != 0) features.movbe = (c & bit_MOVBE) != 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0) features.bmi2 = (b & bit_BMI2) != 0;
#endif
  return features;
}

Result<Code> emit(const Module& module, const Options& options) {
  std::vector<MFunction> functions;
  functions.reserve(module.functions.size());
  for (const Function& function : module.functions) {
    MFunction& made = functions.emplace_back(TRY(select(module, function, options)));
    if (options.blinding != 0) blind(made, options.blinding * (2 * functions.size() + 1));
    TRY(allocate(made));
  }
  return encode(functions, options);
}

}  // namespace espy::ir::x86
