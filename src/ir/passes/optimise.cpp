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
  number_values(f);
  fold(f);
  simplify_control(f);
  remove_dead(f);
}

/// What is better done late: it makes more instructions, or moves them.
void finish(Function& f, const Options& options) {
  forward_stores(f);
  sink_stores(f);
  hoist_invariants(f, options);
  reduce_strength(f, options);
  fold(f);
  number_values(f);
  remove_dead(f);
  simplify_control(f);
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
