// The workshop of `fold`: a sweep over the blocks in reverse post-order that looks at each instruction after its operands,
// and either names a value that it equals, or rewrites it in place. Shared by the files of that pass only.
#pragma once

#include <vector>

#include "ir/analysis/cfg.hpp"
#include "ir/evaluate.hpp"
#include "ir/ir.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {

class Folder {
 public:
  explicit Folder(Function& f) : f_(f), uses_(count_uses(f)) { possible_.reserve(f.insts.size() + 64); }

  bool run();

 private:
  // Each says what the instruction equals; kNoValue: it stays, and changed_ says whether it was rewritten.
  ValueId rewrite(ValueId id);
  ValueId simplify(Inst& inst);
  ValueId constants(const Inst& inst);
  ValueId binary(Inst& inst);                // fold_arithmetic.cpp
  ValueId with_constant(Inst& inst, ValueId a, std::uint64_t c);
  ValueId multiplicative(Inst& inst, ValueId a, std::uint64_t c);
  ValueId bitwise(Inst& inst, ValueId a, std::uint64_t c);
  ValueId shift(Inst& inst, ValueId a, std::uint64_t c);
  ValueId same_operands(const Inst& inst);
  ValueId negations(Inst& inst);
  ValueId unary(Inst& inst);                 // fold_convert.cpp
  ValueId negation(Inst& inst);
  ValueId extension(Inst& inst);
  ValueId extension_of_extension(Inst& inst, const Inst& inner);
  ValueId truncation(Inst& inst);
  ValueId conversion(Inst& inst);
  ValueId compare(Inst& inst);               // fold_compare.cpp
  ValueId compare_constant(Inst& inst, ValueId a, std::uint64_t c);
  ValueId compare_truth(Inst& inst, const Inst& extended, std::uint64_t c);
  ValueId compare_range(const Inst& inst, ValueId a, std::uint64_t c);
  ValueId select(Inst& inst);
  ValueId select_truth(Inst& inst);
  ValueId pointer(Inst& inst);               // fold_memory.cpp
  void memory(Inst& inst);
  void address(Inst& inst, unsigned operand);

  // --- what the parts share

  unsigned bits(const Inst& inst) const { return inst.type.bits(); }
  /// A copy: making a constant moves the array.
  Inst def(ValueId id) const { return f_[id]; }
  bool once(ValueId id) const { return index_of(id) < uses_.size() && uses_[index_of(id)] <= 1; }
  /// A number's constant value, truncated to its type; null pointers too.
  bool is_constant(ValueId id, std::uint64_t& value) const {
    const std::int64_t* c = f_.constant_value(id);
    if (c != nullptr) value = truncate(static_cast<std::uint64_t>(*c), f_.type_of(id).bits());
    return c != nullptr;
  }
  ValueId constant(Type type, std::uint64_t value) { return f_.constant(type, static_cast<std::int64_t>(value)); }

  /// The bits of a value that may be 1; those that are not are known to be 0.
  std::uint64_t possible(ValueId id) const;
  std::uint64_t compute_possible(const Inst& inst) const;
  /// No value of this is larger.
  std::uint64_t largest(ValueId id) const;
  bool non_null(ValueId id) const;

  void count(ValueId id, std::uint32_t more) {
    if (index_of(id) < uses_.size()) uses_[index_of(id)] += more;
  }
  void drop_operands(const Inst& inst) {
    for (ValueId id : f_.operands(inst)) count(id, ~0U);   // one less
  }

  /// Rewrites the instruction; what it gives stays of the same type.
  ValueId become(Inst& inst, Op op, std::initializer_list<ValueId> operands, unsigned width = 0) {
    inst.op = op;
    inst.width = static_cast<std::uint8_t>(width);
    for (ValueId id : operands) count(id, 1);
    drop_operands(inst);
    f_.set_operands(inst, std::span(operands.begin(), operands.size()));
    changed_ = true;
    return kNoValue;
  }

  Function& f_;
  std::vector<std::uint32_t> uses_;         // by value, for those that were there before; of replaced values: their replacement's
  std::vector<std::uint64_t> possible_;     // by value, for those that the sweep has passed
  Replacements replace_;
  bool changed_ = false;
};

}  // namespace espy::ir
