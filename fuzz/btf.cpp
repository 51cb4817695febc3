// Any bytes as BTF, alone and on top of a base: all that can be asked of what parses.
#include <cstdint>

#include "btf/builder.hpp"
#include "btf/downgrade.hpp"
#include "btf/print.hpp"

namespace {

using namespace espy;
using namespace espy::btf;

void ask(const Btf& btf) {
  for (std::uint32_t id = 0; id <= btf.type_count(); ++id) {
    const Type type = btf.type(TypeId{id});
    (void)btf.size_of(TypeId{id});
    (void)btf.align_of(TypeId{id});
    (void)type.members(), (void)type.enumerators(), (void)type.params(), (void)type.section_vars();
    if (id < 64) (void)btf.type_name(TypeId{id}), (void)definition(btf, TypeId{id}), (void)btf.find(type.name(), type.kind());
  }
  (void)btf.find_flavours("a");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 1 << 16) return 0;
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  auto btf = Btf::parse({begin, begin + size});
  if (!btf) return 0;
  ask(**btf);
  (void)header(**btf, Kfuncs::declared);
  Builder merged;
  merged.merge(**btf);
  if (!merged.build()) __builtin_trap();  // what parsed once parses again
  auto old = downgraded(**btf, {.func = false, .datasec = false, .enum64 = false});
  if (!old || !Btf::parse(*old)) __builtin_trap();
  if ((*btf)->validate())
    if (auto split = Btf::parse({begin, begin + size}, *btf)) ask(**split);
  return 0;
}
