// What programs must pass before this process runs them.
#pragma once

#include "cli/command.hpp"
#include "espy/vm.hpp"

namespace espy::cli {

/// How programs run in this process.
struct UserWay {
  vm::Tier tier = vm::Tier::interpreter;
  bool verify = true;
};
/// By `--tier` and `--unverified`. Only the interpreter may have what was not verified: compiled code checks nothing.
Result<UserWay> chosen_way(const Invocation& invocation);

/// Refuses programs that do not verify, by the rules of the newest kernel that is known, or the running one's if that is newer:
/// the engine has what the newest has, whatever kernel it runs on. `target` is what they were linked against.
Result<void> verify_first(const object::LinkedObject& linked, object::Target target);

}  // namespace espy::cli
