// `espy show`: what is in an object.
#include "cli/show.hpp"

#include <cstdio>

#include "cli/command.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"OBJ.o", "an eBPF object file, of either byte order"}};
constexpr Option kOptions[] = {
    {.name = "--json", .value = {}, .help = "one line of JSON instead of tables"},
    {.name = "--types", .value = {}, .help = "also the types of the object, as C"},
};
constexpr Example kExamples[] = {
    {"espy show probe.bpf.o", "sections, programs, maps, variables, externs, CO-RE relocations, and what is old or odd"},
    {"espy show probe.bpf.o --json | jq '.programs[].name'", "the same for programs"},
};

Result<int> run(const Invocation& invocation) {
  object::ObjectSpec object = TRY(object::read(invocation.positionals[0]));
  const std::string text = invocation.has("--json") ? object_as_json(object) + "\n" : object_as_text(object, invocation.has("--types"));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

}  // namespace

extern const Command kShow{.name = "show", .summary = "show what an object holds", .description = {}, .positionals = kPositionals,
                           .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
