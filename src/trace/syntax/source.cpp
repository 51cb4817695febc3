#include "trace/syntax/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace espy::trace {

std::uint32_t Sources::add(std::string name, std::string text) {
  std::vector<std::uint32_t> starts = {0};
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    starts.push_back(static_cast<std::uint32_t>(at + 1));
  }
  entries_.push_back({.source = static_cast<std::uint32_t>(sources_.size())});
  sources_.push_back({std::move(name), std::move(text)});
  line_starts_.push_back(std::move(starts));
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

std::uint32_t Sources::add_expansion(std::uint32_t source, Expansion expansion) {
  expansions_.push_back(std::move(expansion));
  entries_.push_back({.source = entries_[source].source, .expansion = static_cast<std::uint32_t>(expansions_.size())});
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

const Expansion* Sources::expansion(std::uint32_t number) const {
  if (number >= entries_.size() || entries_[number].expansion == 0) return nullptr;
  return &expansions_[entries_[number].expansion - 1];
}

Position Sources::position(Span span) const {
  if (span.source >= entries_.size()) return {};
  const auto& starts = line_starts_[entries_[span.source].source];
  auto after = std::ranges::upper_bound(starts, span.begin);
  return {.line = static_cast<std::uint32_t>(after - starts.begin()), .column = span.begin - *(after - 1) + 1};
}

std::string_view Sources::text(Span span) const {
  if (span.source >= entries_.size()) return {};
  const std::string& text = source(span.source).text;
  if (span.begin > text.size() || span.end < span.begin) return {};
  return std::string_view(text).substr(span.begin, span.end - span.begin);
}

std::string_view Sources::line(Span span) const {
  if (span.source >= entries_.size()) return {};
  const std::uint32_t start = span.begin - position(span).column + 1;
  std::string_view rest = std::string_view(source(span.source).text).substr(start);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

Diagnostic& Diagnostics::error(Span at, std::string message, std::string hint) {
  ++errors_;
  return diagnostics_.emplace_back(Severity::error, at, std::move(message), std::move(hint));
}

Diagnostic& Diagnostics::warning(Span at, std::string message, std::string hint) {
  return diagnostics_.emplace_back(Severity::warning, at, std::move(message), std::move(hint));
}

namespace {

constexpr std::string_view kRed = "\033[1;31m", kYellow = "\033[1;33m", kCyan = "\033[1;36m", kPlain = "\033[0m";

struct Range {
  char32_t first, last;
};
// What terminals show two columns wide, and what they show on top of the character before (Unicode's EastAsianWidth W and F,
// and the combining blocks), as whole blocks.
constexpr std::array kWide = std::to_array<Range>({{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}});
constexpr std::array kCombining = std::to_array<Range>({{0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}});

bool in(std::span<const Range> ranges, char32_t character) {
  return std::ranges::any_of(ranges, [&](Range range) { return character >= range.first && character <= range.last; });
}

/// Takes one character off the front; a byte that begins none is a character of its own.
char32_t take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf8 ? 4 : 1;
  char32_t character = length == 1 ? lead : lead & (0x7fU >> length);
  std::size_t taken = 1;
  while (taken < length && taken < text.size() && (static_cast<unsigned char>(text[taken]) & 0xc0U) == 0x80) {
    character = character << 6U | (static_cast<unsigned char>(text[taken++]) & 0x3fU);
  }
  text.remove_prefix(taken);
  return character;
}

/// The line below: white space as wide as `before`, marks as wide as `marked` but at least one.
std::string marks(std::string_view before, std::string_view marked) {
  std::string line;
  const auto append = [&](std::string_view text, char mark) {
    while (!text.empty()) {
      const char32_t character = take_character(text);
      if (character == U'\t') line += mark == ' ' ? '\t' : mark;
      else line.append(in(kWide, character) ? 2 : in(kCombining, character) ? 0 : 1, mark);
    }
  };
  append(before, ' ');
  const std::size_t indent = line.size();
  append(marked, '~');
  if (line.size() == indent) line += '~';
  return line;
}

/// "script.bt:3:26-30"
std::string place(Span at, const Sources& sources) {
  if (at.source >= sources.size()) return "script";
  const Position from = sources.position(at);
  const Position to = sources.position({at.end, at.end, at.source});
  std::string text = fmt::format("{}:{}:{}", sources.source(at.source).name, from.line, from.column);
  if (to.line == from.line && to.column > from.column) text += fmt::format("-{}", to.column);
  return text;
}

/// Control characters of a hostile script do not reach the terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& byte : out) {
    if ((static_cast<unsigned char>(byte) < 0x20 && byte != '\t') || byte == 0x7f) byte = '?';
  }
  return out;
}

void append_place(std::string& out, Span at, const Sources& sources, std::string_view tag, std::string_view tag_colour,
                  std::string_view message) {
  const std::string_view start = tag_colour, stop = tag_colour.empty() ? std::string_view{} : kPlain;
  out += fmt::format("{}: {}{}:{} {}\n", place(at, sources), start, tag, stop, message);
  const std::string_view line = sources.line(at);
  if (line.empty()) return;
  const std::size_t from = std::min<std::size_t>(sources.position(at).column - 1, line.size());
  const std::size_t length = std::min<std::size_t>(at.end - at.begin, line.size() - from);
  out += fmt::format("{}\n", printable(line));
  out += fmt::format("{}{}{}\n", start, marks(printable(line.substr(0, from)), printable(line.substr(from, length))), stop);
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const Sources& sources, bool colour) {
  const auto shade = [&](std::string_view code) { return colour ? code : std::string_view{}; };
  const bool is_error = diagnostic.severity == Severity::error;
  std::string out;
  append_place(out, diagnostic.at, sources, is_error ? "ERROR" : "WARNING", shade(is_error ? kRed : kYellow), diagnostic.message);
  if (!diagnostic.hint.empty()) {
    out += fmt::format("{}HINT:{} {}\n", shade(kCyan), shade(kPlain), diagnostic.hint);
  }
  for (const Note& note : diagnostic.notes) {
    if (note.at == Span{}) out += fmt::format("  {}\n", printable(note.message));
    else append_place(out, note.at, sources, "NOTE", shade(kCyan), note.message);
  }
  for (const Expansion* use = sources.expansion(diagnostic.at.source); use; use = sources.expansion(use->at.source)) {
    append_place(out, use->at, sources, "NOTE", shade(kCyan), fmt::format("in the expansion of macro `{}`", use->macro));
  }
  return out;
}

}  // namespace espy::trace
