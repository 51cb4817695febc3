// Registry: what programs may call: helpers by number, kernel functions (kfuncs) by name. The engine's own are always there;
// whoever embeds the engine adds to them.
//
//   auto registry = std::make_shared<vm::Registry>();
//   TRY(registry->add_kfunc("lookup_user", {.returns = facts::Return::integer, .args = {{{.kind = facts::Arg::mem}, {.kind = facts::Arg::const_size}}}}, lookup_user));
//   auto linked = TRY(object::link(spec, vm::target(registry)));
//   auto object = TRY(vm::Object::load(std::move(linked), {.registry = registry}));
//
// A prototype says what the function takes and gives, in the terms that verifiers know (facts/prototypes.hpp). Safe mode checks
// arguments by it before the call: the function itself may trust its pointers, as far as their sizes go.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "facts/prototypes.hpp"
#include "object/target.hpp"

namespace espy::vm {

/// r1 to r5 to r0. It may be called from many threads at once, and throws nothing.
using HelperFunction = std::uint64_t (*)(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t);

/// What a program calls.
struct Callee {
  std::string_view name;
  HelperFunction function = nullptr;
  const facts::Prototype* prototype = nullptr;
  bool on_packet = false;        ///< works on the run's packet: other programs cannot call it
};

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// A helper of one's own. One that has this number already, the engine's too, gives way to it; 12, the tail call, cannot.
  Result<void> add_helper(std::uint32_t id, std::string name, const facts::Prototype& prototype, HelperFunction function);
  /// A kfunc of one's own; programs declare it `extern … __ksym`.
  Result<void> add_kfunc(std::string name, const facts::Prototype& prototype, HelperFunction function);

  /// nullptr: there is none. What is found lives as long as the registry.
  const Callee* helper(std::uint32_t id) const;
  const Callee* kfunc(std::string_view name) const;

 private:
  struct Own {
    std::uint32_t id = 0;        // kfuncs: 0
    std::string name;
    facts::Prototype prototype;
    Callee callee;
  };
  Result<Own*> add(std::deque<Own>& to, std::string name, const facts::Prototype& prototype, HelperFunction function);
  std::deque<Own> helpers_, kfuncs_;   // stay where they are
};

/// What programs for this engine are linked against: no kernel, but the engine's kfuncs and the registry's, which may be null.
object::Target target(std::shared_ptr<const Registry> registry = nullptr);

}  // namespace espy::vm
