#include "isa/assemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <unordered_map>

#include "base/text.hpp"
#include "isa/decode.hpp"
#include "isa/token.hpp"

namespace espy::isa {

namespace {

constexpr std::size_t kMostContents = std::size_t{64} << 20;  // bytes that `.zero` may ask for in one text

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// A jump whose label may stand further down.
struct PendingJump {
  InsnIdx at = 0;
  std::string_view label;
  std::string_view line;
  std::uint32_t line_number = 0, column = 0;
  bool wide = false;  // the distance goes to the immediate
};

class Assembler {
 public:
  Assembler(std::string_view text, const AssembleOptions& options) : text_(text), options_(options) {}

  Result<Assembled> run() {
    while (!text_.empty()) {
      std::size_t end = text_.find('\n');
      line_ = text_.substr(0, end);
      text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
      ++line_number_;
      tokenize(line_, tokens_);
      rest_ = tokens_;
      TRY(statement());
    }
    TRY(close_function());
    for (AssembledFunction& function : result_.functions) function.is_global = !local_.contains(function.name);
    return std::move(result_);
  }

 private:
  // ---- errors ----

  std::unexpected<Error> error_at(std::string_view line, std::uint32_t number, std::uint32_t column, std::string message,
                                  std::string hint = {}) const {
    std::string where = options_.file.empty() ? fmt::format("line {}:{}", number, column)
                                              : fmt::format("{}:{}:{}", options_.file, number, column);
    // The caret stands under the byte; tabs are kept so that both lines are indented alike.
    std::string caret;
    for (std::size_t i = 0; i + 1 < column && i < line.size(); ++i) {
      if (line[i] == '\t') caret += '\t';
      else if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) caret += ' ';  // one for each UTF-8 character
    }
    return std::unexpected(Error{.kind = ErrorKind::malformed,
                                 .message = std::move(message),
                                 .where = std::move(where),
                                 .hint = std::move(hint),
                                 .notes = {std::string(line), caret + "^"}});
  }
  std::unexpected<Error> error(const Token& token, std::string message, std::string hint = {}) const {
    return error_at(line_, line_number_, token.column, std::move(message), std::move(hint));
  }

  // ---- the words of the line ----

  const Token& peek() const { return rest_.front(); }
  const Token& peek(std::size_t n) const { return rest_[std::min(n, rest_.size() - 1)]; }
  Token take() {
    Token token = rest_.front();
    if (rest_.size() > 1) rest_ = rest_.subspan(1);
    return token;
  }
  Result<void> end_of_line() {
    if (peek().kind == TokenKind::end) return {};
    return error(peek(), fmt::format("`{}` is too much here: expected the end of the line", peek().text));
  }
  Result<std::string> take_name(std::string_view what) {
    const Token token = take();
    if (token.kind == TokenKind::word) return std::string(token.text);
    if (token.kind == TokenKind::string) return unquote(token.text);
    return error(token, fmt::format("expected {}", what));
  }

  // ---- statements ----

  Result<void> statement() {
    // `7:` and `(bf)`, as listings and the verifier's log have them, tell nothing that we need.
    if (peek().kind == TokenKind::number && peek(1).text == ":") take(), take();
    if (peek().text == "(" && peek(2).text == ")") take(), take(), take();
    while ((peek().kind == TokenKind::word || peek().kind == TokenKind::string) && peek(1).text == ":") TRY(label());
    if (peek().kind == TokenKind::end) return {};
    if (peek().kind == TokenKind::word && peek().text.starts_with('.')) return directive();
    return instruction();
  }

  Result<void> label() {
    const Token token = peek();
    std::string name = TRY(take_name("a label"));
    take();
    if (!open_ || globals_.contains(name)) return begin_function(token, std::move(name));
    auto at = static_cast<InsnIdx>(function().insns.size());
    if (!labels_.try_emplace(std::move(name), at).second) {
      return error(token, fmt::format("label `{}` stands twice in `{}`", token.text, function().name));
    }
    return {};
  }

  Result<void> begin_function(const Token& token, std::string name) {
    TRY(close_function());
    if (!names_.insert(name).second) return error(token, fmt::format("`{}` is defined twice", name));
    labels_.try_emplace(name, 0);  // `goto NAME` begins anew
    result_.functions.push_back({.name = std::move(name), .section = section_, .line = line_number_});
    open_ = true;
    return {};
  }

  AssembledFunction& function() { return result_.functions.back(); }

  Result<void> need_function() {
    if (!open_) TRY(begin_function(peek(), "main"));
    return {};
  }

  Result<void> instruction() {
    TRY(need_function());
    auto matched = match_line(rest_, options_.helper_number);
    if (!matched) {
      Mismatch& mismatch = matched.error();
      return error(rest_[std::min(mismatch.token, rest_.size() - 1)], std::move(mismatch.message), std::move(mismatch.hint));
    }
    auto at = static_cast<InsnIdx>(function().insns.size());
    if (!matched->label.empty()) {
      pending_.push_back({at, matched->label, line_, line_number_, rest_[matched->label_token].column,
                          (matched->instruction.row->fields() & kImm) != 0 && matched->instruction.row->operation == Operation::goto_});
    }
    if (matched->reference) {
      Reference reference = std::move(*matched->reference);
      reference.insn = at;
      reference.line = line_number_;
      function().references.push_back(std::move(reference));
    }
    std::array<Insn, 2> slots;
    unsigned count = encode(matched->instruction, slots);
    function().insns.insert(function().insns.end(), slots.begin(), slots.begin() + count);
    return {};
  }

  Result<void> close_function() {
    if (!open_) return {};
    for (const PendingJump& jump : pending_) TRY(settle(jump));
    pending_.clear();
    labels_.clear();
    open_ = false;
    return {};
  }

  Result<void> settle(const PendingJump& jump) {
    auto bad = [&](std::string message, std::string hint = {}) {
      return error_at(jump.line, jump.line_number, jump.column, std::move(message), std::move(hint));
    };
    auto found = labels_.find(jump.label);
    if (found == labels_.end()) {
      std::vector<std::string_view> names;
      for (const auto& [name, at] : labels_) names.push_back(name);
      std::string_view near = nearest(jump.label, names);
      return bad(fmt::format("`{}` has no label `{}`", function().name, jump.label),
                 near.empty() ? std::string() : fmt::format("did you mean `{}`?", near));
    }
    std::int64_t distance = std::int64_t{found->second} - jump.at - 1;
    Insn& insn = function().insns[jump.at];
    if (jump.wide) {
      insn.imm = static_cast<std::int32_t>(distance);
      return {};
    }
    if (distance < std::numeric_limits<std::int16_t>::min() || distance > std::numeric_limits<std::int16_t>::max()) {
      return bad(fmt::format("`{}` is {} slots away, and a jump reaches 32767", jump.label, distance),
                 "jump over a `gotol`, which reaches everywhere");
    }
    insn.off = static_cast<std::int16_t>(distance);
    return {};
  }

  // ---- directives ----

  using Handler = Result<void> (Assembler::*)();
  struct Directive {
    std::string_view name;
    Handler handler;
  };
  static constexpr auto kDirectives();

  Result<void> directive();

  Result<void> on_section() {
    if (peek().kind == TokenKind::string) {
      section_ = TRY(take_name("a section's name"));
      return close_function();
    }
    // `tp/syscalls/sys_enter_open` needs no quotes: it goes on to the next space.
    const Token first = take();
    if (first.kind == TokenKind::end) return error(first, "expected a section's name");
    std::size_t begin = first.column - 1, end = begin + first.text.size();
    while (peek().kind != TokenKind::end && peek().column - 1 == end) end += take().text.size();
    section_ = line_.substr(begin, end - begin);
    return close_function();
  }
  Result<void> on_text() {
    section_ = ".text";
    return close_function();
  }
  Result<void> on_func() {
    const Token token = peek();
    std::string name = TRY(take_name("a function's name"));
    return begin_function(token, std::move(name));
  }
  Result<void> on_globl() {
    globals_.insert(TRY(take_name("a function's name")));
    return {};
  }
  Result<void> on_local() {
    local_.insert(TRY(take_name("a function's name")));
    return {};
  }
  Result<void> on_license() {
    result_.license = TRY(take_name("a licence, as in `.license \"GPL\"`"));
    return {};
  }
  Result<void> on_version() {
    result_.version = static_cast<std::uint32_t>(TRY(take_number(std::numeric_limits<std::uint32_t>::max())));
    return {};
  }
  Result<void> on_slot() {
    TRY(need_function());
    do {
      function().insns.push_back(from_word(TRY(take_number(std::numeric_limits<std::uint64_t>::max()))));
    } while (peek().kind != TokenKind::end);
    return {};
  }

  Result<std::uint64_t> take_number(std::uint64_t limit) {
    const Token token = take();
    std::optional<std::uint64_t> value = token.kind == TokenKind::number ? parse_number<std::uint64_t>(token.text) : std::nullopt;
    if (!value) return error(token, "expected a number");
    if (*value > limit) return error(token, fmt::format("{} is out of range: at most {}", token.text, limit));
    return *value;
  }

  Result<void> on_map() {
    const Token token = peek();
    std::string name = TRY(take_name("a map's name"));
    if (!names_.insert(name).second) return error(token, fmt::format("`{}` is defined twice", name));
    TRY(close_function());
    result_.maps.push_back({.name = std::move(name), .line = line_number_});
    while (peek().kind != TokenKind::end) {
      const Token key = take();
      if (key.kind != TokenKind::word) return error(key, "expected an attribute, as in `type=hash`");
      if (peek().text != "=") return error(peek(), fmt::format("expected `=` and the value of `{}`", key.text));
      take();
      const Token value = take();
      if (value.kind != TokenKind::word && value.kind != TokenKind::number && value.kind != TokenKind::string) {
        return error(value, fmt::format("expected the value of `{}`", key.text));
      }
      result_.maps.back().attributes.push_back(
          {std::string(key.text), value.kind == TokenKind::string ? unquote(value.text) : std::string(value.text), line_number_, key.column});
    }
    return {};
  }

  Result<std::vector<std::byte>*> contents(const Token& token) {
    if (result_.maps.empty()) return error(token, "contents belong behind the `.map` that they fill");
    return &result_.maps.back().contents;
  }
  Result<void> on_bytes() {  // .bytes 0a ff 00…: two hexadecimal digits a byte, spaces as one likes
    const Token first = peek();
    std::vector<std::byte>& bytes = *TRY(contents(first));
    while (peek().kind != TokenKind::end) {
      const Token token = take();
      if (token.text.size() % 2 != 0) return error(token, "expected two hexadecimal digits a byte");
      for (std::size_t i = 0; i < token.text.size(); i += 2) {
        std::uint8_t value = 0;
        auto [end, code] = std::from_chars(token.text.data() + i, token.text.data() + i + 2, value, 16);
        if (code != std::errc{} || end != token.text.data() + i + 2) return error(token, "expected two hexadecimal digits a byte");
        bytes.push_back(std::byte{value});
      }
    }
    return {};
  }
  Result<void> on_ascii() {
    const Token token = take();
    std::vector<std::byte>& bytes = *TRY(contents(token));
    if (token.kind != TokenKind::string) return error(token, "expected a text in quotes");
    for (char c : unquote(token.text)) bytes.push_back(static_cast<std::byte>(c));
    return {};
  }
  Result<void> on_zero() {
    const Token token = peek();
    std::vector<std::byte>& bytes = *TRY(contents(token));
    std::uint64_t count = TRY(take_number(kMostContents));
    zeros_ += count;
    if (zeros_ > kMostContents) return error(token, fmt::format("more than {} bytes of zeros in one text", kMostContents));
    bytes.resize(bytes.size() + count);
    return {};
  }
  Result<void> on_extern() {
    const Token token = peek();
    AssembledExtern external{.name = TRY(take_name("a name")), .kind = TRY(take_name("what it is: kfunc, ksym, kconfig or undeclared")), .line = line_number_};
    if (!names_.insert(external.name).second) return error(token, fmt::format("`{}` is defined twice", external.name));
    if (peek().text == "weak") take(), external.weak = true;
    result_.externs.push_back(std::move(external));
    return {};
  }

  std::string_view text_;
  const AssembleOptions& options_;
  Assembled result_;
  std::string section_ = ".text";

  std::string_view line_;
  std::uint32_t line_number_ = 0;
  std::vector<Token> tokens_;
  std::span<const Token> rest_;   // into tokens_, what is not read yet

  bool open_ = false;             // instructions belong to the last function
  std::unordered_map<std::string, InsnIdx, StringHash, std::equal_to<>> labels_;  // of the open function
  std::vector<PendingJump> pending_;
  std::set<std::string, std::less<>> names_, globals_, local_;
  std::size_t zeros_ = 0;
};

constexpr auto Assembler::kDirectives() {
  return std::to_array<Directive>({
      {".section", &Assembler::on_section}, {".text", &Assembler::on_text},       {".func", &Assembler::on_func},
      {".globl", &Assembler::on_globl},     {".global", &Assembler::on_globl},    {".local", &Assembler::on_local},
      {".license", &Assembler::on_license}, {".version", &Assembler::on_version}, {".slot", &Assembler::on_slot},
      {".map", &Assembler::on_map},         {".bytes", &Assembler::on_bytes},     {".ascii", &Assembler::on_ascii},
      {".zero", &Assembler::on_zero},       {".extern", &Assembler::on_extern},
  });
}

Result<void> Assembler::directive() {
  static constexpr auto kTable = kDirectives();
  const Token token = take();
  auto row = std::ranges::find(kTable, token.text, &Directive::name);
  if (row == kTable.end()) {
    std::vector<std::string_view> names;
    for (const Directive& directive : kTable) names.push_back(directive.name);
    std::string_view near = nearest(token.text, names);
    return error(token, fmt::format("there is no directive `{}`", token.text),
                 near.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}`?", near));
  }
  TRY((this->*row->handler)());
  return end_of_line();
}

}  // namespace

Result<Assembled> assemble(std::string_view text, const AssembleOptions& options) { return Assembler(text, options).run(); }

Result<std::vector<Insn>> assemble_insns(std::string_view text, const AssembleOptions& options) {
  Assembled assembled = TRY(assemble(text, options));
  if (assembled.functions.empty()) return std::vector<Insn>{};
  if (assembled.functions.size() > 1) {
    return fail(ErrorKind::invalid_argument, "instructions of one function were expected, and there are {}", assembled.functions.size());
  }
  AssembledFunction& function = assembled.functions.front();
  if (!function.references.empty()) {
    const Reference& reference = function.references.front();
    return std::unexpected(Error{.kind = ErrorKind::not_found,
                                 .message = fmt::format("`{}` names nothing here", reference.name),
                                 .where = fmt::format("line {}", reference.line)});
  }
  return std::move(function.insns);
}

}  // namespace espy::isa
