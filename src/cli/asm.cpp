// `espy asm`: assembly text to an object file.
#include "cli/command.hpp"
#include "espy/espy.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"FILE.s", "assembly text, as docs/assembly.md has it; `-` reads standard input"}};
constexpr Option kOptions[] = {
    {.name = "--output", .value = "OBJ.o", .help = "the object to write; default: FILE.o", .repeat = Repeat::once, .letter = 'o'},
};
constexpr Example kExamples[] = {
    {"espy asm drop.s -o drop.o", "assemble a program"},
    {"espy dis probe.bpf.o | espy asm - -o copy.o", "take an object apart and put it together again"},
};
constexpr std::string_view kDescription =
    "Assembles instructions in the style of the kernel's verifier log (`r1 = *(u64 *)(r6 +8)`) and writes an object "
    "file that any loader takes. Reads what `espy dis` prints.";

// "dir/drop.s" → "dir/drop.o"
std::string output_name(const std::string& input) {
  std::size_t name = input.find_last_of('/') + 1, dot = input.find_last_of('.');
  return (dot == std::string::npos || dot < name ? input : input.substr(0, dot)) + ".o";
}

Result<int> run(const Invocation& invocation) {
  const std::string& input = invocation.positionals[0];
  bool standard_input = input == "-";
  auto output = invocation.value("--output");
  if (standard_input && !output) {
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = "standard input has no name to derive the object's from",
                                 .hint = "give it: -o OBJ.o"});
  }
  std::string text = TRY(read_text_file(standard_input ? "/dev/stdin" : input));
  object::ObjectSpec spec = TRY(object::assemble_object(text, standard_input ? "-" : input));
  TRY(write_file(output.value_or(output_name(input)), TRY(object::write_elf(spec))));
  return kOk;
}

}  // namespace

extern const Command kAsm{.name = "asm", .summary = "assemble an object", .description = kDescription,
                          .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
