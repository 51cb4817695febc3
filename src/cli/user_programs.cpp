#include "cli/user_programs.hpp"

#include <net/if.h>
#include <sys/timerfd.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/text.hpp"

namespace espy::cli {
namespace {

constexpr std::size_t kMostQueues = 64;

// Each queue's packets to its socket; those of a queue without one go on.
constexpr std::string_view kHandover = R"(
.map sockets type=xskmap key=4 value=4 max_entries=64
.section xdp
.func hand_over
  r2 = *(u32 *)(r1 + 16)
  r1 = sockets ll
  r3 = 2
  call 51
  exit
)";

std::size_t queues_of(const std::string& interface) {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net/" + interface + "/queues", ignored)) {
    if (entry.path().filename().string().starts_with("rx-")) ++count;
  }
  return std::clamp<std::size_t>(count, 1, kMostQueues);
}

Result<LiveLinks> open_xdp_links(const std::string& interface) {
  LiveLinks made{.takes_packets = true};
  const std::size_t queues = queues_of(interface);
  for (std::uint32_t queue = 0; queue < queues; ++queue) made.links.push_back(TRY(vm::open_xdp_link(interface, queue)));
  object::Target target = TRY(kernel::running_target());
  object::LinkedObject linked = TRY(object::link(TRY(object::assemble_object(kHandover, "handover")), target));
  made.handover = std::make_unique<kernel::Object>(TRY(kernel::Object::load(std::move(linked))));
  for (std::uint32_t queue = 0; queue < queues; ++queue) {
    const int socket = made.links[queue]->descriptor();
    TRY(made.handover->find_map("sockets")->update(bytes_of(queue), bytes_of(socket)));
  }
  made.attached = TRY(kernel::attach(*made.handover, *made.handover->find_program("hand_over"), probe::Xdp{.interface = interface}, {}));
  return made;
}

}  // namespace

std::string interface_of(const probe::Probe& probe) {
  if (const auto* xdp = std::get_if<probe::Xdp>(&probe)) return xdp->interface;
  if (const auto* tc = std::get_if<probe::Tc>(&probe)) return tc->interface;
  if (const auto* filter = std::get_if<probe::SocketFilter>(&probe)) return filter->interface;
  return {};
}

Result<LiveLinks> open_links(const std::string& interface, Via via, facts::ProgType type) {
  if (via == Via::xdp || (via == Via::any && type == facts::ProgType::xdp)) {
    auto links = open_xdp_links(interface);
    if (links || via == Via::xdp) return links;
    fmt::print(stderr, "espy: warning: no AF_XDP on {} ({}): looking at copies of its packets\n", interface, one_line(links.error()));
  }
  LiveLinks links;
  links.links.push_back(TRY(vm::open_packet_link(interface)));
  return links;
}

Result<void> forward(LiveLinks& links, vm::LiveLink& from, vm::Verdict verdict, vm::Packet& packet, std::uint64_t& unsent) {
  const auto send = [&](std::uint32_t target) -> Result<void> {
    char name[IF_NAMESIZE];
    std::unique_ptr<vm::LiveLink>& out = links.out[target];
    if (out == nullptr && ::if_indextoname(target, name) != nullptr) out = TRY(vm::open_packet_link(name));
    if (out == nullptr || !TRY(out->send(packet.data()))) ++unsent;
    return {};
  };
  using Kind = vm::Redirect::Kind;
  for (const vm::Redirect& redirect : packet.redirects()) {
    if (redirect.clone) TRY(send(redirect.target));
  }
  if (verdict == vm::Verdict::send_back && !TRY(from.send(packet.data()))) ++unsent;
  if (verdict != vm::Verdict::redirect) return {};
  auto last = std::ranges::find_if(packet.redirects().rbegin(), packet.redirects().rend(), [](const vm::Redirect& redirect) { return !redirect.clone; });
  if (last == packet.redirects().rend()) return ++unsent, Result<void>();
  if (last->kind == Kind::all_interfaces) {
    const bool but_own = (last->flags & 16) != 0;   // BPF_F_EXCLUDE_INGRESS
    for (std::uint32_t target : static_cast<const vm::TargetMap*>(last->map)->targets()) {
      if (!but_own || target != packet.field("ingress_ifindex")) TRY(send(target));
    }
    return {};
  }
  if (last->kind == Kind::cpu || last->kind == Kind::socket) return ++unsent, Result<void>();   // nobody is there to take it
  return send(last->target);
}

// ---- timers ----

std::uint64_t sampling_rate(const probe::Probe& probe) {
  constexpr std::uint64_t kUsual = 99, kThousand = 1000, kSecond = 1'000'000'000, kMost = 20'000;
  const auto* event = std::get_if<probe::PerfEvent>(&probe);
  std::uint64_t rate = kUsual * kThousand;
  if (event != nullptr && event->frequency != 0) rate = std::min(event->frequency, kMost) * kThousand;
  else if (event != nullptr && event->period != 0) rate = kSecond * kThousand / event->period;   // of a clock: nanoseconds
  return std::clamp<std::uint64_t>(rate, 1, kMost * kThousand);
}

Result<UniqueFd> sampling_timer(std::uint64_t rate) {
  const std::uint64_t each = std::uint64_t{1'000'000'000'000} / rate;
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const timespec interval{.tv_sec = static_cast<time_t>(each / 1'000'000'000), .tv_nsec = static_cast<long>(each % 1'000'000'000)};
  const itimerspec when{.it_interval = interval, .it_value = interval};
  if (!timer || ::timerfd_settime(timer.get(), 0, &when, nullptr) != 0) return fail_sys(errno, "a timer");
  return timer;
}

std::uint64_t expirations(const UniqueFd& timer) {
  std::uint64_t count = 0;
  return ::read(timer.get(), &count, sizeof count) == sizeof count ? count : 0;
}

Result<void> run_sample(const vm::Program& program, std::uint64_t rate, const std::function<void(std::string_view)>& print) {
  // `struct bpf_perf_event_data`: the registers in the kernel's order, then the period and an address.
  std::array<std::uint64_t, 23> context{};
  ucontext_t here;
  ::getcontext(&here);
#if defined(__x86_64__)
  constexpr int kOrder[] = {REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP, REG_RBX, REG_R11, REG_R10, REG_R9, REG_R8, REG_RAX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, -1, REG_RIP, -1, REG_EFL, REG_RSP, -1};
  for (std::size_t i = 0; i < std::size(kOrder); ++i) {
    if (kOrder[i] >= 0) context[i] = static_cast<std::uint64_t>(here.uc_mcontext.gregs[kOrder[i]]);
  }
#endif
  context[21] = std::uint64_t{1'000'000'000'000} / rate;
  vm::RunInput input{.context = context.data(), .context_bytes = sizeof context};
  input.print = print;
  auto result = program.run(input);
  if (!result) return std::unexpected(result.error());
  return {};
}

// ---- maps ----

Result<render::MapView> view_user_map(const object::ObjectSpec& object, object::MapIdx index, vm::Map& map) {
  constexpr std::size_t kMostEntries = 1U << 20;
  render::MapView view = TRY(kernel::empty_view(object, index, map.attributes().key_size, map.attributes().value_size));
  std::vector<std::byte> key;
  for (auto next = TRY(map.next_key({})); next; next = TRY(map.next_key(key))) {
    key = std::move(*next);
    auto value = TRY(map.read(key));
    if (!value) continue;
    if (view.entries.size() == kMostEntries) {
      view.truncated = true;
      break;
    }
    render::MapView::Entry& entry = view.entries.emplace_back();
    entry.key = key;
    entry.value = map.is_per_cpu() ? render::sum_per_cpu(view.value, *value, map.attributes().value_size, vm::rounded(map.attributes().value_size)) : std::move(*value);
  }
  return view;
}

}  // namespace espy::cli
