#include "symbol/elf_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "symbol/archive.hpp"

namespace espy::symbol {

namespace {

// The text at an offset of a string table; empty if it is not there or does not end.
std::string_view string_at(Bytes strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const char* begin = reinterpret_cast<const char*>(strings.data()) + offset;
  std::size_t length = ::strnlen(begin, strings.size() - offset);
  return length == strings.size() - offset ? std::string_view{} : std::string_view(begin, length);
}

// Reads the fields of one table entry: those of a word's size are 4 or 8 bytes by class.
class Fields {
 public:
  Fields(Bytes bytes, std::string_view what, Endian endian, bool is_64) : reader_(bytes, what, endian), is_64_(is_64) {}
  Result<std::uint64_t> word() {
    if (is_64_) return reader_.read<std::uint64_t>();
    return std::uint64_t{TRY(reader_.read<std::uint32_t>())};
  }
  Result<std::uint32_t> u32() { return reader_.read<std::uint32_t>(); }
  Result<std::uint16_t> u16() { return reader_.read<std::uint16_t>(); }
  Result<std::uint8_t> u8() { return reader_.read<std::uint8_t>(); }
  Result<void> seek(std::size_t offset) { return reader_.seek(offset); }

 private:
  Reader reader_;
  bool is_64_;
};

}  // namespace

Result<ElfFile> ElfFile::open(const std::string& path) {
  auto fd = open_file(path, O_RDONLY | O_NONBLOCK);
  const auto parts = archive_path(path);
  if (fd || !parts) return adopt(TRY(std::move(fd)), path);
  ElfFile archive;
  archive.path_ = parts->first;
  archive.fd_ = TRY(open_file(parts->first, O_RDONLY | O_NONBLOCK));
  struct stat status {};
  if (::fstat(archive.fd_.get(), &status) != 0) return fail_sys(errno, "stat {}", archive.path_);
  archive.size_ = static_cast<std::uint64_t>(status.st_size);
  const auto read = [&](std::uint64_t offset, std::uint64_t size) { return archive.read_at(offset, size, "the archive"); };
  const ArchiveMember member = TRY(find_member(read, archive.size_, parts->first, parts->second));
  ElfFile file;
  file.path_ = path;
  file.fd_ = std::move(archive.fd_);
  file.begin_ = member.offset;
  file.size_ = member.size;
  TRY(file.read_header());
  return file;
}

Result<ElfFile> ElfFile::adopt(UniqueFd fd, std::string path) {
  ElfFile file;
  file.path_ = std::move(path);
  file.fd_ = std::move(fd);
  struct stat status {};
  if (::fstat(file.fd_.get(), &status) != 0) return fail_sys(errno, "stat {}", file.path_);
  if (!S_ISREG(status.st_mode)) return fail(ErrorKind::invalid_argument, "{} is no regular file", file.path_);
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  TRY(file.read_header());
  return file;
}

Result<ElfFile> ElfFile::parse(std::vector<std::byte> bytes, std::string path) {
  ElfFile file;
  file.path_ = std::move(path);
  file.size_ = bytes.size();
  file.bytes_ = std::move(bytes);
  TRY(file.read_header());
  return file;
}

Result<std::vector<std::byte>> ElfFile::read_at(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
  if (offset > size_ || size > size_ - offset)
    return fail(ErrorKind::malformed, "{}: {} at {:#x} (+{:#x}) is past the end of the file, {:#x}", path_, what, offset, size, size_);
  std::vector<std::byte> bytes(size);
  if (!fd_) {
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, bytes.begin());
    return bytes;
  }
  for (std::size_t done = 0; done < size;) {
    ssize_t got = ::pread(fd_.get(), bytes.data() + done, size - done, static_cast<off_t>(begin_ + offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_sys(errno, "read {}", path_);
    if (got == 0) return fail(ErrorKind::malformed, "{}: ends in {} at {:#x}", path_, what, offset + done);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<void> ElfFile::read_header() {
  auto ident = read_at(0, EI_NIDENT, "ELF header");
  if (!ident || load<std::uint32_t>(*ident, 0, Endian::big) != 0x7f454c46)
    return fail(ErrorKind::malformed, "{} is no ELF file", path_);
  auto byte = [&](std::size_t i) { return std::to_integer<unsigned>((*ident)[i]); };
  if (byte(EI_CLASS) != ELFCLASS32 && byte(EI_CLASS) != ELFCLASS64)
    return fail(ErrorKind::malformed, "{}: ELF class {} is neither 32 nor 64 bit", path_, byte(EI_CLASS));
  is_64_ = byte(EI_CLASS) == ELFCLASS64;
  endian_ = byte(EI_DATA) == ELFDATA2MSB ? Endian::big : Endian::little;
  std::size_t size = is_64_ ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
  std::vector<std::byte> bytes = TRY(read_at(0, size, "ELF header"));
  Fields in(bytes, "ELF header", endian_, is_64_);
  TRY(in.seek(EI_NIDENT));
  type_ = TRY(in.u16());
  machine_ = TRY(in.u16());
  TRY(in.u32());
  TRY(in.word());  // e_entry
  std::uint64_t segments = TRY(in.word()), sections = TRY(in.word());
  TRY(in.u32());
  TRY(in.u16());
  std::uint16_t segment_size = TRY(in.u16()), segment_count = TRY(in.u16());
  std::uint16_t section_size = TRY(in.u16()), section_count = TRY(in.u16()), names = TRY(in.u16());
  if (segment_count != 0) TRY(read_segments(segments, segment_size, segment_count));
  if (sections != 0) TRY(read_sections(sections, section_size, section_count, names));
  return {};
}

Result<void> ElfFile::read_segments(std::uint64_t offset, std::uint16_t entry_size, std::uint32_t count) {
  if (entry_size < (is_64_ ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
    return fail(ErrorKind::malformed, "{}: program headers of {} bytes", path_, entry_size);
  std::vector<std::byte> table = TRY(read_at(offset, std::uint64_t{entry_size} * count, "program headers"));
  for (std::uint32_t i = 0; i < count; ++i) {
    Fields in(Bytes(table).subspan(std::size_t{i} * entry_size, entry_size), "program header", endian_, is_64_);
    Segment segment;
    segment.type = TRY(in.u32());
    if (is_64_) segment.flags = TRY(in.u32());
    segment.offset = TRY(in.word());
    segment.address = TRY(in.word());
    TRY(in.word());  // p_paddr
    segment.file_size = TRY(in.word());
    segment.memory_size = TRY(in.word());
    if (!is_64_) segment.flags = TRY(in.u32());
    segments_.push_back(segment);
  }
  return {};
}

Result<void> ElfFile::read_sections(std::uint64_t offset, std::uint16_t entry_size, std::uint32_t count, std::uint32_t names) {
  if (entry_size < (is_64_ ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
    return fail(ErrorKind::malformed, "{}: section headers of {} bytes", path_, entry_size);
  std::vector<std::uint32_t> name_offsets;
  auto read_one = [&](Bytes bytes) -> Result<void> {
    Fields in(bytes, "section header", endian_, is_64_);
    Section section;
    name_offsets.push_back(TRY(in.u32()));
    section.type = TRY(in.u32());
    TRY(in.word());  // sh_flags
    section.address = TRY(in.word());
    section.offset = TRY(in.word());
    section.size = TRY(in.word());
    section.link = TRY(in.u32());
    std::uint32_t info = TRY(in.u32());
    TRY(in.word());  // sh_addralign
    section.entry_size = TRY(in.word());
    // More sections than 16 bits count are counted in the first header.
    if (sections_.empty() && count == 0) count = static_cast<std::uint32_t>(std::min<std::uint64_t>(section.size, 1U << 24));
    if (sections_.empty() && names == SHN_XINDEX) names = section.link;
    static_cast<void>(info);
    sections_.push_back(std::move(section));
    return {};
  };
  TRY(read_one(TRY(read_at(offset, entry_size, "section headers"))));
  if (count > 1) {
    std::vector<std::byte> table = TRY(read_at(offset + entry_size, std::uint64_t{entry_size} * (count - 1), "section headers"));
    for (std::uint32_t i = 0; i + 1 < count; ++i) TRY(read_one(Bytes(table).subspan(std::size_t{i} * entry_size, entry_size)));
  }
  if (names >= sections_.size()) return {};
  std::vector<std::byte> strings = TRY(contents(sections_[names]));
  for (std::size_t i = 0; i < sections_.size(); ++i) sections_[i].name = string_at(strings, name_offsets[i]);
  return {};
}

const Section* ElfFile::find_section(std::string_view name) const {
  auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

Result<std::vector<std::byte>> ElfFile::contents(const Section& section) const {
  if (section.type == SHT_NOBITS) return std::vector<std::byte>{};
  return read_at(section.offset, section.size, section.name.empty() ? "a section" : "section " + section.name);
}

std::optional<std::uint64_t> ElfFile::file_offset(std::uint64_t address) const {
  for (const Segment& s : segments_)
    if (s.type == PT_LOAD && address >= s.address && address - s.address < s.file_size) return begin_ + address - s.address + s.offset;
  return std::nullopt;
}

std::optional<std::uint64_t> ElfFile::address_of_offset(std::uint64_t offset) const {
  std::optional<std::uint64_t> address;
  if (offset < begin_) return address;
  offset -= begin_;
  for (const Segment& s : segments_) {
    if (s.type != PT_LOAD || offset < s.offset || offset - s.offset >= s.file_size) continue;
    if (s.flags & PF_X) return offset - s.offset + s.address;
    if (!address) address = offset - s.offset + s.address;
  }
  return address;
}

Result<std::vector<std::byte>> ElfFile::whole(std::uint64_t limit) const {
  if (size_ > limit) return fail(ErrorKind::exhausted, "{} has {} bytes, more than {} are not read", path_, size_, limit);
  return read_at(0, size_, "the file");
}

// .gnu.version_d: the names of the versions this file defines, by number. Both its lists are chains of relative offsets,
// which only ever go forward: they end.
Result<std::vector<std::string>> ElfFile::version_names() const {
  std::vector<std::string> names;
  auto section = std::ranges::find(sections_, SHT_GNU_verdef, &Section::type);
  if (section == sections_.end() || section->link >= sections_.size()) return names;
  std::vector<std::byte> bytes = TRY(contents(*section)), strings = TRY(contents(sections_[section->link]));
  for (std::size_t at = 0; at + sizeof(Elf64_Verdef) <= bytes.size();) {
    std::uint16_t index = load<std::uint16_t>(bytes, at + 4, endian_) & 0x7fff;
    std::uint32_t aux = load<std::uint32_t>(bytes, at + 12, endian_), next = load<std::uint32_t>(bytes, at + 16, endian_);
    if (std::uint64_t name_at = at + aux; name_at + sizeof(Elf64_Verdaux) <= bytes.size()) {
      if (names.size() <= index) names.resize(index + 1U);
      names[index] = string_at(strings, load<std::uint32_t>(bytes, name_at, endian_));
    }
    if (next == 0) break;
    at += next;
  }
  return names;
}

Result<void> ElfFile::add_functions(const Section& table, std::vector<Function>& functions) const {
  std::size_t entry = is_64_ ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
  if (table.link >= sections_.size()) return {};
  std::vector<std::byte> symbols = TRY(contents(table)), strings = TRY(contents(sections_[table.link]));
  std::vector<std::byte> versions;
  std::vector<std::string> version_names_of;
  if (table.type == SHT_DYNSYM) {
    auto section = std::ranges::find(sections_, SHT_GNU_versym, &Section::type);
    if (section != sections_.end()) versions = TRY(contents(*section));
    version_names_of = TRY(version_names());
  }
  for (std::size_t i = 0; (i + 1) * entry <= symbols.size(); ++i) {
    Fields in(Bytes(symbols).subspan(i * entry, entry), "symbol", endian_, is_64_);
    std::uint32_t name = TRY(in.u32());
    Function function;
    if (!is_64_) function.address = TRY(in.u32()), function.size = TRY(in.u32());
    std::uint8_t info = TRY(in.u8());
    TRY(in.u8());
    std::uint16_t section = TRY(in.u16());
    if (is_64_) function.address = TRY(in.word()), function.size = TRY(in.word());
    unsigned type = info & 0xf;
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || section == SHN_UNDEF) continue;
    auto offset = file_offset(function.address);
    if (!offset) continue;
    function.file_offset = *offset;
    function.indirect = type == STT_GNU_IFUNC;
    function.local = (info >> 4) == STB_LOCAL;
    std::string_view text = string_at(strings, name);
    // .symtab spells versions out: "malloc@@GLIBC_2.2.5".
    std::size_t at = text.find('@');
    function.name = text.substr(0, at);
    if (at != text.npos) {
      function.default_version = text.substr(at).starts_with("@@");
      function.version = text.substr(at + (function.default_version ? 2 : 1));
    } else if ((i + 1) * 2 <= versions.size()) {
      std::uint16_t version = load<std::uint16_t>(versions, i * 2, endian_);
      if (std::size_t number = version & 0x7fff; number > 1 && number < version_names_of.size()) {
        function.version = version_names_of[number];
        function.default_version = (version & 0x8000) == 0;
      }
    }
    if (!function.name.empty()) functions.push_back(std::move(function));
  }
  return {};
}

Result<std::vector<Function>> ElfFile::functions() const {
  std::vector<Function> functions;
  for (const Section& section : sections_)
    if (section.type == SHT_SYMTAB || section.type == SHT_DYNSYM) TRY(add_functions(section, functions));
  // The same function of both tables: the entry with a version tells more.
  auto key = [](const Function& f) { return std::tuple(std::string_view(f.name), f.address, f.version.empty()); };
  std::ranges::sort(functions, [&](const Function& a, const Function& b) { return key(a) < key(b); });
  auto same = [](const Function& a, const Function& b) {
    return a.name == b.name && a.address == b.address && (a.version == b.version || b.version.empty());
  };
  auto rest = std::ranges::unique(functions, same);
  functions.erase(rest.begin(), rest.end());
  return functions;
}

}  // namespace espy::symbol
