// Any text: the parser says where it is wrong, or what it read prints and reads back to the same text. If it is well-formed
// IR, it stays so under every pass, and what it does stays the same under all of them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "ir/check.hpp"
#include "ir/passes/passes.hpp"
#include "ir/test_support.hpp"
#include "ir/text.hpp"

namespace {

using namespace espy::ir;

void must(bool holds, const char* what, const Module& module) {
  if (holds) return;
  std::fprintf(stderr, "%s:\n%s", what, print(module).c_str());
  std::abort();
}

bool pointer(const Function& f, ValueId id) { return f.type_of(id).is_ptr(); }

/// Does what an instruction does depend on where memory happens to be, or on promises that a random text need not keep?
bool depends(const Module& module, const Function& f, const Inst& inst) {
  if (inst.is(Op::ptr_to_int) || inst.is(Op::int_to_ptr) || inst.is(Op::ptr_cast)) return true;
  std::span<const ValueId> in = f.operands(inst);
  if (inst.is(Op::store) || inst.is(Op::ret)) return !in.empty() && pointer(f, in.back());
  if (has(inst.op, kCompare)) return pointer(f, in[0]) && f.constant_value(in[0]) == nullptr && f.constant_value(in[1]) == nullptr;
  if (inst.is(Op::load)) return inst.flag(kInvariant) || inst.type.is_ptr();
  return inst.is(Op::call) && !module.functions[static_cast<std::size_t>(inst.imm)].slots.empty();
}

bool comparable(const Module& module) {
  return std::ranges::all_of(module.functions, [&](const Function& f) {
    return f.facts.empty() && f.order.size() < 1000 && std::ranges::none_of(f.order, [&](BlockId block) {
      return std::ranges::any_of(f[block].insts, [&](ValueId id) { return depends(module, f, f[id]); });
    });
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espy::Result<Module> module = parse({reinterpret_cast<const char*>(data), size});
  if (!module) {
    if (module.error().where.empty() || module.error().message.empty()) std::abort();
    return 0;
  }
  std::string text = print(*module);
  if (!check(*module)) return 0;
  espy::Result<Module> again = parse(text);
  must(again && print(*again) == text, "is not read back", *module);
  for (const PassRow& pass : passes()) {
    Module after = *module;
    for (Function& f : after.functions) pass.run(after, f, {});
    must(check(after).has_value(), pass.name.data(), *module);
  }
  Module after = *module;
  for (Function& f : after.functions) f.role = Role::program;   // none goes
  optimise(after, {.divide_by_multiply = true, .hoist_cheap = true});
  must(check(after).has_value(), "optimise", *module);
  if (!comparable(*module) || module->maps.size() > 16 || module->externs.size() > 16) return 0;
  for (std::uint32_t i = 0; i < module->functions.size() && i < 4; ++i) {
    Seen wanted = run_and_see(*module, FuncId{i}, size, 5'000), got = run_and_see(after, FuncId{i}, size, 20'000);
    must(!wanted.ended || wanted == got, "does not do the same", *module);
  }
  return 0;
}
