// Sessions: entry and return probes of the same functions become one program on one link, where the kernel has that
// (kprobe.session, 6.10; uprobe.session, 6.13). The program asks which end it is at, and runs the block of that end.
//
//   kprobe:vfs_* { @start[tid] = nsecs; }  kretprobe:vfs_* { @ns = hist(nsecs - @start[tid]); }
//
// Only functions that a multi-link serves are joined: what that reaches, a session does too.
#pragma once

#include <functional>

#include "trace/checked.hpp"

namespace espy::trace {

/// Joins pairs. `able` says whether the kernel has sessions for functions of programs (`user`), or its own; it is asked at
/// most once for each.
void join_sessions(Checked& checked, const std::function<bool(bool user)>& able);

}  // namespace espy::trace
