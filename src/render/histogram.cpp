// Which values are histograms, and how they are drawn.
#include <algorithm>

#include "render/map.hpp"

namespace espy::render {

namespace {

constexpr std::uint32_t kMinSlots = 2, kMaxSlots = 64;
constexpr std::string_view kMemberNames[] = {"slots", "buckets", "hist"};

struct UnitRow {
  std::string_view suffix, unit;
};
constexpr UnitRow kUnits[] = {{"_us", "usecs"}, {"_usecs", "usecs"}, {"_ns", "nsecs"}, {"_nsecs", "nsecs"}, {"_ms", "msecs"},
                              {"_msecs", "msecs"}, {"_bytes", "bytes"}, {"_kb", "kbytes"}, {"_size", "bytes"}};

bool is_counters(const Shape& shape, const ShapeNode& node) {
  if (node.kind != ShapeKind::array || node.count < kMinSlots || node.count > kMaxSlots) return false;
  const ShapeNode& element = shape.node(node.element);
  return element.kind == ShapeKind::integer && (element.size == 4 || element.size == 8);
}

}  // namespace

std::string histogram_unit(std::string_view name) {
  for (const UnitRow& row : kUnits)
    if (name.ends_with(row.suffix) || name.find(std::string(row.suffix) + "_") != std::string_view::npos) return std::string(row.unit);
  return "value";
}

std::optional<Histogram> find_histogram(const Shape& shape, const Place& value, std::string_view name) {
  const ShapeNode& node = shape.node(value.node);
  bool linear = name.find("linear") != std::string_view::npos;
  if (is_counters(shape, node) && name.find("hist") != std::string_view::npos) return Histogram{value, linear, histogram_unit(name)};
  if (node.kind != ShapeKind::record) return std::nullopt;
  for (const Field& field : node.fields) {
    if (std::ranges::find(kMemberNames, field.name) == std::end(kMemberNames) || !is_counters(shape, shape.node(field.node))) continue;
    Place slots{.node = field.node, .bit_offset = value.bit_offset + field.bit_offset};
    return Histogram{slots, linear, histogram_unit(name)};
  }
  return std::nullopt;
}

std::optional<Histogram> find_histogram(const Shape& value, std::string_view name) {
  return find_histogram(value, {.node = value.root_index(), .meaning = value.meaning()}, name);
}

}  // namespace espy::render
