// Global variables of a loaded object, by name, while its programs run.
#include <cstring>

#include "base/text.hpp"
#include "kernel/object.hpp"

namespace espy::kernel {

using object::MapIdx;

namespace {

Result<object::Variable> find_variable(const object::ObjectSpec& spec, std::string_view name) {
  std::vector<object::Variable> all = object::variables(spec);
  for (object::Variable& variable : all)
    if (variable.name == name) return std::move(variable);
  auto failure = fail(ErrorKind::not_found, "no global variable named `{}`", name);
  std::vector<std::string_view> names;
  for (const object::Variable& variable : all) names.push_back(variable.name);
  if (auto close = nearest(name, names); !close.empty()) failure.error().hint = fmt::format("did you mean `{}`?", close);
  return failure;
}

}  // namespace

// nullptr: this section cannot be mapped, and is read and written whole by system calls.
const MappedRegion* Object::mapping(MapIdx index) const {
  auto key = static_cast<std::size_t>(index);
  if (auto known = mappings_.find(key); known != mappings_.end()) return &known->second;
  const object::MapSpec& map = spec_.map(index);
  // The kernel lets a frozen map be mapped for reading only.
  bool writable = map.origin == object::MapOrigin::data || map.origin == object::MapOrigin::bss;
  auto region = maps_[key].map_memory(writable);
  if (!region || region->size() < map.value_size) return nullptr;
  return &mappings_.emplace(key, std::move(*region)).first->second;
}

const MappedRegion* Object::arena(MapIdx index) const {
  auto key = static_cast<std::size_t>(index);
  if (key >= maps_.size() || !has_map(index) || maps_[key].info().type != facts::MapType::arena) return nullptr;
  auto known = mappings_.find(key);
  return known == mappings_.end() ? nullptr : &known->second;
}

Result<std::vector<std::byte>> Object::data(MapIdx index) const {
  if (static_cast<std::size_t>(index) >= maps_.size() || !spec_.map(index).is_data() || !has_map(index))
    return fail(ErrorKind::invalid_argument, "map {} is no data section that was created", static_cast<std::size_t>(index));
  const object::MapSpec& map = spec_.map(index);
  if (const MappedRegion* memory = mapping(index)) return std::vector<std::byte>(memory->data(), memory->data() + map.value_size);
  const std::uint32_t zero = 0;
  auto value = TRY(maps_[static_cast<std::size_t>(index)].lookup(bytes_of(zero)));
  return std::move(value).value_or(std::vector<std::byte>(map.value_size));
}

Result<std::vector<std::byte>> Object::read_variable(std::string_view name) const {
  object::Variable variable = TRY(find_variable(spec_, name));
  std::vector<std::byte> section = TRY(data(variable.map));
  if (variable.offset > section.size() || variable.size > section.size() - variable.offset)
    return fail(ErrorKind::malformed, "variable `{}` stands outside its section", name);
  return std::vector<std::byte>(section.begin() + variable.offset, section.begin() + variable.offset + variable.size);
}

Result<void> Object::write_variable(std::string_view name, Bytes value) {
  object::Variable variable = TRY(find_variable(spec_, name));
  const object::MapSpec& map = spec_.map(variable.map);
  if (map.origin != object::MapOrigin::data && map.origin != object::MapOrigin::bss) {
    auto failure = fail(ErrorKind::permission, "variable `{}` is a constant, and frozen since the load", name);
    failure.error().hint = "set it before loading";
    return failure;
  }
  if (value.size() != variable.size) return fail(ErrorKind::invalid_argument, "variable `{}` has {} bytes, not {}", name, variable.size, value.size());
  std::vector<std::byte> section = TRY(data(variable.map));
  if (variable.offset > section.size() || variable.size > section.size() - variable.offset)
    return fail(ErrorKind::malformed, "variable `{}` stands outside its section", name);
  if (const MappedRegion* memory = mapping(variable.map)) {
    std::memcpy(memory->data() + variable.offset, value.data(), value.size());
    return {};
  }
  std::memcpy(section.data() + variable.offset, value.data(), value.size());
  const std::uint32_t zero = 0;
  return maps_[static_cast<std::size_t>(variable.map)].update(bytes_of(zero), section);
}

}  // namespace espy::kernel
