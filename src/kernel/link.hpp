// Link: a program attached to where it runs. Detached when the Link goes.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace espy::kernel {

/// Owns one attachment: a bpf_link or perf event descriptor (closing detaches), or an older interface that must be undone
/// by a call. Move-only.
class Link {
 public:
  /// `where` says what it hangs on, for people: "tracepoint sched:sched_switch".
  Link(UniqueFd fd, std::string where) : where_(std::move(where)) { fds_.push_back(std::move(fd)); }
  Link(std::vector<UniqueFd> fds, std::string where, std::move_only_function<void()> undo = {})
      : fds_(std::move(fds)), where_(std::move(where)), undo_(std::move(undo)) {}
  Link(Link&&) noexcept = default;
  Link& operator=(Link&&) noexcept;
  ~Link() { detach(); }

  const std::string& where() const { return where_; }
  /// The bpf_link's (or first perf event's) descriptor; -1 if the attachment has none.
  int fd() const { return fds_.empty() ? -1 : fds_.front().get(); }
  void detach();

 private:
  std::vector<UniqueFd> fds_;
  std::string where_;
  std::move_only_function<void()> undo_;
};

}  // namespace espy::kernel
