#include "ir/bpf/liveness.hpp"

namespace espy::ir::bpf {
namespace {

struct Policy {
  using Function = MFunction;

  static const std::vector<MBlockId>& order(const MFunction& f) { return f.order; }

  template <typename Visit>
  static void each_register(const MInst& inst, Visit visit) {
    if (inst.has(kReadsDst) || inst.has(kWritesDst)) visit(inst.dst);
    if (inst.has(kReadsSrc) || inst.has(kWritesSrc)) visit(inst.src);
  }

  template <typename Write, typename Read>
  static void each_access(const MInst& inst, Write write, Read read) {
    if (inst.has(kIsCall)) {
      for (Reg reg = 0; reg < kClobbered; ++reg) write(reg);
      for (Reg reg = 1; reg <= inst.dst; ++reg) read(reg, false);
      return;
    }
    if (inst.has(kUsesR0)) {
      write(0);
      read(0, false);
    }
    if (inst.has(kIsExit)) read(0, false);
    if (inst.has(kWritesDst) && !inst.has(kReadsDst)) write(inst.dst);
    if (inst.has(kReadsDst) && inst.dst != kFrame) read(inst.dst, inst.has(kWritesDst));
    if (inst.has(kReadsSrc) && inst.src != kFrame) read(inst.src, inst.has(kWritesSrc));
  }
};

}  // namespace

registers::Liveness find_liveness(const MFunction& function) { return registers::LivenessFinder<Policy>(function).find(); }

}  // namespace espy::ir::bpf
