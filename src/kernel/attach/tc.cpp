// tc: tcx links since 6.6, before that a filter of a clsact queueing discipline; netkit links.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_bpf.h>

#include <cerrno>

#include "kernel/attach/families.hpp"
#include "kernel/attach/netlink.hpp"

namespace espy::kernel::attaching {

namespace {

constexpr CapabilitySet kNet{Capability::net_admin, Capability::bpf};
constexpr Need kClsact{.what = "a tc filter", .since = {4, 5, 0}, .options = "CONFIG_NET_CLS_BPF,CONFIG_NET_SCH_INGRESS", .capabilities = kNet};
constexpr Need kAction{.what = "a tc action", .since = {4, 8, 0}, .options = "CONFIG_NET_ACT_BPF,CONFIG_NET_CLS_MATCHALL", .capabilities = kNet, .instead = "a classifier (SEC(\"tc\")) decides by itself what an action would"};
constexpr Need kTcx{.what = "tcx", .since = {6, 6, 0}, .capabilities = kNet, .instead = "clsact:INTERFACE:ingress works on older kernels"};
constexpr Need kNetkit{.what = "netkit", .since = {6, 7, 0}, .options = "CONFIG_NETKIT", .capabilities = kNet, .instead = "tc on a veth device serves instead"};

tcmsg message_for(unsigned index, std::uint32_t parent) {
  tcmsg message{};
  message.tcm_family = AF_UNSPEC;
  message.tcm_ifindex = static_cast<int>(index);
  message.tcm_parent = parent;
  return message;
}

std::uint32_t parent_of(bool ingress) { return TC_H_MAKE(TC_H_CLSACT, ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS); }

// true: made now; false: it was there.
Result<bool> make_clsact(unsigned index) {
  tcmsg message = message_for(index, TC_H_CLSACT);
  message.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  NetlinkRequest request(RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, bytes_of(message));
  request.text(TCA_KIND, "clsact");
  auto made = netlink(request);
  if (made) return true;
  if (made.error().sys == EEXIST) return false;
  return std::unexpected(std::move(made.error()));
}

Result<bool> has_filters(unsigned index) {
  for (bool ingress : {true, false}) {
    NetlinkRequest request(RTM_GETTFILTER, NLM_F_DUMP, bytes_of(message_for(index, parent_of(ingress))));
    auto answer = TRY(netlink(request));
    if (!answer.empty()) return true;
  }
  return false;
}

// The filter as the kernel made it: its handle and priority are what removes it.
Result<tcmsg> add_filter(const Call& call, unsigned index, bool ingress) {
  tcmsg message = message_for(index, parent_of(ingress));
  message.tcm_info = TC_H_MAKE(0, htons(ETH_P_ALL));
  NetlinkRequest request(RTM_NEWTFILTER, NLM_F_ACK | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL, bytes_of(message));
  auto program = static_cast<std::uint32_t>(call.program.fd());
  if (call.program.spec().type == facts::ProgType::sched_act) {
    // An action hangs on a filter that matches everything.
    tc_act_bpf parameters{};
    parameters.action = TC_ACT_PIPE;
    request.text(TCA_KIND, "matchall").begin(TCA_OPTIONS).begin(TCA_MATCHALL_ACT).begin(1).text(TCA_ACT_KIND, "bpf");
    request.begin(TCA_ACT_OPTIONS).attribute(TCA_ACT_BPF_PARMS, bytes_of(parameters)).attribute(TCA_ACT_BPF_FD, program);
    request.text(TCA_ACT_BPF_NAME, call.program.name()).end().end().end().end();
  } else {
    request.text(TCA_KIND, "bpf").begin(TCA_OPTIONS).attribute(TCA_BPF_FD, program).text(TCA_BPF_NAME, call.program.name());
    request.attribute(TCA_BPF_FLAGS, std::uint32_t{TCA_BPF_FLAG_ACT_DIRECT}).end();
  }
  auto answer = netlink(request);
  if (!answer) {
    auto failure = refused(answer.error().sys, call, call.program.spec().type == facts::ProgType::sched_act ? kAction : kClsact);
    failure.error().notes.insert(failure.error().notes.end(), answer.error().notes.begin(), answer.error().notes.end());
    return failure;
  }
  for (const NetlinkMessage& echoed : *answer) {
    if (echoed.type != RTM_NEWTFILTER || echoed.body.size() < sizeof message) continue;
    std::memcpy(&message, echoed.body.data(), sizeof message);
    return message;
  }
  return fail(ErrorKind::io, "{}: the kernel did not say which filter it made", call.where);
}

void remove_filter(const tcmsg& filter, bool action, bool remove_clsact) {
  NetlinkRequest request(RTM_DELTFILTER, NLM_F_ACK, bytes_of(filter));
  request.text(TCA_KIND, action ? "matchall" : "bpf");
  static_cast<void>(netlink(request));
  auto index = static_cast<unsigned>(filter.tcm_ifindex);
  if (!remove_clsact || has_filters(index).value_or(true)) return;
  tcmsg clsact = message_for(index, TC_H_CLSACT);
  clsact.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  NetlinkRequest removal(RTM_DELQDISC, NLM_F_ACK, bytes_of(clsact));
  static_cast<void>(netlink(removal));
}

Result<Link> through_clsact(const Call& call, unsigned index, bool ingress) {
  auto made = make_clsact(index);
  if (!made) {
    auto failure = refused(made.error().sys, call, kClsact);
    failure.error().notes.insert(failure.error().notes.end(), made.error().notes.begin(), made.error().notes.end());
    return failure;
  }
  bool action = call.program.spec().type == facts::ProgType::sched_act;
  auto filter = add_filter(call, index, ingress);
  if (!filter) {
    if (*made) remove_filter(message_for(index, parent_of(ingress)), action, true);
    return std::unexpected(std::move(filter.error()));
  }
  return Link({}, call.where, [filter = *filter, action, made = *made] { remove_filter(filter, action, made); })
      .with_undo_needing({Capability::net_admin});
}

}  // namespace

Result<Link> attach_to(const Call& call, const probe::Tc& probe) {
  unsigned index = TRY(interface_index(probe.interface));
  bool action = call.program.spec().type == facts::ProgType::sched_act;
  if (probe.via == probe::Tc::Via::clsact || action) return through_clsact(call, index, probe.ingress);
  auto type = probe.ingress ? facts::AttachType::tcx_ingress : facts::AttachType::tcx_egress;
  UniqueFd link = link_create(call, index, type);
  if (link) return Link(std::move(link), call.where);
  // Kernels without tcx do not know the attach type.
  if (errno == EINVAL && probe.via == probe::Tc::Via::any) return through_clsact(call, index, probe.ingress);
  return refused(errno, call, kTcx);
}

Result<Link> attach_to(const Call& call, const probe::Netkit& probe) {
  if (auto error = lacking(call, kNetkit)) return std::unexpected(std::move(*error));
  unsigned index = TRY(interface_index(probe.interface));
  UniqueFd link = link_create(call, index, probe.primary ? facts::AttachType::netkit_primary : facts::AttachType::netkit_peer);
  if (link) return Link(std::move(link), call.where);
  return refused(errno, call, kNetkit, fmt::format("`{}` must be the primary device of a netkit pair (ip link add … type netkit)", probe.interface));
}

}  // namespace espy::kernel::attaching
