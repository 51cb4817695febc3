// Calls: of the program's own functions, of helpers, of kernel functions; and what must not be called while something is held.
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::int32_t kSpinUnlock = 94, kKptrXchg = 194;

}  // namespace

Checker::Next Checker::call(const Insn& insn) {
  if (insn.call == isa::CallKind::kfunc) return call_kfunc(insn);
  if (state_->locks != 0 && (insn.call == isa::CallKind::subprogram
                                 ? false
                                 : insn.imm != kSpinUnlock && insn.imm != kKptrXchg)) {
    reject(Rule::lock_held, "function calls are not allowed while holding a lock");
    return Next::failed;
  }
  if (insn.call == isa::CallKind::subprogram) {
    if (privileged()) return call_subprogram(insn);
    reject(Rule::privileges, "loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN");
    return Next::failed;
  }
  if (!call_helper(insn)) return Next::failed;
  insn_ += 1;
  return Next::go_on;
}

}  // namespace espy::verifier
