// Every object of the corpus, as Espy and as libbpf read it: the same programs and the same maps.
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/fd.hpp"
#include "object/read.hpp"

namespace espy::object {
namespace {

struct ObjectCloser {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using LibbpfObject = std::unique_ptr<bpf_object, ObjectCloser>;

std::vector<std::string> corpus() {
  std::vector<std::string> objects;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(ESPY_CORPUS))
    if (entry.path().extension() == ".o" && entry.is_regular_file() && entry.path().string().find("/halves/") == std::string::npos)  // halves alone refer to each other
      objects.push_back(entry.path());
  std::ranges::sort(objects);
  return objects;
}

LibbpfObject open_with_libbpf(const std::vector<std::byte>& bytes, const std::string& name) {
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
  bpf_object_open_opts options{};
  options.sz = sizeof options;
  options.object_name = name.c_str();
  return LibbpfObject(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
}

void compare_programs(const ObjectSpec& ours, bpf_object* theirs) {
  std::size_t i = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, theirs) {
    SCOPED_TRACE(bpf_program__name(program));
    ASSERT_LT(i, ours.programs.size());
    const ProgramSpec& spec = ours.programs[i++];
    EXPECT_EQ(spec.name, bpf_program__name(program));
    const std::string_view section = spec.code.section;
    EXPECT_EQ(section.substr(section.starts_with('?') ? 1 : 0), bpf_program__section_name(program));
    EXPECT_EQ(spec.autoload, bpf_program__autoload(program));
    EXPECT_EQ(spec.code.insns.size(), bpf_program__insn_cnt(program));
    if (bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC) continue;  // a section that is newer than this libbpf
    EXPECT_EQ(std::to_underlying(spec.type), static_cast<std::uint32_t>(bpf_program__type(program)));
    if (spec.type == facts::ProgType::struct_ops) continue;  // the member's number, which linking finds
    const auto attach_type = static_cast<std::uint32_t>(bpf_program__expected_attach_type(program));
    EXPECT_EQ(spec.attach_type ? std::to_underlying(*spec.attach_type) : 0U, attach_type);
    EXPECT_EQ(std::memcmp(spec.code.insns.data(), bpf_program__insns(program), spec.code.insns.size() * sizeof(isa::Insn)), 0);
  }
  EXPECT_EQ(i, ours.programs.size());
}

void compare_maps(const ObjectSpec& ours, bpf_object* theirs) {
  std::size_t i = 0;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, theirs) {
    SCOPED_TRACE(bpf_map__name(map));
    ASSERT_LT(i, ours.maps.size());
    const MapSpec& spec = ours.maps[i++];
    if (bpf_map__is_internal(map)) {
      EXPECT_TRUE(spec.is_data()) << spec.name;
      // ".rodata" is known by its object's name to libbpf, "probe.rodata", in the 15 bytes that kernels have for a name.
      const std::string_view name = bpf_map__name(map);
      EXPECT_TRUE(name == spec.name.substr(0, 15) || name.ends_with(spec.name)) << spec.name;
      std::size_t size = 0;
      const void* bytes = bpf_map__initial_value(map, &size);
      ASSERT_EQ(spec.contents.size(), size);
      EXPECT_EQ(std::memcmp(spec.contents.data(), bytes, size), 0);
    } else {
      EXPECT_EQ(spec.name, bpf_map__name(map));
    }
    EXPECT_EQ(std::to_underlying(spec.type), static_cast<std::uint32_t>(bpf_map__type(map)));
    EXPECT_EQ(spec.key_size, bpf_map__key_size(map));
    EXPECT_EQ(spec.value_size, bpf_map__value_size(map));
    EXPECT_EQ(spec.max_entries, bpf_map__max_entries(map));
    EXPECT_EQ(spec.flags, bpf_map__map_flags(map));
    EXPECT_EQ(spec.numa_node, bpf_map__numa_node(map));
    EXPECT_EQ(spec.map_extra, bpf_map__map_extra(map));
    EXPECT_EQ(spec.autocreate, bpf_map__autocreate(map));
    if (spec.origin != MapOrigin::btf) continue;
    EXPECT_EQ(static_cast<std::uint32_t>(spec.key_type), bpf_map__btf_key_type_id(map));
    EXPECT_EQ(static_cast<std::uint32_t>(spec.value_type), bpf_map__btf_value_type_id(map));
  }
  EXPECT_EQ(i, ours.maps.size());
}

class ReadCorpus : public testing::TestWithParam<std::string> {};

TEST_P(ReadCorpus, AgreesWithLibbpf) {
  auto bytes = read_file(GetParam());
  ASSERT_TRUE(bytes) << describe(bytes.error());
  auto spec = read(*bytes, GetParam());
  auto theirs = open_with_libbpf(*bytes, spec ? spec->name : "x");
  if (theirs == nullptr) GTEST_SKIP() << "libbpf " << LIBBPF_MAJOR_VERSION << "." << LIBBPF_MINOR_VERSION << " does not open it, "
                                      << (spec ? "Espy does" : describe(spec.error()));
  ASSERT_TRUE(spec) << describe(spec.error());
  compare_programs(*spec, theirs.get());
  compare_maps(*spec, theirs.get());
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::relative(info.param, ESPY_CORPUS).string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}
INSTANTIATE_TEST_SUITE_P(Corpus, ReadCorpus, testing::ValuesIn(corpus()), name_of);

}  // namespace
}  // namespace espy::object
