// Any text as C: what is understood is valid BTF.
#include <cstdint>
#include <cstdlib>

#include "trace/c/types.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::trace;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Sources sources;
  Diagnostics diagnostics;
  const std::uint32_t source = sources.add("fuzz.h", text);
  const c::Options options{.system_directories = {}};
  const c::CTypes types = c::parse({{text, {0, static_cast<std::uint32_t>(size), source}}}, sources, options, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) render(diagnostic, sources, false);
  if (!types.btf) std::abort();
  for (std::uint32_t id = 0; id < types.btf->type_count(); ++id) (void)types.btf->size_of(espy::btf::TypeId{id}), (void)types.btf->type_name(espy::btf::TypeId{id});
  return 0;
}
