#include "ir/passes/folder.hpp"
#include "ir/passes/passes.hpp"

namespace espy::ir {

bool Folder::run() {
  Cfg cfg(f_);
  possible_.assign(f_.insts.size(), ~std::uint64_t{0});
  for (BlockId block : cfg.order()) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < f_[block].insts.size(); ++i) {
      ValueId id = f_[block].insts[i];
      replace_.operands(f_, f_[id]);
      replace_.arguments(f_, f_[id]);
      ValueId equal = rewrite(id);
      if (equal != kNoValue) {
        replace_.set(id, equal);
        count(equal, uses_[index_of(id)]);
        drop_operands(f_[id]);
        changed_ = true;
        continue;
      }
      if (index_of(id) < possible_.size()) possible_[index_of(id)] = compute_possible(f_[id]);
      f_[block].insts[kept++] = id;
    }
    f_[block].insts.resize(kept);
  }
  replace_.apply(f_);
  return changed_;
}

/// Until nothing is simpler: a rewrite may make room for another one, though few do more than twice.
ValueId Folder::rewrite(ValueId id) {
  bool before = changed_;
  ValueId equal = kNoValue;
  for (int round = 0; round < 4 && equal == kNoValue; ++round) {
    changed_ = false;
    // Making a constant may move the array that instructions are in: simplify works on a copy.
    Inst inst = f_[id];
    equal = simplify(inst);
    if (!changed_) break;
    f_[id] = inst;
    before = true;
  }
  changed_ |= before;
  return equal;
}

ValueId Folder::simplify(Inst& inst) {
  if (has(inst.op, kReads) || has(inst.op, kWrites)) return memory(inst), kNoValue;
  if (!has(inst.op, kPure)) return kNoValue;
  if (ValueId equal = constants(inst); equal != kNoValue) return equal;
  if (has(inst.op, kBinary)) return binary(inst);
  if (has(inst.op, kCompare)) return compare(inst);
  if (inst.is(Op::select)) return select(inst);
  return inst.is(Op::ptr_add) ? pointer(inst) : unary(inst);
}

/// An operation of constants only.
ValueId Folder::constants(const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  std::uint64_t a = 0, b = 0;
  if (inst.is(Op::select) || inst.is(Op::ptr_add) || !is_constant(in[0], a)) return kNoValue;
  unsigned width = f_.type_of(in[0]).bits();
  if (in.size() == 2) {
    if (!is_constant(in[1], b)) return kNoValue;
    return constant(inst.type, evaluate(inst.op, width, a, b));
  }
  if (inst.type.is_ptr()) return a == 0 ? f_.leaf(Op::constant, inst.type, 0, 0) : kNoValue;
  return constant(inst.type, evaluate(inst, width, a));
}

// --- what is known of values

std::uint64_t Folder::possible(ValueId id) const {
  std::uint64_t value = 0;
  if (is_constant(id, value)) return value;
  std::uint64_t bits = truncate(~std::uint64_t{0}, f_.type_of(id).bits());
  if (index_of(id) < possible_.size()) bits &= possible_[index_of(id)];
  if (const Fact* fact = f_.fact(id)) {
    bits &= ~fact->zeros;
    if (fact->umax < ~std::uint64_t{0}) bits &= fact->umax == 0 ? 0 : ~std::uint64_t{0} >> __builtin_clzll(fact->umax);
  }
  return bits;
}

std::uint64_t Folder::largest(ValueId id) const {
  const Fact* fact = f_.fact(id);
  return std::min(possible(id), fact != nullptr ? fact->umax : ~std::uint64_t{0});
}

/// What may be 1 in the result, from what may be 1 in the operands. Sound: each case covers every result.
std::uint64_t Folder::compute_possible(const Inst& inst) const {
  std::uint64_t all = truncate(~std::uint64_t{0}, inst.type.bits());
  std::span<const ValueId> in = f_.operands(inst);
  std::uint64_t c = 0;
  switch (inst.op) {
    case Op::and_: return possible(in[0]) & possible(in[1]);
    case Op::or_:
    case Op::xor_: return possible(in[0]) | possible(in[1]);
    case Op::select: return possible(in[1]) | possible(in[2]);
    case Op::zext: return truncate(possible(in[0]), inst.width);
    case Op::trunc: return truncate(possible(in[0]), 32);
    case Op::bswap: return truncate(~std::uint64_t{0}, inst.width);
    case Op::load: return inst.flag(kSigned) || inst.type.is_ptr() ? all : truncate(~std::uint64_t{0}, inst.width);
    case Op::shl: return is_constant(in[1], c) ? possible(in[0]) << (c & (bits(inst) - 1)) & all : all;
    case Op::lshr: return is_constant(in[1], c) ? possible(in[0]) >> (c & (bits(inst) - 1)) : all;
    case Op::udiv: return possible(in[0]) == 0 ? 0 : ~std::uint64_t{0} >> __builtin_clzll(possible(in[0]));
    case Op::urem:
      // x % 0 = x, so a bound needs a divisor that is not 0.
      return is_constant(in[1], c) && c > 1 ? ~std::uint64_t{0} >> __builtin_clzll(c - 1) : all;
    case Op::add: {
      std::uint64_t sum = 0;
      if (__builtin_add_overflow(possible(in[0]), possible(in[1]), &sum) || sum > all) return all;
      return sum == 0 ? 0 : ~std::uint64_t{0} >> __builtin_clzll(sum);
    }
    default: return all;
  }
}

bool Folder::non_null(ValueId id) const {
  const Inst& inst = f_[id];
  if (const Fact* fact = f_.fact(id); fact != nullptr && fact->non_null) return true;
  switch (inst.op) {
    case Op::stack_addr:
    case Op::map:
    case Op::map_value:
    case Op::func_addr: return true;
    default: return false;
  }
}

bool fold(Function& function) { return Folder(function).run(); }

}  // namespace espy::ir
