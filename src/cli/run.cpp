// `espy run`: an object, linked, loaded and attached; its records as they come, and its maps when it ends.
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/open.hpp"
#include "cli/session.hpp"
#include "cli/user_session.hpp"

namespace espy::cli {
namespace {

constexpr Positional kPositionals[] = {{"OBJ.o", "an eBPF object file"}};
constexpr Option kOptions[] = {
    {.name = "--prog", .value = "NAME", .help = "load and attach only this program", .repeat = Repeat::many},
    {.name = "--engine", .value = "kernel|user", .help = "the kernel (default), or this process: packet programs, and perf_event programs on a timer"},
    {.name = "--pcap-in", .value = "FILE", .help = "in user space: the packets of this capture, one after the other"},
    {.name = "--pcap-out", .value = "FILE", .help = "in user space: write the packets that were not dropped, as the program left them"},
    {.name = "--via", .value = "xdp|packet", .help = "in user space: take packets from the host (AF_XDP; default for XDP programs) or copy them (AF_PACKET)"},
    {.name = "--tier", .value = "TIER", .help = "in user space: interpreter (default: checks every access), baseline or optimised (compiled)"},
    {.name = "--unverified", .value = {}, .help = "in user space: run programs even if they do not verify, interpreted"},
    {.name = "--for", .value = "DURATION", .help = "end after 500ms, 10s, 2m …; default: at Ctrl-C"},
    {.name = "--json", .value = {}, .help = "print NDJSON: one object a line (docs/records.md)"},
    {.name = "--pid", .value = "PID", .help = "only this process, where the kind of probe can: uprobe, USDT, perf event, iterator"},
    {.name = "--attach", .value = "PROG=TARGET", .help = "attach a program there, and there if said again: tracepoint:sched:sched_switch, xdp:eth0 …", .repeat = Repeat::many},
    {.name = "--set", .value = "VAR=VALUE", .help = "set a global variable before loading", .repeat = Repeat::many},
    {.name = "--map", .value = "NAME", .help = "show only this map or data section", .repeat = Repeat::many},
    {.name = "--type", .value = "MAP=TYPE", .help = "what a map's records are: events='struct event'", .repeat = Repeat::many},
    {.name = "--cgroup", .value = "PATH", .help = "the cgroup for cgroup programs"},
    {.name = "--iface", .value = "DEV", .help = "the network interface for XDP, tc and socket programs"},
    {.name = "--pin", .value = "DIR", .help = "pin the maps in DIR (on a bpffs), or use those that are pinned there"},
    {.name = "--verbose", .value = {}, .help = "say what was linked, loaded and attached, and what each program cost", .letter = 'v'},
};
constexpr Example kExamples[] = {
    {"espy run opens.bpf.o --for 10s", "show the records of a program for ten seconds, then its maps"},
    {"espy run trace.bpf.o --json --set only_pid=42", "machine output, with a global variable set"},
    {"espy run filter.bpf.o --attach drop=xdp:eth0 -v", "an XDP program on an interface, and what a packet costs"},
    {"espy run filter.bpf.o --engine user --pcap-in in.pcap --pcap-out kept.pcap", "a packet program on a capture, without privileges"},
    {"espy run filter.bpf.o --engine user --iface eth0 --via packet --for 10s", "the same on copies of what an interface receives"},
};

// What every `--option NAME=VALUE` of a kind said.
Result<std::vector<std::pair<std::string, std::string>>> names_and_values(const Invocation& invocation, std::string_view option) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const std::string& text : invocation.values(option)) found.push_back(TRY(name_and_value(option, text)));
  return found;
}

Result<SessionOptions> options_of(const Invocation& invocation) {
  SessionOptions options;
  options.programs = invocation.values("--prog");
  for (auto& [program, target] : TRY(names_and_values(invocation, "--attach"))) options.attach.emplace(program, target);
  for (auto& [map, type] : TRY(names_and_values(invocation, "--type"))) options.types[map] = type;
  options.maps = invocation.values("--map");
  options.probe.cgroup = invocation.value("--cgroup").value_or("");
  options.probe.interface = invocation.value("--iface").value_or("");
  options.pin_dir = invocation.value("--pin").value_or("");
  options.json = invocation.has("--json");
  options.verbose = invocation.has("--verbose");
  if (auto text = invocation.value("--for")) {
    auto duration = parse_duration(*text);
    if (!duration) return std::unexpected(wrap(std::move(duration.error()), "--for"));
    options.duration = std::chrono::milliseconds(*duration);
  }
  if (auto text = invocation.value("--pid")) {
    options.probe.pid = parse_number<int>(*text);
    if (!options.probe.pid || *options.probe.pid <= 0) {
      return fail(ErrorKind::invalid_argument, "--pid takes a process number, not `{}`", *text);
    }
  }
  return options;
}

// In the kernel, options about packets in user space would say nothing.
Result<bool> in_user_space(const Invocation& invocation) {
  const std::string engine = invocation.value("--engine").value_or("kernel");
  if (engine != "kernel" && engine != "user") return fail(ErrorKind::invalid_argument, "--engine takes kernel or user, not `{}`", engine);
  if (engine == "user") {
    for (std::string_view name : {"--pin", "--cgroup", "--pid"}) {
      if (invocation.has(name)) return fail(ErrorKind::invalid_argument, "{} says nothing to programs in user space", name);
    }
    return true;
  }
  for (std::string_view name : {"--pcap-in", "--pcap-out", "--via", "--tier", "--unverified"}) {
    if (invocation.has(name)) return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = fmt::format("{} is for programs in user space", name), .hint = "--engine user"});
  }
  return false;
}

Result<int> run_in_user_space(const Invocation& invocation, SessionOptions common) {
  UserOptions options{.common = std::move(common), .pcap_in = invocation.value("--pcap-in").value_or(""), .pcap_out = invocation.value("--pcap-out").value_or("")};
  options.way = TRY(chosen_way(invocation));
  if (auto via = invocation.value("--via")) {
    if (*via != "xdp" && *via != "packet") return fail(ErrorKind::invalid_argument, "--via takes xdp or packet, not `{}`", *via);
    options.via = *via == "xdp" ? Via::xdp : Via::packet;
  }
  UserSession session = TRY(UserSession::start(TRY(open_object(invocation)), std::move(options)));
  auto outcome = session.observe();
  if (outcome || session.has_run()) TRY(session.finish());   // what was gathered before something went wrong counts
  if (!outcome) return std::unexpected(outcome.error());
  return kOk;
}

Result<int> run(const Invocation& invocation) {
  SessionOptions options = TRY(options_of(invocation));
  if (TRY(in_user_space(invocation))) return run_in_user_space(invocation, std::move(options));
  object::ObjectSpec spec = TRY(open_object(invocation));
  Session session = TRY(Session::start(std::move(spec), options));
  TRY(session.observe());
  TRY(session.finish());
  return kOk;
}

}  // namespace

extern const Command kRun{
    .name = "run", .summary = "load an object, attach its programs and show what they record",
    .description = "Links the object for this kernel, loads it, attaches every program where its section says (or --attach), and shows\n"
                   "records as they come. At the end – Ctrl-C or --for – everything is detached, and maps and global variables are shown.\n"
                   "With --engine user, this process runs the programs: one on the packets of a capture or an interface, or perf_event\n"
                   "programs on a timer, verified first and each access checked. No privileges are needed but for --iface.",
    .positionals = kPositionals, .options = kOptions, .examples = kExamples, .run = run};

}  // namespace espy::cli
