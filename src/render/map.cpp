#include "render/map.hpp"

#include <algorithm>
#include <numeric>

#include "render/record_table.hpp"

namespace espy::render {

namespace {

Place whole(const Shape& shape) { return {.node = shape.root_index(), .meaning = shape.meaning()}; }

std::vector<std::uint64_t> counters(const Shape& shape, const Place& array, Bytes value, Endian endian) {
  const ShapeNode& node = shape.node(array.node);
  std::uint64_t step = shape.node(node.element).size * 8;
  std::vector<std::uint64_t> slots;
  for (std::uint64_t i = 0; i < node.count; ++i)
    slots.push_back(scalar_at(shape, {.node = node.element, .bit_offset = array.bit_offset + i * step}, value, endian).value_or(0));
  return slots;
}

std::string draw(const std::vector<std::uint64_t>& slots, bool linear, std::string_view unit) {
  return histogram(linear ? linear_buckets(slots) : log2_buckets(slots), unit);
}

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// The addresses of a stack, which end at the first zero.
std::vector<std::uint64_t> addresses(Bytes value) {
  std::vector<std::uint64_t> stack;
  for (std::size_t at = 0; at + 8 <= value.size(); at += 8) {
    auto address = load<std::uint64_t>(value, at);
    if (address == 0) break;
    stack.push_back(address);
  }
  return stack;
}

std::string symbol_text(std::uint64_t address, const ValueOptions& options) {
  std::string name = options.symbol ? options.symbol(address) : std::string();
  return name.empty() ? fmt::format("{:#x}", address) : printable(name);
}

void write_value(JsonWriter& json, const MapView& map, Bytes value, const ValueOptions& options) {
  switch (map.nature) {
    case MapNature::stack_trace:
      json.begin_array();
      for (std::uint64_t address : addresses(value)) json.string(symbol_text(address, options));
      json.end_array();
      return;
    case MapNature::ids:
      if (value.size() >= 4) json.number(load<std::uint32_t>(value, 0));
      else json.null();
      return;
    case MapNature::plain:
    case MapNature::array: return write_json(json, map.value, value, options);
  }
}

std::string stacks_text(const MapView& map, const ValueOptions& options) {
  std::string out;
  for (const MapView::Entry& entry : map.entries) {
    out += cell(map.key, whole(map.key), entry.key, options) + ":\n";
    for (std::uint64_t address : addresses(entry.value)) out += "    " + symbol_text(address, options) + '\n';
  }
  return out;
}

// What stands beside the slots: "comm = bash".
std::string beside(const Shape& shape, const Histogram& histogram, Bytes value, const ValueOptions& options) {
  std::string out;
  for (const Field& field : shape.root().fields) {
    if (field.bit_offset == histogram.slots.bit_offset) continue;
    Place place{.node = field.node, .meaning = field.meaning, .bit_offset = field.bit_offset, .bits = field.bits};
    out += fmt::format(", {} = {}", printable(field.name), cell(shape, place, value, options));
  }
  return out;
}

std::string histograms_text(const MapView& map, const Histogram& found, const ValueOptions& options) {
  std::string out;
  bool single = map.entries.size() == 1;
  for (const MapView::Entry& entry : map.entries) {
    std::string drawn = draw(counters(map.value, found.slots, entry.value, options.endian), found.linear, found.unit);
    if (drawn.empty()) continue;
    std::string label = single && all_zero(entry.key) ? "" : fmt::format("key = {}", cell(map.key, whole(map.key), entry.key, options));
    label += beside(map.value, found, entry.value, options);
    if (label.starts_with(", ")) label.erase(0, 2);
    if (!out.empty()) out += '\n';
    if (!label.empty()) out += label + '\n';
    out += drawn;
  }
  return out;
}

// An array map of at most 64 counters whose name says that its slots are a histogram.
bool slots_are_buckets(const MapView& map) {
  return map.nature == MapNature::array && map.name.find("hist") != std::string::npos && map.value.root().kind == ShapeKind::integer &&
         map.value.meaning() == Meaning::plain && map.entries.size() >= 2 && map.entries.size() <= 64;
}

std::string bucket_map_text(const MapView& map, const ValueOptions& options) {
  std::vector<std::uint64_t> slots(map.entries.size());
  for (const MapView::Entry& entry : map.entries) {
    if (entry.key.size() < 4) continue;
    auto slot = load<std::uint32_t>(entry.key, 0);
    if (slot < slots.size()) slots[slot] = scalar_at(map.value, whole(map.value), entry.value, options.endian).value_or(0);
  }
  return draw(slots, map.name.find("linear") != std::string::npos, histogram_unit(map.name));
}

// The number that ranks a value: itself, or a struct's first field if that is a plain count or a duration.
std::optional<Place> ranking(const Shape& value) {
  if (value.is_scalar()) return whole(value);
  if (value.root().kind != ShapeKind::record || value.root().fields.empty()) return std::nullopt;
  const Field& first = value.root().fields.front();
  bool counts = first.meaning == Meaning::plain || first.meaning == Meaning::duration_ns;
  if (!counts || value.node(first.node).kind != ShapeKind::integer) return std::nullopt;
  return Place{.node = first.node, .meaning = first.meaning, .bit_offset = first.bit_offset, .bits = first.bits};
}

std::uint64_t number_at(const Shape& shape, const Place& place, Bytes bytes, const ValueOptions& options) {
  auto value = scalar_at(shape, place, bytes, options.endian).value_or(0);
  // Signed numbers sort as such once their sign bit is turned.
  return shape.node(place.node).is_signed ? value ^ (std::uint64_t{1} << 63) : value;
}

// Order of the rows: by falling value where values are numbers or begin with one, else by key.
std::vector<std::size_t> sorted(const MapView& map, const ValueOptions& options) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < map.entries.size(); ++i)
    if (map.nature != MapNature::array || !all_zero(map.entries[i].value)) order.push_back(i);
  if (map.key.is_scalar()) {
    std::ranges::stable_sort(order, std::less{}, [&](std::size_t i) { return number_at(map.key, whole(map.key), map.entries[i].key, options); });
  } else {
    std::vector<std::string> keys;
    for (const MapView::Entry& entry : map.entries) keys.push_back(cell(map.key, whole(map.key), entry.key, options));
    std::ranges::stable_sort(order, std::less{}, [&](std::size_t i) -> const std::string& { return keys[i]; });
  }
  if (auto rank = map.nature == MapNature::plain ? ranking(map.value) : std::nullopt) {
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return number_at(map.value, *rank, map.entries[i].value, options); });
  }
  return order;
}

std::string table_text(const MapView& map, const ValueOptions& options, std::size_t limit) {
  RecordColumns keys(map.key, "key"), values(map.value, "value");
  std::vector<Table::Column> columns = keys.columns();
  columns.insert(columns.end(), values.columns().begin(), values.columns().end());
  Table table(columns);
  std::vector<std::size_t> order = sorted(map, options);
  std::size_t shown = limit == 0 ? order.size() : std::min(limit, order.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const MapView::Entry& entry = map.entries[order[i]];
    std::vector<std::string> row = keys.cells(entry.key, options);
    if (map.nature == MapNature::ids) row.push_back(entry.value.size() >= 4 ? fmt::format("id {}", load<std::uint32_t>(entry.value, 0)) : "?");
    else std::ranges::move(values.cells(entry.value, options), std::back_inserter(row));
    table.add(std::move(row));
  }
  if (shown == 0) return "(empty)\n";
  std::string out = table.text();
  if (shown < order.size()) out += fmt::format("… {} more\n", order.size() - shown);
  return out;
}

// The histograms that a global variable holds: itself, or the elements of an array of them. Empty: it holds none, or none
// that counted anything.
std::string variable_histograms(const Shape& section, const Field& field, const Place& place, Bytes contents, const ValueOptions& options) {
  auto drawn_at = [&](const Place& at, const std::string& label) {
    auto found = find_histogram(section, at, field.name);
    if (!found) return std::string();
    std::string drawn = draw(counters(section, found->slots, contents, options.endian), found->linear, found->unit);
    return drawn.empty() ? drawn : label + ":\n" + drawn;
  };
  std::string name = printable(field.name);
  std::string own = drawn_at(place, name);
  const ShapeNode& node = section.node(place.node);
  if (!own.empty() || node.kind != ShapeKind::array) return own;
  const ShapeNode& element = section.node(node.element);
  std::string all;
  if (element.kind != ShapeKind::record) return all;
  for (std::uint64_t i = 0; i < node.count; ++i) {
    std::uint64_t bits = place.bit_offset + i * element.size * 8;
    if (element.size == 0 || bits / 8 >= contents.size()) break;
    all += drawn_at({.node = node.element, .bit_offset = bits}, fmt::format("{}[{}]", name, i));
  }
  return all;
}

}  // namespace

void write_entries(JsonWriter& json, const MapView& map, const ValueOptions& options) {
  json.begin_array();
  for (const MapView::Entry& entry : map.entries) {
    json.begin_object().key("key");
    write_json(json, map.key, entry.key, options);
    json.key("value");
    write_value(json, map, entry.value, options);
    json.end_object();
  }
  json.end_array();
}

std::string text(const MapView& map, const ValueOptions& options, std::size_t limit) {
  if (map.nature == MapNature::stack_trace && !map.entries.empty()) return stacks_text(map, options);
  if (slots_are_buckets(map)) {
    std::string drawn = bucket_map_text(map, options);
    return drawn.empty() ? "(empty)\n" : drawn;
  }
  if (auto found = find_histogram(map.value, map.name); found && map.nature != MapNature::ids) {
    std::string drawn = histograms_text(map, *found, options);
    return drawn.empty() ? "(empty)\n" : drawn;
  }
  std::string out = table_text(map, options, limit);
  if (map.truncated) out += fmt::format("(only the first {} entries were read)\n", map.entries.size());
  return out;
}

std::string section_text(const Shape& section, Bytes contents, const ValueOptions& options) {
  std::string out;
  for (const Field& field : section.root().fields) {
    Place place{.node = field.node, .meaning = field.meaning, .bit_offset = field.bit_offset};
    std::string drawn = variable_histograms(section, field, place, contents, options);
    if (!drawn.empty()) out += drawn;
    else out += fmt::format("{} = {}\n", printable(field.name), cell(section, place, contents, options));
  }
  return out;
}

}  // namespace espy::render
