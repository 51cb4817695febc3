// What this kernel can do, found out by asking it.
//
// A feature is a name, the version that brought it, what configuration it needs, and a tiny program or map that only works
// where it is there. The kernel's answer counts more than its version: distributions backport, and options are switched
// off. An answer is kept for the life of the process only when it is conclusive: a probe that failed for want of
// privileges says nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "facts/features.hpp"
#include "facts/types.hpp"

namespace espy::kernel {

/// Asks the kernel: by a tiny program or map, by what its BTF names, or, where neither is conclusive, by its version and
/// configuration.
bool has_feature(facts::Feature feature);

/// Nothing if it is there; else an error that says since when it exists, which of its options this kernel has not set,
/// and what to use instead.
Result<void> require(facts::Feature feature);

/// "it needs Linux 5.5 or newer, this is 5.4.0", "it needs CONFIG_BPF_LSM, which this kernel has not set"; empty: neither.
std::string why_missing(facts::Feature feature);
/// What serves where the feature is missing: "a tracepoint, or tp_btf"; may be empty.
std::string_view instead_of(facts::Feature feature);

/// nullopt: the probe was not conclusive (no privileges).
std::optional<bool> probe_map_type(facts::MapType type);
std::optional<bool> probe_prog_type(facts::ProgType type);
/// May programs of this type call the helper here?
std::optional<bool> probe_helper(facts::ProgType type, std::uint32_t helper);

/// The options of a comma-separated list that this kernel's configuration has not set; empty if it cannot be read.
std::vector<std::string> options_not_set(std::string_view options);

}  // namespace espy::kernel
