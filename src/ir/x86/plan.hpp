// What of a function is computed at all, and what is folded into its users.
#pragma once

#include <vector>

#include "ir/x86/emit.hpp"

namespace espy::ir::x86 {

class Plan {
 public:
  Plan(const Function& function, const Features& features);

  /// No code for it: nothing needs it, or its users compute it.
  bool skipped(ValueId id) const { return skipped_[index_of(id)]; }
  std::uint32_t uses(ValueId id) const { return uses_[index_of(id)]; }
  /// The value whose register this one shares.
  ValueId root(ValueId id) const;
  /// A load whose only user reverses its bytes: the user, else kNoValue.
  ValueId swapped_by(ValueId load) const;
  /// Is an address sum computed by those who access it?
  bool sunk_address(ValueId id) const;
  bool sunk_shift(ValueId id) const { return skipped_[index_of(id)] && f_[id].is(Op::shl); }
  /// An `and` that only a comparison with 0 looks at.
  bool sunk_test(ValueId id) const { return skipped_[index_of(id)] && f_[id].is(Op::and_); }
  /// Does the register's upper half hold zeros, the value being an i32?
  bool zero_above(ValueId id) const;

 private:
  void visit(ValueId id);
  void count(ValueId operand, std::vector<std::uint32_t>& kind, ValueId user);
  bool sinks(ValueId id) const;
  bool alias(const Inst& inst) const;

  const Function& f_;
  Features features_;
  std::vector<std::uint32_t> uses_;        // by value
  std::vector<std::uint32_t> as_address_, as_condition_, as_test_, as_index_, as_any_;
  std::vector<ValueId> user_;              // the last that was seen
  std::vector<bool> skipped_;
};

}  // namespace espy::ir::x86
