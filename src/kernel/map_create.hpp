// MapSpec → a map in the kernel: what each type wants settled before it can be made.
#pragma once

#include <string>

#include "kernel/map.hpp"
#include "object/spec.hpp"

namespace espy::kernel {

/// What surrounds a map when it is made.
struct MapSetting {
  std::string object_name;          ///< prefix of data sections' names in the kernel: "probe.rodata"
  int btf_fd = -1;                  ///< the object's BTF in the kernel; -1: none
  std::uint32_t vmlinux_value_type = 0;  ///< struct_ops: the kernel's bpf_struct_ops_NAME
  int value_btf_fd = -1;            ///< struct_ops: the BTF of the module which that type is in; -1: vmlinux
};

/// The name a map gets in the kernel (15 characters): its own, or for data sections the object's as libbpf gives it:
/// "probe.rodata".
std::string kernel_name(const object::MapSpec& spec, std::string_view object_name);

/// The spec as this machine needs it: a perf event array of 0 entries gets one for each CPU, a ring buffer's size becomes a
/// power of two of pages, data sections may be mapped, read-only ones are so for programs. What a type cannot be is an
/// error that says what it must be.
Result<object::MapSpec> settle(object::MapSpec spec);

/// Creates a map of a settled spec, without contents. BTF that this kernel does not take for it is left away.
Result<Map> create_map(const object::MapSpec& settled, const MapSetting& setting);

/// Creates, pins or finds again: a map pinned at `path` is used if it fits, else made and pinned there.
struct PinnedMap {
  Map map;
  bool was_there = false;
};
Result<PinnedMap> create_or_reuse_pinned(const object::MapSpec& settled, const MapSetting& setting, const std::string& path);

/// Does a map that exists fit the spec? The error names each attribute that differs, with both values.
Result<void> check_fits(const object::MapSpec& settled, const MapInfo& there);

/// Writes the initial contents of a data section and freezes it where it is read only.
Result<void> fill_data(const object::MapSpec& spec, const Map& map);

}  // namespace espy::kernel
