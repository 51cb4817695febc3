#include "verifier/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace espy::verifier {
namespace {

constexpr std::string_view kRed = "\033[1;31m", kBlue = "\033[1;34m", kGreen = "\033[1;32m", kBold = "\033[1m", kPlain = "\033[0m";

template <typename... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

class Drawing {
 public:
  Drawing(const Diagnostic& diagnostic, const DrawOptions& options) : diagnostic_(diagnostic), options_(options) {
    std::uint32_t widest = diagnostic.place.line;
    for (const Note& note : diagnostic.path) widest = std::max(widest, note.place.line);
    margin_ = std::max<std::size_t>(fmt::formatted_size("{}", widest), 2);
  }

  std::string run() {
    append(out_, "{}error:{} {}{}{}\n", colour(kRed), plain(), colour(kBold), diagnostic_.message, plain());
    arrow(diagnostic_.place);
    if (has_source(diagnostic_.place)) {
      bar();
      source(diagnostic_.place, diagnostic_.values, '^');
    } else if (!diagnostic_.values.empty()) {
      append(out_, "{:>{}} {}\n", "", margin_, diagnostic_.values);
    }
    notes();
    if (!diagnostic_.hint.empty()) {
      append(out_, "{}help:{} ", colour(kGreen), plain());
      indented(diagnostic_.hint, 6);
    }
    if (options_.kernel_words && !diagnostic_.kernel_says.empty()) {
      append(out_, "{}the kernel would say:{} ", colour(kBlue), plain());
      indented(diagnostic_.kernel_says, 22);
    }
    return std::move(out_);
  }

 private:
  std::string_view colour(std::string_view code) const { return options_.colour ? code : std::string_view(); }
  std::string_view plain() const { return colour(kPlain); }
  static bool has_source(const Place& place) { return place.line != 0 && !place.source.empty(); }

  void arrow(const Place& place) {
    append(out_, "{:>{}}{}-->{} {}", "", margin_, colour(kBlue), plain(), where(place));
    if (!place.function.empty()) append(out_, ", in {}", place.function);
    if (place.line != 0) append(out_, ", instruction {}", place.insn);
    out_ += '\n';
  }
  void bar() { append(out_, "{:>{}} {}|{}\n", "", margin_, colour(kBlue), plain()); }

  // Tabs would move what stands below them: each is drawn as one blank.
  static std::string untabbed(std::string_view text) {
    std::string drawn(text);
    std::ranges::replace_if(drawn, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
    return drawn;
  }

  void source(const Place& place, std::string_view label, char mark) {
    const std::string text = untabbed(place.source);
    append(out_, "{}{:>{}} |{} {}\n", colour(kBlue), place.line, margin_, plain(), text);
    // Lines of BTF begin where the file's do; a column behind the end is not one of this line.
    const std::size_t column = place.column >= 1 && place.column <= text.size() ? place.column : first_word(text);
    const Underline underline = expression_at(text, column);
    append(out_, "{:>{}} {}|{} {:>{}}{}{}{}\n", "", margin_, colour(kBlue), plain(), "", underline.begin,
           colour(mark == '^' ? kRed : kBlue), std::string(underline.length, mark) + (label.empty() ? "" : " ") + std::string(label), plain());
  }
  static std::size_t first_word(std::string_view text) {
    const auto at = text.find_first_not_of(' ');
    return at == text.npos ? 1 : at + 1;
  }

  // The whole path where it is short; else its beginning and its end, which say where the value came from and what is last.
  void notes() {
    const auto& path = diagnostic_.path;
    const std::size_t most = std::max<std::size_t>(options_.max_notes, 2);
    const std::size_t head = path.size() <= most ? path.size() : most / 2;
    for (std::size_t i = 0; i < head; ++i) note(path[i]);
    if (head == path.size()) return;
    const std::size_t tail = path.size() - (most - head);
    append(out_, "{:>{}} … {} steps more …\n", "", margin_, tail - head);
    for (std::size_t i = tail; i < path.size(); ++i) note(path[i]);
  }

  void note(const Note& note) {
    append(out_, "{}note:{} {}", colour(kBlue), plain(), note.text);
    if (!has_source(note.place)) {
      append(out_, " ({})\n", where(note.place));
      return;
    }
    const bool elsewhere = note.place.file != diagnostic_.place.file || note.place.function != diagnostic_.place.function;
    out_ += '\n';
    if (elsewhere) arrow(note.place);
    source(note.place, {}, '-');
  }

  void indented(std::string_view text, std::size_t by) {
    for (char c : text) {
      out_ += c;
      if (c == '\n') out_.append(by, ' ');
    }
    out_ += '\n';
  }

  const Diagnostic& diagnostic_;
  const DrawOptions& options_;
  std::size_t margin_ = 2;
  std::string out_;
};

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool opens(char c) { return c == '(' || c == '['; }
bool closes(char c) { return c == ')' || c == ']'; }
bool ends_expression(char c) { return c == ';' || c == ',' || c == '{' || c == '}'; }

constexpr std::string_view kStatements[] = {"if", "for", "while", "do", "return", "switch", "case", "else", "goto", "int", "long", "struct", "static"};

std::size_t word_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_word(text[at])) ++at;
  return at;
}

/// The end of the expression from `at` on: of the statement, the argument, or the bracket that it stands in.
std::size_t bracket_end(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (opens(text[at])) ++depth;
    if (closes(text[at]) && --depth < 0) break;
    if (depth == 0 && ends_expression(text[at])) break;
  }
  return at;
}

/// Behind the bracket that closes the one at `at`; `at` itself if none does.
std::size_t bracket_end_of(std::string_view text, std::size_t at) {
  int depth = 0;
  for (std::size_t end = at; end < text.size(); ++end) {
    if (opens(text[end])) ++depth;
    if (closes(text[end]) && --depth == 0) return end + 1;
  }
  return at;
}

/// Its beginning, seen from an operator inside it.
std::size_t bracket_begin(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at > 0; --at) {
    const char before = text[at - 1];
    if (closes(before)) ++depth;
    if (opens(before) && --depth < 0) break;
    if (depth == 0 && ends_expression(before)) break;
  }
  return at;
}

/// `a->b.c[i]` from any of its names on: names behind, indices and arguments with their brackets.
std::size_t chain_end(std::string_view text, std::size_t at) {
  at = word_end(text, at);
  while (at < text.size()) {
    if (opens(text[at])) {
      const std::size_t inside = bracket_end_of(text, at);
      if (inside == at) break;
      at = inside;
    } else if (text.substr(at).starts_with("->") || text[at] == '.') {
      at = word_end(text, at + (text[at] == '.' ? 1 : 2));
    } else {
      break;
    }
  }
  return at;
}

/// … and names before.
std::size_t chain_begin(std::string_view text, std::size_t at) {
  while (at > 0 && is_word(text[at - 1])) --at;
  while (true) {
    std::size_t before = at;
    if (before >= 2 && text.substr(before - 2, 2) == "->") before -= 2;
    else if (before >= 1 && text[before - 1] == '.') before -= 1;
    else return at;
    int depth = 0;
    while (before > 0 && (depth > 0 || is_word(text[before - 1]) || closes(text[before - 1]))) {
      depth += closes(text[before - 1]) ? 1 : opens(text[before - 1]) ? -1 : 0;
      --before;
    }
    if (depth != 0) return at;
    at = before;
  }
}

bool is_binary_operator(std::string_view text, std::size_t at) {
  constexpr std::string_view kOperators = "=+-*/%&|^<>!?";
  if (!kOperators.contains(text[at]) || at == 0) return false;
  const auto before = text.find_last_not_of(' ', at - 1);
  return before != text.npos && (is_word(text[before]) || closes(text[before]));
}

}  // namespace

std::string draw(const Diagnostic& diagnostic, const DrawOptions& options) { return Drawing(diagnostic, options).run(); }

Underline expression_at(std::string_view source, std::size_t column) {
  if (column == 0 || column > source.size()) return {};
  const std::size_t at = column - 1;
  std::size_t begin = at, end = at;
  if (is_word(source[at])) {
    const std::string_view word = source.substr(at, word_end(source, at) - at);
    const bool is_statement = std::ranges::find(kStatements, word) != std::end(kStatements);
    begin = is_statement ? at : chain_begin(source, at);
    end = is_statement ? bracket_end(source, at) : chain_end(source, at);
  } else {
    if (is_binary_operator(source, at)) begin = bracket_begin(source, at);
    end = bracket_end(source, at);
  }
  while (begin < at && source[begin] == ' ') ++begin;
  while (end > begin + 1 && source[end - 1] == ' ') --end;
  return {begin, std::max<std::size_t>(end - begin, 1)};
}

std::string where(const Place& place) {
  if (place.line == 0) return fmt::format("instruction {}", place.insn);
  if (place.column == 0) return fmt::format("{}:{}", place.file, place.line);
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

}  // namespace espy::verifier
