// `espy check --oracle`: the running kernel's own verdicts, program by program.
#include "cli/check.hpp"
#include "cli/open.hpp"
#include "espy/kernel.hpp"

namespace espy::cli {
namespace {

/// The kernel's words of a refusal: the notes of the error that names them, else its message.
std::string reason_of(const Error& error) {
  for (const Error* at = &error; at != nullptr; at = at->cause.get()) {
    if (!at->notes.empty()) return at->notes.front();
  }
  return one_line(error);
}

Result<void> load_one(object::ObjectSpec object, const object::Target& target, const std::string& program) {
  fill_sizes(object);
  // What the load would pin or find pinned has nothing to do with the verdict.
  for (object::MapSpec& map : object.maps) map.pinning = object::Pinning::none;
  object::LinkedObject linked = TRY(object::link(std::move(object), target, {.programs = {program}}));
  TRY(kernel::Object::load(std::move(linked)));
  return {};
}

}  // namespace

std::vector<OracleAnswer> ask_running_kernel(const object::ObjectSpec& object, const object::Target& target, const std::vector<std::string>& programs) {
  std::vector<OracleAnswer> answers;
  for (const std::string& program : programs) {
    auto loaded = load_one(object, target, program);
    OracleAnswer answer{.program = program, .accepted = loaded.has_value(), .reason = {}};
    if (!loaded) answer.reason = reason_of(loaded.error()), answer.not_judged = loaded.error().kind != ErrorKind::rejected;
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace espy::cli
