#include "render/walk.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <bit>

namespace espy::render {

namespace {

__extension__ using u128 = unsigned __int128;

// The integer that stands in `bits` bits from bit `offset`. Little-endian layouts count bits from the least significant
// of the first byte, big-endian ones from the most significant. nullopt: the bytes end before, or it spans more than 128.
std::optional<u128> bits_at(Bytes bytes, std::uint64_t offset, std::uint32_t bits, Endian endian) {
  if (bits == 0 || bits > 128) return std::nullopt;
  std::uint64_t first = offset / 8, last = (offset + bits - 1) / 8;
  if (last >= bytes.size() || last - first >= 16) return std::nullopt;
  u128 value = 0;
  for (std::uint64_t i = first; i <= last; ++i) {
    std::uint64_t at = endian == Endian::little ? last - (i - first) : i;
    value = (value << 8) | std::to_integer<std::uint8_t>(bytes[at]);
  }
  std::uint64_t skip = offset % 8;
  value >>= endian == Endian::little ? skip : (last - first + 1) * 8 - skip - bits;
  return bits == 128 ? value : value & ((u128{1} << bits) - 1);
}

std::uint64_t sign_extend(std::uint64_t value, std::uint32_t bits) {
  if (bits == 0 || bits >= 64) return value;
  std::uint64_t sign = std::uint64_t{1} << (bits - 1);
  return (value ^ sign) - sign;
}

// Where the bits of a number are: a bit-field says so itself, an old-style narrow integer in its type.
struct BitRange {
  std::uint64_t offset = 0;
  std::uint32_t width = 0;
};
BitRange range_of(const ShapeNode& node, const Place& place) {
  if (place.bits != 0) return {place.bit_offset, place.bits};
  if (node.bit_width != 0) return {place.bit_offset + node.bit_start, node.bit_width};
  return {place.bit_offset, node.size * 8};
}

class Walker {
 public:
  Walker(const Shape& shape, Bytes bytes, Endian endian, ValueSink& sink)
      : shape_(shape), bytes_(bytes), endian_(endian), sink_(sink), budget_(4096 + bytes.size() * 16) {}

  // `end`: the byte at which the enclosing value ends.
  void value(const Place& place, std::uint64_t end) {
    if (budget_ == 0) return sink_.missing();
    --budget_;
    const ShapeNode& node = shape_.node(place.node);
    if (with_meaning(node, place, end)) return;
    switch (node.kind) {
      case ShapeKind::record:
      case ShapeKind::union_: return record(node, place, end);
      case ShapeKind::array: return array(node, place, end);
      case ShapeKind::real: return real(node, place);
      case ShapeKind::opaque: {
        Bytes left = bytes_.subspan(std::min<std::uint64_t>(place.bit_offset / 8, bytes_.size()));
        return sink_.bytes(node.size == 0 && !place.to_end ? Bytes{} : left.first(std::min<std::size_t>(left.size(), node.size == 0 ? left.size() : node.size)));
      }
      default: return number(node, place);
    }
  }

 private:
  std::optional<Bytes> take(const Place& place, std::size_t size) const {
    std::uint64_t at = place.bit_offset / 8;
    if (at > bytes_.size() || bytes_.size() - at < size) return std::nullopt;
    return bytes_.subspan(at, size);
  }

  // Writes a value that means more than its type says. false: it does not, or the bytes are too few to tell.
  bool with_meaning(const ShapeNode& node, const Place& place, std::uint64_t end) {
    switch (place.meaning) {
      case Meaning::plain: return false;
      case Meaning::text: return text(node, place, end);
      case Meaning::ipv4: return word(place, 4, ipv4_text);
      case Meaning::ipv6: return word(place, 16, ipv6_text);
      case Meaning::mac: return word(place, 6, mac_text);
      case Meaning::socket_address: return socket_address(place);
      default: break;
    }
    if (node.kind != ShapeKind::integer && node.kind != ShapeKind::pointer) return false;
    auto raw = scalar_at(shape_, place, bytes_, endian_);
    if (!raw) return false;
    switch (place.meaning) {
      case Meaning::be16:
      case Meaning::be32:
      case Meaning::be64: sink_.unsigned_number(scalar_at(shape_, place, bytes_, Endian::big).value_or(0)); break;
      case Meaning::time_ns: sink_.time(*raw); break;
      case Meaning::duration_ns: sink_.duration(static_cast<std::int64_t>(*raw), 1); break;
      case Meaning::duration_us: sink_.duration(static_cast<std::int64_t>(*raw), 1'000); break;
      case Meaning::duration_ms: sink_.duration(static_cast<std::int64_t>(*raw), 1'000'000); break;
      case Meaning::kernel_symbol: sink_.symbol(*raw); break;
      default: return false;
    }
    return true;
  }

  bool word(const Place& place, std::size_t size, std::string (*to_text)(Bytes)) {
    auto bytes = take(place, size);
    if (bytes) sink_.word(to_text(*bytes));
    return bytes.has_value();
  }

  bool text(const ShapeNode& node, const Place& place, std::uint64_t end) {
    std::uint64_t at = place.bit_offset / 8, stop = node.count == 0 && place.to_end ? end : at + node.size;
    stop = std::min<std::uint64_t>(stop, bytes_.size());
    if (at >= stop) {
      if (node.count == 0) sink_.text({});
      else sink_.missing();
      return true;
    }
    std::string_view chars(reinterpret_cast<const char*>(bytes_.data()) + at, stop - at);
    sink_.text(chars.substr(0, chars.find('\0')));
    return true;
  }

  bool socket_address(const Place& place) {
    auto family_bytes = take(place, 2);
    if (!family_bytes) return false;
    auto family = espy::load<std::uint16_t>(*family_bytes, 0, endian_);
    if (auto in = take(place, 8); in && family == AF_INET) {
      sink_.word(fmt::format("{}:{}", ipv4_text(in->subspan(4, 4)), espy::load<std::uint16_t>(*in, 2, Endian::big)));
      return true;
    }
    if (auto in6 = take(place, 24); in6 && family == AF_INET6) {
      sink_.word(fmt::format("[{}]:{}", ipv6_text(in6->subspan(8, 16)), espy::load<std::uint16_t>(*in6, 2, Endian::big)));
      return true;
    }
    return false;
  }

  void record(const ShapeNode& node, const Place& place, std::uint64_t end) {
    std::uint64_t start = place.bit_offset / 8;
    if (!place.to_end) end = std::min<std::uint64_t>(end, start + node.size);
    sink_.begin_record();
    for (const Field& field : node.fields) {
      if (budget_ == 0) break;
      sink_.key(field.name);
      value({.node = field.node, .meaning = field.meaning, .bit_offset = place.bit_offset + field.bit_offset,
             .bits = field.bits, .to_end = field.last && place.to_end}, end);
    }
    sink_.end_record();
  }

  void array(const ShapeNode& node, const Place& place, std::uint64_t end) {
    const ShapeNode& element = shape_.node(node.element);
    if (element.kind == ShapeKind::character) {
      text(node, place, end);
      return;
    }
    std::uint64_t count = node.count, at = place.bit_offset / 8;
    bool flexible = count == 0 && place.to_end;
    end = std::min<std::uint64_t>(end, bytes_.size());
    if (flexible) count = element.size == 0 || end <= at ? 0 : (end - at) / element.size;
    bool octets = element.kind == ShapeKind::integer && element.size == 1 && !element.is_signed;
    if (octets && node.element_meaning == Meaning::plain) {
      if (auto bytes = take(place, count)) return sink_.bytes(*bytes);
    }
    sink_.begin_array();
    for (std::uint64_t i = 0; i < count; ++i) {
      Place next{.node = node.element, .meaning = node.element_meaning,
                 .bit_offset = place.bit_offset + i * element.size * 8, .to_end = false};
      sink_.element();
      bool over = next.bit_offset / 8 >= bytes_.size() || budget_ == 0;
      if (over) sink_.missing();
      else value(next, end);
      if (over) break;   // one mark for all that is not there
    }
    sink_.end_array();
  }

  void real(const ShapeNode& node, const Place& place) {
    auto bytes = take(place, node.size);
    if (!bytes) return sink_.missing();
    if (node.size == 4) return sink_.real(std::bit_cast<float>(espy::load<std::uint32_t>(*bytes, 0, endian_)));
    if (node.size == 8) return sink_.real(std::bit_cast<double>(espy::load<std::uint64_t>(*bytes, 0, endian_)));
    sink_.bytes(*bytes);
  }

  void number(const ShapeNode& node, const Place& place) {
    BitRange range = range_of(node, place);
    auto value = bits_at(bytes_, range.offset, range.width, endian_);
    if (!value) return sink_.missing();
    auto low = static_cast<std::uint64_t>(*value);
    if (node.kind == ShapeKind::pointer) return sink_.pointer(low);
    if (node.kind == ShapeKind::boolean && low <= 1 && range.width <= 64) return sink_.boolean(low == 1);
    if (range.width > 64) return sink_.wide_number(static_cast<std::uint64_t>(*value >> 64), low);
    bool is_signed = node.is_signed && node.kind != ShapeKind::boolean;
    if (is_signed) low = sign_extend(low, range.width);
    if (node.kind == ShapeKind::enumeration && enumerator(node, low, range.width)) return;
    if (is_signed) sink_.signed_number(static_cast<std::int64_t>(low));
    else sink_.unsigned_number(low);
  }

  bool enumerator(const ShapeNode& node, std::uint64_t value, std::uint32_t width) {
    std::uint64_t mask = width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    for (const EnumName& name : node.names) {
      if ((name.value & mask) != (value & mask)) continue;
      sink_.word(name.name);
      return true;
    }
    if (!node.is_flags) return false;
    std::string words;
    for (const EnumName& name : node.names) {
      if (name.value == 0 || (value & name.value) != name.value) continue;
      words += (words.empty() ? "" : "|") + name.name;
      value &= ~name.value;
    }
    if (value != 0 || words.empty()) return false;
    sink_.word(words);
    return true;
  }

  const Shape& shape_;
  Bytes bytes_;
  Endian endian_;
  ValueSink& sink_;
  std::size_t budget_;   // values yet to be written: types of no size must not make endless output
};

}  // namespace

void walk(const Shape& shape, const Place& place, Bytes bytes, Endian endian, ValueSink& sink) {
  Walker(shape, bytes, endian, sink).value(place, bytes.size());
}

std::optional<std::uint64_t> scalar_at(const Shape& shape, const Place& place, Bytes bytes, Endian endian) {
  const ShapeNode& node = shape.node(place.node);
  bool aggregate = node.kind == ShapeKind::array || node.kind == ShapeKind::record || node.kind == ShapeKind::union_;
  if (aggregate || node.kind == ShapeKind::real || node.kind == ShapeKind::opaque) return std::nullopt;
  BitRange range = range_of(node, place);
  auto value = bits_at(bytes, range.offset, range.width, endian);
  if (!value || range.width > 64) return std::nullopt;
  auto low = static_cast<std::uint64_t>(*value);
  return node.is_signed ? sign_extend(low, range.width) : low;
}

}  // namespace espy::render
