#include "ir/passes/passes.hpp"

namespace espy::ir {
namespace {

/// Copies what is left of a function into a fresh one, in the order of layout.
class Copier {
 public:
  explicit Copier(Function& from)
      : from_(from), values_(from.insts.size(), kNoValue), blocks_(from.blocks.size(), kNoBlock), slots_(from.slots.size(), kNoId) {}

  Function run() {
    to_.name = std::move(from_.name);
    to_.role = from_.role;
    to_.result = from_.result;
    to_.cold = from_.cold;
    to_.insts.reserve(from_.insts.size());
    to_.pool.reserve(from_.pool.size());
    to_.blocks.reserve(from_.order.size());
    for (BlockId block : from_.order) blocks_[index_of(block)] = to_.add_block();
    place();
    for (BlockId block : from_.order) fill(block);
    return std::move(to_);
  }

 private:
  /// Values get their ids before operands are copied: a use may stand before what it uses.
  void place() {
    for (BlockId block : from_.order) {
      Block& to = to_[blocks_[index_of(block)]];
      to.cold = from_[block].cold;
      to.params.reserve(from_[block].params.size());
      to.insts.reserve(from_[block].insts.size());
      for (ValueId id : from_[block].params) to.params.push_back(take(id));
      for (ValueId id : from_[block].insts) to.insts.push_back(take(id));
    }
  }

  ValueId take(ValueId id) {
    Inst inst = from_[id];
    inst.block = blocks_[index_of(inst.block)];
    inst.operand_count = 0;
    inst.edge_count = 0;
    if (inst.terminator()) inst.extra = 0;
    ValueId now = to_.add_inst(inst, {});
    if (const Fact* fact = from_.fact(id); fact != nullptr && *fact != Fact{}) to_.set_fact(now, *fact);
    return values_[index_of(id)] = now;
  }

  void fill(BlockId block) {
    for (ValueId id : from_[block].insts) {
      const Inst& old = from_[id];
      translate(from_.operands(old));
      // Leaves may have been added, so the instruction is looked up only now.
      to_.set_operands(to_[value(id)], list_);
      if (old.edge_count == 0) continue;
      edges_.clear();
      for (const Edge& edge : from_.edges_of(old)) {
        translate(from_.arguments(edge));
        edges_.push_back(to_.make_edge(blocks_[index_of(edge.to)], list_, edge.value));
      }
      to_.set_edges(to_[value(id)], edges_);
    }
  }

  void translate(std::span<const ValueId> values) {
    list_.clear();
    for (ValueId id : values) list_.push_back(value(id));
  }

  ValueId value(ValueId id) {
    ValueId& now = values_[index_of(id)];
    if (now == kNoValue) {   // a leaf
      const Inst& inst = from_[id];
      now = to_.leaf(inst.op, inst.type, inst.is(Op::stack_addr) ? slot(inst.extra) : inst.extra, inst.imm);
    }
    return now;
  }

  std::uint32_t slot(std::uint32_t id) {
    if (slots_[id] == kNoId) slots_[id] = index_of(to_.add_slot(from_.slots[id].size, from_.slots[id].align));
    return slots_[id];
  }

  Function& from_;
  Function to_;
  std::vector<ValueId> values_;
  std::vector<BlockId> blocks_;
  std::vector<std::uint32_t> slots_;
  std::vector<ValueId> list_;
  std::vector<Edge> edges_;
};

}  // namespace

void compact(Function& function) { function = Copier(function).run(); }

}  // namespace espy::ir
