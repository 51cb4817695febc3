#include "kernel/link.hpp"

namespace espy::kernel {

void Link::stop() {
  if (undo_) std::exchange(undo_, {})();
  fds_.clear();
}

void Link::detach() {
  stop();
  events_.clear();
}

void detach_all(std::vector<Link> links) {
  for (Link& link : links) link.stop();
}

}  // namespace espy::kernel
