// `espy`: finds the command, parses its words, runs it, and turns an error into text and an exit status.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <span>
#include <tuple>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "espy/render.hpp"

namespace espy::cli {
namespace {

void print(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

// How the name that the program was called by begins its messages: scripts and suites around a tool look for that.
std::string_view error_prefix = "espy: error: ";

int report(const Error& error, bool json, int status) {
  if (json) {
    auto output = render::json_output(render::to_descriptor(STDOUT_FILENO));
    output->error(error);
    std::ignore = output->flush();  // standard error says it too
  }
  print(stderr, std::string(error_prefix) + describe(error).substr(std::string_view("error: ").size()) + "\n");
  return status;
}

int unknown_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command* command : commands()) names.push_back(command->name);
  std::string_view near = nearest(name, names);
  Error error{.kind = ErrorKind::invalid_argument, .message = fmt::format("there is no command `{}`", name)};
  error.hint = near.empty() ? "see `espy --help`" : fmt::format("did you mean `espy {}`?", near);
  return report(error, false, kUsage);
}

// Installed under the name of the tool whose language it speaks, the program is `espy trace`.
bool is_called(std::string_view path, std::string_view name) { return path.substr(path.rfind('/') + 1) == name; }

int run_command(const Command& command, std::span<char* const> rest) {
  for (std::string_view word : rest) {
    if (word == "--") break;
    if (word == "--help" || word == "-h") return print(stdout, help(command)), kOk;
  }
  Result<Invocation> invocation = parse(command, rest);
  if (!invocation) return report(invocation.error(), false, command.usage_status);
  Result<int> status = command.run(*invocation);
  if (!status) return report(status.error(), invocation->has("--json"), kFailed);
  return *status;
}

int run_as_tracer(std::span<char* const> words) {
  error_prefix = "ERROR: ";
  const Command& command = *find_command("trace");
  const bool is_usage = words.empty() || std::string_view(words[0]) == "-h" || std::string_view(words[0]) == "--help";
  if (is_usage) return print(words.empty() ? stderr : stdout, "USAGE:\n" + help(command)), words.empty() ? command.usage_status : kOk;
  Result<Invocation> invocation = parse(command, words);
  if (invocation) return run_command(command, words);
  int status = report(invocation.error(), false, command.usage_status);
  print(stderr, "USAGE:\n" + help(command));
  return status;
}

int run(std::span<char* const> words) {
  if (!words.empty() && is_called(words[0], "bpftrace")) return run_as_tracer(words.subspan(1));
  if (words.size() < 2) {
    print(stderr, overview());
    return kUsage;
  }
  std::string_view name = words[1];
  if (name == "--help" || name == "-h" || (name == "help" && words.size() == 2)) return print(stdout, overview()), kOk;
  if (name == "--version" || name == "-V" || name == "version") return print(stdout, "espy " ESPY_VERSION "\n"), kOk;
  bool asks_help = name == "help";
  if (asks_help) name = words[2];
  const Command* command = find_command(name);
  if (command == nullptr) return unknown_command(name);
  if (asks_help) return print(stdout, help(*command)), kOk;
  return run_command(*command, words.subspan(2));
}

}  // namespace
}  // namespace espy::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_DFL);  // `espy … | head` ends quietly
  int status = espy::cli::run({argv, static_cast<std::size_t>(argc)});
  return std::fflush(stdout) == 0 ? status : espy::cli::kFailed;
}
