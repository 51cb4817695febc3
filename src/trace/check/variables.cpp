// Variables and maps: their names, scopes, and the types that all their uses agree on.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

constexpr unsigned kPatientRounds = 6;  // of inference, before strings that keep growing get the most at once

std::uint64_t place_of(Span at) { return std::uint64_t{at.source} << 32 | at.begin; }

}  // namespace

std::uint32_t Checker::declare_variable(const std::string& name, Span at) {
  auto [entry, is_new] = body_->declared.try_emplace(place_of(at), static_cast<std::uint32_t>(body_->variables.size()));
  if (is_new) body_->variables.push_back({.name = name, .at = at});
  body_->scopes.back()[name] = entry->second;
  return entry->second;
}

std::optional<std::uint32_t> Checker::variable_id(const std::string& name) const {
  for (auto scope = body_->scopes.rbegin(); scope != body_->scopes.rend(); ++scope)
    if (auto found = scope->find(name); found != scope->end()) return found->second;
  return std::nullopt;
}

VariableState* Checker::find_variable(const std::string& name) {
  auto id = variable_id(name);
  return id ? &body_->variables[*id] : nullptr;
}

/// The map that this is an entry of, if its value cannot be copied: `$kv` or `$kv.1` of a loop over histograms, `@m[k]`.
std::optional<std::uint32_t> Checker::entry_of(const Expr& expr) const {
  const auto apart = [&](const Type& type) { return type.is_aggregate() && !is_castable_aggregate(type); };
  if (const auto* access = std::get_if<MapAccess>(&expr.node)) return access->key && apart(expr.type) ? std::optional(access->id) : std::nullopt;
  const Expr* pair = &expr;
  if (const auto* member = std::get_if<Member>(&expr.node)) {
    if (!apart(expr.type)) return std::nullopt;
    pair = &*member->object;
  }
  const auto* named = std::get_if<Variable>(&pair->node);
  if (named == nullptr || !pair->type.fields || pair->type.fields->size() != 2 || !apart(pair->type.fields->back().type)) return std::nullopt;
  return body_->variables[named->id].entry_of;
}

void Checker::grow_variable(VariableState& variable, const Type& type, Span at) {
  variable.is_assigned = true;
  if (is_unknown(type) || variable.is_fixed) return;
  if (type.kind == Kind::none) {
    error(at, "this has no value to assign");
    return;
  }
  const bool has_entry = type.fields && std::ranges::any_of(*type.fields, [](const Field& field) { return field.type.is_aggregate(); });
  if (has_entry || (type.is_aggregate() && !is_castable_aggregate(type))) {
    error(at, fmt::format("a `{}` cannot be put into a variable", to_string(type)));
    return;
  }
  const Type value = is_castable_aggregate(type) ? wide_integer(type) : stored_type(type, false);
  auto joined = join_types(variable.type, value);
  if (!joined) {
    error(at, fmt::format("`${}` is a `{}`, and this is a `{}`", variable.name, to_string(variable.type), to_string(type)),
          "a variable keeps one type; use another variable, or a cast");
    return;
  }
  if (joined->kind == Kind::string && round_ > kPatientRounds && !is_unknown(variable.type) && joined->size > variable.type.size)
    joined->size = static_cast<std::uint32_t>(checked_.config.max_strlen);
  variable.type = std::move(*joined);
}

Type Checker::variable(Expr& expr, Variable& node) {
  auto id = variable_id(node.name);
  if (!id) {
    std::vector<std::string_view> names;
    for (const auto& scope : body_->scopes)
      for (const auto& [name, unused] : scope) names.push_back(name);
    const std::string_view near = nearest(node.name, names);
    for (const VariableState& other : body_->variables)
      if (other.name == node.name && near.empty())
        return refuse(expr.at, fmt::format("`${}` is not known here: it ends with the block that it is set in", node.name),
                      fmt::format("put `let ${};` before that block", node.name));
    return refuse(expr.at, fmt::format("`${}` is used before it is set", node.name),
                  near.empty() ? "" : fmt::format("did you mean `${}`?", near));
  }
  node.id = *id;
  VariableState& state = body_->variables[*id];
  if (is_unknown(state.type) && !state.is_assigned) return refuse(expr.at, fmt::format("`${}` is never given a value", node.name));
  return state.type;
}

// ---- maps ----

std::uint32_t Checker::map_id(const std::string& name, Span at) {
  auto [entry, is_new] = map_ids_.try_emplace(name, static_cast<std::uint32_t>(maps_.size()));
  if (is_new) maps_.push_back({.name = name, .at = at});
  return entry->second;
}

void Checker::grow_key(std::uint32_t id, const Type& type, Span at) {
  MapState& map = maps_[id];
  if (is_unknown(type)) return;
  if (is_unknown(map.key)) map.key_at = at;
  const Type key = is_castable_aggregate(type) ? wide_integer(type) : stored_type(type, true);
  const bool scalar = key.kind == Kind::none, was_scalar = map.key.kind == Kind::none;
  auto joined = is_unknown(map.key) || scalar == was_scalar ? join_types(map.key, key) : std::nullopt;
  if (!joined) {
    if (scalar != was_scalar)
      error(at, scalar ? fmt::format("`@{}` has keys elsewhere, and none here", map.name)
                       : fmt::format("`@{}` has no key elsewhere, and one here", map.name),
            "a map either has keys or is one value: use two maps");
    else
      error(at, fmt::format("the key of `@{}` is a `{}`, and this is a `{}`", map.name, to_string(map.key), to_string(type)));
    return;
  }
  if (joined->kind == Kind::string && round_ > kPatientRounds && !is_unknown(map.key) && joined->size > map.key.size)
    joined->size = static_cast<std::uint32_t>(checked_.config.max_strlen);
  map.key = std::move(*joined);
}

void Checker::grow_value(std::uint32_t id, const Type& type, Span at) {
  MapState& map = maps_[id];
  if (is_unknown(type)) return;
  if (type.kind == Kind::none) {
    error(at, "this has no value to assign");
    return;
  }
  if (is_unknown(map.value)) map.value_at = at;
  const Type value = stored_type(type, true);
  std::optional<Type> joined;
  if (map.value.is_aggregate() && value.kind == map.value.kind) {
    joined = map.value;
    joined->is_signed |= value.is_signed;
    if (!(value.shape == map.value.shape)) {
      error(at, fmt::format("`@{}` has other buckets or intervals elsewhere", map.name), "all uses of a map must agree");
      return;
    }
  } else {
    joined = join_types(map.value, value);
  }
  if (!joined) {
    error(at, fmt::format("`@{}` holds a `{}`, and this is a `{}`", map.name, to_string(map.value), to_string(type)),
          map.value.is_aggregate() || value.is_aggregate() ? "a map that counts or sums takes nothing else" : "all values of a map have one type");
    return;
  }
  if (joined->kind == Kind::string && round_ > kPatientRounds && !is_unknown(map.value) && joined->size > map.value.size)
    joined->size = static_cast<std::uint32_t>(checked_.config.max_strlen);
  map.value = std::move(*joined);
}

/// Checks an access' key against the map's, and settles which map it is.
void Checker::use_key(MapAccess& access, Span at) {
  access.id = map_id(access.name, at);
  if (!access.key) {
    grow_key(access.id, Type{}, at);
    return;
  }
  Expr& key = **access.key;
  expression(key);
  if (key.type.kind == Kind::none) error(key.at, "this has no value to be a key");
  if (key.type.is_aggregate() && !is_castable_aggregate(key.type)) error(key.at, fmt::format("a `{}` cannot be a key", to_string(key.type)));
  as_number(key);
  grow_key(access.id, key.type.kind == Kind::none ? unknown_type() : key.type, key.at);
  convert(key, maps_[access.id].key);
}

Type Checker::map_access(Expr& expr, MapAccess& node) {
  use_key(node, expr.at);
  const MapState& map = maps_[node.id];
  if (!is_unknown(map.value)) return map.value;
  std::vector<std::string_view> names;
  for (const MapState& other : maps_)
    if (!is_unknown(other.value)) names.push_back(other.name);
  const std::string_view near = nearest(node.name, names);
  return refuse(expr.at, fmt::format("`@{}` is never given a value", node.name), near.empty() ? "" : fmt::format("did you mean `@{}`?", near));
}

/// An argument that is a whole map, and its id settled; null: it is none, which was said.
MapAccess* Checker::whole_map(Expr& expr, std::string_view function) {
  auto* access = std::get_if<MapAccess>(&expr.node);
  if (access == nullptr || access->key) {
    error(expr.at, fmt::format("{}() takes a map", function), "as in @x, without a key");
    return nullptr;
  }
  access->id = map_id(access->name, expr.at);
  expr.type = simple_type(Kind::map_reference);
  if (is_unknown(maps_[access->id].value) && maps_[access->id].declared_kind.empty())
    error(expr.at, fmt::format("`@{}` is never given a value", access->name));
  return access;
}

}  // namespace espy::trace
