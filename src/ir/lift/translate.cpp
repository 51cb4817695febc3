#include "ir/lift/translate.hpp"

#include <algorithm>
#include <array>

namespace espy::ir::lifting {
namespace {

using isa::Operation;

/// The kernel's: so many times a program may go round by may_goto.
constexpr std::int64_t kMostTurns = 1 << 23;

constexpr std::int32_t aligned_down(std::int32_t place) { return place & ~7; }

}  // namespace

Result<void> Translator::run() {
  std::size_t slots = 0;
  for (const Block& block : f_.blocks) slots += block.end - block.begin;
  b_.function().insts.reserve(slots * 3 + 64);
  make_slots();
  begin();
  for (std::uint32_t i = 0; i < f_.blocks.size(); ++i) TRY(block(i));
  return {};
}

void Translator::make_slots() {
  for (const FrameObject& object : frame_.objects) slots_.push_back(b_.slot(static_cast<std::uint32_t>(object.to - aligned_down(object.from))));
  for (const Block& block : f_.blocks)
    for (std::uint32_t at = block.begin; at < block.end; at += shape_.insns[at].slots())
      if (shape_.insns[at].operation() == Operation::may_goto && index_of(turns_) == kNoId) turns_ = b_.slot(8);
}

/// Blocks and their parameters, and what the function's entry hands to the first.
void Translator::begin() {
  at_end_.resize(f_.blocks.size());
  from_.assign(f_.blocks.size(), kNone);
  for (std::uint32_t i = 0; i < f_.blocks.size(); ++i) {
    ids_.push_back(b_.block());
    for (std::uint32_t to : {f_.blocks[i].taken, f_.blocks[i].next})
      if (to != kNone) from_[to] = i;
    if (f_.blocks[i].entries < 2) continue;
    for (unsigned r = 0; r < isa::kFramePointer; ++r)
      if ((f_.blocks[i].live_in >> r & 1) != 0 && frame_.at_begin[i][r] == kNowhere) b_.function().add_param(ids_[i], kI64);
  }
  for (Held& held : r_) held = {.value = b_.i64(0)};
  r_[isa::kFramePointer].place = 0;
  const std::size_t parameters = b_.function().params().size();
  for (unsigned i = 0; i < parameters; ++i) {
    ValueId given = b_.param(i);
    set(i + 1, b_.function().type_of(given).is_ptr() ? b_.ptr_to_int(given) : given);
  }
  if (index_of(turns_) != kNoId) b_.store(64, b_.stack_addr(turns_), 0, b_.i64(kMostTurns));
  b_.jump(ids_[0], arguments_of(0));
  if (f_.blocks[0].entries < 2) at_end_[0] = r_;
}

void Translator::enter(std::uint32_t block) {
  b_.at(ids_[block]);
  if (f_.blocks[block].entries < 2) {
    if (block != 0) r_ = at_end_[from_[block]];
    return;
  }
  for (unsigned r = 0, next = 0; r < isa::kFramePointer; ++r) {
    r_[r] = {.value = b_.i64(0), .place = frame_.at_begin[block][r]};
    if ((f_.blocks[block].live_in >> r & 1) != 0 && r_[r].place == kNowhere) r_[r].value = b_.function()[ids_[block]].params[next++];
  }
}

std::vector<ValueId> Translator::arguments_of(std::uint32_t block) {
  std::vector<ValueId> arguments;
  if (f_.blocks[block].entries < 2) return arguments;
  for (unsigned r = 0; r < isa::kFramePointer; ++r)
    if ((f_.blocks[block].live_in >> r & 1) != 0 && frame_.at_begin[block][r] == kNowhere) arguments.push_back(get(r));
  return arguments;
}

Result<void> Translator::block(std::uint32_t block) {
  enter(block);
  for (std::uint32_t at = f_.blocks[block].begin; at < f_.blocks[block].end; at += shape_.insns[at].slots()) TRY(instruction(at));
  if (!b_.terminated()) leave(block);
  at_end_[block] = r_;
  return {};
}

void Translator::leave(std::uint32_t id) {
  const Block& block = f_.blocks[id];
  if (block.taken == kNone || block.next == kNone) {
    const std::uint32_t to = block.taken == kNone ? block.next : block.taken;
    return b_.jump(ids_[to], arguments_of(to));
  }
  std::uint32_t last = block.begin;
  for (std::uint32_t at = block.begin; at < block.end; at += shape_.insns[at].slots()) last = at;
  branch(condition(shape_.insns[last]), block.taken, block.next);
}

void Translator::branch(ValueId condition, std::uint32_t yes, std::uint32_t no) {
  std::vector<ValueId> for_yes = arguments_of(yes), for_no = arguments_of(no);
  ir::Function& f = b_.function();
  ValueId id = f.add_inst({.op = Op::branch, .mark = b_.mark, .block = b_.here()}, std::array{condition});
  f[b_.here()].insts.push_back(id);
  const std::array edges{f.make_edge(ids_[yes], for_yes), f.make_edge(ids_[no], for_no)};
  f.set_edges(f[id], edges);
}

// ---- values ---------------------------------------------------------------------------------------------------------

ValueId Translator::frame_address(std::int32_t place) {
  auto behind = std::ranges::upper_bound(frame_.objects, place, {}, &FrameObject::from);
  // A verified program's addresses lie in an object; another's are as far from one as they were from r10.
  std::size_t i = behind == frame_.objects.begin() ? 0 : static_cast<std::size_t>(behind - frame_.objects.begin()) - 1;
  if (slots_.empty()) {
    frame_.objects.push_back({-isa::kStackBytes, 0});
    slots_.push_back(b_.slot(isa::kStackBytes));
  }
  return b_.stack_addr(slots_[i], place - aligned_down(frame_.objects[i].from));
}

ValueId Translator::get(unsigned reg) { return r_[reg].place == kNowhere ? r_[reg].value : b_.ptr_to_int(frame_address(r_[reg].place)); }

ValueId Translator::operand(const isa::Instruction& instruction, Type type) {
  if ((instruction.row->fields() & isa::kSrc) == 0) return b_.constant(type, instruction.imm);
  return type == kI32 ? low(instruction.src) : get(instruction.src);
}

Translator::Address Translator::address(unsigned reg, std::int32_t offset) {
  if (r_[reg].place != kNowhere) return {frame_address(r_[reg].place + offset), 0};
  return {b_.int_to_ptr(r_[reg].value, Space::memory), offset};
}

// ---- instructions ---------------------------------------------------------------------------------------------------

Result<void> Translator::instruction(std::uint32_t at) {
  const isa::Instruction& i = shape_.insns[at];
  b_.mark = Mark{at + 1};
  if (i.row->operation <= Operation::addr_space_cast) {
    Places places;
    for (std::size_t r = 0; r < places.size(); ++r) places[r] = r_[r].place;
    step(shape_.effects[at], places);
    const std::int32_t place = places[i.dst];
    if (place != kNowhere) r_[i.dst] = {.value = b_.i64(0), .place = place};   // still an address in the frame
    else arithmetic(i);
    return {};
  }
  if (i.row->is_atomic()) return atomic(i), Result<void>{};
  switch (i.operation()) {
    case Operation::load:
    case Operation::load_signed:
    case Operation::store: memory(i); return {};
    case Operation::ld_imm64: immediate(at); return {};
    case Operation::call: return call(at);
    case Operation::exit: b_.ret(get(0)); return {};
    case Operation::callx: return call_indirect(i), Result<void>{};
    case Operation::ld_abs:
    case Operation::ld_ind: return load_packet(i), Result<void>{};
    case Operation::gotox: return fail(ErrorKind::unsupported, "instruction {}: {} has no form in the IR", at, i.row->name);
    default: return {};   // jumps: when the block is left
  }
}

void Translator::arithmetic(const isa::Instruction& i) {
  switch (i.operation()) {
    case Operation::mov:
    case Operation::movsx: return move(i);
    case Operation::addr_space_cast: return set(i.dst, get(i.src));
    case Operation::to_le:
    case Operation::to_be:
    case Operation::bswap: return swap_bytes(i);
    default: break;
  }
  if (i.row->bits == 64) return set(i.dst, computed(i, kI64));
  set(i.dst, b_.zext(computed(i, kI32), 32));
}

ValueId Translator::computed(const isa::Instruction& i, Type type) {
  ValueId a = type == kI32 ? low(i.dst) : get(i.dst);
  if (i.operation() == Operation::neg) return b_.neg(a);
  ValueId b = operand(i, type);
  switch (i.operation()) {
    case Operation::add: return b_.add(a, b);
    case Operation::sub: return b_.sub(a, b);
    case Operation::mul: return b_.mul(a, b);
    case Operation::div: return b_.udiv(a, b);
    case Operation::sdiv: return b_.sdiv(a, b);
    case Operation::mod: return b_.urem(a, b);
    case Operation::smod: return b_.srem(a, b);
    case Operation::or_: return b_.or_(a, b);
    case Operation::and_: return b_.and_(a, b);
    case Operation::xor_: return b_.xor_(a, b);
    case Operation::lsh: return b_.shl(a, b);
    case Operation::rsh: return b_.lshr(a, b);
    default: return b_.ashr(a, b);
  }
}

void Translator::move(const isa::Instruction& i) {
  const bool from_register = (i.row->fields() & isa::kSrc) != 0;
  const bool wide = i.row->bits == 64;
  if (i.operation() == Operation::movsx) {
    const auto width = static_cast<unsigned>(i.row->selected);
    set(i.dst, wide ? b_.sext(get(i.src), width) : b_.zext(b_.sext(low(i.src), width, kI32), 32));
  } else if (!from_register) {
    set(i.dst, b_.i64(wide ? std::int64_t{i.imm} : std::int64_t{static_cast<std::uint32_t>(i.imm)}));
  } else {
    set(i.dst, wide ? get(i.src) : b_.zext(low(i.src), 32));
  }
}

void Translator::swap_bytes(const isa::Instruction& i) {
  ValueId value = get(i.dst);
  if (i.operation() != Operation::to_le) value = b_.bswap(value, i.row->bits);
  else if (i.row->bits != 64) value = b_.zext(value, i.row->bits);
  set(i.dst, value);
}

void Translator::memory(const isa::Instruction& i) {
  const unsigned width = i.row->bits;
  if (i.operation() != Operation::store) {
    auto [pointer, offset] = address(i.src, i.off);
    return set(i.dst, b_.load(kI64, width, pointer, offset, i.operation() == Operation::load_signed ? unsigned{kSigned} : 0U));
  }
  ValueId value = operand(i, kI64);
  auto [pointer, offset] = address(i.dst, i.off);
  b_.store(width, pointer, offset, value);
}

void Translator::atomic(const isa::Instruction& i) {
  const unsigned width = i.row->bits;
  if (i.operation() == Operation::load_acquire) {
    auto [pointer, offset] = address(i.src, i.off);
    return set(i.dst, b_.load(kI64, width, pointer, offset, kOrdered));
  }
  if (i.operation() == Operation::store_release) {
    ValueId value = get(i.src);
    auto [pointer, offset] = address(i.dst, i.off);
    return b_.store(width, pointer, offset, value, kOrdered);
  }
  auto value_of = [&](unsigned reg) { return width == 32 ? low(reg) : get(reg); };
  auto keep = [&](unsigned reg, ValueId old) { set(reg, width == 32 ? b_.zext(old, 32) : old); };
  ValueId value = value_of(i.src);
  auto [pointer, offset] = address(i.dst, i.off);
  switch (i.operation()) {
    case Operation::atomic_add: return b_.atomic(Op::atomic_add, pointer, value, width, offset);
    case Operation::atomic_or: return b_.atomic(Op::atomic_or, pointer, value, width, offset);
    case Operation::atomic_and: return b_.atomic(Op::atomic_and, pointer, value, width, offset);
    case Operation::atomic_xor: return b_.atomic(Op::atomic_xor, pointer, value, width, offset);
    case Operation::fetch_add: return keep(i.src, b_.atomic_fetch(Op::atomic_add, pointer, value, width, offset));
    case Operation::fetch_or: return keep(i.src, b_.atomic_fetch(Op::atomic_or, pointer, value, width, offset));
    case Operation::fetch_and: return keep(i.src, b_.atomic_fetch(Op::atomic_and, pointer, value, width, offset));
    case Operation::fetch_xor: return keep(i.src, b_.atomic_fetch(Op::atomic_xor, pointer, value, width, offset));
    case Operation::xchg: return keep(i.src, b_.atomic_fetch(Op::atomic_xchg, pointer, value, width, offset));
    default: return keep(0, b_.cmpxchg(pointer, value_of(0), value, width, offset));
  }
}

}  // namespace espy::ir::lifting
