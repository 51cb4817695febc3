// What of a function the machine has to compute: which blocks can be reached, which values must stand in a register,
// and which are folded into the instructions that use them.
//
// The folding rules stand here once, as questions about the IR alone, so that the stage that counts uses and the one
// that selects instructions cannot disagree: a value is computed exactly if a user asks for it in a register.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/bpf/emit.hpp"

namespace espy::ir::bpf {

/// A memory operand: a pointer in a register or a leaf, and a constant distance from it.
struct Address {
  ValueId base = kNoValue;
  std::int64_t offset = 0;
  bool folded_leaf = false;   ///< the base is a stack_addr or map_value whose own offset has moved into `offset`
};

class Demand {
 public:
  Demand(const Function& function, const Options& options);

  const Function& f;
  const Options& options;
  std::vector<BlockId> layout;             ///< blocks that can be reached, the rare ones last
  std::vector<BlockId> postorder;          ///< the same, each behind those that it leads to, but over edges that lead back
  std::vector<std::uint32_t> finished;     ///< by BlockId: its place in the postorder
  std::vector<std::uint32_t> entries;      ///< by BlockId: edges that lead into it; 0: it is not reached
  std::vector<std::uint32_t> needs;        ///< by ValueId: how many users want it in a register

  /// Is the value made only on the way that wants it: in the block of an edge that passes it, in an arm of a select?
  bool sunk(ValueId value) const { return sunk_[index_of(value)]; }
  bool needed(ValueId value) const { return needs[index_of(value)] != 0; }
  /// The value itself, or the one whose register also holds this: conversions that cost nothing.
  ValueId root(ValueId value) const;
  /// The register of a value holds no set bits from this one on (at most 64).
  unsigned bits(ValueId value, unsigned depth = 4) const;
  /// An i32 whose register's upper half is zero, or any other type.
  bool clean(ValueId value) const { return f.type_of(value).kind != Kind::i32 || bits(value) <= 32; }
  /// Where an access of so many bytes goes, with constant additions folded as far as the instruction's field reaches.
  Address address(ValueId pointer, std::int64_t offset, std::int64_t bytes) const;
  /// Is the i1 decided by jumps where it is tested, rather than put into a register? Compares always are.
  bool tested_by_jumps(ValueId condition) const;
  /// `(x & y) == 0` or `!= 0` where nobody else wants the `&`: the `&`, else no value.
  ValueId bit_test(const Inst& compare) const;
  /// `truth << constant` where nobody else wants the truth: the compare that gives it, else no value.
  ValueId shifted_truth(const Inst& inst) const;
  /// The edges that a terminator may really take: a branch on a constant has one.
  std::span<const Edge> taken_edges(BlockId block) const;

 private:
  void order_blocks();
  void count_uses();
  void visit(ValueId id);
  void visit_terminator(BlockId block);
  void want(ValueId value);
  void want_condition(ValueId value);
  bool can_sink(ValueId value, BlockId to) const;
  void want_address(ValueId pointer, std::int64_t offset, std::int64_t bytes);

  std::vector<bool> sunk_;                 // by ValueId
  std::vector<std::uint32_t> uses_;        // by ValueId: operands and edge arguments in reached blocks
};

/// Does the instruction stay even if nobody wants its value?
bool has_effect(const Inst& inst);

}  // namespace espy::ir::bpf
