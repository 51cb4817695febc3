// Any bytes as .BTF.ext beside a fixed BTF.
#include <cstdint>

#include "btf/builder.hpp"
#include "btf/ext.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy;
  using namespace espy::btf;
  static const auto types = [] {
    Builder builder;
    for (const char* text : {"xdp", ".text", "tp/x", "0:1", "0"}) builder.add_string(text);
    return *builder.build();
  }();
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  auto sections = parse_ext({begin, size}, *types);
  if (!sections) return 0;
  for (const ExtSection& section : *sections) (void)encode_func_info(section.functions), (void)encode_line_info(section.lines);
  Builder strings = Builder::copy_of(*types);
  std::vector<std::uint32_t> names;
  for (const ExtSection& section : *sections) names.push_back(strings.add_string(section.name));
  const auto again = encode_ext(*sections, names, [&](std::string_view text) { return strings.add_string(text); });
  auto with_strings = strings.build();
  if (!with_strings || !parse_ext(again, **with_strings)) __builtin_trap();
  return 0;
}
