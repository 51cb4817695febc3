// Calls of small subprograms, and of those that are called only once, give way to what they call. Functions are taken
// bottom up, so that what is inlined has had its own calls inlined already; what calls itself, by whatever way, stays.
// Stack slots move to the caller's frame, which is kept within a bound: eBPF has 512 bytes.
#include <algorithm>
#include <array>

#include "ir/passes/passes.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {
namespace {

constexpr std::size_t kMostInsts = 20'000;     // of a caller, that it may grow to
constexpr std::uint32_t kMostStack = 256;      // bytes of slots of a caller, that it may grow to by inlining

std::size_t size_of(const Function& f) {
  std::size_t size = 0;
  for (BlockId block : f.order) size += f[block].insts.size();
  return size;
}

std::uint32_t stack_of(const Function& f) {
  std::uint32_t bytes = 0;
  for (const Slot& slot : f.slots) bytes += slot.size;
  return bytes;
}

template <typename Visit>
void each_call(const Function& f, Visit visit) {
  for (BlockId block : f.order)
    for (ValueId id : f[block].insts)
      if (f[id].is(Op::call)) visit(block, id, static_cast<std::uint32_t>(f[id].imm));
}

/// Copies one called function to where it is called.
class Copy {
 public:
  Copy(Function& to, const Function& from, BlockId block, ValueId call)
      : to_(to), from_(from), block_(block), call_(call), values_(from.insts.size(), kNoValue), blocks_(from.blocks.size(), kNoBlock) {}

  /// Where the caller goes on.
  BlockId run() {
    cut();
    std::vector<ValueId> arguments(to_.operands(call_).begin(), to_.operands(call_).end());
    for (std::size_t i = 0; i < arguments.size(); ++i) values_[index_of(from_.params()[i])] = arguments[i];
    for (const Slot& slot : from_.slots) slots_.push_back(index_of(to_.add_slot(slot.size, slot.align)));
    place();
    for (BlockId block : from_.order)
      for (ValueId id : from_[block].insts) translate(id);
    ValueId enter = to_.add_inst({.op = Op::jump, .mark = to_[call_].mark, .block = block_}, {});
    to_[block_].insts.push_back(enter);
    to_.set_edges(to_[enter], std::array{to_.make_edge(blocks_[index_of(from_.entry())], {})});
    return after_;
  }

  /// What the call's value is now; kNoValue: it gives none.
  ValueId result() const { return to_.type_of(call_) == kNoType ? kNoValue : to_[after_].params[0]; }

 private:
  /// What stands behind the call becomes a block of its own.
  void cut() {
    after_ = to_.add_block(false);
    to_[after_].cold = to_[block_].cold;
    if (to_.type_of(call_) != kNoType) to_.add_param(after_, to_.type_of(call_));
    std::vector<ValueId>& insts = to_[block_].insts;
    auto at = std::ranges::find(insts, call_);
    to_[after_].insts.assign(at + 1, insts.end());
    insts.erase(at, insts.end());
    for (ValueId id : to_[after_].insts) to_[id].block = after_;
  }

  void place() {
    std::vector<BlockId> copied;
    for (BlockId block : from_.order) {
      BlockId now = blocks_[index_of(block)] = to_.add_block(false);
      copied.push_back(now);
      to_[now].cold = from_[block].cold || to_[block_].cold;
      if (block != from_.entry())
        for (ValueId id : from_[block].params) values_[index_of(id)] = to_.add_param(now, from_.type_of(id));
      for (ValueId id : from_[block].insts) {
        Inst inst = from_[id];
        inst.block = now;
        inst.operand_count = 0;
        inst.edge_count = 0;
        ValueId copy = values_[index_of(id)] = to_.add_inst(inst, {});
        to_[now].insts.push_back(copy);
      }
    }
    copied.push_back(after_);
    to_.order.insert(std::ranges::find(to_.order, block_) + 1, copied.begin(), copied.end());
  }

  void translate(ValueId id) {
    const Inst& old = from_[id];
    ValueId now = values_[index_of(id)];
    std::vector<ValueId> operands = all(from_.operands(old));
    if (old.is(Op::ret)) {
      to_[now].op = Op::jump;
      to_.set_edges(to_[now], std::array{to_.make_edge(after_, operands)});
      return;
    }
    to_.set_operands(to_[now], operands);
    std::vector<Edge> edges;
    for (const Edge& edge : from_.edges_of(old))
      edges.push_back(to_.make_edge(blocks_[index_of(edge.to)], all(from_.arguments(edge)), edge.value));
    if (!edges.empty()) to_.set_edges(to_[now], edges);
  }

  std::vector<ValueId> all(std::span<const ValueId> list) {
    std::vector<ValueId> out;
    for (ValueId id : list) {
      ValueId& now = values_[index_of(id)];
      const Inst& inst = from_[id];
      if (now == kNoValue) now = to_.leaf(inst.op, inst.type, inst.is(Op::stack_addr) ? slots_[inst.extra] : inst.extra, inst.imm);
      out.push_back(now);
    }
    return out;
  }

  Function& to_;
  const Function& from_;
  BlockId block_, after_{};
  ValueId call_;
  std::vector<ValueId> values_;
  std::vector<BlockId> blocks_;
  std::vector<std::uint32_t> slots_;
};

class Inliner {
 public:
  Inliner(Module& module, const Options& options)
      : m_(module), options_(options), calls_(module.functions.size(), 0), state_(module.functions.size(), kNew),
        recursive_(module.functions.size(), false) {
    for (const Function& f : m_.functions)
      each_call(f, [&](BlockId, ValueId, std::uint32_t callee) { ++calls_[callee]; });
  }

  bool run() {
    for (std::uint32_t i = 0; i < m_.functions.size(); ++i) visit(i, 0);
    return changed_;
  }

 private:
  enum State : std::uint8_t { kNew, kOpen, kDone };
  static constexpr int kDeepest = 64;   // chain of calls; eBPF allows 8

  void visit(std::uint32_t at, int depth) {
    if (state_[at] != kNew || depth > kDeepest) return;
    state_[at] = kOpen;
    each_call(m_.functions[at], [&](BlockId, ValueId, std::uint32_t callee) {
      if (state_[callee] == kOpen) recursive_[callee] = true;
      visit(callee, depth + 1);
    });
    inline_into(m_.functions[at]);
    state_[at] = kDone;
  }

  void inline_into(Function& f) {
    Replacements replace;
    std::size_t size = size_of(f);
    std::uint32_t stack = stack_of(f);
    // What is copied in has no calls left that could be inlined, so only the caller's own blocks are looked at.
    std::vector<BlockId> todo = f.order;
    for (std::size_t i = 0; i < todo.size(); ++i) {
      BlockId block = todo[i];
      auto call = std::ranges::find_if(f[block].insts, [&](ValueId id) { return wanted(f, block, id, size, stack); });
      if (call == f[block].insts.end()) continue;
      const Function& callee = m_.functions[static_cast<std::size_t>(f[*call].imm)];
      ValueId id = *call;
      Copy copy(f, callee, block, id);
      todo.push_back(copy.run());
      if (copy.result() != kNoValue) replace.set(id, copy.result());
      size += size_of(callee);
      stack += stack_of(callee);
      changed_ = true;
    }
    replace.apply(f);
  }

  bool wanted(const Function& f, BlockId block, ValueId id, std::size_t size, std::uint32_t stack) const {
    if (!f[id].is(Op::call)) return false;
    auto number = static_cast<std::uint32_t>(f[id].imm);
    const Function& callee = m_.functions[number];
    if (callee.role != Role::subprogram || state_[number] != kDone || recursive_[number]) return false;
    std::size_t more = size_of(callee);
    if (size + more > kMostInsts) return false;
    if (std::uint32_t bytes = stack_of(callee); bytes != 0 && stack + bytes > kMostStack) return false;
    bool tail_calls = std::ranges::any_of(callee.order, [&](BlockId b) { return callee[callee.terminator(b)].is(Op::tail_call); });
    if (tail_calls) return false;   // it would leave more than the subprogram
    bool small = more <= options_.inline_limit && !callee.cold && !f[block].cold;
    return small || calls_[number] == 1;
  }

  Module& m_;
  const Options& options_;
  std::vector<std::uint32_t> calls_;   // by function: from how many places it is called
  std::vector<std::uint8_t> state_;
  std::vector<bool> recursive_;        // by function: it calls itself, over whatever others
  bool changed_ = false;
};

}  // namespace

bool inline_calls(Module& module, const Options& options) { return Inliner(module, options).run(); }

}  // namespace espy::ir
