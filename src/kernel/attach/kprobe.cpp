// Kernel functions, probed one by one (kprobe, kretprobe), and system calls' functions.
//
// Since 4.17 a perf event type makes the probe and takes it away with its descriptor. Before, the probe is written into
// tracefs' kprobe_events under a name of ours, opened as a tracepoint, and removed by name.
#include <linux/perf_event.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "base/text.hpp"
#include "kernel/attach/kernel_functions.hpp"
#include "kernel/attach/perf_event.hpp"
#include "probe/tracefs.hpp"

namespace espy::kernel::attaching {

namespace {

constexpr Need kKprobe{.what = "a kprobe", .since = {4, 1, 0}, .options = "CONFIG_KPROBES,CONFIG_KPROBE_EVENTS,CONFIG_BPF_EVENTS", .capabilities = kTracing};

// A number for each probe that this process writes into kprobe_events.
std::string fresh_name() {
  static std::atomic<unsigned> count{0};
  return fmt::format("espy_{}_{}", ::getpid(), count++);
}

Result<Link> through_tracefs(const Call& call, const probe::Kprobe& probe) {
  auto tracefs = TRY(probe::Tracefs::open());
  std::string name = fresh_name();
  auto ordered = tracefs.append("kprobe_events", fmt::format("{}:kprobes/{} {}+{:#x}\n", probe.at_return ? 'r' : 'p', name, probe.symbol, probe.offset));
  if (!ordered && ordered.error().sys == ENOENT && running_function(probe.symbol).value_or(true)) return std::unexpected(no_kprobes(call, probe.symbol));
  if (!ordered) return std::unexpected(kprobe_failure(ordered.error().sys, call, kKprobe, probe.symbol, probe.offset));
  auto undo = [name, tracefs = std::move(tracefs)] { static_cast<void>(tracefs.append("kprobe_events", fmt::format("-:kprobes/{}\n", name))); };
  // The tracefs handle moved into the undo; a second one reads the id.
  auto again = TRY(probe::Tracefs::open());
  auto id = probe::tracepoint_id(again, "kprobes", name);
  UniqueFd event;
  if (id) event = open_event({.type = PERF_TYPE_TRACEPOINT, .config = *id});
  if (!event) {
    int error = id ? errno : id.error().sys;
    undo();
    return refused(error, call, kKprobe);
  }
  std::vector<UniqueFd> events;
  events.push_back(std::move(event));
  auto link = attach_to_events(call, std::move(events));
  if (!link) {
    undo();
    return link;
  }
  // The event must be closed before its probe can be removed.
  return Link({}, call.where, [inner = std::move(*link), undo = std::move(undo)]() mutable {
    inner.detach();
    undo();
  }).with_undo_needing({Capability::dac_override});  // the file of orders is root's
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Kprobe& probe) {
  auto source = event_source("kprobe");
  if (!source) return through_tracefs(call, probe);
  EventRequest request{.type = source->type, .config = probe.at_return ? source->return_bit : 0};
  if (probe.symbol.empty()) request.config2 = probe.offset;   // kprobe_addr
  else request.config1 = to_u64(probe.symbol.c_str()), request.config2 = probe.offset;
  UniqueFd event = open_event(request);
  if (!event) return std::unexpected(kprobe_failure(errno, call, kKprobe, probe.symbol, probe.offset));
  std::vector<UniqueFd> events;
  events.push_back(std::move(event));
  return attach_to_events(call, std::move(events));
}

Result<Link> attach_to(const Call& call, const probe::Ksyscall& probe) {
  // Since 4.17 each architecture has its own wrapper around every call; before, "sys_open" was the function.
#if defined(__aarch64__)
  std::string wrapper = "__arm64_sys_" + probe.syscall;
#else
  std::string wrapper = "__x64_sys_" + probe.syscall;
#endif
  bool wrapped = running_function(wrapper).value_or(true);
  if (!wrapped && !running_function("sys_" + probe.syscall).value_or(false)) {
    Error error{.kind = ErrorKind::not_found, .message = fmt::format("this kernel has no system call `{}`", probe.syscall)};
    auto calls = functions_like(wrapper.substr(0, wrapper.size() - probe.syscall.size()) + "*");
    if (calls) {
      std::vector<std::string_view> names;
      for (std::string_view function : *calls) names.push_back(function.substr(wrapper.size() - probe.syscall.size()));
      if (std::string_view near = nearest(probe.syscall, names); !near.empty()) error.hint = fmt::format("did you mean `{}`?", near);
    }
    return std::unexpected(std::move(error));
  }
  return attach_to(call, probe::Kprobe{wrapped ? wrapper : "sys_" + probe.syscall, 0, probe.at_return});
}

}  // namespace espy::kernel::attaching
