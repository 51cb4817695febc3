// Objects assembled from text, written as ELF files and loaded by libbpf, which knows nothing of us.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "object/asm.hpp"
#include "object/listing.hpp"
#include "object/read.hpp"
#include "object/write.hpp"

namespace espy::object {
namespace {

using LibbpfObject = std::unique_ptr<bpf_object, decltype(&bpf_object__close)>;

std::string libbpf_said;
int keep_what_libbpf_says(libbpf_print_level level, const char* format, va_list args) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 4096> line;
  std::vsnprintf(line.data(), line.size(), format, args);
  libbpf_said += line.data();
  return 0;
}

class Assembly : public testing::Test {
 protected:
  void SetUp() override {
    libbpf_said.clear();
    libbpf_set_print(keep_what_libbpf_says);
  }

  std::vector<std::byte> written(std::string_view text) {
    auto spec = assemble_object(text, "test.s");
    EXPECT_TRUE(spec) << describe(spec.error());
    if (!spec) return {};
    auto bytes = write_elf(*spec);
    EXPECT_TRUE(bytes) << describe(bytes.error());
    return bytes ? std::move(*bytes) : std::vector<std::byte>();
  }

  // Opened and loaded; null and a failure if libbpf refuses.
  LibbpfObject loaded(const std::vector<std::byte>& bytes) {
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "test");
    LibbpfObject object(bpf_object__open_mem(bytes.data(), bytes.size(), &options), bpf_object__close);
    EXPECT_TRUE(object) << libbpf_said;
    if (!object) return object;
    int error = bpf_object__load(object.get());
    EXPECT_EQ(error, 0) << libbpf_said;
    return object;
  }

  // What a program returns on a packet of zeros.
  static int run(const LibbpfObject& object, const char* name) {
    bpf_program* program = bpf_object__find_program_by_name(object.get(), name);
    EXPECT_NE(program, nullptr);
    std::array<char, 64> packet = {};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet.data(), .data_size_in = packet.size());
    EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
    return static_cast<int>(options.retval);
  }
};

bool privileged() { return geteuid() == 0; }

constexpr std::string_view kEverything = R"(
.license "GPL"
.map counts type=hash key=4 value=8 max_entries=16
.map ticks type=array key=4 value=4 max_entries=4 flags=0x400   ; BPF_F_MMAPABLE
.map .rodata origin=rodata type=array key=4 value=8 max_entries=1 flags=0x80
.bytes 2a 00 00 00
.bytes 07 00 00 00
.map .bss origin=bss type=array key=4 value=16 max_entries=1
.zero 16

.section xdp
.func main
  *(u32 *)(r10 -4) = 5
  *(u64 *)(r10 -16) = 100
  r2 = r10
  r2 += -4
  r3 = r10
  r3 += -16
  r4 = 0
  r1 = map[counts] ll
  call bpf_map_update_elem
  r2 = r10
  r2 += -4
  r1 = map[counts] ll
  call bpf_map_lookup_elem
  if r0 == 0 goto none
  r6 = *(u64 *)(r0 +0)
  r1 = map[.rodata][0]+4 ll
  r1 = *(u32 *)(r1 +0)
  call add_constant
  r0 += r6
  r1 = map[.bss][0]+8 ll
  *(u64 *)(r1 +0) = r0
  exit
none:
  r0 = -1
  exit

.section tc
.func second
  call double_nothing
  r0 += 1
  exit

.text
.local add_constant
.func add_constant
  r2 = map[.rodata][0]+0 ll
  r0 = *(u32 *)(r2 +0)
  r0 += r1
  exit
.local double_nothing
.func double_nothing
  r0 = 20
  exit
)";

TEST_F(Assembly, LibbpfLoadsAndRunsWhatWeWrite) {
  if (!privileged()) GTEST_SKIP() << "loading a program needs CAP_BPF";
  LibbpfObject object = loaded(written(kEverything));
  ASSERT_TRUE(object);
  EXPECT_EQ(run(object, "main"), 100 + 42 + 7);
  EXPECT_EQ(run(object, "second"), 21);
  bpf_map* bss = bpf_object__find_map_by_name(object.get(), ".bss");
  ASSERT_NE(bss, nullptr);
  std::uint32_t zero = 0;
  std::array<std::uint64_t, 2> value = {};
  ASSERT_EQ(bpf_map_lookup_elem(bpf_map__fd(bss), &zero, value.data()), 0);
  EXPECT_EQ(value[1], 149U);
  bpf_map* ticks = bpf_object__find_map_by_name(object.get(), "ticks");
  ASSERT_NE(ticks, nullptr);
  EXPECT_EQ(bpf_map__map_flags(ticks), 0x400U);
}

TEST_F(Assembly, CallbacksGetTheFunctionInfoThatTheKernelAsksFor) {
  if (!privileged()) GTEST_SKIP() << "loading a program needs CAP_BPF";
  LibbpfObject object = loaded(written(R"(
.license "GPL"
.section xdp
main:
  r1 = 10
  r2 = subprog[each] ll
  r3 = 0
  r4 = 0
  call bpf_loop
  exit
.text
.local each
.func each
  r0 = 0
  exit
)"));
  ASSERT_TRUE(object);
  EXPECT_EQ(run(object, "main"), 10);
}

TEST_F(Assembly, MapsOfMapsAndProgramArraysWithInitialSlots) {
  if (!privileged()) GTEST_SKIP() << "loading a program needs CAP_BPF";
  LibbpfObject object = loaded(written(R"(
.license "GPL"
.map inner type=array key=4 value=4 max_entries=1
.map outer type=array_of_maps key=4 max_entries=2 inner.type=array inner.key=4 inner.value=4 inner.max_entries=1 slot.1=inner
.map jumps type=prog_array key=4 value=4 max_entries=3 slot.2=target
.section xdp
.func main
  r2 = map[jumps] ll
  r3 = 2
  call bpf_tail_call
  r0 = 1
  exit
.func target
  r0 = 77
  exit
)"));
  ASSERT_TRUE(object);
  EXPECT_EQ(run(object, "main"), 77);
  std::uint32_t key = 1, id = 0;
  EXPECT_EQ(bpf_map_lookup_elem(bpf_map__fd(bpf_object__find_map_by_name(object.get(), "outer")), &key, &id), 0);
  EXPECT_NE(id, 0U);
}

TEST_F(Assembly, OurReaderReadsBackWhatWeWrite) {
  auto spec = assemble_object(kEverything, "test.s");
  ASSERT_TRUE(spec) << describe(spec.error());
  auto bytes = write_elf(*spec);
  ASSERT_TRUE(bytes);
  auto again = read(*bytes, "test.o");
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(again->license, "GPL");
  ASSERT_EQ(again->programs.size(), 2U);
  EXPECT_EQ(again->programs[0].type, facts::ProgType::xdp);
  EXPECT_EQ(again->functions.size(), 2U);
  for (const char* name : {"counts", "ticks", ".rodata", ".bss"}) {
    const MapSpec *before = spec->find_map(name), *after = again->find_map(name);
    ASSERT_NE(after, nullptr) << name;
    EXPECT_EQ(before->type, after->type) << name;
    EXPECT_EQ(before->key_size, after->key_size) << name;
    EXPECT_EQ(before->value_size, after->value_size) << name;
    EXPECT_EQ(before->max_entries, after->max_entries) << name;
    EXPECT_EQ(before->flags, after->flags) << name;
  }
  EXPECT_EQ(again->find_map(".rodata")->contents, spec->find_map(".rodata")->contents);
}

struct BadObject {
  std::string_view text, message, where;
};
TEST_F(Assembly, ErrorsNameThePlace) {
  const std::vector<BadObject> cases = {
      {".map m type=hush key=4", "there is no map type `hush`", "t.s:1:8"},
      {".map m key=4", "map `m` has no type", "t.s:1:1"},
      {".map m type=hash kee=4", "a map has no attribute `kee`", "t.s:1:18"},
      {".section xdp\nmain:\n r1 = map[count] ll\n exit\n.map counts type=hash key=4 value=4", "nothing is named `count`", "t.s:3:1"},
      {".section xdp\nmain:\n call other\n exit\n.func other\n exit", "`other` is a program, and only subprograms can be called", "t.s:3:1"},
      {".section xdp\nmain:\n call bpf_ktime_get\n exit", "nothing is named `bpf_ktime_get`", "t.s:3:1"},
      {".map a type=array_of_maps slot.0=b", "no map or program is named `b`", "t.s:1:27"},
      {".extern x function", "an extern is a kfunc, ksym, kconfig or undeclared, not `function`", "t.s:1:1"},
  };
  for (const BadObject& c : cases) {
    auto spec = assemble_object(c.text, "t.s");
    ASSERT_FALSE(spec) << c.text;
    EXPECT_EQ(spec.error().message, c.message);
    EXPECT_EQ(spec.error().where, c.where);
  }
}

// Numbers that a text may hold ask for no memory.
TEST_F(Assembly, SizesAreBounded) {
  for (std::string_view text : {".map m type=array key=4 value=4 max_entries=1 slot.4294967295=m", ".map .data origin=data value=4294967295",
                                ".map .bss origin=bss value=4294967295"}) {
    auto spec = assemble_object(text, "t.s");
    ASSERT_TRUE(spec) << describe(spec.error());
    auto bytes = write_elf(*spec);
    if (bytes) EXPECT_LT(bytes->size(), 10000U);
    else EXPECT_FALSE(bytes.error().message.empty());
  }
}

}  // namespace
}  // namespace espy::object
