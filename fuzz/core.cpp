// Relocations of every kind between two foreign BTFs: a length, the local one, the target. The input's last byte turns the
// choice of accesses, one for each type and kind, so that an input is quick.
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
  static constexpr const char* kAccesses[] = {"0", "0:0", "0:1:0", "1:2:3", "0:0:0:0", "0:1", "0:2"};
  std::size_t turn = data[size - 1];
  for (std::uint32_t id = 0; id < (*local)->type_count() && id < 24; ++id) {
    for (std::uint32_t kind = 0; kind <= 13; ++kind) {
      const bool of_a_type = kind >= 6 && kind < 10;
      const CoreRelocation relocation{.insn = 0, .type = TypeId{id}, .access = of_a_type ? "0" : kAccesses[turn++ % 7], .kind = CoreKind{kind}};
      (void)matcher.resolve(relocation);
    }
    (void)describe({.insn = 0, .type = TypeId{id}, .access = kAccesses[turn++ % 7], .kind = CoreKind{0}}, **local);
  }
  return 0;
}
