// Helpers on maps.
#include "vm/map.hpp"

#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

std::uint64_t lookup(std::uint64_t map, std::uint64_t key, std::uint64_t, std::uint64_t, std::uint64_t) {
  return reinterpret_cast<std::uint64_t>(pointer<Map>(map)->lookup(pointer<void>(key)));
}
std::uint64_t update(std::uint64_t map, std::uint64_t key, std::uint64_t value, std::uint64_t flags, std::uint64_t) {
  return result(pointer<Map>(map)->update(pointer<void>(key), pointer<void>(value), flags));
}
std::uint64_t erase(std::uint64_t map, std::uint64_t key, std::uint64_t, std::uint64_t, std::uint64_t) {
  return result(pointer<Map>(map)->erase(pointer<void>(key)));
}
std::uint64_t push(std::uint64_t map, std::uint64_t value, std::uint64_t flags, std::uint64_t, std::uint64_t) {
  return result(pointer<Map>(map)->push(pointer<void>(value), flags));
}
std::uint64_t pop(std::uint64_t map, std::uint64_t value, std::uint64_t, std::uint64_t, std::uint64_t) {
  return result(pointer<Map>(map)->pop(pointer<void>(value)));
}
std::uint64_t peek(std::uint64_t map, std::uint64_t value, std::uint64_t, std::uint64_t, std::uint64_t) {
  return result(pointer<Map>(map)->peek(pointer<void>(value)));
}
std::uint64_t lookup_percpu(std::uint64_t map, std::uint64_t key, std::uint64_t cpu, std::uint64_t, std::uint64_t) {
  return reinterpret_cast<std::uint64_t>(pointer<Map>(map)->lookup_percpu(pointer<void>(key), static_cast<unsigned>(cpu)));
}

constexpr Helper kHelpers[] = {{1, lookup}, {2, update}, {3, erase}, {87, push}, {88, pop}, {89, peek}, {195, lookup_percpu}};

}  // namespace

std::span<const Helper> map_helpers() { return kHelpers; }

}  // namespace espy::vm
