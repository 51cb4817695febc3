#include "cli/open.hpp"

#include <cstdio>

#include "espy/facts.hpp"

namespace espy::cli {

Result<std::pair<std::string, std::string>> name_and_value(std::string_view option, std::string_view text) {
  std::size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) {
    return fail(ErrorKind::invalid_argument, "{} takes NAME=VALUE, not `{}`", option, text);
  }
  return std::pair(std::string(text.substr(0, at)), std::string(text.substr(at + 1)));
}

Result<vm::Tier> chosen_tier(const Invocation& invocation) {
  const std::string word = invocation.value("--tier").value_or("interpreter");
  if (word == "interpreter") return vm::Tier::interpreter;
  if (word == "baseline") return vm::Tier::baseline;
  if (word == "optimised") return vm::Tier::optimised;
  return fail(ErrorKind::invalid_argument, "--tier takes interpreter, baseline or optimised, not `{}`", word);
}

std::string program_names(const object::ObjectSpec& spec) {
  std::string names;
  for (const object::ProgramSpec& program : spec.programs) names += (names.empty() ? "" : ", ") + program.name;
  return names;
}

void fill_sizes(object::ObjectSpec& spec) {
  using enum facts::MapType;
  constexpr std::uint32_t kEntries = 10240, kRingBytes = 1U << 20, kFrames = 127;  // the kernel's default stack depth
  for (object::MapSpec& map : spec.maps) {
    bool is_hash = map.type == hash || map.type == percpu_hash || map.type == lru_hash || map.type == lru_percpu_hash;
    bool is_ring = map.type == ringbuf || map.type == user_ringbuf;
    std::uint32_t entries = is_ring ? kRingBytes : is_hash || map.type == stack_trace ? kEntries : 0;
    if (map.max_entries == 0 && entries != 0) {
      map.max_entries = entries;
      fmt::print(stderr, "espy: warning: map `{}` says no size: it is made with max_entries {}\n", map.name, entries);
    }
    if (map.type == stack_trace && map.value_size == 0) map.value_size = kFrames * sizeof(std::uint64_t);
  }
}

Result<object::ObjectSpec> open_object(const Invocation& invocation) {
  object::ObjectSpec spec = TRY(object::read(invocation.positionals[0]));
  for (const object::Warning& warning : spec.warnings) {
    fmt::print(stderr, "espy: warning: {}: {}\n", warning.where, warning.message);
    if (!warning.hint.empty()) fmt::print(stderr, "  hint: {}\n", warning.hint);
  }
  for (const std::string& setting : invocation.values("--set")) {
    auto [name, value] = TRY(name_and_value("--set", setting));
    TRY(object::set_variable(spec, name, value));
  }
  return spec;
}

}  // namespace espy::cli
