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
    append(out_, "{:>{}} {}|{} {:>{}}{}{}{}\n", "", margin_, colour(kBlue), plain(), "", column - 1,
           colour(mark == '^' ? kRed : kBlue), std::string(expression_length(text, column), mark) + (label.empty() ? "" : " ") + std::string(label), plain());
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

}  // namespace

std::string draw(const Diagnostic& diagnostic, const DrawOptions& options) { return Drawing(diagnostic, options).run(); }

std::size_t expression_length(std::string_view source, std::size_t column) {
  if (column == 0 || column > source.size()) return 1;
  const std::string_view text = source.substr(column - 1);
  int depth = 0;
  std::size_t length = 0;
  for (; length < text.size(); ++length) {
    const char c = text[length];
    if (c == '(' || c == '[') ++depth;
    if ((c == ')' || c == ']') && --depth < 0) break;
    if (depth == 0 && (c == ';' || c == ',' || c == '{' || c == '}')) break;
  }
  while (length > 1 && text[length - 1] == ' ') --length;
  return std::max<std::size_t>(length, 1);
}

std::string where(const Place& place) {
  if (place.line == 0) return fmt::format("instruction {}", place.insn);
  if (place.column == 0) return fmt::format("{}:{}", place.file, place.line);
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

}  // namespace espy::verifier
