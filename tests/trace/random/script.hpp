// Makes scripts at random that are right in every type, and runs them itself: a script's text and the lines it must print.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espy::test {

struct Script {
  std::string text;
  std::vector<std::string> output;
};

/// The same for the same seed.
Script random_script(std::uint64_t seed);

}  // namespace espy::test
