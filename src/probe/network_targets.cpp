#include <algorithm>
#include <array>

#include "facts/tables.hpp"
#include "probe/targets.hpp"

namespace espy::probe::targets {

using facts::AttachType;
using facts::ProgType;

// ---- network ----

namespace {

// The interface: what the target says first, else what the options say.
Result<std::string> interface_of(const Ask& ask, std::string_view named) {
  if (!named.empty()) return std::string(named);
  if (!ask.options.interface.empty()) return ask.options.interface;
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                               .message = fmt::format("program `{}` ({}): on which network interface?", ask.program.name, ask.kind),
                               .hint = fmt::format("--iface lo, or --attach {}={}", ask.program.name, ask.example)});
}

}  // namespace

Result<Probe> xdp(const Ask& ask) {
  if (ask.program.attach_type == AttachType::xdp_devmap || ask.program.attach_type == AttachType::xdp_cpumap)
    return Nothing{"an XDP program of a devmap or cpumap entry runs where that map's value names it"};
  auto [interface, mode] = cut(ask.target, ":");
  Xdp probe{TRY(interface_of(ask, interface))};
  if (mode == "native") probe.mode = Xdp::Mode::native;
  else if (mode == "generic") probe.mode = Xdp::Mode::generic;
  else if (mode == "offload") probe.mode = Xdp::Mode::offload;
  else if (!mode.empty()) return needs(ask, fmt::format("`{}` is no XDP mode; native, generic and offload are", mode));
  return probe;
}

Result<Probe> tc(const Ask& ask) {
  auto [interface, direction] = cut(ask.target, ":");
  // SEC("tc/ingress") and the like: the direction is part of the kind that the section table matched.
  std::string_view section = ask.program.section_kind;
  bool tcx = ask.program.attach_type == AttachType::tcx_ingress || ask.program.attach_type == AttachType::tcx_egress;
  Tc probe;
  probe.ingress = !section.ends_with("egress") && ask.program.attach_type != AttachType::tcx_egress;
  if (ask.kind.starts_with("tcx") || (section.starts_with("tcx") && tcx)) probe.via = Tc::Via::tcx;
  if (ask.kind == "clsact" || ask.kind == "action") probe.via = Tc::Via::clsact;
  if (interface == "ingress" || interface == "egress") std::swap(interface, direction);
  probe.interface = TRY(interface_of(ask, interface));
  if (direction == "ingress") probe.ingress = true;
  else if (direction == "egress") probe.ingress = false;
  else if (!direction.empty()) return needs(ask, fmt::format("`{}` is no direction; ingress and egress are", direction));
  return probe;
}

Result<Probe> netkit(const Ask& ask) {
  auto [interface, side] = cut(ask.target, ":");
  if (interface == "primary" || interface == "peer") std::swap(interface, side);
  bool primary = side.empty() ? ask.program.attach_type != AttachType::netkit_peer : side == "primary";
  return Netkit{TRY(interface_of(ask, interface)), primary};
}

Result<Probe> cgroup(const Ask& ask) {
  // Sections such as "cgroup/connect4" leave no target; "cgroup:/path" does. That of "lsm_cgroup/HOOK" is the hook.
  const bool is_hook = ask.kind == "lsm_cgroup" && !ask.target.starts_with('/');
  std::string path(ask.target.empty() || is_hook ? std::string_view(ask.options.cgroup) : ask.target);
  if (path.empty())
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                 .message = fmt::format("program `{}` ({}): in which cgroup?", ask.program.name, ask.kind),
                                 .hint = fmt::format("--cgroup PATH, or --attach {}=cgroup:PATH; the root is where cgroup2 is "
                                                     "mounted (grep cgroup2 /proc/mounts)", ask.program.name)});
  return Cgroup{std::move(path)};
}

Result<Probe> sockmap(const Ask& ask) { return Sockmap{std::string(ask.target)}; }
Result<Probe> net_namespace(const Ask& ask) { return NetNamespace{std::string(ask.target)}; }

Result<Probe> netfilter(const Ask& ask) {
  // linux/netfilter.h: enum nf_inet_hooks.
  static constexpr auto kHooks = std::to_array<std::string_view>({"prerouting", "input", "forward", "output", "postrouting"});
  Netfilter probe;
  if (ask.target.empty()) return probe;
  auto parts = split(ask.target, ':');
  if (parts[0] == "ipv4" || parts[0] == "ip") probe.family = 2;
  else if (parts[0] == "ipv6" || parts[0] == "ip6") probe.family = 10;
  else return needs(ask, "which family (ipv4, ipv6) and hook?");
  auto hook = parts.size() > 1 ? std::ranges::find(kHooks, parts[1]) : kHooks.end();
  if (hook == kHooks.end()) return needs(ask, fmt::format("the hook is one of {}", fmt::join(kHooks, ", ")));
  probe.hook = static_cast<std::uint32_t>(hook - kHooks.begin());
  for (std::string_view part : std::span(parts).subspan(2)) {
    if (part == "defrag") probe.defragment = true;
    else if (auto priority = parse_number<std::int32_t>(part)) probe.priority = *priority;
    else return needs(ask, fmt::format("`{}` is no priority", part));
  }
  return probe;
}

Result<Probe> socket_filter(const Ask& ask) {
  return SocketFilter{ask.target.empty() ? ask.options.interface : std::string(ask.target)};
}

Result<Probe> reuseport(const Ask& ask) {
  auto [protocol, port_text] = cut(ask.target, ":");
  auto port = parse_number<std::uint16_t>(port_text);
  if ((protocol != "tcp" && protocol != "udp") || !port) return needs(ask, "for which port?");
  return Reuseport{*port, protocol == "udp", ask.options.pid};
}

// ---- the rest ----

Result<Probe> iterator(const Ask& ask) {
  auto [name, parameter] = cut(ask.target, ":");
  if (name.empty()) return needs(ask, "over what?");
  // The load settled it.
  if (std::string_view own = cut(ask.program.attach_target, ":").first; !own.empty() && own != name)
    return needs(ask, fmt::format("it was compiled to iterate over {}, which attaching cannot change", own));
  Iterator probe{.name = std::string(name), .map = {}, .pid = {}, .cgroup = {}};
  if (name == "cgroup") {
    probe.cgroup = parameter.empty() ? ask.options.cgroup : std::string(parameter);
  } else if (name.starts_with("task")) {
    if (ask.options.pid) probe.pid = static_cast<std::uint32_t>(*ask.options.pid);
    if (!parameter.empty()) {
      auto pid = parse_number<std::uint32_t>(parameter);
      if (!pid) return needs(ask, fmt::format("`{}` is no process number", parameter));
      probe.pid = *pid;
    }
  } else {
    probe.map = std::string(parameter);
  }
  return probe;
}

Result<Probe> struct_ops(const Ask& ask) { return StructOps{std::string(ask.target)}; }
}  // namespace espy::probe::targets
