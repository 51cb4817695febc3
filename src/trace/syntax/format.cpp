#include "trace/syntax/format.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/syntax/print.hpp"

namespace espy::trace {

/// One thing at the root; the config block is told by its span.
struct RootItem {
  Span at;
  std::variant<const Preamble*, const Import*, const MapDeclaration*, const Macro*, const Subprogram*, const Probe*, std::monostate> what;
  bool is_line = false;  // one line, which needs no blank line around it
};

namespace {

constexpr std::size_t kWidth = 100;

std::vector<RootItem> root_items(const Script& script) {
  std::vector<RootItem> items;
  const auto add = [&](const auto& list, bool is_line) {
    for (const auto& item : list) items.push_back({item.at, &item, is_line});
  };
  add(script.preambles, true);
  add(script.imports, true);
  add(script.maps, true);
  add(script.macros, false);
  add(script.subprograms, false);
  add(script.probes, false);
  if (script.config_at.end != 0) items.push_back({script.config_at, std::monostate{}, false});
  std::ranges::sort(items, {}, [](const RootItem& item) { return item.at.begin; });
  return items;
}

std::uint32_t source_of(const Script& script) {
  const std::vector<RootItem> items = root_items(script);
  if (!items.empty()) return items.front().at.source;
  return script.comments.empty() ? 0 : script.comments.front().at.source;
}

}  // namespace

Formatter::Formatter(const Script* script, const Sources* sources)
    : script_(script), sources_(sources), speller_(sources, [this](const BlockExpr& value) { return inline_block(value); }),
      inline_(script == nullptr) {
  if (script && sources && sources->size() > 0) text_ = sources->source(source_of(*script)).text;
}

/// A block among expressions stays on their line.
std::string Formatter::inline_block(const BlockExpr& value) {
  Formatter writer(nullptr, sources_);
  writer.block(value.block, &*value.value);
  return std::move(writer.out_);
}

// ---- the page ----

void Formatter::line_begin() {
  if (!inline_) out_.append(indent_ * 2, ' ');
}

void Formatter::line_end() { out_ += inline_ ? ' ' : '\n'; }

bool Formatter::is_same_line(std::uint32_t from, std::uint32_t to) const {
  return from <= to && text_.substr(from, to - from).find('\n') == std::string_view::npos;
}

void Formatter::blank_line_before(std::uint32_t position) {
  if (block_begins_ || position <= done_) return;
  const std::string_view between = text_.substr(done_, position - done_);
  const std::size_t first = between.find('\n');
  const bool is_blank = first != std::string_view::npos && between.find('\n', first + 1) != std::string_view::npos;
  if (is_blank && !out_.ends_with("\n\n")) out_ += '\n';
}

void Formatter::comments_before(std::uint32_t position) {
  for (; next_comment_ < script_->comments.size() && script_->comments[next_comment_].at.begin < position; ++next_comment_) {
    const Comment& comment = script_->comments[next_comment_];
    blank_line_before(comment.at.begin);
    line_begin();
    out_ += trim(comment.text);
    out_ += '\n';
    done_ = std::max(done_, comment.at.end);
    block_begins_ = false;
  }
}

void Formatter::comments_behind(std::uint32_t position) {
  while (next_comment_ < script_->comments.size()) {
    const Comment& comment = script_->comments[next_comment_];
    // One that stands inside what was written, or behind it on its line.
    const bool is_inside = comment.at.begin < position;
    if (!is_inside && !is_same_line(done_, comment.at.begin)) return;
    if (!is_inside && text_.substr(done_, comment.at.begin - done_).find_first_not_of(" \t;") != std::string_view::npos) return;
    out_ += ' ';
    out_ += trim(comment.text);
    done_ = std::max(done_, comment.at.end);
    ++next_comment_;
    const bool more = next_comment_ < script_->comments.size() && script_->comments[next_comment_].at.begin < position;
    if (comment.text.starts_with("//") && more) return;
  }
}

// ---- the root ----

std::string Formatter::script() {
  bool was_line = true;
  for (const RootItem& item : root_items(*script_)) {
    const bool needs_blank = !out_.empty() && !block_begins_ && (!item.is_line || !was_line);
    if (needs_blank && !out_.ends_with("\n\n")) out_ += '\n';
    comments_before(item.at.begin);
    blank_line_before(item.at.begin);
    root(item);
    block_begins_ = false;
    done_ = item.at.end;
    comments_behind(done_);
    out_ += '\n';
    was_line = item.is_line;
  }
  comments_before(static_cast<std::uint32_t>(text_.size()) + 1);
  return std::move(out_);
}

void Formatter::root(const RootItem& item) {
  std::visit(overload{
      [&](const Preamble* it) { out_ += trim(it->text); },
      [&](const Import* it) { out_ += fmt::format("import {};", speller_.expr(Expr{.node = String{it->path}, .at = it->path_at})); },
      [&](const MapDeclaration* it) { out_ += fmt::format("let @{} = {}({});", it->name, it->kind, speller_.expr(it->size)); },
      [&](const Macro* it) { macro(*it); },
      [&](const Subprogram* it) { subprogram(*it); },
      [&](const Probe* it) { probe(*it); },
      [&](std::monostate) { config(); },
  }, item.what);
}

void Formatter::config() {
  out_ += "config = {";
  if (script_->config.empty()) {
    out_ += " }";
    return;
  }
  out_ += '\n';
  ++indent_;
  block_begins_ = true;
  for (const ConfigEntry& entry : script_->config) {
    comments_before(entry.at.begin);
    blank_line_before(entry.at.begin);
    line_begin();
    out_ += fmt::format("{} = {};", entry.name, speller_.expr(entry.value));
    block_begins_ = false;
    done_ = entry.at.end;
    comments_behind(done_);
    out_ += '\n';
  }
  comments_before(script_->config_at.end);
  --indent_;
  out_ += '}';
}

void Formatter::probe(const Probe& probe) {
  std::size_t width = 0;
  for (const AttachPointText& point : probe.attach_points) width += point.text.size() + 2;
  const bool is_long = width > kWidth;
  if (!probe.label.empty()) out_ += probe.label + "=";
  for (std::size_t number = 0; number < probe.attach_points.size(); ++number) {
    if (number > 0) out_ += is_long ? ",\n" : ", ";
    out_ += probe.attach_points[number].text;
  }
  if (probe.predicate) {
    const std::string text = speller_.expr(*probe.predicate);
    out_ += fmt::format("{}/{}{}/", is_long ? "\n" : " ", text.starts_with('*') ? " " : "", text);
  }
  out_ += is_long ? "\n" : " ";
  block(probe.body);
}

void Formatter::macro(const Macro& macro) {
  std::string parameters;
  for (const MacroParameter& parameter : macro.parameters) {
    if (!parameters.empty()) parameters += ", ";
    if (parameter.kind == MacroParameter::Kind::variable) parameters += '$';
    if (parameter.kind == MacroParameter::Kind::map) parameters += '@';
    parameters += parameter.name;
    if (parameter.type) parameters += " : " + speller_.type(*parameter.type);
  }
  out_ += fmt::format("macro {}({}) ", macro.name, parameters);
  block(macro.body.block, macro.has_value ? &*macro.body.value : nullptr);
}

void Formatter::subprogram(const Subprogram& function) {
  std::string parameters;
  for (const SubprogramParameter& parameter : function.parameters) {
    parameters += fmt::format("{}${} : {}", parameters.empty() ? "" : ", ", parameter.name, speller_.type(parameter.type));
  }
  out_ += fmt::format("fn {}({}) : {} ", function.name, parameters, speller_.type(function.returns));
  block(function.body);
}

std::string format(const Script& script, const Sources& sources) { return Formatter(&script, &sources).script(); }

std::string to_string(const Expr& expr) {
  Speller speller(nullptr, [](const BlockExpr& value) { return Formatter(nullptr, nullptr).inline_block(value); });
  return speller.expr(expr);
}

}  // namespace espy::trace
