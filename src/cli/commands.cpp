#include "cli/command.hpp"

namespace espy::cli {

extern const Command kTrace, kTop, kRun, kTestRun, kCheck, kDis, kAsm, kShow, kGen, kMan, kCompletion;

namespace {
constexpr const Command* kCommands[] = {
    &kTrace, &kTop, &kRun, &kTestRun, &kCheck, &kShow, &kDis, &kAsm, &kGen, &kMan, &kCompletion,
};
}  // namespace

std::span<const Command* const> commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const Command* command : kCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

}  // namespace espy::cli
