// The tables of facts against the running kernel: its BTF says which enumerators and functions it has and with what
// numbers, and loading `call N; exit` as every program type says who may call which helper. libbpf reads the BTF here.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "facts/features.hpp"
#include "facts/kfuncs.hpp"
#include "facts/tables.hpp"

namespace espy::facts {
namespace {

using KernelBtf = std::unique_ptr<btf, decltype([](btf* types) { btf__free(types); })>;

const btf* kernel_btf() {
  static const KernelBtf loaded(btf__load_vmlinux_btf());
  return loaded.get();
}

KernelVersion running_version() {
  utsname name{};
  uname(&name);
  unsigned major = 0, minor = 0;
  std::sscanf(name.release, "%u.%u", &major, &minor);
  return {static_cast<std::uint16_t>(major), static_cast<std::uint16_t>(minor)};
}

/// Every enumerator of the kernel with its value, of the enumeration `name` or of all.
std::map<std::string, std::uint32_t> enumerators(std::string_view name = {}) {
  std::map<std::string, std::uint32_t> found;
  const btf* types = kernel_btf();
  for (__u32 id = 1; id < btf__type_cnt(types); ++id) {
    const btf_type* type = btf__type_by_id(types, id);
    if (btf_kind(type) != BTF_KIND_ENUM) continue;
    if (!name.empty() && name != btf__name_by_offset(types, type->name_off)) continue;
    for (int i = 0; i < btf_vlen(type); ++i) {
      const auto& value = btf_enum(type)[i];
      found.emplace(btf__name_by_offset(types, value.name_off), static_cast<std::uint32_t>(value.val));
    }
  }
  return found;
}

class Oracle : public testing::Test {
 protected:
  void SetUp() override {
    if (kernel_btf() == nullptr) GTEST_SKIP() << "this kernel has no BTF";
  }
};

/// Every row of the table that the kernel names has the kernel's number, and the kernel has no number below the table's
/// size that the table does not name.
template <typename Row>
void expect_same_numbers(std::string_view enumeration, std::string_view prefix, const Row* (*find_by_name)(std::string_view),
                         std::uint32_t (*number)(const Row&), std::size_t rows) {
  auto kernel = enumerators(enumeration);
  ASSERT_FALSE(kernel.empty()) << enumeration;
  std::size_t checked = 0;
  for (const auto& [name, value] : kernel) {
    if (name.starts_with("__") || name.ends_with("_DEPRECATED") || value >= rows) continue;
    const Row* row = find_by_name(name);
    ASSERT_NE(row, nullptr) << name << " is " << value << " in this kernel and has no row";
    EXPECT_EQ(number(*row), value) << name;
    EXPECT_LE(row->since, running_version()) << name;
    ++checked;
  }
  EXPECT_GT(checked, 20U) << prefix;
}

TEST_F(Oracle, NumbersAndNamesAreTheKernels) {
  expect_same_numbers<ProgTypeRow>(
      "bpf_prog_type", "BPF_PROG_TYPE_", find_prog_type, [](const ProgTypeRow& row) { return std::to_underlying(row.type); },
      prog_types().size());
  expect_same_numbers<MapTypeRow>(
      "bpf_map_type", "BPF_MAP_TYPE_", find_map_type, [](const MapTypeRow& row) { return std::to_underlying(row.type); },
      map_types().size());
  expect_same_numbers<AttachTypeRow>(
      "bpf_attach_type", "BPF_", find_attach_type, [](const AttachTypeRow& row) { return std::to_underlying(row.type); },
      attach_types().size());
  expect_same_numbers<HelperRow>(
      "bpf_func_id", "BPF_FUNC_", find_helper, [](const HelperRow& row) { return row.id; }, helpers().size());
}

/// What the table dates at or before this version is there, what it dates after is not.
TEST_F(Oracle, RowsOfThisVersionAreThere) {
  auto there = [](std::string_view enumeration) {
    std::set<std::uint32_t> values;
    for (const auto& [name, value] : enumerators(enumeration))
      if (!name.starts_with("__")) values.insert(value);
    return values;
  };
  auto values = there("bpf_prog_type");
  for (const ProgTypeRow& row : prog_types())
    EXPECT_EQ(values.contains(std::to_underlying(row.type)), row.since <= running_version()) << row.name;
  values = there("bpf_map_type");
  for (const MapTypeRow& row : map_types())
    EXPECT_EQ(values.contains(std::to_underlying(row.type)), row.since <= running_version()) << row.name;
  values = there("bpf_attach_type");
  for (const AttachTypeRow& row : attach_types())
    EXPECT_EQ(values.contains(std::to_underlying(row.type)), row.since <= running_version()) << row.name;
  values = there("bpf_func_id");
  for (const HelperRow& row : helpers())
    EXPECT_EQ(values.contains(row.id), row.since <= running_version()) << row.name;
}

TEST_F(Oracle, FeaturesShowInBtfSinceTheirVersion) {
  auto known = enumerators();
  for (const FeatureRow& row : features()) {
    bool expected = row.since <= running_version();
    if (!row.enumerator.empty()) {
      EXPECT_EQ(known.contains(std::string(row.enumerator)), expected) << row.name;
    }
    if (!row.function.empty()) {
      EXPECT_EQ(btf__find_by_name_kind(kernel_btf(), std::string(row.function).c_str(), BTF_KIND_FUNC) > 0, expected) << row.name;
    }
  }
}

/// Functions go by name only, and come with a configuration or a module: those of the sets that every kernel has are held
/// against the version.
TEST_F(Oracle, KfuncsShowInBtfSinceTheirVersion) {
  std::size_t there = 0;
  for (const KfuncRow& row : kfuncs()) {
    bool present = btf__find_by_name_kind(kernel_btf(), std::string(row.name).c_str(), BTF_KIND_FUNC) > 0;
    there += present ? 1 : 0;
    bool everywhere = row.set == "common_btf_ids" || row.set == "cpumask_kfunc_btf_ids";
    if (everywhere && row.since > running_version()) {
      EXPECT_FALSE(present) << row.name;
    }
  }
  if (running_version() >= KernelVersion{6, 6}) {
    EXPECT_GT(there, 60U);
  }
}

/// One way to load a program type: the attach type and BTF id that it wants.
struct Variant {
  ProgType type{};
  AttachType attach{};
  int btf_id = 0;
  unsigned flags = 0;
};

std::vector<Variant> variants() {
  using enum ProgType;
  using A = AttachType;
  std::vector<Variant> all;
  for (ProgType type : {socket_filter, kprobe, sched_cls, sched_act, tracepoint, xdp, perf_event, lwt_in, lwt_out, lwt_xmit,
                        raw_tracepoint, lwt_seg6local, raw_tracepoint_writable})
    all.push_back({type});
  for (A attach : {A::cgroup_inet_ingress, A::cgroup_inet_egress}) all.push_back({cgroup_skb, attach});
  for (A attach : {A::cgroup_inet_sock_create, A::cgroup_inet_sock_release, A::cgroup_inet4_post_bind}) all.push_back({cgroup_sock, attach});
  for (A attach : {A::cgroup_inet4_bind, A::cgroup_inet4_connect, A::cgroup_udp4_sendmsg, A::cgroup_udp4_recvmsg,
                   A::cgroup_inet4_getpeername, A::cgroup_unix_connect})
    all.push_back({cgroup_sock_addr, attach});
  for (A attach : {A::cgroup_getsockopt, A::cgroup_setsockopt}) all.push_back({cgroup_sockopt, attach});
  all.push_back({sock_ops, A::cgroup_sock_ops});
  all.push_back({sk_skb, A::sk_skb_stream_verdict});
  all.push_back({cgroup_device, A::cgroup_device});
  all.push_back({sk_msg, A::sk_msg_verdict});
  all.push_back({sk_reuseport, A::sk_reuseport_select});
  all.push_back({flow_dissector, A::flow_dissector});
  all.push_back({cgroup_sysctl, A::cgroup_sysctl});
  all.push_back({tracing, A::trace_raw_tp, libbpf_find_vmlinux_btf_id("sys_enter", BPF_TRACE_RAW_TP)});
  all.push_back({tracing, A::trace_iter, libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER)});
  all.push_back({tracing, A::trace_fentry, libbpf_find_vmlinux_btf_id("filp_close", BPF_TRACE_FENTRY)});
  all.push_back({lsm, A::lsm_mac, libbpf_find_vmlinux_btf_id("file_open", BPF_LSM_MAC)});
  all.push_back({lsm, A::lsm_cgroup, libbpf_find_vmlinux_btf_id("socket_post_create", BPF_LSM_MAC)});
  all.push_back({sk_lookup, A::sk_lookup});
  all.push_back({syscall, {}, 0, BPF_F_SLEEPABLE});
  all.push_back({netfilter, A::netfilter});
  return all;
}

/// The verifier's log of `call helper; r0 = 0; exit`.
std::string log_of_call(const Variant& variant, std::uint32_t helper) {
  const bpf_insn program[] = {{.code = BPF_JMP | BPF_CALL, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = static_cast<int>(helper)},
                              {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
                              {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  static char log[1 << 16];
  log[0] = 0;
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = static_cast<bpf_attach_type>(variant.attach),
              .prog_flags = variant.flags, .attach_btf_id = static_cast<__u32>(variant.btf_id), .log_level = 1,
              .log_size = sizeof log, .log_buf = log);
  int fd = bpf_prog_load(static_cast<bpf_prog_type>(variant.type), nullptr, "GPL", program, std::size(program), &options);
  if (fd >= 0) close(fd);
  return log;
}

TEST_F(Oracle, HelpersAreCalledByWhomTheTableSays) {
  if (geteuid() != 0) GTEST_SKIP() << "loading programs needs root";
  rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  std::map<ProgType, std::set<std::uint32_t>> allowed;
  for (const Variant& variant : variants()) {
    // A kernel that offers the type names a helper that cannot be; one that does not says nothing or something else.
    if (variant.btf_id < 0 || log_of_call(variant, 100000).find("invalid func") == std::string::npos) continue;
    auto& ids = allowed[variant.type];
    for (const HelperRow& row : helpers().subspan(1)) {
      std::string log = log_of_call(variant, row.id);
      bool refused = log.find("unknown func") != std::string::npos || log.find("cannot use helper") != std::string::npos ||
                     log.find("invalid func") != std::string::npos;
      if (!refused) ids.insert(row.id);
    }
  }
  ASSERT_GT(allowed.size(), 20U);
  // These depend on the kernel's configuration, on a lockdown, or on attach types that `variants` leaves out.
  const std::set<std::string_view> conditional = {
      "bpf_probe_write_user", "bpf_override_return", "bpf_get_func_arg", "bpf_get_func_ret", "bpf_get_func_arg_cnt",
      "bpf_skb_pull_data", "bpf_setsockopt", "bpf_getsockopt", "bpf_sock_from_file", "bpf_d_path"};
  for (const auto& [type, ids] : allowed) {
    for (const HelperRow& row : helpers().subspan(1)) {
      auto since = callable_since(type, row);
      bool expected = since && *since <= running_version();
      if (ids.contains(row.id)) {
        EXPECT_TRUE(since.has_value()) << to_string(type) << " calls " << row.name;
      }
      if (!conditional.contains(row.name)) {
        EXPECT_EQ(ids.contains(row.id), expected) << to_string(type) << " calls " << row.name;
      }
    }
  }
}

}  // namespace
}  // namespace espy::facts
