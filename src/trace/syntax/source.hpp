// Scripts as text: where a token stands, and what is wrong there. Diagnostics are values, collected by every stage and
// rendered once.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace espy::trace {

/// A stretch of a source: bytes [begin, end) of the source with this number.
struct Span {
  std::uint32_t begin = 0, end = 0;
  std::uint32_t source = 0;
  friend bool operator==(const Span&, const Span&) = default;
};

/// From the beginning of one to the end of another, which are in the same source and in this order.
inline Span join(Span from, Span to) { return {from.begin, to.end > from.begin ? to.end : from.end, from.source}; }

struct Position {
  std::uint32_t line = 1, column = 1;  ///< both from 1; columns count bytes
};

/// One text: the script, an imported file, a C header.
struct Source {
  std::string name;  ///< path, or "stdin": what came by it or on the command line
  std::string text;
};

/// A use of a macro: the text between is the macro's, the place is the use's.
struct Expansion {
  Span at = {};       ///< the call that was replaced; may itself lie in an expansion
  std::string macro;  ///< its name
};

/// All texts of a compilation. Spans refer to them by number; texts never move. A number may also stand for an expansion: the
/// text of the source that the macro is written in, seen from one use of it, so that every span in an expanded tree leads
/// back to both places.
class Sources {
 public:
  std::uint32_t add(std::string name, std::string text);
  std::uint32_t add_expansion(std::uint32_t source, Expansion expansion);
  const Source& source(std::uint32_t number) const { return sources_[entries_[number].source]; }
  /// What an expansion's number stands for; null for a source as it is.
  const Expansion* expansion(std::uint32_t number) const;
  std::size_t size() const { return entries_.size(); }
  Position position(Span span) const;
  std::string_view text(Span span) const;
  /// The whole line that the span begins on, without its newline.
  std::string_view line(Span span) const;

 private:
  struct Entry {
    std::uint32_t source = 0;     // index into sources_
    std::uint32_t expansion = 0;  // 1 + index into expansions_
  };
  std::deque<Source> sources_;
  std::deque<std::vector<std::uint32_t>> line_starts_;  // of each source
  std::deque<Expansion> expansions_;
  std::deque<Entry> entries_;
};

enum class Severity : std::uint8_t { error, warning };

struct Note {
  Span at;               ///< Span{}: a line of another program's message
  std::string message;
};

struct Diagnostic {
  Severity severity = Severity::error;
  Span at = {};
  std::string message;            ///< "no field `pidd` in `struct task_struct`"
  std::string hint = {};          ///< "did you mean `pid`?"
  std::vector<Note> notes = {};   ///< other places that matter: "`$x` is declared here"
};

/// What a stage found. A stage goes on after an error as far as it can, so that all errors of a script show at once.
class Diagnostics {
 public:
  Diagnostic& error(Span at, std::string message, std::string hint = {});
  Diagnostic& warning(Span at, std::string message, std::string hint = {});
  bool has_errors() const { return errors_ != 0; }
  const std::deque<Diagnostic>& all() const { return diagnostics_; }

 private:
  std::deque<Diagnostic> diagnostics_;
  std::size_t errors_ = 0;
};

/// As a person reads it:
///   script.bt:3:26-30: ERROR: no field `pidd` in `struct task_struct`
///   kprobe:f { print(curtask.pidd) }
///                            ~~~~
///   HINT: did you mean `pid`?
/// Columns count bytes from 1, the second is past the end; a span of several lines shows its first. The marks stand under
/// their characters whatever tabs, UTF-8 and wide characters stand before. Notes, and the uses of the macros that the place
/// lies in, follow in the same form. Ends with a newline.
std::string render(const Diagnostic& diagnostic, const Sources& sources, bool colour);

}  // namespace espy::trace
