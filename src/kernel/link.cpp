#include "kernel/link.hpp"

namespace espy::kernel {

Link& Link::operator=(Link&& other) noexcept {
  if (this != &other) {
    detach();
    fds_ = std::move(other.fds_);
    where_ = std::move(other.where_);
    undo_ = std::exchange(other.undo_, {});
    other.fds_.clear();
  }
  return *this;
}

void Link::stop() {
  if (undo_) std::exchange(undo_, {})();
  if (!fds_.empty()) fds_.front().reset();
}

void Link::detach() {
  stop();
  fds_.clear();
}

void detach_all(std::vector<Link> links) {
  for (Link& link : links) link.stop();
  links.clear();
}

}  // namespace espy::kernel
