// Fields of tracepoint records that can be had from the tracepoint's own arguments with exactly the same value, so that the
// cheaper raw tracepoint serves.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trace/probes/arguments.hpp"

namespace espy::trace::probes {

struct DerivationRow {
  std::string_view events{};   ///< names of events, separated by spaces
  std::string_view field{};    ///< of their records
  /// From the arguments: "prev->pid", "p->thread_info.cpu", "id". Alternatives for other kernels are separated by `|`.
  std::string_view from{};
};
std::span<const DerivationRow> derivations();

/// The fields of `record` that `needed` names, read from the raw tracepoint's arguments; nullopt if one of them cannot be on
/// this kernel. `raw`: the tracepoint's own arguments, as arguments_of gives them. The result's typed_pointers is false if an
/// untyped program must read them.
std::optional<ArgumentSet> derive(std::string_view event, const ArgumentSet& record, const ArgumentSet& raw, const std::vector<std::string>& needed);

}  // namespace espy::trace::probes
