#include "verifier/checker.hpp"
namespace espy::verifier {
bool Checker::check_attach_target() { return true; }
bool Checker::load_kernel_variable(const Insn&, Reg& dst) { set_unknown(dst); return true; }
bool Checker::typed_context(std::int32_t, unsigned, Access, int value_reg) { if (value_reg >= 0) set_unknown(regs()[value_reg]); return true; }
bool Checker::access_btf(unsigned number, std::int32_t, unsigned, Access, int) { return reject_reg(Rule::btf_access, static_cast<int>(number), "not yet"); }
bool Checker::access_map_pointer(unsigned number, std::int32_t, unsigned, Access, int) { return reject_reg(Rule::btf_access, static_cast<int>(number), "not yet"); }
bool Checker::kptr_access(unsigned number, int, const Insn&, const SpecialField&) { return reject_reg(Rule::map_field, static_cast<int>(number), "not yet"); }
bool Checker::check_special_argument(unsigned number, facts::Argument argument, CallMeta& meta) {
  switch (argument.kind) {
    case facts::Arg::spin_lock: return lock_spin(number, meta.helper == 93, false, false);
    case facts::Arg::callback: meta.subprog = regs()[number].subprog; return true;
    default: return true;
  }
}
bool Checker::check_formatting(std::int32_t, unsigned, unsigned) { return true; }
bool Checker::drop_dynptr_at(Frame&, unsigned) { return true; }
bool Checker::drop_dynptr(unsigned) { return true; }
bool Checker::is_iter_next(std::uint32_t) const { return false; }
bool Checker::iterator_is_active(const Reg&) const { return false; }
bool Checker::check_global_arguments(std::uint32_t number, bool entry) {
  if (entry) for (unsigned i = 1; i <= 5; ++i) set_unknown(regs()[i]);
  (void)number; return true;
}
Checker::Next Checker::call_kfunc(const Insn&) { reject(Rule::kfunc, "kfunc: not yet"); return Next::failed; }
}
