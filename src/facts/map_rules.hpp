// Which helper takes which map, and which program may use which map.
#pragma once

#include <optional>
#include <span>

#include "facts/enum_set.hpp"
#include "facts/tables.hpp"

namespace espy::facts {

using MapTypes = EnumSet<MapType>;

/// A helper takes maps of these types, since this kernel (or since the helper and the map type exist).
struct MapHelperRow {
  std::string_view helper{};
  MapTypes maps{};
  KernelVersion since{};
};
std::span<const MapHelperRow> map_helpers();

/// The first kernel on which the helper takes a map of this type; nullopt: none does.
std::optional<KernelVersion> takes_map_since(const HelperRow& helper, MapType map);

/// Program types that may update a sockmap or sockhash by bpf_map_update_elem and bpf_map_delete_elem.
bool may_update_sockets(ProgType type, std::optional<AttachType> attach, KernelVersion version);

/// Since when programs that may sleep may use maps of this type; nullopt: they may not.
std::optional<KernelVersion> sleepable_since(MapType map);

}  // namespace espy::facts
