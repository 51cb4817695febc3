// What `--help`, `espy man` and `espy completion` print: the rows of the commands, laid out.
#include <algorithm>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"

namespace espy::cli {

namespace {

constexpr std::string_view kAbout = "espy reads, links, runs and shows eBPF programs";

std::string spelling(const Option& option) {
  std::string text = option.letter != 0 ? fmt::format("-{}, {}", option.letter, option.name) : fmt::format("    {}", option.name);
  if (!option.value.empty()) text += fmt::format(" {}", option.value);
  return text;
}

std::string spelling(const Positional& positional) {
  switch (positional.arity) {
    case Arity::one: return std::string(positional.name);
    case Arity::optional: return fmt::format("[{}]", positional.name);
    case Arity::any: return fmt::format("[{}]...", positional.name);
  }
  return {};
}

std::string synopsis(const Command& command) {
  std::string text = fmt::format("espy {}", command.name);
  for (const Positional& positional : command.positionals) text += ' ' + spelling(positional);
  if (!command.options.empty()) text += " [OPTION]...";
  return text;
}

// Two columns: names padded to the widest, then what they mean.
std::string columns(const std::vector<std::pair<std::string, std::string_view>>& rows) {
  std::size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string text;
  for (const auto& [left, right] : rows) text += fmt::format("  {:<{}}  {}\n", left, width, right);
  return text;
}

// Paragraphs broken at words; a paragraph's own line ends count as spaces.
std::string wrapped(std::string_view text) {
  constexpr std::size_t kWidth = 100;
  std::string out;
  std::size_t column = 0;
  for (std::string_view word : split_words(text)) {
    if (column != 0 && column + 1 + word.size() > kWidth) out += '\n', column = 0;
    if (column != 0) out += ' ', ++column;
    out += word;
    column += word.size();
  }
  return out;
}

// In roff a leading period or quote is a request and a backslash begins an escape.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '.' || text[i] == '\'') && (i == 0 || text[i - 1] == '\n')) out += "\\&";
    if (text[i] == '-') out += "\\-";
    else if (text[i] == '\\') out += "\\e";
    else out += text[i];
  }
  return out;
}

}  // namespace

std::string overview() {
  std::vector<std::pair<std::string, std::string_view>> rows;
  for (const Command* command : commands()) {
    if (!command->hidden) rows.emplace_back(command->name, command->summary);
  }
  return fmt::format("{}\n\nusage: espy COMMAND [ARGUMENT]...\n\ncommands:\n{}\n`espy COMMAND --help` explains one, with examples.\n",
                     kAbout, columns(rows));
}

std::string help(const Command& command) {
  std::string text = fmt::format("{}\n\nusage: {}\n", command.summary, synopsis(command));
  if (!command.description.empty()) text += fmt::format("\n{}\n", wrapped(command.description));
  std::vector<std::pair<std::string, std::string_view>> rows;
  for (const Positional& positional : command.positionals) rows.emplace_back(positional.name, positional.help);
  if (!rows.empty()) text += "\narguments:\n" + columns(rows);
  rows.clear();
  for (const Option& option : command.options) rows.emplace_back(spelling(option), option.help);
  if (!rows.empty()) text += "\noptions:\n" + columns(rows);
  if (!command.examples.empty()) text += "\nexamples:\n";
  for (const Example& example : command.examples) text += fmt::format("  {}\n      {}\n", example.command, example.what);
  return text;
}

std::string man_page(const Command* command) {
  std::string name = command == nullptr ? "espy" : fmt::format("espy-{}", command->name);
  std::string text = fmt::format(".TH {} 1\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n", roff(name), roff(name),
                                 roff(command == nullptr ? kAbout : command->summary));
  if (command == nullptr) {
    text += ".B espy\nCOMMAND [ARGUMENT]...\n.SH COMMANDS\n";
    for (const Command* each : commands()) {
      if (!each->hidden) text += fmt::format(".TP\n.BR espy\\-{} (1)\n{}\n", roff(each->name), roff(each->summary));
    }
    return text;
  }
  text += roff(synopsis(*command)) + "\n.SH DESCRIPTION\n" + roff(command->description.empty() ? command->summary : command->description) + "\n";
  if (!command->positionals.empty() || !command->options.empty()) text += ".SH OPTIONS\n";
  for (const Positional& positional : command->positionals) text += fmt::format(".TP\n.I {}\n{}\n", roff(positional.name), roff(positional.help));
  for (const Option& option : command->options) text += fmt::format(".TP\n.B {}\n{}\n", roff(trim(spelling(option))), roff(option.help));
  if (!command->examples.empty()) text += ".SH EXAMPLES\n";
  for (const Example& example : command->examples) text += fmt::format(".TP\n.B {}\n{}\n", roff(example.command), roff(example.what));
  return text + ".SH SEE ALSO\n.BR espy (1)\n";
}

namespace {

std::string joined_names() {
  std::string text;
  for (const Command* command : commands()) {
    if (!command->hidden) text += fmt::format("{}{}", text.empty() ? "" : " ", command->name);
  }
  return text;
}

std::string joined_options(const Command& command) {
  std::string text = "--help";
  for (const Option& option : command.options) text += fmt::format(" {}", option.name);
  return text;
}

std::string bash_completion() {
  std::string cases;
  for (const Command* command : commands()) cases += fmt::format("    {}) words=\"{}\" ;;\n", command->name, joined_options(*command));
  return fmt::format(
      "# bash completion for espy: source <(espy completion bash)\n"
      "_espy() {{\n  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" words=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"{}\" -- \"$current\"))\n    return\n  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  case \"$current\" in\n    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "    *) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n  esac\n}}\ncomplete -o filenames -F _espy espy\n",
      joined_names(), cases);
}

std::string zsh_completion() {
  std::string text = "#compdef espy\n_espy() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const Command* command : commands()) {
    if (!command->hidden) text += fmt::format("      '{}:{}'\n", command->name, command->summary);
  }
  text += "    )\n    _describe command commands\n    return\n  fi\n  case $words[2] in\n";
  for (const Command* command : commands()) text += fmt::format("    {}) compadd -- {} ;;\n", command->name, joined_options(*command));
  return text + "  esac\n  _files\n}\ncompdef _espy espy\n";
}

std::string fish_completion() {
  std::string text = "# fish completion for espy: espy completion fish | source\n";
  for (const Command* command : commands()) {
    if (!command->hidden) text += fmt::format("complete -c espy -n __fish_use_subcommand -a {} -d '{}'\n", command->name, command->summary);
    for (const Option& option : command->options) {
      text += fmt::format("complete -c espy -n '__fish_seen_subcommand_from {}' -l {} -d '{}'{}\n", command->name,
                          option.name.substr(2), option.help, option.value.empty() ? "" : " -r");
    }
  }
  return text;
}

// Every page as a file: espy.1, espy-run.1 …
Result<int> write_man_pages(const std::string& folder) {
  TRY(write_file(folder + "/espy.1", bytes_of(man_page(nullptr))));
  for (const Command* command : commands()) {
    TRY(write_file(fmt::format("{}/espy-{}.1", folder, command->name), bytes_of(man_page(command))));
  }
  return kOk;
}

Result<int> run_man(const Invocation& invocation) {
  if (invocation.has("--all")) return write_man_pages(invocation.positionals[0]);
  const Command* command = find_command(invocation.positionals[0]);
  if (command == nullptr && invocation.positionals[0] != "espy") {
    return fail(ErrorKind::not_found, "there is no command `{}`", invocation.positionals[0]);
  }
  fmt::print("{}", man_page(command));
  return kOk;
}

Result<int> run_completion(const Invocation& invocation) {
  fmt::print("{}", TRY(completion(invocation.positionals[0])));
  return kOk;
}

constexpr Positional kManPositionals[] = {{"COMMAND", "the command to document; `espy` for the overview; with --all, a folder"}};
constexpr Option kManOptions[] = {{.name = "--all", .value = {}, .help = "write every page into the folder"}};
constexpr Example kManExamples[] = {{"espy man run | man -l -", "read the manual page of `espy run`"},
                                    {"espy man --all /usr/local/share/man/man1", "install every page"}};
constexpr Positional kCompletionPositionals[] = {{"SHELL", "bash, zsh or fish"}};
constexpr Example kCompletionExamples[] = {{"source <(espy completion bash)", "complete espy's commands and options in this shell"}};

}  // namespace

Result<std::string> completion(std::string_view shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  return fail(ErrorKind::invalid_argument, "no completion for the shell `{}`: bash, zsh and fish have one", shell);
}

extern const Command kMan{.name = "man", .summary = "print a command's manual page (roff)", .description = {},
                          .positionals = kManPositionals, .options = kManOptions, .examples = kManExamples, .run = run_man};
extern const Command kCompletion{.name = "completion", .summary = "print shell completion for bash, zsh or fish", .description = {},
                                 .positionals = kCompletionPositionals, .options = {}, .examples = kCompletionExamples,
                                 .run = run_completion};

}  // namespace espy::cli
