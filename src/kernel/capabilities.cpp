#include "kernel/capabilities.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "facts/features.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {

using facts::MapType;
using facts::ProgType;

namespace {

constexpr Capability kOurs[] = {
    Capability::dac_override, Capability::dac_read_search, Capability::setpcap, Capability::net_admin, Capability::net_raw, Capability::sys_admin,
    Capability::sys_resource, Capability::syslog, Capability::perfmon, Capability::bpf,
};

struct Sets {
  std::uint64_t effective = 0, permitted = 0, inheritable = 0;
};

// The kernel's interface: two words of 32 bits a set.
Result<Sets> read_sets() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return fail_sys(errno, "read this process' capabilities");
  auto join = [](std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; };
  return Sets{join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
              join(data[0].inheritable, data[1].inheritable)};
}

Result<void> write_sets(const Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  for (int word = 0; word < 2; ++word) {
    data[word].effective = static_cast<std::uint32_t>(sets.effective >> (32 * word));
    data[word].permitted = static_cast<std::uint32_t>(sets.permitted >> (32 * word));
    data[word].inheritable = static_cast<std::uint32_t>(sets.inheritable >> (32 * word));
  }
  if (::syscall(SYS_capset, &header, data) != 0) return fail_sys(errno, "give up capabilities");
  return {};
}

// The file that setcap(8) would be told.
std::string this_program() {
  char path[4096];
  ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "FILE";
}

}  // namespace

std::string_view to_string(Capability capability) {
  const facts::CapabilityRow* row = facts::find_capability(std::to_underlying(capability));
  return row == nullptr ? "CAP_?" : row->name;
}

Result<CapabilitySet> effective_capabilities() { return CapabilitySet(TRY(read_sets()).effective); }

Result<void> keep_capabilities(CapabilitySet keep) {
  Sets now = TRY(read_sets());
  // The bounding set first: what is not in it can not come back through an exec. Only CAP_SETPCAP may shrink it.
  if ((now.effective >> static_cast<unsigned>(Capability::setpcap) & 1) != 0)
    for (unsigned number = 0; number < 64; ++number)
      if ((keep.bits() >> number & 1) == 0) ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return write_sets({now.effective & keep.bits(), now.permitted & keep.bits(), now.inheritable & keep.bits()});
}

CapabilitySet needed_to_load(ProgType type) {
  using enum Capability;
  switch (type) {
    case ProgType::kprobe: case ProgType::tracepoint: case ProgType::perf_event: case ProgType::raw_tracepoint:
    case ProgType::raw_tracepoint_writable: case ProgType::tracing: case ProgType::lsm: case ProgType::struct_ops:
    case ProgType::ext: return {bpf, perfmon};
    case ProgType::sched_cls: case ProgType::sched_act: case ProgType::xdp: case ProgType::lwt_in: case ProgType::lwt_out:
    case ProgType::lwt_xmit: case ProgType::lwt_seg6local: case ProgType::sk_skb: case ProgType::sk_msg:
    case ProgType::flow_dissector: case ProgType::cgroup_device: case ProgType::cgroup_sock: case ProgType::cgroup_sock_addr:
    case ProgType::cgroup_sockopt: case ProgType::cgroup_sysctl: case ProgType::sock_ops: case ProgType::cgroup_skb:
    case ProgType::netfilter: case ProgType::sk_lookup: return {bpf, net_admin};
    default: return {bpf};
  }
}

CapabilitySet needed_to_create(MapType type) {
  using enum Capability;
  switch (type) {
    case MapType::sockmap: case MapType::sockhash: case MapType::devmap: case MapType::devmap_hash: case MapType::xskmap:
    case MapType::cpumap: return {bpf, net_admin};
    default: return {bpf};
  }
}

CapabilitySet needed_to_run(const object::LinkedObject& linked) {
  using enum Capability;
  if (running_version() < facts::KernelVersion{5, 8, 0}) return {sys_admin, sys_resource};
  CapabilitySet needed = {bpf, perfmon};
  if (running_version() < facts::KernelVersion{5, 11, 0}) needed = needed | CapabilitySet{sys_resource};  // RLIMIT_MEMLOCK
  for (const object::MapSpec& map : linked.object.maps)
    if (map.autocreate) needed = needed | needed_to_create(map.type);
  for (const object::LinkedProgram& program : linked.programs) {
    needed = needed | needed_to_load(program.spec.type);
    if (program.spec.type == ProgType::socket_filter) needed = needed | CapabilitySet{net_raw};  // the packet socket it is attached to
    // A module's BTF is found by walking through all BTF objects.
    if (!program.module_btfs.empty() || !program.attach_btf_module.empty()) needed = needed | CapabilitySet{sys_admin};
  }
  for (const object::LinkedStructOps& ops : linked.struct_ops)
    if (!ops.module.empty()) needed = needed | CapabilitySet{sys_admin};
  return needed;
}

CapabilitySet needed_to_read() {
  if (running_version() < facts::KernelVersion{5, 8, 0}) return {Capability::sys_admin};
  return {Capability::bpf, Capability::perfmon};
}

std::vector<Capability> missing(CapabilitySet needed) {
  auto held = effective_capabilities();
  if (!held || held->has(Capability::sys_admin)) return {};
  if (running_version() < facts::KernelVersion{5, 8, 0}) return {Capability::sys_admin};
  std::vector<Capability> lacking;
  for (Capability capability : kOurs)
    if (needed.has(capability) && !held->has(capability)) lacking.push_back(capability);
  return lacking;
}

void explain_permission(Error& error, CapabilitySet needed) {
  std::vector<Capability> lacking = missing(needed);
  if (lacking.empty()) return;
  std::string names, list;
  for (std::size_t i = 0; i < lacking.size(); ++i) {
    Capability capability = lacking[i];
    if (i != 0) names += i + 1 == lacking.size() ? " and " : ", ", list += ",";
    names += to_string(capability);
    for (char c : to_string(capability)) list += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  error.kind = ErrorKind::permission;
  error.notes.push_back(fmt::format("this process lacks {}", names));
  if (auto setting = read_text_file("/proc/sys/kernel/unprivileged_bpf_disabled", 64); setting && trim(*setting) != "0")
    error.notes.push_back(fmt::format("kernel.unprivileged_bpf_disabled is {}: without privileges nothing is allowed", trim(*setting)));
  error.hint = fmt::format("run it as root, or give the program the capabilities: setcap {}+ep {}", list, this_program());
}

}  // namespace espy::kernel
