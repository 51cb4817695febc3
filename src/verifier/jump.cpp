// Conditional jumps: which way they may go, and what each way tells of the values compared.
#include <bit>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

using isa::Operation;

Compare compare_of(Operation op) {
  switch (op) {
    case Operation::jeq: return Compare::eq;
    case Operation::jne: return Compare::ne;
    case Operation::jgt: return Compare::gt;
    case Operation::jge: return Compare::ge;
    case Operation::jlt: return Compare::lt;
    case Operation::jle: return Compare::le;
    case Operation::jsgt: return Compare::sgt;
    case Operation::jsge: return Compare::sge;
    case Operation::jslt: return Compare::slt;
    case Operation::jsle: return Compare::sle;
    default: return Compare::set;
  }
}

bool packet_any(const Reg& reg) { return reg.is_packet() || reg.type == RegType::packet_end; }

Decision decide_packet(Compare compare, const Reg& left, const Reg& right) {
  const Reg* packet = &left;
  if (right.type != RegType::packet_end) {
    if (left.type != RegType::packet_end) return Decision::unknown;
    packet = &right;
    compare = mirrored(compare);
  }
  if (packet->range >= 0) return Decision::unknown;
  const bool beyond = packet->range == kBeyondPacketEnd;
  switch (compare) {
    case Compare::le: return beyond ? Decision::never : Decision::unknown;
    case Compare::gt: return beyond ? Decision::always : Decision::unknown;
    case Compare::lt: return Decision::never;    // at the end or beyond it
    case Compare::ge: return Decision::always;
    default: return Decision::unknown;
  }
}

}  // namespace

bool Checker::never_null(const Reg& reg) const {
  if (reg.maybe_null()) return false;
  switch (reg.type) {
    case RegType::socket:
    case RegType::tcp_sock:
    case RegType::map_value:
    case RegType::map_key:
    case RegType::sock_common:
    case RegType::map_ptr: return true;
    case RegType::btf: return is_trusted(reg);
    case RegType::mem: return !reg.has(kUntrusted);
    default: return false;
  }
}

Decision Checker::decide_jump(const Insn& insn, const Reg& left, const Reg& right) const {
  const Compare compare = compare_of(insn.op);
  const bool narrow = insn.bits == 32;
  if (packet_any(left) && packet_any(right) && !narrow) return decide_packet(compare, left, right);
  if (left.is_pointer() || right.is_pointer()) {
    const bool left_is_number = left.is_scalar();
    const Reg& pointer = left_is_number ? right : left;
    const Reg& number = left_is_number ? left : right;
    if (!number.is_scalar() || !(narrow ? number.value.is_const32() : number.value.is_const())) return Decision::unknown;
    const std::uint64_t value = narrow ? number.value.bits.low32().value : number.value.bits.value;
    if (value != 0 || !never_null(pointer)) return Decision::unknown;
    if (compare == Compare::eq) return Decision::never;
    if (compare == Compare::ne) return Decision::always;
    return Decision::unknown;
  }
  return decide(compare, left.value, right.value, narrow, how_);
}

void Checker::refine_scalars(Compare compare, Reg& left, Reg& right, bool narrow) const {
  if (!left.is_scalar() || !right.is_scalar()) return;
  const bool ranges = !left.value.is_const() && !right.value.is_const();
  if (ranges && !how_.two_registers && (narrow || compare != Compare::eq)) return;   // only equal ones ever told of each other
  refine(compare, left.value, right.value, narrow, how_);
  repair(left.value);
  repair(right.value);
}

void Checker::collect_linked(State& state, std::uint32_t id, LinkedRegs& linked) {
  id &= ~kIdPlusConstant;
  const auto take = [&](Reg& reg, std::uint32_t frame, unsigned number, bool is_reg) {
    if (!reg.is_scalar() || (reg.id & ~kIdPlusConstant) != id) return;
    if (linked.count >= linked.entries.size()) {
      reg.id = 0;   // no room: it goes its own way from here
      return;
    }
    linked.entries[linked.count++] = {static_cast<std::uint8_t>(frame), static_cast<std::uint8_t>(number), is_reg};
  };
  for (std::uint32_t i = state.current + 1; i-- > 0;) {
    Frame& frame = *state.frames[i];
    for (unsigned reg = 0; reg < isa::kRegisters; ++reg) take(frame.regs[reg], i, reg, true);
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_spill()) take(frame.stack[slot].reg, i, slot, false);
  }
}

void Checker::sync_linked(State& state, const Reg& known, const LinkedRegs& linked) {
  const Reg source = known;
  for (unsigned i = 0; i < linked.count; ++i) {
    const LinkedReg& entry = linked.entries[i];
    Frame& frame = *state.frames[entry.frame];
    Reg& reg = entry.is_reg ? frame.regs[entry.number] : frame.stack[entry.number].reg;
    if (!reg.is_scalar() || &reg == &known || (reg.id & ~kIdPlusConstant) != (source.id & ~kIdPlusConstant)) continue;
    const std::uint8_t live = reg.live;
    const bool plain = ((reg.id | source.id) & kIdPlusConstant) == 0;
    const std::int64_t distance = std::int64_t{(reg.id & kIdPlusConstant) != 0 ? reg.off : 0} - ((source.id & kIdPlusConstant) != 0 ? source.off : 0);
    if (plain || distance == 0) {
      const std::int32_t off = reg.off;
      const std::uint32_t id = reg.id;
      const bool precise = reg.precise;
      reg = source;
      reg.off = off;
      reg.id = id;
      reg.precise = precise;
    } else {
      reg.value = source.value;
      apply(Arithmetic::add, reg.value, Scalar::constant(static_cast<std::uint64_t>(distance)), false, how_);
      repair(reg.value);
    }
    reg.live = live;
  }
}

// A pointer that may be NULL was compared with 0: on one way it, and every copy of it, is 0; on the other it is not.
void Checker::resolve_null_of(Reg& reg, std::uint32_t id, bool is_null) {
  if (!reg.is_pointer() || !reg.maybe_null() || reg.id != id) return;
  if (is_null) {
    const std::uint8_t live = reg.live;
    reg = Reg::constant(0);
    reg.live = live;
    return;
  }
  adopt_null_check(reg);
}

/// What the pointer is once it is known not to be NULL.
void Checker::adopt_null_check(Reg& reg) {
  reg.flags &= ~kMaybeNull;
  if (reg.type == RegType::map_value) {
    const MapView& map = maps_[reg.map];
    if (map.inner_view != 0) {
      reg.type = RegType::map_ptr;
      reg.map = map.inner_view;
      reg.map_uid = reg.id;
      reg.id = 0;
      return;
    }
    switch (map.spec->type) {
      case facts::MapType::xskmap: reg.type = RegType::xdp_sock; reg.first = reg.second = 0; break;
      case facts::MapType::sockmap:
      case facts::MapType::sockhash: reg.type = RegType::socket; reg.first = reg.second = 0; break;
      default: break;
    }
    if (reg.type == RegType::map_value && maps_[reg.map].record->has_lock()) return;   // the id says which element's lock
  }
  if (reg.type == RegType::btf && reg.has(kAlloc)) return;
  reg.id = 0;
}

void Checker::resolve_null(State& state, unsigned number, bool is_null) {
  const Reg subject = state.reg(number);
  if (subject.ref_id != 0 && subject.ref_id == subject.id && is_null)
    std::erase_if(state.holds, [&](const Hold& hold) { return hold.kind == HoldKind::pointer && hold.id == subject.ref_id; });
  for (std::uint32_t i = 0; i <= state.current; ++i) {
    Frame& frame = *state.frames[i];
    for (Reg& reg : frame.regs) resolve_null_of(reg, subject.id, is_null);
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_spill()) resolve_null_of(frame.stack[slot].reg, subject.id, is_null);
  }
}

Checker::Next Checker::conditional(const Insn& insn) {
  if (!read_reg(insn.dst)) return Next::failed;
  const bool narrow = insn.bits == 32;
  std::uint8_t pointers = 0;
  Reg immediate;
  if (insn.reg_operand) {
    if (!read_reg(insn.src)) return Next::failed;
    if (!(packet_any(regs()[insn.dst]) && packet_any(regs()[insn.src])) && is_pointer_value(regs()[insn.src])) {
      reject_reg(Rule::pointer_leak, insn.src, "R{} pointer comparison prohibited", insn.src);
      return Next::failed;
    }
    if (regs()[insn.src].is_pointer()) pointers |= 2;
  } else {
    immediate = Reg::constant(static_cast<std::uint64_t>(std::int64_t{insn.imm}));
  }
  Reg& dst = regs()[insn.dst];
  Reg& src = insn.reg_operand ? regs()[insn.src] : immediate;
  if (dst.is_pointer()) pointers |= 1;
  if (pointers != 0 && insn.reg_operand) push_linked(0, pointers);

  const Decision outcome = decide_jump(insn, dst, src);
  InsnFacts& fact = facts_[insn_];
  if (!fact.reached) fact.never_jumps = fact.always_jumps = true;
  if (outcome != Decision::always) fact.always_jumps = false;
  if (outcome != Decision::never) fact.never_jumps = false;
  if (outcome != Decision::unknown) {
    if (dst.is_scalar() && !need_precise(insn.dst)) return Next::failed;
    if (insn.reg_operand && src.is_scalar() && !need_precise(insn.src)) return Next::failed;
    insn_ = outcome == Decision::always ? insn.target : insn_ + 1;
    return Next::go_on;
  }

  LinkedRegs linked;
  if (insn.reg_operand && src.is_scalar() && src.id != 0) collect_linked(*state_, src.id, linked);
  const bool same_id = insn.reg_operand && src.is_scalar() && dst.is_scalar() && (src.id & ~kIdPlusConstant) == (dst.id & ~kIdPlusConstant);
  if (dst.is_scalar() && dst.id != 0 && !same_id) collect_linked(*state_, dst.id, linked);
  if (linked.count > 1) push_linked(linked.pack(), pointers);

  State* there = push(insn.target, insn_);
  if (there == nullptr) return Next::failed;
  const Compare compare = compare_of(insn.op);
  Reg there_immediate = immediate;
  Reg& there_dst = there->reg(insn.dst);
  Reg& there_src = insn.reg_operand ? there->reg(insn.src) : there_immediate;
  refine_scalars(compare, there_dst, there_src, narrow);   // of a register and itself, too: what cannot be leaves nothing known
  refine_scalars(negated(compare), dst, src, narrow);
  if (insn.reg_operand && src.is_scalar() && src.id != 0) {
    sync_linked(*state_, src, linked);
    sync_linked(*there, there_src, linked);
  }
  if (dst.is_scalar() && dst.id != 0) {
    sync_linked(*state_, dst, linked);
    sync_linked(*there, there_dst, linked);
  }
  const bool equality = compare == Compare::eq || compare == Compare::ne;
  if (!narrow && insn.reg_operand && src.is_pointer() && dst.is_pointer() && src.maybe_null() != dst.maybe_null() &&
      src.type != RegType::btf && dst.type != RegType::btf && equality) {
    // Equal to a pointer that is not NULL: not NULL either.
    const bool in_target = compare == Compare::eq;
    adopt_null_check(src.maybe_null() ? (in_target ? there_src : src) : (in_target ? there_dst : dst));
  }
  if (!narrow && !insn.reg_operand && insn.imm == 0 && equality && dst.is_pointer() && dst.maybe_null()) {
    resolve_null(*state_, insn.dst, compare == Compare::ne);
    resolve_null(*there, insn.dst, compare == Compare::eq);
  } else if (!match_packet(insn, dst, src, *state_, *there) && is_pointer_value(dst)) {
    reject_reg(Rule::pointer_leak, insn.dst, "R{} pointer comparison prohibited", insn.dst);
    return Next::failed;
  }
  insn_ += 1;
  return Next::go_on;
}

// The loop budget may be spent or not. What goes on into the body is widened: its numbers need not converge, since it is the
// budget that ends the loop.
Checker::Next Checker::may_goto(const Insn& insn) {
  State* body = push(insn_ + 1, insn_);
  if (body == nullptr) return Next::failed;
  ++body->may_goto_depth;
  if (state_->parent != nullptr)
    if (State* before = previous_turn(*state_->parent, insn_)) widen(*before, *body);
  insn_ = insn.target;
  return Next::go_on;
}

/// Numbers that differ between turns, and decided nothing, are any numbers.
void Checker::widen(State& old, State& now) {
  id_pairs_.clear();
  const auto blur = [&](const Reg& was, Reg& is) {
    if (!was.is_scalar() || !is.is_scalar() || is.precise || was.precise) return;
    if (was.value == is.value && same_ids(was.id, is.id)) return;
    const std::uint8_t live = is.live;
    is = Reg::unknown();
    is.live = live;
  };
  for (std::uint32_t i = 0; i <= now.current && i <= old.current; ++i) {
    Frame& a = *old.frames[i];
    Frame& b = *now.frames[i];
    for (unsigned reg = 0; reg < isa::kFramePointer; ++reg) blur(a.regs[reg], b.regs[reg]);
    for (unsigned slot = 0; slot < std::min(a.slots, b.slots); ++slot)
      if (a.stack[slot].is_spill() && b.stack[slot].is_spill()) blur(a.stack[slot].reg, b.stack[slot].reg);
  }
}

}  // namespace espy::verifier
