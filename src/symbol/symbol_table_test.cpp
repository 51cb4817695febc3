#include "symbol/symbol_table.hpp"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

namespace espy::symbol {
namespace {

struct Named {
  std::string name;
  std::uint64_t address, size;
  unsigned char type = STT_FUNC, binding = STB_GLOBAL;
};

// An ELF file with one segment of code and these symbols.
ElfFile file_with(const std::vector<Named>& symbols) {
  std::vector<std::byte> bytes(sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr));
  std::string strings(1, '\0');
  std::vector<Elf64_Sym> table(1);
  for (const Named& s : symbols) {
    table.push_back({.st_name = static_cast<Elf64_Word>(strings.size()), .st_info = static_cast<unsigned char>(s.binding << 4 | s.type),
                     .st_shndx = 1, .st_value = s.address, .st_size = s.size});
    strings += s.name + '\0';
  }
  auto append = [&](const void* data, std::size_t size) {
    std::size_t at = bytes.size();
    bytes.resize(at + size);
    std::memcpy(bytes.data() + at, data, size);
    return at;
  };
  Elf64_Shdr sections[3]{};
  sections[1] = {.sh_type = SHT_SYMTAB, .sh_offset = append(table.data(), table.size() * sizeof(Elf64_Sym)), .sh_size = table.size() * sizeof(Elf64_Sym), .sh_link = 2};
  sections[2] = {.sh_type = SHT_STRTAB, .sh_offset = append(strings.data(), strings.size()), .sh_size = strings.size()};
  Elf64_Phdr segment{.p_type = PT_LOAD, .p_flags = PF_X, .p_offset = 0, .p_vaddr = 0x1000, .p_filesz = 0x1000, .p_memsz = 0x1000};
  Elf64_Ehdr header{.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_phoff = sizeof(Elf64_Ehdr), .e_phentsize = sizeof segment, .e_phnum = 1,
                    .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64, header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_shoff = append(sections, sizeof sections);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &segment, sizeof segment);
  return ElfFile::parse(std::move(bytes), "made").value();
}

std::string name_at(const SymbolTable& table, std::uint64_t address) {
  auto symbol = table.function_at(address);
  return symbol ? std::string(symbol->name) : std::string();
}

TEST(SymbolTable, FindsTheFunctionAround) {
  auto table = SymbolTable::read(file_with({{"second", 0x1100, 0x20}, {"first", 0x1000, 0x80}, {"data", 0x1140, 8, STT_OBJECT}})).value();
  EXPECT_EQ(name_at(table, 0x1000), "first");
  EXPECT_EQ(name_at(table, 0x107f), "first");
  EXPECT_EQ(name_at(table, 0x1080), "");
  EXPECT_EQ(name_at(table, 0x111f), "second");
  EXPECT_EQ(name_at(table, 0x1140), "");
  EXPECT_EQ(name_at(table, 0xfff), "");
  EXPECT_EQ(table.find("data")->size, 8U);
  EXPECT_FALSE(table.find("dat"));
  EXPECT_FALSE(table.find(""));
  EXPECT_FALSE(table.find(std::string_view("data\0x", 6)));
}

TEST(SymbolTable, OfSeveralNamesTheBest) {
  auto table = SymbolTable::read(file_with({{"__write", 0x1000, 16}, {"local", 0x1000, 16, STT_FUNC, STB_LOCAL}, {"write", 0x1000, 16, STT_FUNC, STB_WEAK},
                                            {"unsized", 0x1000, 0}})).value();
  EXPECT_EQ(name_at(table, 0x1008), "write");
}

TEST(SymbolTable, FunctionsWithinOthersAndOfUnknownSize) {
  auto table = SymbolTable::read(file_with({{"outer", 0x1000, 0x100}, {"inner", 0x1010, 0x10}, {"assembly", 0x1200, 0, STT_NOTYPE}, {"next", 0x1280, 4}, {"last", 0x1f00, 0}})).value();
  EXPECT_EQ(name_at(table, 0x1018), "inner");
  EXPECT_EQ(name_at(table, 0x1020), "outer");
  EXPECT_EQ(name_at(table, 0x127f), "assembly");
  EXPECT_EQ(name_at(table, 0x1fff), "last");    // the segment's end
  EXPECT_EQ(name_at(table, 0x2000), "");
}

TEST(SymbolTable, VersionsAreNoPartOfNames) {
  auto table = SymbolTable::read(file_with({{"malloc@@GLIBC_2.2.5", 0x1000, 16}})).value();
  EXPECT_EQ(name_at(table, 0x1000), "malloc");
  EXPECT_TRUE(table.find("malloc"));
}

TEST(SymbolTable, WithoutSymbolsIsEmpty) {
  EXPECT_EQ(SymbolTable::read(file_with({})).value().size(), 0U);
  EXPECT_FALSE(SymbolTable().function_at(0));
}

}  // namespace
}  // namespace espy::symbol
