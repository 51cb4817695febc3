// XDP: as a link (5.9), before that by rtnetlink. In the driver where it can, else in the kernel's generic path.
#include <linux/if_link.h>

#include <cerrno>

#include "kernel/attach/families.hpp"
#include "kernel/attach/netlink.hpp"
#include "kernel/version.hpp"

namespace espy::kernel::attaching {

namespace {

using Mode = probe::Xdp::Mode;

constexpr Need kXdp{.what = "XDP", .since = {4, 8, 0}, .capabilities = {Capability::net_admin, Capability::bpf}};
constexpr facts::KernelVersion kLinkSince{5, 9, 0};

std::uint32_t flags_of(Mode mode) {
  switch (mode) {
    case Mode::any: return 0;
    case Mode::native: return XDP_FLAGS_DRV_MODE;
    case Mode::generic: return XDP_FLAGS_SKB_MODE;
    case Mode::offload: return XDP_FLAGS_HW_MODE;
  }
  return 0;
}

// IFLA_XDP of RTM_SETLINK; descriptor -1 takes away.
Result<void> set_by_netlink(unsigned index, int program, std::uint32_t flags) {
  ifinfomsg info{};
  info.ifi_index = static_cast<int>(index);
  NetlinkRequest request(RTM_SETLINK, NLM_F_ACK, bytes_of(info));
  request.begin(IFLA_XDP).attribute(IFLA_XDP_FD, bytes_of(program)).attribute(IFLA_XDP_FLAGS, flags).end();
  TRY(netlink(request));
  return {};
}

Result<Link> try_mode(const Call& call, unsigned index, const probe::Xdp& probe, Mode mode) {
  std::string where = probe::describe(probe::Xdp{probe.interface, mode});
  Call named{call.object, call.program, call.options, where};
  LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()),
                      .target = index,
                      .attach_type = static_cast<std::uint32_t>(facts::AttachType::xdp),
                      .flags = flags_of(mode)};
  UniqueFd link = link_create(attr);
  if (link) return Link(std::move(link), where);
  std::string hint;
  if (errno == EBUSY || errno == EEXIST) hint = fmt::format("{0} has an XDP program already; `ip link show {0}` names it, `ip link set {0} xdp off` takes it away", probe.interface);
  if (errno == EINVAL && running_version() < kLinkSince) {
    std::uint32_t flags = flags_of(mode);
    TRY(set_by_netlink(index, call.program.fd(), flags | XDP_FLAGS_UPDATE_IF_NOEXIST));
    return Link({}, where, [index, flags] { static_cast<void>(set_by_netlink(index, -1, flags)); }).with_undo_needing({Capability::net_admin});
  }
  if (mode == Mode::offload) hint = "offload needs a network card that runs eBPF and a program loaded for it";
  if (mode == Mode::native && hint.empty()) hint = "its driver does not run XDP programs, or not in this state; generic does everywhere";
  return refused(errno, named, kXdp, hint);
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Xdp& probe) {
  unsigned index = TRY(interface_index(probe.interface));
  if (probe.mode != Mode::any) return try_mode(call, index, probe, probe.mode);
  auto native = try_mode(call, index, probe, Mode::native);
  if (native || native.error().sys == EBUSY || native.error().sys == EEXIST || native.error().kind == ErrorKind::permission) return native;
  return try_mode(call, index, probe, Mode::generic);
}

}  // namespace espy::kernel::attaching
