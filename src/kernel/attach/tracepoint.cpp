// Tracepoints: through a perf event (the fields as tracefs' format file lays them out), raw (the arguments), and with BTF.
#include <linux/bpf.h>
#include <linux/perf_event.h>

#include <cerrno>

#include "base/text.hpp"
#include "kernel/attach/perf_event.hpp"
#include "probe/tracefs.hpp"

namespace espy::kernel::attaching {

Result<Link> attach_to(const Call& call, const probe::Tracepoint& probe) {
  auto tracefs = TRY(probe::Tracefs::open());
  std::uint64_t id = TRY(probe::tracepoint_id(tracefs, probe.category, probe.name));
  UniqueFd event = open_event({.type = PERF_TYPE_TRACEPOINT, .config = id});
  if (!event) return refused(errno, call, {.what = "a program on a tracepoint", .since = {4, 7, 0}, .options = "CONFIG_PERF_EVENTS,CONFIG_BPF_EVENTS", .capabilities = kTracing});
  std::vector<UniqueFd> events;
  events.push_back(std::move(event));
  return attach_to_events(call, std::move(events));
}

namespace {

struct RawTracepointAttr {
  std::uint64_t name = 0;
  std::uint32_t prog_fd = 0, pad = 0;
  std::uint64_t cookie = 0;   ///< 6.10
};

// Why a raw tracepoint is not there: raw names are those of the events, mostly.
std::string near_raw_tracepoint(const std::string& name) {
  auto tracefs = probe::Tracefs::open();
  if (!tracefs) return {};
  auto known = probe::tracepoints(*tracefs);
  if (!known) return {};
  std::vector<std::string_view> names;
  for (const probe::TracepointName& tp : *known) {
    if (tp.category == "syscalls" && tp.name == name)
      return fmt::format("system calls have no raw tracepoint each: raw_tp:sys_enter has them all, or use tracepoint:syscalls:{}", name);
    names.push_back(tp.name);
  }
  std::string_view near = nearest(name, names);
  return near.empty() ? std::string("`espy` knows tracepoints by name; /sys/kernel/tracing/available_events lists them")
                      : fmt::format("did you mean `{}`?", near);
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::RawTracepoint& probe) {
  const object::ProgramSpec& spec = call.program.spec();
  bool by_btf = spec.type == facts::ProgType::tracing;
  if (by_btf && !spec.attach_target.empty() && probe.name != spec.attach_target)
    return fail(ErrorKind::invalid_argument, "program `{}` was loaded for tracepoint {}, and cannot be attached to {}", spec.name,
                spec.attach_target, probe.name);
  RawTracepointAttr attr{.name = by_btf ? 0 : to_u64(probe.name.c_str()),
                         .prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                         .cookie = call.options.cookie};
  UniqueFd link(sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr));
  if (link) return Link(std::move(link), call.where);
  int error = errno;
  if (error == ENOENT) {
    auto failure = fail(ErrorKind::not_found, "no raw tracepoint `{}`", probe.name);
    failure.error().hint = near_raw_tracepoint(probe.name);
    return failure;
  }
  if (call.options.cookie != 0 && error == E2BIG) return refused(error, call, {.what = "a cookie of a raw tracepoint", .since = {6, 10, 0}});
  return refused(error, call, {.what = by_btf ? "tp_btf" : "raw_tracepoint", .since = by_btf ? facts::KernelVersion{5, 5, 0} : facts::KernelVersion{4, 17, 0},
                               .options = by_btf ? "CONFIG_BPF_EVENTS,CONFIG_DEBUG_INFO_BTF" : "CONFIG_BPF_EVENTS", .capabilities = kTracing});
}

}  // namespace espy::kernel::attaching
