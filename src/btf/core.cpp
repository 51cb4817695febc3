// Values of relocations, and the choice among candidates.
//
// Candidates for a root type are the target's types of the same kind whose essential name is the same; modules are searched
// only if vmlinux has none. Each candidate is matched, and each match gives a value: all must agree on the bit offset and
// on the value, since nothing says which one a pointer at run time points to.
#include "btf/core.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include "btf/core_spec.hpp"

namespace espy::btf {
namespace {

// Steps over type graphs, of some 25 ns: what one object and one relocation may take. Real relocations take some hundreds.
constexpr std::uint64_t kObjectBudget = std::uint64_t{1} << 26, kRelocationBudget = std::uint64_t{1} << 24;

/// What one side, local or target, gives for a field.
struct FieldValue {
  std::uint64_t value = 0;
  std::uint32_t size = 0;  // of the field where loads and stores may follow it, else 0
  TypeId type{};
  bool validate = true;
};

struct Placement {
  std::uint32_t byte_offset = 0, byte_size = 0, bit_offset = 0, bit_size = 0;
  bool bitfield = false;
  TypeId type{};
};

/// Where a member lies. A bit-field is loaded by the smallest aligned integer that holds all of it, from the size of its
/// declared type upwards.
Result<Placement> place(const AccessPath& path) {
  const Btf& btf = *path.btf;
  const Step& last = path.steps.back();
  const Member member = btf.type(last.type).member(last.index);
  const Type type = btf.resolve(member.type);
  Placement at{.byte_offset = path.bit_offset / 8, .byte_size = 0, .bit_offset = path.bit_offset, .bit_size = member.bitfield_size,
               .bitfield = member.bitfield_size > 0, .type = type.id()};
  if (!at.bitfield) {
    at.byte_size = TRY(btf.size_of(type.id()));
    at.bit_size = at.byte_size * 8;
    return at;
  }
  at.byte_size = type.size();
  if (at.byte_size == 0) return fail(ErrorKind::malformed, "bit-field `{}` has a type without a size", member.name);
  at.byte_offset = at.bit_offset / 8 / at.byte_size * at.byte_size;
  while (std::uint64_t{at.bit_offset} + at.bit_size - std::uint64_t{at.byte_offset} * 8 > std::uint64_t{at.byte_size} * 8) {
    if (at.byte_size >= 8) return fail(ErrorKind::unsupported, "bit-field `{}` cannot be read by one 64-bit load", member.name);
    at.byte_size *= 2;
    at.byte_offset = at.bit_offset / 8 / at.byte_size * at.byte_size;
  }
  return at;
}

Result<FieldValue> element_value(CoreKind kind, const AccessPath& path) {
  const TypeId type = path.steps.back().type;
  const std::uint32_t size = TRY(path.btf->size_of(type));
  if (kind == CoreKind::field_byte_offset) return FieldValue{.value = path.bit_offset / 8, .size = size, .type = type};
  if (kind == CoreKind::field_byte_size) return FieldValue{.value = size};
  return fail(ErrorKind::malformed, "a {} relocation cannot be of an array element", to_string(kind));
}

bool is_signed_field(const Type& type) {
  return (type.kind() == Kind::int_ || type.kind() == Kind::enum_ || type.kind() == Kind::enum64) && type.is_signed();
}

Result<FieldValue> field_value(CoreKind kind, const AccessPath& path) {
  if (kind == CoreKind::field_exists) return FieldValue{.value = 1};
  if (path.steps.back().name.empty()) return element_value(kind, path);
  const Placement at = TRY(place(path));
  // The compiler may choose another load for a bit-field; sign and right shift do not depend on the load.
  FieldValue result{.validate = !at.bitfield};
  switch (kind) {
    case CoreKind::field_byte_offset:
      result.value = at.byte_offset;
      if (!at.bitfield) result.size = at.byte_size, result.type = at.type;
      return result;
    case CoreKind::field_byte_size: result.value = at.byte_size; return result;
    case CoreKind::field_signed:
      result.value = is_signed_field(path.btf->type(at.type));
      result.validate = true;
      return result;
    case CoreKind::field_lshift_u64: {
      const std::uint32_t inside = at.bit_offset - at.byte_offset * 8;
      // 32-bit arithmetic, as everywhere here: a field wider than 64 bits gives the wrapped value that libbpf's gives.
      result.value = path.btf->stored_endian() == Endian::little ? 64 - (inside + at.bit_size) : (8 - at.byte_size) * 8 + inside;
      return result;
    }
    case CoreKind::field_rshift_u64:
      result.value = 64 - at.bit_size;
      result.validate = true;
      return result;
    default: return fail(ErrorKind::unsupported, "CO-RE relocation kind {} is not known", static_cast<std::uint32_t>(kind));
  }
}

/// May a load or store follow the field from one size to another? A pointer of 4 bytes read into a register of 8 is
/// zero-extended, which is right; so is an unsigned integer; all else would change its meaning.
bool size_may_change(const Type& from, const Type& to) {
  if (from.kind() == Kind::ptr && to.kind() == Kind::ptr) return true;
  auto unsigned_int = [](const Type& type) {
    const IntInfo info = type.int_info();
    return type.kind() == Kind::int_ && (!info.is_signed || info.is_char || info.is_bool);
  };
  return unsigned_int(from) && unsigned_int(to);
}

std::uint64_t enumerator_value(const AccessPath& path) {
  const Type type = path.btf->type(path.steps.front().type);
  const std::uint64_t value = type.enumerator(path.steps.front().index).value;
  // 32-bit enumerators are sign-extended whatever the enum's sign says: the rule that all loaders share.
  return type.kind() == Kind::enum_ ? static_cast<std::uint64_t>(static_cast<std::int32_t>(value)) : value;
}

Result<void> set_field(CoreResult& result, CoreKind kind, const AccessPath& local, const AccessPath* target) {
  const FieldValue before = TRY(field_value(kind, local));
  result.original = before.value, result.original_size = before.size, result.original_type = before.type;
  result.validate = before.validate;
  if (target == nullptr) {
    result.poisoned = kind != CoreKind::field_exists;
    return {};
  }
  const FieldValue after = TRY(field_value(kind, *target));
  result.value = after.value, result.new_size = after.size, result.new_type = after.type;
  result.fail_memory_size =
      before.size != after.size && !size_may_change(local.btf->type(before.type), target->btf->type(after.type));
  return {};
}

Result<std::uint64_t> type_value(CoreKind kind, const AccessPath* path) {
  if (path == nullptr) return 0;
  if (kind == CoreKind::type_id_target) return static_cast<std::uint32_t>(path->root);
  if (kind == CoreKind::type_size) return TRY(path->btf->size_of(path->root));
  return 1;
}

/// The outcome for one matched target, or for none.
Result<CoreResult> outcome(CoreKind kind, const AccessPath& local, const AccessPath* target) {
  CoreResult result;
  if (is_field_kind(kind)) {
    TRY(set_field(result, kind, local, target));
  } else if (is_type_kind(kind)) {
    result.original = TRY(type_value(kind, &local));
    result.value = TRY(type_value(kind, target));
    // Type ids move when objects are linked statically, so that the instruction may hold an older one.
    result.validate = kind != CoreKind::type_id_target;
  } else if (kind == CoreKind::enumval_exists) {
    result.original = 1;
    result.value = target != nullptr;
  } else {
    result.original = enumerator_value(local);
    if (target != nullptr) result.value = enumerator_value(*target);
    result.poisoned = target == nullptr;
  }
  if (target != nullptr) {
    result.target = target->btf;
    result.target_name = spell(kind, *target);
  }
  return result;
}

}  // namespace

struct CoreMatcher::Impl {
  struct Candidate {
    std::shared_ptr<const Btf> btf;
    Type type;
  };

  std::shared_ptr<const Btf> local, vmlinux;
  std::function<std::vector<std::shared_ptr<const Btf>>()> load_modules;
  std::optional<std::vector<std::shared_ptr<const Btf>>> modules;
  std::map<TypeId, std::vector<Candidate>> candidates;
  Budget object_budget{kObjectBudget};

  static void add_candidates(const std::shared_ptr<const Btf>& btf, const Type& root, std::vector<Candidate>& found) {
    for (const Type& type : btf->find_flavours(essential_name(root.name())))
      if (kinds_compatible(type.kind(), root.kind())) found.push_back({btf, type});
  }

  std::vector<Candidate>& candidates_of(const Type& root) {
    auto [at, added] = candidates.try_emplace(root.id());
    if (!added) return at->second;
    if (vmlinux) add_candidates(vmlinux, root, at->second);
    if (at->second.empty() && load_modules) {
      if (!modules) modules = load_modules();
      for (const auto& module : *modules) add_candidates(module, root, at->second);
    }
    return at->second;
  }

  /// The path through one candidate; its steps count for the relocation and for the object.
  Result<std::optional<AccessPath>> match(CoreKind kind, const AccessPath& path, const Candidate& candidate, Budget& budget) {
    TRY(budget.spend());
    const std::uint64_t before = budget.left();
    auto found = target_path(kind, path, candidate.type, candidate.btf, budget);
    TRY(object_budget.spend(before - budget.left() + 1));
    return found;
  }

  Result<CoreResult> resolve(const CoreRelocation& relocation);
};

namespace {

std::unexpected<Error> ambiguous(const CoreResult& a, std::uint32_t a_bits, const CoreResult& b, std::uint32_t b_bits) {
  auto text = [](const CoreResult& result, std::uint32_t bits) {
    return fmt::format("{} ({}, bit offset {}) gives {}", result.target_name, result.target->origin(), bits,
                       result.poisoned ? "nothing" : std::to_string(result.value));
  };
  auto error = fail(ErrorKind::malformed, "the target's types are ambiguous: {}, {}", text(a, a_bits), text(b, b_bits));
  error.error().hint = "use a local type with a flavour (struct x___mine) that only one of them fits";
  return error;
}

}  // namespace

Result<CoreResult> CoreMatcher::Impl::resolve(const CoreRelocation& relocation) {
  const AccessPath path = TRY(local_path(relocation, local));
  if (relocation.kind == CoreKind::type_id_local) {
    CoreResult result;
    result.value = result.original = static_cast<std::uint32_t>(relocation.type);
    result.validate = false;
    return result;
  }
  const Type root = local->type(relocation.type);
  if (root.name().empty()) return fail(ErrorKind::unsupported, "relocations of an anonymous {} have no target", to_string(root.kind()));
  std::vector<Candidate>& list = candidates_of(root);
  std::vector<Candidate> fitting;
  std::optional<CoreResult> chosen;
  Budget budget(std::min(kRelocationBudget, object_budget.left()));
  std::uint32_t chosen_bits = 0;
  for (const Candidate& candidate : list) {
    const auto target = TRY(match(relocation.kind, path, candidate, budget));
    if (!target) continue;
    CoreResult result = TRY(outcome(relocation.kind, path, &*target));
    if (!chosen) {
      chosen = std::move(result), chosen_bits = target->bit_offset;
    } else if (target->bit_offset != chosen_bits || result.value != chosen->value || result.poisoned != chosen->poisoned) {
      return ambiguous(*chosen, chosen_bits, result, target->bit_offset);
    }
    fitting.push_back(candidate);
  }
  if (!chosen) return outcome(relocation.kind, path, nullptr);
  list = std::move(fitting);
  return *std::move(chosen);
}

CoreMatcher::CoreMatcher(std::shared_ptr<const Btf> local, std::shared_ptr<const Btf> vmlinux,
                         std::function<std::vector<std::shared_ptr<const Btf>>()> modules)
    : impl_(std::make_unique<Impl>()) {
  impl_->local = std::move(local);
  impl_->vmlinux = std::move(vmlinux);
  impl_->load_modules = std::move(modules);
}
CoreMatcher::~CoreMatcher() = default;
CoreMatcher::CoreMatcher(CoreMatcher&&) noexcept = default;

Result<CoreResult> CoreMatcher::resolve(const CoreRelocation& relocation) {
  auto result = impl_->resolve(relocation);
  if (!result) return std::unexpected(wrap(std::move(result.error()), "resolve CO-RE relocation " + describe(relocation, *impl_->local)));
  return result;
}

std::string describe(const CoreRelocation& relocation, const Btf& local) {
  // Without an owner for longer than this call.
  const std::shared_ptr<const Btf> borrowed(std::shared_ptr<const Btf>{}, &local);
  auto path = local_path(relocation, borrowed);
  if (!path) return fmt::format("{} {} ({})", to_string(relocation.kind), local.type_name(relocation.type), relocation.access);
  return fmt::format("{} {} ({})", to_string(relocation.kind), spell(relocation.kind, *path), relocation.access);
}

}  // namespace espy::btf
