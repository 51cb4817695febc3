// Bytes as a program in safe mode: whatever it does, nothing outside its own memory is touched, and it ends.
//
// The input: a byte for the program's type and the packet's length, then instruction slots. References to maps cannot stand in
// raw bytes, so a 64-bit immediate load whose source field is 1 is given one of a few maps.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "vm/test_run.hpp"
#include "vm_maps.hpp"

namespace {

using namespace espy;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9 || size > 8 * 512) return 0;
  constexpr facts::ProgType kTypes[] = {facts::ProgType::xdp, facts::ProgType::sched_cls, facts::ProgType::socket_filter, facts::ProgType::kprobe};
  const facts::ProgType type = kTypes[data[0] % std::size(kTypes)];
  object::LinkedObject linked;
  linked.object.maps = fuzz::maps();
  object::LinkedProgram& program = linked.programs.emplace_back();
  program.spec.name = "fuzzed";
  program.spec.type = type;
  program.spec.code.insns.resize((size - 1) / 8);
  for (isa::InsnIdx i = 0; i < program.spec.code.insns.size(); ++i) {
    std::uint64_t word;
    std::memcpy(&word, data + 1 + i * 8, 8);
    isa::Insn& insn = program.spec.code.insns[i];
    insn = isa::from_word(word);
    const bool last = i + 1 == program.spec.code.insns.size();
    if (isa::is_ld_imm64(insn, isa::Pseudo::map_fd) && !last) {
      program.spec.code.relocations.push_back({.insn = i, .to = object::MapRef{object::MapIdx{static_cast<std::uint32_t>(insn.imm) % static_cast<std::uint32_t>(linked.object.maps.size())}}});
    }
  }
  auto object = vm::Object::load(std::move(linked));
  if (!object) return 0;
  vm::TestRun run{.budget = 20000};
  if (type == facts::ProgType::kprobe) run.ctx_in.resize(64);
  else run.data_in.resize(14 + data[0]);
  (void)vm::test_run((*object)->programs()[0], run);
  return 0;
}
