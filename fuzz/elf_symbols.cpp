// Any bytes as a program: its symbols, build-id, USDT notes and debug information.
#include <cstdint>

#include "symbol/debug_file.hpp"
#include "symbol/dwarf.hpp"
#include "symbol/symbol_table.hpp"
#include "symbol/usdt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy;
  using namespace espy::symbol;
  if (size > 1 << 17) return 0;
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  auto file = ElfFile::parse({begin, begin + size}, "fuzz");
  if (!file) return 0;
  (void)build_id(*file);
  (void)usdt_notes(*file);
  std::vector<std::uint64_t> addresses{0, 0x1000, 0x1139};
  if (auto table = SymbolTable::read(*file)) {
    for (std::uint64_t address : addresses) (void)table->function_at(address);
    (void)table->find("main");
  }
  if (auto functions = file->functions())
    for (const Function& f : *functions)
      if (addresses.size() < 16) addresses.push_back(f.address);
  auto dwarf = Dwarf::of(*file, "fuzz");
  if (!dwarf) return 0;
  for (const FunctionSignature& f : dwarf->functions())
    if (addresses.size() < 32) addresses.push_back(f.address);
  for (std::uint64_t address : addresses) {
    (void)dwarf->frames_of(address);
    if (auto types = dwarf->function_types(address)) (void)types->btf->type_name(types->proto);
  }
  (void)dwarf->addresses_of_line("a.c", 3);
  return 0;
}
