#include "symbol/module.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/auxv.h>

#include "symbol/debug_file.hpp"

namespace espy::symbol {

Module::Module(OpenedFile opened, std::string path, std::string root)
    : opened_(std::move(opened)), path_(std::move(path)), root_(std::move(root)) {}

std::shared_ptr<Module> Module::vdso() {
  const unsigned long address = ::getauxval(AT_SYSINFO_EHDR);
  auto maps = read_text_file("/proc/self/maps");
  if (address == 0 || !maps) return nullptr;
  for (const Mapping& mapping : parse_maps(*maps)) {
    if (mapping.start != address) continue;
    const auto* begin = reinterpret_cast<const std::byte*>(address);
    auto file = ElfFile::parse({begin, begin + (mapping.end - mapping.start)}, "[vdso]");
    if (!file) return nullptr;
    std::shared_ptr<Module> module(new Module);
    module->path_ = "[vdso]";
    module->tried_file_ = true;
    module->segments_ = file->segments();
    module->file_ = std::move(*file);
    return module;
  }
  return nullptr;
}

bool Module::is(const struct stat& status) const {
  const struct stat& own = opened_.status;
  return own.st_dev == status.st_dev && own.st_ino == status.st_ino && own.st_size == status.st_size &&
         own.st_mtim.tv_sec == status.st_mtim.tv_sec && own.st_mtim.tv_nsec == status.st_mtim.tv_nsec;
}

const ElfFile* Module::file() {
  if (!tried_file_) {
    tried_file_ = true;
    // Where the process that had it is gone, so is its root; most have the one that we have.
    for (const std::string& root : {root_, std::string()}) {
      if (opened_.fd) break;
      auto again = open_file(root + path_, O_RDONLY | O_NONBLOCK);
      struct stat status {};
      if (again && ::fstat(again->get(), &status) == 0 && is(status)) opened_.fd = std::move(*again);
    }
    if (opened_.fd)
      if (auto file = ElfFile::adopt(std::move(opened_.fd), path_)) segments_ = file->segments(), file_ = std::move(*file);
  }
  return file_ ? &*file_ : nullptr;
}

const SymbolTable& Module::table() {
  if (!tried_table_) {
    tried_table_ = true;
    if (const ElfFile* elf = file()) {
      std::optional<ElfFile> debug;
      if (elf->find_section(".symtab") == nullptr && path_.starts_with('/')) debug = find_debug_file(*elf, path_, root_);
      if (auto table = SymbolTable::read(*elf, debug ? &*debug : nullptr)) table_ = std::move(*table);
      if (!keep_file_) file_.reset();
    }
  }
  return table_;
}

std::optional<std::uint64_t> Module::linked_address(std::uint64_t file_offset) {
  static_cast<void>(file());
  // A mapping begins at a page, where the segment before may end: code first.
  for (bool code : {true, false})
    for (const Segment& s : segments_)
      if (s.type == PT_LOAD && ((s.flags & PF_X) != 0) == code && file_offset >= s.offset && file_offset - s.offset < s.file_size)
        return file_offset - s.offset + s.address;
  return std::nullopt;
}

std::optional<Symbol> Module::function_at(std::uint64_t address) { return table().function_at(address); }
std::optional<Symbol> Module::find(std::string_view name) { return table().find(name); }

std::vector<SourceFrame> Module::source_of(std::uint64_t address) {
  if (!tried_dwarf_) {
    tried_dwarf_ = true;
    if (const ElfFile* elf = file(); elf != nullptr && path_.starts_with('/'))
      if (auto dwarf = Dwarf::of(*elf, path_, root_)) dwarf_ = std::move(*dwarf);
  }
  return dwarf_ ? dwarf_->frames_of(address) : std::vector<SourceFrame>{};
}

}  // namespace espy::symbol
