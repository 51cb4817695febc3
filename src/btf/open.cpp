// Where BTF comes from: files, the running kernel, its modules.
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf/impl.hpp"

namespace espy::btf {
namespace {

constexpr const char* kKernelBtf = "/sys/kernel/btf/vmlinux";

bool is_elf(Bytes bytes) { return bytes.size() >= 4 && std::memcmp(bytes.data(), "\177ELF", 4) == 0; }

struct ElfSections {
  std::vector<std::byte> btf, base;
};

std::vector<std::byte> contents(Elf_Scn* section) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) return {};
  const auto* begin = static_cast<const std::byte*>(data->d_buf);
  return {begin, begin + data->d_size};
}

/// The .BTF section of an ELF file in memory, and the .BTF.base of a module that carries the part of vmlinux it refers to.
Result<ElfSections> sections_of(std::vector<std::byte>& file, const std::string& path) {
  elf_version(EV_CURRENT);
  std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_memory(reinterpret_cast<char*>(file.data()), file.size()), elf_end);
  std::size_t names = 0;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || elf_getshdrstrndx(elf.get(), &names) != 0)
    return fail(ErrorKind::malformed, "{}: not a readable ELF file: {}", path, elf_errmsg(-1));
  ElfSections found;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.get(), section)) != nullptr;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char* name = elf_strptr(elf.get(), names, header.sh_name);
    if (name == nullptr) continue;
    if (std::string_view(name) == ".BTF") found.btf = contents(section);
    if (std::string_view(name) == ".BTF.base") found.base = contents(section);
  }
  if (found.btf.empty()) {
    auto missing = fail(ErrorKind::not_found, "{} has no .BTF section", path);
    missing.error().hint = "compile with -g (clang) or run pahole -J on it";
    return missing;
  }
  return found;
}

}  // namespace

Result<std::shared_ptr<const Btf>> Btf::open(const std::string& path, std::shared_ptr<const Btf> base) {
  if (path == kKernelBtf && !base) return kernel();
  std::vector<std::byte> file = TRY(read_file(path));
  if (!is_elf(file)) return parse(std::move(file), std::move(base), path);
  ElfSections sections = TRY(sections_of(file, path));
  if (!base && !sections.base.empty()) base = TRY(parse(std::move(sections.base), nullptr, path + ": .BTF.base"));
  return parse(std::move(sections.btf), std::move(base), path + ": .BTF");
}

Result<std::shared_ptr<const Btf>> Btf::kernel() {
  auto opened = open_file(kKernelBtf, O_RDONLY);
  if (!opened) {
    Error error = wrap(std::move(opened.error()), "read the running kernel's types");
    error.hint = "the kernel needs CONFIG_DEBUG_INFO_BTF (most distributions since 2020); or give a BTF file with --btf";
    return std::unexpected(std::move(error));
  }
  auto impl = std::make_unique<Impl>();
  impl->origin = kKernelBtf;
  struct stat status {};
  if (::fstat(opened->get(), &status) == 0 && status.st_size > 0) {
    // Kernels since 6.16 lend their own pages; the others refuse and the file is read.
    if (auto mapped = MappedRegion::map(opened->get(), static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE))
      impl->mapped = std::move(*mapped);
  }
  if (!impl->mapped) impl->owned = TRY(read_file(kKernelBtf));
  return adopt(std::move(impl));
}

Result<std::shared_ptr<const Btf>> Btf::module(std::string_view name, std::shared_ptr<const Btf> vmlinux) {
  if (name.empty() || name.find('/') != name.npos || name.starts_with('.'))
    return fail(ErrorKind::invalid_argument, "`{}` is no module name", name);
  const std::string path = fmt::format("/sys/kernel/btf/{}", name);
  return parse(TRY(read_file(path)), std::move(vmlinux), path);
}

}  // namespace espy::btf
