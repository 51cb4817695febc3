// Functions of programs and libraries (uprobe, uretprobe; many at once since 6.6), and the probes that their authors put
// into them (USDT, in usdt.cpp).
#include "kernel/attach/uprobe.hpp"

#include <cerrno>

#include "kernel/attach/perf_event.hpp"
#include "symbol/elf_file.hpp"
#include "symbol/find_file.hpp"

namespace espy::kernel::attaching {

namespace {

// A single uprobe is the administrator's, whatever CAP_PERFMON allows; many at once (uprobe.multi) are not.
constexpr Need kUprobe{.what = "a uprobe", .since = {4, 17, 0}, .options = "CONFIG_UPROBE_EVENTS,CONFIG_BPF_EVENTS",
                       .capabilities = {Capability::bpf, Capability::perfmon, Capability::sys_admin}};

// link_create.uprobe_multi of union bpf_attr.
struct UprobeMultiAttr {
  std::uint64_t path = 0, offsets = 0, ref_ctr_offsets = 0, cookies = 0;
  std::uint32_t count = 0, flags = 0, pid = 0, padding = 0;
};
constexpr std::uint32_t kReturn = 1;   // BPF_F_UPROBE_MULTI_RETURN

std::string uprobe_hint(int error_number) {
  switch (error_number) {
    case EINVAL: return "the place is not in code that is loaded to run, or not the start of an instruction";
    case ENOTSUP: case 524: return "the instruction there cannot be probed; a few bytes before or after (symbol+offset) one can";
    case ESRCH: return "there is no such process";
    case EIO: return "the file system that holds the file cannot be probed (it has no page cache of its own)";
    default: return {};
  }
}

}  // namespace

Result<UniqueFd> open_uprobe(const Call& call, const UprobePlace& place) {
  auto source = event_source("uprobe");
  if (!source) {
    if (auto error = lacking(call, kUprobe)) return std::unexpected(std::move(*error));
    return fail(ErrorKind::unsupported, "{}: this kernel has no uprobes; they need CONFIG_UPROBE_EVENTS", call.where);
  }
  EventRequest request{.type = source->type, .config = place.at_return ? source->return_bit : 0, .config1 = to_u64(place.path.c_str()), .config2 = place.offset};
  if (place.semaphore != 0) {
    if (!source->ref_ctr_shift)
      return fail(ErrorKind::unsupported, "{}: the probe has a semaphore, which the kernel counts since 4.20", call.where);
    request.config |= place.semaphore << *source->ref_ctr_shift;
  }
  if (call.options.pid) request.pid = *call.options.pid, request.cpu = -1;
  UniqueFd event = open_event(request);
  if (!event) return refused(errno, call, kUprobe, uprobe_hint(errno));
  return event;
}

Result<UniqueFd> open_uprobe_multi(const Call& call, const UprobeMultiPlaces& places) {
  bool session = places.at == UprobeMultiPlaces::At::both;
  LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                      .target = 0,
                      .attach_type = static_cast<std::uint32_t>(session ? facts::AttachType::trace_uprobe_session : facts::AttachType::trace_uprobe_multi)};
  attr.set(UprobeMultiAttr{.path = to_u64(places.path.c_str()),
                           .offsets = to_u64(places.offsets.data()),
                           .ref_ctr_offsets = places.semaphores.empty() ? 0 : to_u64(places.semaphores.data()),
                           .cookies = places.cookies.empty() ? 0 : to_u64(places.cookies.data()),
                           .count = static_cast<std::uint32_t>(places.offsets.size()),
                           .flags = places.at == UprobeMultiPlaces::At::end ? kReturn : 0,
                           .pid = static_cast<std::uint32_t>(call.options.pid.value_or(0))});
  UniqueFd link = link_create(attr);
  if (link) return link;
  return refused(errno, call,
                 {.what = session ? "uprobe.session" : "uprobe.multi", .since = session ? facts::KernelVersion{6, 13, 0} : facts::KernelVersion{6, 6, 0},
                  .options = "CONFIG_UPROBES,CONFIG_BPF_EVENTS", .capabilities = kTracing, .instead = "compiled with SEC(\"uprobe/…\"), it can be attached to one function at a time"},
                 uprobe_hint(errno));
}

Result<Link> attach_to(const Call& call, const probe::Uprobe& probe) {
  UprobePlace place{.path = TRY(symbol::find_file(probe.path, call.options.pid)), .offset = probe.offset, .semaphore = probe.semaphore, .at_return = probe.at_return};
  if (!probe.symbol.empty()) {
    auto file = TRY(symbol::ElfFile::open(place.path));
    auto function = TRY(symbol::find_function(file, probe.symbol));
    if (probe.offset != 0 && function.size != 0 && probe.offset >= function.size)
      return fail(ErrorKind::invalid_argument, "{}: `{}` has {:#x} bytes", call.where, probe.symbol, function.size);
    place.offset += function.file_offset;
  }
  std::vector<UniqueFd> events;
  events.push_back(TRY(open_uprobe(call, place)));
  return attach_to_events(call, std::move(events));
}

Result<Link> attach_to(const Call& call, const probe::UprobeMulti& probe) {
  UprobeMultiPlaces places;
  places.path = TRY(symbol::find_file(probe.path, call.options.pid));
  places.at = probe.session ? UprobeMultiPlaces::At::both : probe.at_return ? UprobeMultiPlaces::At::end : UprobeMultiPlaces::At::start;
  if (probe.pattern.empty()) {
    places.offsets = probe.offsets, places.semaphores = probe.semaphores, places.cookies = probe.cookies;
    return Link(TRY(open_uprobe_multi(call, places)), call.where);
  }
  auto file = TRY(symbol::ElfFile::open(places.path));
  if (probe.pattern.find_first_of("*?") == probe.pattern.npos) {
    places.offsets.push_back(TRY(symbol::find_function(file, probe.pattern)).file_offset);
  } else {
    auto functions = TRY(symbol::match_functions(file, probe.pattern));
    for (const symbol::Function& function : functions) places.offsets.push_back(function.file_offset);
  }
  if (call.options.cookie != 0) places.cookies.assign(places.offsets.size(), call.options.cookie);
  UniqueFd link = TRY(open_uprobe_multi(call, places));
  return Link(std::move(link), fmt::format("{} ({} functions)", call.where, places.offsets.size()));
}

}  // namespace espy::kernel::attaching
