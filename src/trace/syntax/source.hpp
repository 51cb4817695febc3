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

struct Position {
  std::uint32_t line = 1, column = 1;  ///< both from 1; columns count bytes
};

/// One text: the script, an imported file, a C header.
struct Source {
  std::string name;  ///< path, or "stdin", or "-e"
  std::string text;
};

/// All texts of a compilation. Spans refer to them by number; texts never move.
class Sources {
 public:
  std::uint32_t add(std::string name, std::string text);
  const Source& source(std::uint32_t number) const { return sources_[number]; }
  std::size_t size() const { return sources_.size(); }
  Position position(Span span) const;
  std::string_view text(Span span) const;
  /// The whole line that the span begins on, without its newline.
  std::string_view line(Span span) const;

 private:
  std::deque<Source> sources_;
};

enum class Severity : std::uint8_t { error, warning };

struct Note {
  Span at;
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
///   script.bt:3:17-21: ERROR: no field `pidd` in `struct task_struct`
///   kprobe:f { print(curtask.pidd) }
///                            ~~~~
///   HINT: did you mean `pid`?
std::string render(const Diagnostic& diagnostic, const Sources& sources, bool colour);

}  // namespace espy::trace
