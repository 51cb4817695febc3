// Network namespaces (sk_lookup, flow dissector), netfilter, sockmaps.
#include <fcntl.h>

#include <cerrno>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/attach/families.hpp"
#include "kernel/version.hpp"

namespace espy::kernel::attaching {

namespace {

constexpr CapabilitySet kNet{Capability::net_admin, Capability::bpf};
constexpr Need kNetfilter{.what = "a netfilter program", .since = {6, 4, 0}, .options = "CONFIG_NETFILTER_BPF_LINK", .capabilities = kNet, .instead = "tc or XDP see the same packets"};
constexpr Need kDefragment{.what = "reassembly before a netfilter program", .since = {6, 6, 0}, .options = "CONFIG_NETFILTER_BPF_LINK,CONFIG_NF_DEFRAG_IPV4", .capabilities = kNet};

// link_create.netfilter of union bpf_attr.
struct NetfilterAttr { std::uint32_t family = 0, hook = 0; std::int32_t priority = 0; std::uint32_t flags = 0; };
constexpr std::uint32_t kDefrag = 1;   // BPF_F_NETFILTER_IP_DEFRAG

// A path, the name of a namespace that `ip netns` made, or a process; empty: this thread's own.
Result<UniqueFd> open_namespace(const std::string& name) {
  if (name.empty()) return open_file("/proc/thread-self/ns/net", O_RDONLY);
  if (parse_number<unsigned>(name)) return open_file(fmt::format("/proc/{}/ns/net", name), O_RDONLY);
  return open_file(name.find('/') == name.npos ? "/run/netns/" + name : name, O_RDONLY);
}

bool is_sockmap(const Map& map) { return map.info().type == facts::MapType::sockmap || map.info().type == facts::MapType::sockhash; }

Result<const Map*> find_sockmap(const Call& call, const std::string& name) {
  std::vector<std::string> names;
  const Map* found = nullptr;
  for (std::size_t i = 0; i < call.object.maps().size(); ++i) {
    const Map& map = call.object.maps()[i];
    if (!map.valid() || !is_sockmap(map)) continue;
    names.push_back(call.object.spec().maps[i].name);
    if (name.empty() || names.back() == name) found = &map;
  }
  if (found != nullptr && (!name.empty() || names.size() == 1)) return found;
  Error error{.kind = found == nullptr ? ErrorKind::not_found : ErrorKind::invalid_argument,
              .message = name.empty() && !names.empty() ? fmt::format("{}: which of the object's sockmaps?", call.where)
                         : name.empty() ? fmt::format("{}: the object has no sockmap or sockhash", call.where)
                                        : fmt::format("the object has no sockmap `{}`", name),
              .hint = names.empty() ? std::string() : fmt::format("there are {}; --attach {}=sk_msg:{}", fmt::join(names, ", "), call.program.name(), names.front())};
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::NetNamespace& probe) {
  bool lookup = call.program.spec().type == facts::ProgType::sk_lookup;
  UniqueFd net = TRY(open_namespace(probe.path));
  auto type = lookup ? facts::AttachType::sk_lookup : facts::AttachType::flow_dissector;
  const Need need{.what = lookup ? "sk_lookup" : "a flow dissector", .since = lookup ? facts::KernelVersion{5, 9, 0} : facts::KernelVersion{4, 20, 0}, .options = "CONFIG_NET", .capabilities = kNet};
  UniqueFd link = link_create(call, static_cast<std::uint32_t>(net.get()), type);
  if (link) return Link(std::move(link), call.where);
  if (!lookup && errno == EINVAL && running_version() < facts::KernelVersion{5, 8, 0}) return prog_attach(call, {}, type, 0, need);
  return refused(errno, call, need, errno == EEXIST || errno == EBUSY || errno == E2BIG ? lookup ? "this namespace has as many as it takes (64)" : "this namespace has one already; only one flow dissector can be there" : "");
}

Result<Link> attach_to(const Call& call, const probe::Netfilter& probe) {
  LinkCreateAttr attr{.prog_fd = static_cast<std::uint32_t>(call.program.fd()), .target = 0, .attach_type = static_cast<std::uint32_t>(facts::AttachType::netfilter)};
  attr.set(NetfilterAttr{.family = probe.family, .hook = probe.hook, .priority = probe.priority, .flags = probe.defragment ? kDefrag : 0});
  UniqueFd link = link_create(attr);
  if (link) return Link(std::move(link), call.where);
  std::string hint;
  if (errno == EBUSY || errno == EEXIST) hint = fmt::format("another program has priority {} at this hook; any other number is free", probe.priority);
  if (errno == EINVAL && probe.defragment && probe.priority <= -400) hint = "reassembly needs a priority above -400";
  return refused(errno, call, probe.defragment ? kDefragment : kNetfilter, hint);
}

Result<Link> attach_to(const Call& call, const probe::Sockmap& probe) {
  using facts::AttachType;
  const Map* map = TRY(find_sockmap(call, probe.map));
  bool message = call.program.spec().type == facts::ProgType::sk_msg;
  AttachType type = call.attach_type_or(message ? AttachType::sk_msg_verdict : AttachType::sk_skb_stream_verdict);
  std::string where = fmt::format("sockmap {} ({})", map->info().name, facts::to_string(type));
  Call named{call.object, call.program, call.options, where};
  UniqueFd link = link_create(named, static_cast<std::uint32_t>(map->fd()), type);   // 6.10
  if (link) return Link(std::move(link), where);
  if (errno != EINVAL) return refused(errno, named, {.what = "a program of a sockmap", .since = {4, 14, 0}, .options = "CONFIG_BPF_STREAM_PARSER", .capabilities = kNet});
  return prog_attach(named, duplicate(map->fd()), type, 0, {.what = "a program of a sockmap", .since = {4, 14, 0}, .options = "CONFIG_BPF_STREAM_PARSER", .capabilities = kNet});
}

}  // namespace espy::kernel::attaching
