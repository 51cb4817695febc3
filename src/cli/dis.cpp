// `espy dis`: an object's instructions as text, as they are in the file or as the kernel would get them.
#include <cstdio>

#include "cli/command.hpp"
#include "cli/open.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"OBJ.o", "an eBPF object file"}};
constexpr Option kOptions[] = {
    {.name = "--prog", .value = "NAME", .help = "only this program or subprogram", .repeat = Repeat::many},
    {.name = "--linked", .value = {}, .help = "after linking: subprograms joined, relocations against this kernel applied"},
    {.name = "--raw", .value = {}, .help = "one instruction a line, as its 64-bit little-endian value in 16 hex digits"},
    {.name = "--no-source", .value = {}, .help = "without the source lines"},
    {.name = "--btf", .value = "FILE", .help = "link against the types in this file instead of the running kernel's"},
    {.name = "--set", .value = "VAR=VALUE", .help = "set a global variable first", .repeat = Repeat::many},
};
constexpr Example kExamples[] = {
    {"espy dis probe.bpf.o", "the whole object, in the language that `espy asm` reads"},
    {"espy dis probe.bpf.o --prog handle_exec --linked", "what the kernel would be given"},
};
constexpr std::string_view kDescription =
    "Prints instructions in the style of the kernel's verifier log, with labels for jumps, source lines from line "
    "information as comments, and maps, subprograms and kernel symbols by name. What it prints, `espy asm` assembles.";

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

Result<int> linked(const Invocation& invocation, object::ObjectSpec spec, const object::ListingOptions& options) {
  auto file = invocation.value("--btf");
  object::Target target = TRY(file ? object::target_from_btf(*file) : kernel::running_target());
  object::LinkedObject object = TRY(object::link(std::move(spec), target, {.programs = options.functions}));
  for (const object::LinkedProgram& program : object.programs) {
    print(invocation.has("--raw") ? object::raw_listing(object::linked_insns(program))
                                  : object::listing(program, object.object, options));
  }
  return kOk;
}

Result<int> run(const Invocation& invocation) {
  object::ObjectSpec spec = TRY(open_object(invocation));
  object::ListingOptions options{.functions = invocation.values("--prog"), .source_lines = !invocation.has("--no-source")};
  if (invocation.has("--linked")) return linked(invocation, std::move(spec), options);
  if (!invocation.has("--raw")) {
    print(TRY(object::listing(spec, options)));
    return kOk;
  }
  for (const object::FunctionSpec* function : TRY(object::functions_named(spec, options.functions))) {
    print(object::raw_listing(function->insns));
  }
  return kOk;
}

}  // namespace

extern const Command kDis{.name = "dis", .summary = "disassemble an object", .description = kDescription,
                          .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
