// What every command that takes an object does first.
#pragma once

#include "cli/command.hpp"
#include "espy/object.hpp"
#include "espy/vm.hpp"

namespace espy::cli {

/// Gives maps whose size the object leaves to its own loader (`max_entries` 0) one that serves, and says so on standard
/// error. The kernel takes no such map.
void fill_sizes(object::ObjectSpec& spec);

/// Reads the object named by the first positional, applies each `--set VAR=VALUE`, and prints its warnings on standard
/// error.
Result<object::ObjectSpec> open_object(const Invocation& invocation);

/// "NAME=VALUE" taken apart at the first '='; the error names the option it was given to.
Result<std::pair<std::string, std::string>> name_and_value(std::string_view option, std::string_view text);

/// What `--tier` says of how programs run in this process; without it, interpreted.
Result<vm::Tier> chosen_tier(const Invocation& invocation);

/// The names of all programs, for messages.
std::string program_names(const object::ObjectSpec& spec);

}  // namespace espy::cli
