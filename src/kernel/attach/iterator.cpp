// Iterators: a link says over what, each read of a descriptor made from it walks once.
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/attach/cgroup.hpp"
#include "kernel/attach/families.hpp"
#include "kernel/attach/perf_event.hpp"

namespace espy::kernel {

namespace attaching {

namespace {

constexpr Need kIterator{.what = "an iterator", .since = {5, 8, 0}, .options = "CONFIG_DEBUG_INFO_BTF", .capabilities = kTracing};
constexpr Need kParameter{.what = "an iterator over the tasks of one process, or over cgroups,", .since = {6, 1, 0}, .capabilities = kTracing};
constexpr std::uint32_t kDescendants = 2;   // BPF_CGROUP_ITER_DESCENDANTS_PRE

// union bpf_iter_link_info, each kind in its own form.
struct MapInfoAttr { std::uint32_t map_fd = 0; };
struct CgroupInfoAttr { std::uint32_t order = 0, cgroup_fd = 0; std::uint64_t cgroup_id = 0; };
struct TaskInfoAttr { std::uint32_t tid = 0, pid = 0, pid_fd = 0; };
struct IteratorAttr { std::uint64_t info = 0; std::uint32_t size = 0, padding = 0; };

bool walks_map(std::string_view name) { return name == "bpf_map_elem" || name == "bpf_sk_storage_map" || name == "sockmap"; }

Result<const Map*> map_to_walk(const Call& call, const probe::Iterator& probe) {
  if (const Map* map = call.object.find_map(probe.map)) return map;
  std::vector<std::string> names;
  for (const object::MapSpec& map : call.object.spec().maps)
    if (map.origin == object::MapOrigin::btf || map.origin == object::MapOrigin::legacy) names.push_back(map.name);
  Error error{.kind = probe.map.empty() ? ErrorKind::invalid_argument : ErrorKind::not_found,
              .message = probe.map.empty() ? fmt::format("{}: over which map?", call.where) : fmt::format("no map named `{}`", probe.map)};
  if (!names.empty()) error.hint = fmt::format("the object has {}; --attach {}=iter:{}:{}", fmt::join(names, ", "), call.program.name(), probe.name, names.front());
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Iterator& probe) {
  LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()), .target = 0, .attach_type = static_cast<std::uint32_t>(facts::AttachType::trace_iter)};
  MapInfoAttr map;
  CgroupInfoAttr cgroup{.order = kDescendants};
  TaskInfoAttr task;
  UniqueFd cgroup_fd;
  bool parameter = false;
  if (walks_map(probe.name)) {
    map.map_fd = static_cast<std::uint32_t>(TRY(map_to_walk(call, probe))->fd());
    attr.set(IteratorAttr{.info = to_u64(&map), .size = sizeof map});
  } else if (probe.name == "cgroup") {
    if (!probe.cgroup.empty()) cgroup_fd = TRY(open_cgroup(probe.cgroup));
    cgroup.cgroup_fd = cgroup_fd ? static_cast<std::uint32_t>(cgroup_fd.get()) : 0;
    attr.set(IteratorAttr{.info = to_u64(&cgroup), .size = sizeof cgroup});
    parameter = true;
  } else if (probe.pid) {
    task.pid = *probe.pid;
    attr.set(IteratorAttr{.info = to_u64(&task), .size = sizeof task});
    parameter = true;
  }
  UniqueFd link = link_create(attr);
  if (link) return Link(std::move(link), call.where);
  return refused(errno, call, parameter ? kParameter : kIterator, errno == ESRCH ? "there is no such process" : "");
}

}  // namespace attaching

Result<void> read_iterator(const Link& link, const std::function<bool(Bytes)>& sink) {
  struct { std::uint32_t link_fd, flags; } attr{static_cast<std::uint32_t>(link.fd()), 0};
  UniqueFd iterator(sys_bpf(BPF_ITER_CREATE, &attr, sizeof attr));
  if (!iterator) return fail_sys(errno, "start {}", link.where());
  std::vector<std::byte> buffer(64 * 1024);
  for (;;) {
    ssize_t got = ::read(iterator.get(), buffer.data(), buffer.size());
    // EAGAIN: the program wrote nothing for many elements, and the kernel wants to be asked to go on.
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return fail_sys(errno, "read {}", link.where());
    if (got == 0 || !sink(Bytes(buffer).first(static_cast<std::size_t>(got)))) return {};
  }
}

}  // namespace espy::kernel
