// Time series: values by interval, as a graph that runs downwards, one line an interval.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <iterator>
#include <map>
#include <optional>

#include "base/json.hpp"
#include "trace/run/maps.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

constexpr int kWidth = 53, kHeadRoom = 21;
/// tseries() counts its intervals on this clock, as nsecs does.
constexpr std::uint32_t kClock = CLOCK_BOOTTIME;

std::vector<SeriesPoint> points_of(Bytes value) {
  std::vector<SeriesPoint> points(value.size() / sizeof(SeriesPoint));
  if (!points.empty()) std::memcpy(points.data(), value.data(), points.size() * sizeof(SeriesPoint));
  std::erase_if(points, [](const SeriesPoint& point) { return point.count == 0; });
  return points;
}

std::int64_t shown(const Type& type, const SeriesPoint& point) {
  if (type.shape.aggregate != Kind::avg) return point.value;
  if (type.is_signed) return point.value / static_cast<std::int64_t>(point.count);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(point.value) / point.count);
}

// One line of the graph; nullopt: nothing was recorded then.
struct Line {
  std::uint64_t epoch = 0;
  std::optional<std::int64_t> value;
};

// From the first interval with a value to the last of the map, gaps included.
std::vector<Line> lines_of(const Type& type, Bytes value, std::uint64_t last) {
  const std::uint64_t window = type.shape.intervals;
  const std::uint64_t first_shown = last >= window ? last - window + 1 : 0;
  std::map<std::uint64_t, std::int64_t> values;
  for (const SeriesPoint& point : points_of(value))
    if (point.epoch >= first_shown && point.epoch <= last) values[point.epoch] = shown(type, point);
  std::vector<Line> lines;
  if (values.empty()) return lines;
  for (std::uint64_t epoch = values.begin()->first; epoch <= last; ++epoch) {
    auto at = values.find(epoch);
    lines.push_back({epoch, at == values.end() ? std::nullopt : std::optional(at->second)});
  }
  return lines;
}

// The part of a second that an interval is counted in: digits behind the second, and how it is called.
struct Unit {
  std::uint64_t ns;
  int digits;
  std::string_view name;
};
constexpr auto kUnits = std::to_array<Unit>({{1'000'000'000, 0, ""}, {1'000'000, 3, ".ms"}, {1'000, 6, ".us"}, {1, 9, ".ns"}});

const Unit& unit_of(std::uint64_t interval_ns) {
  return *std::ranges::find_if(kUnits, [&](const Unit& unit) { return unit.ns == 1 || interval_ns % unit.ns == 0; });
}

void append_clock(std::int64_t wall_ns, std::string_view format, int digits, std::string& out) {
  const auto fraction = static_cast<std::uint32_t>(wall_ns % 1'000'000'000);
  append_time(wall_ns / 1'000'000'000, fraction, format, out);
  if (digits == 0) return;
  std::uint32_t shown = fraction;
  for (int i = digits; i < 9; ++i) shown /= 10;
  fmt::format_to(std::back_inserter(out), ".{:0{}}", shown, digits);
}

void append_scale(const std::string& low, const std::string& high, std::size_t indent, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:{}}{:<{}}{:>{}}\n", "", indent, low, kHeadRoom, high, kWidth - kHeadRoom);
}

std::string number(const Type& type, std::int64_t value) {
  return type.is_signed ? fmt::to_string(value) : fmt::to_string(static_cast<std::uint64_t>(value));
}

}  // namespace

void join_points(Kind aggregate, bool is_signed, SeriesPoint& to, const SeriesPoint& from) {
  auto below = [&](std::int64_t a, std::int64_t b) { return is_signed ? a < b : static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b); };
  switch (aggregate) {
    case Kind::sum: case Kind::avg:
      to.value = static_cast<std::int64_t>(static_cast<std::uint64_t>(to.value) + static_cast<std::uint64_t>(from.value));
      to.count += from.count;
      return;
    case Kind::min: if (below(from.value, to.value)) to.value = from.value; break;
    case Kind::max: if (below(to.value, from.value)) to.value = from.value; break;
    default: if (from.count > to.count) to = from; return;
  }
  to.count += from.count;
}

std::uint64_t latest_epoch(Bytes value) {
  std::uint64_t latest = 0;
  for (const SeriesPoint& point : points_of(value)) latest = std::max(latest, point.epoch);
  return latest;
}

void append_series_text(const Type& type, Bytes value, std::uint64_t last, Names& names, std::string& out) {
  const std::vector<Line> lines = lines_of(type, value, last);
  if (lines.empty()) {
    out += "<no data>";
    return;
  }
  auto below = [&](std::int64_t a, std::int64_t b) { return type.is_signed ? a < b : static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b); };
  std::int64_t low = *lines.front().value, high = low;
  for (const Line& line : lines) {
    if (!line.value) continue;
    if (below(*line.value, low)) low = *line.value;
    if (below(high, *line.value)) high = *line.value;
  }
  if (low == high) {
    // A little room on both sides, where there is any.
    if (below(std::int64_t{type.is_signed ? INT64_MIN : 0}, low)) --low;
    if (below(high, type.is_signed ? INT64_MAX : std::int64_t{-1})) ++high;
  }
  auto real = [&](std::int64_t v) { return type.is_signed ? static_cast<double>(v) : static_cast<double>(static_cast<std::uint64_t>(v)); };
  const double range = real(high) - real(low);
  const Unit& unit = unit_of(type.shape.interval_ns);
  const std::string heading = fmt::format("hh:mm:ss{}", unit.name);
  const std::size_t indent = 8 + (unit.digits == 0 ? 0 : static_cast<std::size_t>(unit.digits) + 1) + 1;

  append_scale(number(type, low), number(type, high), indent, out);
  fmt::format_to(std::back_inserter(out), "{:<{}}|{:_<{}}|\n", heading, indent, "", kWidth - 2);
  const bool crosses = type.is_signed && low < 0 && high > 0;
  const int zero = crosses ? static_cast<int>(kWidth * -real(low) / range) : 0;
  for (const Line& line : lines) {
    append_clock(names.wall_time(line.epoch * type.shape.interval_ns, kClock), "%H:%M:%S", unit.digits, out);
    std::string graph(kWidth, ' ');
    graph.front() = graph.back() = '|';
    if (zero > 0) graph[static_cast<std::size_t>(zero)] = '.';
    if (line.value) {
      const int at = range == 0 ? kWidth / 2 : static_cast<int>((kWidth - 1) * (real(*line.value) - real(low)) / range);
      graph[static_cast<std::size_t>(std::clamp(at, 0, kWidth - 1))] = '*';
    }
    fmt::format_to(std::back_inserter(out), " {} {}\n", graph, line.value ? number(type, *line.value) : "-");
  }
  fmt::format_to(std::back_inserter(out), "{:{}}v{:_<{}}v\n", "", indent, "", kWidth - 2);
  append_scale(number(type, low), number(type, high), indent, out);
}

void append_series_json(const Type& type, Bytes value, std::uint64_t last, Names& names, std::string& out) {
  out += '[';
  bool first = true;
  for (const Line& line : lines_of(type, value, last)) {
    out += first ? "{\"interval_start\": \"" : ",{\"interval_start\": \"";
    first = false;
    append_clock(names.wall_time(line.epoch * type.shape.interval_ns, kClock), "%Y-%m-%dT%H:%M:%S", 9, out);
    out += "\", \"value\": ";
    if (!line.value) out += "null";
    else if (type.is_signed) append_json_number(*line.value, out);
    else append_json_number(static_cast<std::uint64_t>(*line.value), out);
    out += '}';
  }
  out += ']';
}

}  // namespace espy::trace::run
