// A relocatable ELF64 little-endian file for eBPF, put together from sections, symbols and relocations.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espy::object {

class ElfWriter {
 public:
  enum class SectionId : std::uint32_t {};
  enum class SymbolId : std::uint32_t {};
  static constexpr SectionId kUndefined{0};

  struct Section {
    std::string name;
    std::uint32_t type = SHT_PROGBITS;
    std::uint64_t flags = 0;
    std::uint64_t alignment = 8;
    std::vector<std::byte> bytes = {};
    std::uint64_t empty_size = 0;   ///< of a SHT_NOBITS section
  };
  struct Symbol {
    std::string name;
    std::uint8_t bind = STB_GLOBAL, type = STT_NOTYPE;
    SectionId section = kUndefined;
    std::uint64_t value = 0, size = 0;
  };

  SectionId add_section(Section section);
  Section& section(SectionId id) { return sections_[static_cast<std::size_t>(id) - 1]; }
  /// Names need not be unique: subprograms and maps of one name would be the reader's problem.
  SymbolId add_symbol(Symbol symbol);
  void add_relocation(SectionId section, std::uint64_t offset, SymbolId symbol, std::uint32_t type);

  /// The file. Symbols are put in the order that ELF asks for, local ones first.
  std::vector<std::byte> finish();

 private:
  struct Relocation {
    SectionId section;
    std::uint64_t offset = 0;
    SymbolId symbol;
    std::uint32_t type = 0;
  };

  std::vector<Section> sections_;
  std::vector<Symbol> symbols_;
  std::vector<Relocation> relocations_;
};

}  // namespace espy::object
