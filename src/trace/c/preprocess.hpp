// The C preprocessor; private to the folder.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "trace/c/token.hpp"
#include "trace/c/types.hpp"

namespace espy::trace::c {

struct Macro {
  std::vector<Token> body;
  std::vector<std::string_view> parameters;
  bool is_function = false, is_variadic = false;
  bool is_active = false;       // being expanded
  bool is_ours = false;         // predefined, rather than from a text
};

class Preprocessor {
 public:
  Preprocessor(Sources& sources, const Options& options, Diagnostics& diagnostics);

  /// Reads a text that is part of a source; what it gives is appended to tokens().
  void text(std::string_view text, Span at, bool is_system);
  /// Reads a file, as `#include "…"` does.
  void file(const std::string& path, Span at);

  const std::vector<Token>& tokens() const { return tokens_; }
  const std::map<std::string_view, Macro>& macros() const { return macros_; }
  /// What a macro's body means.
  std::vector<Token> expanded(const Macro& macro);

 private:
  struct Condition {
    bool was_true = false, is_true = false, is_outside_true = false;
    Span at = {};
  };
  void directive(std::vector<Token> line, bool is_system);
  bool conditional(std::string_view name, std::span<const Token> rest, const Token& at);
  bool is_live() const { return conditions_.empty() || conditions_.back().is_true; }
  void define(std::span<const Token> rest);
  void include(std::vector<Token> rest, const Token& at);
  void pragma(std::span<const Token> rest);
  bool evaluate_condition(std::span<const Token> rest);
  std::optional<std::string> find(std::string_view name, bool is_quoted, std::uint32_t from) const;
  void wrong(const Token& at, std::string message, std::string hint = {});

  void flush();
  void expand(std::vector<Token> input, std::vector<Token>& out, unsigned depth);
  bool collect_arguments(std::vector<Token>& stack, std::vector<std::vector<Token>>& arguments);
  std::vector<Token> substitute(const Macro& macro, std::vector<std::vector<Token>> arguments, const Token& use, unsigned depth);
  Token paste(const Token& left, const Token& right);
  std::string_view keep(std::string text);

  Sources& sources_;
  const Options& options_;
  Diagnostics& diagnostics_;
  std::map<std::string_view, Macro> macros_;
  std::vector<Token> run_;       // tokens since the last directive
  std::vector<Token> tokens_;
  std::vector<Condition> conditions_;
  std::vector<std::string> once_;
  std::deque<std::string> kept_;
  std::vector<std::uint32_t> packs_;
  std::uint32_t pack_ = 0;
  unsigned includes_ = 0, include_depth_ = 0;
  std::size_t made_ = 0;         // tokens that macros have made
  bool gave_up_ = false;
};

}  // namespace espy::trace::c
