#include "trace/run/btf_value.hpp"

#include <cstring>

#include "base/json.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

// Structures nest; BTF from elsewhere may do so without end.
constexpr int kMaxDepth = 16;

class Writer {
 public:
  Writer(const btf::Btf& btf, Bytes value, Names& names, std::string& out, bool json)
      : btf_(btf), value_(value), names_(names), out_(out), json_(json) {}

  // The value of a type that begins at `bit`; `bits`: of a bit-field, else 0.
  void write(btf::TypeId id, std::uint64_t bit, std::uint32_t bits, int depth) {
    const btf::Type type = btf_.resolve(id);
    if (depth > kMaxDepth) {
      out_ += json_ ? "null" : "...";
      return;
    }
    switch (type.kind()) {
      case btf::Kind::struct_: case btf::Kind::union_: return write_members(type, bit, depth);
      case btf::Kind::array: return write_array(type, bit, depth);
      case btf::Kind::enum_: case btf::Kind::enum64: return write_enum(type, bit, bits);
      case btf::Kind::ptr: return write_pointer(bit);
      case btf::Kind::int_: return write_integer(type, bit, bits);
      default: out_ += "null";
    }
  }

 private:
  std::uint64_t load_bits(std::uint64_t bit, std::uint32_t bits, bool is_signed) const {
    if (bits == 0 || bits > 64) return 0;
    unsigned char raw[9] = {};
    const std::uint64_t byte = bit / 8;
    if (byte < value_.size()) std::memcpy(raw, value_.data() + byte, std::min<std::size_t>(sizeof raw, value_.size() - byte));
    std::uint64_t number = 0;
    std::memcpy(&number, raw, 8);
    const auto shift = static_cast<unsigned>(bit % 8);
    if (shift != 0) number = number >> shift | std::uint64_t{raw[8]} << (64 - shift);
    if (bits == 64) return number;
    number &= (std::uint64_t{1} << bits) - 1;
    if (is_signed && (number >> (bits - 1) & 1) != 0) number |= ~std::uint64_t{0} << bits;
    return number;
  }

  void number(std::uint64_t value, bool is_signed) {
    if (json_) is_signed ? append_json_number(static_cast<std::int64_t>(value), out_) : append_json_number(value, out_);
    else is_signed ? append_number(static_cast<std::int64_t>(value), out_) : append_number(value, out_);
  }

  void write_integer(const btf::Type& type, std::uint64_t bit, std::uint32_t bits) {
    const btf::IntInfo info = type.int_info();
    const std::uint64_t value = load_bits(bit, bits == 0 ? type.size() * 8 : bits, info.is_signed);
    if (info.is_bool) out_ += value != 0 ? "true" : "false";
    else number(value, info.is_signed);
  }

  void write_enum(const btf::Type& type, std::uint64_t bit, std::uint32_t bits) {
    const std::uint64_t value = load_bits(bit, bits == 0 ? type.size() * 8 : bits, type.is_signed());
    const std::string_view name = json_ ? std::string_view{} : enumerator_name(type, value, type.size());
    if (name.empty()) number(value, type.is_signed());
    else out_ += name;
  }

  void write_pointer(std::uint64_t bit) {
    Type pointer;
    pointer.kind = Kind::pointer;
    pointer.size = 8;
    const std::uint64_t value = load_bits(bit, btf_.pointer_size() * 8, false);
    json_ ? append_json(pointer, bytes_of(value), names_, out_) : append_text(pointer, bytes_of(value), names_, out_);
  }

  void write_array(const btf::Type& type, std::uint64_t bit, int depth) {
    const btf::ArrayInfo array = type.array();
    const btf::Type element = btf_.resolve(array.element);
    const std::uint64_t begin = std::min<std::uint64_t>(bit / 8, value_.size());
    const bool is_text = element.kind() == btf::Kind::int_ && (element.name() == "char" || element.name() == "signed char");
    if (is_text) {
      const auto* text = reinterpret_cast<const char*>(value_.data() + begin);
      const std::string_view string(text, ::strnlen(text, std::min<std::size_t>(array.count, value_.size() - begin)));
      if (json_) append_json_string(string, out_);
      else out_ += string;
      return;
    }
    const std::uint32_t size = btf_.size_of(array.element).value_or(0);
    out_ += '[';
    for (std::uint32_t i = 0; i < array.count && size != 0 && begin + std::uint64_t{i} * size < value_.size(); ++i) {
      if (i != 0) out_ += ',';
      write(array.element, bit + std::uint64_t{i} * size * 8, 0, depth + 1);
    }
    out_ += ']';
  }

  void write_members(const btf::Type& type, std::uint64_t bit, int depth) {
    if (type.vlen() == 0) {
      out_ += "{}";
      return;
    }
    out_ += json_ ? "{" : "{ ";
    bool first = true;
    members_of(type, bit, depth, first);
    out_ += json_ ? "}" : " }";
  }

  // Members of anonymous members stand among their parent's.
  void members_of(const btf::Type& type, std::uint64_t bit, int depth, bool& first) {
    for (std::uint32_t i = 0; i < type.vlen(); ++i) {
      const btf::Member member = type.member(i);
      if (member.name.empty()) {
        const btf::Type inner = btf_.resolve(member.type);
        const bool has_members = inner.kind() == btf::Kind::struct_ || inner.kind() == btf::Kind::union_;
        if (has_members && depth < kMaxDepth) members_of(inner, bit + member.bit_offset, depth + 1, first);
        continue;
      }
      if (!first) out_ += ", ";
      first = false;
      if (json_) append_json_string(member.name, out_), out_ += ": ";
      else out_ += '.', out_ += member.name, out_ += " = ";
      write(member.type, bit + member.bit_offset, member.bitfield_size, depth + 1);
    }
  }

  const btf::Btf& btf_;
  Bytes value_;
  Names& names_;
  std::string& out_;
  bool json_;
};

}  // namespace

std::string_view enumerator_name(const btf::Type& type, std::uint64_t value, std::uint32_t size) {
  if (type.kind() != btf::Kind::enum_ && type.kind() != btf::Kind::enum64) return {};
  const std::uint64_t mask = size >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (size * 8)) - 1;
  for (std::uint32_t i = 0; i < type.vlen(); ++i) {
    const btf::Enumerator enumerator = type.enumerator(i);
    if ((enumerator.value & mask) == (value & mask)) return enumerator.name;
  }
  return {};
}

void append_btf_text(const BtfRef& type, Bytes value, Names& names, std::string& out) {
  if (type.btf) Writer(*type.btf, value, names, out, false).write(type.id, 0, 0, 0);
  else append_buffer(value, BufferForm::ascii, out);
}

void append_btf_json(const BtfRef& type, Bytes value, Names& names, std::string& out) {
  if (type.btf) Writer(*type.btf, value, names, out, true).write(type.id, 0, 0, 0);
  else out += "null";
}

}  // namespace espy::trace::run
