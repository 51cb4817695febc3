#include "kernel/map_view.hpp"

#include <bit>

#include "render/per_cpu.hpp"

namespace espy::kernel {

using facts::MapType;
using render::MapNature;

namespace {

std::optional<MapNature> nature_of(MapType type) {
  switch (type) {
    case MapType::hash: case MapType::percpu_hash: case MapType::lru_hash: case MapType::lru_percpu_hash: case MapType::lpm_trie: case MapType::rhash:
    case MapType::cgroup_storage: case MapType::percpu_cgroup_storage: case MapType::devmap_hash: return MapNature::plain;
    case MapType::array: case MapType::percpu_array: case MapType::devmap: case MapType::cpumap: return MapNature::array;
    case MapType::stack_trace: return MapNature::stack_trace;
    case MapType::prog_array: case MapType::array_of_maps: case MapType::hash_of_maps: return MapNature::ids;
    default: return std::nullopt;
  }
}

render::Shape shape_of(const object::ObjectSpec& object, btf::TypeId type, std::uint32_t size, std::string_view name) {
  // A type of another size describes something else: what a value points to, or an older declaration.
  if (object.btf && type != btf::kVoid) {
    if (auto bytes = object.btf->size_of(type); bytes && *bytes == size) return render::Shape(*object.btf, type, name);
  }
  // What has the size of a number and no type (old maps, assembled ones) most likely is one.
  return size <= 8 && std::has_single_bit(size) ? render::Shape::number(size) : render::Shape{};
}

}  // namespace

bool has_contents(MapType type) { return nature_of(type).has_value(); }

Result<render::MapView> empty_view(const object::ObjectSpec& object, object::MapIdx index, std::uint32_t key_size, std::uint32_t value_size) {
  const object::MapSpec& spec = object.map(index);
  auto nature = nature_of(spec.type);
  if (!nature) return fail(ErrorKind::unsupported, "map `{}` has no contents to show", spec.name);
  render::MapView view{.name = spec.name, .nature = *nature};
  view.key = shape_of(object, spec.key_type, key_size, "");
  if (*nature == MapNature::plain || *nature == MapNature::array) view.value = shape_of(object, spec.value_type, value_size, "");
  return view;
}

Result<render::MapView> view_map(const Object& object, object::MapIdx index, std::size_t max_entries) {
  const object::MapSpec& spec = object.spec().map(index);
  const Map& map = object.maps()[static_cast<std::size_t>(index)];
  if (!map.valid()) return fail(ErrorKind::unsupported, "map `{}` has no contents to show", spec.name);
  const MapInfo& info = map.info();
  render::MapView view = TRY(empty_view(object.spec(), index, info.key_size, info.value_size));
  const std::size_t stride = (std::size_t{info.value_size} + 7) / 8 * 8;
  TRY(map.for_each([&](Bytes key, Bytes value) {
    if (view.entries.size() >= max_entries) {
      view.truncated = true;
      return false;
    }
    render::MapView::Entry& entry = view.entries.emplace_back();
    entry.key.assign(key.begin(), key.end());
    if (map.is_per_cpu()) entry.value = render::sum_per_cpu(view.value, value, info.value_size, stride);
    else entry.value.assign(value.begin(), value.end());
    return true;
  }));
  return view;
}

render::Shape section_shape(const object::ObjectSpec& object, object::MapIdx section) {
  if (!object.btf) return {};
  std::vector<render::Shape::Variable> variables;
  for (const object::Variable& variable : object::variables(object))
    if (variable.map == section) variables.push_back({variable.name, variable.type, variable.offset, variable.size});
  return render::Shape(*object.btf, variables);
}

}  // namespace espy::kernel
