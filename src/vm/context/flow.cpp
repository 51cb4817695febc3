#include "vm/context/flow.hpp"

#include <algorithm>
#include <optional>

namespace espy::vm {
namespace {

using isa::Operation;
using Kind = FlowValue::Kind;

constexpr FlowValue kOther{.kind = Kind::other};

FlowValue join(FlowValue a, FlowValue b) {
  if (a == b || b.kind == Kind::none) return a;
  if (a.kind == Kind::none) return b;
  const bool context = a.kind == Kind::context || b.kind == Kind::context || a.kind == Kind::mixed || b.kind == Kind::mixed;
  return {.kind = context ? Kind::mixed : Kind::other};
}

bool join(Flow::State& to, const Flow::State& from) {
  Flow::State before = to;
  for (unsigned i = 0; i < to.registers.size(); ++i) to.registers[i] = join(to.registers[i], from.registers[i]);
  for (unsigned i = 0; i < to.slots.size(); ++i) to.slots[i] = join(to.slots[i], from.slots[i]);
  return !(to == before);
}

// The slot that these bytes of a frame are; nullopt: no whole slot.
std::optional<unsigned> slot_at(std::int64_t offset, unsigned bytes) {
  if (bytes != 8 || offset % 8 != 0 || offset >= 0 || offset < -isa::kStackBytes) return std::nullopt;
  return static_cast<unsigned>(-offset / 8 - 1);
}

// Helpers that call back, and in which register the callback gets what the program gave for it.
struct CallbackRow {
  std::uint32_t helper = 0;
  std::uint8_t function = 0, given = 0, taken = 0;   ///< registers; given 0: nothing is passed on
};
constexpr CallbackRow kCallbacks[] = {
    {.helper = 164, .function = 2, .given = 3, .taken = 4},   // for_each_map_elem
    {.helper = 170, .function = 2},                           // timer_set_callback
    {.helper = 180, .function = 3, .given = 4, .taken = 3},   // find_vma
    {.helper = 181, .function = 2, .given = 3, .taken = 2},   // loop
    {.helper = 209, .function = 2, .given = 3, .taken = 2},   // user_ringbuf_drain
};

bool is_arithmetic(Operation operation) { return operation <= Operation::addr_space_cast; }

// A moved or shifted value, or whatever else comes out of arithmetic.
FlowValue arithmetic(const isa::Instruction& instruction, const Flow::State& state) {
  const isa::OpcodeRow& row = *instruction.row;
  const FlowValue dst = state.registers[instruction.dst];
  if (dst.kind == Kind::none && row.operation != Operation::mov) return {};
  const bool tracked = dst.kind == Kind::context || dst.kind == Kind::frame;
  if (row.operation == Operation::mov) {
    if (!row.register_operand()) return {.kind = Kind::constant};
    const FlowValue src = state.registers[instruction.src];
    return row.bits == 64 || src.kind == Kind::constant ? src : kOther;
  }
  if (tracked && row.bits == 64 && !row.register_operand() && (row.operation == Operation::add || row.operation == Operation::sub)) {
    const std::int64_t offset = dst.offset + (row.operation == Operation::add ? std::int64_t{instruction.imm} : -std::int64_t{instruction.imm});
    FlowValue moved = dst;
    moved.offset = static_cast<std::int16_t>(offset);
    if (moved.offset == offset) return moved;
  }
  if (row.operation == Operation::add && row.register_operand() && state.registers[instruction.src].kind == Kind::context) return {.kind = Kind::mixed};
  if (dst.kind == Kind::constant && !row.register_operand()) return dst;
  return {.kind = dst.kind == Kind::context && row.bits == 64 && row.operation == Operation::add ? Kind::mixed : Kind::other};
}

}  // namespace

Flow::Function& Flow::function(std::uint32_t start) {
  auto [found, fresh] = functions_.try_emplace(start);
  if (fresh) {
    changed_ = true;
    found->second.entry.registers[isa::kFramePointer] = {.kind = Kind::frame, .function = start};
  }
  return found->second;
}

void Flow::join_into(FlowValue& to, FlowValue value) {
  FlowValue joined = join(to, value);
  if (joined == to) return;
  to = joined;
  changed_ = true;
}

void Flow::enter(std::uint32_t start, const std::array<FlowValue, 5>& arguments) {
  Function& callee = function(start);
  for (unsigned i = 0; i < arguments.size(); ++i) join_into(callee.entry.registers[i + 1], arguments[i]);
}

void Flow::run() {
  enter(0, {FlowValue{.kind = Kind::context}, kOther, kOther, kOther, kOther});
  seen_.assign(code_.size(), {});
  do {
    changed_ = false;
    std::vector<std::uint32_t> starts;
    for (const auto& [start, unused] : functions_) starts.push_back(start);
    for (std::uint32_t start : starts) analyse(start);
  } while (changed_);
}

// One function, from its entry: states are kept where jumps land, and travel with the instructions between.
void Flow::analyse(std::uint32_t start) {
  std::map<isa::InsnIdx, State> landings{{start, functions_.at(start).entry}};
  std::vector<isa::InsnIdx> work{start};
  auto arrive = [&](isa::InsnIdx at, const State& state) {
    auto [found, fresh] = landings.try_emplace(at, state);
    if (fresh || join(found->second, state)) work.push_back(at);
  };
  while (!work.empty()) {
    isa::InsnIdx at = work.back();
    work.pop_back();
    State state = landings.at(at);
    for (bool first = true;; first = false) {
      if (!first) {
        if (auto landing = landings.find(at); landing != landings.end()) {
          arrive(at, state);
          break;
        }
      }
      const isa::Instruction instruction = isa::try_decode(code_, at).instruction;
      if (instruction.row == nullptr) break;
      auto& seen = seen_[at];
      seen.resize(isa::kRegisters);
      for (unsigned i = 0; i < seen.size(); ++i) seen[i] = join(seen[i], state.registers[i]);
      if (instruction.operation() == Operation::exit) join_into(functions_.at(start).returns, state.registers[0]);
      apply(instruction, at, start, state);
      const isa::InsnIdx next = at + instruction.slots();
      if (auto distance = instruction.jump_distance()) arrive(static_cast<isa::InsnIdx>(static_cast<std::int64_t>(at) + 1 + *distance), state);
      if (!instruction.falls_through() || next >= code_.size()) break;
      at = next;
    }
  }
}

void Flow::apply(const isa::Instruction& instruction, isa::InsnIdx at, std::uint32_t self, State& state) {
  const isa::OpcodeRow& row = *instruction.row;
  auto& r = state.registers;
  if (is_arithmetic(row.operation)) {
    r[instruction.dst] = arithmetic(instruction, state);
  } else if (row.operation == Operation::load) {
    r[instruction.dst] = load(r[instruction.src], instruction.off, row.bits / 8, self, state);
  } else if (row.operation == Operation::load_signed || row.operation == Operation::load_acquire) {
    r[instruction.dst] = kOther;
  } else if (row.operation == Operation::store) {
    const bool from_register = row.cls() == isa::Class::stx;
    store(r[instruction.dst], instruction.off, row.bits / 8, from_register ? r[instruction.src] : FlowValue{.kind = Kind::constant}, self, state);
  } else if (row.is_atomic()) {
    store(r[instruction.dst], instruction.off, row.bits / 8, kOther, self, state);
    for (unsigned i = 0; i < 10; ++i) {
      if ((isa::registers_written(instruction) >> i & 1) != 0) r[i] = kOther;
    }
  } else if (row.operation == Operation::ld_imm64) {
    const bool function_address = static_cast<isa::Pseudo>(row.selected) == isa::Pseudo::func;
    r[instruction.dst] = function_address ? FlowValue{.kind = Kind::function, .function = static_cast<std::uint32_t>(static_cast<std::int64_t>(at) + 1 + instruction.imm)}
                                          : FlowValue{.kind = Kind::constant};
  } else if (row.operation == Operation::call || row.operation == Operation::callx || row.operation == Operation::ld_abs || row.operation == Operation::ld_ind) {
    call(instruction, at, state);
  }
}

void Flow::call(const isa::Instruction& instruction, isa::InsnIdx at, State& state) {
  auto& r = state.registers;
  FlowValue result = kOther;
  const std::array<FlowValue, 5> arguments{r[1], r[2], r[3], r[4], r[5]};
  const auto kind = static_cast<isa::CallKind>(instruction.row->selected);
  if (instruction.operation() == Operation::callx) {
    if (r[instruction.dst].kind == Kind::function) enter(r[instruction.dst].function, arguments), result = function(r[instruction.dst].function).returns;
  } else if (instruction.operation() == Operation::call && kind == isa::CallKind::subprogram) {
    const auto target = static_cast<std::uint32_t>(static_cast<std::int64_t>(at) + 1 + instruction.imm);
    enter(target, arguments);
    result = function(target).returns;
  } else if (instruction.operation() == Operation::call && kind == isa::CallKind::helper) {
    auto row = std::ranges::find(kCallbacks, static_cast<std::uint32_t>(instruction.imm), &CallbackRow::helper);
    if (row != std::end(kCallbacks) && r[row->function].kind == Kind::function) {
      std::array<FlowValue, 5> given{kOther, kOther, kOther, kOther, kOther};
      if (row->given != 0) given[row->taken - 1U] = r[row->given];
      enter(r[row->function].function, given);
    }
  }
  for (unsigned i = 1; i <= 5; ++i) r[i] = kOther;
  r[0] = result;   // `none` while the function's exits were not yet seen: it will be asked again
}

void Flow::store(FlowValue base, std::int64_t offset, unsigned bytes, FlowValue value, std::uint32_t self, State& state) {
  if (base.kind != Kind::frame) return;
  offset += base.offset;
  auto slot = slot_at(offset, bytes);
  if (base.function == self) {
    if (slot) {
      state.slots[*slot] = value;
    } else {   // parts of one or two slots
      for (std::int64_t byte : {offset, offset + bytes - 1}) {
        if (byte < 0 && byte >= -isa::kStackBytes) state.slots[static_cast<std::size_t>((-byte - 1) / 8)] = kOther;
      }
    }
  }
  // Zeroes with which a struct begins say nothing about what it will hold.
  if (slot && value.kind != Kind::constant) join_into(function(base.function).shared[*slot], value);
}

FlowValue Flow::load(FlowValue base, std::int64_t offset, unsigned bytes, std::uint32_t self, const State& state) {
  if (base.kind != Kind::frame) return kOther;
  auto slot = slot_at(offset + base.offset, bytes);
  if (!slot) return kOther;
  FlowValue value = base.function == self ? state.slots[*slot] : FlowValue{};
  if (value.kind == Kind::none) value = function(base.function).shared[*slot];
  return value;   // `none`: nobody was seen to store there yet
}

}  // namespace espy::vm
