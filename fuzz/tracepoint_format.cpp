// Format files of tracepoints from any text: no crash, fields inside a record, types that can be built.
#include <cstdlib>

#include "trace/probes/arguments.hpp"

using namespace espy::trace::probes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1 << 16) return 0;
  auto fields = parse_format({reinterpret_cast<const char*>(data), size});
  if (!fields) return 0;
  auto set = typed(*fields, nullptr);
  if (set && set->arguments.size() != fields->size()) std::abort();
  return 0;
}
