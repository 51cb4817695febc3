// A program has some hundred to some hundred thousand symbols and is asked for a few: reading them is what counts. The two
// sections are read as they are; entries keep sixteen bytes of each symbol that has code or data, and the names stay where
// they are. Sorting by address, the better of several names first, is most of the cost (100,000 symbols: some ms).
#include "symbol/symbol_table.hpp"

#include <elf.h>

#include <algorithm>

namespace espy::symbol {

namespace {

// Flags in Entry::name: string tables are below a gigabyte.
constexpr std::uint32_t kIsData = 1U << 31, kIsLocal = 1U << 30, kNameMask = kIsLocal - 1;
constexpr std::uint64_t kTableLimit = std::uint64_t{1} << 30;

// One symbol as both classes hold it.
struct Raw {
  std::uint32_t name = 0;
  std::uint8_t info = 0;
  std::uint16_t section = 0;
  std::uint64_t address = 0, size = 0;
};

template <typename Sym>
Raw read_symbol(const std::byte* at, Endian endian) {
  Sym sym;
  std::memcpy(&sym, at, sizeof sym);
  if (endian == Endian::native) return {sym.st_name, sym.st_info, sym.st_shndx, sym.st_value, sym.st_size};
  return {swap_bytes(sym.st_name), sym.st_info, swap_bytes(sym.st_shndx), swap_bytes(sym.st_value), swap_bytes(sym.st_size)};
}

const Section* find_type(const ElfFile& file, std::uint32_t type) {
  auto found = std::ranges::find(file.sections(), type, &Section::type);
  return found == file.sections().end() || found->link >= file.sections().size() ? nullptr : &*found;
}

std::string_view text_at(Bytes names, std::uint32_t offset) {
  const char* begin = reinterpret_cast<const char*>(names.data()) + offset;   // the last byte is a NUL, see read()
  return {begin};
}

// The last places where code and data lie, for what has no size: its segment's end.
std::uint64_t segment_end(const std::vector<Segment>& segments, std::uint64_t address) {
  for (const Segment& s : segments)
    if (s.type == PT_LOAD && address >= s.address && address - s.address < s.memory_size) return s.address + s.memory_size;
  return address;
}

// How good a name is, smaller is better: global before local, then few leading underscores.
unsigned rank(std::string_view name, bool local) {
  std::size_t underscores = std::min<std::size_t>(name.find_first_not_of('_'), 15);
  return (local ? 16U : 0U) + static_cast<unsigned>(underscores);
}

}  // namespace

Result<SymbolTable> SymbolTable::read(const ElfFile& file, const ElfFile* debug) {
  SymbolTable table;
  const ElfFile* from = &file;
  const Section* symbols = find_type(file, SHT_SYMTAB);
  if (symbols == nullptr && debug != nullptr) {
    symbols = find_type(*debug, SHT_SYMTAB);
    if (symbols != nullptr) from = debug;
  }
  if (symbols == nullptr) symbols = find_type(file, SHT_DYNSYM);
  if (symbols == nullptr) return table;
  const Section& strings = from->sections()[symbols->link];
  if (symbols->size > kTableLimit || strings.size >= kNameMask)
    return fail(ErrorKind::exhausted, "{}: a symbol table of {} bytes is not read", from->path(), symbols->size);
  std::vector<std::byte> bytes = TRY(from->contents(*symbols));
  table.names_ = TRY(from->contents(strings));
  table.names_.push_back(std::byte{0});
  const bool wide = from->is_64();
  const std::size_t each = wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
  table.entries_.reserve(bytes.size() / each);
  for (std::size_t at = 0; at + each <= bytes.size(); at += each) {
    Raw raw = wide ? read_symbol<Elf64_Sym>(bytes.data() + at, from->endian()) : read_symbol<Elf32_Sym>(bytes.data() + at, from->endian());
    const unsigned type = raw.info & 0xf;
    const bool code = type == STT_FUNC || type == STT_GNU_IFUNC, data = type == STT_OBJECT;
    // Code that an assembler made may have no type.
    if ((!code && !data && type != STT_NOTYPE) || raw.section == SHN_UNDEF || raw.section >= SHN_LORESERVE) continue;
    if (raw.name >= table.names_.size() || table.names_[raw.name] == std::byte{0}) continue;
    const bool local = raw.info >> 4 == STB_LOCAL;
    if (type == STT_NOTYPE && (local || raw.size == 0) && text_at(table.names_, raw.name).starts_with('$')) continue;   // arm64's marks
    table.entries_.push_back({raw.address, static_cast<std::uint32_t>(std::min<std::uint64_t>(raw.size, UINT32_MAX)),
                              raw.name | (data ? kIsData : 0) | (local ? kIsLocal : 0)});
  }
  table.finish(file.segments());
  return table;
}

// Sorts; gives code without a size what there is up to the next symbol.
void SymbolTable::finish(const std::vector<Segment>& segments) {
  auto before = [&](const Entry& a, const Entry& b) {
    if (a.address != b.address) return a.address < b.address;
    if ((a.size == 0) != (b.size == 0)) return b.size == 0;
    return rank(text_at(names_, a.name & kNameMask), a.name & kIsLocal) < rank(text_at(names_, b.name & kNameMask), b.name & kIsLocal);
  };
  std::ranges::sort(entries_, before);
  std::uint64_t next = 0;
  for (std::size_t i = entries_.size(); i-- > 0;) {
    Entry& entry = entries_[i];
    if (i + 1 < entries_.size() && entries_[i + 1].address != entry.address) next = entries_[i + 1].address;
    if (entry.size != 0 || entry.name & kIsData) continue;
    std::uint64_t end = segment_end(segments, entry.address);
    if (next > entry.address) end = std::min(end, next);
    entry.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(end - entry.address, UINT32_MAX));
  }
  entries_.shrink_to_fit();
}

Symbol SymbolTable::symbol(const Entry& entry) const {
  return {.name = text_at(names_, entry.name & kNameMask).substr(0, text_at(names_, entry.name & kNameMask).find('@')), .address = entry.address, .size = entry.size};
}

std::optional<Symbol> SymbolTable::function_at(std::uint64_t address) const {
  // Functions may lie in one another (parts that were split off, entry points in assembly): the nearest begin that reaches
  // the address, among the few before it.
  constexpr int kLookBack = 16;
  auto after = std::ranges::upper_bound(entries_, address, {}, &Entry::address);
  const Entry* best = nullptr;
  for (int i = 0; i < kLookBack && after != entries_.begin(); ++i) {
    const Entry& entry = *--after;
    if (best != nullptr && entry.address != best->address) break;
    if (!(entry.name & kIsData) && address - entry.address < entry.size) best = &entry;   // of one place the first is best
  }
  if (best == nullptr) return std::nullopt;
  return symbol(*best);
}

std::optional<Symbol> SymbolTable::find(std::string_view name) const {
  const Entry* found = nullptr;
  if (name.empty() || name.find('\0') != name.npos) return std::nullopt;
  for (const Entry& entry : entries_) {
    const char* text = reinterpret_cast<const char*>(names_.data()) + (entry.name & kNameMask);
    if (std::strncmp(text, name.data(), name.size()) != 0 || (text[name.size()] != '\0' && text[name.size()] != '@')) continue;
    if (found == nullptr || (found->name & kIsLocal && !(entry.name & kIsLocal))) found = &entry;
  }
  if (found == nullptr) return std::nullopt;
  return symbol(*found);
}

}  // namespace espy::symbol
