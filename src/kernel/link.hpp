// Link: a program attached to where it runs. Detached when the Link goes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "kernel/capabilities.hpp"

namespace espy::kernel {

/// Owns one attachment: bpf_link or perf event descriptors (closing detaches), or an older interface that must be undone
/// by a call. Move-only; links may go in any order, before or after the Object whose programs they run.
class Link {
 public:
  /// `where` says what it hangs on, for people: "tracepoint sched:sched_switch".
  Link(UniqueFd fd, std::string where) : where_(std::move(where)) { fds_.push_back(std::move(fd)); }
  /// `undo` is called first, then `fds` are closed, then `events`: perf events whose programs the first already stopped.
  Link(std::vector<UniqueFd> fds, std::string where, std::move_only_function<void()> undo = {}, std::vector<UniqueFd> events = {})
      : fds_(std::move(fds)), events_(std::move(events)), where_(std::move(where)), undo_(std::move(undo)) {}
  Link(Link&& other) noexcept { swap(other); }
  Link& operator=(Link&& other) noexcept {
    if (this != &other) {
      detach();
      swap(other);
    }
    return *this;
  }
  ~Link() { detach(); }

  const std::string& where() const { return where_; }
  /// The bpf_link's (or first perf event's) descriptor; -1 if the attachment has none.
  int fd() const { return fds_.empty() ? -1 : fds_.front().get(); }

  /// What detaching asks for: nothing where closing descriptors does it.
  CapabilitySet needed_to_detach() const { return undo_needs_; }
  /// The link, whose undo needs these.
  Link with_undo_needing(CapabilitySet capabilities) && {
    undo_needs_ = capabilities;
    return std::move(*this);
  }

  /// The program no longer runs, but the event that it hung on may still be held: the quick part of detaching.
  void stop();
  /// The program no longer runs and nothing is left.
  void detach();

 private:
  void swap(Link& other) noexcept {
    std::swap(fds_, other.fds_);
    std::swap(events_, other.events_);
    std::swap(where_, other.where_);
    std::swap(undo_, other.undo_);
    std::swap(undo_needs_, other.undo_needs_);
  }

  std::vector<UniqueFd> fds_, events_;
  std::string where_;
  std::move_only_function<void()> undo_;
  CapabilitySet undo_needs_;
};

/// Detaches many: first every program stops (microseconds each), then the events are let go. The kernel gives a
/// tracepoint's perf event back only after two RCU grace periods, 30 to 70 ms, under one lock for all of them: threads do
/// not speed that up (measured), but nothing runs during it.
void detach_all(std::vector<Link> links);

}  // namespace espy::kernel
