// What kernels offer, one row a fact. Everything that names, checks or documents one of these reads its row.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "facts/types.hpp"

namespace espy::facts {

struct ProgTypeRow {
  ProgType type{};
  std::string_view name;   ///< "sched_cls": the kernel's word in lower case, without BPF_PROG_TYPE_
  KernelVersion since;
  std::string_view what;   ///< one line: what such a program sees or decides
};

struct MapTypeRow {
  MapType type{};
  std::string_view name;   ///< "percpu_hash"
  KernelVersion since;
  bool per_cpu = false;    ///< a value per possible CPU
  bool holds_maps = false; ///< values are maps
  std::string_view what;
};

struct AttachTypeRow {
  AttachType type{};
  std::string_view name;   ///< "cgroup_inet4_connect"
  KernelVersion since;
  std::string_view needs;  ///< kernel configuration without which it does not exist: "CONFIG_CGROUP_BPF"; may be empty
};

struct HelperRow {
  std::uint32_t id = 0;
  std::string_view name;   ///< "bpf_map_lookup_elem"
  KernelVersion since;
  bool gpl_only = false;
};

std::span<const ProgTypeRow> prog_types();      ///< in the kernel's order: row i is type i
std::span<const MapTypeRow> map_types();
std::span<const AttachTypeRow> attach_types();
std::span<const HelperRow> helpers();           ///< row i is helper i; 0 is `unspec`

/// The row of a value; a value that the table does not know has none.
const ProgTypeRow* find(ProgType type);
const MapTypeRow* find(MapType type);
const AttachTypeRow* find(AttachType type);
const HelperRow* find_helper(std::uint32_t id);

/// By name, as rows spell it or as the kernel's header does ("BPF_MAP_TYPE_HASH").
const ProgTypeRow* find_prog_type(std::string_view name);
const MapTypeRow* find_map_type(std::string_view name);
const AttachTypeRow* find_attach_type(std::string_view name);
const HelperRow* find_helper(std::string_view name);

/// The row's name, or "type 99" for a value from a newer kernel.
std::string to_string(ProgType type);
std::string to_string(MapType type);
std::string to_string(AttachType type);

}  // namespace espy::facts
