#include "cli/open.hpp"

#include <cstdio>

namespace espy::cli {

Result<std::pair<std::string, std::string>> name_and_value(std::string_view option, std::string_view text) {
  std::size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) {
    return fail(ErrorKind::invalid_argument, "{} takes NAME=VALUE, not `{}`", option, text);
  }
  return std::pair(std::string(text.substr(0, at)), std::string(text.substr(at + 1)));
}

std::string program_names(const object::ObjectSpec& spec) {
  std::string names;
  for (const object::ProgramSpec& program : spec.programs) names += (names.empty() ? "" : ", ") + program.name;
  return names;
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
