#include "trace/c/preprocess.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "trace/c/constant.hpp"

namespace espy::trace::c {

namespace {

constexpr unsigned kMostIncludes = 2000, kDeepestInclude = 64;
constexpr std::size_t kBiggestFile = std::size_t{16} << 20, kMostTokens = 4000000;

struct Predefined {
  std::string_view name, body;
};
/// What headers ask of a compiler for 64-bit little-endian Linux. Not __GNUC__: without it headers do with less.
constexpr std::array kPredefined = std::to_array<Predefined>({
    {"__linux__", "1"}, {"__linux", "1"}, {"__unix__", "1"}, {"__STDC__", "1"}, {"__STDC_VERSION__", "201710L"}, {"__STDC_HOSTED__", "1"},
    {"__LP64__", "1"}, {"_LP64", "1"}, {"__CHAR_BIT__", "8"}, {"__SIZEOF_LONG__", "8"}, {"__SIZEOF_POINTER__", "8"},
    {"__BYTE_ORDER__", "1234"}, {"__ORDER_LITTLE_ENDIAN__", "1234"}, {"__ORDER_BIG_ENDIAN__", "4321"}, {"__INT_MAX__", "2147483647"},
    {"__LONG_MAX__", "9223372036854775807L"}, {"__SIZE_TYPE__", "unsigned long"}, {"__PTRDIFF_TYPE__", "long"}, {"__WCHAR_TYPE__", "int"},
    {"__bpf__", "1"}, {"__BPF__", "1"}, {"__BPF_TRACING__", "1"},
#if defined(__aarch64__)
    {"__aarch64__", "1"}, {"__TARGET_ARCH_arm64", "1"},
#else
    {"__x86_64__", "1"}, {"__x86_64", "1"}, {"__TARGET_ARCH_x86", "1"},
#endif
});

struct Builtin {
  std::string_view name, text;
};
/// The headers that come with a compiler rather than the system.
constexpr std::array kCompilerHeaders = std::to_array<Builtin>({
    {"stddef.h", "#pragma once\ntypedef unsigned long size_t; typedef long ptrdiff_t; typedef int wchar_t;\n#define NULL ((void *)0)\n"},
    {"stdbool.h", "#pragma once\n#define bool _Bool\n#define true 1\n#define false 0\n"},
    {"stdarg.h", "#pragma once\ntypedef void *va_list; typedef void *__gnuc_va_list;\n"},
    {"limits.h", "#pragma once\n#define CHAR_BIT 8\n#define INT_MAX 2147483647\n#define UINT_MAX 4294967295U\n#define PATH_MAX 4096\n"},
});

bool is_name(const Token& token) { return token.kind == TokenKind::identifier; }


}  // namespace

Preprocessor::Preprocessor(Sources& sources, const Options& options, Diagnostics& diagnostics)
    : sources_(sources), options_(options), diagnostics_(diagnostics) {
  const auto predefine = [&](std::string_view name, std::string_view body) {
    macros_[name] = Macro{.body = tokens_of(body, 0), .parameters = {}, .is_ours = true};
  };
  for (const Predefined& row : kPredefined) predefine(row.name, row.body);
  if (options.kernel) predefine("BPFTRACE_HAVE_BTF", "1");
}

void Preprocessor::wrong(const Token& at, std::string message, std::string hint) {
  if (!at.is_system) diagnostics_.error(at.at, std::move(message), std::move(hint));
}

void Preprocessor::text(std::string_view text, Span at, bool is_system) {
  const std::size_t outer = conditions_.size();
  std::vector<Token> line;
  bool is_directive = false, is_line_begin = true;
  const std::string_view whole = text.substr(0, at.end);
  for (std::uint32_t offset = at.begin; tokens_.size() + run_.size() < kMostTokens;) {
    Token token = next_token(whole, offset, at.source);
    token.is_system = is_system;
    const bool ends_line = token.kind == TokenKind::newline || token.kind == TokenKind::end;
    if (ends_line && is_directive) directive(std::exchange(line, {}), is_system);
    if (token.kind == TokenKind::end) break;
    if (ends_line) {
      is_directive = false, is_line_begin = true;
    } else if (is_line_begin && token.is("#")) {
      is_directive = true, is_line_begin = false;
    } else {
      is_line_begin = false;
      if (is_directive) line.push_back(token);
      else if (is_live()) run_.push_back(token);
    }
  }
  flush();
  while (conditions_.size() > outer) {
    wrong({.at = conditions_.back().at, .is_system = is_system}, "this #if has no #endif");
    conditions_.pop_back();
  }
}

void Preprocessor::directive(std::vector<Token> line, bool is_system) {
  if (line.empty() || !is_name(line[0])) return;
  const Token name = line[0];
  const std::span<const Token> rest = std::span<const Token>(line).subspan(1);
  if (conditional(name.text, rest, name) || !is_live()) return;
  flush();
  if (name.is("define")) return define(rest);
  if (name.is("undef")) return void(rest.empty() ? 0 : macros_.erase(rest[0].text));
  if (name.is("include") || name.is("include_next")) return include({rest.begin(), rest.end()}, name);
  if (name.is("pragma")) return pragma(rest);
  if (name.is("error")) return wrong(name, "#error", rest.empty() ? "" : std::string(sources_.text(join(rest.front().at, rest.back().at))));
  const bool is_known = name.is("warning") || name.is("line") || name.is("ident");
  if (!is_known && !is_system) wrong(name, fmt::format("there is no directive #{}", name.text));
}

bool Preprocessor::conditional(std::string_view name, std::span<const Token> rest, const Token& at) {
  const bool is_if = name == "if", is_ifdef = name == "ifdef", is_ifndef = name == "ifndef";
  if (is_if || is_ifdef || is_ifndef) {
    Condition next{.is_outside_true = is_live(), .at = at.at};
    if (next.is_outside_true) {
      if (is_if) next.is_true = evaluate_condition(rest);
      else next.is_true = !rest.empty() && macros_.contains(rest[0].text) == is_ifdef;
    }
    next.was_true = next.is_true;
    conditions_.push_back(next);
    return true;
  }
  const bool is_elif = name == "elif", is_else = name == "else", is_endif = name == "endif";
  if (!is_elif && !is_else && !is_endif) return false;
  if (conditions_.empty()) {
    wrong(at, fmt::format("#{} without #if", name));
    return true;
  }
  flush();
  if (is_endif) {
    conditions_.pop_back();
    return true;
  }
  Condition& condition = conditions_.back();
  const bool may = condition.is_outside_true && !condition.was_true;
  condition.is_true = may && (is_else || evaluate_condition(rest));
  condition.was_true |= condition.is_true;
  return true;
}

bool Preprocessor::evaluate_condition(std::span<const Token> rest) {
  // `defined X` and the questions to the compiler are answered before macros are expanded.
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < rest.size(); ++at) {
    const Token& token = rest[at];
    const bool is_question = token.text.starts_with("__has_") || token.is("__is_defined");
    if (!token.is("defined") && !is_question) {
      tokens.push_back(token);
      continue;
    }
    bool answer = false;
    if (at + 1 < rest.size() && rest[at + 1].is("(")) {
      if (token.is("defined") && at + 2 < rest.size()) answer = macros_.contains(rest[at + 2].text);
      for (unsigned open = 0; ++at < rest.size();) {
        open += rest[at].is("(") ? 1U : 0U;
        open -= rest[at].is(")") ? 1U : 0U;
        if (open == 0) break;
      }
    } else if (at + 1 < rest.size()) {
      answer = macros_.contains(rest[++at].text);
    }
    tokens.push_back({.kind = TokenKind::number, .text = answer ? "1" : "0", .at = token.at});
  }
  std::vector<Token> out;
  expand(std::move(tokens), out, 0);
  const Meaning meaning{.name = [](std::string_view) { return std::optional(Value{}); }};
  const std::optional<Value> value = evaluate_all(out, meaning);
  if (!value && !rest.empty()) wrong(rest[0], "this is no constant expression");
  return value && value->bits != 0;
}

void Preprocessor::define(std::span<const Token> rest) {
  if (rest.empty() || !is_name(rest[0])) return;
  Macro macro;
  std::size_t at = 1;
  if (at < rest.size() && rest[at].is("(") && !rest[at].space_before) {
    macro.is_function = true;
    for (++at; at < rest.size() && !rest[at].is(")"); ++at) {
      if (rest[at].is("...")) macro.is_variadic = true;
      else if (is_name(rest[at])) macro.parameters.push_back(rest[at].text);
    }
    ++at;
  }
  if (at < rest.size()) macro.body.assign(rest.begin() + static_cast<std::ptrdiff_t>(at), rest.end());
  macros_[rest[0].text] = std::move(macro);
}

void Preprocessor::pragma(std::span<const Token> rest) {
  if (rest.empty()) return;
  if (rest[0].is("once")) return once_.push_back(sources_.source(rest[0].at.source).name);
  if (!rest[0].is("pack")) return;
  std::optional<std::uint32_t> value;
  for (const Token& token : rest) {
    if (token.is("push")) packs_.push_back(pack_);
    if (token.is("pop") && !packs_.empty()) value = packs_.back(), packs_.pop_back();
    if (token.kind == TokenKind::number) value = parse_number<std::uint32_t>(token.text);
  }
  const bool is_reset = rest.size() == 3;  // pack ( )
  if (is_reset) value = 0;
  if (!value) return;
  pack_ = *value;
  tokens_.push_back({.kind = TokenKind::pack, .at = rest[0].at, .value = pack_});
}

// ---- files ----

std::optional<std::string> Preprocessor::find(std::string_view name, bool is_quoted, std::uint32_t from) const {
  namespace fs = std::filesystem;
  std::vector<fs::path> places;
  if (is_quoted) places.push_back(fs::path(sources_.source(from).name).parent_path());
  for (const std::string& directory : options_.include_directories) places.emplace_back(directory);
  for (const std::string& directory : options_.system_directories) places.emplace_back(directory);
  if (fs::path(name).is_absolute()) places = {""};
  for (const fs::path& place : places) {
    const fs::path path = place / name;
    std::error_code error;
    if (fs::is_regular_file(path, error)) return path.string();
  }
  return std::nullopt;
}

void Preprocessor::include(std::vector<Token> rest, const Token& at) {
  if (!rest.empty() && is_name(rest[0])) {
    std::vector<Token> out;
    expand(std::move(rest), out, 0);
    rest = std::move(out);
  }
  std::string name;
  const bool is_quoted = !rest.empty() && rest[0].kind == TokenKind::string;
  if (is_quoted) {
    name = rest[0].text.substr(1, rest[0].text.size() - (rest[0].text.ends_with('"') && rest[0].text.size() > 1 ? 2 : 1));
  } else if (rest.size() > 2 && rest[0].is("<")) {
    for (std::size_t piece = 1; piece < rest.size() && !rest[piece].is(">"); ++piece) name += rest[piece].text;
  }
  if (name.empty()) return wrong(at, "#include wants a \"file\" or a <file>");
  if (++includes_ > kMostIncludes || include_depth_ >= kDeepestInclude) return wrong(at, "files include each other too often");
  const Span place = rest.empty() ? at.at : join(rest.front().at, rest.back().at);
  const auto path = find(name, is_quoted, at.at.source);
  if (path) {
    if (std::ranges::find(once_, *path) != once_.end()) return;
    auto bytes = read_text_file(*path, kBiggestFile);
    if (!bytes) return wrong(at, one_line(bytes.error()));
    const std::uint32_t number = sources_.add(*path, std::move(*bytes));
    const std::string_view content = sources_.source(number).text;
    const bool is_system = at.is_system || std::ranges::any_of(options_.system_directories, [&](const std::string& directory) {
      return path->starts_with(directory + "/");
    });
    ++include_depth_;
    text(content, {0, static_cast<std::uint32_t>(content.size()), number}, is_system);
    --include_depth_;
    return;
  }
  const auto* builtin = std::ranges::find(kCompilerHeaders, name, &Builtin::name);
  if (builtin != kCompilerHeaders.end()) {
    const std::string label = "<" + name + ">";
    if (std::ranges::find(once_, label) != once_.end()) return;
    const std::uint32_t number = sources_.add(label, std::string(builtin->text));
    return text(sources_.source(number).text, {0, static_cast<std::uint32_t>(builtin->text.size()), number}, true);
  }
  wrong({.at = place, .is_system = at.is_system}, fmt::format("'{}' file not found", name),
        options_.kernel ? "the kernel's own types are known without headers: leave the #include out" : "name its directory with -I");
}

void Preprocessor::file(const std::string& path, Span at) {
  // As a compiler takes it: from here, or else from the directories of headers.
  std::error_code error;
  const std::string found = std::filesystem::exists(path, error) ? path : find(path, false, 0).value_or(path);
  auto bytes = read_text_file(found, kBiggestFile);
  if (!bytes) {
    diagnostics_.error(at, one_line(bytes.error()), bytes.error().hint);
    return;
  }
  const std::uint32_t number = sources_.add(found, std::move(*bytes));
  const std::string_view content = sources_.source(number).text;
  text(content, {0, static_cast<std::uint32_t>(content.size()), number}, found != path);
}

}  // namespace espy::trace::c
