#include "object/elf_writer.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/bytes.hpp"

namespace espy::object {

namespace {

class StringTable {
 public:
  std::uint32_t add(const std::string& text) {
    if (text.empty()) return 0;
    auto [found, fresh] = offsets_.try_emplace(text, static_cast<std::uint32_t>(bytes_.size()));
    if (fresh) {
      for (char c : text) bytes_.push_back(static_cast<std::byte>(c));
      bytes_.push_back(std::byte{0});
    }
    return found->second;
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_{std::byte{0}};
  std::unordered_map<std::string, std::uint32_t> offsets_;
};

// A section header before offsets are known.
struct Header {
  ElfWriter::Section content;
  std::uint32_t link = 0, info = 0;
  std::uint64_t entry_size = 0;
};

void write_header(Writer& out, std::uint32_t name, const Header& header, std::uint64_t offset) {
  const ElfWriter::Section& section = header.content;
  out.write(name);
  out.write(section.type);
  out.write(section.flags);
  out.write(std::uint64_t{0});
  out.write(offset);
  out.write(section.type == SHT_NOBITS ? section.empty_size : std::uint64_t{section.bytes.size()});
  out.write(header.link);
  out.write(header.info);
  out.write(section.alignment);
  out.write(header.entry_size);
}

void write_file_header(Writer& out, std::uint64_t headers_offset, std::uint16_t sections, std::uint16_t names_section) {
  for (unsigned char c : {std::uint8_t{ELFMAG0}, std::uint8_t{ELFMAG1}, std::uint8_t{ELFMAG2}, std::uint8_t{ELFMAG3},
                          std::uint8_t{ELFCLASS64}, std::uint8_t{ELFDATA2LSB}, std::uint8_t{EV_CURRENT}}) {
    out.write(c);
  }
  out.pad_to(EI_NIDENT);
  out.write(std::uint16_t{ET_REL});
  out.write(std::uint16_t{EM_BPF});
  out.write(std::uint32_t{EV_CURRENT});
  out.write(std::uint64_t{0});  // entry
  out.write(std::uint64_t{0});  // program headers
  out.write(headers_offset);
  out.write(std::uint32_t{0});  // flags
  out.write(std::uint16_t{sizeof(Elf64_Ehdr)});
  out.write(std::uint16_t{0});
  out.write(std::uint16_t{0});
  out.write(std::uint16_t{sizeof(Elf64_Shdr)});
  out.write(sections);
  out.write(names_section);
}

}  // namespace

ElfWriter::SectionId ElfWriter::add_section(Section section) {
  sections_.push_back(std::move(section));
  return SectionId(sections_.size());
}

ElfWriter::SymbolId ElfWriter::add_symbol(Symbol symbol) {
  symbols_.push_back(std::move(symbol));
  return SymbolId(symbols_.size() - 1);
}

void ElfWriter::add_relocation(SectionId section, std::uint64_t offset, SymbolId symbol, std::uint32_t type) {
  relocations_.push_back({section, offset, symbol, type});
}

std::vector<std::byte> ElfWriter::finish() {
  StringTable strings;
  std::vector<Header> headers(1);  // the null section
  headers[0].content = {.name = "", .type = SHT_NULL, .alignment = 0};
  for (Section& section : sections_) headers.push_back({.content = std::move(section)});
  auto symtab_index = static_cast<std::uint32_t>(headers.size());

  // Local symbols stand before all others; number[i] is where symbol i went.
  std::vector<std::uint32_t> number(symbols_.size());
  Writer symtab(Endian::little);
  for (std::size_t i = 0; i < sizeof(Elf64_Sym); ++i) symtab.write(std::uint8_t{0});
  std::uint32_t next = 1, locals = 1;
  for (bool local : {true, false}) {
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      const Symbol& symbol = symbols_[i];
      if ((symbol.bind == STB_LOCAL) != local) continue;
      number[i] = next++;
      symtab.write(strings.add(symbol.name));
      symtab.write(static_cast<std::uint8_t>((symbol.bind << 4) | symbol.type));
      symtab.write(std::uint8_t{STV_DEFAULT});
      symtab.write(static_cast<std::uint16_t>(symbol.section));
      symtab.write(symbol.value);
      symtab.write(symbol.size);
    }
    if (local) locals = next;
  }
  headers.push_back({.content = {.name = ".symtab", .type = SHT_SYMTAB, .bytes = std::move(symtab.buffer())},
                     .link = 0, .info = locals, .entry_size = sizeof(Elf64_Sym)});

  std::ranges::stable_sort(relocations_, {}, [](const Relocation& r) { return std::pair(r.section, r.offset); });
  for (std::size_t at = 0; at < relocations_.size();) {
    SectionId section = relocations_[at].section;
    Writer rel(Endian::little);
    for (; at < relocations_.size() && relocations_[at].section == section; ++at) {
      rel.write(relocations_[at].offset);
      rel.write((std::uint64_t{number[static_cast<std::size_t>(relocations_[at].symbol)]} << 32) | relocations_[at].type);
    }
    auto target = static_cast<std::uint32_t>(section);
    headers.push_back({.content = {.name = ".rel" + headers[target].content.name, .type = SHT_REL, .flags = SHF_INFO_LINK,
                                   .bytes = std::move(rel.buffer())},
                       .link = symtab_index, .info = target, .entry_size = sizeof(Elf64_Rel)});
  }

  auto strtab_index = static_cast<std::uint32_t>(headers.size());
  headers[symtab_index].link = strtab_index;
  std::vector<std::uint32_t> names;
  for (const Header& header : headers) names.push_back(strings.add(header.content.name));
  names.push_back(strings.add(".strtab"));
  headers.push_back({.content = {.name = ".strtab", .type = SHT_STRTAB, .alignment = 1, .bytes = strings.bytes()}});

  std::uint64_t offset = sizeof(Elf64_Ehdr);
  Writer body(Endian::little), table(Endian::little);
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const Section& section = headers[i].content;
    while ((offset + body.size()) % std::max<std::uint64_t>(section.alignment, 1) != 0) body.write(std::uint8_t{0});
    write_header(table, names[i], headers[i], section.type == SHT_NULL ? 0 : offset + body.size());
    if (section.type != SHT_NOBITS) body.append(section.bytes);
  }
  body.pad_to(8);
  Writer out(Endian::little);
  write_file_header(out, offset + body.size(), static_cast<std::uint16_t>(headers.size()), static_cast<std::uint16_t>(strtab_index));
  out.append(body.buffer());
  out.append(table.buffer());
  return std::move(out.buffer());
}

}  // namespace espy::object
