// The symbols of one ELF file, to be found by address or by name: sixteen bytes each, sorted, over the file's own string
// table. Of .symtab where there is one, else of .dynsym; of a separate debug file where that has more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "symbol/elf_file.hpp"

namespace espy::symbol {

struct Symbol {
  std::string_view name;            ///< as it stands in the file, without a version; a view into the table
  std::uint64_t address = 0;        ///< as linked
  std::uint64_t size = 0;           ///< 0: the file does not tell
};

class SymbolTable {
 public:
  SymbolTable() = default;
  /// Reads the symbols of `file`, or of `debug` (its debug file) where `file` has no .symtab. A file without symbols gives
  /// an empty table.
  static Result<SymbolTable> read(const ElfFile& file, const ElfFile* debug = nullptr);

  /// The function that an address (as linked) is in. Of several names for one place: a global one, with the fewest
  /// leading underscores. A function of unknown size reaches to the next.
  std::optional<Symbol> function_at(std::uint64_t address) const;
  /// A function or variable by its name; a global one before a file's own.
  std::optional<Symbol> find(std::string_view name) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t address = 0;
    std::uint32_t size = 0;         // what is larger counts as that
    std::uint32_t name = 0;         // in names_; the top two bits are flags, see symbol_table.cpp
  };
  Symbol symbol(const Entry& entry) const;
  void finish(const std::vector<Segment>& segments);

  std::vector<Entry> entries_;      // by address, the best name of a place first
  std::vector<std::byte> names_;
};

}  // namespace espy::symbol
