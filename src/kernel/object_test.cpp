// Loading objects that are built by hand: what happens in the kernel, without the reader and the linker in front.
#include "kernel/object.hpp"

#include <dirent.h>
#include <linux/bpf.h>
#include <sys/wait.h>
#include <unistd.h>

#include "facts/features.hpp"
#include "isa/assemble.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/features.hpp"
#include "kernel/test_support.hpp"

namespace espy::kernel {
namespace {

using facts::MapType;
using facts::ProgType;
using object::LinkedObject;
using object::LinkedProgram;
using object::MapIdx;

LinkedProgram program(std::string name, ProgType type, std::string_view assembly, std::vector<object::Relocation> relocations = {}) {
  auto insns = isa::assemble_insns(assembly);
  EXPECT_TRUE(insns.has_value()) << describe(insns.error());
  LinkedProgram linked;
  linked.spec.name = std::move(name);
  linked.spec.type = type;
  linked.spec.code.section = "test";
  if (insns) linked.spec.code.insns = std::move(*insns);
  linked.spec.code.relocations = std::move(relocations);
  return linked;
}

object::MapSpec map(std::string name, MapType type, std::uint32_t value_size, std::uint32_t max_entries) {
  object::MapSpec spec;
  spec.name = std::move(name);
  spec.type = type;
  spec.key_size = 4, spec.value_size = value_size, spec.max_entries = max_entries;
  return spec;
}

object::MapSpec data_section(std::string name, object::MapOrigin origin, std::vector<std::byte> contents) {
  auto spec = map(std::move(name), MapType::array, static_cast<std::uint32_t>(contents.size()), 1);
  spec.origin = origin;
  spec.contents = std::move(contents);
  return spec;
}

std::vector<std::byte> words(std::initializer_list<std::uint32_t> values) {
  std::vector<std::byte> bytes;
  for (std::uint32_t value : values) bytes.insert(bytes.end(), bytes_of(value).begin(), bytes_of(value).end());
  return bytes;
}

LinkedObject object_of(std::vector<LinkedProgram> programs, std::vector<object::MapSpec> maps = {}) {
  LinkedObject linked;
  linked.object.name = "handmade";
  linked.object.license = "GPL";
  linked.object.maps = std::move(maps);
  linked.programs = std::move(programs);
  return linked;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

const std::vector<std::byte> kPacket(64);

TEST(Object, RunsAProgram) {
  SKIP_WITHOUT_BPF();
  auto object = Object::load(object_of({program("answer", ProgType::xdp, "r0 = *(u32 *)(r1 + 4)\nr1 = *(u32 *)(r1 + 0)\nr0 -= r1\nexit")}));
  ASSERT_OK(object);
  ASSERT_NE(object->find_program("answer"), nullptr);
  EXPECT_EQ(object->find_program("question"), nullptr);
  auto run = object->find_program("answer")->test_run({.data_in = kPacket, .ctx_in = {}, .data_out_size = 16, .repeat = 3});
  ASSERT_OK(run);
  EXPECT_EQ(run->retval, 64U);
  EXPECT_EQ(run->data_size, 64U);
  EXPECT_EQ(run->data_out.size(), 16U);
}

TEST(Object, CountsRunTime) {
  SKIP_WITHOUT_BPF();
  auto object = Object::load(object_of({program("answer", ProgType::xdp, "r0 = 2\nexit")}));
  ASSERT_OK(object);
  auto stats = enable_stats();
  if (!stats) GTEST_SKIP() << "run-time statistics: " << one_line(stats.error());
  ASSERT_OK(object->programs()[0].test_run({.data_in = kPacket, .ctx_in = {}, .repeat = 10}));
  auto counted = object->programs()[0].stats();
  ASSERT_OK(counted);
  EXPECT_GT(counted->xlated_bytes, 0U);
  EXPECT_GT(counted->verified_insns, 0U);
}

TEST(Object, SyscallProgramWritesItsContext) {
  SKIP_WITHOUT_BPF();
  auto linked = program("change", ProgType::syscall, "r2 = *(u32 *)(r1 + 0)\nr2 += 1\n*(u32 *)(r1 + 0) = r2\nr0 = 5\nexit");
  linked.spec.flags.sleepable = true;
  auto object = Object::load(object_of({std::move(linked)}));
  ASSERT_OK(object);
  auto run = object->programs()[0].test_run({.data_in = {}, .ctx_in = words({41, 0}), .repeat = 2});
  ASSERT_OK(run);
  EXPECT_EQ(run->retval, 5U);
  EXPECT_EQ(load<std::uint32_t>(run->ctx_out, 0), 43U);  // run twice on the same context
}

TEST(Object, TestRunOfATypeWithoutOneSaysSo) {
  SKIP_WITHOUT_BPF();
  auto object = Object::load(object_of({program("probe", ProgType::tracepoint, "r0 = 0\nexit")}));
  ASSERT_OK(object);
  auto run = object->programs()[0].test_run({});
  ASSERT_FALSE(run.has_value());
  EXPECT_EQ(run.error().kind, ErrorKind::unsupported);
  EXPECT_NE(run.error().hint.find("attached"), std::string::npos);
}

TEST(Object, FillsDataSectionsAndFreezesConstants) {
  SKIP_WITHOUT_BPF();
  // r0 = rodata[1] + bss[0]; bss[0] += 1
  auto code = program("sum", ProgType::xdp, "r1 = 0 ll\nr0 = *(u32 *)(r1 + 0)\nr2 = 0 ll\nr3 = *(u32 *)(r2 + 0)\nr0 += r3\nr3 += 1\n*(u32 *)(r2 + 0) = r3\nexit",
                      {{0, object::MapValueRef{MapIdx{0}, 4}}, {3, object::MapValueRef{MapIdx{1}, 0}}});
  auto object = Object::load(object_of({std::move(code)}, {data_section(".rodata", object::MapOrigin::rodata, words({7, 30})),
                                                           data_section(".bss", object::MapOrigin::bss, words({0, 0})),
                                                           data_section(".data", object::MapOrigin::data, words({5}))}));
  ASSERT_OK(object);
  EXPECT_EQ(object->programs()[0].test_run({.data_in = kPacket, .ctx_in = {}, .repeat = 3})->retval, 32U);
  EXPECT_EQ(object->data(MapIdx{0}).value(), words({7, 30}));
  EXPECT_EQ(object->data(MapIdx{1}).value(), words({3, 0}));
  EXPECT_EQ(object->data(MapIdx{2}).value(), words({5}));
  EXPECT_EQ(object->find_map(".rodata")->info().name, "handmade.rodata");
  const std::uint32_t zero = 0;
  EXPECT_FALSE(object->find_map(".rodata")->update(bytes_of(zero), words({1, 1})).has_value());
  EXPECT_TRUE(object->find_map(".data")->update(bytes_of(zero), words({6})).has_value());
  EXPECT_EQ(object->data(MapIdx{2}).value(), words({6}));
}

TEST(Object, FillsProgramAndMapSlots) {
  SKIP_WITHOUT_BPF();
  auto calls = map("calls", MapType::prog_array, 4, 4);
  calls.slots = {{2, std::string("target")}, {3, std::string("not loaded")}};
  auto inner = map("inner", MapType::array, 4, 1);
  auto outer = map("outer", MapType::array_of_maps, 4, 3);
  outer.inner = std::make_shared<const object::MapSpec>(inner);
  outer.slots = {{1, MapIdx{1}}};
  auto object = Object::load(object_of({program("entry", ProgType::xdp, "r2 = 0 ll\nr3 = 2\ncall 12\nr0 = 1\nexit", {{0, object::MapRef{MapIdx{0}}}}),
                                        program("target", ProgType::xdp, "r0 = 3\nexit")},
                                       {calls, inner, outer}));
  ASSERT_OK(object);
  EXPECT_EQ(object->find_program("entry")->test_run({.data_in = kPacket, .ctx_in = {}})->retval, 3U);
  const std::uint32_t slot = 1;
  auto id = object->find_map("outer")->lookup(bytes_of(slot));
  ASSERT_OK(id);
  ASSERT_TRUE(id->has_value());
  EXPECT_EQ(load<std::uint32_t>(**id, 0), object->find_map("inner")->info().id);
}

TEST(Object, LeavesOutMapsThatAreNotToBeCreated) {
  SKIP_WITHOUT_BPF();
  auto off = map("off", MapType::hash, 4, 1);
  off.autocreate = false;
  auto object = Object::load(object_of({program("p", ProgType::xdp, "r0 = 0\nexit")}, {off, map("on", MapType::hash, 4, 1)}));
  ASSERT_OK(object);
  EXPECT_FALSE(object->has_map(MapIdx{0}));
  EXPECT_TRUE(object->has_map(MapIdx{1}));
  EXPECT_EQ(object->find_map("off"), nullptr);

  auto used = Object::load(object_of({program("p", ProgType::xdp, "r1 = 0 ll\nr0 = 0\nexit", {{0, object::MapRef{MapIdx{0}}}})}, {off}));
  ASSERT_FALSE(used.has_value());
  EXPECT_NE(describe(used.error()).find("map `off`, which is not created"), std::string::npos);
}

TEST(Object, PinsAndReusesMaps) {
  SKIP_WITHOUT_BPF();
  const std::string folder = private_bpffs();
  if (folder.empty()) GTEST_SKIP() << "needs to mount a bpf file system";
  auto pinned = map("kept", MapType::hash, 4, 8);
  pinned.pinning = object::Pinning::by_name;
  LoadOptions options{.pin_dir = folder + "/object_test", .reuse_fds = {}, .attach_prog_fds = {}, .log_level = 0, .log_sink = {}};
  auto good = program("p", ProgType::xdp, "r0 = 0\nexit");

  // A load that fails takes its new pins away again.
  ASSERT_FALSE(Object::load(object_of({program("bad", ProgType::xdp, "exit")}, {pinned}), options).has_value());
  EXPECT_NE(::access((options.pin_dir + "/kept").c_str(), F_OK), 0);

  auto first = Object::load(object_of({good}, {pinned}), options);
  ASSERT_OK(first);
  auto second = Object::load(object_of({good}, {pinned}), options);
  ASSERT_OK(second);
  EXPECT_EQ(first->maps()[0].info().id, second->maps()[0].info().id);

  auto lent = Object::load(object_of({good}, {map("kept", MapType::hash, 4, 8)}),
                           {.pin_dir = {}, .reuse_fds = {{"kept", first->maps()[0].fd()}}, .attach_prog_fds = {}, .log_level = 0, .log_sink = {}});
  ASSERT_OK(lent);
  EXPECT_EQ(lent->maps()[0].info().id, first->maps()[0].info().id);
  auto misfit = Object::load(object_of({good}, {map("kept", MapType::hash, 12, 8)}),
                             {.pin_dir = {}, .reuse_fds = {{"kept", first->maps()[0].fd()}}, .attach_prog_fds = {}, .log_level = 0, .log_sink = {}});
  ASSERT_FALSE(misfit.has_value());
  EXPECT_NE(describe(misfit.error()).find("value_size: the object wants 12, the map has 4"), std::string::npos);
}

TEST(Object, FailedLoadLeavesNothingOpen) {
  SKIP_WITHOUT_BPF();
  auto outer = map("outer", MapType::hash_of_maps, 4, 3);
  outer.inner = std::make_shared<const object::MapSpec>(map("inner", MapType::array, 4, 1));
  const std::vector<object::MapSpec> maps = {map("a", MapType::hash, 4, 1), outer};
  const auto good = program("good", ProgType::xdp, "r0 = 0\nexit");
  const auto bad = program("bad", ProgType::xdp, "r0 = *(u64 *)(r1 + 400)\nexit");
  (void)Object::load(object_of({good, bad}, maps));  // what is opened once and kept is open now
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    auto object = Object::load(object_of({good, bad}, maps));
    ASSERT_FALSE(object.has_value());
    EXPECT_EQ(object.error().kind, ErrorKind::rejected);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Object, RejectionNamesReasonInstructionAndWayOut) {
  SKIP_WITHOUT_BPF();
  std::string whole;
  LoadOptions options;
  options.log_sink = [&](const std::string& name, std::string_view log) { whole = name + "\n" + std::string(log); };
  auto object = Object::load(object_of({program("lookup", ProgType::xdp,
                                                "r2 = r10\nr2 += -4\nr1 = 0\n*(u32 *)(r2 + 0) = r1\nr1 = 0 ll\ncall 1\nr0 = *(u64 *)(r0 + 0)\nexit",
                                                {{4, object::MapRef{MapIdx{0}}}})},
                                       {map("counts", MapType::hash, 8, 1)}),
                             options);
  ASSERT_FALSE(object.has_value());
  const std::string text = describe(object.error());
  EXPECT_NE(text.find("load program `lookup`: the kernel's verifier rejects it: R0 invalid mem access 'map_value_or_null'"), std::string::npos) << text;
  EXPECT_NE(text.find("instruction 7 (in lookup): r0 = *(u64 *)(r0 +0)"), std::string::npos) << text;
  EXPECT_NE(text.find("hint: the lookup may have found nothing"), std::string::npos) << text;
  EXPECT_LT(std::ranges::count(text, '\n'), 6) << text;
  EXPECT_TRUE(whole.starts_with("lookup\n"));
  EXPECT_NE(whole.find("processed "), std::string::npos);
}

TEST(Object, RejectionOfAHelperSaysWhoMayCallIt) {
  SKIP_WITHOUT_BPF();
  // bpf_override_return is for kprobes.
  auto object = Object::load(object_of({program("p", ProgType::xdp, "r2 = 0\ncall 58\nexit")}));
  ASSERT_FALSE(object.has_value());
  const std::string text = describe(object.error());
  EXPECT_NE(text.find("xdp programs may not call bpf_override_return"), std::string::npos) << text;
}

TEST(Object, LogIsGivenWhenAskedFor) {
  SKIP_WITHOUT_BPF();
  std::string log;
  LoadOptions options;
  options.log_level = 2;
  options.log_sink = [&](const std::string&, std::string_view text) { log = text; };
  ASSERT_OK(Object::load(object_of({program("p", ProgType::xdp, "r0 = 0\nexit")}), options));
  EXPECT_NE(log.find("exit"), std::string::npos);
}

// Runs `body` in a child that has given up every capability but `keep`; its text is what the body returns.
std::string in_child(CapabilitySet keep, const std::function<std::string()>& body) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return "no pipe";
  pid_t child = ::fork();
  if (child == 0) {
    auto dropped = keep_capabilities(keep);
    std::string text = dropped ? body() : describe(dropped.error());
    auto written = ::write(pipe_ends[1], text.data(), text.size());
    ::_exit(written < 0 ? 1 : 0);
  }
  ::close(pipe_ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(size));
  ::close(pipe_ends[0]);
  ::waitpid(child, nullptr, 0);
  return text;
}

std::string load_and_tell(ProgType type) {
  auto object = Object::load(object_of({program("p", type, "r0 = 0\nexit")}, {map("m", MapType::hash, 4, 1)}));
  return object ? "loaded" : describe(object.error());
}

TEST(Capabilities, MissingOnesAreNamed) {
  SKIP_WITHOUT_BPF();
  using enum Capability;
  std::string none = in_child({}, [] { return load_and_tell(ProgType::tracepoint); });
  EXPECT_NE(none.find("create map `m`"), std::string::npos) << none;
  EXPECT_NE(none.find("lacks CAP_BPF"), std::string::npos) << none;
  EXPECT_NE(none.find("setcap cap_bpf+ep"), std::string::npos) << none;
  std::string untraced = in_child({bpf}, [] { return load_and_tell(ProgType::tracepoint); });
  EXPECT_NE(untraced.find("load program `p`"), std::string::npos) << untraced;
  EXPECT_NE(untraced.find("lacks CAP_PERFMON"), std::string::npos) << untraced;
  std::string unnetted = in_child({bpf}, [] { return load_and_tell(ProgType::xdp); });
  EXPECT_NE(unnetted.find("lacks CAP_NET_ADMIN"), std::string::npos) << unnetted;
}

TEST(Capabilities, FewAreEnough) {
  SKIP_WITHOUT_BPF();
  using enum Capability;
  EXPECT_EQ(in_child({bpf, perfmon}, [] { return load_and_tell(ProgType::tracepoint); }), "loaded");
  EXPECT_EQ(in_child({bpf, net_admin}, [] { return load_and_tell(ProgType::xdp); }), "loaded");
  EXPECT_EQ(in_child({bpf, perfmon}, [] { return effective_capabilities().value() == CapabilitySet{bpf, perfmon} ? "dropped" : "kept"; }), "dropped");
}

TEST(Features, AnswersAgreeWithTheKernel) {
  SKIP_WITHOUT_BPF();
  EXPECT_TRUE(has_feature(facts::Feature::bounded_loops));
  EXPECT_EQ(probe_map_type(MapType::hash), true);
  EXPECT_EQ(probe_prog_type(ProgType::xdp), true);
  EXPECT_EQ(probe_helper(ProgType::xdp, 1), true);     // bpf_map_lookup_elem
  EXPECT_EQ(probe_helper(ProgType::xdp, 58), false);   // bpf_override_return
  EXPECT_EQ(probe_helper(ProgType::xdp, 99999), false);
}

TEST(RunningTarget, KnowsThisKernel) {
  auto target = running_target();
  ASSERT_OK(target);
  EXPECT_GE(target->version, (facts::KernelVersion{4, 0, 0}));
  auto address = target->symbol_address("no_such_symbol_in_any_kernel");
  ASSERT_OK(address);
  EXPECT_FALSE(address->has_value());
  if (target->vmlinux) {
    EXPECT_TRUE(target->vmlinux->find("task_struct", btf::Kind::struct_).has_value());
  }
}

}  // namespace
}  // namespace espy::kernel
