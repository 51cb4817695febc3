#include "vm/maps/references.hpp"

#include <algorithm>
#include <cstring>

#include "vm/maps/kinds.hpp"
#include "vm/object.hpp"

namespace espy::vm {

Result<void> ProgramArray::set(std::uint32_t index, const Program* program) {
  if (index >= programs_.size()) return fail(ErrorKind::invalid_argument, "map `{}` has {} slots, none of number {}", attributes_.name, programs_.size(), index);
  if (program != nullptr) {   // programs of one type alone: their contexts are one
    for (const auto& other : programs_) {
      const Program* there = other.load(std::memory_order_acquire);
      if (there != nullptr && there->spec().type != program->spec().type) {
        return fail(ErrorKind::invalid_argument, "map `{}` holds `{}`: `{}` is a program of another type", attributes_.name, there->name(), program->name());
      }
    }
  }
  programs_[index].store(program, std::memory_order_release);
  return {};
}

void* MapOfMaps::lookup(const void* key) {
  const void* found = references_->lookup(key);
  std::uint64_t address = 0;
  if (found != nullptr) std::memcpy(&address, found, sizeof address);
  return reinterpret_cast<void*>(address);
}

Result<void> MapOfMaps::put(Bytes key, std::shared_ptr<Map> map, std::uint64_t flags) {
  const auto address = reinterpret_cast<std::uint64_t>(map.get());
  std::scoped_lock lock(mutex_);
  TRY(references_->write(key, std::as_bytes(std::span(&address, 1)), flags));
  if (std::ranges::find(kept_, map) == kept_.end()) kept_.push_back(std::move(map));
  return {};
}

Result<std::shared_ptr<Map>> make_program_array(MapAttributes attributes) {
  if (attributes.key_size != 4 || attributes.value_size != 4) return bad_map(attributes, "keys and values are 4 bytes");
  if (attributes.max_entries == 0 || attributes.max_entries > 1U << 20) return bad_map(attributes, fmt::format("{} slots", attributes.max_entries));
  return std::make_shared<ProgramArray>(std::move(attributes));
}

Result<std::shared_ptr<Map>> make_map_of_maps(MapAttributes attributes) {
  if (attributes.value_size != 4) return bad_map(attributes, "values are 4 bytes");
  MapAttributes inside = attributes;
  inside.value_size = sizeof(std::uint64_t);
  inside.read_only_for_programs = false;
  const bool array = attributes.type == facts::MapType::array_of_maps;
  inside.type = array ? facts::MapType::array : facts::MapType::hash;
  std::shared_ptr<Map> references = TRY(array ? make_array(std::move(inside)) : make_hash(std::move(inside)));
  return std::make_shared<MapOfMaps>(std::move(attributes), std::move(references));
}

}  // namespace espy::vm
