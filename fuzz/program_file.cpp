// Any bytes as a program or library to probe: its functions, versions and USDT notes are read or refused; and any text as
// the arguments of a USDT note.
#include "symbol/elf_file.hpp"
#include "symbol/usdt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::symbol;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  for (std::uint16_t machine : {std::uint16_t{62}, std::uint16_t{183}})
    static_cast<void>(parse_usdt_arguments({reinterpret_cast<const char*>(data), size}, machine));
  auto file = ElfFile::parse({bytes, bytes + size}, "fuzz");
  if (!file) return 0;
  static_cast<void>(find_function(*file, "main"));
  static_cast<void>(match_functions(*file, "*"));
  if (auto notes = usdt_notes(*file))
    for (const UsdtNote& note : *notes) static_cast<void>(parse_usdt_arguments(note.arguments, file->machine()));
  return 0;
}
