#include "ir/passes/passes.hpp"

namespace espy::ir {

bool drop_uncalled(Module& module) {
  std::vector<bool> needed(module.functions.size(), false);
  std::vector<std::uint32_t> work;
  auto need = [&](std::uint32_t id) {
    if (!needed[id]) needed[id] = true, work.push_back(id);
  };
  for (std::uint32_t i = 0; i < module.functions.size(); ++i)
    if (module.functions[i].role == Role::program) need(i);
  while (!work.empty()) {
    const Function& f = module.functions[work.back()];
    work.pop_back();
    for (const Inst& inst : f.insts) {   // what was removed only keeps a function too long
      if (inst.is(Op::func_addr)) need(inst.extra);
      if (inst.is(Op::call)) need(static_cast<std::uint32_t>(inst.imm));
    }
  }
  std::vector<std::uint32_t> now(needed.size(), kNoId);
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < needed.size(); ++i) {
    if (!needed[i]) continue;
    now[i] = kept;
    if (i != kept) module.functions[kept] = std::move(module.functions[i]);
    ++kept;
  }
  if (kept == needed.size()) return false;
  module.functions.erase(module.functions.begin() + kept, module.functions.end());
  for (Function& f : module.functions) {
    for (Inst& inst : f.insts) {
      if (inst.is(Op::func_addr)) inst.extra = now[inst.extra];
      if (inst.is(Op::call)) inst.imm = now[static_cast<std::size_t>(inst.imm)];
    }
    compact(f);   // leaves are found by what they say: their table is made anew
  }
  return true;
}

}  // namespace espy::ir
