#include "render/record_table.hpp"

#include <algorithm>

namespace espy::render {

namespace {

constexpr std::size_t kMaxColumns = 64;   // of a wider struct, the rest is not shown in columns (JSON has it all)
constexpr int kMaxDepth = 8;

std::size_t integer_width(const ShapeNode& node, const Place& place) {
  std::uint32_t bits = place.bits != 0 ? place.bits : node.size * 8;
  if (bits <= 8) return 3;
  if (bits <= 16) return 5;
  return bits <= 32 ? 7 : 12;   // process ids have seven digits; columns grow when they must
}

std::size_t width_of(const Shape& shape, const Place& place) {
  const ShapeNode& node = shape.node(place.node);
  switch (place.meaning) {
    case Meaning::ipv4: return 15;
    case Meaning::ipv6: return 24;
    case Meaning::mac: return 17;
    case Meaning::socket_address: return 21;
    case Meaning::time_ns: return 15;
    case Meaning::duration_ns:
    case Meaning::duration_us:
    case Meaning::duration_ms: return 8;
    case Meaning::kernel_symbol: return 24;
    case Meaning::text: return std::clamp<std::size_t>(node.size, 1, 17) - 1;
    default: break;
  }
  switch (node.kind) {
    case ShapeKind::integer: return integer_width(node, place);
    case ShapeKind::boolean: return 5;
    case ShapeKind::character: return 1;
    case ShapeKind::real: return 10;
    case ShapeKind::pointer: return 18;
    case ShapeKind::enumeration: {
      std::size_t width = 1;
      for (const EnumName& name : node.names) width = std::max(width, name.name.size());
      return std::min<std::size_t>(width, 20);
    }
    case ShapeKind::array:
      return shape.node(node.element).kind == ShapeKind::character ? std::clamp<std::size_t>(node.size, 1, 17) - 1 : 8;
    default: return 8;
  }
}

bool counts_like_a_number(const Shape& shape, const Place& place) {
  ShapeKind kind = shape.node(place.node).kind;
  switch (place.meaning) {
    case Meaning::plain: return kind == ShapeKind::integer || kind == ShapeKind::real;
    case Meaning::be16:
    case Meaning::be32:
    case Meaning::be64:
    case Meaning::duration_ns:
    case Meaning::duration_us:
    case Meaning::duration_ms: return true;
    default: return false;
  }
}

}  // namespace

RecordColumns::RecordColumns(const Shape& shape, std::string_view name) : shape_(shape) {
  Place root{.node = shape.root_index(), .meaning = shape.meaning()};
  if (shape.root().kind == ShapeKind::record && shape.meaning() == Meaning::plain && !shape.root().fields.empty()) add_fields("", root, 0);
  else add(std::string(name), root);
}

void RecordColumns::add(const std::string& title, const Place& place) {
  columns_.push_back({printable(title), counts_like_a_number(shape_, place) ? Align::right : Align::left});
  widths_.push_back(width_of(shape_, place));
  places_.push_back(place);
}

void RecordColumns::add_fields(const std::string& prefix, const Place& place, int depth) {
  for (const Field& field : shape_.node(place.node).fields) {
    Place at{.node = field.node, .meaning = field.meaning, .bit_offset = place.bit_offset + field.bit_offset,
             .bits = field.bits, .to_end = field.last && place.to_end};
    bool nested = shape_.node(field.node).kind == ShapeKind::record && field.meaning == Meaning::plain;
    if (columns_.size() >= kMaxColumns) return;
    if (nested && depth < kMaxDepth && !shape_.node(field.node).fields.empty()) add_fields(prefix + field.name + ".", at, depth + 1);
    else add(prefix + field.name, at);
  }
}

std::vector<std::string> RecordColumns::cells(Bytes record, const ValueOptions& options) const {
  std::vector<std::string> cells;
  cells.reserve(places_.size());
  for (const Place& place : places_) cells.push_back(cell(shape_, place, record, options));
  return cells;
}

}  // namespace espy::render
