#include "probe/probe.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "probe/tracefs.hpp"

namespace espy::probe {
namespace {

using facts::AttachType;
using facts::ProgType;

object::ProgramSpec program(std::string kind, std::string target, ProgType type, std::optional<AttachType> attach = {}) {
  object::ProgramSpec spec;
  spec.name = "p";
  spec.section_kind = std::move(kind);
  spec.attach_target = std::move(target);
  spec.type = type;
  spec.attach_type = attach;
  return spec;
}

// What a section means, by its description.
std::string of_section(const object::ProgramSpec& spec, const ProbeOptions& options = {}) {
  auto probe = probe_of(spec, options);
  return probe ? describe(*probe) : "error: " + probe.error().message + " | " + probe.error().hint;
}

std::string of_text(std::string_view text, const object::ProgramSpec& spec, const ProbeOptions& options = {}) {
  auto probe = parse(text, spec, options);
  return probe ? describe(*probe) : "error: " + probe.error().message + " | " + probe.error().hint;
}

TEST(Probe, WhatTheLoadSettledCannotBeChanged) {
  auto typed = program("tp_btf", "sys_enter", ProgType::tracing, AttachType::trace_raw_tp);
  EXPECT_EQ(of_text("tp_btf:sys_enter", typed), "raw tracepoint sys_enter");
  EXPECT_NE(of_text("tp_btf:sys_exit", typed).find("compiled for `sys_enter`"), std::string::npos);
  auto iterator = program("iter", "task", ProgType::tracing, AttachType::trace_iter);
  EXPECT_EQ(of_text("iter:task", iterator), "iterator task");
  EXPECT_NE(of_text("iter:tcp", iterator).find("compiled to iterate over task"), std::string::npos);
}

TEST(Probe, SectionsSayWhere) {
  struct { object::ProgramSpec spec; std::string_view meaning; } const cases[] = {
      {program("tp", "sched/sched_switch", ProgType::tracepoint), "tracepoint sched:sched_switch"},
      {program("raw_tp.w", "sys_enter", ProgType::raw_tracepoint_writable), "raw tracepoint sys_enter"},
      {program("tp_btf", "sys_enter", ProgType::tracing, AttachType::trace_raw_tp), "raw tracepoint sys_enter"},
      {program("kprobe", "vfs_read+0x10", ProgType::kprobe), "kprobe vfs_read+0x10"},
      {program("kretprobe", "vfs_read", ProgType::kprobe), "kretprobe vfs_read"},
      {program("kprobe.multi", "vfs_*", ProgType::kprobe, AttachType::trace_kprobe_multi), "kprobe.multi vfs_*"},
      {program("kprobe.session", "vfs_*", ProgType::kprobe, AttachType::trace_kprobe_session), "kprobe.session vfs_*"},
      {program("kretsyscall", "openat", ProgType::kprobe), "kretsyscall openat"},
      {program("uprobe.s", "/bin/bash:readline", ProgType::kprobe), "uprobe /bin/bash:readline"},
      {program("uprobe", "libc.so.6:malloc@GLIBC_2.2.5+4", ProgType::kprobe), "uprobe libc.so.6:malloc@GLIBC_2.2.5+0x4"},
      {program("uprobe", "/bin/bash:0x1234", ProgType::kprobe), "uprobe /bin/bash:0x1234"},
      {program("uprobe", "/bin/x:ns::operator+", ProgType::kprobe), "uprobe /bin/x:ns::operator+"},
      {program("uretprobe.multi", "/bin/bash:read*", ProgType::kprobe, AttachType::trace_uprobe_multi), "uretprobe.multi /bin/bash:read*"},
      {program("usdt", "/bin/x:provider:name", ProgType::kprobe), "usdt /bin/x:provider:name"},
      {program("fentry.s", "vfs_read", ProgType::tracing, AttachType::trace_fentry), "trampoline vfs_read"},
      {program("lsm", "file_open", ProgType::lsm, AttachType::lsm_mac), "trampoline file_open"},
      {program("sk_msg", "", ProgType::sk_msg), "sockmap"},
      {program("perf_event", "", ProgType::perf_event), "perf event cpu-clock (99 Hz)"},
      {program("netfilter", "", ProgType::netfilter), "netfilter ipv4 prerouting priority -128"},
      {program("sk_lookup", "", ProgType::sk_lookup), "network namespace"},
      {program("iter.s", "bpf_map_elem", ProgType::tracing, AttachType::trace_iter), "iterator bpf_map_elem"},
      {program("struct_ops.s", "init", ProgType::struct_ops), "struct_ops init"},
      {program("syscall", "", ProgType::syscall), "nothing"},
      {program("lwt_in", "", ProgType::lwt_in), "nothing"},
      {program("xdp/devmap", "", ProgType::xdp, AttachType::xdp_devmap), "nothing"},
      {program("", "", ProgType::socket_filter), "packet socket, all interfaces"},
  };
  for (const auto& c : cases) EXPECT_EQ(of_section(c.spec), c.meaning) << c.spec.section_kind << "/" << c.spec.attach_target;
}

TEST(Probe, OptionsCompleteASection) {
  ProbeOptions options{.interface = "lo", .cgroup = "/sys/fs/cgroup", .pid = 7};
  EXPECT_EQ(of_section(program("xdp.frags", "", ProgType::xdp), options), "xdp lo");
  EXPECT_EQ(of_section(program("tc/egress", "", ProgType::sched_cls, AttachType::tcx_egress), options), "tc lo egress");
  EXPECT_EQ(of_section(program("tcx/ingress", "", ProgType::sched_cls, AttachType::tcx_ingress), options), "tcx lo ingress");
  EXPECT_EQ(of_section(program("action", "", ProgType::sched_act), options), "clsact lo ingress");
  EXPECT_EQ(of_section(program("netkit/peer", "", ProgType::sched_cls, AttachType::netkit_peer), options), "netkit lo peer");
  EXPECT_EQ(of_section(program("cgroup/connect4", "", ProgType::cgroup_sock_addr, AttachType::cgroup_inet4_connect), options), "cgroup /sys/fs/cgroup");
  EXPECT_EQ(of_section(program("lsm_cgroup", "socket_bind", ProgType::lsm, AttachType::lsm_cgroup), options), "cgroup /sys/fs/cgroup");
  EXPECT_EQ(of_section(program("sockops", "", ProgType::sock_ops), options), "cgroup /sys/fs/cgroup");
  EXPECT_EQ(of_section(program("iter", "task", ProgType::tracing, AttachType::trace_iter), options), "iterator task of process 7");
}

TEST(Probe, WhatNoSectionSaysMustBeTold) {
  EXPECT_EQ(of_section(program("xdp", "", ProgType::xdp)), "error: program `p` (xdp): on which network interface? | --iface lo, or --attach p=xdp:eth0");
  EXPECT_TRUE(of_section(program("cgroup_skb/egress", "", ProgType::cgroup_skb)).starts_with("error: program `p` (cgroup_skb): in which cgroup? | --cgroup PATH"));
  EXPECT_EQ(of_section(program("kprobe", "", ProgType::kprobe)), "error: program `p` (kprobe): which kernel function? | for example --attach p=kprobe:vfs_read");
  EXPECT_EQ(of_text("netfilter:arp:input", program("netfilter", "", ProgType::netfilter)),
            "error: program `p` (netfilter): which family (ipv4, ipv6) and hook? | for example --attach p=netfilter:ipv4:output:-128");
  EXPECT_EQ(probe_of(program("usdt", "/bin/x:only", ProgType::kprobe), {}).error().kind, ErrorKind::invalid_argument);
}

TEST(Probe, TextSaysWhere) {
  auto kprobe = program("kprobe", "", ProgType::kprobe);
  EXPECT_EQ(of_text("kprobe:vfs_read", kprobe), "kprobe vfs_read");
  EXPECT_EQ(of_text("kprobe/vfs_read", kprobe), "kprobe vfs_read");
  EXPECT_EQ(of_text("uprobe:/bin/bash:readline", kprobe), "uprobe /bin/bash:readline");
  EXPECT_EQ(of_text("uprobe//bin/bash:readline", kprobe), "uprobe /bin/bash:readline");
  EXPECT_EQ(of_text("vfs_write", kprobe), "kprobe vfs_write");
  EXPECT_EQ(of_text("/bin/bash:main", program("uprobe", "", ProgType::kprobe)), "uprobe /bin/bash:main");
  auto tracepoint = program("tp", "", ProgType::tracepoint);
  EXPECT_EQ(of_text("tracepoint:sched:sched_switch", tracepoint), "tracepoint sched:sched_switch");
  EXPECT_EQ(of_text("tp/sched/sched_switch", tracepoint), "tracepoint sched:sched_switch");
  EXPECT_EQ(of_text("sched:sched_switch", tracepoint), "tracepoint sched:sched_switch");
  auto xdp = program("xdp", "", ProgType::xdp);
  EXPECT_EQ(of_text("xdp:eth0:generic", xdp), "xdp eth0 (generic)");
  EXPECT_EQ(of_text("eth0", xdp), "xdp eth0");
  auto tc = program("tc", "", ProgType::sched_cls);
  EXPECT_EQ(of_text("clsact:eth0:egress", tc), "clsact eth0 egress");
  EXPECT_EQ(of_text("eth0:egress", tc), "tc eth0 egress");
  auto perf = program("perf_event", "", ProgType::perf_event);
  EXPECT_EQ(of_text("perf_event:cpu-clock:99hz", perf), "perf event cpu-clock (99 Hz)");
  EXPECT_EQ(of_text("profile:hz:49", perf), "perf event cpu-clock (49 Hz)");
  EXPECT_EQ(of_text("software:page-faults:100", perf), "perf event page-faults (every 100)");
  EXPECT_EQ(of_text("hardware:cycles", perf), "perf event cycles (every 1000000)");
  auto netfilter = program("netfilter", "", ProgType::netfilter);
  EXPECT_EQ(of_text("netfilter:ipv6:output:-5:defrag", netfilter), "netfilter ipv6 output priority -5");
  EXPECT_EQ(of_text("ipv4:input", netfilter), "netfilter ipv4 input priority -128");
  EXPECT_EQ(of_text("counts", program("iter", "bpf_map_elem", ProgType::tracing, AttachType::trace_iter)), "iterator bpf_map_elem of map counts");
  EXPECT_EQ(of_text("sk_reuseport:udp:53", program("sk_reuseport", "", ProgType::sk_reuseport)), "reuseport udp:53");
  EXPECT_EQ(of_text("cgroup:/a/b", program("cgroup/sysctl", "", ProgType::cgroup_sysctl)), "cgroup /a/b");
  EXPECT_EQ(of_text("/a/b", program("cgroup/sysctl", "", ProgType::cgroup_sysctl)), "cgroup /a/b");
}

TEST(Probe, ProgramsRunOnlyWhereTheirTypeCan) {
  EXPECT_EQ(of_text("kprobe:vfs_read", program("xdp", "", ProgType::xdp)),
            "error: program `p` is of type xdp, which cannot run at `kprobe` | compile it with SEC(\"kprobe/…\")");
  EXPECT_EQ(of_text("kprobe.multi:vfs_*", program("kprobe", "", ProgType::kprobe)),
            "error: program `p` was compiled for kprobe, and cannot run at `kprobe.multi` | compile it with SEC(\"kprobe.multi/…\")");
  EXPECT_EQ(parse("fentry:vfs_write", program("fentry", "vfs_read", ProgType::tracing, AttachType::trace_fentry), {}).error().kind,
            ErrorKind::invalid_argument);
  EXPECT_EQ(parse("perf_event:nothing:1", program("perf_event", "", ProgType::perf_event), {}).error().kind, ErrorKind::invalid_argument);
  EXPECT_EQ(parse("perf_event:cpu-clock:0hz", program("perf_event", "", ProgType::perf_event), {}).error().kind, ErrorKind::invalid_argument);
  EXPECT_EQ(parse("", program("", "", ProgType::unspec), {}).error().kind, ErrorKind::invalid_argument);
}

TEST(Probe, EveryExampleParses) {
  for (const Spelling& spelling : spellings()) {
    // A program of a fitting type: the first that takes it.
    bool taken = false;
    for (unsigned type = 0; type <= static_cast<unsigned>(ProgType::netfilter) && !taken; ++type)
      for (std::optional<AttachType> attach : {std::optional<AttachType>{}, {AttachType::trace_kprobe_multi}, {AttachType::trace_kprobe_session},
                                               {AttachType::trace_uprobe_multi}, {AttachType::trace_uprobe_session}})
        taken = taken || parse(spelling.example, program("", "", static_cast<ProgType>(type == 0 ? 1 : type), attach), ProbeOptions{.interface = "lo", .cgroup = {}, .pid = {}}).has_value();
    EXPECT_TRUE(taken) << spelling.example;
  }
}

// ---- tracefs, mounted or not ----

class TracefsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "tracefs needs root";
    auto opened = Tracefs::open();
    if (!opened) GTEST_SKIP() << "no tracefs: " << one_line(opened.error());
    tracefs = std::make_unique<Tracefs>(std::move(*opened));
  }
  std::unique_ptr<Tracefs> tracefs;
};

TEST_F(TracefsTest, NumbersTracepointsAndLeavesNoMount) {
  auto before = read_text_file("/proc/self/mounts");
  EXPECT_GT(tracepoint_id(*Tracefs::open(), "sched", "sched_switch").value(), 0U);
  EXPECT_EQ(before.value(), read_text_file("/proc/self/mounts").value());
  EXPECT_GT(tracepoints(*tracefs)->size(), 100U);
}

TEST_F(TracefsTest, SuggestsWhatIsNear) {
  EXPECT_EQ(tracepoint_id(*tracefs, "sched", "sched_swich").error().hint, "did you mean sched:sched_switch?");
  EXPECT_EQ(tracepoint_id(*tracefs, "scheduler", "sched_switch").error().hint, "did you mean sched:sched_switch?");
  EXPECT_EQ(tracepoint_id(*tracefs, "nothing", "like_this_one_at_all").error().hint, "this kernel has no tracepoints in category nothing");
  EXPECT_TRUE(tracepoint_id(*tracefs, "sched", "zzzzzzzzzzzzz").error().hint.starts_with("sched has "));
  EXPECT_EQ(tracepoint_id(*tracefs, "../..", "x").error().kind, ErrorKind::invalid_argument);
}

TEST_F(TracefsTest, KnowsWhatServesInsteadOfFunctions) {
  EXPECT_EQ(tracepoints_instead_of(*tracefs, "vfs_read").front(), "syscalls:sys_enter_read");
  EXPECT_EQ(tracepoints_instead_of(*tracefs, "__x64_sys_openat").front(), "syscalls:sys_enter_openat");
  EXPECT_EQ(tracepoints_instead_of(*tracefs, "tcp_set_state").front(), "sock:inet_sock_set_state");
  // By its words alone.
  auto by_words = tracepoints_instead_of(*tracefs, "cgroup_attach_task");
  ASSERT_FALSE(by_words.empty());
  EXPECT_EQ(by_words.front(), "cgroup:cgroup_attach_task");
  EXPECT_TRUE(tracepoints_instead_of(*tracefs, "qqq_zzz").empty());
}

}  // namespace
}  // namespace espy::probe
