// The meaning of a script does not change by how its probes are served: fields of cheaper programs equal the record's.
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/text.hpp"
#include "recorder.hpp"
#include "trace/probes/derive.hpp"

namespace espy::probes_test {
namespace {

void stay_on_one_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

void use_sockets() {
  int a = ::socket(AF_INET, SOCK_DGRAM, 0), b = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  for (int i = 0; i < 10; ++i) ::sendto(a, "hello", 5, 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
  int c = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in self{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof self;
  if (::bind(c, reinterpret_cast<sockaddr*>(&self), sizeof self) == 0 && ::getsockname(c, reinterpret_cast<sockaddr*>(&self), &size) == 0) {
    char buffer[8];
    ::sendto(a, "hello", 5, 0, reinterpret_cast<sockaddr*>(&self), sizeof self);
    (void)!::recv(c, buffer, sizeof buffer, 0);
  }
  ::close(c);
  ::connect(b, reinterpret_cast<sockaddr*>(&to), sizeof to);
  ::close(a), ::close(b);
}

// A little of everything that tracepoints tell of, ending with another program.
void act() {
  stay_on_one_cpu();
  ::signal(SIGUSR1, [](int) {});
  for (int i = 0; i < 5; ++i) {
    ::usleep(100);
    ::kill(::getpid(), SIGUSR1);
    ::prctl(PR_SET_NAME, i % 2 == 0 ? "even name" : "odd");
    auto* page = static_cast<volatile char*>(::mmap(nullptr, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (int p = 0; p < 16; ++p) page[p << 12] = 1;
    ::munmap(const_cast<char*>(page), 1 << 16);
    int child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    int ends[2];
    if (::pipe(ends) == 0) {
      std::thread reader([&] { char c; (void)!::read(ends[0], &c, 1); });
      ::usleep(200);
      (void)!::write(ends[1], "x", 1);
      reader.join();
      ::close(ends[0]), ::close(ends[1]);
    }
  }
  use_sockets();
  ::execl("/bin/true", "true", nullptr);
}

struct Event { std::string category, name; std::vector<std::string> fields; };

// All events of the table that this kernel has, with their fields.
std::vector<Event> events() {
  Machine machine = Machine::running();
  auto known = machine.tracepoints();
  if (!known) return {};
  std::map<std::string, Event> found;
  for (const auto& row : trace::probes::derivations())
    for (std::string_view name : split_words(row.events))
      for (const probe::TracepointName& tp : **known)
        if (tp.name == name && tp.category != "syscalls") {
          Event& event = found[tp.name];
          event.category = tp.category, event.name = tp.name;
          event.fields.emplace_back(row.field);
        }
  std::vector<Event> all;
  for (auto& [name, event] : found) all.push_back(std::move(event));
  return all;
}

class Derived : public testing::TestWithParam<Event> {};

TEST_P(Derived, EqualsTheRecord) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Machine machine = Machine::running();
  auto can = trace::probes::abilities_of(machine);
  if (!can.tp_btf) GTEST_SKIP() << "this kernel has no tp_btf";
  std::vector<std::string> point{fmt::format("t:{}:{}", GetParam().category, GetParam().name)};
  Needs needs{.fields = GetParam().fields};
  auto raw = plan(machine, point, needs, can);
  ASSERT_TRUE(raw) << describe(raw.error());
  if (raw->front().prog_type == facts::ProgType::tracepoint) GTEST_SKIP() << "a field of it is not to be had on this kernel";
  auto record = plan(machine, point, needs, {.raw_tracepoints = false});
  ASSERT_TRUE(record) << describe(record.error());
  ASSERT_EQ(record->front().prog_type, facts::ProgType::tracepoint);
  // The record's program reads the same fields in the same order.
  auto& all = record->front().arguments.arguments;
  std::vector<trace::probes::Argument> wanted;
  for (const std::string& field : GetParam().fields) wanted.push_back(*std::ranges::find(all, field, &trace::probes::Argument::name));
  // Text is compared as far as it goes in the record.
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    auto& derived = raw->front().arguments.arguments[i];
    if (std::holds_alternative<trace::probes::Located>(wanted[i].source)) wanted[i].size = derived.size = 2;
  }
  all = wanted;
  Actor actor(act);
  auto recorder = Recorder::load({record->front(), raw->front()}, actor.pid());
  ASSERT_TRUE(recorder) << describe(recorder.error());
  auto attached = recorder->attach();
  ASSERT_TRUE(attached) << describe(attached.error());
  recorder->start();
  actor.act();
  recorder->detach();
  auto by_record = recorder->rows(0), by_raw = recorder->rows(1);
  EXPECT_EQ(by_record, by_raw);
  if (by_record.empty()) GTEST_SKIP() << "it did not happen";
}

INSTANTIATE_TEST_SUITE_P(Events, Derived, testing::ValuesIn(events()), [](const auto& info) { return info.param.name; });

class Syscalls : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    can = trace::probes::abilities_of(machine);
    if (auto known = machine.tracepoints(); !known) GTEST_SKIP() << "no tracefs";
  }
  // What both ways of serving see.
  void compare(const std::vector<std::string>& points, const Needs& needs, const std::function<void()>& act) {
    auto raw = plan(machine, points, needs, can), record = plan(machine, points, needs, {.raw_tracepoints = false});
    ASSERT_TRUE(raw && record);
    ASSERT_EQ(raw->size(), 1U);
    ASSERT_EQ(raw->front().which, trace::probes::Which::syscall);
    Actor actor(act);
    std::vector<Instance> instances{raw->front()};
    for (Instance& instance : *record) {
      auto& all = instance.arguments.arguments;
      std::vector<trace::probes::Argument> wanted;
      for (const std::string& field : needs.fields) wanted.push_back(*std::ranges::find(all, field, &trace::probes::Argument::name));
      all = wanted;
      instances.push_back(instance);
    }
    auto recorder = Recorder::load(instances, actor.pid());
    ASSERT_TRUE(recorder) << describe(recorder.error());
    ASSERT_TRUE(recorder->attach());
    recorder->start();
    actor.act();
    recorder->detach();
    seen = recorder->rows(0);
    std::vector<Row> by_record;
    for (std::size_t i = 1; i < instances.size(); ++i)
      for (Row row : recorder->rows(i)) {
        row[0] = i - 1;
        by_record.push_back(std::move(row));
      }
    std::ranges::sort(by_record);
    EXPECT_EQ(seen, by_record);
  }
  Machine machine = Machine::running();
  Abilities can;
  std::vector<Row> seen;
};

TEST_F(Syscalls, ParametersAndResults) {
  auto open_files = [] {
    for (int i = 0; i < 8; ++i) ::close(::open(i % 2 == 0 ? "/dev/null" : "/nowhere", O_RDONLY | O_CLOEXEC));
  };
  compare({"t:syscalls:sys_enter_openat"}, {.fields = {"dfd", "filename", "flags", "mode", "__syscall_nr"}}, open_files);
  EXPECT_EQ(seen.size(), 8U);
  compare({"t:syscalls:sys_exit_openat"}, {.fields = {"ret", "__syscall_nr"}}, open_files);
  EXPECT_EQ(seen.size(), 8U);
}

TEST_F(Syscalls, SixParameters) {
  compare({"t:syscalls:sys_enter_mmap"}, {.fields = {"addr", "len", "prot", "flags", "fd", "off"}},
          [] { ::munmap(::mmap(reinterpret_cast<void*>(0x12340000), 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192); });
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(Syscalls, SeveralAreToldApart) {
  compare({"t:syscalls:sys_enter_getppid", "t:syscalls:sys_enter_getuid", "t:syscalls:sys_enter_newuname"}, {.probe = true}, [] {
    ::getppid(), ::getuid(), ::getuid(), ::syscall(SYS_getppid);
  });
  EXPECT_EQ(seen.size(), 4U);
}

#if defined(__x86_64__)
// 20 is getpid for 32-bit programs, and writev for others.
TEST_F(Syscalls, CallsOf32BitProgramsAreNone) {
  compare({"t:syscalls:sys_enter_writev", "t:syscalls:sys_enter_getpid"}, {.probe = true}, [] {
    long number = 20;
    __asm__ volatile("int $0x80" : "+a"(number) : : "memory", "r8", "r9", "r10", "r11");
    ::syscall(SYS_getpid);
  });
  EXPECT_EQ(seen.size(), 1U);
}
#endif

}  // namespace
}  // namespace espy::probes_test
