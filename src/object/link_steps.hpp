// The steps of linking, each small enough to test alone; link.cpp puts them in order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "btf/core.hpp"
#include "object/link.hpp"

namespace espy::object {

/// Where an instruction stands, as errors say it: "section tp/x: function `f`: instruction 12 (a.c:34: `x = y;`)".
/// The source line is there if the object has line info, its text if the compiler could read it; `btf` may be null.
std::string place_of(const FunctionSpec& function, isa::InsnIdx insn, const btf::Btf* btf);

/// "did you mean `pid`?", or empty if no name of this kind in the BTF is near.
std::string nearest_name(std::string_view wanted, const btf::Btf* btf, btf::Kind kind, std::string_view prefix = {});

// ---- CO-RE (link_core.cpp) ----

/// What one relocation of a function became; CoreOutcome without the program.
struct CoreFixup {
  isa::InsnIdx insn = 0;   ///< in the function
  std::string text, hint;
  bool poisoned = false;
};

/// Applies the CO-RE relocations of an object's functions. The object and the target must outlive it.
class CoreLinker {
 public:
  CoreLinker(const ObjectSpec& object, const Target& target) : object_(object), target_(target) {}
  /// Patches the function's instructions; its relocations are then spent and removed.
  Result<std::vector<CoreFixup>> apply(FunctionSpec& function);

 private:
  Result<btf::CoreMatcher*> matcher();
  CoreFixup outcome(const btf::CoreRelocation& relocation, const btf::CoreResult& result) const;

  const ObjectSpec& object_;
  const Target& target_;
  std::optional<btf::CoreMatcher> matcher_;
};

/// Puts a result into the instruction at `insn`. Fails if the instruction is of no kind that such a relocation can have.
Result<void> patch_core(std::vector<isa::Insn>& insns, isa::InsnIdx insn, const btf::CoreResult& result);

// ---- subprograms (link_functions.cpp) ----

/// A subprogram's place in a program.
struct JoinedFunction {
  FunctionIdx function{};
  isa::InsnIdx start = 0;
};

/// Appends to `entry` every subprogram that it reaches, sets the distances in calls and callback loads, and moves
/// relocations, func_info and line_info along. `source` gives a subprogram, which must stay where it is. What is left in
/// `entry.relocations` are references to other things than functions.
Result<std::vector<JoinedFunction>> join_functions(FunctionSpec& entry,
                                                   const std::function<Result<const FunctionSpec*>(FunctionIdx)>& source);

// ---- externs (link_externs.cpp, link_kconfig.cpp) ----

struct KernelAddress { std::uint64_t address = 0; };                    ///< a symbol without a type
struct KernelObject { btf::TypeId id{}; std::string module; };          ///< a variable or function with BTF
struct KconfigValue { std::uint32_t offset = 0; };                      ///< in the .kconfig map
struct Missing {};                                                      ///< weak, and not there
using ResolvedExtern = std::variant<Missing, KconfigValue, KernelAddress, KernelObject>;

/// Finds externs on the target; each is looked up once, when a linked program first uses it.
class ExternLinker {
 public:
  ExternLinker(const ObjectSpec& object, const Target& target);
  Result<const ResolvedExtern*> resolve(ExternIdx index);

 private:
  Result<ResolvedExtern> look_up(const ExternSpec& external);
  Result<ResolvedExtern> look_up_undeclared(const ExternSpec& external);
  Result<ResolvedExtern> look_up_address(const ExternSpec& external);
  Result<ResolvedExtern> look_up_object(const ExternSpec& external, btf::Kind kind, btf::TypeId local_type);

  const ObjectSpec& object_;
  const Target& target_;
  std::vector<std::optional<ResolvedExtern>> resolved_;
};

/// Fills the .kconfig map's contents from the target's configuration. Nothing to do without one.
Result<void> fill_kconfig(ObjectSpec& object, const Target& target);

// ---- what programs attach to (link_attach.cpp, link_struct_ops.cpp) ----

/// Finds the kernel type that a program's section names, if its type attaches to one.
Result<void> resolve_attach_type(LinkedProgram& program, const Target& target);

/// A struct_ops map laid out for the target, and what its programs attach to.
struct StructOpsLayout {
  struct Implementation {
    std::string program;
    std::uint32_t member = 0;   ///< which member of the kernel's struct
  };
  LinkedStructOps linked;
  btf::TypeId kernel_struct{};
  std::vector<Implementation> implementations;
};
Result<StructOpsLayout> lay_out_struct_ops(const ObjectSpec& object, MapIdx map, const Target& target);

}  // namespace espy::object
