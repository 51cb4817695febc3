// SEC() names: one table of every convention that libbpf documents (docs/libbpf/program_types.rst) and of older ones.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "facts/types.hpp"
#include "object/spec.hpp"

namespace espy::object {

/// How the rest of a section name relates to its kind.
enum class SectionSuffix : std::uint8_t {
  none,       ///< "xdp": nothing follows
  optional,   ///< "kprobe" or "kprobe/vfs_read": kind, then '/' and a target
  required,   ///< "kind/target": nothing is told without one
};

struct SectionRow {
  std::string_view kind;                ///< "kprobe.multi"
  facts::ProgType type{};
  std::optional<facts::AttachType> attach_type = {};
  SectionSuffix suffix = SectionSuffix::none;
  ProgramFlags flags = {};
  bool autoattach = false;              ///< libbpf attaches it without being told where
  bool attach_type_optional = false;    ///< an older kernel takes the program without its expected attach type
  bool needs_attach_btf = false;        ///< attach_target names a kernel function or type
  std::string_view instead = {};        ///< deprecated: what to write now
};

std::span<const SectionRow> section_table();

/// A section name taken apart: its row, its target, and whether it began with '?'.
struct SectionMatch {
  const SectionRow* row = nullptr;
  std::string_view target;
  bool autoload = true;
};
std::optional<SectionMatch> match_section(std::string_view name);

/// Matches a name by its beginning alone ("xdp_prog", "cgroup/connect4_v2"), as libbpf before 1.0 did: the longest kind.
std::optional<SectionMatch> match_section_loosely(std::string_view name);

/// The kind that a misspelt name may have meant; empty if none is near.
std::string_view nearest_section(std::string_view name);

}  // namespace espy::object
