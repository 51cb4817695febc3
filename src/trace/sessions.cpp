#include "trace/sessions.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace espy::trace {

namespace {

using facts::AttachType;
using probes::Instance;
using probes::Provider;

/// Moves both ends' links into the entry's: false, and nothing is changed, if they are not of the same places.
bool join_links(Instance& entry, const Instance& at_return) {
  if (entry.attachments.size() != at_return.attachments.size()) return false;
  std::vector<probes::Attachment> joined = entry.attachments;
  const auto cookies_of_both = [](auto& one, const auto& other) {
    if (one.cookies.empty()) one.cookies = other.cookies;
    one.session = true;
  };
  for (std::size_t i = 0; i < joined.size(); ++i) {
    const probe::Probe& back = at_return.attachments[i].probe;
    if (auto* kernel = std::get_if<probe::KprobeMulti>(&joined[i].probe)) {
      const auto* other = std::get_if<probe::KprobeMulti>(&back);
      if (other == nullptr || other->symbols != kernel->symbols) return false;
      cookies_of_both(*kernel, *other);
    } else if (auto* user = std::get_if<probe::UprobeMulti>(&joined[i].probe)) {
      const auto* other = std::get_if<probe::UprobeMulti>(&back);
      if (other == nullptr || other->path != user->path || other->offsets != user->offsets || other->semaphores != user->semaphores) return false;
      cookies_of_both(*user, *other);
    } else {
      return false;
    }
  }
  entry.attachments = std::move(joined);
  return true;
}

bool is_multi(const Instance& instance, Provider provider) {
  return instance.targets.front().provider == provider && (instance.attach_type == AttachType::trace_kprobe_multi || instance.attach_type == AttachType::trace_uprobe_multi);
}

}  // namespace

void join_sessions(Checked& checked, const std::function<bool(bool user)>& able) {
  std::optional<bool> known[2];
  const auto has = [&](bool user) {
    if (!known[user]) known[user] = able(user);
    return *known[user];
  };
  for (std::size_t i = 0; i < checked.probes.size(); ++i) {
    CheckedProbe& entry = checked.probes[i];
    const bool user = entry.instance.targets.front().provider == Provider::uprobe;
    if (!is_multi(entry.instance, user ? Provider::uprobe : Provider::kprobe)) continue;
    for (std::size_t j = 0; j < checked.probes.size(); ++j) {
      CheckedProbe& at_return = checked.probes[j];
      if (at_return.is_joined || !is_multi(at_return.instance, user ? Provider::uretprobe : Provider::kretprobe) || !has(user)) continue;
      if (!join_links(entry.instance, at_return.instance)) continue;
      entry.instance.attach_type = user ? AttachType::trace_uprobe_session : AttachType::trace_kprobe_session;
      entry.returns = static_cast<std::uint32_t>(j);
      at_return.is_joined = true;
      break;
    }
  }
}

}  // namespace espy::trace
