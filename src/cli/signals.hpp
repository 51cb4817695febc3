// What ends a session: Ctrl-C, a kill, a reader that has gone.
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"

namespace espy::cli {

/// SIGINT and SIGTERM as a descriptor, so that they end the wait for records and nothing else. SIGPIPE becomes an error of the
/// write: what is attached by older interfaces must be undone, not left.
Result<UniqueFd> catch_signals();

/// Has one of them come? Takes it off the descriptor.
bool signalled(const UniqueFd& signals);

}  // namespace espy::cli
