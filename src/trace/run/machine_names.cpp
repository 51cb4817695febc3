#include "trace/run/machine_names.hpp"

#include <fmt/format.h>
#include <linux/bpf.h>

#include <array>
#include <cstring>
#include <ctime>
#include <iterator>
#include <unordered_map>

#include "kernel/kallsyms.hpp"
#include "trace/probes/attach_point.hpp"
#include "trace/run/cgroups.hpp"
#include "trace/run/value.hpp"

namespace espy::trace::run {

namespace {

constexpr std::string_view kIndent = "        ";
/// Frames of a stack at most, as the kernel has it by default (kernel.perf_event_max_stack).
constexpr std::uint32_t kMaxFrames = 1024;

std::int64_t now(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class MachineNames final : public Names {
 public:
  MachineNames(const Plan& plan, const Engine* engine, UserPlaces places) : plan_(plan), engine_(engine), places_(std::move(places)) {}

  void kernel_symbol(std::uint64_t address, std::string& out) override {
    auto place = kernel_.get().find(address);
    if (place && !place->name.empty()) out += place->name;
    else fmt::format_to(std::back_inserter(out), "{:#x}", address);
  }

  void user_symbol(std::uint64_t address, std::uint32_t pid, std::uint32_t probe, std::string& out) override {
    const UserPlace place = user_place(pid, probe, address);
    if (place.symbol.empty()) fmt::format_to(std::back_inserter(out), "{:#x}", address);
    else out += place.symbol;
  }

  void stack(const Type& type, std::int64_t id, std::uint32_t pid, std::uint32_t probe, std::uint64_t caller, std::string& out) override {
    out += '\n';
    if (id < 0 || engine_ == nullptr) return;
    const bool by_file = type.mode == StackMode::build_id;
    auto map = engine_->find_map(fmt::format("{}_{}{}", kStacksMap, type.count, by_file ? "_ids" : ""));
    if (!map) return;
    const std::uint32_t count = std::min(type.count, kMaxFrames);
    const auto key = static_cast<std::uint32_t>(id);
    std::vector<std::byte>& frames = frames_;
    frames.assign(std::size_t{count} * (by_file ? sizeof(bpf_stack_build_id) : 8), std::byte{});
    auto found = engine_->lookup(*map, bytes_of(key), frames);
    if (!found || !*found) return;
    if (by_file) return build_ids(count, out);
    for (std::uint32_t i = 0, shown = 0; i < count && shown < count; ++i, ++shown) {
      const auto address = load<std::uint64_t>(frames, std::size_t{i} * 8);
      if (i == 1 && caller != 0 && address != caller && shown < count) frame(type, caller, pid, probe, out), ++shown;
      if (address == 0 || shown == count) break;
      frame(type, address, pid, probe, out);
    }
  }

  void user(std::uint64_t uid, std::string& out) override {
    auto [at, is_new] = users_.try_emplace(uid);
    if (is_new) at->second = find_user(uid);
    out += at->second;
  }

  void cgroup(std::uint64_t id, std::uint32_t filter, std::string& out) override {
    const std::string_view wanted = filter < plan_.cgroup_filters.size() ? std::string_view(plan_.cgroup_filters[filter]) : std::string_view{};
    // The filter chooses among hierarchies; there is one whose cgroups have numbers that programs see.
    if (!wanted.empty() && !probes::matches(wanted, "unified")) return;
    const std::string& path = cgroups_.path(id);
    if (path.empty()) return;
    out += "unified:";
    out += path;
  }

  std::int64_t wall_time(std::uint64_t ns, std::uint32_t clock) override {
    // The clocks drift apart slowly; a difference taken once is right for a session.
    auto [at, is_new] = offsets_.try_emplace(clock);
    if (is_new) at->second = now(CLOCK_REALTIME) - now(static_cast<clockid_t>(clock));
    return static_cast<std::int64_t>(ns) + at->second;
  }

  void timestamp(std::uint64_t ns, std::uint32_t clock, std::uint32_t format, std::string& out) override {
    if (format >= plan_.formats.size()) return;
    const std::int64_t wall = wall_time(ns, clock);
    append_time(wall / 1'000'000'000, static_cast<std::uint32_t>(wall % 1'000'000'000), plan_.formats[format], out);
  }

  std::string_view probe(std::uint64_t index) override { return index < plan_.probes.size() ? std::string_view(plan_.probes[index].name) : std::string_view{}; }
  std::string_view trailer() const override { return plan_.config.str_trunc_trailer; }
  std::uint32_t string_room() const override { return static_cast<std::uint32_t>(plan_.config.max_strlen); }

 private:
  void frame(const Type& type, std::uint64_t address, std::uint32_t pid, std::uint32_t probe, std::string& out) {
    auto append = std::back_inserter(out);
    if (type.mode == StackMode::raw) {
      fmt::format_to(append, "{:x}\n", address);
      return;
    }
    const bool perf = type.mode == StackMode::perf;
    if (perf) fmt::format_to(append, "\t{:x} ", address);
    else out += kIndent;
    if (type.kind == Kind::kstack) {
      auto place = kernel_.get().find(address);
      if (place && !place->name.empty()) fmt::format_to(append, "{}+{}\n", place->name, place->offset);
      else fmt::format_to(append, "{:#x}\n", address);
      return;
    }
    const UserPlace place = user_place(pid, probe, address);
    if (place.symbol.empty()) fmt::format_to(append, "{:#x}", address);
    else fmt::format_to(append, "{}+{}", place.symbol, place.offset);
    if (perf) fmt::format_to(append, " ({})", place.module.empty() ? "[unknown]" : place.module);
    out += '\n';
  }

  void build_ids(std::uint32_t count, std::string& out) {
    for (std::uint32_t i = 0; i < count; ++i) {
      bpf_stack_build_id id{};
      std::memcpy(&id, frames_.data() + std::size_t{i} * sizeof id, sizeof id);
      if (id.status == BPF_STACK_BUILD_ID_EMPTY) break;
      out += kIndent;
      if (id.status == BPF_STACK_BUILD_ID_IP) {
        fmt::format_to(std::back_inserter(out), "{:#x}\n", static_cast<std::uint64_t>(id.ip));
        continue;
      }
      for (unsigned char byte : id.build_id) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
      fmt::format_to(std::back_inserter(out), " {:#x}\n", static_cast<std::uint64_t>(id.offset));
    }
  }

  UserPlace user_place(std::uint32_t pid, std::uint32_t probe, std::uint64_t address) { return places_ ? places_(pid, probe, address) : UserPlace{}; }

  static std::string find_user(std::uint64_t uid) {
    // As in /etc/passwd: a static program has no other way, and asking the network while tracing would be a surprise.
    auto text = read_text_file("/etc/passwd");
    std::string_view rest = text ? std::string_view(*text) : std::string_view{};
    const std::string number = fmt::to_string(uid);
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      const std::size_t name = line.find(':');
      if (name == line.npos) continue;
      const std::size_t secret = line.find(':', name + 1);
      if (secret == line.npos) continue;
      if (line.substr(secret + 1, line.find(':', secret + 1) - secret - 1) == number) return std::string(line.substr(0, name));
    }
    return number;
  }

  const Plan& plan_;
  const Engine* engine_;
  UserPlaces places_;
  kernel::RunningKernelFunctions kernel_;
  Cgroups cgroups_;
  std::unordered_map<std::uint64_t, std::string> users_;
  std::unordered_map<std::uint32_t, std::int64_t> offsets_;   // by clock
  std::vector<std::byte> frames_;
};

bool shows_user_addresses(const Type& type) {
  if (type.kind == Kind::usym || type.kind == Kind::ustack) return true;
  if (type.element && type.kind == Kind::array) return shows_user_addresses(*type.element);
  if (!type.fields) return false;
  for (const Field& field : *type.fields)
    if (shows_user_addresses(field.type)) return true;
  return false;
}

}  // namespace

std::unique_ptr<Names> machine_names(const Plan& plan, const Engine* engine, UserPlaces user_places) {
  return std::make_unique<MachineNames>(plan, engine, std::move(user_places));
}

bool shows_user_addresses(const Plan& plan) {
  for (const MapPlan& map : plan.maps)
    if (shows_user_addresses(map.key) || shows_user_addresses(map.value)) return true;
  for (const Action& action : plan.actions)
    for (const Field& argument : action.arguments)
      if (shows_user_addresses(argument.type)) return true;
  return false;
}

}  // namespace espy::trace::run
