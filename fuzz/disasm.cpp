// Any slots: they print, in every style, and what is printed assembles to the same slots; what decodes encodes.
#include <cstdlib>
#include <cstring>

#include "isa/assemble.hpp"
#include "isa/decode.hpp"
#include "isa/disassemble.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::isa;
  std::vector<Insn> code(size / sizeof(Insn));
  for (std::size_t i = 0; i < code.size(); ++i) {
    std::uint64_t word;
    std::memcpy(&word, data + i * sizeof word, sizeof word);
    code[i] = from_word(word);
  }
  for (InsnIdx at = 0; at < code.size(); ++at) {
    auto decoded = decode(code, at);
    if (!decoded) continue;
    std::array<Insn, 2> slots;
    unsigned count = encode(*decoded, slots);
    for (unsigned i = 0; i < count; ++i) {
      if (slots[i] != code[at + i]) std::abort();
    }
    if (registers_read(*decoded) >> kRegisters || registers_written(*decoded) >> kRegisters) std::abort();
  }
  (void)check(code);
  for (JumpStyle jumps : {JumpStyle::relative, JumpStyle::annotated, JumpStyle::labels}) {
    auto again = assemble_insns(disassemble(code, {.jumps = jumps, .numbers = true}));
    if (!again || *again != code) std::abort();
  }
  return 0;
}
