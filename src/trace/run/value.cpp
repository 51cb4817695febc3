#include "trace/run/value.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "base/json.hpp"
#include "trace/run/btf_value.hpp"
#include "trace/run/number_names.hpp"

namespace espy::trace::run {

namespace {

// The part of `value` from `offset` on, `size` bytes at most; empty where there is none.
Bytes part(Bytes value, std::size_t offset, std::size_t size) {
  if (offset >= value.size()) return {};
  return value.subspan(offset, std::min(size, value.size() - offset));
}

template <typename T>
T word(Bytes value, std::size_t offset = 0) {
  T result{};
  Bytes from = part(value, offset, sizeof result);
  std::memcpy(&result, from.data(), from.size());
  return result;
}

std::uint32_t size_of(const Type& type) { return type.size == 0 ? 8 : type.size; }

void append_inet(Bytes value, std::string& out) {
  const auto family = word<std::uint32_t>(value);
  std::array<std::byte, 16> address{};
  Bytes from = part(value, 4, address.size());
  std::memcpy(address.data(), from.data(), from.size());
  char text[INET6_ADDRSTRLEN] = "";
  if (::inet_ntop(family == AF_INET6 ? AF_INET6 : AF_INET, address.data(), text, sizeof text) != nullptr) out += text;
}

void append_mac(Bytes value, std::string& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (std::size_t i = 0; i < 6; ++i) {
    const auto byte = word<std::uint8_t>(value, i);
    if (i != 0) out += ':';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void append_hex(std::uint64_t value, std::string& out) {
  char digits[16];
  auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  out += "0x";
  out.append(digits, end);
}

// Kinds whose text is a name; in JSON they are strings of it.
void append_name(const Type& type, Bytes value, Names& names, std::string& out) {
  switch (type.kind) {
    case Kind::string: {
      bool cut = false;
      const std::string_view text = string_of(type, value, cut);
      out += text;
      // An array of characters that is full is whole; what was read up to a limit may not be.
      if (type.size == names.string_room() && text.size() + 1 >= type.size) out += names.trailer();
      return;
    }
    case Kind::inet: return append_inet(value, out);
    case Kind::mac: return append_mac(value, out);
    case Kind::ksym: return names.kernel_symbol(word<std::uint64_t>(value), out);
    case Kind::usym: return names.user_symbol(word<std::uint64_t>(value), word<std::uint32_t>(value, 8), word<std::uint32_t>(value, 12), out);
    case Kind::kstack: return names.stack(type, word<std::int64_t>(value), 0, 0, 0, out);
    case Kind::ustack: return names.stack(type, word<std::int64_t>(value), word<std::uint32_t>(value, 8), word<std::uint32_t>(value, 12), word<std::uint64_t>(value, 16), out);
    case Kind::username: return names.user(word<std::uint64_t>(value), out);
    case Kind::timestamp: return names.timestamp(word<std::uint64_t>(value), word<std::uint32_t>(value, 8), word<std::uint32_t>(value, 12), out);
    case Kind::cgroup_path: return names.cgroup(word<std::uint64_t>(value), word<std::uint32_t>(value, 8), out);
    case Kind::gfp_flags: return append_gfp_flags(word<std::uint64_t>(value), out);
    case Kind::strerror: return append_error_name(word<std::int64_t>(value), out);
    case Kind::signal_name: return append_signal_name(word<std::int64_t>(value), out);
    case Kind::syscall_name: return append_syscall_name(word<std::int64_t>(value), out);
    case Kind::probe_name: out += names.probe(word<std::uint64_t>(value)); return;
    default: out += "null"; return;
  }
}

// A scratch for names that must be quoted. One a thread, so that nesting and threads are safe and nothing is allocated anew.
std::string& quoted_scratch() {
  thread_local std::string scratch;
  scratch.clear();
  return scratch;
}

void append_fields(const Type& type, Bytes value, Names& names, std::string& out, bool json) {
  const bool named = type.kind == Kind::record;
  if (named && (!type.fields || type.fields->empty())) {
    out += "{}";
    return;
  }
  out += json ? (named ? "{" : "[") : (named ? "{ " : "(");
  bool first = true;
  for (const Field& field : type.fields ? *type.fields : std::vector<Field>{}) {
    if (!first) out += json && !named ? "," : ", ";
    first = false;
    Bytes bytes = part(value, field.offset, size_of(field.type));
    if (json) {
      if (named) append_json_string(field.name, out), out += ": ";
      append_json(field.type, bytes, names, out);
    } else {
      if (named) out += '.', out += field.name, out += " = ";
      append_text(field.type, bytes, names, out);
    }
  }
  out += json ? (named ? "}" : "]") : (named ? " }" : ")");
}

void append_array(const Type& type, Bytes value, Names& names, std::string& out, bool json) {
  out += '[';
  const std::uint32_t size = type.element ? size_of(*type.element) : 0;
  for (std::uint32_t i = 0; type.element && i < type.count; ++i) {
    if (i != 0) out += ',';
    Bytes bytes = part(value, std::size_t{i} * size, size);
    json ? append_json(*type.element, bytes, names, out) : append_text(*type.element, bytes, names, out);
  }
  out += ']';
}

void append_enum(const Type& type, Bytes value, std::string& out) {
  const std::int64_t number = load_integer(value, size_of(type), type.is_signed);
  if (type.btf.btf) {
    const auto name = enumerator_name(type.btf.btf->resolve(type.btf.id), static_cast<std::uint64_t>(number), size_of(type));
    if (!name.empty()) {
      out += name;
      return;
    }
  }
  type.is_signed ? append_number(number, out) : append_number(static_cast<std::uint64_t>(number), out);
}

}  // namespace

std::int64_t load_integer(Bytes value, std::uint32_t size, bool is_signed) {
  switch (size) {
    case 1: return is_signed ? word<std::int8_t>(value) : word<std::uint8_t>(value);
    case 2: return is_signed ? word<std::int16_t>(value) : word<std::uint16_t>(value);
    case 4: return is_signed ? std::int64_t{word<std::int32_t>(value)} : std::int64_t{word<std::uint32_t>(value)};
    default: return word<std::int64_t>(value);
  }
}

std::string_view string_of(const Type& type, Bytes value, bool& cut) {
  const std::size_t size = std::min<std::size_t>(type.size, value.size());
  const auto* text = reinterpret_cast<const char*>(value.data());
  const std::size_t length = ::strnlen(text, size);
  cut = length == type.size && size != 0;
  return {text, length};
}

Bytes buffer_of(const Type& type, Bytes value) {
  const std::size_t room = type.size < 4 ? 0 : type.size - 4;
  return part(value, 4, std::min<std::size_t>(word<std::uint32_t>(value), room));
}

void append_number(std::int64_t value, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_number(std::uint64_t value, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

namespace {

// Readers of JSON take numbers for doubles, so those that a double does not hold are written as strings. A double made of
// the largest integers is 2^63 or 2^64, which must not be converted back.
template <typename T>
void append_json_integer(T value, std::string& out) {
  const auto rounded = static_cast<double>(value);
  const bool exact = rounded < static_cast<double>(std::numeric_limits<T>::max()) && static_cast<T>(rounded) == value;
  if (!exact) out += '"';
  append_number(value, out);
  if (!exact) out += '"';
}

}  // namespace

void append_json_number(std::int64_t value, std::string& out) { append_json_integer(value, out); }
void append_json_number(std::uint64_t value, std::string& out) { append_json_integer(value, out); }

void append_buffer(Bytes data, BufferForm form, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  bool first = true;
  for (std::byte each : data) {
    const auto byte = static_cast<unsigned char>(each);
    if (form == BufferForm::ascii && byte >= 32 && byte <= 126) {
      out += static_cast<char>(byte);
      continue;
    }
    if (form != BufferForm::hex) out += "\\x";
    else if (!first) out += ' ';
    first = false;
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

void append_text(const Type& type, Bytes value, Names& names, std::string& out) {
  switch (type.kind) {
    case Kind::integer:
    case Kind::count: case Kind::sum: case Kind::avg: case Kind::min: case Kind::max: {
      const std::int64_t number = load_integer(value, size_of(type), type.is_signed);
      return type.is_signed ? append_number(number, out) : append_number(static_cast<std::uint64_t>(number), out);
    }
    case Kind::boolean: out += word<std::uint8_t>(value) != 0 ? "true" : "false"; return;
    case Kind::pointer: return append_hex(word<std::uint64_t>(value), out);
    case Kind::buffer: return append_buffer(buffer_of(type, value), BufferForm::ascii, out);
    case Kind::array: return append_array(type, value, names, out, false);
    case Kind::structure: return append_btf_text(type.btf, value, names, out);
    case Kind::enumeration: return append_enum(type, value, out);
    case Kind::tuple: case Kind::record: return append_fields(type, value, names, out, false);
    default: return append_name(type, value, names, out);
  }
}

void append_json(const Type& type, Bytes value, Names& names, std::string& out) {
  switch (type.kind) {
    case Kind::integer: case Kind::enumeration:
    case Kind::count: case Kind::sum: case Kind::avg: case Kind::min: case Kind::max: {
      const std::int64_t number = load_integer(value, size_of(type), type.is_signed);
      return type.is_signed ? append_json_number(number, out) : append_json_number(static_cast<std::uint64_t>(number), out);
    }
    case Kind::boolean: return append_text(type, value, names, out);
    case Kind::pointer: return append_json_number(word<std::uint64_t>(value), out);
    case Kind::buffer: {
      out += '[';
      Bytes data = buffer_of(type, value);
      for (std::size_t i = 0; i < data.size(); ++i) {
        if (i != 0) out += ',';
        append_number(std::int64_t{static_cast<signed char>(data[i])}, out);
      }
      out += ']';
      return;
    }
    case Kind::array: return append_array(type, value, names, out, true);
    case Kind::structure: return append_btf_json(type.btf, value, names, out);
    case Kind::tuple: case Kind::record: return append_fields(type, value, names, out, true);
    case Kind::none: case Kind::stats: case Kind::hist: case Kind::lhist: case Kind::tseries:
    case Kind::stack_mode: case Kind::type_name: case Kind::map_reference: out += "null"; return;
    default: {
      std::string& scratch = quoted_scratch();
      append_name(type, value, names, scratch);
      return append_json_string(scratch, out);
    }
  }
}

void append_time(std::int64_t seconds, std::uint32_t nanoseconds, std::string_view format, std::string& out) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm broken{};
  if (::localtime_r(&time, &broken) == nullptr) return;
  // `%f` is ours; what it stands for is put in before strftime reads the rest.
  std::string whole;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      whole += format[i];
    } else if (format[++i] == 'f') {
      char digits[8];
      std::snprintf(digits, sizeof digits, "%06u", nanoseconds / 1000 % 1000000);
      whole += digits;
    } else {
      whole += '%';
      whole += format[i];
    }
  }
  char text[512];
  out.append(text, std::strftime(text, sizeof text, whole.c_str(), &broken));
}

}  // namespace espy::trace::run
