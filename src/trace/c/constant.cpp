#include "trace/c/constant.hpp"

#include <array>
#include <charconv>

#include "trace/syntax/lexer.hpp"

namespace espy::trace::c {

namespace {

constexpr unsigned kDeepest = 200;

struct OperatorRow {
  std::string_view spelling;
  unsigned precedence;
};
constexpr std::array kOperators = std::to_array<OperatorRow>({{"||", 1}, {"&&", 2}, {"|", 3}, {"^", 4}, {"&", 5}, {"==", 6}, {"!=", 6},
    {"<", 7}, {">", 7}, {"<=", 7}, {">=", 7}, {"<<", 8}, {">>", 8}, {"+", 9}, {"-", 9}, {"*", 10}, {"/", 10}, {"%", 10}});

std::optional<Value> read_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16, text.remove_prefix(2);
  else if (text.starts_with("0b") || text.starts_with("0B")) base = 2, text.remove_prefix(2);
  else if (text.starts_with('0')) base = 8;
  Value value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value.bits, base);
  if (error != std::errc{}) return std::nullopt;
  for (const char* at = end; at != text.data() + text.size(); ++at) {
    if (*at == 'u' || *at == 'U') value.is_unsigned = true;
    else if (*at != 'l' && *at != 'L') return std::nullopt;
  }
  value.is_unsigned |= static_cast<std::int64_t>(value.bits) < 0;
  return value;
}

std::optional<Value> read_character(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  const std::string bytes = unescape("\"" + std::string(text.substr(1, text.size() - 2)) + "\"");
  if (bytes.size() != 1) return std::nullopt;
  return Value{static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<signed char>(bytes[0])))};
}

std::optional<Value> apply(std::string_view op, Value a, Value b) {
  const bool is_unsigned = a.is_unsigned || b.is_unsigned;
  const auto left = static_cast<std::int64_t>(a.bits), right = static_cast<std::int64_t>(b.bits);
  const auto logical = [](bool truth) { return Value{truth ? 1U : 0U}; };
  const auto number = [&](std::uint64_t bits) { return Value{bits, is_unsigned}; };
  if (op == "||") return logical(a.bits != 0 || b.bits != 0);
  if (op == "&&") return logical(a.bits != 0 && b.bits != 0);
  if (op == "==") return logical(a.bits == b.bits);
  if (op == "!=") return logical(a.bits != b.bits);
  if (op == "<") return logical(is_unsigned ? a.bits < b.bits : left < right);
  if (op == ">") return logical(is_unsigned ? a.bits > b.bits : left > right);
  if (op == "<=") return logical(is_unsigned ? a.bits <= b.bits : left <= right);
  if (op == ">=") return logical(is_unsigned ? a.bits >= b.bits : left >= right);
  if (op == "|") return number(a.bits | b.bits);
  if (op == "^") return number(a.bits ^ b.bits);
  if (op == "&") return number(a.bits & b.bits);
  if (op == "+") return number(a.bits + b.bits);
  if (op == "-") return number(a.bits - b.bits);
  if (op == "*") return number(a.bits * b.bits);
  if (op == "<<") return Value{b.bits < 64 ? a.bits << b.bits : 0, a.is_unsigned};
  if (op == ">>") return Value{b.bits >= 64 ? 0 : a.is_unsigned ? a.bits >> b.bits : static_cast<std::uint64_t>(left >> b.bits), a.is_unsigned};
  if (b.bits == 0 || (!is_unsigned && right == -1 && a.bits == std::uint64_t{1} << 63U)) return std::nullopt;
  if (op == "/") return number(is_unsigned ? a.bits / b.bits : static_cast<std::uint64_t>(left / right));
  return number(is_unsigned ? a.bits % b.bits : static_cast<std::uint64_t>(left % right));
}

class Evaluator {
 public:
  Evaluator(std::span<const Token> tokens, std::size_t& at, const Meaning& meaning) : tokens_(tokens), at_(at), meaning_(meaning) {}

  std::optional<Value> ternary() {
    if (++depth_ > kDeepest) return std::nullopt;
    std::optional<Value> value = binary(1);
    if (value && accept("?")) {
      const std::optional<Value> then = peek(":") ? value : ternary();
      if (!then || !accept(":")) return std::nullopt;
      const std::optional<Value> otherwise = ternary();
      if (!otherwise) return std::nullopt;
      value = value->bits != 0 ? then : otherwise;
    }
    --depth_;
    return value;
  }

 private:
  bool peek(std::string_view text) const { return at_ < tokens_.size() && tokens_[at_].is(text); }
  bool accept(std::string_view text) { return peek(text) && (++at_, true); }

  std::optional<Value> binary(unsigned least) {
    std::optional<Value> left = unary();
    while (left && at_ < tokens_.size()) {
      const OperatorRow* row = nullptr;
      for (const OperatorRow& candidate : kOperators) {
        if (tokens_[at_].is(candidate.spelling)) row = &candidate;
      }
      if (!row || row->precedence < least) break;
      ++at_;
      const std::optional<Value> right = binary(row->precedence + 1);
      if (!right) return std::nullopt;
      // Neither side of these can make the whole no constant if it is not looked at.
      left = apply(row->spelling, *left, *right);
    }
    return left;
  }

  std::optional<Value> unary() {
    if (at_ >= tokens_.size() || ++depth_ > kDeepest) return std::nullopt;
    const std::optional<Value> value = operand();
    --depth_;
    return value;
  }

  std::optional<Value> operand() {
    const Token& token = tokens_[at_];
    for (const std::string_view op : {"-", "+", "~", "!"}) {
      if (!token.is(op)) continue;
      ++at_;
      std::optional<Value> value = unary();
      if (!value) return std::nullopt;
      if (op == "-") value->bits = -value->bits;
      if (op == "~") value->bits = ~value->bits;
      if (op == "!") value = Value{value->bits == 0 ? 1U : 0U};
      return value;
    }
    if (token.is("(")) return parenthesised();
    const bool is_align = token.is("_Alignof") || token.is("__alignof__") || token.is("__alignof");
    if (token.is("sizeof") || is_align) return size_of(is_align);
    if ((token.is("__builtin_offsetof") || token.is("offsetof")) && meaning_.offset) {
      ++at_;
      if (!accept("(")) return std::nullopt;
      const auto offset = meaning_.offset(tokens_, at_);
      return offset && accept(")") ? std::optional(Value{*offset, true}) : std::nullopt;
    }
    ++at_;
    switch (token.kind) {
      case TokenKind::number: return read_number(token.text);
      case TokenKind::character: return read_character(token.text);
      case TokenKind::identifier: return meaning_.name(token.text);
      default: return std::nullopt;
    }
  }

  std::optional<Value> size_of(bool is_align) {
    ++at_;
    if (!meaning_.type || !accept("(")) return std::nullopt;
    const auto type = meaning_.type(tokens_, at_);
    return type && accept(")") ? std::optional(Value{is_align ? type->align : type->size, true}) : std::nullopt;
  }

  std::optional<Value> parenthesised() {
    ++at_;
    const std::size_t inside = at_;
    if (const auto type = meaning_.type ? meaning_.type(tokens_, at_) : std::nullopt) {
      if (!accept(")") || !type->is_integer) return std::nullopt;
      const std::optional<Value> value = unary();
      if (!value) return std::nullopt;
      const unsigned unused = type->size < 8 ? 64 - 8 * static_cast<unsigned>(type->size) : 0;
      const std::uint64_t shifted = value->bits << unused;
      const std::uint64_t bits = type->is_signed ? static_cast<std::uint64_t>(static_cast<std::int64_t>(shifted) >> unused) : shifted >> unused;
      return Value{bits, !type->is_signed};
    }
    at_ = inside;
    const std::optional<Value> value = ternary();
    return accept(")") ? value : std::nullopt;
  }

  std::span<const Token> tokens_;
  std::size_t& at_;
  const Meaning& meaning_;
  unsigned depth_ = 0;
};

}  // namespace

std::optional<Value> evaluate(std::span<const Token> tokens, std::size_t& at, const Meaning& meaning) {
  return Evaluator(tokens, at, meaning).ternary();
}

std::optional<Value> evaluate_all(std::span<const Token> tokens, const Meaning& meaning) {
  std::size_t at = 0;
  const std::optional<Value> value = evaluate(tokens, at, meaning);
  return at == tokens.size() ? value : std::nullopt;
}

std::string string_value(std::span<const Token> literals) {
  std::string text;
  for (const Token& literal : literals) text += unescape(literal.text);
  return text;
}

}  // namespace espy::trace::c
