#include "cli/verify_first.hpp"

#include "base/text.hpp"
#include "cli/open.hpp"
#include "espy/verifier.hpp"

namespace espy::cli {
namespace {

Error error_of(const object::LinkedProgram& program, const verifier::Verdict& verdict) {
  const verifier::Diagnostic reason = verdict.errors.empty() ? verifier::Diagnostic{} : verdict.errors.front();
  Error error{.kind = ErrorKind::rejected, .message = fmt::format("program `{}` does not verify: {}", program.spec.name, reason.message),
              .where = verifier::where(reason.place), .hint = reason.hint};
  if (!reason.place.source.empty()) error.notes.push_back(std::string(trim(reason.place.source)));
  if (!reason.values.empty()) error.notes.push_back(reason.values);
  error.notes.push_back("`espy check` shows the path that leads there; --unverified runs it all the same, each access checked");
  return error;
}

}  // namespace

Result<UserWay> chosen_way(const Invocation& invocation) {
  UserWay way{.tier = TRY(chosen_tier(invocation)), .verify = !invocation.has("--unverified")};
  if (!way.verify && way.tier != vm::Tier::interpreter) {
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = "compiled code checks nothing: what was not verified is interpreted",
                                 .hint = "leave out --tier or --unverified"});
  }
  return way;
}

Result<void> verify_first(const object::LinkedObject& linked, object::Target target) {
  const facts::KernelVersion newest = verifier::long_term_kernels().back();
  const verifier::Profile profile = target.version < newest ? verifier::profile_of(newest) : verifier::profile_of(target);
  target.version = profile.version;
  for (const object::LinkedProgram& program : linked.programs) {
    const verifier::Verdict verdict = verifier::verify(linked, program, target, profile);
    if (!verdict.accepted) return std::unexpected(error_of(program, verdict));
  }
  return {};
}

}  // namespace espy::cli
