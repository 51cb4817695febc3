// A small block whose values are used only in itself, and whose terminator is a jump, or is decided by what an edge gives
// the block: that edge may lead to where the block would lead. So `a && b`, lowered to a block with a truth value as its
// parameter, becomes plain branches. A jump to a block that only returns, returns.
//
// An edge is not led past a block that a loop returns to, unless that only jumps: the loop would get a second entry.
#include "ir/passes/thread.hpp"

#include <algorithm>

#include "ir/analysis/cfg.hpp"
#include "ir/evaluate.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {
namespace {

class Threader {
 public:
  explicit Threader(Function& f) : f_(f), cfg_(f), uses_(count_uses(f)), passable_(f.blocks.size(), kUnknown) {}

  bool run() {
    bool changed = false;
    for (BlockId block : cfg_.order()) {
      std::size_t edges = f_.successors(block).size();
      for (std::size_t i = 0; i < edges; ++i)
        for (int hops = 0; hops < kHops && lead_on(block, i); ++hops) changed = true;
      changed |= return_here(block);
    }
    return changed;
  }

 private:
  static constexpr int kHops = 16;            // past a chain of blocks, or round a loop of them
  static constexpr std::size_t kMaxInsts = 4; // of a block that edges are led past, its terminator too
  static constexpr std::size_t kMaxParams = 64;
  enum Passable : std::uint8_t { kUnknown, kNo, kJump, kDecided };

  Passable passable(BlockId block) {
    std::uint8_t& known = passable_[index_of(block)];
    if (known == kUnknown) known = find_passable(block);
    return static_cast<Passable>(known);
  }

  Passable find_passable(BlockId block) const {
    const Block& b = f_[block];
    if (block == f_.entry() || b.insts.size() > kMaxInsts || b.params.size() > kMaxParams) return kNo;
    for (std::size_t i = 0; i + 1 < b.insts.size(); ++i)
      if (!has(f_[b.insts[i]].op, kPure)) return kNo;
    const Inst& last = f_[b.insts.back()];
    if (!used_only_here(b)) return kNo;
    if (last.is(Op::jump)) return b.insts.size() == 1 ? kJump : kNo;
    if (!last.is(Op::branch) && !last.is(Op::switch_)) return kNo;
    for (BlockId from : cfg_.predecessors(block))
      if (cfg_.number(from) >= cfg_.number(block)) return kNo;   // a loop's head
    return kDecided;
  }

  bool used_only_here(const Block& block) const {
    auto here = [&](ValueId value) {
      std::uint32_t count = 0;
      for (ValueId id : block.insts) {
        count += static_cast<std::uint32_t>(std::ranges::count(f_.operands(id), value));
        for (const Edge& edge : f_.edges_of(f_[id]))
          count += static_cast<std::uint32_t>(std::ranges::count(f_.arguments(edge), value));
      }
      return count == uses_[index_of(value)];
    };
    return std::ranges::all_of(block.params, here) &&
           std::ranges::all_of(block.insts.begin(), block.insts.end() - 1, here);
  }

  /// Leads one edge one block further; false: it stays.
  bool lead_on(BlockId from, std::size_t which) {
    const Edge edge = f_.successors(from)[which];
    if (edge.to == from || passable(edge.to) == kNo) return false;
    const Block& block = f_[edge.to];
    // What the block's own values are on this edge.
    std::vector<std::pair<ValueId, ValueId>> known;
    for (std::size_t i = 0; i < block.params.size(); ++i) known.emplace_back(block.params[i], f_.arguments(edge)[i]);
    for (std::size_t i = 0; i + 1 < block.insts.size(); ++i) known.emplace_back(block.insts[i], computed(block.insts[i], known));
    const Edge* next = chosen(f_[block.insts.back()], known);
    if (next == nullptr || next->to == edge.to) return false;
    std::vector<ValueId> arguments;
    for (ValueId id : f_.arguments(*next)) {
      arguments.push_back(on_edge(id, known));
      if (arguments.back() == kNoValue) return false;
    }
    const BlockId to = next->to;
    for (ValueId id : arguments)
      if (index_of(id) < uses_.size()) ++uses_[index_of(id)];
    Edge& changed = f_.successors(from)[which];
    changed.to = to;
    f_.set_arguments(changed, arguments);
    return true;
  }

  using Known = std::vector<std::pair<ValueId, ValueId>>;

  /// What a value is on this edge; kNoValue: something that only the block computes.
  static ValueId on_edge(ValueId id, const Known& known) {
    auto found = std::ranges::find(known, id, &std::pair<ValueId, ValueId>::first);
    return found == known.end() ? id : found->second;
  }

  /// The constant that an instruction gives; kNoValue: none.
  ValueId computed(ValueId id, const Known& known) {
    const Inst inst = f_[id];
    std::uint64_t values[2] = {};
    std::span<const ValueId> in = f_.operands(inst);
    if (in.size() > 2 || inst.type.is_ptr()) return kNoValue;
    for (std::size_t i = 0; i < in.size(); ++i) {
      ValueId operand = on_edge(in[i], known);
      const std::int64_t* c = operand == kNoValue ? nullptr : f_.constant_value(operand);
      if (c == nullptr) return kNoValue;
      values[i] = truncate(static_cast<std::uint64_t>(*c), f_.type_of(operand).bits());
    }
    unsigned bits = f_.type_of(in[0]).bits();
    std::uint64_t value = in.size() == 2 ? evaluate(inst.op, bits, values[0], values[1]) : evaluate(inst, bits, values[0]);
    return f_.constant(inst.type, static_cast<std::int64_t>(value));
  }

  const Edge* chosen(const Inst& last, const Known& known) const {
    std::span<const Edge> edges = f_.edges_of(last);
    if (last.is(Op::jump)) return &edges[0];
    ValueId value = on_edge(f_.operands(last)[0], known);
    const std::int64_t* c = value == kNoValue ? nullptr : f_.constant_value(value);
    if (c == nullptr) return nullptr;
    if (last.is(Op::branch)) return &edges[*c != 0 ? 0 : 1];
    return &*std::ranges::find(edges.first(edges.size() - 1), *c, &Edge::value);
  }

  /// A jump to a block that only returns becomes a return.
  bool return_here(BlockId block) {
    Inst& last = f_[f_.terminator(block)];
    if (!last.is(Op::jump)) return false;
    const Edge edge = f_.edges_of(last)[0];
    const Block& to = f_[edge.to];
    const Inst& there = f_[to.insts.front()];
    if (!there.is(Op::ret)) return false;
    std::vector<ValueId> values;
    for (ValueId id : f_.operands(there)) {
      auto param = std::ranges::find(to.params, id);
      values.push_back(param == to.params.end() ? id : f_.arguments(edge)[static_cast<std::size_t>(param - to.params.begin())]);
    }
    last.op = Op::ret;
    last.edge_count = 0;
    f_.set_operands(last, values);
    return true;
  }

  Function& f_;
  Cfg cfg_;
  std::vector<std::uint32_t> uses_;
  std::vector<std::uint8_t> passable_;   // by block: Passable
};

}  // namespace

bool thread_edges(Function& function) { return Threader(function).run(); }

}  // namespace espy::ir
