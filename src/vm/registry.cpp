#include "vm/registry.hpp"

#include <algorithm>
#include <vector>

#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kTailCall = 12;

}  // namespace

Result<Registry::Own*> Registry::add(std::deque<Own>& to, std::string name, const facts::Prototype& prototype, HelperFunction function) {
  if (function == nullptr) return fail(ErrorKind::invalid_argument, "`{}` has no function", name);
  if (name.empty()) return fail(ErrorKind::invalid_argument, "a function without a name");
  const auto none = std::ranges::find(prototype.args, facts::Arg::none, &facts::Argument::kind);
  if (std::any_of(none, prototype.args.end(), [](const facts::Argument& argument) { return argument.kind != facts::Arg::none; })) {
    return fail(ErrorKind::invalid_argument, "`{}` takes an argument behind one that it does not take", name);
  }
  Own& own = to.emplace_back(Own{.name = std::move(name), .prototype = prototype, .callee = {}});
  own.callee = {.name = own.name, .function = function, .prototype = &own.prototype};
  return &own;
}

Result<void> Registry::add_helper(std::uint32_t id, std::string name, const facts::Prototype& prototype, HelperFunction function) {
  constexpr std::uint32_t kMost = 1U << 24;   // numbers above it are the compiler's
  if (id >= kMost) return fail(ErrorKind::invalid_argument, "helper {}: numbers end below {}", id, kMost);
  if (id == kTailCall) return fail(ErrorKind::invalid_argument, "helper {} is the tail call, which no function can stand for", id);
  if (std::ranges::find(helpers_, id, &Own::id) != helpers_.end()) return fail(ErrorKind::invalid_argument, "helper {} is there already", id);
  TRY(add(helpers_, std::move(name), prototype, function))->id = id;
  return {};
}

Result<void> Registry::add_kfunc(std::string name, const facts::Prototype& prototype, HelperFunction function) {
  if (std::ranges::find(kfuncs_, name, &Own::name) != kfuncs_.end()) return fail(ErrorKind::invalid_argument, "kfunc `{}` is there already", name);
  TRY(add(kfuncs_, std::move(name), prototype, function));
  return {};
}

const Callee* Registry::helper(std::uint32_t id) const {
  auto own = std::ranges::find(helpers_, id, &Own::id);
  return own != helpers_.end() ? &own->callee : find_helper(id);
}

const Callee* Registry::kfunc(std::string_view name) const {
  auto own = std::ranges::find(kfuncs_, name, &Own::name);
  return own != kfuncs_.end() ? &own->callee : find_kfunc(name);
}

object::Target target(std::shared_ptr<const Registry> registry) {
  object::Target target;
  target.name = "the user engine";
  target.offers = [registry = std::move(registry)](std::string_view name) {
    return registry != nullptr ? registry->kfunc(name) != nullptr : find_kfunc(name) != nullptr;
  };
  return target;
}

}  // namespace espy::vm
