#include "render/value.hpp"

#include <cmath>
#include <ctime>
#include <iterator>

namespace espy::render {

namespace {

std::string wide_hex(std::uint64_t high, std::uint64_t low) {
  return high == 0 ? fmt::format("{:#x}", low) : fmt::format("{:#x}{:016x}", high, low);
}

class JsonSink final : public ValueSink {
 public:
  JsonSink(JsonWriter& json, const ValueOptions& options) : json_(json), options_(options) {}
  void begin_record() override { json_.begin_object(); }
  void key(std::string_view name) override { json_.key(name); }
  void end_record() override { json_.end_object(); }
  void begin_array() override { json_.begin_array(); }
  void element() override {}
  void end_array() override { json_.end_array(); }
  void signed_number(std::int64_t value) override { json_.number(value); }
  void unsigned_number(std::uint64_t value) override { json_.number(value); }
  void wide_number(std::uint64_t high, std::uint64_t low) override { json_.string(wide_hex(high, low)); }
  void boolean(bool value) override { json_.boolean(value); }
  void real(double value) override { json_.number(value); }
  void pointer(std::uint64_t value) override { json_.string(fmt::format("{:#x}", value)); }
  void symbol(std::uint64_t address) override {
    std::string name = options_.symbol ? options_.symbol(address) : std::string();
    json_.string(name.empty() ? fmt::format("{:#x}", address) : name);
  }
  void text(std::string_view bytes) override { json_.string(bytes); }
  void word(std::string_view name) override { json_.string(name); }
  void time(std::uint64_t monotonic_ns) override { json_.number(monotonic_ns); }
  void duration(std::int64_t value, std::uint64_t) override { json_.number(value); }
  void bytes(Bytes value) override {
    json_.begin_array();
    for (std::byte b : value) json_.number(std::to_integer<std::uint32_t>(b));
    json_.end_array();
  }
  void missing() override { json_.null(); }

 private:
  JsonWriter& json_;
  const ValueOptions& options_;
};

class TextSink final : public ValueSink {
 public:
  // `bare`: the value's own text is not quoted; that within structs and arrays always is.
  TextSink(const ValueOptions& options, bool bare) : options_(options), bare_(bare) {}
  std::string take() { return std::move(out_); }

  void begin_record() override { begin('{'); }
  void key(std::string_view name) override {
    next();
    out_ += '.';
    out_ += printable(name);
    out_ += " = ";
  }
  void end_record() override { end('}'); }
  void begin_array() override { begin('['); }
  void element() override { next(); }
  void end_array() override { end(']'); }
  void signed_number(std::int64_t value) override { put(value); }
  void unsigned_number(std::uint64_t value) override { put(value); }
  void wide_number(std::uint64_t high, std::uint64_t low) override { out_ += wide_hex(high, low); }
  void boolean(bool value) override { out_ += value ? "true" : "false"; }
  void real(double value) override { put(value); }
  void pointer(std::uint64_t value) override { out_ += value == 0 ? "null" : fmt::format("{:#x}", value); }
  void symbol(std::uint64_t address) override {
    std::string name = options_.symbol ? options_.symbol(address) : std::string();
    out_ += name.empty() ? fmt::format("{:#x}", address) : printable(name);
  }
  void text(std::string_view bytes) override {
    if (bare_ && depth_ == 0) {
      out_ += printable(bytes);
      return;
    }
    out_ += '"';
    out_ += printable(bytes);
    out_ += '"';
  }
  void word(std::string_view name) override { out_ += printable(name); }
  void time(std::uint64_t monotonic_ns) override { out_ += time_text(monotonic_ns, options_.wall_offset_ns); }
  void duration(std::int64_t value, std::uint64_t unit_ns) override { out_ += duration_text(value, unit_ns); }
  void bytes(Bytes value) override { out_ += hex(value); }
  void missing() override { out_ += '?'; }

 private:
  void begin(char bracket) { out_ += bracket, first_ = true, ++depth_; }
  void end(char bracket) { out_ += bracket, first_ = false, --depth_; }
  void next() {
    if (!first_) out_ += ", ";
    first_ = false;
  }
  template <typename T>
  void put(T value) { fmt::format_to(std::back_inserter(out_), "{}", value); }

  const ValueOptions& options_;
  bool bare_;
  bool first_ = true;
  int depth_ = 0;
  std::string out_;
};

// Length of the well-formed UTF-8 sequence of two bytes or more that `text` begins with; 0: none.
std::size_t multibyte_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  unsigned first = byte(0);
  std::size_t length = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0U) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  // Overlong forms, surrogates, what is past U+10FFFF, and the C1 controls.
  bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) || (first == 0xF0 && byte(1) < 0x90) ||
             (first == 0xF4 && byte(1) > 0x8F) || (first == 0xC2 && byte(1) < 0xA0);
  return bad ? 0 : length;
}

}  // namespace

void write_json(JsonWriter& json, const Shape& shape, const Place& place, Bytes value, const ValueOptions& options) {
  JsonSink sink(json, options);
  walk(shape, place, value, options.endian, sink);
}

void write_json(JsonWriter& json, const Shape& shape, Bytes value, const ValueOptions& options) {
  write_json(json, shape, {.node = shape.root_index(), .meaning = shape.meaning()}, value, options);
}

void write_json(JsonWriter& json, const btf::Btf& btf, btf::TypeId type, Bytes value, std::string_view field_name,
                const ValueOptions& options) {
  write_json(json, Shape(btf, type, field_name), value, options);
}

std::string text(const Shape& shape, Bytes value, const ValueOptions& options) {
  TextSink sink(options, false);
  walk(shape, value, options.endian, sink);
  return sink.take();
}

std::string text(const btf::Btf& btf, btf::TypeId type, Bytes value, std::string_view field_name,
                 const ValueOptions& options) {
  return text(Shape(btf, type, field_name), value, options);
}

std::string cell(const Shape& shape, const Place& place, Bytes value, const ValueOptions& options) {
  TextSink sink(options, true);
  walk(shape, place, value, options.endian, sink);
  return sink.take();
}

std::string hex(Bytes value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(value.size() * 3);
  for (std::byte b : value) {
    if (!out.empty()) out += ' ';
    out += kDigits[std::to_integer<unsigned>(b) >> 4];
    out += kDigits[std::to_integer<unsigned>(b) & 15U];
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto c = static_cast<unsigned char>(text.front());
    std::size_t length = c >= 0x20 && c < 0x7F ? 1 : c >= 0x80 ? multibyte_length(text) : 0;
    if (length != 0) out += text.substr(0, length);
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string duration_text(std::int64_t value, std::uint64_t unit_ns) {
  struct Unit {
    double ns;
    std::string_view name;
  };
  constexpr Unit kUnits[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
  double ns = static_cast<double>(value) * static_cast<double>(unit_ns);
  for (const Unit& unit : kUnits)
    if (std::fabs(ns) >= unit.ns) return fmt::format("{:.4g}{}", ns / unit.ns, unit.name);
  return fmt::format("{}ns", static_cast<std::int64_t>(ns));
}

std::string time_text(std::uint64_t monotonic_ns, std::int64_t wall_offset_ns) {
  std::uint64_t ns = monotonic_ns + static_cast<std::uint64_t>(wall_offset_ns);
  std::uint64_t micros = ns % 1'000'000'000 / 1'000;
  if (wall_offset_ns == 0) return fmt::format("{}.{:06}", ns / 1'000'000'000, micros);
  auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return fmt::format("{}.{:06}", seconds, micros);
  return fmt::format("{:02}:{:02}:{:02}.{:06}", local.tm_hour, local.tm_min, local.tm_sec, micros);
}

}  // namespace espy::render
