// Maps and data sections of a loaded object, copied out for rendering.
#pragma once

#include "kernel/object.hpp"
#include "render/map.hpp"

namespace espy::kernel {

/// Has this type contents that can be read without changing them? (Not rings, queues, filters, sockets, storage.)
bool has_contents(facts::MapType type);

/// What a copy of the map's contents begins with: its name and the shapes of its entries.
Result<render::MapView> empty_view(const object::ObjectSpec& object, object::MapIdx map, std::uint32_t key_size, std::uint32_t value_size);

/// A copy of a map as it is now, per-CPU values joined, with the types that the object's BTF gives it. At most
/// `max_entries` entries are copied; the view says if there were more.
Result<render::MapView> view_map(const Object& object, object::MapIdx map, std::size_t max_entries = 1U << 20);

/// The variables of a data section as one shape, for Object::data's bytes.
render::Shape section_shape(const object::ObjectSpec& object, object::MapIdx section);

}  // namespace espy::kernel
