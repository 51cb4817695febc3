// A command of `espy`, as a row. Parsing, --help, the man page and shell completion all read these rows.
//
// To add a command: one file that defines its `const Command`, one line in commands.cpp.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace espy::cli {

enum class Repeat { once, many };

struct Option {
  std::string_view name;            ///< "--for"
  std::string_view value;           ///< what it takes, for people: "DURATION"; empty: a flag
  std::string_view help;
  Repeat repeat = Repeat::once;
  char letter = 0;                  ///< 'v' for -v; 0: none
};

enum class Arity { one, optional, any };

struct Positional {
  std::string_view name;            ///< "OBJ.o"
  std::string_view help;
  Arity arity = Arity::one;         ///< `any` only of the last
};

struct Example {
  std::string_view command;         ///< "espy run trace.bpf.o --for 10s"
  std::string_view what;
};

/// What the user gave, checked against the rows.
class Invocation {
 public:
  std::vector<std::string> positionals;
  std::map<std::string, std::vector<std::string>, std::less<>> options;
  std::size_t before_dashes = 0;    ///< how many positionals stand before `--`; all, if there is none

  bool has(std::string_view option) const { return options.contains(option); }
  std::optional<std::string> value(std::string_view option) const;
  std::vector<std::string> values(std::string_view option) const;
};

struct Command {
  std::string_view name;
  std::string_view summary;         ///< one line, no full stop
  std::string_view description;     ///< paragraphs for --help and the man page
  std::span<const Positional> positionals;
  std::span<const Option> options;
  std::span<const Example> examples;
  /// Does it; the value is the exit status.
  Result<int> (*run)(const Invocation&);
  bool hidden = false;
  int usage_status = 2;             ///< exit status for words that make no sense
};

/// All commands in the order in which help lists them.
std::span<const Command* const> commands();
const Command* find_command(std::string_view name);

// Exit statuses.
inline constexpr int kOk = 0, kFailed = 1, kUsage = 2;

/// Parses the words behind the command's name. A wrong word gives `invalid_argument`, with the nearest option as a hint.
Result<Invocation> parse(const Command& command, std::span<char* const> words);

// Texts from the rows.
std::string overview();                              ///< `espy --help`
std::string help(const Command& command);            ///< `espy COMMAND --help`
std::string man_page(const Command* command);        ///< roff; nullptr: espy(1)
Result<std::string> completion(std::string_view shell);  ///< bash, zsh or fish

/// "10s", "500ms", "2m", "1h"; a bare number is seconds. In milliseconds.
Result<std::uint64_t> parse_duration(std::string_view text);

}  // namespace espy::cli
