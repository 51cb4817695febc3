#include <algorithm>
#include <array>

#include "ir/passes/passes.hpp"

namespace espy::ir {
namespace {

constexpr std::array kPasses = std::to_array<PassRow>({
    {"fold", [](Module&, Function& f, const Options&) { return fold(f); }},
    {"dead", [](Module&, Function& f, const Options&) { return remove_dead(f); }},
    {"number", [](Module&, Function& f, const Options&) { return number_values(f); }},
    {"control", [](Module&, Function& f, const Options&) { return simplify_control(f); }},
    {"promote", [](Module&, Function& f, const Options&) { return promote_slots(f); }},
    {"forward", [](Module&, Function& f, const Options&) { return forward_stores(f); }},
    {"sink", [](Module&, Function& f, const Options&) { return sink_stores(f); }},
    {"hoist", [](Module&, Function& f, const Options& options) { return hoist_invariants(f, options); }},
    {"strength", [](Module&, Function& f, const Options& options) { return reduce_strength(f, options); }},
    {"inline", [](Module& m, Function&, const Options& options) { return inline_calls(m, options); }},
    {"layout", [](Module&, Function& f, const Options&) { return lay_out(f), true; }},
    {"compact", [](Module&, Function& f, const Options&) { return compact(f), true; }},
});

/// What one thing makes possible for another: constants decide branches, joined blocks make values equal.
void clean(Function& f) {
  fold(f);
  simplify_control(f);
  const bool merged = number_values(f);
  if (fold(f) || merged) simplify_control(f);
  remove_dead(f);
}

/// Is any slot left that is not just values by now?
bool has_slots(const Function& f) {
  for (BlockId block : f.order)
    for (ValueId id : f[block].insts) {
      for (ValueId operand : f.operands(id))
        if (f[operand].is(Op::stack_addr)) return true;
      for (const Edge& edge : f.edges_of(f[id]))
        for (ValueId argument : f.arguments(edge))
          if (f[argument].is(Op::stack_addr)) return true;
    }
  return false;
}

/// What is better done late: it makes more instructions, or moves them.
void finish(Function& f, const Options& options) {
  bool changed = false;
  if (has_slots(f)) {
    changed = forward_stores(f);
    changed |= sink_stores(f);
  }
  changed |= hoist_invariants(f, options);
  changed |= reduce_strength(f, options);
  if (!changed) return;
  changed = fold(f);
  changed |= number_values(f);
  remove_dead(f);
  if (changed) simplify_control(f);
}

}  // namespace

void optimise(Module& module, const Options& options) {
  if (options.level > 0)
    for (Function& f : module.functions) {
      remove_dead(f);
      fold(f);
      promote_slots(f);
      clean(f);
    }
  if (options.level > 1 && inline_calls(module, options))
    for (Function& f : module.functions) {
      promote_slots(f);
      clean(f);
    }
  for (Function& f : module.functions) {
    if (options.level > 1) finish(f, options);
    lay_out(f);
    compact(f);
  }
  if (options.level > 1) drop_uncalled(module);
}

std::span<const PassRow> passes() { return kPasses; }

const PassRow* find_pass(std::string_view name) {
  auto found = std::ranges::find(kPasses, name, &PassRow::name);
  return found == kPasses.end() ? nullptr : &*found;
}

}  // namespace espy::ir
