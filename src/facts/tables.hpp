// What kernels offer, one row a fact. Everything that names, checks or documents one of these reads its row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "facts/enum_set.hpp"
#include "facts/types.hpp"

namespace espy::facts {

using ProgTypes = EnumSet<ProgType>;

struct ProgTypeRow {
  ProgType type{};
  std::string_view name{};  ///< "sched_cls": the kernel's word in lower case, without BPF_PROG_TYPE_
  KernelVersion since{};
  std::string_view what{};  ///< one line: what such a program sees or decides
};

struct MapTypeRow {
  MapType type{};
  std::string_view name{};  ///< "percpu_hash"
  KernelVersion since{};
  bool per_cpu = false;    ///< a value per possible CPU
  bool holds_maps = false; ///< values are maps
  std::string_view what{};
};

struct AttachTypeRow {
  AttachType type{};
  std::string_view name{};  ///< "cgroup_inet4_connect"
  KernelVersion since{};
  std::string_view needs{}; ///< kernel configuration without which it does not exist: "CONFIG_CGROUP_BPF"; may be empty
};

struct HelperRow {
  std::uint32_t id = 0;
  std::string_view name{};  ///< "bpf_map_lookup_elem"
  KernelVersion since{};
  bool gpl_only = false;   ///< refused in a program whose licence is not GPL compatible
  ProgTypes callers{};      ///< program types that may call it on some kernel, under one of their attach types
};

/// These program types may call a helper only since a kernel later than the helper's own first.
struct HelperGrantRow {
  std::string_view helper{};
  ProgTypes types{};
  KernelVersion since{};
};

/// Programs of this type may call a helper under these attach types only.
struct HelperAttachRow {
  std::string_view helper{};
  ProgType type{};
  EnumSet<AttachType> attach{};
};

std::span<const ProgTypeRow> prog_types();      ///< in the kernel's order: row i is type i
std::span<const MapTypeRow> map_types();
std::span<const AttachTypeRow> attach_types();
std::span<const HelperRow> helpers();           ///< row i is helper i; 0 is `unspec`

std::span<const HelperGrantRow> helper_grants();
std::span<const HelperAttachRow> helper_attach();

/// The first kernel on which programs of this type may call the helper; nullopt: none lets them. `ext` programs follow
/// the program that they extend: ask for its type.
std::optional<KernelVersion> callable_since(ProgType type, const HelperRow& helper);
/// The same under an attach type, where that decides, too.
std::optional<KernelVersion> callable_since(ProgType type, std::optional<AttachType> attach, const HelperRow& helper);

/// Is the helper for programs of this type under a GPL-compatible licence only?
bool needs_gpl(ProgType type, const HelperRow& helper);

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

/// The row's name, or "program type 99", "map type 99", "attach type 99" for a value from a newer kernel.
std::string to_string(ProgType type);
std::string to_string(MapType type);
std::string to_string(AttachType type);

}  // namespace espy::facts
