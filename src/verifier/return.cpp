// What a program may return: the kernel reads the value and knows only some.
#include "verifier/checker.hpp"

namespace espy::verifier {

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
  std::optional<facts::ReturnRange> range;
  std::string_view where = "At program exit";
  if (frame.in_async_callback) {
    range = facts::ReturnRange{frame.return_min, frame.return_max};
    where = "At async callback return";
  } else if (alone) {
    if (!reg.is_scalar())
      return reject_reg(Rule::return_value, static_cast<int>(number), "At subprogram exit the register R{} is not a scalar value ({})", number, type_name(reg));
    return true;
  } else {
    range = facts::return_range(type_, attach_, profile_.version, hook_);
  }
  if (!range) return true;
  if (!reg.is_scalar())
    return reject_reg(Rule::return_value, static_cast<int>(number), "{} the register R{} is not a known value ({})", where, number, type_name(reg));
  if (!need_precise(number)) return false;
  const bool inside = range->as_32_bits ? reg.value.s32min >= range->min && reg.value.s32max <= range->max
                                    : reg.value.smin >= range->min && reg.value.smax <= range->max;
  return inside || reject_range(reg, range->min, range->max, where, what);
}

}  // namespace espy::verifier
