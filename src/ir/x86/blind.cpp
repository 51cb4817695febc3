// Constant blinding: no number that a program chose stands in the code as it is. Who could otherwise place bytes of his own in
// executable memory, to be jumped into, finds them mixed with random ones.
//
// A constant c becomes (c - k) + k, with another k for each: a move and an address computation, which leave the flags alone.
// Immediate operands become registers. Distances in addresses stay if they are as small as programs can write them.
#include <algorithm>

#include "ir/x86/machine.hpp"

namespace espy::ir::x86 {
namespace {

class Blinder {
 public:
  Blinder(MFunction& function, std::uint64_t seed) : f_(function), state_(seed | 1) {}

  void run() {
    std::vector<MInst> old;
    old.swap(f_.insts);
    f_.insts.reserve(old.size() * 2);
    for (MBlock& block : f_.blocks) {
      const auto begin = static_cast<std::uint32_t>(f_.insts.size());
      for (std::uint32_t i = block.begin; i < block.end; ++i) rewrite(old[i]);
      block.begin = begin;
      block.end = static_cast<std::uint32_t>(f_.insts.size());
    }
  }

 private:
  /// xorshift64: what matters is that nobody outside knows the seed.
  std::int32_t key() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::int32_t>(state_ >> 32);
  }

  static bool harmless(std::int64_t value) { return value >= -128 && value <= 127; }

  static bool has_immediate(const MInst& inst) {
    switch (inst.op) {
      case MOp::add: case MOp::sub: case MOp::and_: case MOp::or_: case MOp::xor_: case MOp::imul:
      case MOp::cmp: case MOp::test: return inst.b == kNoReg;
      case MOp::store: return inst.a == kNoReg;
      default: return false;
    }
  }

  void put_constant(Reg dst, std::int64_t value, Mark mark) {
    const std::int32_t k = key();
    f_.insts.push_back({.op = MOp::mov_imm, .dst = dst, .imm = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(std::int64_t{k})), .mark = mark});
    f_.insts.push_back({.op = MOp::lea, .dst = dst, .base = dst, .disp = k, .mark = mark});
  }

  void rewrite(MInst inst) {
    constexpr std::int32_t kFar = 1 << 16;
    if (inst.op == MOp::mov_imm && !harmless(inst.imm)) return put_constant(inst.dst, inst.imm, inst.mark);
    if (has_immediate(inst) && !harmless(inst.imm)) {
      const Reg reg = f_.next_reg++;
      put_constant(reg, inst.imm, inst.mark);
      (inst.op == MOp::store ? inst.a : inst.b) = reg;
      inst.imm = 0;
    }
    if (inst.base != kRsp && !inst.thread && (inst.disp > kFar || inst.disp < -kFar)) {
      const Reg far = f_.next_reg++;
      put_constant(far, inst.disp, inst.mark);
      inst.disp = 0;
      if (inst.index == kNoReg) {
        inst.index = far;
      } else {
        const Reg sum = f_.next_reg++;
        f_.insts.push_back({.op = MOp::lea, .dst = sum, .base = inst.base, .index = far, .mark = inst.mark});
        inst.base = sum;
      }
    }
    f_.insts.push_back(inst);
  }

  MFunction& f_;
  std::uint64_t state_;
};

}  // namespace

void blind(MFunction& function, std::uint64_t seed) { Blinder(function, seed).run(); }

}  // namespace espy::ir::x86
