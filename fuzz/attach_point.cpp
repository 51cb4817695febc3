// Attach points from any text: no crash, errors that point inside the text, and names that can be read again.
#include <cstdlib>
#include <string>

#include "trace/probes/attach_point.hpp"

using namespace espy::trace::probes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto point = parse_attach_point(text);
  if (!point) {
    if (point.error().offset > size || point.error().length > size - point.error().offset || point.error().message.empty()) std::abort();
    return 0;
  }
  (void)name_of(*point);
  (void)matches(text, name_of(*point));
  return 0;
}
