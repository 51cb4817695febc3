#include "ir/x86/liveness.hpp"

#include <bit>
#include <ranges>

namespace espy::ir::x86 {
namespace {

/// Is the first operand another register than the destination, and read when that is written?
bool a_is_late(MOp op) {
  switch (op) {
    case MOp::div: case MOp::idiv: case MOp::mul_high: case MOp::cmpxchg:
    case MOp::fetch_and: case MOp::fetch_or: case MOp::fetch_xor: return true;
    default: return false;
  }
}

struct Policy {
  using Function = MFunction;

  static auto order(const MFunction& f) { return std::views::iota(MBlockId{0}, static_cast<MBlockId>(f.blocks.size())); }

  template <typename Visit>
  static void each_register(const MInst& inst, Visit visit) {
    for (Reg reg : {inst.dst, inst.a, inst.b, inst.base, inst.index})
      if (reg != kNoReg) visit(reg);
  }

  template <typename Write, typename Read>
  static void each_access(const MInst& inst, Write write, Read read) {
    for (RegMask mask = inst.writes; mask != 0; mask &= mask - 1) write(static_cast<Reg>(std::countr_zero(mask)));
    if (inst.dst != kNoReg) write(inst.dst);
    for (RegMask mask = inst.reads; mask != 0; mask &= mask - 1) read(static_cast<Reg>(std::countr_zero(mask)), false);
    if (inst.a != kNoReg) read(inst.a, inst.late && a_is_late(inst.op));
    for (Reg reg : {inst.b, inst.base, inst.index})
      if (reg != kNoReg && reg != kRsp) read(reg, inst.late);
  }
};

}  // namespace

registers::Liveness find_liveness(const MFunction& function) { return registers::LivenessFinder<Policy>(function).find(); }

}  // namespace espy::ir::x86
