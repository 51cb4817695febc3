#include "object/read.hpp"

#include "base/fd.hpp"
#include "object/reading.hpp"

namespace espy::object {
namespace {

// Real objects have a few megabytes at most, debug information included.
constexpr std::size_t kLargestObject = std::size_t{128} << 20;


/// "dir/probe.bpf.o" → "probe": the file name up to its first dot, as libbpf has it, so that kernel names agree.
std::string object_name(std::string_view path) {
  std::string_view name = path.substr(path.find_last_of('/') + 1);
  return std::string(name.substr(0, name.find('.')));
}

std::string_view text_of(Bytes bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.substr(0, text.find('\0'));
}

/// The licence decides which helpers the kernel grants; `version` was once compared with the kernel's.
Result<void> read_license_and_version(Reading& reading) {
  const ElfFile& elf = reading.elf;
  for (const ElfSection& section : elf.sections()) {
    if (section.type != SectionType::code_or_data || section.executable) continue;
    if (section.name == "license") {
      reading.object.license = text_of(section.bytes);
    } else if (section.name == "version") {
      if (section.size != sizeof(std::uint32_t)) return fail_at(elf.where(section), "{} bytes, a version has 4", section.size);
      reading.object.version = load<std::uint32_t>(section.bytes, 0, elf.endian());
    }
  }
  return {};
}

std::string_view to_string(SectionType type, bool executable) {
  switch (type) {
    case SectionType::code_or_data: return executable ? "code" : "data";
    case SectionType::zeroes: return "zeroes";
    case SectionType::symbols: return "symbols";
    case SectionType::strings: return "strings";
    case SectionType::relocations: return "relocations";
    case SectionType::other: return "other";
  }
  return "other";
}

std::vector<SectionInfo> list_sections(const ElfFile& elf) {
  std::vector<SectionInfo> list;
  for (const ElfSection& section : elf.sections())
    if (section.index != 0)
      list.push_back({.name = section.name, .what = to_string(section.type, section.executable), .bytes = section.size,
                      .relocations = static_cast<std::uint32_t>(elf.relocations(section.index).size())});
  return list;
}

Result<ObjectSpec> read_elf(const ElfFile& elf) {
  Reading reading(elf);
  reading.object.path = elf.path();
  reading.object.name = object_name(elf.path());
  reading.object.sections = list_sections(elf);
  reading.object.endian = elf.endian();
  if (!elf.machine_known())
    reading.warn(elf.path(), "the ELF header names no machine", "made by LLVM before 3.9: compile again");
  TRY(read_license_and_version(reading));
  TRY(read_btf(reading));
  TRY(read_externs(reading));
  TRY(read_btf_maps(reading));
  TRY(read_legacy_maps(reading));
  TRY(read_data(reading));
  TRY(read_programs(reading));
  TRY(read_slots(reading));
  TRY(read_struct_ops(reading));
  return std::move(reading.object);
}

}  // namespace

Result<ObjectSpec> read(Bytes elf, const std::string& path) {
  auto file = TRY(ElfFile::parse(elf, path));
  return read_elf(file);
}

Result<ObjectSpec> read(const std::string& path) {
  auto bytes = TRY(read_file(path, kLargestObject));
  return read(bytes, path);
}

}  // namespace espy::object
