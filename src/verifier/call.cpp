// Calls: of the program's own functions, of helpers, of kernel functions; and what must not be called while something is held.
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::int32_t kSpinLock = 93, kSpinUnlock = 94, kKptrXchg = 194;

}  // namespace

Checker::Next Checker::call(const Insn& insn) {
  if (insn.call == isa::CallKind::kfunc) return call_kfunc(insn);
  if (state_->locks != 0 && (insn.call == isa::CallKind::subprogram
                                 ? false
                                 : insn.imm != kSpinUnlock && insn.imm != kKptrXchg && insn.imm != kSpinLock)) {
    reject(Rule::lock_held, "function calls are not allowed while holding a lock");
    return Next::failed;
  }
  if (insn.call == isa::CallKind::subprogram) return call_subprogram(insn);
  if (!call_helper(insn)) return Next::failed;
  insn_ += 1;
  return Next::go_on;
}

}  // namespace espy::verifier
