// An ELF program or library, as far as probing it needs: sections, segments, function symbols with their versions.
//
// The file is read piece by piece where it is asked for, never mapped (a file that shrinks meanwhile must not fault). All
// numbers in it are checked against its size. Both classes (32 and 64 bit) are read, little endian and big.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"

namespace espy::symbol {

struct Section {
  std::string name;
  std::uint32_t type = 0, link = 0;
  std::uint64_t address = 0, offset = 0, size = 0, entry_size = 0;
};

struct Segment {
  std::uint32_t type = 0, flags = 0;
  std::uint64_t offset = 0, address = 0, file_size = 0, memory_size = 0;
};

/// A function that the file defines.
struct Function {
  std::string name;             ///< without a version
  std::string version;          ///< "GLIBC_2.2.5"; empty: none
  bool default_version = true;  ///< name@@version, or no version
  bool local = false;
  bool indirect = false;        ///< an ifunc: its code only chooses the function that runs
  std::uint64_t address = 0, size = 0;
  std::uint64_t file_offset = 0;
};

class ElfFile {
 public:
  /// Also "ARCHIVE!/MEMBER", a library in a zip archive: offsets in the file are then those in the archive.
  static Result<ElfFile> open(const std::string& path);
  /// Of a file that is open; `path` is for messages.
  static Result<ElfFile> adopt(UniqueFd fd, std::string path);
  /// From memory; `path` is for messages.
  static Result<ElfFile> parse(std::vector<std::byte> bytes, std::string path);

  const std::string& path() const { return path_; }
  std::uint16_t machine() const { return machine_; }   ///< e_machine: 62 x86-64, 183 arm64
  bool is_64() const { return is_64_; }
  /// Linked to run at its own addresses (ET_EXEC), not moved when loaded.
  bool is_position_dependent() const { return type_ == 2; }
  Endian endian() const { return endian_; }
  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const Section* find_section(std::string_view name) const;
  Result<std::vector<std::byte>> contents(const Section& section) const;
  /// The whole file, as far as `limit` allows.
  Result<std::vector<std::byte>> whole(std::uint64_t limit) const;
  int fd() const { return begin_ == 0 ? fd_.get() : -1; }   ///< -1: it is in memory, or in an archive

  /// Where the byte at this address stands in the file; nullopt: in no loaded segment's file part.
  std::optional<std::uint64_t> file_offset(std::uint64_t address) const;
  /// The other way: at which address the byte at this offset is loaded; of several, where it can be executed.
  std::optional<std::uint64_t> address_of_offset(std::uint64_t offset) const;

  /// All functions defined here, of .symtab and .dynsym, each address and name once. Sorted by name.
  Result<std::vector<Function>> functions() const;

 private:
  ElfFile() = default;
  Result<std::vector<std::byte>> read_at(std::uint64_t offset, std::uint64_t size, std::string_view what) const;
  Result<void> read_header();
  Result<void> read_sections(std::uint64_t offset, std::uint16_t entry_size, std::uint32_t count, std::uint32_t names);
  Result<void> read_segments(std::uint64_t offset, std::uint16_t entry_size, std::uint32_t count);
  Result<void> add_functions(const Section& table, std::vector<Function>& functions) const;
  Result<std::vector<std::string>> version_names() const;

  std::string path_;
  UniqueFd fd_;
  std::vector<std::byte> bytes_;   // instead of fd_
  std::uint64_t begin_ = 0;        ///< where it stands in what fd_ is: not 0 in an archive
  std::uint64_t size_ = 0;
  bool is_64_ = true;
  Endian endian_ = Endian::native;
  std::uint16_t machine_ = 0, type_ = 0;
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
};

/// The function that `name` ("malloc", "malloc@GLIBC_2.2.5", "ns::f") means; the default version if it names none. The
/// error names what is near, or the versions to choose from.
Result<Function> find_function(const ElfFile& file, std::string_view name);

/// All functions whose names match a pattern of * and ?, each place once. None is an error.
Result<std::vector<Function>> match_functions(const ElfFile& file, std::string_view pattern);

}  // namespace espy::symbol
