// The tables of contexts and return values against the running kernel: every access of every context, of each size, read
// and written, and every small return value, by programs of every type that sees it.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "facts/contexts.hpp"
#include "facts/prog_rules.hpp"

namespace espy::facts {
namespace {

KernelVersion running_version() {
  utsname name{};
  uname(&name);
  unsigned major = 0, minor = 0;
  std::sscanf(name.release, "%u.%u", &major, &minor);
  return {static_cast<std::uint16_t>(major), static_cast<std::uint16_t>(minor)};
}

struct Kind {
  ProgType type{};
  AttachType attach{};
};

std::vector<Kind> kinds() {
  using enum ProgType;
  using A = AttachType;
  std::vector<Kind> all;
  for (ProgType type : {socket_filter, kprobe, sched_cls, sched_act, tracepoint, xdp, perf_event, lwt_in, lwt_out, lwt_xmit,
                        raw_tracepoint, lwt_seg6local})
    all.push_back({type, {}});
  all.push_back({xdp, A::xdp_devmap});
  for (A attach : {A::cgroup_inet_ingress, A::cgroup_inet_egress}) all.push_back({cgroup_skb, attach});
  for (A attach : {A::cgroup_inet_sock_create, A::cgroup_inet_sock_release, A::cgroup_inet4_post_bind, A::cgroup_inet6_post_bind}) all.push_back({cgroup_sock, attach});
  for (A attach : {A::cgroup_inet4_bind, A::cgroup_inet6_bind, A::cgroup_inet4_connect, A::cgroup_inet6_connect,
                   A::cgroup_udp4_sendmsg, A::cgroup_udp6_sendmsg, A::cgroup_udp4_recvmsg, A::cgroup_udp6_recvmsg,
                   A::cgroup_inet4_getpeername, A::cgroup_inet6_getsockname, A::cgroup_unix_connect, A::cgroup_unix_getpeername})
    all.push_back({cgroup_sock_addr, attach});
  for (A attach : {A::cgroup_getsockopt, A::cgroup_setsockopt}) all.push_back({cgroup_sockopt, attach});
  all.push_back({sock_ops, A::cgroup_sock_ops});
  all.push_back({sk_skb, A::sk_skb_stream_verdict});
  all.push_back({cgroup_device, A::cgroup_device});
  all.push_back({sk_msg, A::sk_msg_verdict});
  all.push_back({sk_reuseport, A::sk_reuseport_select});
  all.push_back({flow_dissector, A::flow_dissector});
  all.push_back({cgroup_sysctl, A::cgroup_sysctl});
  all.push_back({sk_lookup, A::sk_lookup});
  all.push_back({netfilter, A::netfilter});
  return all;
}

std::string name_of(const Kind& kind) { return to_string(kind.type) + "/" + to_string(kind.attach); }

char log_text[1 << 16];

/// Loads and tells whether the kernel took it; what the verifier said is in `log_text`.
bool loads(const Kind& kind, std::span<const bpf_insn> program, std::uint32_t log_level) {
  log_text[0] = 0;
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = static_cast<bpf_attach_type>(kind.attach), .log_level = log_level,
              .log_size = log_level != 0 ? static_cast<__u32>(sizeof log_text) : 0, .log_buf = log_level != 0 ? log_text : nullptr);
  int fd = bpf_prog_load(static_cast<bpf_prog_type>(kind.type), nullptr, "GPL", program.data(), program.size(), &options);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

bpf_insn mov(std::uint8_t reg, std::int32_t value) { return {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = reg, .src_reg = 0, .off = 0, .imm = value}; }
constexpr bpf_insn kExit{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0};

/// A value with which programs of this kind may leave.
std::int32_t good_return(const Kind& kind) {
  auto range = return_range(kind.type, kind.attach, running_version());
  return range ? range->min : 0;
}

std::uint8_t size_code(std::uint32_t size) { return size == 1 ? BPF_B : size == 2 ? BPF_H : size == 4 ? BPF_W : BPF_DW; }

bool access_loads(const Kind& kind, std::int16_t offset, std::uint32_t size, bool write, std::uint32_t log_level) {
  const auto code = static_cast<std::uint8_t>((write ? BPF_STX : BPF_LDX) | BPF_MEM | size_code(size));
  const bpf_insn access = write ? bpf_insn{.code = code, .dst_reg = 1, .src_reg = 2, .off = offset, .imm = 0}
                                : bpf_insn{.code = code, .dst_reg = 3, .src_reg = 1, .off = offset, .imm = 0};
  const bpf_insn program[] = {mov(2, 0), access, mov(0, good_return(kind)), kExit};
  return loads(kind, program, log_level);
}

class Contexts : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "loading programs needs root";
    rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_MEMLOCK, &unlimited);
  }
  static bool offered(const Kind& kind) {
    const bpf_insn program[] = {mov(0, good_return(kind)), kExit};
    return loads(kind, program, 0);
  }
};

/// What the kernel's log calls each value.
std::string_view log_word(ContextValue value) {
  switch (value) {
    case ContextValue::scalar: return "=scalar(";
    case ContextValue::packet: return "=pkt(";
    case ContextValue::packet_meta: return "=pkt_meta(";
    case ContextValue::packet_end: return "=pkt_end(";
    case ContextValue::socket: return "=sock(";
    case ContextValue::socket_or_null: return "=sock_or_null(";
    case ContextValue::sock_common_or_null: return "=sock_common_or_null(";
    case ContextValue::flow_keys: return "=flow_keys(";
    case ContextValue::tracepoint_buffer: return "=tp_buffer(";
    case ContextValue::btf: return "ptr_";
  }
  return {};
}

TEST_F(Contexts, AccessesAreAllowedAsTheTableSays) {
  const KernelVersion version = running_version();
  std::size_t checked = 0, allowed = 0;
  for (const Kind& kind : kinds()) {
    const ContextRow* row = find_context(kind.type, kind.attach);
    ASSERT_NE(row, nullptr) << name_of(kind);
    if (row->kind != ContextKind::fields || !offered(kind)) continue;
    for (int offset = 0; offset < row->layout->size + 8; ++offset) {
      for (std::uint32_t size : {1U, 2U, 4U, 8U}) {
        if (offset % static_cast<int>(size) != 0) continue;
        for (bool write : {false, true}) {
          const ContextFieldRow* field = allowed_access(*row->layout, row->user, {.offset = offset, .size = size, .write = write, .version = version});
          const bool verdict = access_loads(kind, static_cast<std::int16_t>(offset), size, write, 0);
          EXPECT_EQ(field != nullptr, verdict) << name_of(kind) << (write ? " writes " : " reads ") << size << " at " << offset;
          ++checked;
          if (!verdict || field == nullptr) continue;
          ++allowed;
          if (write || version < KernelVersion{6, 6}) continue;
          access_loads(kind, static_cast<std::int16_t>(offset), size, false, 2);
          if (field->value != ContextValue::scalar) {
            EXPECT_NE(std::string_view(log_text).find(log_word(field->value)), std::string_view::npos) << name_of(kind) << " " << field->name << "\n" << log_text;
          } else {
            EXPECT_EQ(std::string_view(log_text).find("R3=pkt"), std::string_view::npos) << name_of(kind) << " " << field->name;
          }
        }
      }
    }
  }
  EXPECT_GT(checked, 5000U);
  EXPECT_GT(allowed, 1000U);
}

TEST_F(Contexts, PlainBytesEndWhereTheTableSays) {
  for (const Kind& kind : kinds()) {
    const ContextRow* row = find_context(kind.type, kind.attach);
    if (row == nullptr || row->kind != ContextKind::bytes || !offered(kind)) continue;
    for (std::uint32_t size : {1U, 2U, 4U, 8U}) {
      const auto last = static_cast<std::int16_t>(row->end - size);
      EXPECT_TRUE(access_loads(kind, static_cast<std::int16_t>(row->first), size, false, 0)) << name_of(kind) << size;
      EXPECT_TRUE(access_loads(kind, last, size, false, 0)) << name_of(kind) << size;
      EXPECT_FALSE(access_loads(kind, static_cast<std::int16_t>(row->end), size, false, 0)) << name_of(kind) << size;
      EXPECT_EQ(access_loads(kind, static_cast<std::int16_t>(row->first), size, true, 0), running_version() >= row->writable) << name_of(kind) << size;
      if (row->first > 0) {
        EXPECT_FALSE(access_loads(kind, 0, size, false, 0)) << name_of(kind);
      }
    }
  }
}

TEST_F(Contexts, ProgramsReturnWhatTheTableSays) {
  for (const Kind& kind : kinds()) {
    if (!offered(kind)) continue;
    auto range = return_range(kind.type, kind.attach, running_version());
    for (std::int32_t value = -2; value < 6; ++value) {
      const bpf_insn program[] = {mov(0, value), kExit};
      EXPECT_EQ(loads(kind, program, 0), !range || (value >= range->min && value <= range->max)) << name_of(kind) << " returns " << value;
    }
  }
}

}  // namespace
}  // namespace espy::facts
