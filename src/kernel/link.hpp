// Link: a program attached to where it runs. Detached when the Link goes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace espy::kernel {

/// Owns one attachment: a bpf_link or perf event descriptor (closing detaches), or an older interface that must be undone
/// by a call. Move-only; links may go in any order, before or after the Object whose programs they run.
class Link {
 public:
  /// `where` says what it hangs on, for people: "tracepoint sched:sched_switch".
  Link(UniqueFd fd, std::string where) : where_(std::move(where)) { fds_.push_back(std::move(fd)); }
  /// `fds` in the order in which they are closed; `undo` is called before.
  Link(std::vector<UniqueFd> fds, std::string where, std::move_only_function<void()> undo = {})
      : fds_(std::move(fds)), where_(std::move(where)), undo_(std::move(undo)) {}
  Link(Link&& other) noexcept
      : fds_(std::exchange(other.fds_, {})), where_(std::move(other.where_)), undo_(std::exchange(other.undo_, {})) {}
  Link& operator=(Link&&) noexcept;
  ~Link() { detach(); }

  const std::string& where() const { return where_; }
  /// The bpf_link's (or first perf event's) descriptor; -1 if the attachment has none.
  int fd() const { return fds_.empty() ? -1 : fds_.front().get(); }

  /// The program no longer runs, but the event it hung on may still be held: what is quick of detaching.
  void stop();
  /// The program no longer runs and nothing is left.
  void detach();

 private:
  std::vector<UniqueFd> fds_;
  std::string where_;
  std::move_only_function<void()> undo_;
};

/// Detaches many: first every program stops (microseconds each), then the events are let go. The kernel gives a
/// tracepoint's perf event back only after two RCU grace periods, 30 to 70 ms, under one lock for all of them, so that
/// threads would not help; but nothing runs during it.
void detach_all(std::vector<Link> links);

}  // namespace espy::kernel
