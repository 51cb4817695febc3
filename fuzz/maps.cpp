// Any text as /proc/PID/maps and as a perf map: what is read of them is in order and does not overlap.
#include <cstdint>

#include "symbol/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::symbol;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::uint64_t end = 0;
  Symboliser symbols;
  symbols.on_exec(4'000'000);
  for (Mapping& mapping : parse_maps(text)) {
    if (mapping.start < end || mapping.end <= mapping.start) __builtin_trap();
    end = mapping.end;
    mapping.inode = 0;   // no files are opened
    symbols.on_mmap(4'000'000, mapping);
    mapping.start += 0x800, mapping.end += 0x800;
    if (mapping.start < mapping.end) symbols.on_mmap(4'000'000, mapping);
    (void)symbols.resolve(4'000'000, mapping.start);
  }
  end = 0;
  for (const JitSymbol& symbol : parse_perf_map(text)) {
    if (symbol.address < end || symbol.size == 0) __builtin_trap();
    end = symbol.address + symbol.size;
  }
  return 0;
}
