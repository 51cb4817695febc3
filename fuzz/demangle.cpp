// Any text as a mangled name of C++ or Rust: bounded in time, depth and output.
#include <cstdint>

#include "symbol/demangle.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::symbol;
  std::string_view name(reinterpret_cast<const char*>(data), size);
  if (demangle(name).size() > size + 65536) __builtin_trap();
  (void)demangle(name, Parameters::dropped);
  for (std::string_view prefix : {"_R", "_ZN", "_Z"}) {
    std::string mangled(prefix);
    mangled += name;
    (void)demangle(mangled);
  }
  return 0;
}
