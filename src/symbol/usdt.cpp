#include "symbol/usdt.hpp"

#include <elf.h>

namespace espy::symbol {

namespace {

constexpr std::uint32_t kNoteType = 3;
constexpr std::string_view kNoteName{"stapsdt\0", 8};

std::uint64_t align4(std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; }

Result<std::string> text_of(Reader& in) {
  std::string text;
  for (;;) {
    char c = static_cast<char>(TRY(in.read<std::uint8_t>()));
    if (c == '\0') return text;
    text += c;
  }
}

Result<std::uint64_t> address_of(Reader& in, bool is_64) {
  if (is_64) return in.read<std::uint64_t>();
  return std::uint64_t{TRY(in.read<std::uint32_t>())};
}

// Three addresses, then provider, name and arguments, each ending in a zero byte. The second address is where the section
// .stapsdt.base stood when the program was linked: prelink moved everything by the difference.
Result<UsdtNote> read_note(const ElfFile& file, Bytes description, const Section* base_section) {
  Reader in(description, ".note.stapsdt", file.endian());
  std::uint64_t address = TRY(address_of(in, file.is_64()));
  std::uint64_t base = TRY(address_of(in, file.is_64()));
  std::uint64_t semaphore = TRY(address_of(in, file.is_64()));
  std::uint64_t moved = base_section != nullptr && base != 0 ? base_section->address - base : 0;
  UsdtNote note;
  note.provider = TRY(text_of(in));
  note.name = TRY(text_of(in));
  note.arguments = TRY(text_of(in));
  note.address = address + moved;
  auto offset = file.file_offset(note.address);
  if (!offset)
    return fail(ErrorKind::malformed, "{}: USDT probe {}:{} at {:#x} is in no segment", file.path(), note.provider, note.name, note.address);
  note.file_offset = *offset;
  if (semaphore == 0) return note;
  auto counter = file.file_offset(semaphore + moved);
  if (!counter)
    return fail(ErrorKind::malformed, "{}: the semaphore of USDT probe {}:{} at {:#x} is in no segment", file.path(), note.provider,
                note.name, semaphore + moved);
  note.semaphore_offset = *counter;
  return note;
}

}  // namespace

Result<std::vector<UsdtNote>> usdt_notes(const ElfFile& file) {
  std::vector<UsdtNote> notes;
  const Section* section = file.find_section(".note.stapsdt");
  if (section == nullptr || section->type != SHT_NOTE) return notes;
  const Section* base_section = file.find_section(".stapsdt.base");
  std::vector<std::byte> bytes = TRY(file.contents(*section));
  Reader in(bytes, ".note.stapsdt", file.endian());
  while (in.remaining() >= 12) {
    std::uint32_t name_size = TRY(in.read<std::uint32_t>()), size = TRY(in.read<std::uint32_t>()), type = TRY(in.read<std::uint32_t>());
    Bytes name = TRY(in.take(align4(name_size)));
    Bytes description = TRY(in.take(std::min<std::uint64_t>(align4(size), std::max<std::uint64_t>(in.remaining(), size))));
    bool ours = name_size == kNoteName.size() && std::ranges::equal(name.first(name_size), bytes_of(kNoteName));
    if (ours && type == kNoteType) notes.push_back(TRY(read_note(file, description.first(size), base_section)));
  }
  return notes;
}

}  // namespace espy::symbol
