// From a block's attach points to the programs that serve them.
#include <fmt/format.h>

#include "trace/check/check.hpp"
#include "trace/probes/attach_point.hpp"
#include "trace/probes/target.hpp"

namespace espy::trace {

namespace {

/// The part of an attach point's text that is wrong.
Span part_of(const AttachPointText& text, const probes::PointError& error) {
  Span at = text.at;
  const std::size_t whole = at.end - at.begin;
  if (error.offset >= whole) return at;
  at.begin += static_cast<std::uint32_t>(error.offset);
  if (error.length != 0) at.end = std::min(at.end, static_cast<std::uint32_t>(at.begin + error.length));
  return at;
}

std::vector<probes::Instance> resolve(probes::Machine& machine, const probes::ExpandOptions& options, std::span<const std::string> without, const Probe& probe, const probes::Needs& needs, Diagnostics& diagnostics) {
  std::vector<probes::Target> targets;
  for (const AttachPointText& text : probe.attach_points) {
    auto point = probes::parse_attach_point(text.text);
    if (!point) {
      diagnostics.error(part_of(text, point.error()), point.error().message, point.error().hint);
      continue;
    }
    auto expansion = probes::expand(machine, *point, options);
    if (!expansion) {
      diagnostics.error(text.at, one_line(expansion.error()), expansion.error().hint);
      continue;
    }
    for (const Error& warning : expansion->warnings) diagnostics.warning(text.at, one_line(warning), warning.hint);
    for (probes::Target& target : expansion->targets) targets.push_back(std::move(target));
  }
  if (targets.empty()) return {};
  probes::Abilities abilities = probes::abilities_for(machine, targets);
  for (const std::string& name : without) probes::take_away(abilities, name);
  auto instances = probes::group(machine, std::move(targets), needs, abilities);
  if (instances) return std::move(*instances);
  diagnostics.error(probe.attach_points.front().at, one_line(instances.error()), instances.error().hint);
  return {};
}

}  // namespace

ProbeResolver resolver(probes::Machine& machine, ResolveOptions options) {
  return [&machine, options = std::move(options)](const Probe& probe, const probes::Needs& needs, const Config& config, Diagnostics& diagnostics) {
    const probes::ExpandOptions expanding{.pid = options.pid, .max_probes = config.max_probes, .interrupted = needs.interrupted, .must_attach = options.must_attach,
                                          .missing = config.missing_probes, .without_kernel = options.without_kernel, .wanted = options.wanted};
    return resolve(machine, expanding, options.without, probe, needs, diagnostics);
  };
}

}  // namespace espy::trace
