// Maps as text and JSON.
#include <algorithm>
#include <cstring>

#include "base/json.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

std::int64_t word(Bytes value, std::size_t index) {
  std::int64_t result = 0;
  if ((index + 1) * 8 <= value.size()) std::memcpy(&result, value.data() + index * 8, 8);
  return result;
}

bool takes_lines(Kind kind) { return kind == Kind::hist || kind == Kind::lhist || kind == Kind::tseries; }

// Numbers divided keep their sign.
std::int64_t divided(std::int64_t value, std::uint64_t div, bool is_signed) {
  if (div <= 1) return value;
  if (!is_signed) return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) / div);
  return div > INT64_MAX ? 0 : value / static_cast<std::int64_t>(div);
}

void append_integer(std::int64_t value, bool is_signed, bool json, std::string& out) {
  if (is_signed) json ? append_json_number(value, out) : append_number(value, out);
  else json ? append_json_number(static_cast<std::uint64_t>(value), out) : append_number(static_cast<std::uint64_t>(value), out);
}

void append_stats(const Type& type, Bytes value, std::uint64_t div, bool json, std::string& out) {
  const std::int64_t total = word(value, 0), count = word(value, 1);
  std::int64_t average = 0;
  if (count != 0) average = type.is_signed ? total / count : static_cast<std::int64_t>(static_cast<std::uint64_t>(total) / static_cast<std::uint64_t>(count));
  average = divided(average, div, type.is_signed);
  if (type.kind == Kind::avg) return append_integer(average, type.is_signed, json, out);
  out += json ? "{\"count\": " : "{ .count = ";
  append_integer(count, type.is_signed, json, out);
  out += json ? ", \"average\": " : ", .average = ";
  append_integer(average, type.is_signed, json, out);
  out += json ? ", \"total\": " : ", .total = ";
  append_integer(total, type.is_signed, json, out);
  out += json ? "}" : " }";
}

std::size_t first_shown(const Entries& entries, const PrintOptions& options) {
  return options.top != 0 && entries.size() > options.top ? entries.size() - options.top : 0;
}

std::uint64_t last_epoch(const MapPlan& plan, const Entries& entries) {
  std::uint64_t last = 0;
  if (plan.value.kind == Kind::tseries)
    for (std::size_t i = 0; i < entries.size(); ++i) last = std::max(last, latest_epoch(entries.value(i)));
  return last;
}

// A histogram or time series, whose lines end with newlines.
void append_lines(const MapPlan& plan, Bytes value, const PrintOptions& options, std::uint64_t last, Names& names, std::string& out) {
  if (plan.value.kind == Kind::tseries) append_series_text(plan.value, value, last, names, out);
  else append_histogram_text(plan.value, buckets_of(plan.value, value), options.div, out);
}

// As a key of JSON, a tuple has no spaces between its parts, and the outermost no parentheses.
void append_json_key(const Type& type, Bytes key, Names& names, std::string& out, int depth = 0) {
  if (type.kind != Kind::tuple || !type.fields) return append_text(type, key, names, out);
  if (depth != 0) out += '(';
  for (std::size_t i = 0; i < type.fields->size(); ++i) {
    const Field& field = (*type.fields)[i];
    if (i != 0) out += ',';
    append_json_key(field.type, key.subspan(std::min<std::size_t>(field.offset, key.size())), names, out, depth + 1);
  }
  if (depth != 0) out += ')';
}

}  // namespace

void append_map_value(const MapPlan& plan, Bytes value, std::uint64_t div, bool json, Names& names, std::string& out) {
  const Type& type = plan.value;
  switch (type.kind) {
    case Kind::count: return append_integer(divided(word(value, 0), div, false), false, json, out);
    case Kind::sum: case Kind::min: case Kind::max: return append_integer(divided(word(value, 0), div, type.is_signed), type.is_signed, json, out);
    case Kind::integer: return append_integer(divided(load_integer(value, type.size, type.is_signed), div, type.is_signed), type.is_signed, json, out);
    case Kind::avg: case Kind::stats: return append_stats(type, value, div, json, out);
    default: json ? append_json(type, value, names, out) : append_text(type, value, names, out);
  }
}

void append_map_key(const MapPlan& plan, Bytes key, Names& names, std::string& out) {
  const std::size_t begin = out.size();
  append_text(plan.key, key, names, out);
  if (out.size() - begin >= 2 && out[begin] == '(' && out.back() == ')') {
    out.pop_back();
    out.erase(begin, 1);
  }
}

void append_map_text(const MapPlan& plan, const Entries& sorted, const PrintOptions& options, Names& names, std::string& out) {
  const bool scalar = plan.key.kind == Kind::none, lines = takes_lines(plan.value.kind);
  const std::uint64_t last = last_epoch(plan, sorted);
  for (std::size_t i = first_shown(sorted, options); i < sorted.size(); ++i) {
    out += plan.name;
    if (!scalar) {
      out += '[';
      append_map_key(plan, sorted.key(i), names, out);
      out += ']';
    }
    out += lines ? ":\n" : ": ";
    if (lines) append_lines(plan, sorted.value(i), options, last, names, out);
    else append_map_value(plan, sorted.value(i), options.div, false, names, out);
    out += '\n';
  }
}

std::string_view json_type(const MapPlan& plan, const Entries& entries) {
  if (plan.value.kind == Kind::avg || plan.value.kind == Kind::stats) return "stats";
  if (!takes_lines(plan.value.kind) || entries.size() == 0) return "map";
  return plan.value.kind == Kind::tseries ? "tseries" : "hist";
}

void append_map_json(const MapPlan& plan, const Entries& sorted, const PrintOptions& options, Names& names, std::string& out) {
  const bool scalar = plan.key.kind == Kind::none;
  const std::uint64_t last = last_epoch(plan, sorted);
  auto value = [&](std::size_t i) {
    if (plan.value.kind == Kind::tseries) append_series_json(plan.value, sorted.value(i), last, names, out);
    else if (takes_lines(plan.value.kind)) append_histogram_json(plan.value, buckets_of(plan.value, sorted.value(i)), options.div, out);
    else append_map_value(plan, sorted.value(i), options.div, true, names, out);
  };
  out += '{';
  append_json_string(plan.name, out);
  out += ": ";
  if (scalar && sorted.size() != 0) {
    value(0);
  } else {
    out += '{';
    std::string key;
    const std::size_t first = first_shown(sorted, options);
    for (std::size_t i = first; i < sorted.size(); ++i) {
      if (i != first) out += ", ";
      key.clear();
      append_json_key(plan.key, sorted.key(i), names, key);
      append_json_string(key, out);
      out += ": ";
      value(i);
    }
    out += '}';
  }
  out += '}';
}

}  // namespace espy::trace::run
