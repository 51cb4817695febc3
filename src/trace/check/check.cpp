#include "trace/check/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"
#include "trace/check/walk.hpp"

namespace espy::trace {

namespace {

/// Does it tell of what the probe interrupts?
bool is_of_interrupted(const Builtin& row) {
  return row.id == BuiltinId::ctx || row.id == BuiltinId::kstack || row.id == BuiltinId::ustack || row.id == BuiltinId::dw_ustack || row.id == BuiltinId::usermode;
}

/// What a block's text asks of its probes: names, before any types are known.
probes::Needs needs_of(Probe& probe) {
  probes::Needs needs;
  const auto visit = [&](Expr& expr) {
    if (auto* member = std::get_if<Member>(&expr.node)) {
      auto* object = std::get_if<Identifier>(&member->object->node);
      if (object != nullptr && object->name == "args") needs.fields.push_back(member->name);
    } else if (auto* identifier = std::get_if<Identifier>(&expr.node)) {
      const Builtin* row = find_builtin(identifier->name);
      if (row == nullptr) return;
      if (row->id == BuiltinId::arg || row->id == BuiltinId::retval) needs.numbered = true;
      if (row->id == BuiltinId::ctx) needs.whole_args = true;
      needs.interrupted |= is_of_interrupted(*row);
      if (row->id == BuiltinId::probe || row->id == BuiltinId::func) needs.probe = true;
    } else if (auto* call = std::get_if<Call>(&expr.node)) {
      const Function* row = find_function(call->name);
      if (row != nullptr && row->id == FunctionId::reg) needs.numbered = needs.interrupted = true;
      if (const Builtin* builtin = find_builtin(call->name)) needs.interrupted |= is_of_interrupted(*builtin);
      if (row == nullptr) needs.kernel_functions = true;   // a builtin of another task, a function of the script or of its C
    }
  };
  // `args` alone is the whole of it: count the words and take those away that a member is of.
  std::size_t words = 0;
  const auto count = [&](Expr& expr) {
    visit(expr);
    auto* identifier = std::get_if<Identifier>(&expr.node);
    words += identifier != nullptr && identifier->name == "args" ? 1 : 0;
  };
  if (probe.predicate) walk(*probe.predicate, count);
  walk(probe.body, count);
  needs.whole_args |= words > needs.fields.size();
  std::ranges::sort(needs.fields);
  const auto repeated = std::ranges::unique(needs.fields);
  needs.fields.erase(repeated.begin(), repeated.end());
  return needs;
}

struct MapKindRow {
  std::string_view name;
  bool per_cpu;
};
constexpr MapKindRow kMapKinds[] = {{"hash", false}, {"lruhash", false}, {"percpuhash", true}, {"percpulruhash", true}};

}  // namespace

void Checker::error(Span at, std::string message, std::string hint) {
  if (!final_ || !said_.insert({at.source, at.begin, at.end, message}).second) return;
  diagnostics_.error(at, std::move(message), std::move(hint));
}

void Checker::warning(Span at, std::string message, std::string hint) {
  if (!final_ || !said_.insert({at.source, at.begin, at.end, message}).second) return;
  diagnostics_.warning(at, std::move(message), std::move(hint));
}

Type Checker::refuse(Span at, std::string message, std::string hint) {
  error(at, std::move(message), std::move(hint));
  return unknown_type();
}

void Checker::apply_config(Script& script) {
  checked_.config = options_.config;
  for (ConfigEntry& entry : script.config) {
    std::string value;
    // Words like `perf` are names here.
    if (auto* word = std::get_if<Identifier>(&entry.value.node)) {
      value = word->name;
    } else if (auto constant = constant_of(entry.value)) {
      value = std::visit(overload{[](const Integer& number) { return std::to_string(number.value); },
                                  [](const Boolean& flag) { return std::string(flag.value ? "1" : "0"); },
                                  [](const String& text) { return text.value; }},
                         *constant);
    } else {
      error(entry.value.at, "a configuration variable takes a number, a string or a word");
      continue;
    }
    if (auto set = set_config(checked_.config, entry.name, value); !set) {
      Span at = entry.at;
      if (set.error().kind == ErrorKind::not_found) at.end = at.begin + static_cast<std::uint32_t>(entry.name.size());   // it is the name
      error(at, one_line(set.error()), set.error().hint);
    }
  }
  if (!options_.environment) return;
  if (auto set = set_from_environment(checked_.config, options_.environment); !set) error(script.config_at, one_line(set.error()), set.error().hint);
}

void Checker::declare_maps(Script& script) {
  for (MapDeclaration& declaration : script.maps) {
    const std::size_t before = maps_.size();
    MapState& map = maps_[map_id(declaration.name, declaration.at)];
    if (maps_.size() == before) {
      error(declaration.at, fmt::format("`@{}` is declared twice", declaration.name));
      continue;
    }
    const auto* row = std::ranges::find(kMapKinds, declaration.kind, &MapKindRow::name);
    if (row == std::end(kMapKinds)) {
      std::vector<std::string_view> names;
      for (const MapKindRow& kind : kMapKinds) names.push_back(kind.name);
      const std::string_view near = nearest(declaration.kind, names);
      error(declaration.at, fmt::format("`{}` is no kind of map", declaration.kind),
            near.empty() ? "there are hash, lruhash, percpuhash and percpulruhash" : fmt::format("did you mean `{}`?", near));
    }
    map.declared_kind = declaration.kind;
    auto size = constant_integer(declaration.size);
    if (!size || *size == 0 || *size > UINT32_MAX)
      error(declaration.size.at, "a map's size is a constant from 1 to 4294967295");
    else
      map.max_entries = static_cast<std::uint32_t>(*size);
  }
}

void Checker::make_bodies(Script& script) {
  for (Probe& probe : script.probes) {
    std::vector<probes::Instance> instances;
    if (options_.resolve_probes) instances = options_.resolve_probes(probe, needs_of(probe), checked_.config, diagnostics_);
    for (std::size_t i = 0; i < instances.size(); ++i) {
      const bool last = i + 1 == instances.size();
      // The last one takes the tree itself: most blocks become one program.
      checked_.probes.push_back({.instance = std::move(instances[i]),
                                 .predicate = last ? std::move(probe.predicate) : probe.predicate,
                                 .body = last ? std::move(probe.body) : probe.body,
                                 .variables = {},
                                 .at = probe.at});
    }
  }
  bodies_.resize(checked_.probes.size());
  for (std::size_t i = 0; i < bodies_.size(); ++i) {
    const probes::Instance& instance = checked_.probes[i].instance;
    bodies_[i].instance = &instance;
    if (!instance.targets.empty()) bodies_[i].provider = &row_of(instance.targets.front().provider);
  }
  for (Subprogram& subprogram : script.subprograms) {
    CheckedSubprogram& checked = checked_.subprograms.emplace_back();
    checked.name = subprogram.name;
    checked.parameters = static_cast<std::uint32_t>(subprogram.parameters.size());
    checked.at = subprogram.at;
    checked.returns = stored_type(named_type(subprogram.returns).value_or(unknown_type()), false);
    checked.body = std::move(subprogram.body);
    if (find_function(subprogram.name) != nullptr || find_builtin(subprogram.name) != nullptr)
      error(subprogram.at, fmt::format("`{}` is a function of the language", subprogram.name), "give the subprogram another name");
    std::vector<Type>& types = parameter_types_.emplace_back();
    Body& body = subprogram_bodies_.emplace_back();
    for (SubprogramParameter& parameter : subprogram.parameters) {
      types.push_back(stored_type(named_type(parameter.type).value_or(unknown_type()), false));
      body.variables.push_back({.name = parameter.name, .type = types.back(), .is_fixed = true, .is_assigned = true, .at = subprogram.at});
    }
  }
}

void Checker::walk_probe(std::size_t index) {
  body_ = &bodies_[index];
  body_->scopes.clear();
  CheckedProbe& probe = checked_.probes[index];
  body_->scopes.emplace_back();
  if (probe.predicate) condition(*probe.predicate);
  statements(probe.body);
  body_->scopes.clear();
}

void Checker::walk_subprogram(std::size_t index) {
  body_ = &subprogram_bodies_[index];
  body_->scopes.clear();
  body_->scopes.emplace_back();
  CheckedSubprogram& subprogram = checked_.subprograms[index];
  body_->returns = &subprogram.returns;
  for (std::uint32_t i = 0; i < subprogram.parameters; ++i) body_->scopes.back()[body_->variables[i].name] = i;
  statements(subprogram.body);
  body_->scopes.clear();
}

void Checker::walk_all() {
  for (std::size_t i = 0; i < checked_.probes.size(); ++i) walk_probe(i);
  for (std::size_t i = 0; i < checked_.subprograms.size(); ++i) walk_subprogram(i);
}

/// All that inference can change, to see whether it did.
std::string Checker::progress() const {
  std::string out;
  const auto add = [&](const Type& type) { out += to_string(type) + (type.is_flexible ? "+;" : ";"); };
  for (const MapState& map : maps_) add(map.key), add(map.value);
  for (const auto* bodies : {&bodies_, &subprogram_bodies_})
    for (const Body& body : *bodies)
      for (const VariableState& variable : body.variables) add(variable.type);
  return out;
}

void Checker::finish_maps() {
  for (MapState& map : maps_) {
    if (is_unknown(map.value) && !diagnostics_.has_errors()) {
      if (map.declared_kind.empty()) error(map.at, fmt::format("`@{}` is never given a value", map.name));
      else warning(map.at, fmt::format("Unused map: @{}", map.name));
      map.key = map.declared_kind.empty() ? Type{} : int64_type(), map.value = int64_type();
    }
    const auto* kind = std::ranges::find(kMapKinds, map.declared_kind, &MapKindRow::name);
    if (kind != std::end(kMapKinds) && !kind->per_cpu && map.value.is_aggregate())
      error(map.at, fmt::format("`@{}` counts on each CPU, and a map of kind {} does not", map.name, map.declared_kind),
            fmt::format("declare it as percpu{}", map.declared_kind));
    if (!map.declared_kind.empty() && map.key.kind == Kind::none && map.max_entries > 1)
      error(map.at, fmt::format("`@{}` is declared with {} entries and used without a key", map.name, map.max_entries));
    checked_.maps.push_back({.name = map.name, .key = map.key, .value = map.value, .declared_kind = map.declared_kind,
                             .max_entries = map.max_entries, .is_iterated = map.is_iterated, .at = map.at});
  }
}

std::optional<Checked> Checker::run(Script script) {
  final_ = true;  // what is not inferred is said at once
  apply_config(script);
  declare_maps(script);
  make_bodies(script);
  final_ = false;
  // Types only grow, a few steps each, and a step may have to pass through every map: this ends. Strings that feed
  // themselves (`$s = str_concat($s, "x")`) would grow for long; after a few rounds they get all they can have.
  std::string before = progress();
  for (round_ = 0; round_ < 64; ++round_) {
    walk_all();
    std::string after = progress();
    if (after == before) break;
    before = std::move(after);
  }
  final_ = true;
  walk_all();
  finish_maps();
  if (diagnostics_.has_errors()) return std::nullopt;
  const auto settle = [](std::vector<VariableState>& from, std::vector<CheckedVariable>& to) {
    for (VariableState& variable : from) to.push_back({.name = std::move(variable.name), .type = std::move(variable.type)});
  };
  for (std::size_t i = 0; i < bodies_.size(); ++i) settle(bodies_[i].variables, checked_.probes[i].variables);
  for (std::size_t i = 0; i < subprogram_bodies_.size(); ++i) settle(subprogram_bodies_[i].variables, checked_.subprograms[i].variables);
  return std::move(checked_);
}

std::optional<Checked> check(Script script, const CheckOptions& options, Diagnostics& diagnostics) {
  return Checker(options, diagnostics).run(std::move(script));
}

}  // namespace espy::trace
