// Access paths: what the access string of a CO-RE relocation walks through, in the local and in a target's types.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "btf/btf.hpp"
#include "btf/ext.hpp"

namespace espy::btf {

/// How deep an access may go, anonymous members counted: what libbpf and the kernel allow.
inline constexpr std::size_t kMaxAccessDepth = 64;

/// One step that means something in the source: a named member, or an index into an array. The first is the index that
/// the root pointer is taken with. For an enumerator, its index.
struct Step {
  TypeId type;            ///< of a member: the struct or union; of an index: the element
  std::uint32_t index = 0;
  std::string_view name;  ///< empty: an array index
};

struct AccessPath {
  std::shared_ptr<const Btf> btf;
  TypeId root;
  std::vector<Step> steps;
  std::vector<std::uint32_t> raw;  ///< every index, anonymous members included
  std::uint32_t bit_offset = 0;
};

/// Bounds the work on hostile types, whose members can fan out without end.
class Budget {
 public:
  explicit Budget(std::uint64_t steps) : left_(steps) {}
  Result<void> spend(std::uint64_t steps = 1);
  std::uint64_t left() const { return left_; }

 private:
  std::uint64_t left_;
};

bool is_field_kind(CoreKind kind);
bool is_type_kind(CoreKind kind);
bool is_enumerator_kind(CoreKind kind);

/// The path of a relocation through its own object's types.
Result<AccessPath> local_path(const CoreRelocation& relocation, std::shared_ptr<const Btf> local);

/// The same path through a candidate's types; no value if it does not fit there.
Result<std::optional<AccessPath>> target_path(CoreKind kind, const AccessPath& local, const Type& candidate,
                                              std::shared_ptr<const Btf> target, Budget& budget);

/// Are both of the same kind, or both enums of any width?
bool kinds_compatible(Kind a, Kind b);
/// May a field of the local type be read as one of the target's?
Result<bool> fields_compatible(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id, Budget& budget);
/// The relation behind bpf_core_type_exists: same kinds all the way, names and members ignored.
Result<bool> types_compatible(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id, Budget& budget);
/// The relation behind bpf_core_type_matches: what the local type has, the target has too.
Result<bool> types_match(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id, Budget& budget);

/// "struct task_struct.comm[2]", "enum x::Y".
std::string spell(CoreKind kind, const AccessPath& path);

}  // namespace espy::btf
