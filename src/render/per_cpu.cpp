#include "render/per_cpu.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "render/walk.hpp"

namespace espy::render {

namespace {

template <typename T>
T at(MutableBytes bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <typename T>
void add(MutableBytes sum, Bytes value, std::size_t offset) {
  T total = at<T>(sum, offset);
  T term;
  std::memcpy(&term, value.data() + offset, sizeof term);
  total = static_cast<T>(total + term);   // integers are unsigned here: they wrap as the program's would
  std::memcpy(sum.data() + offset, &total, sizeof total);
}

void set_bits(MutableBytes bytes, std::uint64_t offset, std::uint32_t bits, std::uint64_t value) {
  for (std::uint32_t i = 0; i < bits; ++i) {
    std::uint64_t bit = offset + (Endian::native == Endian::little ? i : bits - 1 - i);
    std::uint64_t in_byte = Endian::native == Endian::little ? bit % 8 : 7 - bit % 8;
    std::byte mask{static_cast<std::uint8_t>(1U << in_byte)};
    std::byte& byte = bytes[bit / 8];
    byte = (value >> i & 1U) != 0 ? byte | mask : byte & ~mask;
  }
}

class Summer {
 public:
  Summer(const Shape& shape, MutableBytes sum) : shape_(shape), sum_(sum) {}

  void join(Bytes value) {
    value_ = value;
    budget_ = 4096 + value.size() * 16;
    join({.node = shape_.root_index(), .meaning = shape_.meaning()});
  }

 private:
  void join(const Place& place) {
    if (budget_ == 0) return;
    --budget_;
    const ShapeNode& node = shape_.node(place.node);
    std::uint64_t end = place.bits != 0 ? (place.bit_offset + place.bits + 7) / 8 : place.bit_offset / 8 + node.size;
    if (end > sum_.size() || end > value_.size()) return;
    bool joined_by_parts = place.meaning == Meaning::plain || place.meaning == Meaning::duration_ns ||
                           place.meaning == Meaning::duration_us || place.meaning == Meaning::duration_ms;
    if (place.meaning == Meaning::time_ns) return latest(place);
    if (!joined_by_parts) return first(place, node);
    switch (node.kind) {
      case ShapeKind::integer: return integer(place, node);
      case ShapeKind::real:
        if (node.size == 4) add<float>(sum_, value_, place.bit_offset / 8);
        else if (node.size == 8) add<double>(sum_, value_, place.bit_offset / 8);
        return;
      case ShapeKind::record:
        for (const Field& field : node.fields)
          join({.node = field.node, .meaning = field.meaning, .bit_offset = place.bit_offset + field.bit_offset, .bits = field.bits});
        return;
      case ShapeKind::array: {
        const ShapeNode& element = shape_.node(node.element);
        if (element.kind == ShapeKind::character) return first(place, node);
        for (std::uint64_t i = 0; i < node.count && budget_ != 0; ++i)
          join({.node = node.element, .meaning = node.element_meaning, .bit_offset = place.bit_offset + i * element.size * 8});
        return;
      }
      default: return first(place, node);
    }
  }

  void integer(const Place& place, const ShapeNode& node) {
    if (place.bits != 0 || node.bit_width != 0) {
      auto a = scalar_at(shape_, place, sum_), b = scalar_at(shape_, place, value_);
      std::uint64_t offset = place.bit_offset + (place.bits == 0 ? node.bit_start : 0U);
      if (a && b) set_bits(sum_, offset, place.bits != 0 ? place.bits : node.bit_width, *a + *b);
      return;
    }
    std::size_t offset = place.bit_offset / 8;
    switch (node.size) {
      case 1: return add<std::uint8_t>(sum_, value_, offset);
      case 2: return add<std::uint16_t>(sum_, value_, offset);
      case 4: return add<std::uint32_t>(sum_, value_, offset);
      case 8: return add<std::uint64_t>(sum_, value_, offset);
      default: return first(place, node);
    }
  }

  void latest(const Place& place) {
    auto a = scalar_at(shape_, place, sum_), b = scalar_at(shape_, place, value_);
    if (a && b && *b > *a) std::memcpy(sum_.data() + place.bit_offset / 8, value_.data() + place.bit_offset / 8, 8);
  }

  void first(const Place& place, const ShapeNode& node) {
    if (place.bits != 0) {
      auto a = scalar_at(shape_, place, sum_), b = scalar_at(shape_, place, value_);
      if (a && b && *a == 0) set_bits(sum_, place.bit_offset, place.bits, *b);
      return;
    }
    std::size_t offset = place.bit_offset / 8;
    auto own = sum_.subspan(offset, node.size);
    if (std::ranges::all_of(own, [](std::byte b) { return b == std::byte{0}; })) std::ranges::copy(value_.subspan(offset, node.size), own.begin());
  }

  const Shape& shape_;
  MutableBytes sum_;
  Bytes value_;
  std::size_t budget_ = 0;
};

}  // namespace

std::vector<std::byte> sum_per_cpu(const Shape& shape, Bytes all, std::size_t value_size, std::size_t stride) {
  std::vector<std::byte> sum(value_size);
  if (shape.root().kind == ShapeKind::opaque) {   // no type: the first CPU that holds anything
    for (std::size_t at = 0; stride != 0 && at + value_size <= all.size(); at += stride) {
      Bytes value = all.subspan(at, value_size);
      if (std::ranges::all_of(value, [](std::byte b) { return b == std::byte{0}; })) continue;
      std::ranges::copy(value, sum.begin());
      break;
    }
    return sum;
  }
  Summer summer(shape, sum);
  for (std::size_t at = 0; stride != 0 && at + value_size <= all.size(); at += stride) summer.join(all.subspan(at, value_size));
  return sum;
}

}  // namespace espy::render
