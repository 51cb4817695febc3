#include "isa/match.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "isa/opcodes.hpp"

namespace espy::isa {

namespace {

// ---- templates, taken apart once ----

struct Element {
  char placeholder = 0;        // 0: literal text
  std::string_view literal;
};
struct Pattern {
  const OpcodeRow* row;
  std::vector<Element> elements;
};

void add_literals(std::string_view text, std::vector<Element>& elements) {
  std::vector<Token> tokens;
  tokenize(text, tokens);
  tokens.pop_back();
  for (const Token& token : tokens) elements.push_back({0, token.text});
}

std::vector<Element> take_apart(std::string_view syntax) {
  std::vector<Element> elements;
  std::size_t from = 0;
  for (std::size_t i = 0; i + 1 < syntax.size(); ++i) {
    if (syntax[i] != '%') continue;
    if (syntax[i + 1] == '%') {  // part of an operator, `%=` or `s%=`: a token of its own, with a signed form's `s`
      std::size_t begin = syntax[i - 1] == 's' ? i - 1 : i;
      add_literals(syntax.substr(from, begin - from), elements);
      elements.push_back({0, begin < i ? "s%=" : "%="});
      from = i + 3;
      i += 2;
      continue;
    }
    add_literals(syntax.substr(from, i - from), elements);
    elements.push_back({syntax[++i], {}});
    from = i + 1;
  }
  add_literals(syntax.substr(std::min(from, syntax.size())), elements);
  return elements;
}

const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> all = [] {
    std::vector<Pattern> made;
    for (const OpcodeRow& row : opcodes()) {
      made.push_back({&row, take_apart(row.syntax)});
      for (std::string_view also : row.also) {
        if (!also.empty()) made.push_back({&row, take_apart(also)});
      }
    }
    return made;
  }();
  return all;
}

ReferenceKind reference_kind(const OpcodeRow& row) {
  if (row.operation == Operation::call) return row.selected == 2 ? ReferenceKind::kfunc : ReferenceKind::function;
  switch (static_cast<Pseudo>(row.selected)) {
    case Pseudo::map_fd: case Pseudo::map_idx: return ReferenceKind::map;
    case Pseudo::map_value: case Pseudo::map_idx_value: return ReferenceKind::map_value;
    case Pseudo::btf_id: return ReferenceKind::ksym;
    case Pseudo::func: return ReferenceKind::function;
    case Pseudo::none: break;
  }
  return ReferenceKind::symbol;
}

std::string_view what_is_expected(char placeholder) {
  switch (placeholder) {
    case 'd': case 's': return "a register r0…r10";
    case 'D': case 'S': return "a register w0…w10";
    case 'o': return "an offset, as in `(r1 +8)`";
    case 't': case 'T': return "a jump target: `pc+3`, `+3` or a label";
    case 'P': return "`pc` and a distance";
    case 'c': return "a helper's number or name";
    case 'n': return "a name";
    case 'l': return "`ll`";
    default: return "a number";
  }
}

// ---- the failure that got furthest ----

class Furthest {
 public:
  void expected(std::size_t token, std::string_view what, bool literal) {
    if (!reach(token) || !problem_.empty()) return;
    auto& list = literal ? literals_ : kinds_;
    if (std::ranges::find(list, what) == list.end()) list.push_back(what);
  }
  // A word of the right kind with a value that does not fit says more than what else might have stood there.
  void problem(std::size_t token, std::string message, std::string hint = {}) {
    if (!reach(token) || !problem_.empty()) return;
    problem_ = std::move(message);
    hint_ = std::move(hint);
  }

  // A constant too wide for a move would do as a two-slot load, which fails one word later, for want of its `ll`.
  void too_wide(Mismatch mismatch) { too_wide_ = std::move(mismatch); }

  Mismatch mismatch(std::span<const Token> tokens) const {
    if (too_wide_ && problem_.empty() && literals_ == std::vector<std::string_view>{"ll"}) return *too_wide_;
    if (!problem_.empty()) return {token_, problem_, hint_};
    const Token& token = tokens[token_];
    std::string found = token.kind == TokenKind::end ? "the line ends" : fmt::format("`{}` does not fit", token.text);
    std::string list;
    std::size_t shown = 0;
    auto add = [&](std::string_view what, bool quote) {
      if (shown++ >= kMostShown) return;
      list += list.empty() ? "" : ", ";
      list += quote ? fmt::format("`{}`", what) : std::string(what);
    };
    for (std::string_view kind : kinds_) add(kind, false);
    for (std::string_view literal : literals_) add(literal, !literal.starts_with("the end"));
    if (shown > kMostShown) list += ", …";
    Mismatch mismatch{token_, fmt::format("{} here; expected {}", found, list), {}};
    if (token.kind == TokenKind::word) {
      if (std::string_view near = nearest(token.text, literals_); !near.empty()) mismatch.hint = fmt::format("did you mean `{}`?", near);
    }
    return mismatch;
  }

 private:
  static constexpr std::size_t kMostShown = 8;

  bool reach(std::size_t token) {
    if (token > token_) {
      token_ = token;
      literals_.clear(), kinds_.clear(), problem_.clear(), hint_.clear();
    }
    return token == token_;
  }

  std::size_t token_ = 0;
  std::vector<std::string_view> literals_, kinds_;
  std::string problem_, hint_;
  std::optional<Mismatch> too_wide_;
};

// ---- one template against the line ----

class Matcher {
 public:
  Matcher(std::span<const Token> tokens, const HelperNumber& helper_number, Furthest& furthest)
      : tokens_(tokens), helper_number_(helper_number), furthest_(furthest) {}

  bool match(const Pattern& pattern) {
    at_ = 0;
    line_ = {};
    seen_ = 0;
    line_.instruction.row = pattern.row;
    for (const Element& element : pattern.elements) {
      if (element.placeholder == 0 ? !literal(element.literal) : !operand(element.placeholder)) return false;
    }
    if (peek().kind == TokenKind::end) return true;
    furthest_.expected(at_, "the end of the line", true);
    return false;
  }

  const MatchedLine& line() const { return line_; }

 private:
  const Token& peek() const { return tokens_[std::min(at_, tokens_.size() - 1)]; }
  bool take(std::string_view text) {
    if (peek().kind == TokenKind::end || peek().text != text) return false;
    ++at_;
    return true;
  }
  bool literal(std::string_view text) {
    if (take(text)) return true;
    furthest_.expected(at_, text, true);
    return false;
  }
  bool missing(char placeholder) {
    furthest_.expected(at_, what_is_expected(placeholder), false);
    return false;
  }

  // The same register stands twice in some templates (`r1 = -r1`) and must then be the same.
  bool reg(char placeholder, char letter, std::uint8_t& field, unsigned seen_bit) {
    const Token& token = peek();
    std::optional<std::uint8_t> number;
    if (token.kind == TokenKind::word && token.text.size() >= 2 && token.text.front() == letter &&
        (token.text.size() == 2 || token.text[1] != '0')) {
      number = parse_number<std::uint8_t>(token.text.substr(1));
    }
    if (!number) return missing(placeholder);
    if (*number >= kRegisters) {
      furthest_.problem(at_, fmt::format("there is no register {}; the last is {}10", token.text, letter));
      return false;
    }
    if ((seen_ & seen_bit) && field != *number) {
      furthest_.problem(at_, fmt::format("both registers must be the same here: {}{}", letter, field));
      return false;
    }
    seen_ |= seen_bit;
    field = *number;
    ++at_;
    return true;
  }

  // A number with an optional sign, `low` ≤ it ≤ `high`.
  bool number(char placeholder, std::int64_t low, std::uint64_t high, std::uint64_t& value, bool need_sign = false) {
    std::size_t from = at_;
    bool negative = take("-");
    bool sign = negative || take("+");
    const Token& token = peek();
    if (token.kind != TokenKind::number || (need_sign && !sign)) {
      if (!need_sign || sign) missing(placeholder);
      else furthest_.expected(from, what_is_expected(placeholder), false);
      at_ = from;
      return false;
    }
    std::optional<std::uint64_t> magnitude = parse_number<std::uint64_t>(token.text);
    // -2^63 has no positive twin, so the comparison is of magnitudes.
    std::uint64_t limit = negative ? std::uint64_t{0} - static_cast<std::uint64_t>(low) : high;
    if (!magnitude) {
      bool digits = std::ranges::all_of(token.text.starts_with("0x") ? token.text.substr(2) : token.text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      });
      furthest_.problem(at_, fmt::format("`{}` is {}", token.text, digits ? "larger than 64 bits hold" : "not a number"));
    } else if (*magnitude > limit) {
      std::string written = fmt::format("{}{}", negative ? "-" : "", token.text);
      std::string message = fmt::format("{} is out of range: this field holds {} … {}", written, low, high);
      if (line_.instruction.row->operation == Operation::mov) {
        furthest_.too_wide({at_, message, fmt::format("a 64-bit constant takes two slots: `… = {} ll`", written)});
      }
      furthest_.problem(at_, std::move(message));
    } else {
      value = negative ? std::uint64_t{0} - *magnitude : *magnitude;
      ++at_;
      return true;
    }
    at_ = from;
    return false;
  }

  template <typename T>
  bool number_into(char placeholder, T& field, std::int64_t low, std::uint64_t high, bool need_sign = false) {
    std::uint64_t value = 0;
    if (!number(placeholder, low, high, value, need_sign)) return false;
    field = static_cast<T>(value);
    return true;
  }

  // `pc+3`, `+3`, `pc+3 <label>`, `label`.
  template <typename T>
  bool jump(char placeholder, T& field) {
    bool pc = peek().kind == TokenKind::word && peek().text == "pc" && tokens_[at_ + 1].kind == TokenKind::op;
    if (pc) ++at_;
    if (!pc && peek().kind == TokenKind::word) {
      line_.label = peek().text;
      line_.label_token = at_++;
      return true;
    }
    using Limits = std::numeric_limits<T>;
    if (!number_into(placeholder, field, Limits::min(), static_cast<std::uint64_t>(Limits::max()), true)) return false;
    if (!take("<")) return true;
    // A label in angle brackets decides; `<name+0x10>`, as other disassemblers annotate, only tells.
    if (peek().kind == TokenKind::word && tokens_[at_ + 1].text == ">") {
      line_.label = peek().text;
      line_.label_token = at_;
      at_ += 2;
      return true;
    }
    while (peek().kind != TokenKind::end && peek().text != ">") ++at_;
    return literal(">");
  }

  bool helper() {
    const Token& token = peek();
    auto& imm = line_.instruction.imm;
    if (token.kind != TokenKind::word) return number_into('c', imm, std::numeric_limits<std::int32_t>::min(), 0xffffffffU);
    std::int64_t known = -1;
    if (helper_number_) known = helper_number_(token.text).value_or(std::numeric_limits<std::uint32_t>::max());
    if (known == std::numeric_limits<std::uint32_t>::max()) known = -1;
    if (tokens_[at_ + 1].text == "#") {  // the name is for people, the number counts: they must agree if the name is known
      at_ += 2;
      if (!number_into('c', imm, std::numeric_limits<std::int32_t>::min(), 0xffffffffU)) return false;
      if (known >= 0 && known != static_cast<std::uint32_t>(imm)) {
        furthest_.problem(at_ - 1, fmt::format("`{}` is helper {}, not {}", token.text, known, imm));
        return false;
      }
      return true;
    }
    if (known < 0) return missing('c');
    imm = static_cast<std::int32_t>(known);
    ++at_;
    return true;
  }

  bool name() {
    const Token& token = peek();
    if (token.kind != TokenKind::word && token.kind != TokenKind::string) return missing('n');
    if (token.text == "pc" && tokens_[at_ + 1].kind == TokenKind::op) return missing('n');
    const OpcodeRow& row = *line_.instruction.row;
    // `r1 = r2 ll` is a slip, not a symbol called r2.
    if (row.operation == Operation::ld_imm64 && row.selected == 0 && token.text.size() <= 3 &&
        (token.text.front() == 'r' || token.text.front() == 'w') && parse_number<std::uint8_t>(token.text.substr(1))) {
      return missing('q');
    }
    line_.reference = Reference{0, reference_kind(row), token.kind == TokenKind::string ? unquote(token.text) : std::string(token.text), 0, 0};
    line_.reference_token = at_++;
    return true;
  }

  bool distance() {
    if (!take("pc")) return missing('P');
    return number_into('P', line_.instruction.imm, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), true);
  }

  // `(r1 +8)`, `(r1 + 8)`, `(r1)`.
  bool memory_offset() {
    if (peek().text != "+" && peek().text != "-") {
      line_.instruction.off = 0;
      if (peek().text == ")" || peek().text == ",") return true;
      return missing('o');
    }
    return number_into('o', line_.instruction.off, -32768, 32767, true);
  }

  bool half(char placeholder) {
    std::uint32_t value = 0;
    if (!number_into(placeholder, value, 0, 0xffff)) return false;
    auto imm = static_cast<std::uint32_t>(line_.instruction.imm);
    imm = placeholder == 'A' ? (imm & 0xffff) | (value << 16) : (imm & 0xffff0000U) | value;
    line_.instruction.imm = static_cast<std::int32_t>(imm);
    return true;
  }

  bool operand(char placeholder) {
    constexpr std::int64_t kMin32 = std::numeric_limits<std::int32_t>::min();
    Instruction& i = line_.instruction;
    switch (placeholder) {
      case 'd': return reg('d', 'r', i.dst, 1);
      case 'D': return reg('D', 'w', i.dst, 1);
      case 's': return reg('s', 'r', i.src, 2);
      case 'S': return reg('S', 'w', i.src, 2);
      case 'o': return memory_offset();
      case 'O': return number_into('O', i.off, -32768, 32767);
      case 'i': return number_into('i', i.imm, kMin32, 0x7fffffff);
      case 'u': case 'h': return number_into(placeholder, i.imm, kMin32, 0xffffffffU);
      case 'x': {
        if (!number_into('x', i.high_imm, 0, 0xffffffffU)) return false;
        if (line_.reference) line_.reference->offset = static_cast<std::uint32_t>(i.high_imm);
        return true;
      }
      case 'q': {
        std::uint64_t value = 0;
        if (!number('q', std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max(), value)) return false;
        i.imm = static_cast<std::int32_t>(value);
        i.high_imm = static_cast<std::int32_t>(value >> 32);
        return true;
      }
      case 'A': case 'B': return half(placeholder);
      case 't': return jump('t', i.off);
      case 'T': return jump('T', i.imm);
      case 'P': return distance();
      case 'c': return helper();
      case 'n': return name();
      case 'l': take("ll"); return true;
      default: return false;
    }
  }

  std::span<const Token> tokens_;
  const HelperNumber& helper_number_;
  Furthest& furthest_;
  std::size_t at_ = 0;
  MatchedLine line_;
  unsigned seen_ = 0;  // registers that the template has named already
};

}  // namespace

std::expected<MatchedLine, Mismatch> match_line(std::span<const Token> tokens, const HelperNumber& helper_number) {
  Furthest furthest;
  Matcher matcher(tokens, helper_number, furthest);
  for (const Pattern& pattern : patterns()) {
    if (matcher.match(pattern)) return matcher.line();
  }
  return std::unexpected(furthest.mismatch(tokens));
}

}  // namespace espy::isa
