#include "object/elf_file.hpp"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <numeric>

namespace espy::object {
namespace {

constexpr std::uint16_t kMachineBpf = 247;
/// A .bss may be this large in all: an object's zeroes cost it nothing, but they cost us memory.
constexpr std::uint64_t kMostZeroes = std::uint64_t{256} << 20;
/// A section may be named by a path and a symbol. Names are copied to all that refers to them, so that long ones multiply.
constexpr std::size_t kLongestName = 4096 + 1024;

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfCloser>;

SectionType section_type(std::uint32_t type) {
  switch (type) {
    case SHT_PROGBITS: return SectionType::code_or_data;
    case SHT_NOBITS: return SectionType::zeroes;
    case SHT_SYMTAB: return SectionType::symbols;
    case SHT_STRTAB: return SectionType::strings;
    case SHT_REL:
    case SHT_RELA: return SectionType::relocations;
    default: return SectionType::other;
  }
}

SymbolType symbol_type(unsigned char info) {
  switch (GELF_ST_TYPE(info)) {
    case STT_NOTYPE: return SymbolType::untyped;
    case STT_OBJECT: return SymbolType::object;
    case STT_FUNC: return SymbolType::function;
    case STT_SECTION: return SymbolType::section;
    case STT_FILE: return SymbolType::file;
    default: return SymbolType::other;
  }
}

}  // namespace

/// Fills an ElfFile: libelf reads the headers and tables, this checks what they refer to.
class ElfDecoder {
 public:
  ElfDecoder(Bytes file, std::string path) : file_(file) { out_.path_ = std::move(path); }

  Result<ElfFile> decode() {
    TRY(open());
    TRY(read_sections());
    TRY(read_symbols());
    TRY(read_relocations());
    sort();
    return std::move(out_);
  }

 private:
  Result<void> open() {
    if (file_.size() < EI_NIDENT || std::memcmp(file_.data(), ELFMAG, SELFMAG) != 0) {
      auto error = fail_at(out_.path_, "not an ELF file");
      error.error().hint = "an eBPF object is what `clang -target bpf -O2 -g -c` writes";
      return error;
    }
    elf_version(EV_CURRENT);
    // libelf takes a pointer to non-const, but reads only: every file here is opened for reading.
    elf_.reset(elf_memory(const_cast<char*>(reinterpret_cast<const char*>(file_.data())), file_.size()));
    GElf_Ehdr header;
    if (!elf_ || elf_kind(elf_.get()) != ELF_K_ELF || gelf_getehdr(elf_.get(), &header) == nullptr)
      return fail_at(out_.path_, "the ELF header is damaged: {}", elf_errmsg(-1));
    if (gelf_getclass(elf_.get()) != ELFCLASS64) return fail_at(out_.path_, "a 32-bit ELF file: eBPF objects are 64-bit");
    out_.endian_ = header.e_ident[EI_DATA] == ELFDATA2MSB ? Endian::big : Endian::little;
    out_.machine_known_ = header.e_machine == kMachineBpf;
    if (header.e_machine != kMachineBpf && header.e_machine != EM_NONE) {
      auto error = fail_at(out_.path_, "ELF machine {} is not eBPF ({})", header.e_machine, kMachineBpf);
      error.error().hint = "compile with `-target bpf`";
      return error;
    }
    if (header.e_type != ET_REL && header.e_type != ET_NONE && header.e_type != ET_EXEC && header.e_type != ET_DYN)
      return fail_at(out_.path_, "ELF type {} is not a relocatable object", header.e_type);
    // libelf reads a file whose section headers are cut off as one that has none.
    if (header.e_shoff == 0) return fail_at(out_.path_, "an ELF file without sections");
    if (header.e_shoff > file_.size() || file_.size() - header.e_shoff < std::max<std::uint64_t>(header.e_shnum, 1) * sizeof(Elf64_Shdr))
      return fail_at(out_.path_, "the section headers, {} at {:#x}, reach past the end of the file, {:#x}", header.e_shnum, header.e_shoff, file_.size());
    return {};
  }

  Result<void> read_sections() {
    std::size_t count = 0, names = 0;
    if (elf_getshdrnum(elf_.get(), &count) != 0 || elf_getshdrstrndx(elf_.get(), &names) != 0)
      return fail_at(out_.path_, "the section headers are damaged: {}", elf_errmsg(-1));
    if (count > file_.size() / sizeof(Elf64_Shdr) + 1) return fail_at(out_.path_, "{} section headers do not fit into the file", count);
    out_.sections_.resize(count);
    out_.relocations_.resize(count);
    TRY(check_strings(names));
    std::uint64_t stored = 0, zeroes = 0;
    for (std::size_t i = 1; i < count; ++i) {
      GElf_Shdr header;
      Elf_Scn* scn = elf_getscn(elf_.get(), i);
      if (scn == nullptr || gelf_getshdr(scn, &header) == nullptr)
        return fail_at(out_.path_, "section header {} is damaged: {}", i, elf_errmsg(-1));
      const char* name = elf_strptr(elf_.get(), names, header.sh_name);
      ElfSection& section = out_.sections_[i];
      section = {.index = static_cast<std::uint32_t>(i), .name = name != nullptr ? name : "", .type = section_type(header.sh_type),
                 .executable = (header.sh_flags & SHF_EXECINSTR) != 0, .writable = (header.sh_flags & SHF_WRITE) != 0,
                 .allocated = (header.sh_flags & SHF_ALLOC) != 0, .file_offset = header.sh_offset, .size = header.sh_size, .bytes = {}};
      if (name == nullptr) return fail_at(out_.path_, "section {}: its name, at {:#x}, is outside the string table", i, header.sh_name);
      if (section.name.size() > kLongestName) return fail_at(out_.path_, "section {}: a name of {} characters", i, section.name.size());
      if (header.sh_type == SHT_NULL) continue;
      if (section.type == SectionType::zeroes) {
        if (section.size > kMostZeroes || (zeroes += section.size) > kMostZeroes)
          return fail_at(out_.where(section), "{} bytes of zeroes, more than {} in all", section.size, kMostZeroes);
        continue;
      }
      if (section.file_offset > file_.size() || section.size > file_.size() - section.file_offset)
        return fail_at(out_.where(section), "it reaches from {:#x} to {:#x}, the file ends at {:#x}", section.file_offset,
                       section.file_offset + section.size, file_.size());
      // Sections of a real object stand side by side. Without this bound, many headers could share one range and the
      // copies made of them would exceed any memory.
      if ((stored += section.size) > file_.size()) return fail_at(out_.where(section), "sections overlap");
      section.bytes = file_.subspan(section.file_offset, section.size);
    }
    return {};
  }

  /// A string table must end with NUL: libelf looks for its last one each time it is asked for a string.
  Result<void> check_strings(std::size_t table) {
    GElf_Shdr header;
    Elf_Scn* scn = elf_getscn(elf_.get(), table);
    if (table == 0 || scn == nullptr || gelf_getshdr(scn, &header) == nullptr) return {};  // no names
    if (header.sh_type != SHT_STRTAB || header.sh_size == 0) return {};                   // libelf reads none
    if (header.sh_offset > file_.size() || header.sh_size > file_.size() - header.sh_offset || file_[header.sh_offset + header.sh_size - 1] != std::byte{0})
      return fail_at(out_.path_, "the string table in section {} does not end with NUL inside the file", table);
    return {};
  }

  Result<void> read_symbols() {
    for (ElfSection& section : out_.sections_) {
      if (section.type != SectionType::symbols) continue;
      if (!out_.symbols_.empty()) return fail_at(out_.where(section), "a second symbol table");
      symbol_table_ = section.index;
      Elf_Scn* scn = elf_getscn(elf_.get(), section.index);
      GElf_Shdr header;
      Elf_Data* data = elf_getdata(scn, nullptr);
      if (gelf_getshdr(scn, &header) == nullptr || data == nullptr)
        return fail_at(out_.where(section), "the symbol table is damaged: {}", elf_errmsg(-1));
      TRY(check_strings(header.sh_link));
      const std::size_t count = data->d_size / sizeof(Elf64_Sym);
      out_.symbols_.reserve(count);
      for (std::size_t i = 0; i < count; ++i) {
        GElf_Sym symbol;
        if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr)
          return fail_at(out_.where(section), "symbol {} is damaged: {}", i, elf_errmsg(-1));
        TRY(add_symbol(section, header.sh_link, i, symbol));
      }
    }
    return {};
  }

  Result<void> add_symbol(const ElfSection& table, std::size_t strings, std::size_t index, const GElf_Sym& symbol) {
    const char* name = elf_strptr(elf_.get(), strings, symbol.st_name);
    auto where = [&] { return out_.where(table, index * sizeof(Elf64_Sym)); };
    if (name == nullptr) return fail_at(where(), "symbol {}: its name, at {:#x}, is outside the string table", index, symbol.st_name);
    // Many symbols may share one long string: the copies are bounded by the file, generously.
    const std::size_t length = std::strlen(name);
    if (length > kLongestName) return fail_at(where(), "symbol {}: a name of {} characters", index, length);
    if ((name_bytes_ += length) > 16 * file_.size() + 4096) return fail_at(where(), "symbol names overlap");
    ElfSymbol result{.name = name, .section = symbol.st_shndx, .value = symbol.st_value, .size = symbol.st_size,
                     .type = symbol_type(symbol.st_info),
                     .hidden = GELF_ST_VISIBILITY(symbol.st_other) == STV_HIDDEN || GELF_ST_VISIBILITY(symbol.st_other) == STV_INTERNAL};
    if (GELF_ST_BIND(symbol.st_info) == STB_GLOBAL) result.binding = Binding::global;
    if (GELF_ST_BIND(symbol.st_info) == STB_WEAK) result.binding = Binding::weak;
    if (symbol.st_shndx >= SHN_LORESERVE) {
      result.section = kNoSection;
    } else if (symbol.st_shndx != SHN_UNDEF) {
      if (symbol.st_shndx >= out_.sections_.size())
        return fail_at(where(), "symbol {} `{}` is in section {}, there are {}", index, name, symbol.st_shndx, out_.sections_.size());
      const ElfSection& section = out_.sections_[symbol.st_shndx];
      if (result.value > section.size || result.size > section.size - result.value)
        return fail_at(where(), "symbol `{}` reaches to {:#x} of section {}, whose size is {:#x}", name, result.value + result.size,
                       section.name, section.size);
    }
    out_.symbols_.push_back(std::move(result));
    return {};
  }

  Result<void> read_relocations() {
    for (const ElfSection& section : out_.sections_) {
      if (section.type != SectionType::relocations) continue;
      Elf_Scn* scn = elf_getscn(elf_.get(), section.index);
      GElf_Shdr header;
      Elf_Data* data = elf_getdata(scn, nullptr);
      if (gelf_getshdr(scn, &header) == nullptr || data == nullptr)
        return fail_at(out_.where(section), "the relocations are damaged: {}", elf_errmsg(-1));
      if (header.sh_info >= out_.sections_.size() || header.sh_info == 0)
        return fail_at(out_.where(section), "it relocates section {}, there are {}", header.sh_info, out_.sections_.size());
      if (header.sh_link != symbol_table_) return fail_at(out_.where(section), "its symbol table is section {}, not the file's", header.sh_link);
      if (header.sh_type == SHT_RELA) return fail_at(out_.where(section), "relocations with addends (RELA): eBPF has none");
      const std::string_view patched = out_.sections_[header.sh_info].name;
      if (patched.starts_with(".debug_")) continue;
      auto& relocations = out_.relocations_[header.sh_info];
      const std::size_t count = data->d_size / sizeof(Elf64_Rel);
      for (std::size_t i = 0; i < count; ++i) {
        GElf_Rel rel;
        if (gelf_getrel(data, static_cast<int>(i), &rel) == nullptr)
          return fail_at(out_.where(section), "relocation {} is damaged: {}", i, elf_errmsg(-1));
        if (GELF_R_SYM(rel.r_info) >= out_.symbols_.size())
          return fail_at(out_.where(section, i * sizeof(Elf64_Rel)), "relocation {} refers to symbol {}, there are {}", i,
                         GELF_R_SYM(rel.r_info), out_.symbols_.size());
        relocations.push_back({.offset = rel.r_offset, .symbol = static_cast<std::uint32_t>(GELF_R_SYM(rel.r_info)),
                               .type = static_cast<RelocationType>(GELF_R_TYPE(rel.r_info))});
      }
    }
    return {};
  }

  /// Orders what is looked up.
  void sort() {
    for (auto& relocations : out_.relocations_) std::ranges::stable_sort(relocations, {}, &ElfRelocation::offset);
    auto numbers = [](std::size_t count) {
      std::vector<std::uint32_t> all(count);
      std::iota(all.begin(), all.end(), 0U);
      return all;
    };
    out_.sections_by_name_ = numbers(out_.sections_.size());
    std::ranges::stable_sort(out_.sections_by_name_, {}, [&](std::uint32_t i) { return std::string_view(out_.sections_[i].name); });
    out_.symbols_by_section_ = numbers(out_.symbols_.size());
    std::ranges::stable_sort(out_.symbols_by_section_, {}, [&](std::uint32_t i) { return out_.symbols_[i].section; });
  }

  Bytes file_;
  ElfHandle elf_;
  ElfFile out_;
  std::uint32_t symbol_table_ = 0;
  std::uint64_t name_bytes_ = 0;
};

Result<ElfFile> ElfFile::parse(Bytes file, std::string path) { return ElfDecoder(file, std::move(path)).decode(); }

const ElfSection* ElfFile::find_section(std::string_view name) const {
  auto found = std::ranges::lower_bound(sections_by_name_, name, {}, [this](std::uint32_t i) { return std::string_view(sections_[i].name); });
  return found == sections_by_name_.end() || sections_[*found].name != name ? nullptr : &sections_[*found];
}

std::span<const std::uint32_t> ElfFile::symbols_of(const ElfSection& section) const {
  auto found = std::ranges::equal_range(symbols_by_section_, section.index, {}, [this](std::uint32_t i) { return symbols_[i].section; });
  return {found.begin(), found.end()};
}

std::string_view ElfFile::name_of(const ElfSymbol& symbol) const {
  if (symbol.name.empty() && symbol.section != kNoSection) return sections_[symbol.section].name;
  return symbol.name;
}

std::string ElfFile::where(const ElfSection& section) const { return fmt::format("{}: section {}", path_, section.name); }
std::string ElfFile::where(const ElfSection& section, std::uint64_t offset) const {
  return fmt::format("{}: section {}: offset {:#x}", path_, section.name, offset);
}

}  // namespace espy::object
