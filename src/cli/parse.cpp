// The one file that includes CLI11: it is given the rows of a command and hands back what the user said.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "cli/command.hpp"

namespace espy::cli {

std::optional<std::string> Invocation::value(std::string_view option) const {
  auto found = options.find(option);
  if (found == options.end()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Invocation::values(std::string_view option) const {
  auto found = options.find(option);
  return found == options.end() ? std::vector<std::string>{} : found->second;
}

namespace {

Error usage_error(const Command& command, std::string message, const std::vector<std::string>& extras) {
  Error error{.kind = ErrorKind::invalid_argument, .message = std::move(message)};
  std::vector<std::string_view> names;
  for (const Option& option : command.options) names.push_back(option.name);
  for (const std::string& extra : extras) {
    if (std::string_view near = nearest(split(extra, '=').front(), names); !near.empty()) {
      error.hint = fmt::format("did you mean {}?", near);
      return error;
    }
  }
  error.hint = fmt::format("see `espy {} --help`", command.name);
  return error;
}

// CLI11's words begin with the option they are about: "--map: 1 required  missing".
std::string in_our_words(const Command& command, std::string_view theirs) {
  for (const Option& option : command.options) {
    if (!theirs.starts_with(option.name) || !theirs.substr(option.name.size()).starts_with(':')) continue;
    return option.value.empty() ? fmt::format("{} takes no value", option.name) : fmt::format("{} {} is missing its value", option.name, option.value);
  }
  return std::string(theirs);
}

Result<void> check_count(const Command& command, const std::vector<std::string>& positionals) {
  std::size_t least = 0;
  bool open_end = false;
  for (const Positional& positional : command.positionals) {
    least += positional.arity == Arity::one;
    open_end |= positional.arity == Arity::any;
  }
  if (positionals.size() < least) {
    return std::unexpected(usage_error(command, fmt::format("{} is missing", command.positionals[positionals.size()].name), {}));
  }
  if (!open_end && positionals.size() > command.positionals.size()) {
    return std::unexpected(usage_error(command, fmt::format("`{}` is one word too many", positionals[command.positionals.size()]), {}));
  }
  return {};
}

}  // namespace

Result<Invocation> parse(const Command& command, std::span<char* const> words) {
  CLI::App app;
  app.set_help_flag();
  std::vector<std::pair<const Option*, CLI::Option*>> options;
  for (const Option& option : command.options) {
    std::string names(option.name);
    if (option.letter != 0) names = fmt::format("-{},{}", option.letter, names);
    CLI::Option* made = option.value.empty() ? app.add_flag(names) : app.add_option(names);
    if (!option.value.empty()) made->expected(1)->multi_option_policy(option.repeat == Repeat::many ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    options.emplace_back(&option, made);
  }
  Invocation invocation;
  std::vector<std::string> arguments(words.rbegin(), words.rend());  // CLI11 takes them last first
  try {
    app.allow_extras();
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_error(command, in_our_words(command, error.what()), {words.begin(), words.end()}));
  }
  for (const auto& [row, option] : options) {
    if (option->count() > 0) invocation.options[std::string(row->name)] = option->results();
  }
  invocation.positionals = app.remaining();
  auto& positionals = invocation.positionals;
  const auto dashes = std::ranges::find(positionals, "--");  // behind it nothing is an option
  const std::vector<std::string> before(positionals.begin(), dashes);
  invocation.before_dashes = before.size();
  if (dashes != positionals.end()) positionals.erase(dashes);
  for (const std::string& extra : before) {
    if (extra.starts_with('-') && extra.size() > 1) {
      return std::unexpected(usage_error(command, fmt::format("`espy {}` has no option {}", command.name, extra), {extra}));
    }
  }
  TRY(check_count(command, positionals));
  return invocation;
}

namespace {

// "10", "0.5": digits, and digits behind a point.
std::optional<double> parse_decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789.") != text.npos) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::uint64_t> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view suffix;
    std::uint64_t milliseconds;
  };
  constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    auto number = parse_decimal(text.substr(0, text.size() - unit.suffix.size()));
    if (number && *number <= std::numeric_limits<std::uint32_t>::max())
      return static_cast<std::uint64_t>(*number * static_cast<double>(unit.milliseconds));
    break;
  }
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                               .message = fmt::format("`{}` is no duration", text),
                               .hint = "write 500ms, 10s, 2.5m or 1h"});
}

}  // namespace espy::cli
