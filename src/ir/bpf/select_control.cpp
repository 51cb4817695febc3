// Selection of calls, branches, switches, and of the copies that give block parameters their values.
#include <algorithm>

#include "ir/bpf/select.hpp"

namespace espy::ir::bpf {
namespace {

constexpr std::size_t kMaxArguments = 5;
constexpr std::int32_t kTailCall = 12;       // bpf_tail_call
constexpr std::size_t kLinearCases = 4;

Jump machine_jump(Op compare) {
  switch (compare) {
    case Op::eq: return Jump::eq;
    case Op::ne: return Jump::ne;
    case Op::ult: return Jump::lt;
    case Op::ule: return Jump::le;
    case Op::ugt: return Jump::gt;
    case Op::uge: return Jump::ge;
    case Op::slt: return Jump::slt;
    case Op::sle: return Jump::sle;
    case Op::sgt: return Jump::sgt;
    default: return Jump::sge;
  }
}

bool is_signed(Op compare) { return compare >= Op::slt && compare <= Op::sge; }
/// Not in the first instruction set.
bool newer(Jump op) { return op >= Jump::lt; }
Jump exchanged(Jump op) {
  return op == Jump::lt ? Jump::gt : op == Jump::le ? Jump::ge : op == Jump::slt ? Jump::sgt : Jump::sge;
}
Jump opposite(Jump op) {
  return op == Jump::lt ? Jump::ge : op == Jump::le ? Jump::gt : op == Jump::slt ? Jump::sge : Jump::sgt;
}

}  // namespace

Result<void> Selector::call(ValueId id) {
  const Inst& inst = f_[id];
  std::span<const ValueId> arguments = f_.operands(inst);
  if (arguments.size() > kMaxArguments)
    return fail(ErrorKind::exhausted, "function `{}` calls with {} arguments: eBPF passes at most {}", f_.name, arguments.size(),
                kMaxArguments);
  // Values first, then the leaves, so that nothing is made before it is needed.
  for (bool leaves : {false, true})
    for (std::size_t i = 0; i < arguments.size(); ++i)
      if (f_[demand_.root(arguments[i])].leaf() == leaves) put_clean(static_cast<Reg>(i + 1), arguments[i]);
  auto count = static_cast<unsigned>(arguments.size());
  if (inst.op == Op::call_helper) {
    call_instruction(isa::CallKind::helper, count, static_cast<std::int32_t>(inst.imm));
  } else {
    bool own = inst.op == Op::call;
    out_.wide.push_back({.refers = true, .kind = own ? ReferenceKind::function : ReferenceKind::external,
                         .id = static_cast<std::uint32_t>(inst.imm)});
    call_instruction(own ? isa::CallKind::subprogram : isa::CallKind::kfunc, count, static_cast<std::int32_t>(out_.wide.size() - 1));
  }
  if (demand_.needed(id)) copy(reg_of(id), 0);
  return {};
}

void Selector::terminator(BlockId block) {
  const Inst& inst = f_[f_.terminator(block)];
  std::span<const ValueId> operands = f_.operands(inst);
  std::span<const Edge> edges = demand_.taken_edges(block);
  switch (inst.op) {
    case Op::branch:
      if (edges.size() == 2) {
        MBlockId yes = destination(edges[0]), no = destination(edges[1]);
        branch_on(operands[0], yes, no);
        break;
      }
      [[fallthrough]];
    case Op::jump:
      edge_copies(edges[0]);
      end(index_of(edges[0].to));
      break;
    case Op::switch_: select_switch(operands[0], edges); break;
    case Op::tail_call:
      for (std::size_t i = 0; i < 3; ++i) put_clean(static_cast<Reg>(i + 1), operands[i]);
      call_instruction(isa::CallKind::helper, 3, kTailCall);
      edge_copies(edges[0]);
      end(index_of(edges[0].to));
      break;
    default:   // ret, unreachable: verifiers want a result all the same
      if (operands.empty())
        alu(Alu::mov, true, 0, 0);
      else
        put_clean(0, operands[0]);
      exit();
      end(kNoMBlock);
      break;
  }
  for (const PendingEdge& edge : pending_) {
    begin(edge.block);
    edge_copies(*edge.edge);
    end(index_of(edge.edge->to));
  }
  pending_.clear();
}

/// Where a jump over one of several edges goes: the block, or one between that makes the edge's copies.
MBlockId Selector::destination(const Edge& edge) {
  std::span<const ValueId> params = f_[edge.to].params;
  bool copies = std::ranges::any_of(params, [&](ValueId param) { return demand_.needed(param); });
  if (!copies || arrivals_[index_of(edge.to)] != nullptr) return index_of(edge.to);
  MBlockId between = new_block();
  pending_.push_back({&edge, between});
  return between;
}

void Selector::edge_copies(const Edge& edge) {
  std::span<const ValueId> arguments = f_.arguments(edge), params = f_[edge.to].params;
  copies_.clear();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    ValueId root = demand_.root(arguments[i]);
    if (!demand_.needed(params[i]) || f_[root].leaf()) continue;
    if (demand_.sunk(root)) arithmetic(f_[root], reg_of(root));
    copies_.push_back({reg_of(params[i]), reg_of(root), !demand_.clean(arguments[i])});
  }
  parallel_copies();
  for (std::size_t i = 0; i < arguments.size(); ++i)
    if (demand_.needed(params[i]) && f_[demand_.root(arguments[i])].leaf()) put_clean(reg_of(params[i]), arguments[i]);
}

/// Makes copies that happen at once one after the other: first those whose target nobody still reads; where only cycles
/// are left, one target's old value is set aside.
void Selector::parallel_copies() {
  std::erase_if(copies_, [](const RegCopy& c) { return c.dst == c.src && !c.narrow; });
  while (!copies_.empty()) {
    std::size_t before = copies_.size();
    for (std::size_t i = 0; i < copies_.size();) {
      RegCopy now = copies_[i];
      bool read = std::ranges::any_of(copies_, [&](const RegCopy& c) { return c.src == now.dst && c.dst != now.dst; });
      if (read) {
        ++i;
        continue;
      }
      if (now.narrow)
        alu(Alu::mov, false, now.dst, now.src);
      else
        copy(now.dst, now.src);
      copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (copies_.size() != before) continue;
    Reg aside = new_reg(), target = copies_.front().dst;
    copy(aside, target);
    for (RegCopy& c : copies_)
      if (c.src == target) c.src = aside;
  }
}

// ---- conditions -----------------------------------------------------------------------------------------------------

/// A compare's operand in a register; within a select, its first choice is found where it was put already.
Reg Selector::compared(ValueId value) {
  if (renamed_ != kNoValue && demand_.root(value) == renamed_) return renamed_to_;
  return use(value);
}

void Selector::branch_on(ValueId condition, MBlockId yes, MBlockId no) {
  const Inst& inst = f_[condition];
  std::span<const ValueId> operands = f_.operands(inst);
  if (yes == no) return end(yes);
  if (const std::int64_t* constant = f_.constant_value(condition)) return end(*constant != 0 ? yes : no);
  if (!demand_.tested_by_jumps(condition)) return jump_if(Jump::ne, true, compared(condition), 0, yes, no);
  if (inst.op == Op::not_) return branch_on(operands[0], no, yes);
  if (inst.op == Op::and_ || inst.op == Op::or_) {
    MBlockId second = new_block();
    inst.op == Op::and_ ? branch_on(operands[0], second, no) : branch_on(operands[0], yes, second);
    begin(second);
    return branch_on(operands[1], yes, no);
  }
  if (ValueId masked = demand_.bit_test(inst); masked != kNoValue) {
    if (inst.op == Op::eq) std::swap(yes, no);
    bool wide = f_.type_of(masked).kind != Kind::i32;
    ValueId left = f_.operands(masked)[0], right = f_.operands(masked)[1];
    if (f_[left].leaf()) std::swap(left, right);
    if (std::optional<std::int32_t> imm = immediate(right)) return jump_if(Jump::set, wide, compared(left), *imm, yes, no);
    Reg mask = compared(right);
    return jump_if(Jump::set, wide, compared(left), mask, yes, no);
  }
  compare_jump(inst.op, operands[0], operands[1], yes, no);
}

void Selector::compare_jump(Op op, ValueId left, ValueId right, MBlockId yes, MBlockId no) {
  if (f_[left].leaf() && !f_[right].leaf()) {
    std::swap(left, right);
    op = swapped(op);
  }
  Jump jump = machine_jump(op);
  std::optional<std::int32_t> imm = immediate(right);
  if (f_.type_of(left).kind != Kind::i32) {
    if (imm) return jump_if(jump, true, compared(left), *imm, yes, no);
    Reg second = compared(right);
    return jump_if(jump, true, compared(left), second, yes, no);
  }
  // With clear upper halves, unsigned compares are those of 64 bits, of which verifiers know most.
  bool clear = !is_signed(op) && demand_.clean(left) && (imm ? *imm >= 0 : demand_.clean(right));
  bool wide = clear || options_.isa < 3;
  if (clear || options_.isa >= 3) {
    if (imm) return jump_if(jump, wide, compared(left), *imm, yes, no);
    Reg second = compared(right);
    return jump_if(jump, wide, compared(left), second, yes, no);
  }
  // No 32-bit jumps: both are extended as the compare sees them.
  auto extended = [&](ValueId value) {
    if (!is_signed(op)) return demand_.clean(value) ? compared(value) : use_clean(value);
    Reg reg = new_reg();
    sign_extend(reg, compared(value), 32, true);
    return reg;
  };
  if (imm && (is_signed(op) || *imm >= 0)) return jump_if(jump, true, extended(left), *imm, yes, no);
  Reg second = extended(right);
  jump_if(jump, true, extended(left), second, yes, no);
}

void Selector::jump_if(Jump op, bool wide, Reg left, Reg right, MBlockId yes, MBlockId no) {
  if (options_.isa < 2 && newer(op)) {
    std::swap(left, right);
    op = exchanged(op);
  }
  push({.opcode = static_cast<std::uint8_t>(std::to_underlying(op) | class_jump(wide) | kRegisterOperand),
        .effects = kReadsDst | kReadsSrc, .dst = left, .src = right});
  end(yes, no);
}

void Selector::jump_if(Jump op, bool wide, Reg left, std::int32_t right, MBlockId yes, MBlockId no) {
  if (options_.isa < 2 && newer(op)) {
    std::swap(yes, no);
    op = opposite(op);
  }
  push({.opcode = static_cast<std::uint8_t>(std::to_underlying(op) | class_jump(wide)), .effects = kReadsDst, .imm = right, .dst = left});
  end(yes, no);
}

/// The first choice is put there, and the other one over it where the condition says so.
void Selector::select_value(const Inst& inst, Reg dst) {
  std::span<const ValueId> operands = f_.operands(inst);
  ValueId first = operands[1], second = operands[2];
  auto cheap = [&](ValueId value) {
    ValueId root = demand_.root(value);
    return f_[root].leaf() ? 0 : demand_.needs[index_of(root)] == 1 ? 2 : 1;
  };
  bool exchange = demand_.sunk(first) || (!demand_.sunk(second) && cheap(second) > cheap(first));
  if (exchange) std::swap(first, second);
  put(dst, first);
  MBlockId over = new_block(), behind = new_block();
  ValueId root = demand_.root(first);
  renamed_ = f_[root].leaf() ? kNoValue : root;
  renamed_to_ = dst;
  exchange ? branch_on(operands[0], over, behind) : branch_on(operands[0], behind, over);
  begin(over);
  if (demand_.sunk(second)) {
    // With a constant as the other operand, the first choice may be changed where it is.
    const Inst& made = f_[second];
    std::span<const ValueId> of = f_.operands(made);
    if (of.size() == 2 && !f_[of[1]].leaf()) renamed_ = kNoValue;
    arithmetic(made, dst);
    renamed_ = kNoValue;
  } else {
    renamed_ = kNoValue;
    put(dst, second);
  }
  end(behind);
  begin(behind);
}

/// A compare as a number: `yes` or 0.
void Selector::truth_value(ValueId id, Reg dst, std::int32_t yes) {
  alu(Alu::mov, true, dst, yes);
  MBlockId over = new_block(), behind = new_block();
  branch_on(id, behind, over);
  begin(over);
  alu(Alu::mov, true, dst, 0);
  end(behind);
  begin(behind);
}

// ---- switch ---------------------------------------------------------------------------------------------------------

void Selector::select_switch(ValueId value, std::span<const Edge> edges) {
  std::vector<SwitchCase> cases;
  cases.reserve(edges.size());
  bool narrow = f_.type_of(value).kind == Kind::i32;
  MBlockId otherwise = kNoMBlock;
  for (const Edge& edge : edges) {
    MBlockId to = destination(edge);
    if (&edge == &edges.back())
      otherwise = to;
    else
      cases.push_back({narrow ? static_cast<std::int32_t>(edge.value) : edge.value, to});
  }
  std::ranges::sort(cases, {}, &SwitchCase::value);
  // Where no case is negative, the order is that of unsigned numbers, in which the number is bounded on both sides.
  bool wide = !narrow || options_.isa < 3;
  bool is_unsigned = cases.empty() || cases.front().value >= 0;
  Reg reg = kNoReg;
  if (narrow && (options_.isa < 3 || demand_.clean(value)) && is_unsigned) {
    wide = true;
    reg = use_clean(value);
  } else if (narrow && options_.isa < 3) {
    reg = new_reg();
    sign_extend(reg, use(value), 32, true);
  } else {
    reg = use(value);
  }
  switch_tree({reg, wide, is_unsigned}, cases, otherwise);
}

/// Few cases are tested one after the other; more are halved.
void Selector::switch_tree(const Switched& on, std::span<const SwitchCase> cases, MBlockId otherwise) {
  auto jump = [&](Jump op, std::int64_t value, MBlockId yes, MBlockId no) {
    if (value == static_cast<std::int32_t>(value)) return jump_if(op, on.wide, on.reg, static_cast<std::int32_t>(value), yes, no);
    Reg constant = new_reg();
    make_constant(constant, value, true);
    jump_if(op, on.wide, on.reg, constant, yes, no);
  };
  if (cases.empty()) return end(otherwise);
  if (cases.size() <= kLinearCases) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      bool last = i + 1 == cases.size();
      MBlockId next = last ? otherwise : new_block();
      jump(Jump::eq, cases[i].value, cases[i].to, next);
      if (!last) begin(next);
    }
    return;
  }
  std::size_t half = cases.size() / 2;
  MBlockId upper = new_block(), lower = new_block();
  jump(on.is_unsigned ? Jump::ge : Jump::sge, cases[half].value, upper, lower);
  begin(lower);
  switch_tree(on, cases.first(half), otherwise);
  begin(upper);
  switch_tree(on, cases.subspan(half), otherwise);
}

}  // namespace espy::ir::bpf
