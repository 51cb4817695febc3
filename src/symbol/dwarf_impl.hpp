// What an open Dwarf holds: libdw's handle, and two indexes made when they are needed: which unit an address is in, and
// which function of that unit.
#pragma once

#include <unordered_map>

#include "symbol/dwarf.hpp"
#include "symbol/dwarf_die.hpp"

namespace espy::symbol {

struct Dwarf::Impl {
  /// Code of a unit or a function, as linked.
  struct Range {
    std::uint64_t begin = 0, end = 0;
    Dwarf_Die die{};
  };

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Units that have code or lines (not those of types alone), in the file's order.
  const std::vector<Dwarf_Die>& units();
  Dwarf_Die* unit_at(std::uint64_t address);
  /// The functions of a unit that have code, by address.
  const std::vector<Range>& functions_of(Dwarf_Die& unit);
  std::optional<Dwarf_Die> function_at(std::uint64_t address);
  /// The function and what is inlined into it at an address, outermost first.
  std::vector<Dwarf_Die> scopes_at(std::uint64_t address);

  /// Where code stands in the file; nullopt: it was dropped by the linker, which leaves its entries at low addresses.
  std::optional<std::uint64_t> code_offset(std::uint64_t address) const;

  /// One file of debug information.
  struct Handle {
    Handle() = default;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle();
    Result<void> open(const ElfFile& file);

    UniqueFd fd;
    std::vector<std::byte> bytes;       // instead of fd
    Elf* elf = nullptr;
    ::Dwarf* dwarf = nullptr;
  };

  std::string path;
  std::vector<Segment> segments;        // of the program, not its debug file
  Handle shared;                        // what dwz moved out of several files; outlives main
  Handle main;
  bool is_split = false;                // entries are in .dwo files, which are not read; lines are here

 private:
  void add_ranges(std::vector<Range>& ranges, Dwarf_Die& die) const;
  void add_functions(std::vector<Range>& ranges, Dwarf_Die& parent, int depth) const;

  bool has_units_ = false, has_unit_ranges_ = false;
  std::vector<Dwarf_Die> units_;
  std::vector<Range> unit_ranges_;
  std::unordered_map<void*, std::vector<Range>> functions_;   // by the unit's entry
};

}  // namespace espy::symbol
