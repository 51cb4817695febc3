#include "btf/core_spec.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "btf/declare.hpp"

namespace espy::btf {
namespace {

bool is_any_enum(Kind kind) { return kind == Kind::enum_ || kind == Kind::enum64; }
bool is_composite(Kind kind) { return kind == Kind::struct_ || kind == Kind::union_; }

Result<std::vector<std::uint32_t>> parse_access(std::string_view text) {
  std::vector<std::uint32_t> indices;
  for (std::string_view field : split(text, ':')) {
    const auto index = parse_number<std::uint32_t>(field);
    if (!index || *index > INT32_MAX) return fail(ErrorKind::malformed, "access string `{}` is not indices joined by `:`", text);
    if (indices.size() == kMaxAccessDepth) return fail(ErrorKind::malformed, "access string `{}` is deeper than {} levels", text, kMaxAccessDepth);
    indices.push_back(*index);
  }
  return indices;
}

/// Has this array no end of its own: is it, without a count, the last member of the struct that `last` steps into?
bool is_flexible(const Btf& btf, const Step& last, const ArrayInfo& array) {
  return !last.name.empty() && array.count == 0 && last.index + 1 == btf.type(last.type).vlen();
}

/// Walks a local path: appends the step to a member or an element, and moves `id` to its type.
Result<void> step_into(AccessPath& path, TypeId& id, std::uint32_t index) {
  const Btf& btf = *path.btf;
  const Type type = btf.resolve(id);
  if (is_composite(type.kind())) {
    if (index >= type.vlen()) return fail(ErrorKind::malformed, "{} has no member {}", btf.type_name(type.id()), index);
    const Member member = type.member(index);
    path.bit_offset += member.bit_offset;
    if (!member.name.empty()) path.steps.push_back({type.id(), index, member.name});
    id = member.type;
    return {};
  }
  if (type.kind() == Kind::array) {
    const ArrayInfo array = type.array();
    if (!is_flexible(btf, path.steps.back(), array) && index >= array.count)
      return fail(ErrorKind::malformed, "index {} is past the end of {}", index, btf.type_name(type.id()));
    id = btf.resolve(array.element).id();
    path.bit_offset += index * TRY(btf.size_of(id)) * 8;
    path.steps.push_back({id, index, {}});
    return {};
  }
  return fail(ErrorKind::malformed, "nothing is inside {}, a {}", btf.type_name(type.id()), to_string(type.kind()));
}

class Finder {
 public:
  Finder(const AccessPath& local, AccessPath& target, Budget& budget) : local_(local), target_(target), budget_(budget) {}

  /// Looks for the member that `step` names in a composite and in its anonymous members, depth first; moves `id` to the
  /// member's type. The first member of the name decides: if its type does not fit, the search ends.
  Result<bool> member(const Step& step, TypeId& id) {
    const Btf& btf = *target_.btf;
    const Type type = btf.resolve(id);
    if (!is_composite(type.kind())) return false;
    for (std::uint32_t i = 0; i < type.vlen(); ++i) {
      TRY(budget_.spend());
      if (target_.raw.size() == kMaxAccessDepth) return fail(ErrorKind::malformed, "{} nests deeper than {} levels", btf.type_name(type.id()), kMaxAccessDepth);
      const Member member = type.member(i);
      target_.bit_offset += member.bit_offset;
      target_.raw.push_back(i);
      if (member.name.empty()) {
        TypeId inner = member.type;
        if (TRY(this->member(step, inner))) return id = inner, true;
      } else if (member.name == step.name) {
        const Member wanted = local_.btf->type(step.type).member(step.index);
        if (!TRY(fields_compatible(*local_.btf, wanted.type, btf, member.type, budget_))) return false;
        target_.steps.push_back({type.id(), i, member.name});
        id = member.type;
        return true;
      }
      target_.bit_offset -= member.bit_offset;
      target_.raw.pop_back();
    }
    return false;
  }

  Result<bool> element(const Step& step, bool first, TypeId& id) {
    const Btf& btf = *target_.btf;
    const Type type = btf.resolve(id);
    id = type.id();
    if (!first) {
      if (type.kind() != Kind::array) return false;
      const ArrayInfo array = type.array();
      if (!is_flexible(btf, target_.steps.back(), array) && step.index >= array.count) return false;
      id = btf.resolve(array.element).id();
    }
    if (target_.raw.size() == kMaxAccessDepth) return fail(ErrorKind::malformed, "an access deeper than {} levels", kMaxAccessDepth);
    target_.steps.push_back({id, step.index, {}});
    target_.raw.push_back(step.index);
    target_.bit_offset += step.index * TRY(btf.size_of(id)) * 8;
    return true;
  }

 private:
  const AccessPath& local_;
  AccessPath& target_;
  Budget& budget_;
};

}  // namespace

bool is_field_kind(CoreKind kind) { return kind <= CoreKind::field_rshift_u64; }
bool is_type_kind(CoreKind kind) {
  return kind == CoreKind::type_id_local || kind == CoreKind::type_id_target || kind == CoreKind::type_exists ||
         kind == CoreKind::type_size || kind == CoreKind::type_matches;
}
bool is_enumerator_kind(CoreKind kind) { return kind == CoreKind::enumval_exists || kind == CoreKind::enumval_value; }

Result<AccessPath> local_path(const CoreRelocation& relocation, std::shared_ptr<const Btf> local) {
  AccessPath path{.btf = local, .root = relocation.type, .steps = {}, .raw = {}, .bit_offset = 0};
  const Btf& btf = *local;
  TRY(btf.find(relocation.type));
  if (is_type_kind(relocation.kind)) {
    if (relocation.access != "0") return fail(ErrorKind::malformed, "access string `{}` of a {} relocation is not `0`", relocation.access, to_string(relocation.kind));
    return path;
  }
  path.raw = TRY(parse_access(relocation.access));
  const Type root = btf.resolve(relocation.type);
  const std::uint32_t first = path.raw.front();
  if (is_enumerator_kind(relocation.kind)) {
    if (!is_any_enum(root.kind()) || path.raw.size() != 1 || first >= root.vlen())
      return fail(ErrorKind::malformed, "`{}` names no enumerator of {}", relocation.access, btf.type_name(relocation.type));
    path.steps.push_back({root.id(), first, root.enumerator(first).name});
    return path;
  }
  if (!is_field_kind(relocation.kind))
    return fail(ErrorKind::unsupported, "CO-RE relocation kind {} is not known", static_cast<std::uint32_t>(relocation.kind));
  path.steps.push_back({root.id(), first, {}});
  path.bit_offset = first * TRY(btf.size_of(root.id())) * 8;
  TypeId id = root.id();
  for (std::size_t i = 1; i < path.raw.size(); ++i) TRY(step_into(path, id, path.raw[i]));
  return path;
}

Result<std::optional<AccessPath>> target_path(CoreKind kind, const AccessPath& local, const Type& candidate,
                                              std::shared_ptr<const Btf> target, Budget& budget) {
  AccessPath path{.btf = target, .root = candidate.id(), .steps = {}, .raw = {}, .bit_offset = 0};
  const Btf& btf = *target;
  if (is_type_kind(kind)) {
    auto relation = kind == CoreKind::type_matches ? types_match : types_compatible;
    if (!TRY(relation(*local.btf, local.root, btf, path.root, budget))) return std::nullopt;
    return path;
  }
  if (is_enumerator_kind(kind)) {
    const Type type = btf.resolve(path.root);
    const std::string_view wanted = essential_name(local.steps.front().name);
    for (std::uint32_t i = 0; i < type.vlen() && is_any_enum(type.kind()); ++i) {
      TRY(budget.spend());
      const std::string_view name = type.enumerator(i).name;
      if (essential_name(name) != wanted) continue;
      path.steps.push_back({type.id(), i, name});
      path.raw.push_back(i);
      return path;
    }
    return std::nullopt;
  }
  Finder finder(local, path, budget);
  TypeId id = path.root;
  for (std::size_t i = 0; i < local.steps.size(); ++i) {
    const Step& step = local.steps[i];
    if (!TRY(step.name.empty() ? finder.element(step, i == 0, id) : finder.member(step, id))) return std::nullopt;
  }
  return path;
}

std::string spell(CoreKind kind, const AccessPath& path) {
  const Type root = path.btf->type(path.root);
  std::string text = root.name().empty() ? path.btf->type_name(path.root) : spell_by_name(root);
  if (is_enumerator_kind(kind)) return text + "::" + std::string(path.steps.front().name);
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    const Step& step = path.steps[i];
    if (!step.name.empty()) text += "." + std::string(step.name);
    else if (i != 0 || step.index != 0) text += fmt::format("[{}]", step.index);
  }
  return text;
}

}  // namespace espy::btf
