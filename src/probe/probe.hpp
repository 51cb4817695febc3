// Probe: where a program runs. One parser turns `SEC("uprobe//bin/bash:readline")` and `uprobe:/bin/bash:readline` into
// the same value; resolving it finds files, symbols, offsets and numbers on this machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "facts/types.hpp"
#include "object/spec.hpp"

namespace espy::probe {

struct Tracepoint { std::string category, name; };
struct RawTracepoint { std::string name; };                     ///< also tp_btf: the load decides
struct Kprobe { std::string symbol; std::uint64_t offset = 0; bool at_return = false; };
/// The functions that match `pattern`; or, without one, these symbols, each with its cookie (or all without).
struct KprobeMulti {
  std::string pattern;
  bool at_return = false, session = false;
  std::vector<std::string> symbols = {};
  std::vector<std::uint64_t> cookies = {};
};
struct Ksyscall { std::string syscall; bool at_return = false; };
/// An empty symbol makes the offset one in the file; else it counts from the symbol. `semaphore`: the offset in the file of a
/// counter that is raised while the probe is there; 0: none.
struct Uprobe { std::string path, symbol; std::uint64_t offset = 0; bool at_return = false; std::uint64_t semaphore = 0; };
/// The functions that match `pattern`; or, without one, these offsets in the file, each with its semaphore and cookie (both
/// lists may be empty).
struct UprobeMulti {
  std::string path, pattern;
  bool at_return = false, session = false;
  std::vector<std::uint64_t> offsets = {}, semaphores = {}, cookies = {};
};
struct Usdt { std::string path, provider, name; };
struct Trampoline { std::string function; };                    ///< fentry, fexit, fmod_ret, LSM: where was settled at load
struct Freplace { std::string function; };                      ///< as it was said: the load settled the program and its function
/// Every `period` events, or `frequency` times a second. `one_cpu`: on a single CPU, whatever runs there.
struct PerfEvent { std::uint32_t type = 1, config = 0; std::uint64_t period = 0, frequency = 0; std::string name; bool one_cpu = false; };
/// Memory that is watched while a process (AttachOptions::pid), or anybody, works on it: 1, 2, 4 or 8 bytes.
struct Watchpoint { std::uint64_t address = 0; std::uint32_t length = 8; bool read = false, write = true, execute = false; };
struct Xdp { std::string interface; enum class Mode { any, native, generic, offload } mode = Mode::any; };
struct Tc { std::string interface; bool ingress = true; enum class Via { any, tcx, clsact } via = Via::any; };
struct Netkit { std::string interface; bool primary = true; };
struct Cgroup { std::string path; };
struct Sockmap { std::string map; };                            ///< sk_msg, sk_skb; empty: the object's only sockmap
struct NetNamespace { std::string path; };                      ///< sk_lookup, flow dissector; empty: this process's
struct Netfilter { std::uint32_t family = 2, hook = 0; std::int32_t priority = -128; bool defragment = false; };
struct Iterator { std::string name; std::string map; std::optional<std::uint32_t> pid; std::string cgroup; };
struct StructOps { std::string map; };
struct SocketFilter { std::string interface; };                 ///< on a raw packet socket of its own; empty: all
/// sk_reuseport: the group of sockets that share this port, reached through a process that has one open.
struct Reuseport { std::uint16_t port = 0; bool udp = false; std::optional<int> pid; };
struct Nothing { std::string reason; };                         ///< run by test-run only: syscall, lwt, ext …

using Probe = std::variant<Nothing, Tracepoint, RawTracepoint, Kprobe, KprobeMulti, Ksyscall, Uprobe, UprobeMulti, Usdt,
                           Trampoline, Freplace, PerfEvent, Watchpoint, Xdp, Tc, Netkit, Cgroup, Sockmap, NetNamespace, Netfilter,
                           Iterator, StructOps, SocketFilter, Reuseport>;

/// What the command line (or a caller) adds to what the section says.
struct ProbeOptions {
  std::string interface;        ///< --iface
  std::string cgroup;           ///< --cgroup
  std::optional<int> pid;       ///< --pid: uprobes, USDT, perf events, iterators of this process only
};

/// Where the program's own section says it runs, completed by the options. A program whose section names no target and
/// that is not told one gives `invalid_argument` with how to say it, but where one choice is harmless: a perf event program
/// samples the CPU clock 99 times a second, a netfilter program sees IPv4 before routing.
Result<Probe> probe_of(const object::ProgramSpec& program, const ProbeOptions& options);

/// A target given as text (`--attach PROG=TARGET`): "kprobe:vfs_read", "tracepoint:sched:sched_switch",
/// "uprobe:/bin/bash:readline", "xdp:eth0", "cgroup:/sys/fs/cgroup", the same in SEC() spelling, or, where the program's
/// section already says the kind, only what follows it: "eth0", "/bin/bash:readline".
Result<Probe> parse(std::string_view text, const object::ProgramSpec& program, const ProbeOptions& options);

/// "tracepoint sched:sched_switch", "xdp lo (generic)": for messages and `-v`.
std::string describe(const Probe& probe);

/// One row for each way to say where a program runs, for help and documentation.
struct Spelling {
  std::string_view kind;      ///< "uprobe"
  std::string_view example;   ///< "uprobe:/bin/bash:readline"
};
std::vector<Spelling> spellings();

}  // namespace espy::probe
