// Probes from text. One table has a row for each kind: what it is called in SEC() and on the command line, which program
// types may run there, and the function that reads what follows the kind.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "probe/probe.hpp"

namespace espy::probe {

using facts::AttachType;
using facts::ProgType;

namespace {

/// What a row's function is asked to read.
struct Ask {
  std::string_view kind;     ///< as the row spells it
  std::string_view target;   ///< what follows the kind; may be empty
  std::string_view example;
  const object::ProgramSpec& program;
  const ProbeOptions& options;
};
using Parser = Result<Probe> (*)(const Ask&);

constexpr std::uint64_t types(auto... type) { return ((std::uint64_t{1} << static_cast<unsigned>(type)) | ...); }

struct KindRow {
  std::string_view kind;
  std::uint64_t prog_types = 0;
  Parser parse = nullptr;
  std::string_view example;
  std::optional<AttachType> attach_type = {};   ///< the program must have been loaded for it
};

std::unexpected<Error> needs(const Ask& ask, std::string_view what) {
  Error error{.kind = ErrorKind::invalid_argument,
              .message = fmt::format("program `{}` ({}): {}", ask.program.name, ask.kind, what),
              .hint = fmt::format("for example --attach {}={}", ask.program.name, ask.example)};
  return std::unexpected(std::move(error));
}

struct Place { std::string_view symbol; std::uint64_t offset = 0; };

// "vfs_read+0x10", "0x1234", "ns::f(int)+4". A sign of a C++ operator (`operator+`) is not an offset: no number follows.
Place place_of(std::string_view text) {
  if (auto bare = parse_number<std::uint64_t>(text)) return {{}, *bare};
  std::size_t plus = text.rfind('+');
  if (plus != text.npos && plus != 0)
    if (auto offset = parse_number<std::uint64_t>(text.substr(plus + 1))) return {text.substr(0, plus), *offset};
  return {text, 0};
}

// The first and second part of "A:B" or "A/B"; an empty second part if there is no separator.
std::pair<std::string_view, std::string_view> cut(std::string_view text, std::string_view separators = ":/") {
  std::size_t at = text.find_first_of(separators);
  if (at == text.npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

// ---- kernel functions and events ----

Result<Probe> tracepoint(const Ask& ask) {
  auto [category, name] = cut(ask.target);
  if (category.empty() || name.empty()) return needs(ask, "a tracepoint is named by category and name");
  return Tracepoint{std::string(category), std::string(name)};
}

Result<Probe> raw_tracepoint(const Ask& ask) {
  // "sched:sched_switch" is accepted too: the category says nothing that the name does not.
  auto [category, name] = cut(ask.target);
  std::string_view only = name.empty() ? category : name;
  if (only.empty()) return needs(ask, "which raw tracepoint?");
  if (const std::string& own = ask.program.attach_target; ask.program.type == ProgType::tracing && !own.empty() && own != only)
    return needs(ask, fmt::format("it was compiled for `{}`, which attaching cannot change", own));
  return RawTracepoint{std::string(only)};
}

Result<Probe> kprobe(const Ask& ask) {
  Place place = place_of(ask.target);
  if (ask.target.empty()) return needs(ask, "which kernel function?");
  bool at_return = ask.kind == "kretprobe";
  if (at_return && place.offset != 0) return needs(ask, "a return probe has no offset");
  return Kprobe{std::string(place.symbol), place.offset, at_return};
}

Result<Probe> kprobe_multi(const Ask& ask) {
  if (ask.target.empty()) return needs(ask, "which kernel functions? (a name, or a pattern of * and ?)");
  return KprobeMulti{std::string(ask.target), ask.kind == "kretprobe.multi", ask.kind == "kprobe.session"};
}

Result<Probe> ksyscall(const Ask& ask) {
  if (ask.target.empty()) return needs(ask, "which system call?");
  return Ksyscall{std::string(ask.target), ask.kind == "kretsyscall"};
}

Result<Probe> trampoline(const Ask& ask) {
  // The function was settled when the program was loaded; the target may only repeat it.
  if (!ask.target.empty() && !ask.program.attach_target.empty() && ask.target != ask.program.attach_target)
    return needs(ask, fmt::format("it was compiled for `{}`, which a trampoline cannot change at attach",
                                  ask.program.attach_target));
  return Trampoline{std::string(ask.target)};
}

Result<Probe> freplace(const Ask& ask) { return Freplace{std::string(ask.target)}; }

// ---- user space ----

Result<Probe> uprobe(const Ask& ask) {
  auto [path, symbol] = cut(ask.target, ":");
  if (path.empty() || symbol.empty()) return needs(ask, "a user probe is named by file and function");
  Place place = place_of(symbol);
  bool at_return = ask.kind == "uretprobe";
  if (at_return && place.offset != 0 && !place.symbol.empty()) return needs(ask, "a return probe has no offset");
  return Uprobe{std::string(path), std::string(place.symbol), place.offset, at_return};
}

Result<Probe> uprobe_multi(const Ask& ask) {
  auto [path, pattern] = cut(ask.target, ":");
  if (path.empty() || pattern.empty()) return needs(ask, "user probes are named by file and function pattern");
  return UprobeMulti{std::string(path), std::string(pattern), ask.kind == "uretprobe.multi", ask.kind == "uprobe.session"};
}

Result<Probe> usdt(const Ask& ask) {
  auto [path, rest] = cut(ask.target, ":");
  auto [provider, name] = cut(rest, ":");
  if (path.empty() || provider.empty() || name.empty()) return needs(ask, "a USDT probe is named by file, provider and name");
  return Usdt{std::string(path), std::string(provider), std::string(name)};
}

// ---- perf events ----

struct PerfEventRow { std::string_view name; std::uint32_t type, config; };
// perf_event_open(2): PERF_TYPE_HARDWARE is 0, PERF_TYPE_SOFTWARE 1.
constexpr auto kPerfEvents = std::to_array<PerfEventRow>({
    {"cpu-clock", 1, 0},         {"task-clock", 1, 1},       {"page-faults", 1, 2},     {"context-switches", 1, 3},
    {"cpu-migrations", 1, 4},    {"minor-faults", 1, 5},     {"major-faults", 1, 6},    {"alignment-faults", 1, 7},
    {"emulation-faults", 1, 8},  {"dummy", 1, 9},            {"bpf-output", 1, 10},     {"cgroup-switches", 1, 11},
    {"cycles", 0, 0},            {"instructions", 0, 1},     {"cache-references", 0, 2}, {"cache-misses", 0, 3},
    {"branches", 0, 4},          {"branch-misses", 0, 5},    {"bus-cycles", 0, 6},
    {"stalled-cycles-frontend", 0, 7}, {"stalled-cycles-backend", 0, 8}, {"ref-cycles", 0, 9},
});

// perf_event:EVENT, perf_event:EVENT:PERIOD, perf_event:EVENT:RATEhz; software: and hardware: are the same with a class
// before the event; profile:hz:RATE is cpu-clock, and so is nothing at all.
Result<Probe> perf_event(const Ask& ask) {
  auto [event, how] = cut(ask.target);
  if (ask.kind == "profile") event = "cpu-clock", how = ask.target;
  else if (event == "software" || event == "hardware") std::tie(event, how) = cut(how);
  if (event.empty()) event = "cpu-clock";
  auto row = std::ranges::find(kPerfEvents, event, &PerfEventRow::name);
  if (row == kPerfEvents.end()) {
    std::vector<std::string_view> names;
    for (const PerfEventRow& known : kPerfEvents) names.push_back(known.name);
    return needs(ask, fmt::format("no perf event `{}`; there are {}", event, fmt::join(names, ", ")));
  }
  PerfEvent probe{.type = row->type, .config = row->config, .name = std::string(event)};
  bool is_clock = row->type == 1 && row->config <= 1;
  bool per_second = how.ends_with("hz") || how.starts_with("hz:");
  if (how.ends_with("hz")) how.remove_suffix(2);
  if (how.starts_with("hz:")) how.remove_prefix(3);
  auto number = parse_number<std::uint64_t>(how);
  if (!how.empty() && (!number || *number == 0)) return needs(ask, fmt::format("`{}` is no period and no rate", how));
  if (per_second) probe.frequency = *number;
  else if (number) probe.period = *number;
  else if (is_clock) probe.frequency = 99;
  else probe.period = row->type == 0 ? 1'000'000 : 1;
  return probe;
}

// ---- network ----

// The interface: what the target says first, else what the options say.
Result<std::string> interface_of(const Ask& ask, std::string_view named) {
  if (!named.empty()) return std::string(named);
  if (!ask.options.interface.empty()) return ask.options.interface;
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                               .message = fmt::format("program `{}` ({}): on which network interface?", ask.program.name, ask.kind),
                               .hint = fmt::format("--iface lo, or --attach {}={}", ask.program.name, ask.example)});
}

Result<Probe> xdp(const Ask& ask) {
  if (ask.program.attach_type == AttachType::xdp_devmap || ask.program.attach_type == AttachType::xdp_cpumap)
    return Nothing{"an XDP program of a devmap or cpumap entry runs where that map's value names it"};
  auto [interface, mode] = cut(ask.target, ":");
  Xdp probe{TRY(interface_of(ask, interface))};
  if (mode == "native") probe.mode = Xdp::Mode::native;
  else if (mode == "generic") probe.mode = Xdp::Mode::generic;
  else if (mode == "offload") probe.mode = Xdp::Mode::offload;
  else if (!mode.empty()) return needs(ask, fmt::format("`{}` is no XDP mode; native, generic and offload are", mode));
  return probe;
}

Result<Probe> tc(const Ask& ask) {
  auto [interface, direction] = cut(ask.target, ":");
  // SEC("tc/ingress") and the like: the direction is part of the kind that the section table matched.
  std::string_view section = ask.program.section_kind;
  bool tcx = ask.program.attach_type == AttachType::tcx_ingress || ask.program.attach_type == AttachType::tcx_egress;
  Tc probe;
  probe.ingress = !section.ends_with("egress") && ask.program.attach_type != AttachType::tcx_egress;
  if (ask.kind.starts_with("tcx") || (section.starts_with("tcx") && tcx)) probe.via = Tc::Via::tcx;
  if (ask.kind == "clsact" || ask.kind == "action") probe.via = Tc::Via::clsact;
  if (interface == "ingress" || interface == "egress") std::swap(interface, direction);
  probe.interface = TRY(interface_of(ask, interface));
  if (direction == "ingress") probe.ingress = true;
  else if (direction == "egress") probe.ingress = false;
  else if (!direction.empty()) return needs(ask, fmt::format("`{}` is no direction; ingress and egress are", direction));
  return probe;
}

Result<Probe> netkit(const Ask& ask) {
  auto [interface, side] = cut(ask.target, ":");
  if (interface == "primary" || interface == "peer") std::swap(interface, side);
  bool primary = side.empty() ? ask.program.attach_type != AttachType::netkit_peer : side == "primary";
  return Netkit{TRY(interface_of(ask, interface)), primary};
}

Result<Probe> cgroup(const Ask& ask) {
  // Sections such as "cgroup/connect4" leave no target; "cgroup:/path" does. That of "lsm_cgroup/HOOK" is the hook.
  const bool is_hook = ask.kind == "lsm_cgroup" && !ask.target.starts_with('/');
  std::string path(ask.target.empty() || is_hook ? std::string_view(ask.options.cgroup) : ask.target);
  if (path.empty())
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                                 .message = fmt::format("program `{}` ({}): in which cgroup?", ask.program.name, ask.kind),
                                 .hint = fmt::format("--cgroup PATH, or --attach {}=cgroup:PATH; the root is where cgroup2 is "
                                                     "mounted (grep cgroup2 /proc/mounts)", ask.program.name)});
  return Cgroup{std::move(path)};
}

Result<Probe> sockmap(const Ask& ask) { return Sockmap{std::string(ask.target)}; }
Result<Probe> net_namespace(const Ask& ask) { return NetNamespace{std::string(ask.target)}; }

Result<Probe> netfilter(const Ask& ask) {
  // linux/netfilter.h: enum nf_inet_hooks.
  static constexpr auto kHooks = std::to_array<std::string_view>({"prerouting", "input", "forward", "output", "postrouting"});
  Netfilter probe;
  if (ask.target.empty()) return probe;
  auto parts = split(ask.target, ':');
  if (parts[0] == "ipv4" || parts[0] == "ip") probe.family = 2;
  else if (parts[0] == "ipv6" || parts[0] == "ip6") probe.family = 10;
  else return needs(ask, "which family (ipv4, ipv6) and hook?");
  auto hook = parts.size() > 1 ? std::ranges::find(kHooks, parts[1]) : kHooks.end();
  if (hook == kHooks.end()) return needs(ask, fmt::format("the hook is one of {}", fmt::join(kHooks, ", ")));
  probe.hook = static_cast<std::uint32_t>(hook - kHooks.begin());
  for (std::string_view part : std::span(parts).subspan(2)) {
    if (part == "defrag") probe.defragment = true;
    else if (auto priority = parse_number<std::int32_t>(part)) probe.priority = *priority;
    else return needs(ask, fmt::format("`{}` is no priority", part));
  }
  return probe;
}

Result<Probe> socket_filter(const Ask& ask) {
  return SocketFilter{ask.target.empty() ? ask.options.interface : std::string(ask.target)};
}

Result<Probe> reuseport(const Ask& ask) {
  auto [protocol, port_text] = cut(ask.target, ":");
  auto port = parse_number<std::uint16_t>(port_text);
  if ((protocol != "tcp" && protocol != "udp") || !port) return needs(ask, "for which port?");
  return Reuseport{*port, protocol == "udp", ask.options.pid};
}

// ---- the rest ----

Result<Probe> iterator(const Ask& ask) {
  auto [name, parameter] = cut(ask.target, ":");
  if (name.empty()) return needs(ask, "over what?");
  // The load settled it.
  if (std::string_view own = cut(ask.program.attach_target, ":").first; !own.empty() && own != name)
    return needs(ask, fmt::format("it was compiled to iterate over {}, which attaching cannot change", own));
  Iterator probe{.name = std::string(name), .map = {}, .pid = {}, .cgroup = {}};
  if (name == "cgroup") {
    probe.cgroup = parameter.empty() ? ask.options.cgroup : std::string(parameter);
  } else if (name.starts_with("task")) {
    if (ask.options.pid) probe.pid = static_cast<std::uint32_t>(*ask.options.pid);
    if (!parameter.empty()) {
      auto pid = parse_number<std::uint32_t>(parameter);
      if (!pid) return needs(ask, fmt::format("`{}` is no process number", parameter));
      probe.pid = *pid;
    }
  } else {
    probe.map = std::string(parameter);
  }
  return probe;
}

Result<Probe> struct_ops(const Ask& ask) { return StructOps{std::string(ask.target)}; }

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
    {"tp", types(ProgType::tracepoint), tracepoint, "tracepoint:sched:sched_switch"},
    {"tracepoint", types(ProgType::tracepoint), tracepoint, "tracepoint:sched:sched_switch"},
    {"raw_tp", kRaw, raw_tracepoint, "raw_tp:sched_switch"},
    {"raw_tracepoint", kRaw, raw_tracepoint, "raw_tracepoint:sched_switch"},
    {"tp_btf", kRaw, raw_tracepoint, "tp_btf:sched_switch"},
    {"kprobe", kKprobe, kprobe, "kprobe:vfs_read"},
    {"kretprobe", kKprobe, kprobe, "kretprobe:vfs_read"},
    {"kprobe.multi", kKprobe, kprobe_multi, "kprobe.multi:vfs_*", AttachType::trace_kprobe_multi},
    {"kretprobe.multi", kKprobe, kprobe_multi, "kretprobe.multi:vfs_*", AttachType::trace_kprobe_multi},
    {"kprobe.session", kKprobe, kprobe_multi, "kprobe.session:vfs_*", AttachType::trace_kprobe_session},
    {"ksyscall", kKprobe, ksyscall, "ksyscall:openat"},
    {"kretsyscall", kKprobe, ksyscall, "kretsyscall:openat"},
    {"uprobe", kKprobe, uprobe, "uprobe:/bin/bash:readline"},
    {"uretprobe", kKprobe, uprobe, "uretprobe:/bin/bash:readline"},
    {"uprobe.multi", kKprobe, uprobe_multi, "uprobe.multi:libc.so.6:mall*", AttachType::trace_uprobe_multi},
    {"uretprobe.multi", kKprobe, uprobe_multi, "uretprobe.multi:libc.so.6:mall*", AttachType::trace_uprobe_multi},
    {"uprobe.session", kKprobe, uprobe_multi, "uprobe.session:libc.so.6:mall*", AttachType::trace_uprobe_session},
    {"usdt", kKprobe, usdt, "usdt:libc.so.6:libc:setjmp"},
    {"fentry", kTracing, trampoline, "fentry:vfs_read"},
    {"fexit", kTracing, trampoline, "fexit:vfs_read"},
    {"fmod_ret", kTracing, trampoline, "fmod_ret:security_file_open"},
    {"lsm", kTracing, trampoline, "lsm:file_open"},
    {"freplace", types(ProgType::ext), freplace, "freplace:/sys/fs/bpf/prog/function"},
    {"perf_event", types(ProgType::perf_event), perf_event, "perf_event:cpu-clock:99hz"},
    {"profile", types(ProgType::perf_event), perf_event, "profile:hz:99"},
    {"xdp", types(ProgType::xdp), xdp, "xdp:eth0"},
    {"tc", kTc, tc, "tc:eth0:ingress"},
    {"tcx", kTc, tc, "tcx:eth0:egress"},
    {"clsact", kTc, tc, "clsact:eth0:ingress"},
    {"classifier", kTc, tc, "tc:eth0:ingress"},
    {"action", kTc, tc, "clsact:eth0:ingress"},
    {"netkit", kTc, netkit, "netkit:nk0:primary"},
    {"lsm_cgroup", types(ProgType::lsm), cgroup, "cgroup:/sys/fs/cgroup"},
    {"cgroup", kCgroupTypes, cgroup, "cgroup:/sys/fs/cgroup"},
    {"cgroup_skb", kCgroupTypes, cgroup, "cgroup:/sys/fs/cgroup"},
    {"sockops", types(ProgType::sock_ops), cgroup, "cgroup:/sys/fs/cgroup"},
    {"sk_msg", types(ProgType::sk_msg), sockmap, "sk_msg:sockets"},
    {"sk_skb", types(ProgType::sk_skb), sockmap, "sk_skb:sockets"},
    {"sk_lookup", types(ProgType::sk_lookup), net_namespace, "sk_lookup:/run/netns/blue"},
    {"flow_dissector", types(ProgType::flow_dissector), net_namespace, "flow_dissector:/run/netns/blue"},
    {"netfilter", types(ProgType::netfilter), netfilter, "netfilter:ipv4:output:-128"},
    {"iter", types(ProgType::tracing), iterator, "iter:task"},
    {"struct_ops", types(ProgType::struct_ops), struct_ops, "struct_ops:my_ops"},
    {"socket", types(ProgType::socket_filter), socket_filter, "socket:eth0"},
    {"sk_reuseport", types(ProgType::sk_reuseport), reuseport, "sk_reuseport:tcp:8080"},
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
