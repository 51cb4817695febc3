// The reader of verifier logs on any text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/verifier_log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto report = espy::kernel::read_verifier_log({reinterpret_cast<const char*>(data), size});
  for (const std::string& reason : report.reasons) (void)espy::kernel::advice_for(reason);
  return 0;
}
