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

}  // namespace

void optimise(Module& module, const Options& options) {
  for (Function& f : module.functions) {
    if (options.level > 0) {
      fold(f);
      promote_slots(f);
      clean(f);
    }
    lay_out(f);
    compact(f);
  }
}

std::span<const PassRow> passes() { return kPasses; }

const PassRow* find_pass(std::string_view name) {
  auto found = std::ranges::find(kPasses, name, &PassRow::name);
  return found == kPasses.end() ? nullptr : &*found;
}

}  // namespace espy::ir
