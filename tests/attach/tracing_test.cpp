// Tracepoints, kernel functions, perf events: on kernels that have them they fire, on others the error says what is missing
// and what serves instead.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "kernel/features.hpp"
#include "probe/tracefs.hpp"
#include "world.hpp"

namespace espy::attach_test {
namespace {

void call_getpgid() {
  for (int i = 0; i < 10; ++i) ::syscall(SYS_getpgid, 0);
}

void read_a_file() {
  UniqueFd file(::open("/proc/version", O_RDONLY | O_CLOEXEC));
  char buffer[16];
  for (int i = 0; i < 10; ++i) static_cast<void>(::pread(file.get(), buffer, sizeof buffer, 0) + ::read(file.get(), buffer, 1));
}

bool has_kprobes() { return ::access("/sys/bus/event_source/devices/kprobe", F_OK) == 0; }

class Tracing : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "attaching needs CAP_BPF and CAP_PERFMON";
  }
  // A load that this machine refuses by policy (EPERM although root asks) or for want of a feature: the error must say
  // what serves instead.
  static void refused(const Error& error, facts::Feature feature) {
    EXPECT_TRUE(error.sys == EPERM || !kernel::has_feature(feature)) << describe(error);
    EXPECT_NE(describe(error).find("use instead"), std::string::npos) << describe(error);
  }
  static std::optional<Object> loaded(const std::string& name, const std::vector<std::string>& programs = {}) {
    auto object = load(name, programs);
    if (!object) ADD_FAILURE() << describe(object.error());
    return object ? std::optional<Object>(std::move(*object)) : std::nullopt;
  }
};

TEST_F(Tracing, Tracepoint) {
  auto object = loaded("tracepoints", {"on_tracepoint"});
  ASSERT_TRUE(object);
  fires(*object, attach(*object, "on_tracepoint"), "tracepoint_hits", call_getpgid);
  EXPECT_EQ(number(*object, "tracepoint_hits"), 10U);
}

TEST_F(Tracing, TracepointWithCookie) {
  if (!since(5, 15)) GTEST_SKIP() << "attach cookies came with 5.15";
  auto object = loaded("tracepoints", {"with_cookie"});
  ASSERT_TRUE(object);
  auto link = attach(*object, "with_cookie", {.attach = {.pid = {}, .cookie = 0x1234}});
  ASSERT_TRUE(link) << describe(link.error());
  call_getpgid();
  EXPECT_EQ(number(*object, "cookie_seen"), 0x1234U);
}

TEST_F(Tracing, TracepointMisspelt) {
  auto object = loaded("tracepoints", {"on_tracepoint"});
  ASSERT_TRUE(object);
  auto link = attach(*object, "on_tracepoint", {.text = "tracepoint:syscalls:sys_enter_getpgidd"});
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().kind, ErrorKind::not_found);
  EXPECT_EQ(one_line(link.error()), "attach program `on_tracepoint`: no tracepoint syscalls:sys_enter_getpgidd");
  EXPECT_NE(describe(link.error()).find("hint: did you mean syscalls:sys_enter_getpgid?"), std::string::npos);
}

TEST_F(Tracing, ManyDetachedTogether) {
  auto object = loaded("tracepoints", {"on_tracepoint"});
  ASSERT_TRUE(object);
  std::vector<Link> links;
  for (const char* call : {"getpgid", "getpid", "getppid", "getsid"}) {
    auto link = attach(*object, "on_tracepoint", {.text = std::string("tracepoint:syscalls:sys_enter_") + call});
    ASSERT_TRUE(link) << describe(link.error());
    links.push_back(std::move(*link));
  }
  call_getpgid();
  EXPECT_EQ(number(*object, "tracepoint_hits"), 10U);
  kernel::detach_all(std::move(links));
  call_getpgid();
  EXPECT_EQ(number(*object, "tracepoint_hits"), 10U);
}

TEST_F(Tracing, LinksGoInAnyOrder) {
  std::optional<Link> first, second;
  {
    auto object = loaded("tracepoints", {"on_tracepoint", "on_raw"});
    ASSERT_TRUE(object);
    first = std::move(attach(*object, "on_tracepoint").value());
    second = std::move(attach(*object, "on_raw").value());
  }
  first.reset();
  call_getpgid();
  *second = Link(UniqueFd(), "nothing");   // assigning detaches
  second.reset();
}

TEST_F(Tracing, RawTracepoint) {
  auto object = loaded("tracepoints", {"on_raw"});
  ASSERT_TRUE(object);
  fires(*object, attach(*object, "on_raw"), "raw_hits", call_getpgid);
  auto link = attach(*object, "on_raw", {.text = "raw_tp:sched_swich"});
  ASSERT_FALSE(link);
  EXPECT_NE(describe(link.error()).find("no raw tracepoint `sched_swich`"), std::string::npos);
  EXPECT_NE(describe(link.error()).find("did you mean `sched_switch`?"), std::string::npos);
  auto call = attach(*object, "on_raw", {.text = "raw_tp:sys_enter_openat"});
  ASSERT_FALSE(call);
  EXPECT_NE(describe(call.error()).find("raw_tp:sys_enter has them all"), std::string::npos);
}

TEST_F(Tracing, TracepointWithBtf) {
  if (!since(5, 5)) GTEST_SKIP() << "tp_btf came with 5.5";
  auto object = loaded("tracepoints", {"on_btf"});
  ASSERT_TRUE(object);
  fires(*object, attach(*object, "on_btf"), "btf_hits", call_getpgid);
  EXPECT_EQ(attach(*object, "on_btf", {.text = "tp_btf:sched_switch"}).error().kind, ErrorKind::invalid_argument);
}

TEST_F(Tracing, Kprobe) {
  auto object = loaded("kernel_functions", {"on_kprobe", "on_kretprobe"});
  ASSERT_TRUE(object);
  if (has_kprobes()) {
    fires(*object, attach(*object, "on_kprobe"), "kprobe_hits", read_a_file);
    fires(*object, attach(*object, "on_kretprobe"), "kretprobe_hits", read_a_file);
    auto link = attach(*object, "on_kprobe", {.text = "kprobe:vfs_raed"});
    ASSERT_FALSE(link);
    EXPECT_NE(describe(link.error()).find("has no function `vfs_raed`"), std::string::npos) << describe(link.error());
    EXPECT_NE(describe(link.error()).find("did you mean `vfs_read`"), std::string::npos) << describe(link.error());
    return;
  }
  auto link = attach(*object, "on_kprobe");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().kind, ErrorKind::unsupported);
  std::string text = describe(link.error());
  EXPECT_NE(text.find("kprobe vfs_read: this kernel has no kprobes; they need CONFIG_KPROBE"), std::string::npos) << text;
  EXPECT_NE(text.find("these tracepoints tell of the same: syscalls:sys_enter_read, syscalls:sys_exit_read"), std::string::npos) << text;
  std::string other = describe(attach(*object, "on_kretprobe", {.text = "kretprobe:tcp_set_state"}).error());
  EXPECT_NE(other.find("sock:inet_sock_set_state"), std::string::npos) << other;
}

TEST_F(Tracing, KprobeWithCookie) {
  if (!has_kprobes() || !since(5, 15)) GTEST_SKIP() << "kprobes with cookies need CONFIG_KPROBE_EVENTS and 5.15";
  auto object = loaded("kernel_functions", {"with_cookie"});
  ASSERT_TRUE(object);
  auto link = attach(*object, "with_cookie", {.attach = {.pid = {}, .cookie = 77}});
  ASSERT_TRUE(link) << describe(link.error());
  read_a_file();
  EXPECT_EQ(number(*object, "cookie_seen"), 77U);
}

TEST_F(Tracing, SystemCallFunction) {
  auto object = loaded("kernel_functions", {"on_ksyscall", "on_kretsyscall"});
  ASSERT_TRUE(object);
  if (has_kprobes()) {
    fires(*object, attach(*object, "on_ksyscall"), "ksyscall_hits", call_getpgid);
    fires(*object, attach(*object, "on_kretsyscall"), "kretsyscall_hits", call_getpgid);
    EXPECT_EQ(static_cast<pid_t>(number(*object, "kretsyscall_value")), ::getpgid(0));
  } else {
    std::string text = describe(attach(*object, "on_ksyscall").error());
    EXPECT_NE(text.find("tracepoints tell of the same: syscalls:sys_enter_getpgid"), std::string::npos) << text;
  }
  auto unknown = attach(*object, "on_ksyscall", {.text = "ksyscall:opennat"});
  ASSERT_FALSE(unknown);
  EXPECT_NE(describe(unknown.error()).find("this kernel has no system call `opennat`"), std::string::npos) << describe(unknown.error());
  EXPECT_NE(describe(unknown.error()).find("did you mean `open"), std::string::npos) << describe(unknown.error());
}

TEST_F(Tracing, ManyKernelFunctions) {
  auto object = load("kprobe_multi");
  if (!object) {   // before 5.18 the program is refused already
    EXPECT_FALSE(since(5, 18)) << describe(object.error());
    return;
  }
  auto link = attach(*object, "on_entry");
  if (link) {
    EXPECT_NE(link->where().find(" functions)"), std::string::npos);
    fires(*object, std::move(link), "entry_hits", read_a_file);
    fires(*object, attach(*object, "on_return"), "return_hits", read_a_file);
    return;
  }
  std::string text = describe(link.error());
  if (since(5, 18)) {
    EXPECT_FALSE(kernel::options_not_set("CONFIG_FPROBE").empty()) << text;
    EXPECT_NE(text.find("CONFIG_FPROBE"), std::string::npos) << text;
  } else {
    EXPECT_NE(text.find("needs Linux 5.18"), std::string::npos) << text;
  }
  EXPECT_NE(text.find("tracepoints tell of the same: syscalls:sys_enter_read"), std::string::npos) << text;
  EXPECT_EQ(link.error().kind, ErrorKind::unsupported);
}

TEST_F(Tracing, BothEndsOfKernelFunctions) {
  auto object = load("kprobe_session");
  if (!object) {
    EXPECT_FALSE(since(6, 10)) << describe(object.error());
    return;
  }
  auto link = attach(*object, "on_both");
  if (link) {
    fires(*object, std::move(link), "session_hits", read_a_file);
    EXPECT_EQ(number(*object, "session_hits") % 2, 0U);
    return;
  }
  std::string text = describe(link.error());
  EXPECT_TRUE(text.find("CONFIG_FPROBE") != std::string::npos || text.find("needs Linux 6.10") != std::string::npos) << text;
}

// fentry and the like are refused when the program is loaded.
TEST_F(Tracing, Trampolines) {
  auto object = load("trampolines", {"on_fentry", "on_fexit"});
  if (!object) return refused(object.error(), facts::Feature::fentry);
  fires(*object, attach(*object, "on_fentry"), "fentry_hits", read_a_file);
  fires(*object, attach(*object, "on_fexit"), "fexit_hits", read_a_file);
  auto modify = loaded("trampolines", {"on_fmod_ret"});
  ASSERT_TRUE(modify);
  fires(*modify, attach(*modify, "on_fmod_ret"), "fmod_ret_hits", read_a_file);
}

TEST_F(Tracing, SecurityModule) {
  auto object = load("lsm");
  if (!object) return refused(object.error(), facts::Feature::lsm);
  auto link = attach(*object, "on_file_open");
  if (!link) {
    EXPECT_NE(describe(link.error()).find("lsm="), std::string::npos) << describe(link.error());
    return;
  }
  std::uint8_t yes = 1, no = 0;
  ASSERT_TRUE(object->write_variable("deny", bytes_of(yes)));
  EXPECT_EQ(::open("/proc/version", O_RDONLY | O_CLOEXEC), -1);
  ASSERT_TRUE(object->write_variable("deny", bytes_of(no)));
  fires(*object, std::move(link), "lsm_hits", read_a_file);
}

TEST_F(Tracing, ProgramReplaced) {
  auto target = load("xdp", {"on_xdp"});
  ASSERT_TRUE(target) << describe(target.error());
  kernel::LoadOptions options;
  options.attach_prog_fds["replacement"] = target->find_program("on_xdp")->fd();
  auto object = load("freplace", {}, options);
  if (!object) return refused(object.error(), facts::Feature::freplace);
  kernel::TestRun packet;
  packet.data_in.resize(64);
  fires(*object, attach(*object, "replacement"), "replaced_hits",
        [&] { EXPECT_TRUE(target->find_program("on_xdp")->test_run(packet)); });
}

void burn_time() {
  auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (std::chrono::steady_clock::now() < end) call_getpgid();
}

void touch_pages() {
  constexpr std::size_t kSize = 1 << 20;
  auto region = MappedRegion::map(-1, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
  for (std::size_t i = 0; i < kSize; i += 4096) region->data()[i] = std::byte{1};
}

TEST_F(Tracing, PerfEvents) {
  auto object = loaded("perf");
  ASSERT_TRUE(object);
  fires(*object, attach(*object, "on_sample", {.text = "perf_event:cpu-clock:500hz"}), "perf_hits", burn_time);
  fires(*object, attach(*object, "on_sample", {.text = "software:page-faults:1"}), "perf_hits", touch_pages);
  fires(*object, attach(*object, "on_sample", {.text = "perf_event:cpu-clock:500hz", .attach = {.pid = ::getpid()}}), "perf_hits", burn_time);
  auto rate = attach(*object, "on_sample", {.text = "perf_event:cpu-clock:100000000hz"});
  ASSERT_FALSE(rate);
  EXPECT_NE(describe(rate.error()).find("perf_event_max_sample_rate"), std::string::npos) << describe(rate.error());
  auto cycles = attach(*object, "on_sample", {.text = "hardware:cycles:100000"});
  if (cycles) fires(*object, std::move(cycles), "perf_hits", burn_time);
  else {
    EXPECT_EQ(cycles.error().kind, ErrorKind::unsupported);
    EXPECT_NE(describe(cycles.error()).find("perf_event:cpu-clock:99hz"), std::string::npos) << describe(cycles.error());
  }
}

TEST_F(Tracing, SyscallProgramIsCalledNotAttached) {
  if (!since(5, 14)) GTEST_SKIP() << "syscall programs came with 5.14";
  auto object = loaded("syscall");
  ASSERT_TRUE(object);
  EXPECT_EQ(object->find_program("called")->test_run({})->retval, 42U);
  auto link = attach(*object, "called");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().kind, ErrorKind::unsupported);
  EXPECT_NE(describe(link.error()).find("test-run"), std::string::npos);
}

}  // namespace
}  // namespace espy::attach_test
