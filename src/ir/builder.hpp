// Appends instructions to the end of a block. Says what it is told: nothing is folded here, passes do that.
//
//   Builder b(module[f]);
//   b.mark = Mark{12};
//   ValueId pointer = b.helper(1, ptr(Space::map_value), {b.map(counts), b.stack_addr(key)});
//   BlockId found = b.block(), missing = b.cold_block();
//   b.branch(b.ne(pointer, b.null(Space::map_value)), found, missing);
//   b.at(found);
//   b.atomic(Op::atomic_add, pointer, b.i64(1), 64);
#pragma once

#include "ir/ir.hpp"

namespace espy::ir {

class Builder {
 public:
  using Values = std::initializer_list<ValueId>;

  /// Begins at the function's entry block. The function must outlive the builder, and not move.
  explicit Builder(Function& function) : f_(&function), at_(function.entry()) {}

  Mark mark{};   ///< what following instructions carry

  Function& function() { return *f_; }
  ValueId param(unsigned i) const { return f_->params()[i]; }

  // Blocks, in the order of layout.
  BlockId block(std::initializer_list<Type> params = {});
  BlockId cold_block(std::initializer_list<Type> params = {});
  ValueId param_of(BlockId block, unsigned i) const { return (*f_)[block].params[i]; }
  void at(BlockId block) { at_ = block; }
  BlockId here() const { return at_; }
  bool terminated() const;   ///< Does the current block already end in a terminator?

  // Leaves: need no place.
  ValueId constant(Type type, std::int64_t value) { return f_->constant(type, value); }
  ValueId i64(std::int64_t value) { return f_->constant(kI64, value); }
  ValueId i32(std::int64_t value) { return f_->constant(kI32, value); }
  ValueId i1(bool value) { return f_->constant(kI1, value); }
  ValueId null(Space space) { return f_->null(space); }
  SlotId slot(std::uint32_t size, std::uint32_t align = 8) { return f_->add_slot(size, align); }
  ValueId stack_addr(SlotId slot, std::int64_t offset = 0) { return f_->stack_addr(slot, offset); }
  ValueId map(MapId map) { return f_->leaf(Op::map, ptr(Space::map), index_of(map), 0); }
  ValueId map_value(MapId map, std::int64_t offset = 0) {
    return f_->leaf(Op::map_value, ptr(Space::map_value), index_of(map), offset);
  }
  ValueId func_addr(FuncId function) { return f_->leaf(Op::func_addr, ptr(Space::code), index_of(function), 0); }
  /// A kernel variable's address: a pointer that may be loaded from (kernel), or a number (kI64).
  ValueId extern_addr(ExternId id, Type type = ptr(Space::kernel)) { return f_->leaf(Op::extern_addr, type, index_of(id), 0); }

  // Arithmetic. Both operands have the type that the result has.
  ValueId binary(Op op, ValueId a, ValueId b);
  ValueId add(ValueId a, ValueId b) { return binary(Op::add, a, b); }
  ValueId sub(ValueId a, ValueId b) { return binary(Op::sub, a, b); }
  ValueId mul(ValueId a, ValueId b) { return binary(Op::mul, a, b); }
  ValueId udiv(ValueId a, ValueId b) { return binary(Op::udiv, a, b); }
  ValueId sdiv(ValueId a, ValueId b) { return binary(Op::sdiv, a, b); }
  ValueId urem(ValueId a, ValueId b) { return binary(Op::urem, a, b); }
  ValueId srem(ValueId a, ValueId b) { return binary(Op::srem, a, b); }
  ValueId and_(ValueId a, ValueId b) { return binary(Op::and_, a, b); }
  ValueId or_(ValueId a, ValueId b) { return binary(Op::or_, a, b); }
  ValueId xor_(ValueId a, ValueId b) { return binary(Op::xor_, a, b); }
  ValueId shl(ValueId a, ValueId b) { return binary(Op::shl, a, b); }
  ValueId lshr(ValueId a, ValueId b) { return binary(Op::lshr, a, b); }
  ValueId ashr(ValueId a, ValueId b) { return binary(Op::ashr, a, b); }
  ValueId neg(ValueId a);
  ValueId not_(ValueId a);
  /// The low `width` (16, 32, 64) bits of a number, bytes reversed.
  ValueId bswap(ValueId a, unsigned width);
  /// The low `width` (8, 16, 32; an i1: 1) bits of `a`, extended to `type`.
  ValueId zext(ValueId a, unsigned width, Type type = kI64);
  ValueId sext(ValueId a, unsigned width, Type type = kI64);
  ValueId trunc(ValueId a);   ///< i64 → i32

  // Comparisons give an i1.
  ValueId compare(Op op, ValueId a, ValueId b);
  ValueId eq(ValueId a, ValueId b) { return compare(Op::eq, a, b); }
  ValueId ne(ValueId a, ValueId b) { return compare(Op::ne, a, b); }
  ValueId select(ValueId condition, ValueId yes, ValueId no);

  // Pointers.
  ValueId ptr_add(ValueId pointer, ValueId bytes);
  ValueId ptr_to_int(ValueId pointer);
  ValueId int_to_ptr(ValueId number, Space space);
  ValueId ptr_cast(ValueId pointer, Space space);

  // Memory. `width` in bits, offsets and sizes in bytes.
  ValueId load(Type type, unsigned width, ValueId pointer, std::int64_t offset = 0, unsigned flags = 0);
  void store(unsigned width, ValueId pointer, std::int64_t offset, ValueId value, unsigned flags = 0);
  /// `align`: to how many bytes (1, 2, 4, 8) both addresses are known to be aligned.
  void copy(ValueId to, ValueId from, std::uint32_t size, unsigned align = 8);
  void zero(ValueId pointer, std::uint32_t size, unsigned align = 8);
  /// atomic_add … atomic_xor without a result.
  void atomic(Op op, ValueId pointer, ValueId value, unsigned width, std::int64_t offset = 0);
  /// The same, and atomic_xchg, giving the old value (i32 or i64, as `value` is).
  ValueId atomic_fetch(Op op, ValueId pointer, ValueId value, unsigned width, std::int64_t offset = 0);
  ValueId cmpxchg(ValueId pointer, ValueId expected, ValueId wanted, unsigned width, std::int64_t offset = 0);

  // Calls. `result` none: nothing is given. Flags: kRemovable, kReadsOnly.
  ValueId helper(std::uint32_t number, Type result, std::span<const ValueId> arguments, unsigned flags = 0);
  ValueId helper(std::uint32_t number, Type result, Values arguments, unsigned flags = 0);
  ValueId kfunc(ExternId id, Type result, std::span<const ValueId> arguments, unsigned flags = 0);
  ValueId kfunc(ExternId id, Type result, Values arguments, unsigned flags = 0);
  ValueId call(FuncId id, Type result, std::span<const ValueId> arguments);
  ValueId call(FuncId id, Type result, Values arguments);

  // Terminators.
  void jump(BlockId to, Values arguments = {});
  void jump(BlockId to, std::span<const ValueId> arguments);
  void branch(ValueId condition, BlockId yes, BlockId no) { branch(condition, yes, {}, no, {}); }
  void branch(ValueId condition, BlockId yes, Values yes_arguments, BlockId no, Values no_arguments);
  struct Case {
    std::int64_t value = 0;
    BlockId to = kNoBlock;
  };
  void switch_(ValueId value, std::span<const Case> cases, BlockId otherwise);
  void ret() { emit({.op = Op::ret}, {}); }
  void ret(ValueId value) { emit({.op = Op::ret}, {&value, 1}); }
  void tail_call(ValueId ctx, ValueId map, ValueId index, BlockId failed);
  void unreachable() { emit({.op = Op::unreachable}, {}); }

 private:
  ValueId emit(Inst inst, std::span<const ValueId> operands);
  ValueId emit(const Inst& inst, Values operands) { return emit(inst, std::span(operands.begin(), operands.size())); }

  Function* f_;
  BlockId at_;
};

}  // namespace espy::ir
