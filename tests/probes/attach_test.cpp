// Instances attached and fired: in programs, by clocks and counters, on memory, over objects, in kernel functions.
#include <linux/bpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/text.hpp"
#include "kernel/attach.hpp"
#include "kernel/features.hpp"
#include "recorder.hpp"

namespace espy::probes_test {
namespace {

// The program to be probed stands beside this one.
std::string probed() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/probed"; }

class Attached : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    can = trace::probes::abilities_of(machine);
  }
  // Plans, loads and attaches; events of the actor's process count. False: it failed, and why is told.
  bool attach(const std::vector<std::string>& points, const Needs& needs, int tgid, std::optional<int> pid = {}) {
    auto instances = plan(machine, points, needs, can, pid);
    if (!instances) return told(instances.error());
    planned = std::move(*instances);
    // Of named arguments only those that are asked for: a program may not be allowed to load the others.
    if (!needs.fields.empty())
      for (Instance& instance : planned)
        std::erase_if(instance.arguments.arguments, [&](const auto& a) { return std::ranges::find(needs.fields, a.name) == needs.fields.end(); });
    auto loaded = Recorder::load(planned, tgid);
    if (!loaded) return told(loaded.error());
    recorder = std::make_unique<Recorder>(std::move(*loaded));
    auto done = recorder->attach(pid);
    if (!done) return told(done.error());
    recorder->start();
    return true;
  }
  bool told(const Error& error) {
    failure = describe(error);
    kind = error.kind;
    return false;
  }
  // All programs' rows together.
  std::vector<Row> rows() const {
    std::vector<Row> all;
    for (std::size_t i = 0; i < planned.size(); ++i)
      for (Row& row : recorder->rows(i)) all.push_back(std::move(row));
    return all;
  }
  bool soon(const std::function<bool()>& done) const {
    for (int i = 0; i < 500 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return done();
  }
  void run_probed(Actor& actor) {
    actor.act();
    recorder->detach();
  }
  static void become_probed() { ::execl(probed().c_str(), "probed", nullptr); }

  Machine machine = Machine::running();
  Abilities can;
  std::vector<Instance> planned;
  std::unique_ptr<Recorder> recorder;
  std::string failure;
  ErrorKind kind{};
};

TEST_F(Attached, FunctionsOfAProgramByOneLinkOrMany) {
  for (bool multi : {can.uprobe_multi, false}) {
    can.uprobe_multi = multi;
    Actor actor(become_probed);
    ASSERT_TRUE(attach({"uprobe:" + probed() + ":probed_*"}, {.numbered = true, .probe = true}, actor.pid())) << failure;
    EXPECT_EQ(recorder->links(), multi ? 1U : 2U);
    run_probed(actor);
    std::size_t first = 0, second = 0;
    for (std::size_t i = 0; i < planned.size(); ++i)
      for (const Row& row : recorder->rows(i)) {
        const std::string& function = planned[i].targets.at(row[0]).function;
        if (function == "probed_first") {
          EXPECT_EQ(row[1] & 0xffffffff, 40 + first++);
        } else {
          EXPECT_EQ((Row{row[1], row[2], row[3]}), (Row{7, 6, 1}));
          ++second;
        }
      }
    EXPECT_EQ(first, 3U);
    EXPECT_EQ(second, 1U);
  }
}

TEST_F(Attached, ParametersByDebugInformation) {
  Actor actor(become_probed);
  ASSERT_TRUE(attach({"uprobe:" + probed() + ":probed_first"}, {.fields = {"count", "name"}}, actor.pid())) << failure;
  const auto& arguments = planned.at(0).arguments.arguments;
  ASSERT_EQ(arguments.size(), 2U);
  EXPECT_EQ(arguments[0].spelling + " " + arguments[0].name, "int count");
  EXPECT_EQ(arguments[1].name, "name");
  run_probed(actor);
  auto seen = rows();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0][1], 40U);
}

TEST_F(Attached, ReturnsOfFunctions) {
  Actor actor(become_probed);
  ASSERT_TRUE(attach({"uretprobe:" + probed() + ":probed_*"}, {.probe = true}, actor.pid())) << failure;
  run_probed(actor);
  EXPECT_EQ(rows().size(), 4U);
}

TEST_F(Attached, UsdtOfSeveralPlaces) {
  Actor actor(become_probed);
  ASSERT_TRUE(attach({"usdt:" + probed() + ":probed:*"}, {.numbered = true, .probe = true}, actor.pid())) << failure;
  run_probed(actor);
  auto seen = rows();
  ASSERT_EQ(seen.size(), 2U);
  Row second{seen[0][2] & 0xff, seen[1][2] & 0xff};
  std::ranges::sort(second);
  EXPECT_EQ(second, (Row{77, 78}));
}

TEST_F(Attached, AClockOnOneCpu) {
  auto instances = plan(machine, {"profile:us:5000"}, {}, can);
  ASSERT_TRUE(instances) << describe(instances.error());
  std::get<probe::PerfEvent>(instances->front().attachments.at(0).probe).one_cpu = true;
  auto loaded = Recorder::load(*instances, 0);
  ASSERT_TRUE(loaded) << describe(loaded.error());
  loaded->start();
  auto link = kernel::attach(loaded->object(), loaded->object().programs()[0], instances->front().attachments[0].probe, {});
  ASSERT_TRUE(link) << describe(link.error());
  EXPECT_TRUE(soon([&] { return loaded->rows(0).size() >= 3; }));
}

TEST_F(Attached, ProfilesAndCounters) {
  ASSERT_TRUE(attach({"profile:hz:199", "software:page-faults:1"}, {}, 0)) << failure;
  std::vector<char> memory;
  EXPECT_TRUE(soon([&] {
    memory.assign(memory.size() + (1 << 20), 1);
    return !recorder->rows(0).empty() && !recorder->rows(1).empty();
  }));
}

volatile long watched = 0;

TEST_F(Attached, WatchedMemory) {
  Actor actor([] {
    watched = 1;
    watched = 2;
  });
  bool done = attach({fmt::format("watchpoint:{}:8:w", reinterpret_cast<std::uintptr_t>(&watched))}, {}, actor.pid(), actor.pid());
  if (!done && kind != ErrorKind::invalid_argument) GTEST_SKIP() << failure;
  ASSERT_TRUE(done) << failure;
  run_probed(actor);
  EXPECT_EQ(rows().size(), 2U);
}

TEST_F(Attached, IteratorsGoOverEveryTask) {
  if (!machine.has(facts::Feature::iterators)) GTEST_SKIP() << "no iterators";
  auto instances = plan(machine, {"iter:task"}, {}, can);
  ASSERT_TRUE(instances) << describe(instances.error());
  ASSERT_TRUE(instances->front().arguments.context);
  instances->front().arguments = {};
  auto loaded = Recorder::load(*instances, 0);
  ASSERT_TRUE(loaded) << describe(loaded.error());
  loaded->start();
  auto link = kernel::attach(loaded->object(), loaded->object().programs()[0], instances->front().attachments.at(0).probe, {});
  ASSERT_TRUE(link) << describe(link.error());
  EXPECT_TRUE(kernel::read_iterator(*link, [](Bytes) { return true; }));
  EXPECT_GT(loaded->rows(0).size(), 1U);
}

void read_a_file() {
  char byte;
  UniqueFd file = open_file("/proc/version", 0).value_or(UniqueFd());
  for (int i = 0; i < 3; ++i) (void)!::read(file.get(), &byte, 1);
}

TEST_F(Attached, KernelFunctions) {
  Actor actor(read_a_file);
  bool done = attach({"kprobe:vfs_read", "kretprobe:vfs_read"}, {.numbered = true}, actor.pid());
  if (!done && kind == ErrorKind::unsupported) GTEST_SKIP() << failure;
  ASSERT_TRUE(done) << failure;
  run_probed(actor);
  EXPECT_GE(recorder->rows(0).size(), 3U);
  EXPECT_EQ(recorder->rows(0).size(), recorder->rows(1).size());
  EXPECT_EQ(recorder->rows(0).back()[3], 1U);   // the third argument: one byte
}

TEST_F(Attached, ManyKernelFunctions) {
  Actor actor(read_a_file);
  bool done = attach({"kprobe:vfs_rea*"}, {.numbered = true, .probe = true}, actor.pid());
  if (!done && kind == ErrorKind::unsupported) GTEST_SKIP() << failure;
  ASSERT_TRUE(done) << failure;
  EXPECT_EQ(recorder->links(), can.kprobe_multi ? 1U : planned.size());
  run_probed(actor);
  std::size_t reads = 0;
  for (std::size_t i = 0; i < planned.size(); ++i)
    for (const Row& row : recorder->rows(i)) reads += planned[i].targets.at(row[0]).function == "vfs_read" ? 1 : 0;
  EXPECT_GE(reads, 3U);
}

TEST_F(Attached, TypedKernelFunctions) {
  Actor actor(read_a_file);
  bool done = attach({"fentry:vfs_read", "fexit:vfs_read"}, {.fields = {"count"}}, actor.pid());
  if (!done && kind != ErrorKind::rejected && kind != ErrorKind::malformed) GTEST_SKIP() << failure;
  ASSERT_TRUE(done) << failure;
  run_probed(actor);
  ASSERT_GE(recorder->rows(1).size(), 3U);
  EXPECT_EQ(recorder->rows(0), recorder->rows(1));
  EXPECT_EQ(recorder->rows(0).front().at(1), 1U);
}

}  // namespace
}  // namespace espy::probes_test
