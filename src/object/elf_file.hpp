// A relocatable ELF file as values: sections, symbols and relocations whose references have been checked, so that what
// reads them needs no bounds of its own. The only file that knows libelf is elf_file.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace espy::object {

/// What the bytes of a section are (sh_type), as far as the reader of eBPF objects cares.
enum class SectionType : std::uint8_t { other, code_or_data, zeroes, symbols, strings, relocations };

struct ElfSection {
  std::uint32_t index = 0;
  std::string name = {};
  SectionType type = SectionType::other;
  bool executable = false, writable = false, allocated = false;
  std::uint64_t file_offset = 0;
  std::uint64_t size = 0;          ///< in memory: `zeroes` have no bytes
  Bytes bytes = {};                     ///< a view into the file, in the file's byte order
};

/// What a symbol stands for (st_type).
enum class SymbolType : std::uint8_t { untyped, object, function, section, file, other };
enum class Binding : std::uint8_t { local, global, weak };

struct ElfSymbol {
  std::string name = {};                ///< a section symbol has none
  std::uint32_t section = 0;       ///< kUndefined, or the index of a section; else kNoSection (absolute, common)
  std::uint64_t value = 0;         ///< offset in the section
  std::uint64_t size = 0;
  SymbolType type = SymbolType::untyped;
  Binding binding = Binding::local;
  bool hidden = false;             ///< STV_HIDDEN or STV_INTERNAL
};
inline constexpr std::uint32_t kUndefined = 0;
inline constexpr std::uint32_t kNoSection = ~0U;

/// Relocation types of the BPF machine (Documentation/bpf/llvm_reloc.rst).
enum class RelocationType : std::uint32_t { none = 0, r_64_64 = 1, abs64 = 2, abs32 = 3, nodyld32 = 4, r_64_32 = 10 };

struct ElfRelocation {
  std::uint64_t offset = 0;        ///< in the section that it patches
  std::uint32_t symbol = 0;        ///< index of a symbol, checked
  RelocationType type{};
};

class ElfFile {
 public:
  /// Checks and decodes; `file` must outlive the result. `path` is for messages.
  static Result<ElfFile> parse(Bytes file, std::string path);

  const std::string& path() const { return path_; }
  Endian endian() const { return endian_; }
  /// Is the machine EM_BPF? Compilers before LLVM 3.9 wrote none.
  bool machine_known() const { return machine_known_; }

  const std::vector<ElfSection>& sections() const { return sections_; }   ///< [i].index == i; 0 is the null section
  const std::vector<ElfSymbol>& symbols() const { return symbols_; }
  /// The first section of this name.
  const ElfSection* find_section(std::string_view name) const;
  /// Indices of the symbols that are in this section, ascending.
  std::span<const std::uint32_t> symbols_of(const ElfSection& section) const;
  const ElfSection& section(std::uint32_t index) const { return sections_[index]; }
  /// Relocations that patch this section, sorted by offset.
  const std::vector<ElfRelocation>& relocations(std::uint32_t section) const { return relocations_[section]; }
  /// The symbol's name, or for a section symbol the section's.
  std::string_view name_of(const ElfSymbol& symbol) const;

  /// "probe.o: section .maps: offset 0x40": where an error is.
  std::string where(const ElfSection& section) const;
  std::string where(const ElfSection& section, std::uint64_t offset) const;

 private:
  friend class ElfDecoder;
  std::string path_ = {};
  Endian endian_ = Endian::native;
  bool machine_known_ = true;
  std::vector<ElfSection> sections_;
  std::vector<ElfSymbol> symbols_;
  std::vector<std::vector<ElfRelocation>> relocations_;
  std::vector<std::uint32_t> sections_by_name_;      // those of one name in their order
  std::vector<std::uint32_t> symbols_by_section_;    // those of one section in their order
};

/// An error in a file, with its place: `return fail_at(elf.where(section, 8), "instruction {} …", n);`
template <typename... Args>
[[nodiscard]] std::unexpected<Error> fail_at(std::string where, fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(Error{.kind = ErrorKind::malformed,
                               .message = fmt::format(format, std::forward<Args>(args)...),
                               .where = std::move(where)});
}

}  // namespace espy::object
