// `espy gen`: files made from what the kernel says of itself.
#include <cstdio>

#include "cli/command.hpp"
#include "espy/btf.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"vmlinux", "what to generate: `vmlinux`, a C header with every kernel type"}};
constexpr Option kOptions[] = {
    {.name = "--btf", .value = "FILE", .help = "take the types from this BTF or ELF file instead of the running kernel"},
};
constexpr Example kExamples[] = {
    {"espy gen vmlinux > vmlinux.h", "a header for CO-RE programs, of this kernel's types"},
    {"espy gen vmlinux --btf vmlinux-5.10 > vmlinux.h", "the same for a kernel that is not here"},
};

Result<int> run(const Invocation& invocation) {
  if (invocation.positionals[0] != "vmlinux") {
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                 .message = fmt::format("espy cannot generate `{}`", invocation.positionals[0]),
                                 .hint = "espy gen vmlinux"});
  }
  auto file = invocation.value("--btf");
  auto btf = TRY(file ? btf::Btf::open(*file) : btf::Btf::kernel());
  std::string text = btf::header(*btf);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kOk;
}

}  // namespace

extern const Command kGen{.name = "gen", .summary = "generate a C header from BTF", .description = {},
                          .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
