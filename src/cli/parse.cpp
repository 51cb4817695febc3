// The words of a command line against the rows of a command.
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

/// `wrong` is a word like an option, for which the nearest one is looked for.
Error usage_error(const Command& command, std::string message, std::string_view wrong) {
  Error error{.kind = ErrorKind::invalid_argument, .message = std::move(message)};
  std::vector<std::string_view> names;
  for (const Option& option : command.options) names.push_back(option.name);
  const std::string_view near = wrong.empty() ? std::string_view{} : nearest(wrong.substr(0, wrong.find('=')), names);
  error.hint = near.empty() ? fmt::format("see `espy {} --help`", command.name) : fmt::format("did you mean {}?", near);
  return error;
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

namespace {

/// One pass over the words. `--name VALUE`, `--name=VALUE`, `-x VALUE`, `-xVALUE`, flags behind one dash together: `-qv`.
class Parser {
 public:
  Parser(const Command& command, std::span<char* const> words) : command_(command), words_(words) {}

  Result<Invocation> run() {
    for (; next_ < words_.size(); ++next_) {
      const std::string_view word = words_[next_];
      if (word == "--") {   // behind it nothing is an option
        invocation_.before_dashes = invocation_.positionals.size();
        invocation_.positionals.insert(invocation_.positionals.end(), words_.begin() + static_cast<std::ptrdiff_t>(next_) + 1, words_.end());
        return std::move(invocation_);
      }
      if (word.starts_with("--")) TRY(long_option(word));
      else if (word.starts_with('-') && word.size() > 1) TRY(letters(word));
      else invocation_.positionals.emplace_back(word);
    }
    invocation_.before_dashes = invocation_.positionals.size();
    return std::move(invocation_);
  }

 private:
  Result<void> long_option(std::string_view word) {
    const std::size_t equals = word.find('=');
    const auto option = std::ranges::find(command_.options, word.substr(0, equals), &Option::name);
    if (option == command_.options.end()) return unknown(word);
    if (equals == word.npos) return option->value.empty() ? set(*option, {}) : set_to_next(*option);
    if (option->value.empty()) return std::unexpected(usage_error(command_, fmt::format("{} takes no value", option->name), {}));
    return set(*option, word.substr(equals + 1));
  }

  Result<void> letters(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto option = std::ranges::find(command_.options, word[i], &Option::letter);
      if (option == command_.options.end()) return unknown(word);
      if (option->value.empty()) {
        TRY(set(*option, {}));
        continue;
      }
      return i + 1 < word.size() ? set(*option, word.substr(i + 1)) : set_to_next(*option);
    }
    return {};
  }

  Result<void> set(const Option& option, std::string_view value) {
    std::vector<std::string>& values = invocation_.options[std::string(option.name)];
    if (option.repeat == Repeat::once) values.clear();
    values.emplace_back(value);
    return {};
  }

  Result<void> set_to_next(const Option& option) {
    if (next_ + 1 == words_.size())
      return std::unexpected(usage_error(command_, fmt::format("{} {} is missing its value", option.name, option.value), {}));
    return set(option, words_[++next_]);
  }

  Result<void> unknown(std::string_view word) {
    return std::unexpected(usage_error(command_, fmt::format("`espy {}` has no option {}", command_.name, word), word));
  }

  const Command& command_;
  std::span<char* const> words_;
  std::size_t next_ = 0;
  Invocation invocation_;
};

}  // namespace

Result<Invocation> parse(const Command& command, std::span<char* const> words) {
  Invocation invocation = TRY(Parser(command, words).run());
  TRY(check_count(command, invocation.positionals));
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
