// What this kernel can do, found out by asking it.
//
// A feature is a name, the version that brought it, what configuration it needs, and a tiny program or map that only works
// where it is there. The kernel's answer counts more than its version: distributions backport, and options are switched
// off. An answer is kept for the life of the process only when it is conclusive: a probe that failed for want of
// privileges says nothing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "facts/types.hpp"

namespace espy::kernel {

/// Features that programs and this library ask about, besides types and helpers.
enum class Feature : std::uint8_t {
  btf,                ///< the kernel takes BTF
  global_data,        ///< maps whose value a program addresses directly (.data, .bss, .rodata)
  mapped_arrays,      ///< BPF_F_MMAPABLE
  bounded_loops,
  large_programs,     ///< more than 4096 instructions
  map_freeze,
  bpf_cookie,         ///< bpf_get_attach_cookie
  module_kfuncs,      ///< calls of kernel functions
  function_tracing,   ///< fentry, fexit, fmod_ret
  lsm,                ///< BPF_PROG_TYPE_LSM
  extensions,         ///< freplace
};

struct FeatureRow {
  Feature feature{};
  std::string_view name;        ///< "bounded loops"
  facts::KernelVersion since;
  std::string_view needs;       ///< kernel options, comma separated; empty: none but CONFIG_BPF_SYSCALL
  std::string_view instead;     ///< what serves where it is missing; may be empty
};
std::span<const FeatureRow> features();
const FeatureRow& row_of(Feature feature);

/// Asks the kernel, or where that is not conclusive goes by its version.
bool has_feature(Feature feature);

/// Nothing if it is there; else an error that says since when it exists, which of its options this kernel has not set,
/// and what to use instead.
Result<void> require(Feature feature);

/// "needs Linux 5.5 or newer, this is 5.4.0", "needs CONFIG_BPF_LSM, which this kernel has not set"; empty: neither.
std::string why_missing(const FeatureRow& row);

/// nullopt: the probe was not conclusive (no privileges).
std::optional<bool> probe_map_type(facts::MapType type);
std::optional<bool> probe_prog_type(facts::ProgType type);
/// May programs of this type call the helper here?
std::optional<bool> probe_helper(facts::ProgType type, std::uint32_t helper);

/// The options of a comma-separated list that this kernel's configuration has not set; empty if it cannot be read.
std::vector<std::string> options_not_set(std::string_view options);

}  // namespace espy::kernel
