// What a program may return: the kernel reads the value and knows only some.
#include "verifier/checker.hpp"

namespace espy::verifier {

std::optional<ReturnRange> Checker::return_range() const {
  using enum facts::ProgType;
  using facts::AttachType;
  const auto attached = [&](auto... types) { return attach_ && ((*attach_ == types) || ...); };
  switch (type_) {
    case cgroup_sock_addr:
      if (attached(AttachType::cgroup_udp4_recvmsg, AttachType::cgroup_udp6_recvmsg, AttachType::cgroup_unix_recvmsg,
                   AttachType::cgroup_inet4_getpeername, AttachType::cgroup_inet6_getpeername, AttachType::cgroup_unix_getpeername,
                   AttachType::cgroup_inet4_getsockname, AttachType::cgroup_inet6_getsockname, AttachType::cgroup_unix_getsockname))
        return ReturnRange{1, 1};
      if (attached(AttachType::cgroup_inet4_bind, AttachType::cgroup_inet6_bind)) return ReturnRange{0, 3};
      return ReturnRange{0, 1};
    case cgroup_skb:
      if (attached(AttachType::cgroup_inet_egress)) return ReturnRange{0, 3};
      return ReturnRange{0, 1};
    case cgroup_sock:
    case sock_ops:
    case cgroup_device:
    case cgroup_sysctl:
    case cgroup_sockopt:
    case sk_lookup:
    case netfilter: return ReturnRange{0, 1};
    case raw_tracepoint: return typed_context_ ? std::optional<ReturnRange>(ReturnRange{0, 0}) : std::nullopt;
    case tracing:
      if (attached(AttachType::trace_fentry, AttachType::trace_fexit)) return ReturnRange{0, 0};
      if (attached(AttachType::trace_iter)) return ReturnRange{0, 1};
      return std::nullopt;
    case kprobe:
      if (attached(AttachType::trace_kprobe_session, AttachType::trace_uprobe_session)) return ReturnRange{0, 1};
      return std::nullopt;
    case lsm: {
      const bool returns = attach_proto_ && attach_proto_->target() != btf::kVoid;
      if (attached(AttachType::lsm_cgroup)) return returns ? ReturnRange{0, 1} : ReturnRange{1, 1};
      if (!returns) return std::nullopt;
      if (lsm_returns_bool_) return ReturnRange{0, 1, true};
      return ReturnRange{-4095, 0, true};
    }
    default: return std::nullopt;
  }
}

bool Checker::reject_range(const Reg& reg, std::int64_t least, std::int64_t most, std::string_view where, std::string_view name) {
  std::string has;
  if (reg.value.smin > std::numeric_limits<std::int64_t>::min()) has += fmt::format(" smin={}", reg.value.smin);
  if (reg.value.smax < std::numeric_limits<std::int64_t>::max()) has += fmt::format(" smax={}", reg.value.smax);
  if (has.empty()) has = " unknown scalar value";
  failure_.least = least;
  failure_.most = most;
  return reject_reg(Rule::return_value, 0, "{} the register {} has{} should have been in [{}, {}]", where, name, has, least, most);
}

bool Checker::check_return(unsigned number, std::string_view what) {
  const Frame& frame = state_->frame();
  const bool alone = frame.subprog != 0 && !frame.in_exception_callback;
  if (!alone) {
    const bool no_result = attach_proto_ && attach_proto_->target() == btf::kVoid;
    if (no_result && (type_ == facts::ProgType::struct_ops ||
                      (type_ == facts::ProgType::lsm && attach_ != facts::AttachType::lsm_cgroup)))
      return true;
  }
  if (!read_reg(number)) return false;
  const Reg& reg = regs()[number];
  if (!frame.in_async_callback && !alone && type_ == facts::ProgType::struct_ops && reg.is_pointer() && reg.ref_id != 0) {
    // An operation that returns an object gives its reference away.
    let_go(reg.ref_id);
    return true;
  }
  if (is_pointer_value(reg)) return reject_reg(Rule::pointer_leak, static_cast<int>(number), "R{} leaks addr as return value", number);
  std::optional<ReturnRange> range;
  std::string_view where = "At program exit";
  if (frame.in_async_callback) {
    range = ReturnRange{frame.return_min, frame.return_max};
    where = "At async callback return";
  } else if (alone) {
    if (!reg.is_scalar())
      return reject_reg(Rule::return_value, static_cast<int>(number), "At subprogram exit the register R{} is not a scalar value ({})", number, type_name(reg));
    return true;
  } else {
    range = return_range();
  }
  if (!range) return true;
  if (!reg.is_scalar())
    return reject_reg(Rule::return_value, static_cast<int>(number), "{} the register R{} is not a known value ({})", where, number, type_name(reg));
  if (!need_precise(number)) return false;
  const bool inside = range->narrow ? reg.value.s32min >= range->least && reg.value.s32max <= range->most
                                    : reg.value.smin >= range->least && reg.value.smax <= range->most;
  return inside || reject_range(reg, range->least, range->most, where, what);
}

}  // namespace espy::verifier
