#include "base/text.hpp"
#include "probe/probe.hpp"

namespace espy::probe {

namespace {

std::string with_offset(std::string_view symbol, std::uint64_t offset) {
  if (symbol.empty()) return fmt::format("{:#x}", offset);
  return offset == 0 ? std::string(symbol) : fmt::format("{}+{:#x}", symbol, offset);
}

// "x", or "kind x" if there is an x to name.
std::string named(std::string_view kind, std::string_view what) {
  return what.empty() ? std::string(kind) : fmt::format("{} {}", kind, what);
}

std::string text(const Nothing&) { return "nothing"; }
std::string text(const Tracepoint& p) { return fmt::format("tracepoint {}:{}", p.category, p.name); }
std::string text(const RawTracepoint& p) { return "raw tracepoint " + p.name; }
std::string text(const Kprobe& p) { return fmt::format("{} {}", p.at_return ? "kretprobe" : "kprobe", with_offset(p.symbol, p.offset)); }
std::string text(const KprobeMulti& p) {
  std::string what = p.pattern.empty() ? fmt::format("{} functions", p.symbols.size()) : p.pattern;
  return fmt::format("{} {}", p.session ? "kprobe.session" : p.at_return ? "kretprobe.multi" : "kprobe.multi", what);
}
std::string text(const Ksyscall& p) { return fmt::format("{} {}", p.at_return ? "kretsyscall" : "ksyscall", p.syscall); }
std::string text(const Uprobe& p) {
  return fmt::format("{} {}:{}", p.at_return ? "uretprobe" : "uprobe", p.path, with_offset(p.symbol, p.offset));
}
std::string text(const UprobeMulti& p) {
  std::string what = p.pattern.empty() ? fmt::format("{} places", p.offsets.size()) : p.pattern;
  return fmt::format("{} {}:{}", p.session ? "uprobe.session" : p.at_return ? "uretprobe.multi" : "uprobe.multi", p.path, what);
}
std::string text(const Usdt& p) { return fmt::format("usdt {}:{}:{}", p.path, p.provider, p.name); }
std::string text(const Trampoline& p) { return named("trampoline", p.function); }
std::string text(const Freplace& p) { return named("freplace", p.function); }
std::string text(const PerfEvent& p) {
  std::string name = p.name.empty() ? fmt::format("{}:{}", p.type, p.config) : p.name;
  return p.frequency != 0 ? fmt::format("perf event {} ({} Hz)", name, p.frequency)
                          : fmt::format("perf event {} (every {})", name, p.period);
}
std::string text(const Watchpoint& p) {
  return fmt::format("watchpoint {:#x}, {} bytes, {}{}{}", p.address, p.length, p.read ? "r" : "", p.write ? "w" : "", p.execute ? "x" : "");
}
std::string text(const Xdp& p) {
  switch (p.mode) {
    case Xdp::Mode::any: return "xdp " + p.interface;
    case Xdp::Mode::native: return fmt::format("xdp {} (native)", p.interface);
    case Xdp::Mode::generic: return fmt::format("xdp {} (generic)", p.interface);
    case Xdp::Mode::offload: return fmt::format("xdp {} (offload)", p.interface);
  }
  return "xdp";
}
std::string text(const Tc& p) {
  std::string_view via = p.via == Tc::Via::tcx ? "tcx" : p.via == Tc::Via::clsact ? "clsact" : "tc";
  return fmt::format("{} {} {}", via, p.interface, p.ingress ? "ingress" : "egress");
}
std::string text(const Netkit& p) { return fmt::format("netkit {} {}", p.interface, p.primary ? "primary" : "peer"); }
std::string text(const Cgroup& p) { return "cgroup " + p.path; }
std::string text(const Sockmap& p) { return named("sockmap", p.map); }
std::string text(const NetNamespace& p) { return named("network namespace", p.path); }
std::string text(const Netfilter& p) {
  static constexpr std::string_view kHooks[] = {"prerouting", "input", "forward", "output", "postrouting"};
  std::string hook = p.hook < std::size(kHooks) ? std::string(kHooks[p.hook]) : fmt::format("hook {}", p.hook);
  return fmt::format("netfilter {} {} priority {}", p.family == 10 ? "ipv6" : "ipv4", hook, p.priority);
}
std::string text(const Iterator& p) {
  std::string base = "iterator " + p.name;
  if (!p.map.empty()) base += " of map " + p.map;
  if (p.pid) base += fmt::format(" of process {}", *p.pid);
  if (!p.cgroup.empty()) base += " below " + p.cgroup;
  return base;
}
std::string text(const StructOps& p) { return named("struct_ops", p.map); }
std::string text(const SocketFilter& p) { return p.interface.empty() ? "packet socket, all interfaces" : "packet socket " + p.interface; }
std::string text(const Reuseport& p) { return fmt::format("reuseport {}:{}", p.udp ? "udp" : "tcp", p.port); }

}  // namespace

std::string describe(const Probe& probe) {
  return std::visit([](const auto& kind) { return text(kind); }, probe);
}

}  // namespace espy::probe
