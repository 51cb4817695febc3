#include "object.hpp"

#include <fcntl.h>
#include <gelf.h>
#include <gtest/gtest.h>
#include <libelf.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"

namespace espy::btf::test {

Object read_object(const std::string& path) {
  Object object;
  elf_version(EV_CURRENT);
  auto fd = open_file(path, O_RDONLY);
  EXPECT_TRUE(fd) << path;
  if (!fd) return object;
  Elf* elf = elf_begin(fd->get(), ELF_C_READ_MMAP, nullptr);
  std::size_t names = 0;
  EXPECT_EQ(elf_getshdrstrndx(elf, &names), 0) << path;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section)) != nullptr;) {
    GElf_Shdr header;
    const Elf_Data* data = elf_getdata(section, nullptr);
    if (gelf_getshdr(section, &header) == nullptr || data == nullptr || data->d_buf == nullptr) continue;
    const auto* begin = static_cast<const std::byte*>(data->d_buf);
    object.sections.try_emplace(elf_strptr(elf, names, header.sh_name), begin, begin + data->d_size);
  }
  elf_end(elf);
  auto btf = Btf::open(path);
  EXPECT_TRUE(btf) << one_line(btf.error());
  if (!btf) return object;
  object.btf = *btf;
  auto ext = parse_ext(object.sections[".BTF.ext"], *object.btf);
  EXPECT_TRUE(ext) << one_line(ext.error());
  if (ext) object.ext = *std::move(ext);
  return object;
}

std::vector<std::string> corpus_objects() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(CORPUS_DIR))
    if (entry.path().extension() == ".o") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

}  // namespace espy::btf::test
