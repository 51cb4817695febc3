// Multiplications and divisions by constants. Powers of two become shifts and masks; a signed division rounds towards
// zero, so a negative dividend first gets the divisor less one added. If asked for, an unsigned 32-bit division by another
// constant becomes a multiplication by its inverse in 64 bits: x / c = x * m >> (32 + s), which is exact for all x if
// m = ceil(2^(32 + s) / c) and m * c - 2^(32 + s) <= 2^s (Granlund and Montgomery, 1994).
#include <array>
#include <bit>
#include <optional>

#include "ir/evaluate.hpp"
#include "ir/passes/passes.hpp"

namespace espy::ir {
namespace {

class Reducer {
 public:
  Reducer(Function& f, const Options& options) : f_(f), options_(options) {}

  bool run() {
    for (BlockId block : f_.order) {
      std::vector<ValueId> old;
      old.swap(f_[block].insts);
      for (ValueId id : old) {
        if (has(f_[id].op, kBinary)) reduce(id);
        out_.push_back(id);
      }
      f_[block].insts.swap(out_);
      out_.clear();
    }
    return changed_;
  }

 private:
  void reduce(ValueId id) {
    const Inst inst = f_[id];
    ValueId a = f_.operands(inst)[0];
    const std::int64_t* constant = f_.constant_value(f_.operands(inst)[1]);
    if (constant == nullptr) return;
    unsigned width = inst.type.bits();
    std::uint64_t c = truncate(static_cast<std::uint64_t>(*constant), width);
    if (c < 2) return;
    bool power = std::has_single_bit(c);
    auto shift = static_cast<std::uint64_t>(std::countr_zero(c));
    // The least number is no power of two as a signed divisor.
    bool positive = c >> (width - 1) == 0;
    switch (inst.op) {
      case Op::mul: if (power) become(id, Op::shl, a, number(inst, shift)); return;
      case Op::udiv:
        if (power) return become(id, Op::lshr, a, number(inst, shift));
        if (auto quotient = by_multiplication(inst, a, c)) become(id, Op::trunc, *quotient);
        return;
      case Op::urem:
        if (power) return become(id, Op::and_, a, number(inst, c - 1));
        if (auto quotient = by_multiplication(inst, a, c)) {
          ValueId whole = emit(inst, Op::mul, kI32, emit(inst, Op::trunc, kI32, *quotient), number(inst, c));
          become(id, Op::sub, a, whole);
        }
        return;
      case Op::sdiv: if (power && positive) become(id, Op::ashr, rounded(inst, a, shift), number(inst, shift)); return;
      case Op::srem:
        if (power && positive) {
          ValueId whole = emit(inst, Op::and_, inst.type, rounded(inst, a, shift), number(inst, ~(c - 1)));
          become(id, Op::sub, a, whole);
        }
        return;
      default: return;
    }
  }

  /// x, or, if it is negative, x + 2^shift - 1.
  ValueId rounded(const Inst& inst, ValueId x, std::uint64_t shift) {
    unsigned width = inst.type.bits();
    ValueId sign = emit(inst, Op::ashr, inst.type, x, number(inst, width - 1));
    ValueId add = emit(inst, Op::lshr, inst.type, sign, number(inst, width - shift));
    return emit(inst, Op::add, inst.type, x, add);
  }

  /// The quotient as an i64; nullopt: not to be had this way.
  std::optional<ValueId> by_multiplication(const Inst& inst, ValueId x, std::uint64_t c) {
    if (!options_.divide_by_multiply || inst.type != kI32) return std::nullopt;
    for (unsigned s = 0; s < 32; ++s) {
      std::uint64_t power = std::uint64_t{1} << (32 + s), m = power / c + 1;
      if (m >> 32 != 0) return std::nullopt;   // the product would not fit
      if (m * c - power > std::uint64_t{1} << s) continue;
      Inst extend{.op = Op::zext, .type = kI64, .width = 32, .mark = inst.mark, .block = inst.block};
      ValueId wide = f_.add_inst(extend, std::array{x});
      out_.push_back(wide);
      ValueId product = emit(inst, Op::mul, kI64, wide, f_.constant(kI64, static_cast<std::int64_t>(m)));
      return emit(inst, Op::lshr, kI64, product, f_.constant(kI64, 32 + s));
    }
    return std::nullopt;
  }

  ValueId number(const Inst& inst, std::uint64_t value) { return f_.constant(inst.type, static_cast<std::int64_t>(value)); }

  /// A new instruction before the one that is reduced.
  template <typename... Operands>
  ValueId emit(const Inst& at, Op op, Type type, Operands... operands) {
    ValueId id = f_.add_inst({.op = op, .type = type, .mark = at.mark, .block = at.block}, std::array{operands...});
    out_.push_back(id);
    return id;
  }
  template <typename... Operands>
  void become(ValueId id, Op op, Operands... operands) {
    f_[id].op = op;
    f_.set_operands(f_[id], std::array{operands...});
    changed_ = true;
  }

  Function& f_;
  const Options& options_;
  std::vector<ValueId> out_;
  bool changed_ = false;
};

}  // namespace

bool reduce_strength(Function& function, const Options& options) { return Reducer(function, options).run(); }

}  // namespace espy::ir
