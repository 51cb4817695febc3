// Every object of the corpus is loaded by us and by libbpf: what one loads the other does, and the programs and maps that
// the kernel then has are the same.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <cstdarg>
#include <filesystem>

#include "kernel/capabilities.hpp"
#include "kernel/object.hpp"
#include "kernel/test_support.hpp"
#include "object/read.hpp"

namespace espy::kernel {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> corpus() {
  std::vector<std::string> files;
  std::error_code error;
  for (std::string_view folder : {"v1", "v2", "v3", "v4", "plain", "joined"})
    for (const auto& entry : fs::directory_iterator(fmt::format("{}/tests/corpus/{}", ESPY_BINARY_DIR, folder), error))
      if (entry.path().extension() == ".o") files.push_back(fmt::format("{}/{}", folder, entry.path().filename().string()));
  std::ranges::sort(files);
  return files;
}

// What the kernel says of a program, but for what differs from load to load (ids, addresses, times).
struct KernelProgram {
  std::string name, tag;
  std::uint32_t type = 0, xlated = 0, maps = 0, functions = 0, lines = 0, attach_btf_id = 0;
  friend bool operator==(const KernelProgram&, const KernelProgram&) = default;
};
std::ostream& operator<<(std::ostream& out, const KernelProgram& p) {
  return out << fmt::format("{} tag {} type {} xlated {} maps {} functions {} lines {} attach {}", p.name, p.tag, p.type, p.xlated, p.maps,
                            p.functions, p.lines, p.attach_btf_id);
}

KernelProgram look(int fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  EXPECT_EQ(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
  std::string tag;
  for (unsigned char byte : info.tag) tag += fmt::format("{:02x}", byte);
  return {info.name, tag, info.type, info.xlated_prog_len, info.nr_map_ids, info.nr_func_info, info.nr_line_info, info.attach_btf_id};
}

std::string look_at_map(int fd) {
  bpf_map_info info{};
  std::uint32_t size = sizeof info;
  EXPECT_EQ(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
  return fmt::format("{} type {} key {} value {} entries {} flags {:#x} extra {} typed {}", info.name, info.type, info.key_size, info.value_size,
                     info.max_entries, info.map_flags & ~static_cast<unsigned>(BPF_F_MMAPABLE), info.map_extra, info.btf_value_type_id != 0);
}

struct Loaded {
  bool loaded = false;
  std::string error;
  std::map<std::string, KernelProgram> programs;
  std::map<std::string, std::string> maps;
};

thread_local std::string libbpf_words;
int keep(libbpf_print_level level, const char* format, va_list arguments) {
  char line[300];
  std::vsnprintf(line, sizeof line, format, arguments);
  if (level == LIBBPF_WARN) libbpf_words += line;
  return 0;
}

Loaded by_libbpf(const std::string& path) {
  Loaded result;
  libbpf_words.clear();
  libbpf_set_print(keep);
  bpf_object* object = bpf_object__open(path.c_str());
  if (object != nullptr && bpf_object__load(object) == 0) {
    result.loaded = true;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object)
      if (bpf_program__fd(program) >= 0) result.programs[bpf_program__name(program)] = look(bpf_program__fd(program));
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object)
      if (bpf_map__fd(map) >= 0) result.maps[bpf_map__name(map)] = look_at_map(bpf_map__fd(map));
  }
  bpf_object__close(object);
  result.error = libbpf_words;
  return result;
}

Result<Object> load(const std::string& path) {
  return Object::load(TRY(object::link(TRY(object::read(path)), TRY(running_target()))));
}

Loaded by_us(const std::string& path) {
  Loaded result;
  auto object = load(path);
  if (!object) {
    result.error = describe(object.error());
    return result;
  }
  result.loaded = true;
  for (const Program& program : object->programs()) result.programs[program.name()] = look(program.fd());
  for (const Map& map : object->maps())
    if (map.valid()) result.maps[map.info().name] = look_at_map(map.fd());
  return result;
}

class EveryObject : public testing::TestWithParam<std::string> {};

TEST_P(EveryObject, LoadsAsLibbpfLoadsIt) {
  SKIP_WITHOUT_BPF();
  const std::string path = fmt::format("{}/tests/corpus/{}", ESPY_BINARY_DIR, GetParam());
  Loaded theirs = by_libbpf(path);
  Loaded ours = by_us(path);
  if (!theirs.loaded) {
    // What libbpf 1.1 does not load we may: it does not know some sections and map types of this kernel.
    if (!ours.loaded) GTEST_SKIP() << "neither loads it: " << ours.error;
    return;
  }
  ASSERT_TRUE(ours.loaded) << ours.error;
  if (GetParam().find("kfunc_flavour") != std::string::npos) GTEST_SKIP() << "libbpf 1.1 does not know flavours of kfuncs (1.3 does)";
  EXPECT_EQ(ours.programs.size(), theirs.programs.size());
  for (const auto& [name, program] : theirs.programs) EXPECT_EQ(ours.programs[name], program) << name;
  std::vector<std::string> our_maps, their_maps;
  for (const auto& [name, text] : ours.maps) our_maps.push_back(text);
  for (const auto& [name, text] : theirs.maps) their_maps.push_back(text);
  std::ranges::sort(our_maps), std::ranges::sort(their_maps);
  EXPECT_EQ(our_maps, their_maps);
}

INSTANTIATE_TEST_SUITE_P(Corpus, EveryObject, testing::ValuesIn(corpus()), [](const auto& info) {
  std::string name = info.param.substr(0, info.param.find('.'));
  std::ranges::replace(name, '/', '_');
  return name;
});
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryObject);

}  // namespace
}  // namespace espy::kernel
