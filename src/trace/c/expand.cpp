// Macros of the preprocessor.
//
// Tokens wait on a stack. A macro's name on top is replaced by the tokens of its expansion, below which a mark stays that
// tells when all of them are used up: until then the macro is active, and its name stays a name for good.
#include <fmt/format.h>

#include <algorithm>

#include "trace/c/preprocess.hpp"
#include "trace/syntax/lexer.hpp"

namespace espy::trace::c {

namespace {

constexpr std::size_t kMostMade = 500000;
constexpr unsigned kDeepest = 100;
constexpr std::size_t kLongestToken = 4096;

std::string spelling(std::span<const Token> tokens) {
  std::string text;
  for (const Token& token : tokens) {
    if (token.space_before && !text.empty()) text += ' ';
    text += token.text;
    if (text.size() > kLongestToken) break;
  }
  return text;
}

}  // namespace

std::string_view Preprocessor::keep(std::string text) { return kept_.emplace_back(std::move(text)); }

void Preprocessor::flush() {
  if (!run_.empty()) expand(std::exchange(run_, {}), tokens_, 0);
}

std::vector<Token> Preprocessor::expanded(const Macro& macro) {
  std::vector<Token> out;
  expand(macro.body, out, 0);
  return out;
}

void Preprocessor::expand(std::vector<Token> stack, std::vector<Token>& out, unsigned depth) {
  std::ranges::reverse(stack);
  while (!stack.empty()) {
    Token token = stack.back();
    stack.pop_back();
    if (token.kind == TokenKind::leave_macro) {
      macros_.find(token.text)->second.is_active = false;
      continue;
    }
    const auto found = token.kind == TokenKind::identifier && !token.is_painted ? macros_.find(token.text) : macros_.end();
    if (found == macros_.end()) {
      out.push_back(token);
      continue;
    }
    Macro& macro = found->second;
    std::vector<std::vector<Token>> arguments;
    if (macro.is_active || depth > kDeepest || made_ > kMostMade || (macro.is_function && !collect_arguments(stack, arguments))) {
      token.is_painted = macro.is_active;
      out.push_back(token);
      if (made_ > kMostMade && !std::exchange(gave_up_, true)) diagnostics_.error(token.at, "the macros of this C expand to too much");
      continue;
    }
    std::vector<Token> body = substitute(macro, std::move(arguments), token, depth);
    made_ += body.size() + 1;
    macro.is_active = true;
    stack.push_back({.kind = TokenKind::leave_macro, .text = found->first});
    stack.insert(stack.end(), body.rbegin(), body.rend());
  }
}

/// Takes `(…)` off the stack; false, with the stack as it was, where there is none.
bool Preprocessor::collect_arguments(std::vector<Token>& stack, std::vector<std::vector<Token>>& arguments) {
  std::size_t next = stack.size();
  while (next > 0 && stack[next - 1].kind == TokenKind::leave_macro) --next;
  if (next == 0 || !stack[next - 1].is("(")) return false;
  std::size_t close = next - 1;
  for (unsigned open = 0;;) {
    open += stack[close].is("(") ? 1U : 0U;
    open -= stack[close].is(")") ? 1U : 0U;
    if (open == 0) break;
    if (close-- == 0) return false;
  }
  arguments.emplace_back();
  unsigned open = 0;
  while (stack.size() > close) {
    const Token token = stack.back();
    stack.pop_back();
    if (token.kind == TokenKind::leave_macro) {
      macros_.find(token.text)->second.is_active = false;
      continue;
    }
    if (token.is("(") && open++ == 0) continue;
    if (token.is(")") && --open == 0) break;
    if (token.is(",") && open == 1) arguments.emplace_back();
    else arguments.back().push_back(token);
  }
  return true;
}

Token Preprocessor::paste(const Token& left, const Token& right) {
  if (left.text.size() + right.text.size() > kLongestToken) return left;
  const std::string_view text = keep(std::string(left.text) + std::string(right.text));
  std::uint32_t offset = 0;
  Token token = next_token(text, offset, left.at.source);
  token.at = left.at;
  token.space_before = left.space_before;
  token.is_system = left.is_system;
  if (offset != text.size()) token.text = text;
  return token;
}

std::vector<Token> Preprocessor::substitute(const Macro& macro, std::vector<std::vector<Token>> arguments, const Token& use, unsigned depth) {
  // What is beyond the last parameter is `__VA_ARGS__`, commas and all.
  const std::size_t fixed = macro.parameters.size();
  std::vector<Token> rest;
  for (std::size_t number = fixed; number < arguments.size(); ++number) {
    if (number > fixed) rest.push_back({.kind = TokenKind::punctuation, .text = ","});
    rest.insert(rest.end(), arguments[number].begin(), arguments[number].end());
  }
  arguments.resize(fixed);
  arguments.push_back(std::move(rest));
  const auto argument_of = [&](const Token& token) -> const std::vector<Token>* {
    if (token.kind != TokenKind::identifier || !macro.is_function) return nullptr;
    const auto parameter = std::ranges::find(macro.parameters, token.text);
    if (parameter != macro.parameters.end()) return &arguments[static_cast<std::size_t>(parameter - macro.parameters.begin())];
    return macro.is_variadic && token.is("__VA_ARGS__") ? &arguments.back() : nullptr;
  };
  std::vector<Token> out;
  bool is_pasting = false;  // what comes next joins what is last
  for (std::size_t at = 0; at < macro.body.size() && made_ + out.size() <= kMostMade; ++at) {
    const Token& token = macro.body[at];
    const bool is_pasted_next = at + 1 < macro.body.size() && macro.body[at + 1].is("##");
    if (token.is("##") && at > 0) {
      is_pasting = true;
      continue;
    }
    std::vector<Token> pieces = {token};
    if (token.is("#") && macro.is_function && at + 1 < macro.body.size() && argument_of(macro.body[at + 1])) {
      pieces[0].kind = TokenKind::string;
      pieces[0].text = keep(escape(spelling(*argument_of(macro.body[++at]))));
    } else if (const std::vector<Token>* argument = argument_of(token)) {
      pieces.clear();
      if (is_pasting || is_pasted_next) pieces = *argument;
      else expand(*argument, pieces, depth + 1);
      if (!pieces.empty()) pieces.front().space_before = token.space_before;
    }
    // `, ## __VA_ARGS__` loses its comma where there are none.
    const bool is_list = is_pasting && !out.empty() && out.back().is(",") && token.is("__VA_ARGS__");
    if (is_list && pieces.empty()) out.pop_back();
    if (is_pasting && !is_list && !out.empty() && !pieces.empty()) {
      pieces.front() = paste(out.back(), pieces.front());
      out.pop_back();
    }
    is_pasting = false;
    out.insert(out.end(), pieces.begin(), pieces.end());
  }
  for (Token& token : out) token.at = use.at, token.is_system = use.is_system;
  if (!out.empty()) out.front().space_before = use.space_before;
  return out;
}

}  // namespace espy::trace::c
