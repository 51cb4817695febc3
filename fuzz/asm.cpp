// Any text: the assembler says where it is wrong, or what it assembled prints and assembles to the same bits.
#include <cstdlib>

#include "isa/assemble.hpp"
#include "isa/disassemble.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::isa;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto assembled = assemble(text, {.file = "fuzz.s"});
  if (!assembled) {
    if (assembled.error().where.empty() || assembled.error().message.empty()) std::abort();
    return 0;
  }
  for (const AssembledFunction& function : assembled->functions) {
    auto again = assemble_insns(disassemble(function.insns, {.jumps = JumpStyle::annotated, .numbers = true}));
    if (!again || *again != function.insns) std::abort();
  }
  return 0;
}
