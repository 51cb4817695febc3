#include "ir/check.hpp"

#include <algorithm>
#include <unordered_set>

#include "ir/analysis/cfg.hpp"
#include "ir/text.hpp"

namespace espy::ir {
namespace {

using Checked = Result<void>;

class Checker {
 public:
  Checker(const Module& module, const Function& function) : m_(module), f_(function) {}

  Checked run() {
    std::uint64_t frame = 0;
    for (const Slot& slot : f_.slots) frame += slot.size;
    if (frame > kMaxFrameBytes) return bad("slots of {} bytes", frame);
    for (const Slot& slot : f_.slots)
      if (slot.size > kMaxSlotBytes || slot.align == 0 || slot.align > 16 || (slot.align & (slot.align - 1)) != 0)
        return bad("a slot of {} bytes, aligned to {}", slot.size, slot.align);
    if (f_.order.empty()) return bad("no block");
    if (f_.params().size() > kMaxArguments) return bad("more than {} parameters", kMaxArguments);
    TRY(shape());
    Cfg cfg(f_);
    if (!cfg.predecessors(f_.entry()).empty()) return bad("an edge leads to the entry block");
    Dominators dominators(cfg);
    cfg_ = &cfg, dominators_ = &dominators;
    for (BlockId block : f_.order) {
      where_ = block;
      for (position_ = 0; position_ < f_[block].insts.size(); ++position_) TRY(instruction(f_[f_[block].insts[position_]]));
    }
    return {};
  }

 private:
  template <typename... Args>
  std::unexpected<Error> bad(fmt::format_string<Args...> format, Args&&... args) const {
    std::string where = fmt::format("function {}", f_.name);
    if (where_ != kNoBlock) {
      auto number = std::ranges::find(f_.order, where_) - f_.order.begin();
      where += fmt::format(": b{}", number);
      if (position_ < f_[where_].insts.size())
        where += fmt::format(": instruction {}: {}", position_, to_string(f_[f_[where_].insts[position_]].op));
    }
    return std::unexpected(Error{.kind = ErrorKind::malformed, .message = fmt::format(format, std::forward<Args>(args)...),
                                 .where = std::move(where)});
  }

  // --- lists, edges: what everything else relies on

  Checked shape() {
    in_order_.assign(f_.blocks.size(), false);
    for (BlockId block : f_.order) {
      if (index_of(block) >= f_.blocks.size() || in_order_[index_of(block)]) return bad("a block is laid out twice");
      in_order_[index_of(block)] = true;
    }
    place_.assign(f_.insts.size(), kNoId);
    for (BlockId block : f_.order) TRY(lists(block));
    for (BlockId block : f_.order) TRY(edges(block));
    return {};
  }

  Checked lists(BlockId block) {
    where_ = block;
    position_ = 0;
    for (std::uint32_t i = 0; ValueId id : f_[block].params) {
      if (index_of(id) >= f_.insts.size() || !f_[id].is(Op::param) || f_[id].block != block || f_[id].extra != i++)
        return bad("parameter {} is not its own", i);
      if (f_.type_of(id) == kNoType) return bad("a parameter without type");
      if (place_[index_of(id)] != kNoId) return bad("a parameter stands twice");
      place_[index_of(id)] = 0;
    }
    if (f_[block].insts.empty()) return bad("an empty block");
    for (; position_ < f_[block].insts.size(); ++position_) {
      ValueId id = f_[block].insts[position_];
      if (index_of(id) >= f_.insts.size()) return bad("no such instruction");
      const Inst& inst = f_[id];
      if (inst.leaf() || inst.is(Op::param)) return bad("stands in a block");
      if (inst.block != block || place_[index_of(id)] != kNoId) return bad("stands in two blocks, or thinks so");
      place_[index_of(id)] = static_cast<std::uint32_t>(position_);
      if (inst.terminator() != (position_ + 1 == f_[block].insts.size()))
        return bad("a block ends in its only terminator");
    }
    position_ = 0;
    return {};
  }

  Checked edges(BlockId block) {
    where_ = block;
    position_ = f_[block].insts.size() - 1;
    const Inst& inst = f_[f_.terminator(block)];
    if (inst.edge_count != 0 && std::size_t{inst.extra} + inst.edge_count > f_.edges.size()) return bad("edges out of range");
    std::size_t count = f_.edges_of(inst).size();
    bool right = inst.is(Op::branch)                               ? count == 2
                 : inst.is(Op::jump) || inst.is(Op::tail_call)     ? count == 1
                 : inst.is(Op::switch_)                            ? count >= 1
                                                                   : count == 0;
    if (!right) return bad("{} edges", count);
    for (const Edge& edge : f_.edges_of(inst))
      if (index_of(edge.to) >= f_.blocks.size() || !in_order_[index_of(edge.to)]) return bad("an edge to a removed block");
    return {};
  }

  // --- values

  /// A value that is there, and is defined on every way to here.
  Checked available(ValueId id) {
    if (index_of(id) >= f_.insts.size()) return bad("no such value");
    const Inst& inst = f_[id];
    if (inst.leaf()) return leaf(inst);
    if (inst.type == kNoType) return bad("an operand without value");
    if (place_[index_of(id)] == kNoId) return bad("an operand that was removed");
    if (!cfg_->reached(where_)) return {};
    bool here = inst.block == where_ && (inst.is(Op::param) || place_[index_of(id)] < position_);
    bool above = inst.block != where_ && cfg_->reached(inst.block) && dominators_->dominates(inst.block, where_);
    if (!here && !above) return bad("an operand is not defined on every way to here");
    return {};
  }

  Checked leaf(const Inst& inst) {
    std::size_t limit = ~std::size_t{0};
    Type type = inst.type;
    switch (inst.op) {
      case Op::constant: if (type.is_ptr() && inst.imm != 0) return bad("a pointer constant that is not null"); break;
      case Op::stack_addr: limit = f_.slots.size(), type = ptr(Space::stack); break;
      case Op::map: limit = m_.maps.size(), type = ptr(Space::map); break;
      case Op::map_value: limit = m_.maps.size(), type = ptr(Space::map_value); break;
      case Op::func_addr: limit = m_.functions.size(), type = ptr(Space::code); break;
      default: limit = m_.externs.size();
    }
    if (inst.extra >= limit) return bad("{} of nothing", to_string(inst.op));
    if (type != inst.type || type == kNoType) return bad("{} is no {}", to_string(inst.op), to_string(inst.type));
    return {};
  }

  Checked instruction(const Inst& inst) {
    int count = row_of(inst.op).operands;
    std::span<const ValueId> operands = f_.operands(inst);
    if (count >= 0 && operands.size() != static_cast<std::size_t>(count)) return bad("{} operands", operands.size());
    for (ValueId id : operands) TRY(available(id));
    for (const Edge& edge : f_.edges_of(inst)) TRY(arguments(edge));
    if (inst.is(Op::switch_)) TRY(cases(inst));
    if (inst.terminator()) return terminator(inst, operands);
    if (has(inst.op, kCall)) return call(inst, operands);
    if (has(inst.op, kReads) || has(inst.op, kWrites)) return memory(inst, operands);
    return pure(inst, operands);
  }

  Checked arguments(const Edge& edge) {
    const std::vector<ValueId>& params = f_[edge.to].params;
    if (std::size_t{edge.first_argument} + edge.argument_count > f_.pool.size()) return bad("arguments out of range");
    std::span<const ValueId> given = f_.arguments(edge);
    if (given.size() != params.size()) return bad("{} arguments for {} parameters", given.size(), params.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
      TRY(available(given[i]));
      if (type(given[i]) != type(params[i]))
        return bad("argument {} is {}, the parameter {}", i, to_string(type(given[i])), to_string(type(params[i])));
    }
    return {};
  }

  Checked cases(const Inst& inst) {
    std::unordered_set<std::int64_t> seen;
    std::span<const Edge> edges = f_.edges_of(inst);
    for (const Edge& edge : edges.first(edges.size() - 1)) {
      if (!seen.insert(edge.value).second) return bad("case {} stands twice", edge.value);
      if (type(f_.operands(inst)[0]) == kI32 && edge.value != static_cast<std::int32_t>(edge.value))
        return bad("case {} is no i32", edge.value);
    }
    return {};
  }

  Checked terminator(const Inst& inst, std::span<const ValueId> operands) {
    if (inst.type != kNoType) return bad("a terminator gives no value");
    if (inst.is(Op::branch)) return is(operands[0], kI1);
    if (inst.is(Op::switch_) && !type(operands[0]).is_int()) return bad("a switch is over a number");
    if (inst.is(Op::ret)) {
      if (operands.size() != (f_.result == kNoType ? 0U : 1U)) return bad("the function gives {}", to_string(f_.result));
      return operands.empty() ? Checked{} : is(operands[0], f_.result);
    }
    if (inst.is(Op::tail_call)) {
      TRY(is(operands[0], ptr(Space::ctx)));
      TRY(is(operands[1], ptr(Space::map)));
      return is(operands[2], kI32);
    }
    return {};
  }

  Checked call(const Inst& inst, std::span<const ValueId> operands) {
    if (operands.size() > kMaxArguments) return bad("more than {} arguments", kMaxArguments);
    if (inst.is(Op::call_helper)) return inst.imm >= 0 && inst.imm <= INT32_MAX ? Checked{} : bad("no such helper");
    std::size_t limit = inst.is(Op::call) ? m_.functions.size() : m_.externs.size();
    if (inst.imm < 0 || static_cast<std::size_t>(inst.imm) >= limit) return bad("a call of nothing");
    if (inst.is(Op::call_kfunc)) return {};
    const Function& callee = m_.functions[static_cast<std::size_t>(inst.imm)];
    if (callee.order.empty()) return bad("{} has no body", callee.name);
    if (inst.type != callee.result) return bad("{} gives {}", callee.name, to_string(callee.result));
    if (operands.size() != callee.params().size()) return bad("{} takes {} arguments", callee.name, callee.params().size());
    for (std::size_t i = 0; i < operands.size(); ++i)
      if (type(operands[i]) != callee.type_of(callee.params()[i])) return bad("argument {} is {}", i, to_string(type(operands[i])));
    return {};
  }

  Checked memory(const Inst& inst, std::span<const ValueId> operands) {
    if (!type(operands[0]).is_ptr() || opaque(operands[0])) return bad("{} is no memory", to_string(type(operands[0])));
    if (!one_of(inst.width, {8, 16, 32, 64})) return bad("width {}", inst.width);
    bool block = inst.is(Op::copy) || inst.is(Op::zero);
    if (block && (inst.imm < 0 || inst.imm > kMaxBlockBytes)) return bad("{} bytes", inst.imm);
    if (!block && inst.imm != static_cast<std::int32_t>(inst.imm)) return bad("offset {}", inst.imm);
    if (inst.is(Op::copy) && (!type(operands[1]).is_ptr() || opaque(operands[1]))) return bad("copies from no memory");
    if (inst.is(Op::load)) return fits(inst.type, inst.width);
    if (inst.is(Op::store)) {
      if (inst.type != kNoType) return bad("gives no value");
      return fits(type(operands[1]), inst.width);
    }
    if (block) return inst.type == kNoType ? Checked{} : bad("gives no value");
    if (inst.width < 32 || type(operands[1]) != (inst.width == 32 ? kI32 : kI64)) return bad("an atomic is of its value's width");
    if (inst.is(Op::atomic_cmpxchg)) TRY(is(operands[2], type(operands[1])));
    bool fetch = inst.flag(kFetch);
    if (!fetch && inst.op >= Op::atomic_xchg) return bad("gives the old value");
    return inst.type == (fetch ? type(operands[1]) : kNoType) ? Checked{} : bad("gives {}", to_string(inst.type));
  }

  /// A value of this type in memory of this width.
  Checked fits(Type type, unsigned width) {
    if (type.is_ptr() && width == 64) return {};
    if (type.is_int() && width <= type.bits()) return {};
    return bad("{} in {} bits", to_string(type), width);
  }

  Checked pure(const Inst& inst, std::span<const ValueId> operands) {
    if (has(inst.op, kBinary)) {
      bool truth = inst.type == kI1 && (inst.is(Op::and_) || inst.is(Op::or_) || inst.is(Op::xor_));
      if (!inst.type.is_int() && !truth) return bad("not of {}", to_string(inst.type));
      TRY(is(operands[0], inst.type));
      return is(operands[1], inst.type);
    }
    if (has(inst.op, kCompare)) {
      Type a = type(operands[0]), b = type(operands[1]);
      if (inst.type != kI1) return bad("gives i1");
      if (a.is_ptr() && b.is_ptr()) return {};
      return a == b && a.is_int() ? Checked{} : bad("compares {} with {}", to_string(a), to_string(b));
    }
    return unlike(inst, operands);
  }

  /// Operations whose operands' types are not the result's.
  Checked unlike(const Inst& inst, std::span<const ValueId> operands) {
    Type a = type(operands[0]);
    auto expect = [&](bool right) -> Checked { return right ? Checked{} : bad("{} from {}", to_string(inst.type), to_string(a)); };
    switch (inst.op) {
      case Op::neg: return expect(inst.type == a && a.is_int());
      case Op::not_: return expect(inst.type == a && (a.is_int() || a == kI1));
      case Op::bswap: return expect(inst.type == a && a.is_int() && one_of(inst.width, {16, 32, 64}) && inst.width <= a.bits());
      case Op::zext:
      case Op::sext:
        if (a == kI1) return expect(inst.type.is_int() && inst.width == 1);
        return expect(a.is_int() && inst.type.is_int() && one_of(inst.width, {8, 16, 32}) && (inst.width < 32 || inst.type == kI64));
      case Op::trunc: return expect(a == kI64 && inst.type == kI32);
      case Op::select:
        TRY(is(operands[0], kI1));
        TRY(is(operands[1], inst.type));
        return is(operands[2], inst.type);
      case Op::ptr_add:
        TRY(is(operands[1], kI64));
        return expect(a.is_ptr() && a == inst.type && !opaque(operands[0]));
      case Op::ptr_to_int: return expect(a.is_ptr() && inst.type == kI64);
      case Op::int_to_ptr: return expect(a == kI64 && inst.type.is_ptr());
      case Op::ptr_cast: return expect(a.is_ptr() && inst.type.is_ptr());
      default: return bad("is no instruction");
    }
  }

  Type type(ValueId id) const { return f_.type_of(id); }
  /// Handles are given to calls only.
  bool opaque(ValueId id) const {
    Space space = type(id).space;
    return space == Space::map || space == Space::code || space == Space::packet_end;
  }
  Checked is(ValueId id, Type wanted) {
    if (type(id) == wanted) return {};
    return bad("an operand is {}, not {}", to_string(type(id)), to_string(wanted));
  }
  static bool one_of(unsigned value, std::initializer_list<unsigned> list) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  const Module& m_;
  const Function& f_;
  const Cfg* cfg_ = nullptr;
  const Dominators* dominators_ = nullptr;
  BlockId where_ = kNoBlock;
  std::size_t position_ = 0;
  std::vector<bool> in_order_;
  std::vector<std::uint32_t> place_;   // by value: its place in its block
};

}  // namespace

Result<void> check(const Module& module, const Function& function) { return Checker(module, function).run(); }

Result<void> check(const Module& module) {
  std::unordered_set<std::string_view> names;
  for (const Function& function : module.functions) {
    if (!names.insert(function.name).second)
      return fail(ErrorKind::malformed, "two functions are named `{}`", function.name);
    TRY(check(module, function));
  }
  return {};
}

}  // namespace espy::ir
