#include "trace/run/format.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "trace/run/number_names.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

// A script may not make one line of gigabytes.
constexpr std::uint32_t kMaxWidth = 1U << 16;

std::uint32_t read_count(std::string_view& text) {
  std::uint64_t count = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    count = std::min<std::uint64_t>(count * 10 + static_cast<std::uint64_t>(text.front() - '0'), kMaxWidth);
    text.remove_prefix(1);
  }
  return static_cast<std::uint32_t>(count);
}

// Bytes of an integer with this length modifier.
std::uint8_t bytes_of_length(std::string_view length) {
  if (length == "hh") return 1;
  if (length == "h") return 2;
  return 8;
}

bool is_integer(Kind kind) { return kind == Kind::integer || kind == Kind::boolean || kind == Kind::pointer || kind == Kind::enumeration; }

// Puts what was appended from `begin` on into a field of the directive's width.
void pad(std::string& out, std::size_t begin, std::uint32_t width, bool left) {
  const std::size_t length = out.size() - begin;
  if (length >= width) return;
  if (left) out.append(width - length, ' ');
  else out.insert(begin, width - length, ' ');
}

}  // namespace

Format::Directive Format::read(const FormatPiece& piece) {
  Directive result;
  result.literal = piece.literal;
  std::string_view flags = piece.flags;
  result.plain = flags.empty();
  for (; !flags.empty(); flags.remove_prefix(1)) {
    const char flag = flags.front();
    if (flag == '-') result.left = true;
    else if (flag == '+') result.plus = true;
    else if (flag == ' ') result.space = true;
    else if (flag == '#') result.alternate = true;
    else if (flag == '0') result.zero = true;
    else break;
  }
  result.width = read_count(flags);
  if (flags.starts_with('.')) {
    flags.remove_prefix(1);
    result.precision = static_cast<std::int32_t>(read_count(flags));
  }
  std::string_view conversion = piece.conversion;
  const std::size_t length = conversion.find_first_not_of("hlLjzt");
  result.bytes = bytes_of_length(conversion.substr(0, std::min(length, conversion.size())));
  conversion.remove_prefix(std::min(length, conversion.size()));
  using enum Conversion;
  if (conversion == "d" || conversion == "i") result.conversion = signed_;
  else if (conversion == "u") result.conversion = unsigned_;
  else if (conversion == "o") result.conversion = octal;
  else if (conversion == "x") result.conversion = hex;
  else if (conversion == "X") result.conversion = hex_upper;
  else if (conversion == "c") result.conversion = character;
  else if (conversion == "p") result.conversion = address;
  else if (conversion == "s") result.conversion = any;
  else if (conversion == "r") result.conversion = buffer;
  else if (conversion == "rx") result.conversion = buffer_escaped;
  else if (conversion == "rh") result.conversion = buffer_hex;
  else if (conversion == "gr") result.conversion = gfp;
  return result;
}

Format::Format(const std::vector<FormatPiece>& pieces, const std::vector<Field>& arguments) {
  std::size_t next = 0;
  for (const FormatPiece& piece : pieces) {
    Directive directive = read(piece);
    const bool wants = !piece.conversion.empty();
    if (wants && (directive.conversion == Conversion::none || next == arguments.size())) {
      directive.literal += "%" + piece.flags + piece.conversion;
      directive.conversion = Conversion::none;
    }
    if (wants && next < arguments.size()) {
      directive.offset = arguments[next].offset;
      directive.type = arguments[next].type;
      ++next;
      // A number asked of what is none is shown as the value that it is.
      const Conversion asked = directive.conversion;
      const bool number = asked >= Conversion::signed_ && asked <= Conversion::address;
      const bool has_number = is_integer(directive.type.kind) || (directive.type.kind >= Kind::count && directive.type.kind <= Kind::max) ||
                              (directive.type.kind >= Kind::gfp_flags && directive.type.kind <= Kind::syscall_name) || directive.type.kind == Kind::ksym;
      const bool bytes = asked >= Conversion::buffer && asked <= Conversion::buffer_hex;
      if ((number && !has_number) || (bytes && directive.type.kind != Kind::buffer)) directive.conversion = Conversion::any;
    }
    if (!directives_.empty() && directives_.back().conversion == Conversion::none) {
      directive.literal.insert(0, directives_.back().literal);
      directives_.back() = std::move(directive);
    } else {
      directives_.push_back(std::move(directive));
    }
  }
}

void Format::append(Bytes record, Names& names, std::string& out) const {
  for (const Directive& directive : directives_) {
    out += directive.literal;
    if (directive.conversion != Conversion::none) append_one(directive, record, names, out);
  }
}

void Format::append_one(const Directive& directive, Bytes record, Names& names, std::string& out) {
  using enum Conversion;
  const Type& type = directive.type;
  const Bytes bytes = directive.offset < record.size() ? record.subspan(directive.offset) : Bytes{};
  if (directive.conversion >= signed_ && directive.conversion <= address)
    return append_integer(directive, load_integer(bytes, type.size == 0 ? 8 : type.size, type.is_signed), out);
  const std::size_t begin = out.size();
  if (directive.conversion == Conversion::any) {
    append_text(type, bytes.first(std::min<std::size_t>(bytes.size(), type.size == 0 ? 8 : type.size)), names, out);
    if (directive.precision >= 0 && out.size() - begin > static_cast<std::size_t>(directive.precision)) out.resize(begin + static_cast<std::size_t>(directive.precision));
  } else if (directive.conversion == gfp) {
    append_gfp_flags(static_cast<std::uint64_t>(load_integer(bytes, type.size == 0 ? 8 : type.size, false)), out);
  } else {
    append_buffer(buffer_of(type, bytes), directive.conversion == buffer ? BufferForm::ascii : directive.conversion == buffer_escaped ? BufferForm::escaped : BufferForm::hex, out);
  }
  if (!directive.plain) pad(out, begin, directive.width, directive.left);
}

void Format::append_integer(const Directive& directive, std::int64_t value, std::string& out) {
  using enum Conversion;
  if (directive.bytes != 8) value = load_integer(bytes_of(value), directive.bytes, directive.conversion == signed_);
  const auto number = static_cast<std::uint64_t>(value);
  if (directive.plain) {
    if (directive.conversion == signed_) return append_number(value, out);
    if (directive.conversion == unsigned_) return append_number(number, out);
  }
  const std::size_t begin = out.size();
  if (directive.conversion == character) {
    out += static_cast<char>(value);
    return pad(out, begin, directive.width, directive.left);
  }
  const bool negative = directive.conversion == signed_ && value < 0;
  const int base = directive.conversion == octal ? 8 : directive.conversion == signed_ || directive.conversion == unsigned_ ? 10 : 16;
  char digits[24];
  auto* end = std::to_chars(digits, digits + sizeof digits, negative ? ~number + 1 : number, base).ptr;
  if (directive.conversion == hex_upper) std::transform(digits, end, digits, [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  const auto count = static_cast<std::size_t>(end - digits);

  std::string_view prefix;
  if (negative) prefix = "-";
  else if (directive.conversion == signed_ && directive.plus) prefix = "+";
  else if (directive.conversion == signed_ && directive.space) prefix = " ";
  else if (directive.conversion == address || (directive.alternate && directive.conversion == hex && number != 0)) prefix = "0x";
  else if (directive.alternate && directive.conversion == hex_upper && number != 0) prefix = "0X";
  else if (directive.alternate && directive.conversion == octal && number != 0) prefix = "0";

  std::size_t zeroes = directive.precision > 0 && static_cast<std::size_t>(directive.precision) > count ? static_cast<std::size_t>(directive.precision) - count : 0;
  const std::size_t length = prefix.size() + zeroes + count;
  if (directive.zero && !directive.left && directive.precision < 0 && directive.width > length) zeroes += directive.width - length;
  out += prefix;
  out.append(zeroes, '0');
  if (!(directive.precision == 0 && number == 0)) out.append(digits, end);
  pad(out, begin, directive.width, directive.left);
}

}  // namespace espy::trace::run
