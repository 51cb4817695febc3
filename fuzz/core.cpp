// Relocations of every kind between two foreign BTFs: a length, the local one, the target.
#include <cstdint>
#include <cstring>

#include "btf/core.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy;
  using namespace espy::btf;
  std::uint16_t split = 0;
  if (size < sizeof split || size > 1 << 14) return 0;
  std::memcpy(&split, data, sizeof split);
  const auto* begin = reinterpret_cast<const std::byte*>(data) + sizeof split;
  const std::size_t rest = size - sizeof split;
  if (split > rest) return 0;
  auto local = Btf::parse({begin, begin + split}, nullptr, "local"), target = Btf::parse({begin + split, begin + rest}, nullptr, "target");
  if (!local || !target) return 0;
  CoreMatcher matcher(*local, *target, [&] { return std::vector{*local}; });
  for (std::uint32_t id = 0; id < (*local)->type_count() && id < 24; ++id)
    for (std::uint32_t kind = 0; kind <= 13; ++kind)
      for (const char* access : {"0", "0:0", "0:1:0", "1:2:3", "0:0:0:0"}) {
        const CoreRelocation relocation{.insn = 0, .type = TypeId{id}, .access = access, .kind = CoreKind{kind}};
        (void)matcher.resolve(relocation);
        (void)describe(relocation, **local);
      }
  return 0;
}
