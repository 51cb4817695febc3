// The script's own command line: $1, $#, str($1 + 1), getopt("name", default, "description"), --help.
#include <fmt/format.h>

#include <algorithm>

#include "trace/expand/expand.hpp"
#include "trace/syntax/lexer.hpp"
#include "trace/syntax/number.hpp"
#include "trace/syntax/print.hpp"
#include "trace/syntax/walk.hpp"

namespace espy::trace {

namespace {

/// A whole integer in the language's spelling, with a sign.
std::optional<Integer> read_integer(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  const Number number = read_number(text);
  if (!number.problem.empty() || number.length != text.size()) return std::nullopt;
  if (!is_negative) return Integer{number.value, number.is_unsigned, std::string(text)};
  if (number.value > std::uint64_t{1} << 63U) return std::nullopt;
  return Integer{.value = -number.value};
}

std::optional<bool> read_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "1") return true;
  if (text == "false" || text == "False" || text == "0") return false;
  return std::nullopt;
}

std::string_view kind_name(ScriptOption::Kind kind) {
  switch (kind) {
    case ScriptOption::Kind::boolean: return "true or false";
    case ScriptOption::Kind::integer: return "an integer";
    case ScriptOption::Kind::string: return "a string";
  }
  return {};
}

/// `$2`, and how many bytes of it `$2 + n` leaves out.
struct Tail {
  std::uint32_t index = 0;
  std::uint64_t skipped = 0;
};
std::optional<Tail> tail_of(const Expr& expr) {
  if (const auto* whole = std::get_if<Positional>(&expr.node)) return whole->index == 0 ? std::nullopt : std::optional(Tail{whole->index});
  const auto* sum = std::get_if<Binary>(&expr.node);
  if (!sum || sum->op != BinaryOp::add) return std::nullopt;
  for (const auto& [from, by] : {std::pair(&*sum->left, &*sum->right), std::pair(&*sum->right, &*sum->left)}) {
    const auto* number = std::get_if<Integer>(&by->node);
    const auto tail = number ? tail_of(*from) : std::nullopt;
    if (tail) return Tail{tail->index, tail->skipped + number->value};
  }
  return std::nullopt;
}

class Binder {
 public:
  Binder(const ScriptArguments& arguments, Diagnostics& diagnostics, std::vector<ScriptOption>& options)
      : arguments_(arguments), diagnostics_(diagnostics), options_(options) {}

  void expr(Expr& expr) {
    if (auto* call = std::get_if<Call>(&expr.node)) {
      if (call->name == "getopt") return option(expr, *call);
      if (call->name == "str" && bind_string(expr, *call)) return;
    }
    if (const auto* positional = std::get_if<Positional>(&expr.node)) return bind(expr, positional->index);
    each_child(expr, *this);
  }
  void block(Block& block) {
    for (Statement& statement : block.statements) each_child(statement, *this);
  }
  void type(TypeName& type) { each_child(type, *this); }

  /// `$1` in what an attach point says.
  void text(AttachPointText& point) {
    for (std::size_t at = point.text.find('$'); at != std::string::npos; at = point.text.find('$', at)) {
      const Number number = at + 1 < point.text.size() && point.text[at + 1] >= '0' && point.text[at + 1] <= '9'
                                ? read_number(std::string_view(point.text).substr(at + 1)) : Number{};
      const bool is_count = point.text.compare(at, 2, "$#") == 0;
      std::size_t length = 2;
      while (at + length < point.text.size() && point.text[at + length] >= '0' && point.text[at + length] <= '9') ++length;
      if (!is_count && number.length == 0) {
        ++at;
        continue;
      }
      std::string value = fmt::format("{}", arguments_.positional.size());
      if (!is_count) {
        const auto index = parse_number<std::uint32_t>(std::string_view(point.text).substr(at + 1, length - 1)).value_or(0);
        if (index == 0 || index > arguments_.positional.size()) return missing(point, at, length);
        value = arguments_.positional[index - 1];
      }
      point.text.replace(at, is_count ? 2 : length, value);
      at += value.size();
    }
  }

  void check_names() {
    for (const auto& [name, value] : arguments_.named) {
      if (name == "help" || std::ranges::find(options_, name, &ScriptOption::name) != options_.end()) continue;
      std::vector<std::string_view> names;
      for (const ScriptOption& option : options_) names.emplace_back(option.name);
      const std::string_view near = nearest(name, names);
      diagnostics_.error({0, 0, 0}, fmt::format("the script has no option --{}", name),
                         !near.empty() ? fmt::format("did you mean --{}?", near)
                         : names.empty() ? "it asks for none with getopt()" : fmt::format("it has --{}", fmt::join(names, ", --")));
    }
  }

 private:
  void missing(const AttachPointText& point, std::size_t at, std::size_t length) {
    diagnostics_.error(point.at, fmt::format("parameter {} of this probe is not given", point.text.substr(at, length)),
                       fmt::format("{} given behind the script", arguments_.positional.size() == 1 ? std::string("1 parameter is")
                                   : fmt::format("{} parameters are", arguments_.positional.size())));
  }

  /// An integer if it is written as one, a string otherwise; 0 if it is not given.
  void bind(Expr& expr, std::uint32_t index) {
    if (index == 0) {
      expr.node = Integer{.value = arguments_.positional.size()};
    } else if (index > arguments_.positional.size()) {
      expr.node = Integer{.value = 0};
    } else if (auto integer = read_integer(arguments_.positional[index - 1])) {
      expr.node = std::move(*integer);
    } else {
      expr.node = String{arguments_.positional[index - 1]};
    }
  }

  /// str($1), str($1 + 2), str($1, 10) are strings whatever they look like.
  bool bind_string(Expr& expr, const Call& call) {
    if (call.arguments.empty() || call.arguments.size() > 2) return false;
    const auto tail = tail_of(call.arguments[0]);
    const auto* limit = call.arguments.size() == 2 ? std::get_if<Integer>(&call.arguments[1].node) : nullptr;
    if (!tail || (call.arguments.size() == 2 && !limit)) return false;
    std::string value = tail->index <= arguments_.positional.size() ? arguments_.positional[tail->index - 1] : std::string();
    value.erase(0, static_cast<std::size_t>(std::min<std::uint64_t>(tail->skipped, value.size())));
    if (limit && limit->value < value.size()) value.resize(static_cast<std::size_t>(limit->value));
    expr.node = String{std::move(value)};
    return true;
  }

  void option(Expr& expr, Call& call) {
    constexpr std::string_view kForm = "getopt(\"name\"), getopt(\"name\", default) or getopt(\"name\", default, \"description\")";
    const auto* name = call.arguments.empty() ? nullptr : std::get_if<String>(&call.arguments[0].node);
    const auto* description = call.arguments.size() == 3 ? std::get_if<String>(&call.arguments[2].node) : nullptr;
    if (!name || call.arguments.size() > 3 || (call.arguments.size() == 3 && !description)) {
      diagnostics_.error(expr.at, name ? "getopt() takes a name, a default and a description" : "getopt() wants the option's name, a string", std::string(kForm));
      return;
    }
    ScriptOption option{.name = name->value, .description = description ? description->value : "", .at = expr.at};
    Expr value{.node = Boolean{false}, .at = expr.at};
    if (call.arguments.size() > 1) {
      value = call.arguments[1];
      this->expr(value);
      option.default_value = to_string(value);
    }
    if (const auto* minus = std::get_if<Unary>(&value.node); minus && minus->op == UnaryOp::minus) {
      if (const auto* integer = std::get_if<Integer>(&minus->operand->node)) value.node = Integer{.value = -integer->value};
    }
    if (std::holds_alternative<Integer>(value.node)) option.kind = ScriptOption::Kind::integer;
    else if (std::holds_alternative<String>(value.node)) option.kind = ScriptOption::Kind::string;
    else if (!std::holds_alternative<Boolean>(value.node)) {
      diagnostics_.error(value.at, "the default of an option is an integer, a string, true or false");
      return;
    }
    expr.node = given(option, std::move(value.node));
    remember(std::move(option));
  }

  /// The value from the command line, if there is one; the default otherwise.
  Expr::Node given(const ScriptOption& option, Expr::Node otherwise) {
    const auto last = std::ranges::find(arguments_.named.rbegin(), arguments_.named.rend(), option.name, &std::pair<std::string, std::string>::first);
    if (last == arguments_.named.rend()) return otherwise;
    const std::string& text = last->second;
    switch (option.kind) {
      case ScriptOption::Kind::boolean:
        if (const auto value = read_boolean(text)) return Boolean{*value};
        break;
      case ScriptOption::Kind::integer:
        if (auto value = read_integer(text)) return std::move(*value);
        break;
      case ScriptOption::Kind::string: return String{text};
    }
    diagnostics_.error(option.at, fmt::format("--{} wants {}, not `{}`", option.name, kind_name(option.kind), text));
    return otherwise;
  }

  void remember(ScriptOption option) {
    const auto known = std::ranges::find(options_, option.name, &ScriptOption::name);
    if (known == options_.end()) {
      options_.push_back(std::move(option));
    } else if (known->kind != option.kind) {
      diagnostics_.error(option.at, fmt::format("--{} is {} here", option.name, kind_name(option.kind)))
          .notes.push_back({known->at, fmt::format("and {} here", kind_name(known->kind))});
    } else if (known->description.empty()) {
      known->description = std::move(option.description);
    }
  }

  const ScriptArguments& arguments_;
  Diagnostics& diagnostics_;
  std::vector<ScriptOption>& options_;
};

}  // namespace

ScriptArguments read_arguments(std::span<const std::string> before, std::span<const std::string> after) {
  ScriptArguments arguments{.positional = {before.begin(), before.end()}};
  for (const std::string& text : after) {
    if (!text.starts_with("--") || text.size() == 2) {
      arguments.positional.push_back(text);
      continue;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) arguments.named.emplace_back(text.substr(2), "true");
    else arguments.named.emplace_back(text.substr(2, equals - 2), text.substr(equals + 1));
  }
  return arguments;
}

void bind_arguments(Script& script, const ScriptArguments& arguments, Diagnostics& diagnostics, std::vector<ScriptOption>& options) {
  Binder binder(arguments, diagnostics, options);
  each_child(script, binder);
  for (Probe& probe : script.probes) {
    for (AttachPointText& point : probe.attach_points) binder.text(point);
  }
  binder.check_names();
}

std::string options_help(std::string_view script, std::span<const ScriptOption> options) {
  std::string text = fmt::format("USAGE: espy trace {}{}\n", script, options.empty() ? "" : " -- [OPTIONS]");
  if (options.empty()) return text + "\nThis script has no options of its own.\n";
  const auto label = [](const ScriptOption& option) {
    constexpr std::string_view kValue[] = {"", "=INTEGER", "=STRING"};
    return fmt::format("--{}{}", option.name, kValue[static_cast<std::size_t>(option.kind)]);
  };
  std::size_t width = 0;
  for (const ScriptOption& option : options) width = std::max(width, label(option).size());
  text += "\nOPTIONS:\n";
  for (const ScriptOption& option : options) {
    std::string line = fmt::format("    {:<{}}  {}", label(option), width, option.description);
    if (!option.default_value.empty()) line += fmt::format("{}(default: {})", option.description.empty() ? "" : " ", option.default_value);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace espy::trace
