#include "vm/io/verdict.hpp"

#include <array>

namespace espy::vm {
namespace {

constexpr std::array<std::string_view, kVerdicts> kNames = {"dropped", "aborted", "passed", "sent back", "redirected"};

Verdict of_xdp(std::uint32_t value) {
  constexpr Verdict kByValue[] = {Verdict::abort, Verdict::drop, Verdict::pass, Verdict::send_back, Verdict::redirect};
  return value < std::size(kByValue) ? kByValue[value] : Verdict::abort;
}

// TC_ACT_SHOT, _STOLEN, _QUEUED and _TRAP end a packet; _OK, _RECLASSIFY, _PIPE and what is unknown let it go on.
Verdict of_tc(std::uint32_t value) {
  switch (value) {
    case 2: case 4: case 5: case 8: return Verdict::drop;
    case 7: return Verdict::redirect;
    default: return Verdict::pass;
  }
}

// BPF_OK, _DROP, _REDIRECT, _LWT_REROUTE.
Verdict of_tunnel(std::uint32_t value) { return value == 2 ? Verdict::drop : value == 7 ? Verdict::redirect : Verdict::pass; }

}  // namespace

std::string_view to_string(Verdict verdict) { return kNames[static_cast<std::size_t>(verdict)]; }

Verdict verdict_of(facts::ProgType type, std::uint32_t value) {
  using facts::ProgType;
  switch (type) {
    case ProgType::xdp: return of_xdp(value);
    case ProgType::sched_cls:
    case ProgType::sched_act: return of_tc(value);
    case ProgType::lwt_in:
    case ProgType::lwt_out:
    case ProgType::lwt_xmit:
    case ProgType::lwt_seg6local: return of_tunnel(value);
    case ProgType::cgroup_skb: return (value & 1) != 0 ? Verdict::pass : Verdict::drop;
    default: return value != 0 ? Verdict::pass : Verdict::drop;   // socket filters: the bytes to keep
  }
}

}  // namespace espy::vm
