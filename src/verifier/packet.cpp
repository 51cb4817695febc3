// Packet pointers. How much of a packet is there is known only from comparisons with its end: `p + n <= end` makes n bytes
// behind p, and behind every pointer with p's variable offset (its id), safe. Helpers that may move the packet end all that.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::uint64_t kMaxPacket = 0xffff;

bool is_start(const Reg& reg) {
  return reg.type == RegType::packet && reg.off == 0 && reg.value.is_zero() && reg.id == 0;
}

template <typename Visit>
void each_register(State& state, Visit visit) {
  for (std::uint32_t i = 0; i <= state.current; ++i) {
    Frame& frame = *state.frames[i];
    for (Reg& reg : frame.regs) visit(reg);
    for (unsigned slot = 0; slot < frame.slots; ++slot)
      if (frame.stack[slot].is_spill()) visit(frame.stack[slot].reg);
  }
}

}  // namespace

void Checker::find_packet_range(State& state, const Reg& pointer, RegType type, bool open) {
  if (pointer.off < 0 || (pointer.off == 0 && open)) return;
  if (pointer.value.umax > kMaxPacket || pointer.value.umax + static_cast<std::uint64_t>(pointer.off) > kMaxPacket) return;
  const std::int32_t range = pointer.off + (open ? 1 : 0);
  const std::uint32_t id = pointer.id;
  each_register(state, [&](Reg& reg) {
    if (reg.type == type && reg.id == id) reg.range = std::max(reg.range, range);
  });
}

void Checker::mark_packet_end(State& state, unsigned number, bool open) {
  Reg& reg = state.reg(number);
  if (reg.type == RegType::packet) reg.range = open ? kBeyondPacketEnd : kAtPacketEnd;
}

bool Checker::match_packet(const Insn& insn, Reg& dst, Reg& src, State& here, State& there) {
  if (!insn.reg_operand || insn.bits == 32) return false;
  const auto before_end = [](const Reg& pointer, const Reg& end) {
    return (pointer.type == RegType::packet && end.type == RegType::packet_end) || (pointer.type == RegType::packet_meta && is_start(end));
  };
  const bool left = before_end(dst, src), right = before_end(src, dst);
  if (!left && !right) return false;
  const unsigned number = left ? insn.dst : insn.src;
  const Reg pointer = left ? dst : src;
  // `end OP p` is `p mirrored(OP) end`.
  using isa::Operation;
  Operation op = insn.op;
  if (right) {
    op = op == Operation::jgt ? Operation::jlt : op == Operation::jlt ? Operation::jgt : op == Operation::jge ? Operation::jle : op == Operation::jle ? Operation::jge : op;
  }
  switch (op) {
    case Operation::jgt:
      find_packet_range(here, pointer, pointer.type, false);
      mark_packet_end(there, number, true);
      return true;
    case Operation::jlt:
      find_packet_range(there, pointer, pointer.type, true);
      mark_packet_end(here, number, false);
      return true;
    case Operation::jge:
      find_packet_range(here, pointer, pointer.type, true);
      mark_packet_end(there, number, false);
      return true;
    case Operation::jle:
      find_packet_range(there, pointer, pointer.type, false);
      mark_packet_end(here, number, true);
      return true;
    default: return false;
  }
}

/// The packet may have moved: pointers into it are lost.
void Checker::forget_packet() {
  const auto is_slice = [](const Reg& reg) { return reg.type == RegType::mem && reg.has(kPacketSlice); };
  each_register(*state_, [&](Reg& reg) {
    if (!reg.is_packet() && reg.type != RegType::packet_end && !is_slice(reg)) return;
    invalidate(reg);
  });
}

}  // namespace espy::verifier
