// Probes from text. One table has a row for each kind: what it is called in SEC() and on the command line, which program
// types may run there, and the function that reads what follows the kind.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "probe/probe.hpp"
#include "probe/targets.hpp"

namespace espy::probe {

using facts::AttachType;
using facts::ProgType;
using targets::Ask;
using targets::cut;
using targets::needs;
using targets::Parser;

namespace {

constexpr std::uint64_t types(auto... type) { return ((std::uint64_t{1} << static_cast<unsigned>(type)) | ...); }

struct KindRow {
  std::string_view kind;
  std::uint64_t prog_types = 0;
  Parser parse = nullptr;
  std::string_view example;
  std::optional<AttachType> attach_type = {};   ///< the program must have been loaded for it
};

template <char kAtTestRun>
Result<Probe> nothing(const Ask& ask) {
  return Nothing{fmt::format("a program of type {} is not attached; {}", facts::to_string(ask.program.type),
                             kAtTestRun == 's' ? "it runs when it is called (espy test-run)"
                                               : "a route runs it (ip route add … encap bpf); espy test-run tries it")};
}

constexpr std::uint64_t kCgroupTypes = types(ProgType::cgroup_skb, ProgType::cgroup_sock, ProgType::cgroup_device,
                                             ProgType::cgroup_sock_addr, ProgType::cgroup_sysctl, ProgType::cgroup_sockopt,
                                             ProgType::sock_ops, ProgType::lsm);
constexpr std::uint64_t kKprobe = types(ProgType::kprobe);
constexpr std::uint64_t kRaw = types(ProgType::raw_tracepoint, ProgType::raw_tracepoint_writable, ProgType::tracing);
constexpr std::uint64_t kTracing = types(ProgType::tracing, ProgType::lsm);
constexpr std::uint64_t kTc = types(ProgType::sched_cls, ProgType::sched_act);

constexpr auto kKinds = std::to_array<KindRow>({
    {"tp", types(ProgType::tracepoint), targets::tracepoint, "tracepoint:sched:sched_switch"},
    {"tracepoint", types(ProgType::tracepoint), targets::tracepoint, "tracepoint:sched:sched_switch"},
    {"raw_tp", kRaw, targets::raw_tracepoint, "raw_tp:sched_switch"},
    {"raw_tracepoint", kRaw, targets::raw_tracepoint, "raw_tracepoint:sched_switch"},
    {"tp_btf", kRaw, targets::raw_tracepoint, "tp_btf:sched_switch"},
    {"kprobe", kKprobe, targets::kprobe, "kprobe:vfs_read"},
    {"kretprobe", kKprobe, targets::kprobe, "kretprobe:vfs_read"},
    {"kprobe.multi", kKprobe, targets::kprobe_multi, "kprobe.multi:vfs_*", AttachType::trace_kprobe_multi},
    {"kretprobe.multi", kKprobe, targets::kprobe_multi, "kretprobe.multi:vfs_*", AttachType::trace_kprobe_multi},
    {"kprobe.session", kKprobe, targets::kprobe_multi, "kprobe.session:vfs_*", AttachType::trace_kprobe_session},
    {"ksyscall", kKprobe, targets::ksyscall, "ksyscall:openat"},
    {"kretsyscall", kKprobe, targets::ksyscall, "kretsyscall:openat"},
    {"uprobe", kKprobe, targets::uprobe, "uprobe:/bin/bash:readline"},
    {"uretprobe", kKprobe, targets::uprobe, "uretprobe:/bin/bash:readline"},
    {"uprobe.multi", kKprobe, targets::uprobe_multi, "uprobe.multi:libc.so.6:mall*", AttachType::trace_uprobe_multi},
    {"uretprobe.multi", kKprobe, targets::uprobe_multi, "uretprobe.multi:libc.so.6:mall*", AttachType::trace_uprobe_multi},
    {"uprobe.session", kKprobe, targets::uprobe_multi, "uprobe.session:libc.so.6:mall*", AttachType::trace_uprobe_session},
    {"usdt", kKprobe, targets::usdt, "usdt:libc.so.6:libc:setjmp"},
    {"fentry", kTracing, targets::trampoline, "fentry:vfs_read"},
    {"fexit", kTracing, targets::trampoline, "fexit:vfs_read"},
    {"fmod_ret", kTracing, targets::trampoline, "fmod_ret:security_file_open"},
    {"lsm", kTracing, targets::trampoline, "lsm:file_open"},
    {"freplace", types(ProgType::ext), targets::freplace, "freplace:/sys/fs/bpf/prog/function"},
    {"perf_event", types(ProgType::perf_event), targets::perf_event, "perf_event:cpu-clock:99hz"},
    {"profile", types(ProgType::perf_event), targets::perf_event, "profile:hz:99"},
    {"watchpoint", types(ProgType::perf_event), targets::watchpoint, "watchpoint:0x7ffc1234:8:rw"},
    {"xdp", types(ProgType::xdp), targets::xdp, "xdp:eth0"},
    {"tc", kTc, targets::tc, "tc:eth0:ingress"},
    {"tcx", kTc, targets::tc, "tcx:eth0:egress"},
    {"clsact", kTc, targets::tc, "clsact:eth0:ingress"},
    {"classifier", kTc, targets::tc, "tc:eth0:ingress"},
    {"action", kTc, targets::tc, "clsact:eth0:ingress"},
    {"netkit", kTc, targets::netkit, "netkit:nk0:primary"},
    {"lsm_cgroup", types(ProgType::lsm), targets::cgroup, "cgroup:/sys/fs/cgroup"},
    {"cgroup", kCgroupTypes, targets::cgroup, "cgroup:/sys/fs/cgroup"},
    {"cgroup_skb", kCgroupTypes, targets::cgroup, "cgroup:/sys/fs/cgroup"},
    {"sockops", types(ProgType::sock_ops), targets::cgroup, "cgroup:/sys/fs/cgroup"},
    {"sk_msg", types(ProgType::sk_msg), targets::sockmap, "sk_msg:sockets"},
    {"sk_skb", types(ProgType::sk_skb), targets::sockmap, "sk_skb:sockets"},
    {"sk_lookup", types(ProgType::sk_lookup), targets::net_namespace, "sk_lookup:/run/netns/blue"},
    {"flow_dissector", types(ProgType::flow_dissector), targets::net_namespace, "flow_dissector:/run/netns/blue"},
    {"netfilter", types(ProgType::netfilter), targets::netfilter, "netfilter:ipv4:output:-128"},
    {"iter", types(ProgType::tracing), targets::iterator, "iter:task"},
    {"struct_ops", types(ProgType::struct_ops), targets::struct_ops, "struct_ops:my_ops"},
    {"socket", types(ProgType::socket_filter), targets::socket_filter, "socket:eth0"},
    {"sk_reuseport", types(ProgType::sk_reuseport), targets::reuseport, "sk_reuseport:tcp:8080"},
    {"syscall", types(ProgType::syscall), nothing<'s'>, "syscall"},
    {"lwt", types(ProgType::lwt_in, ProgType::lwt_out, ProgType::lwt_xmit, ProgType::lwt_seg6local, ProgType::lirc_mode2),
     nothing<'r'>, "lwt"},
});

const KindRow* find_row(std::string_view kind) {
  auto row = std::ranges::find(kKinds, kind, &KindRow::kind);
  return row == kKinds.end() ? nullptr : &*row;
}

// The row of a kind as sections spell it: "fentry.s", "raw_tp.w", "xdp.frags", "cgroup/connect4", "tc/ingress", "lwt_in".
const KindRow* row_of_section(std::string_view kind) {
  if (const KindRow* row = find_row(kind)) return row;
  kind = kind.substr(0, kind.find('/'));
  if (const KindRow* row = find_row(kind)) return row;
  for (std::string_view suffix : {".s", ".w", ".frags"})
    if (kind.ends_with(suffix)) return find_row(kind.substr(0, kind.size() - suffix.size()));
  if (kind.starts_with("lwt")) return find_row("lwt");
  return nullptr;
}

// For programs whose section says nothing (old objects, hand-made specs): by what they were loaded as.
const KindRow* row_of_type(const object::ProgramSpec& program) {
  if (program.attach_type)
    for (const KindRow& row : kKinds)
      if (row.attach_type == program.attach_type) return &row;
  if (program.type == ProgType::tracing) {
    if (program.attach_type == AttachType::trace_iter) return find_row("iter");
    if (program.attach_type == AttachType::trace_raw_tp) return find_row("raw_tp");
    return find_row("fentry");
  }
  if (program.type == ProgType::lsm) return find_row(program.attach_type == AttachType::lsm_cgroup ? "lsm_cgroup" : "lsm");
  for (const KindRow& row : kKinds)
    if ((row.prog_types >> static_cast<unsigned>(program.type) & 1) != 0 && !row.attach_type) return &row;
  return nullptr;
}

Result<void> check_fits(const KindRow& row, const object::ProgramSpec& program) {
  bool fits = program.type == ProgType::unspec || (row.prog_types >> static_cast<unsigned>(program.type) & 1) != 0;
  if (!fits)
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                 .message = fmt::format("program `{}` is of type {}, which cannot run at `{}`", program.name,
                                                        facts::to_string(program.type), row.kind),
                                 .hint = fmt::format("compile it with SEC(\"{}/…\")", row.kind)});
  auto is_multi = [](std::optional<AttachType> type) {
    return type == AttachType::trace_kprobe_multi || type == AttachType::trace_kprobe_session ||
           type == AttachType::trace_uprobe_multi || type == AttachType::trace_uprobe_session;
  };
  if (program.type == ProgType::kprobe && row.attach_type != program.attach_type &&
      (is_multi(program.attach_type) || row.attach_type))
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                 .message = fmt::format("program `{}` was compiled for {}, and cannot run at `{}`", program.name,
                                                        program.section_kind.empty() ? "another kind" : program.section_kind, row.kind),
                                 .hint = fmt::format("compile it with SEC(\"{}/…\")", row.kind)});
  return {};
}

Result<Probe> ask_row(const KindRow& row, std::string_view target, const object::ProgramSpec& program,
                      const ProbeOptions& options) {
  TRY(check_fits(row, program));
  return row.parse(Ask{row.kind, target, row.example, program, options});
}

const KindRow* row_of(const object::ProgramSpec& program) {
  const KindRow* row = row_of_section(program.section_kind);
  return row != nullptr ? row : row_of_type(program);
}

// "uprobe:/bin/bash:readline", "uprobe//bin/bash:readline": the kind ends at the first separator. A path or an interface
// is no kind, and leaves the row empty.
std::pair<const KindRow*, std::string_view> split_kind(std::string_view text) {
  auto [kind, target] = cut(text);
  return {row_of_section(kind), target};
}

}  // namespace

Result<Probe> probe_of(const object::ProgramSpec& program, const ProbeOptions& options) {
  const KindRow* row = row_of(program);
  if (row == nullptr)
    return fail(ErrorKind::unsupported, "program `{}` of type {} has nowhere to be attached", program.name,
                facts::to_string(program.type));
  return ask_row(*row, program.attach_target, program, options);
}

Result<Probe> parse(std::string_view text, const object::ProgramSpec& program, const ProbeOptions& options) {
  auto [row, target] = split_kind(text);
  if (row != nullptr) return ask_row(*row, target, program, options);
  const KindRow* own = row_of(program);
  // An iterator's name is in its section: only its parameter can be said. Others take the whole target anew.
  if (own != nullptr && !text.empty()) {
    if (own->kind == "iter" && !program.attach_target.empty())
      return ask_row(*own, fmt::format("{}:{}", program.attach_target, text), program, options);
    return ask_row(*own, text, program, options);
  }
  std::vector<std::string_view> kinds;
  for (const KindRow& known : kKinds)
    if (check_fits(known, program)) kinds.push_back(known.kind);
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                               .message = fmt::format("`{}` does not say where to attach `{}`", text, program.name),
                               .hint = fmt::format("KIND:TARGET, where KIND is one of {}", fmt::join(kinds, ", "))});
}

std::vector<Spelling> spellings() {
  std::vector<Spelling> rows;
  for (const KindRow& row : kKinds) rows.push_back({row.kind, row.example});
  return rows;
}

}  // namespace espy::probe
