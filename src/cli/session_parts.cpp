// What a session asks before and after it loads: programs to replace, capabilities, which options had an effect.
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "espy/facts.hpp"
#include "cli/session.hpp"

namespace espy::cli {

Restricted what_restricts(const probe::Probe& probe) {
  return std::visit(overload{
      [](const probe::Uprobe&) { return Restricted{.by_pid = true}; },
      [](const probe::UprobeMulti&) { return Restricted{.by_pid = true}; },
      [](const probe::Usdt&) { return Restricted{.by_pid = true}; },
      [](const probe::PerfEvent&) { return Restricted{.by_pid = true}; },
      [](const probe::Reuseport&) { return Restricted{.by_pid = true}; },
      [](const probe::Iterator& iterator) { return Restricted{.by_pid = iterator.pid.has_value(), .by_cgroup = !iterator.cgroup.empty()}; },
      [](const probe::Xdp&) { return Restricted{.by_interface = true}; },
      [](const probe::Tc&) { return Restricted{.by_interface = true}; },
      [](const probe::Netkit&) { return Restricted{.by_interface = true}; },
      [](const probe::SocketFilter&) { return Restricted{.by_interface = true}; },
      [](const probe::Cgroup&) { return Restricted{.by_cgroup = true}; },
      [](const auto&) { return Restricted{}; },
  }, probe);
}

namespace {

struct Replaced {
  std::string program, function;   ///< a path or a number; empty where the section is to say it
};

// "freplace:/sys/fs/bpf/target/verdict_of", "12/verdict_of", "12:verdict_of", "12".
Replaced replaced_of(std::string_view target) {
  if (target.starts_with("freplace:")) target.remove_prefix(9);
  if (auto colon = target.rfind(':'); colon != target.npos) return {std::string(target.substr(0, colon)), std::string(target.substr(colon + 1))};
  std::string whole(target);
  auto slash = target.rfind('/');
  if (slash == target.npos || ::access(whole.c_str(), F_OK) == 0) return {whole, {}};
  return {std::string(target.substr(0, slash)), std::string(target.substr(slash + 1))};
}

bool is_chosen(const object::ProgramSpec& program, const std::vector<std::string>& chosen) {
  return chosen.empty() ? program.autoload : std::ranges::find(chosen, program.name) != chosen.end();
}

}  // namespace

Result<Replacements> open_replaced(object::ObjectSpec& spec, const SessionOptions& options) {
  Replacements open;
  for (object::ProgramSpec& program : spec.programs) {
    if (program.type != facts::ProgType::ext || !is_chosen(program, options.programs)) continue;
    auto told = options.attach.find(program.name);
    Replaced target = told == options.attach.end() ? Replaced{} : replaced_of(told->second);
    if (!target.function.empty()) program.attach_target = target.function;
    if (target.program.empty() || program.attach_target.empty()) {
      const std::string function = program.attach_target.empty() ? "FUNCTION" : program.attach_target;
      return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                   .message = fmt::format("program `{}` replaces a function of another program: of which?", program.name),
                                   .where = fmt::format("{}: section {}", spec.path, program.code.section),
                                   .hint = fmt::format("--attach {0}=freplace:/sys/fs/bpf/PROG/{1} where it is pinned, or --attach {0}=freplace:ID/{1}",
                                                       program.name, function)});
    }
    auto fd = kernel::open_program(target.program);
    if (!fd) return std::unexpected(wrap(std::move(fd.error()), fmt::format("attach `{}`", program.name)));
    open.emplace(program.name, std::move(*fd));
  }
  return open;
}

Error with_all_that_is_missing(Error error, kernel::CapabilitySet needed) {
  if (error.kind != ErrorKind::permission || kernel::missing(needed).empty()) return error;
  error.notes.clear();
  kernel::explain_permission(error, needed);
  return error;
}

std::string capability_names(kernel::CapabilitySet set) {
  std::vector<std::string_view> names;
  for (const facts::CapabilityRow& row : facts::capabilities())
    if ((set.bits() >> row.number & 1) != 0) names.push_back(row.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace espy::cli
