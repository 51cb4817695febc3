// CO-RE: what a compile-time type access means against another kernel's types.
//
// The rules (which types are candidates, when a field matches, what is ambiguous) are those that libbpf and the kernel
// share; the result must agree with theirs bit for bit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "btf/btf.hpp"
#include "btf/ext.hpp"

namespace espy::btf {

/// What a relocation resolved to.
struct CoreResult {
  std::uint64_t value = 0;          ///< the new value of the instruction's operand
  std::uint64_t original = 0;       ///< the value that the compiler put there, as the local types give it
  bool poisoned = false;            ///< nothing matched: the instruction must not run
  bool validate = true;             ///< the instruction's present operand must equal `original`
  bool fail_memory_size = false;    ///< a load or store whose size cannot follow the field's change
  std::uint32_t original_size = 0, new_size = 0;    ///< bytes of the field, for loads and stores; 0: not a field
  TypeId original_type{}, new_type{};               ///< types of the field, in the local and the target BTF
  std::shared_ptr<const Btf> target;                ///< the BTF that matched; null where none did, or none was asked
  std::string target_name;          ///< "struct task_struct.pid": what it matched, for `-v` and errors
};

/// Resolves relocations of one object against one target; keeps the candidates found so far.
class CoreMatcher {
 public:
  /// `targets` in search order: vmlinux first. Modules are asked for only when vmlinux has no candidate.
  CoreMatcher(std::shared_ptr<const Btf> local, std::shared_ptr<const Btf> vmlinux,
              std::function<std::vector<std::shared_ptr<const Btf>>()> modules = nullptr);
  ~CoreMatcher();
  CoreMatcher(CoreMatcher&&) noexcept;

  /// What this relocation means here. Ambiguity or malformed input is an error; absence is `poisoned`, or the value 0
  /// where the relocation asks for existence. Relocations are to be resolved in their order in the object: a match removes
  /// candidates that do not fit it from later ones of the same root type, as libbpf does.
  Result<CoreResult> resolve(const CoreRelocation& relocation);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// May a value of the local type stand where the target's is meant (the rule of type_exists, kernel variables and
/// kfuncs)? Names count for nothing here; kinds, prototypes and what pointers point to do. Malformed types are not.
bool types_are_compatible(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id);

/// "byte_off struct task_struct.comm (0:51)": a relocation as a person reads it.
std::string describe(const CoreRelocation& relocation, const Btf& local);

}  // namespace espy::btf
