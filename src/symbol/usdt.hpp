// USDT: probes that a program's author put into it (<sys/sdt.h>). Each is an ELF note of section .note.stapsdt: where its
// nop stands, the counter ("semaphore") that switches its arguments on, and where its arguments are to be found then.
// The note's format: https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "symbol/elf_file.hpp"

namespace espy::symbol {

struct UsdtNote {
  std::string provider, name;
  std::string arguments;            ///< "-4@%edi 8@-16(%rbp)"
  std::uint64_t address = 0;        ///< of the probe, as linked (prelinking undone)
  std::uint64_t file_offset = 0;
  std::uint64_t semaphore_offset = 0;  ///< of the counter in the file; 0: the probe has none
};

/// All notes of a file, in its order. A file without any gives none.
Result<std::vector<UsdtNote>> usdt_notes(const ElfFile& file);

/// How one argument is found in the registers of the probed process.
struct UsdtArgument {
  enum class Kind : std::uint8_t { constant, reg, memory, indexed };
  Kind kind = Kind::constant;
  std::uint8_t size = 8;            ///< bytes: 1, 2, 4 or 8
  bool is_signed = false;
  std::int64_t value = 0;           ///< the constant, or the displacement of an address
  std::uint16_t reg = 0;            ///< offset of the (base) register in struct pt_regs
  std::uint16_t index_reg = 0;      ///< indexed: of the index register
  std::uint8_t scale = 1;           ///< indexed: 1, 2, 4 or 8
  friend bool operator==(const UsdtArgument&, const UsdtArgument&) = default;
};

/// Reads a note's arguments as the compiler of this machine (e_machine) writes them. What cannot be read from integer
/// registers and memory (a floating-point register) is an `unsupported` error that names the argument.
Result<std::vector<UsdtArgument>> parse_usdt_arguments(std::string_view text, std::uint16_t machine);

}  // namespace espy::symbol
