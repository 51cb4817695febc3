#include "facts/types.hpp"

#include <fmt/format.h>

namespace espy::facts {

std::string to_string(KernelVersion version) {
  if (version.patch == 0) return fmt::format("{}.{}", version.major, version.minor);
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

}  // namespace espy::facts
