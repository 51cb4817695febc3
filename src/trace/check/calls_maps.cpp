// Functions of maps, and those that only a map takes.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

constexpr std::uint64_t kMostBuckets = 1000;     // of lhist; histogram tables are printed line by line
constexpr std::uint64_t kMostIntervals = 1000000;

Kind aggregate_kind(FunctionId id) {
  switch (id) {
    case FunctionId::count: return Kind::count;
    case FunctionId::sum: return Kind::sum;
    case FunctionId::avg: return Kind::avg;
    case FunctionId::min: return Kind::min;
    case FunctionId::max: return Kind::max;
    case FunctionId::stats: return Kind::stats;
    case FunctionId::hist: return Kind::hist;
    case FunctionId::lhist: return Kind::lhist;
    case FunctionId::tseries: return Kind::tseries;
    default: return Kind::unknown;
  }
}

struct SeriesRow {
  std::string_view name;
  Kind kind;
};
constexpr SeriesRow kSeries[] = {{"avg", Kind::avg}, {"max", Kind::max}, {"min", Kind::min}, {"sum", Kind::sum}};

}  // namespace

/// The buckets or intervals of hist, lhist and tseries: constants, which belong to the type.
bool Checker::aggregate_shape(Call& node, const Function& row, Type& type) {
  std::vector<std::uint64_t> numbers;
  const std::size_t last = row.id == FunctionId::tseries ? std::min<std::size_t>(3, node.arguments.size()) : node.arguments.size();
  for (std::size_t i = 1; i < last; ++i) {
    expression(node.arguments[i]);
    auto number = constant_integer(node.arguments[i]);
    if (!number) {
      if (!is_unknown(node.arguments[i].type)) error(node.arguments[i].at, fmt::format("{}() takes a constant here", row.name));
      return false;
    }
    numbers.push_back(*number);
  }
  const auto wrong = [&](std::size_t argument, std::string message) {
    error(node.arguments[argument].at, std::move(message));
    return false;
  };
  if (row.id == FunctionId::hist) {
    if (!numbers.empty() && numbers[0] > 5) return wrong(1, "hist() has 2^0 to 2^5 buckets for each power of two: its second argument is 0 to 5");
    type.shape.bits = numbers.empty() ? 0 : static_cast<std::uint32_t>(numbers[0]);
  } else if (row.id == FunctionId::lhist) {
    type.shape.min = static_cast<std::int64_t>(numbers[0]);
    type.shape.max = static_cast<std::int64_t>(numbers[1]);
    type.shape.step = static_cast<std::int64_t>(numbers[2]);
    if (type.shape.step <= 0) return wrong(3, "lhist() takes a step that is greater than 0");
    if (type.shape.min >= type.shape.max) return wrong(2, "lhist() takes a maximum that is greater than its minimum");
    const std::uint64_t width = numbers[1] - numbers[0];
    if (width < numbers[2]) return wrong(3, "lhist() takes a step that fits between its minimum and maximum");
    if (width / numbers[2] > kMostBuckets) return wrong(3, fmt::format("lhist() has at most {} buckets, and this makes {}", kMostBuckets, width / numbers[2]));
  } else if (row.id == FunctionId::tseries) {
    if (numbers[0] == 0 || static_cast<std::int64_t>(numbers[0]) < 0) return wrong(1, "tseries() takes an interval that is longer than 0");
    if (numbers[1] == 0 || numbers[1] > kMostIntervals) return wrong(2, fmt::format("tseries() keeps 1 to {} intervals", kMostIntervals));
    type.shape.interval_ns = numbers[0];
    type.shape.intervals = static_cast<std::uint32_t>(numbers[1]);
    if (node.arguments.size() < 4) return true;
    auto name = literal_argument(node, 3);
    if (!name) return false;
    const auto* series = std::ranges::find(kSeries, std::string_view(*name), &SeriesRow::name);
    if (series == std::end(kSeries)) return wrong(3, "tseries() puts values together by avg, max, min or sum");
    type.shape.aggregate = series->kind;
  }
  return true;
}

/// The type that `@x = f(…)` gives the map; nullopt: it was complained about, or is not known yet.
std::optional<Type> Checker::aggregate(Call& node, const Function& row) {
  if (!counted(node.name_at, node, row)) return std::nullopt;
  Type type = simple_type(aggregate_kind(row.id));
  if (row.id == FunctionId::tseries && checked_.config.unstable_tseries != Unstable::enable) {
    if (checked_.config.unstable_tseries == Unstable::error) {
      error(node.name_at, "tseries() may change, and is not allowed", "set `config = { unstable_tseries = enable }`");
      return std::nullopt;
    }
    warning(node.name_at, "tseries() may change", "`config = { unstable_tseries = enable }` takes that");
  }
  if (row.id == FunctionId::count) {
    type.is_signed = true;
    return type;
  }
  Expr& value = node.arguments.front();
  expression(value);
  as_number(value);
  const bool shaped = aggregate_shape(node, row, type);
  if (is_unknown(value.type)) return std::nullopt;
  if (!is_integer_like(value.type)) {
    error(value.at, fmt::format("{}() takes an integer, and this is a `{}`", row.name, to_string(value.type)),
          value.type.kind == Kind::pointer ? "cast it: `(uint64)p`" : "");
    return std::nullopt;
  }
  Type wide = wide_integer(value.type);
  wide.is_flexible = false;
  type.is_signed = wide.is_signed;
  convert(value, wide);
  return shaped ? std::optional(type) : std::nullopt;
}

Type Checker::delete_call(Expr& expr, Call& node) {
  auto* access = std::get_if<MapAccess>(&node.arguments.front().node);
  if (access == nullptr) return refuse(node.arguments.front().at, "delete() takes a map", "as in delete(@x, 1)");
  // Older forms: delete(@x[k]), delete(@x[a], @x[b]).
  if (node.arguments.size() > 1 && !access->key) {
    if (whole_map(node.arguments.front(), "delete") == nullptr) return unknown_type();
    if (node.arguments.size() > 2) return refuse(expr.at, "delete() takes a map and a key", "several keys are one tuple: delete(@x, (1, 2))");
    Expr& key = node.arguments[1];
    expression(key);
    as_number(key);
    grow_key(access->id, key.type, key.at);
    convert(key, maps_[access->id].key);
    return boolean_type();
  }
  for (Expr& argument : node.arguments) {
    auto* entry = std::get_if<MapAccess>(&argument.node);
    if (entry == nullptr) return refuse(argument.at, "delete() takes entries of maps here", "as in delete(@x, 1)");
    if (!entry->key) {
      entry->id = map_id(entry->name, argument.at);
      const Type& keyed = maps_[entry->id].key;
      if (!is_unknown(keyed) && keyed.kind != Kind::none) return refuse(argument.at, fmt::format("`@{}` has keys: which entry?", entry->name), fmt::format("clear(@{}) removes all", entry->name));
    }
    use_key(*entry, argument.at);
    argument.type = maps_[entry->id].value;
  }
  return boolean_type();
}

Type Checker::map_call(Expr& expr, Call& node, const Function& row) {
  if (row.id == FunctionId::delete_) return delete_call(expr, node);
  Expr& what = node.arguments.front();
  if (row.id == FunctionId::len && !(std::holds_alternative<MapAccess>(what.node) && !std::get<MapAccess>(what.node).key)) {
    const Type& type = expression(what);
    if (is_unknown(type)) return unknown_type();
    if (type.kind == Kind::kstack || type.kind == Kind::ustack) return int64_type();
    return refuse(what.at, fmt::format("len() takes a map or a stack, and this is a `{}`", to_string(type)), type.kind == Kind::string ? "strlen() is for strings" : "");
  }
  auto* access = whole_map(what, row.name);
  if (access == nullptr) return unknown_type();
  const std::uint32_t id = access->id;
  if (row.id == FunctionId::len) {
    maps_[id].is_iterated = true;
    return maps_[id].key.kind == Kind::none ? refuse(what.at, fmt::format("`@{}` has no keys to count", maps_[id].name)) : int64_type();
  }
  if (maps_[id].key.kind == Kind::none) return refuse(what.at, fmt::format("`@{}` has no keys", maps_[id].name));
  Expr& key = node.arguments[1];
  expression(key);
  as_number(key);
  grow_key(id, key.type, key.at);
  convert(key, maps_[id].key);
  if (row.id == FunctionId::has_key) return boolean_type();
  Expr& result = node.arguments[2];
  auto* variable = std::get_if<Variable>(&result.node);
  auto variable_at = variable != nullptr ? variable_id(variable->name) : std::nullopt;
  if (!variable_at) return refuse(result.at, "find() puts what it finds into a variable", "declare it before: `let $v;`");
  variable->id = *variable_at;
  const Type& value = maps_[id].value;
  if (value.is_aggregate() && !is_castable_aggregate(value)) return refuse(what.at, fmt::format("a `{}` cannot be put into a variable", to_string(value)));
  grow_variable(body_->variables[*variable_at], value.is_aggregate() ? wide_integer(value) : value, result.at);
  result.type = body_->variables[*variable_at].type;
  return boolean_type();
}

}  // namespace espy::trace
