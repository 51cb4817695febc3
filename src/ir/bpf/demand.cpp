#include "ir/bpf/demand.hpp"

#include <algorithm>
#include <bit>

namespace espy::ir::bpf {

bool has_effect(const Inst& inst) {
  if (inst.terminator()) return true;
  if (has(inst.op, kWrites)) return true;
  return has(inst.op, kCall) && !inst.flag(kRemovable);
}

Demand::Demand(const Function& function, const Options& given) : f(function), options(given) {
  order_blocks();
  count_uses();
  needs.assign(f.insts.size(), 0);
  sunk_.assign(f.insts.size(), false);
  // Users come before what they use: blocks in postorder, instructions from the last. Only the arguments of edges that
  // lead back are met before it is known whether their parameter is wanted; they count as wanted.
  for (BlockId block : postorder) {
    const std::vector<ValueId>& insts = f[block].insts;
    visit_terminator(block);
    for (std::size_t i = insts.size() - 1; i-- > 0;) visit(insts[i]);
  }
}

std::span<const Edge> Demand::taken_edges(BlockId block) const {
  const Inst& last = f[f.terminator(block)];
  std::span<const Edge> edges = f.edges_of(last);
  if (last.op != Op::branch) return edges;
  const std::int64_t* condition = f.constant_value(f.operands(last)[0]);
  return condition == nullptr ? edges : edges.subspan(*condition != 0 ? 0 : 1, 1);
}

void Demand::order_blocks() {
  entries.assign(f.blocks.size(), 0);
  finished.assign(f.blocks.size(), 0);
  struct Visit {
    BlockId block;
    std::uint32_t next_edge;
  };
  std::vector<Visit> stack{{f.entry(), 0}};
  entries[index_of(f.entry())] = 1;   // the function's caller
  while (!stack.empty()) {
    Visit& top = stack.back();
    std::span<const Edge> edges = taken_edges(top.block);
    if (top.next_edge == edges.size()) {
      finished[index_of(top.block)] = static_cast<std::uint32_t>(postorder.size());
      postorder.push_back(top.block);
      stack.pop_back();
      continue;
    }
    BlockId to = edges[top.next_edge++].to;
    if (entries[index_of(to)]++ == 0) stack.push_back({to, 0});
  }
  for (bool cold : {false, true})
    for (BlockId block : f.order)
      if (entries[index_of(block)] != 0 && (f[block].cold && block != f.entry()) == cold) layout.push_back(block);
}

void Demand::count_uses() {
  uses_.assign(f.insts.size(), 0);
  for (BlockId block : layout) {
    for (ValueId id : f[block].insts)
      for (ValueId operand : f.operands(id)) ++uses_[index_of(operand)];
    for (const Edge& edge : taken_edges(block))
      for (ValueId argument : f.arguments(edge)) ++uses_[index_of(argument)];
  }
}

unsigned Demand::bits(ValueId id, unsigned depth) const {
  const Inst& inst = f[id];
  unsigned most = inst.type.bits();
  if (inst.type.kind == Kind::i1) return 1;
  if (inst.type.is_ptr()) return inst.op == Op::constant ? 0 : 64;
  auto of = [&](unsigned i) { return depth == 0 ? 64 : bits(f.operands(inst)[i], depth - 1); };
  auto constant = [&](unsigned i) { return f.constant_value(f.operands(inst)[i]); };
  unsigned result = 64;
  switch (inst.op) {
    case Op::constant:
      return static_cast<unsigned>(std::bit_width(most == 32 ? static_cast<std::uint32_t>(inst.imm) : static_cast<std::uint64_t>(inst.imm)));
    case Op::param:
      result = inst.block == f.entry() && f.role != Role::subprogram ? 64 : most;
      break;
    case Op::add: result = std::min(most, std::max(of(0), of(1)) + 1); break;
    case Op::sub: case Op::shl: case Op::ashr: case Op::neg: case Op::not_: case Op::sdiv: case Op::srem: result = most; break;
    case Op::mul: result = std::min(most, of(0) + of(1)); break;
    case Op::udiv: case Op::urem: result = std::min(most, of(0)); break;
    case Op::and_: result = std::min({most, of(0), of(1)}); break;
    case Op::or_: case Op::xor_: result = std::min(most, std::max(of(0), of(1))); break;
    case Op::lshr: {
      result = std::min(most, of(0));
      if (const std::int64_t* by = constant(1))
        result -= std::min(result, static_cast<unsigned>(*by) & (most - 1));
      break;
    }
    case Op::bswap: result = inst.width; break;
    case Op::zext: result = std::min<unsigned>(inst.width, of(0)); break;
    case Op::sext: {
      unsigned from = of(0);
      result = from < inst.width ? from : most;
      break;
    }
    case Op::trunc: result = of(0); break;
    case Op::select: result = std::max(depth == 0 ? 64 : bits(f.operands(inst)[1], depth - 1), of(2)); break;
    case Op::load:
      result = !inst.flag(kSigned) || inst.width >= most ? inst.width : options.isa >= 4 ? 64 : most;
      break;
    case Op::call: result = most; break;
    case Op::atomic_add: case Op::atomic_and: case Op::atomic_or: case Op::atomic_xor: case Op::atomic_xchg:
    case Op::atomic_cmpxchg: result = inst.width; break;
    default: break;
  }
  if (const Fact* fact = f.fact(id); fact != nullptr && (most == 64 || result <= 32))
    result = std::min(result, static_cast<unsigned>(std::bit_width(fact->umax & ~fact->zeros)));
  return result;
}

ValueId Demand::root(ValueId value) const {
  for (;;) {
    const Inst& inst = f[value];
    switch (inst.op) {
      case Op::trunc: case Op::ptr_to_int: case Op::int_to_ptr: case Op::ptr_cast: break;
      case Op::zext:
        if (bits(f.operands(inst)[0]) > inst.width) return value;
        break;
      case Op::sext:
        if (bits(f.operands(inst)[0]) >= inst.width) return value;
        break;
      case Op::ptr_add: {
        const std::int64_t* by = f.constant_value(f.operands(inst)[1]);
        if (by == nullptr || *by != 0) return value;
        break;
      }
      default: return value;
    }
    value = f.operands(inst)[0];
  }
}

Address Demand::address(ValueId pointer, std::int64_t offset, std::int64_t bytes) const {
  for (;;) {
    pointer = root(pointer);
    const Inst& inst = f[pointer];
    std::int64_t more = 0;
    if (inst.op == Op::ptr_add) {
      const std::int64_t* by = f.constant_value(f.operands(inst)[1]);
      if (by == nullptr) break;
      more = *by;
    } else if (inst.op == Op::stack_addr || inst.op == Op::map_value) {
      more = inst.imm;
    } else {
      break;
    }
    std::int64_t sum = 0;
    if (__builtin_add_overflow(offset, more, &sum) || sum < -32768 || sum + bytes > 32767) break;
    offset = sum;
    if (inst.op != Op::ptr_add) return {pointer, offset, true};
    pointer = f.operands(inst)[0];
  }
  return {pointer, offset, false};
}

bool Demand::tested_by_jumps(ValueId condition) const {
  const Inst& inst = f[condition];
  if (inst.compare() || inst.op == Op::not_) return true;
  return (inst.op == Op::and_ || inst.op == Op::or_) && uses_[index_of(condition)] == 1;
}

ValueId Demand::bit_test(const Inst& compare) const {
  if (compare.op != Op::eq && compare.op != Op::ne) return kNoValue;
  ValueId left = f.operands(compare)[0];
  const std::int64_t* zero = f.constant_value(f.operands(compare)[1]);
  if (zero == nullptr || *zero != 0 || f[left].op != Op::and_ || uses_[index_of(left)] != 1) return kNoValue;
  if (f.type_of(left).kind == Kind::i32 && options.isa < 3) return kNoValue;
  return left;
}

ValueId Demand::shifted_truth(const Inst& inst) const {
  if (inst.op != Op::shl) return kNoValue;
  ValueId left = f.operands(inst)[0], compare = root(left);
  const std::int64_t* by = f.constant_value(f.operands(inst)[1]);
  bool once = uses_[index_of(left)] == 1 && uses_[index_of(compare)] == 1;
  return by != nullptr && *by >= 0 && *by <= 30 && once && f[compare].compare() ? compare : kNoValue;
}

void Demand::want(ValueId value) { ++needs[index_of(value)]; }

void Demand::want_condition(ValueId value) {
  const Inst& inst = f[value];
  if (!tested_by_jumps(value)) return want(value);
  if (inst.compare())
    if (ValueId masked = bit_test(inst); masked != kNoValue) {
      for (ValueId operand : f.operands(masked)) want(operand);
      return;
    }
  for (ValueId operand : f.operands(inst)) inst.compare() ? want(operand) : want_condition(operand);
}

void Demand::want_address(ValueId pointer, std::int64_t offset, std::int64_t bytes) { want(address(pointer, offset, bytes).base); }

/// Cheap, wanted once, and its operands are there anyway.
bool Demand::can_sink(ValueId value, BlockId from) const {
  const Inst& inst = f[value];
  if (inst.block != from || inst.type.kind == Kind::i1 || uses_[index_of(value)] != 1 || root(value) != value) return false;
  if (inst.op == Op::ptr_add) return true;
  bool divides = inst.op >= Op::udiv && inst.op <= Op::srem;
  return has(inst.op, kPure) && !divides && inst.op >= Op::add && inst.op <= Op::sext;
}

void Demand::visit_terminator(BlockId block) {
  const Inst& last = f[f.terminator(block)];
  if (taken_edges(block).size() > 1)
    for (const Edge& edge : taken_edges(block)) {
      // An edge that leads back is better left without instructions: the branch itself may then close the loop.
      if (finished[index_of(edge.to)] >= finished[index_of(block)]) continue;
      for (ValueId argument : f.arguments(edge))
        if (can_sink(argument, block)) sunk_[index_of(argument)] = true;
    }
  for (const Edge& edge : taken_edges(block)) {
    std::span<const ValueId> arguments = f.arguments(edge);
    const std::vector<ValueId>& params = f[edge.to].params;
    bool back = finished[index_of(edge.to)] >= finished[index_of(block)];
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (back || needed(params[i])) want(arguments[i]);
  }
  std::span<const ValueId> operands = f.operands(last);
  if (last.op == Op::branch)
    want_condition(operands[0]);
  else
    for (ValueId operand : operands) want(operand);
}

void Demand::visit(ValueId id) {
  const Inst& inst = f[id];
  if (!needed(id) && !has_effect(inst)) return;
  if (ValueId same = root(id); same != id) {
    needs[index_of(same)] += needs[index_of(id)];
    return;
  }
  std::span<const ValueId> operands = f.operands(inst);
  if (inst.compare()) return want_condition(id);
  if (ValueId compare = shifted_truth(inst); compare != kNoValue) return want_condition(compare);
  switch (inst.op) {
    case Op::select:
      for (unsigned choice : {2U, 1U})
        if (can_sink(operands[choice], inst.block)) {
          sunk_[index_of(operands[choice])] = true;
          break;
        }
      want_condition(operands[0]);
      want(operands[1]);
      want(operands[2]);
      return;
    case Op::copy:
      want_address(operands[0], 0, inst.imm);
      want_address(operands[1], 0, inst.imm);
      return;
    case Op::zero: return want_address(operands[0], 0, inst.imm);
    default: break;
  }
  if (!has(inst.op, kHasOffset)) {
    for (ValueId operand : operands) want(operand);
    return;
  }
  want_address(operands[0], inst.imm, inst.width / 8);
  for (ValueId operand : operands.subspan(1)) want(operand);
}

}  // namespace espy::ir::bpf
