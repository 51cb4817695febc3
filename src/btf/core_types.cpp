// The relations between a local type and a target's that CO-RE knows. They are loose on purpose, each in its own way: a
// field may change its width, an existing type may be anything of its kind, a matching one must have all that the local
// one names. Depths of 32 are part of the contract with libbpf: deeper is an error, not a mismatch.
#include <algorithm>

#include "btf/core.hpp"
#include "btf/core_spec.hpp"

namespace espy::btf {
namespace {

constexpr int kMaxDepth = 32;

std::unexpected<Error> too_deep() { return fail(ErrorKind::malformed, "types nest deeper than {} levels", kMaxDepth); }

bool is_any_enum(Kind kind) { return kind == Kind::enum_ || kind == Kind::enum64; }
bool is_composite(Kind kind) { return kind == Kind::struct_ || kind == Kind::union_; }

bool names_match(std::string_view local, std::string_view target) {
  return target.empty() ? local.empty() : essential_name(local) == essential_name(target);
}

/// One question asked of two type graphs.
class Relation {
 public:
  Relation(const Btf& local, const Btf& target, Budget& budget) : local_(local), target_(target), budget_(budget) {}

  Result<bool> compatible(TypeId local_id, TypeId target_id, int level) {
    if (!kinds_compatible(local_.type(local_id).kind(), target_.type(target_id).kind())) return false;
    for (int depth = 0; depth < kMaxDepth; ++depth) {
      TRY(budget_.spend());
      const Type local = local_.resolve(local_id), target = target_.resolve(target_id);
      if (!kinds_compatible(local.kind(), target.kind())) return false;
      switch (local.kind()) {
        case Kind::void_:
        case Kind::struct_:
        case Kind::union_:
        case Kind::enum_:
        case Kind::enum64:
        case Kind::fwd: return true;
        case Kind::int_: return local.int_info().offset == 0 && target.int_info().offset == 0;
        case Kind::ptr:
          local_id = local.target(), target_id = target.target();
          continue;
        case Kind::array:
          local_id = local.array().element, target_id = target.array().element;
          continue;
        case Kind::func_proto: {
          if (local.vlen() != target.vlen()) return false;
          for (std::uint32_t i = 0; i < local.vlen(); ++i) {
            if (level <= 0) return too_deep();
            const TypeId local_param = local_.resolve(local.param(i).type).id(), target_param = target_.resolve(target.param(i).type).id();
            if (!TRY(compatible(local_param, target_param, level - 1))) return false;
          }
          local_id = local.target(), target_id = target.target();
          continue;
        }
        default: return false;
      }
    }
    return too_deep();
  }

  Result<bool> match(TypeId local_id, TypeId target_id, bool behind_pointer, int level) {
    if (level <= 0) return too_deep();
    for (int depth = 0; depth < kMaxDepth; ++depth) {
      TRY(budget_.spend());
      const Type local = local_.resolve(local_id), target = target_.resolve(target_id);
      if (!names_match(local.name(), target.name())) return false;
      const bool same = local.kind() == target.kind();
      switch (local.kind()) {
        case Kind::void_: return same;
        case Kind::fwd: return match_forward(local, target, behind_pointer);
        case Kind::enum_:
        case Kind::enum64: return is_any_enum(target.kind()) ? match_enums(local, target) : Result<bool>(false);
        case Kind::struct_:
        case Kind::union_:
          if (!behind_pointer) return same ? match_members(local, target, level) : Result<bool>(false);
          return same || (target.kind() == Kind::fwd && target.is_union_fwd() == (local.kind() == Kind::union_));
        case Kind::int_: return same && local.size() == target.size() && local.is_signed() == target.is_signed();
        case Kind::ptr:
          if (!same) return false;
          behind_pointer = true;
          local_id = local.target(), target_id = target.target();
          continue;
        case Kind::array:
          if (!same || local.array().count != target.array().count) return false;
          local_id = local.array().element, target_id = target.array().element;
          continue;
        case Kind::func_proto:
          if (!same || local.vlen() != target.vlen()) return false;
          for (std::uint32_t i = 0; i < local.vlen(); ++i)
            if (!TRY(match(local.param(i).type, target.param(i).type, behind_pointer, level - 1))) return false;
          local_id = local.target(), target_id = target.target();
          continue;
        default: return false;
      }
    }
    return too_deep();
  }

 private:
  static bool match_forward(const Type& local, const Type& target, bool behind_pointer) {
    if (target.kind() == Kind::fwd) return local.is_union_fwd() == target.is_union_fwd();
    return behind_pointer && target.kind() == (local.is_union_fwd() ? Kind::union_ : Kind::struct_);
  }

  // Every local enumerator has one of its name; values may differ.
  Result<bool> match_enums(const Type& local, const Type& target) {
    if (local.size() != target.size() || local.vlen() > target.vlen()) return false;
    for (std::uint32_t i = 0; i < local.vlen(); ++i) {
      const std::string_view name = local.enumerator(i).name;
      bool found = false;
      for (std::uint32_t j = 0; j < target.vlen() && !found; ++j) {
        TRY(budget_.spend());
        found = names_match(name, target.enumerator(j).name);
      }
      if (!found) return false;
    }
    return true;
  }

  Result<bool> match_members(const Type& local, const Type& target, int level) {
    if (local.vlen() > target.vlen()) return false;
    for (std::uint32_t i = 0; i < local.vlen(); ++i) {
      const Member member = local.member(i);
      bool found = false;
      for (std::uint32_t j = 0; j < target.vlen() && !found; ++j) {
        TRY(budget_.spend());
        const Member other = target.member(j);
        found = names_match(member.name, other.name) && TRY(match(member.type, other.type, false, level - 1));
      }
      if (!found) return false;
    }
    return true;
  }

  const Btf& local_;
  const Btf& target_;
  Budget& budget_;
};

}  // namespace

Result<void> Budget::spend(std::uint64_t steps) {
  if (steps > left_) return fail(ErrorKind::malformed, "matching these types takes too long: they fan out beyond what compilers make");
  left_ -= steps;
  return {};
}

bool kinds_compatible(Kind a, Kind b) { return a == b || (is_any_enum(a) && is_any_enum(b)); }

Result<bool> fields_compatible(const Btf& local_btf, TypeId local_id, const Btf& target_btf, TypeId target_id, Budget& budget) {
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    TRY(budget.spend());
    const Type local = local_btf.resolve(local_id), target = target_btf.resolve(target_id);
    if (is_composite(local.kind()) && is_composite(target.kind())) return true;
    if (!kinds_compatible(local.kind(), target.kind())) return false;
    switch (local.kind()) {
      case Kind::ptr:
      case Kind::float_: return true;
      case Kind::fwd:
      case Kind::enum_:
      case Kind::enum64: {
        const std::string_view a = essential_name(local.name()), b = essential_name(target.name());
        return a.empty() || b.empty() || a == b;
      }
      case Kind::int_: return local.int_info().offset == 0 && target.int_info().offset == 0;
      case Kind::array:
        local_id = local.array().element, target_id = target.array().element;
        continue;
      default: return false;
    }
  }
  return too_deep();
}

Result<bool> types_compatible(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id, Budget& budget) {
  return Relation(local, target, budget).compatible(local_id, target_id, kMaxDepth);
}

Result<bool> types_match(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id, Budget& budget) {
  return Relation(local, target, budget).match(local_id, target_id, false, kMaxDepth);
}

bool types_are_compatible(const Btf& local, TypeId local_id, const Btf& target, TypeId target_id) {
  Budget budget(std::uint64_t{1} << 20);  // a prototype of any real function takes some dozens
  auto compatible = types_compatible(local, local_id, target, target_id, budget);
  return compatible && *compatible;
}

}  // namespace espy::btf
