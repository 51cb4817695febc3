// Which programs serve which targets. Targets of one kind that a single program can serve are joined; the rest get a program
// each. Nothing here changes what a script sees: joined targets are told apart wherever the body asks.
#include "trace/probes/plan.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "trace/probes/derive.hpp"
#include "trace/probes/syscalls.hpp"

namespace espy::trace::probes {

using facts::AttachType;
using facts::Feature;
using facts::ProgType;

namespace {

// kprobe.multi is known to every newer kernel, and works where fprobe was built (CONFIG_FPROBE).
bool has_fprobe(Machine& machine) {
  auto btf = machine.vmlinux();
  return btf && (*btf)->find("register_fprobe_ips", btf::Kind::func);
}

Abilities ask(Machine& machine, bool tracepoints, bool kernel, bool user, bool cookies) {
  const bool fprobe = kernel && has_fprobe(machine);
  return {.raw_tracepoints = machine.version() >= facts::KernelVersion{4, 17, 0},
          .tp_btf = tracepoints && machine.has(Feature::tp_btf),
          .raw_cookies = machine.version() >= facts::KernelVersion{6, 10, 0},
          .event_cookies = cookies && machine.has(Feature::bpf_cookie),
          .kprobe_multi = fprobe && machine.has(Feature::kprobe_multi),
          .uprobe_multi = user && machine.has(Feature::uprobe_multi)};
}

}  // namespace

Abilities abilities_of(Machine& machine) { return ask(machine, true, true, true, true); }

Abilities abilities_for(Machine& machine, std::span<const Target> targets) {
  const auto any = [&](std::initializer_list<Provider> providers) {
    return std::ranges::any_of(targets, [&](const Target& target) { return std::ranges::find(providers, target.provider) != providers.end(); });
  };
  using enum Provider;
  const bool tracepoints = any({tracepoint, rawtracepoint}), kernel = any({kprobe, kretprobe}), user = any({uprobe, uretprobe, usdt});
  // One tracepoint or function of the kernel needs no cookie to be told from others.
  return ask(machine, tracepoints, kernel, user, user || ((tracepoints || kernel) && targets.size() > 1));
}

bool has_sessions(Machine& machine, bool user) {
  return user ? machine.has(Feature::uprobe_session) : has_fprobe(machine) && machine.has(Feature::kprobe_session);
}

bool take_away(Abilities& abilities, std::string_view name) {
  constexpr struct { std::string_view name; bool Abilities::* ability; } kRows[] = {
      {"kprobe_multi", &Abilities::kprobe_multi}, {"uprobe_multi", &Abilities::uprobe_multi},
      {"tp_btf", &Abilities::tp_btf}};
  const auto row = std::ranges::find(kRows, name, &std::remove_cvref_t<decltype(kRows[0])>::name);
  if (row == std::end(kRows)) return name == "kprobe_session" || name == "uprobe_session";
  abilities.*row->ability = false;
  return true;
}

namespace {

// What joins: targets with equal keys can have one program.
enum class Family : std::uint8_t { alone, syscall_enter, syscall_exit, raw, record, uprobe, uretprobe, usdt, kprobe, kretprobe };

class Planner {
 public:
  Planner(Machine& machine, const Needs& needs, const Abilities& abilities) : machine_(machine), needs_(needs), can_(abilities) {}

  Result<std::vector<Instance>> plan(std::vector<Target> targets) {
    auto may_be_raw = [](const Target& t) { return t.provider == Provider::tracepoint && !is_syscall(std::get<probe::Tracepoint>(t.probe)); };
    // One pass over BTF instead of a search for each.
    if (can_.tp_btf && std::ranges::count_if(targets, may_be_raw) > 8) static_cast<void>(machine_.raw_tracepoints());
    std::map<Family, std::vector<Target>> families;
    std::vector<Family> order;
    for (Target& target : targets) {
      Family family = family_of(target);
      if (family == Family::alone || !families.contains(family)) order.push_back(family);
      families[family].push_back(std::move(target));
    }
    std::size_t alone = 0;
    for (Family family : order) {
      if (family == Family::alone) TRY(serve_alone(std::move(families[family][alone++])));
      else TRY(serve(family, std::move(families[family])));
    }
    // A perf tracepoint takes the stack where the event is; a raw one adds the program and bpf_trace_run on top.
    for (Instance& instance : instances_)
      if (is_raw(instance)) instance.stack_skip = 2;
    return std::move(instances_);
  }

 private:
  static bool is_raw(const Instance& instance) {
    return !instance.attachments.empty() && std::holds_alternative<probe::RawTracepoint>(instance.attachments.front().probe);
  }

  bool wants_arguments() const { return !needs_.fields.empty() || needs_.whole_args || needs_.numbered; }

  Family family_of(const Target& target) {
    switch (target.provider) {
      case Provider::tracepoint: return family_of_tracepoint(target);
      case Provider::uprobe: return can_.uprobe_multi && needs_.fields.empty() ? Family::uprobe : Family::alone;
      case Provider::uretprobe: return can_.uprobe_multi ? Family::uretprobe : Family::alone;
      case Provider::usdt: return can_.uprobe_multi || can_.event_cookies ? Family::usdt : Family::alone;
      case Provider::kprobe: return can_.kprobe_multi && needs_.fields.empty() && is_entry(target) ? Family::kprobe : Family::alone;
      case Provider::kretprobe: return can_.kprobe_multi ? Family::kretprobe : Family::alone;
      case Provider::begin: case Provider::end: case Provider::self: case Provider::test: case Provider::bench: case Provider::rawtracepoint:
      case Provider::profile: case Provider::interval: case Provider::software: case Provider::hardware: case Provider::iter:
      case Provider::watchpoint: case Provider::fentry: case Provider::fexit: return Family::alone;
    }
    return Family::alone;
  }

  Family family_of_tracepoint(const Target& target) {
    const auto& place = std::get<probe::Tracepoint>(target.probe);
    if (is_syscall(place) && (can_.tp_btf || can_.raw_tracepoints) && !needs_.whole_args)
      return place.name.starts_with("sys_enter_") ? Family::syscall_enter : Family::syscall_exit;
    if (wants_arguments()) return Family::alone;
    if (has_raw(place) && (!needs_.probe || can_.raw_cookies)) return Family::raw;
    return has_raw(place) ? Family::alone : !needs_.probe || can_.event_cookies ? Family::record : Family::alone;
  }

  // A function's entry, by name: what kprobe.multi can have.
  static bool is_entry(const Target& target) {
    const auto& place = std::get<probe::Kprobe>(target.probe);
    return !place.symbol.empty() && place.offset == 0;
  }

  // A raw tracepoint of this name, which the event was made of. Events that others define (kprobe_events, uprobe_events,
  // synthetic ones) and ftrace's own have none.
  bool has_raw(const probe::Tracepoint& place) {
    return can_.tp_btf && place.category != "syscalls" && place.category != "ftrace" && machine_.has_raw_tracepoint(place.name);
  }

  Result<void> serve(Family family, std::vector<Target> targets) {
    switch (family) {
      case Family::alone: break;
      case Family::syscall_enter: case Family::syscall_exit: return serve_syscalls(std::move(targets));
      case Family::raw: return serve_raw(std::move(targets));
      case Family::record: return serve_each_link(std::move(targets));
      case Family::uprobe: case Family::uretprobe: return serve_user(std::move(targets));
      case Family::usdt: return serve_usdt(std::move(targets));
      case Family::kprobe: case Family::kretprobe: return serve_kernel_functions(std::move(targets));
    }
    return {};
  }

  // ---- one target ----

  Result<void> serve_alone(Target target) {
    if (target.provider == Provider::tracepoint && TRY(serve_derived(target))) return {};
    Instance instance = as_is(target);
    if (wants_arguments() || target.provider == Provider::iter) instance.arguments = TRY(arguments_of(machine_, target));
    if (target.provider == Provider::rawtracepoint) untype_if_needed(instance);
    if (!std::holds_alternative<probe::Nothing>(target.probe)) instance.attachments.push_back({target.probe});
    instance.targets.push_back(std::move(target));
    instances_.push_back(std::move(instance));
    return {};
  }

  // An untyped program may load whatever a raw tracepoint passes.
  void untype_if_needed(Instance& instance) const {
    auto refused = [&](const Argument& argument) {
      bool used = needs_.numbered || needs_.whole_args || std::ranges::find(needs_.fields, argument.name) != needs_.fields.end();
      return used && !is_loadable(*instance.arguments.btf, argument.type);
    };
    if (std::ranges::none_of(instance.arguments.arguments, refused)) return;
    instance.prog_type = ProgType::raw_tracepoint;
    instance.attach_type.reset();
    instance.arguments.typed_pointers = false;
  }

  static Instance as_is(const Target& target) {
    return {.prog_type = target.prog_type, .attach_type = target.attach_type, .attach_target = target.attach_target, .targets = {}};
  }

  // The event's raw tracepoint, typed by BTF. One whose arguments nobody wants is not: then no types need be looked up.
  Instance raw(const std::string& event) const {
    if (!wants_arguments() && !needs_.kernel_functions)
      return {.prog_type = ProgType::raw_tracepoint, .attach_target = event, .targets = {}, .attachments = {{probe::RawTracepoint{event}}}};
    return {.prog_type = ProgType::tracing, .attach_type = AttachType::trace_raw_tp, .attach_target = event, .targets = {},
            .attachments = {{probe::RawTracepoint{event}}}};
  }

  // The raw tracepoint instead, if all fields can be had from its arguments.
  Result<bool> serve_derived(const Target& target) {
    const auto& place = std::get<probe::Tracepoint>(target.probe);
    if (!has_raw(place) || needs_.whole_args) return false;
    Instance instance = raw(place.name);
    if (!needs_.fields.empty()) {
      auto record = TRY(arguments_of(machine_, target));
      Target own_target = target;
      own_target.prog_type = ProgType::tracing;
      own_target.arguments = ParameterArguments{ParameterArguments::Of::raw_tracepoint, "", place.name};
      auto own = arguments_of(machine_, own_target);
      if (!own) return false;
      auto derived = derive(place.name, record, *own, needs_.fields);
      if (!derived) return false;
      instance.arguments = std::move(*derived);
      if (!instance.arguments.typed_pointers) instance.prog_type = ProgType::raw_tracepoint, instance.attach_type.reset();
    }
    instance.targets.push_back(target);
    instances_.push_back(std::move(instance));
    return true;
  }

  // ---- many targets ----

  Which told_apart(const std::vector<Target>& targets) const { return targets.size() > 1 && needs_.probe ? Which::cookie : Which::first; }

  // Raw tracepoints, none of whose arguments is wanted. A BTF program is made for one event, an untyped one for any.
  Result<void> serve_raw(std::vector<Target> targets) {
    if (targets.size() == 1) {
      Instance instance = raw(std::get<probe::Tracepoint>(targets.front().probe).name);
      instance.targets = std::move(targets);
      instances_.push_back(std::move(instance));
      return {};
    }
    Instance instance{.prog_type = ProgType::raw_tracepoint, .targets = {}, .which = told_apart(targets)};
    for (std::size_t i = 0; i < targets.size(); ++i)
      instance.attachments.push_back({probe::RawTracepoint{std::get<probe::Tracepoint>(targets[i].probe).name}, cookie(instance, i)});
    instance.targets = std::move(targets);
    instances_.push_back(std::move(instance));
    return {};
  }

  // One program, a link for each target, as the target says.
  Result<void> serve_each_link(std::vector<Target> targets) {
    Instance instance = as_is(targets.front());
    instance.which = told_apart(targets);
    for (std::size_t i = 0; i < targets.size(); ++i) instance.attachments.push_back({targets[i].probe, cookie(instance, i)});
    instance.targets = std::move(targets);
    instances_.push_back(std::move(instance));
    return {};
  }

  static std::uint64_t cookie(const Instance& instance, std::size_t index) { return instance.which == Which::cookie ? index : 0; }

  Result<void> serve_syscalls(std::vector<Target> targets) {
    SyscallPlan plan = TRY(plan_syscalls(machine_, std::move(targets), needs_, can_));
    for (Instance& instance : plan.instances) instances_.push_back(std::move(instance));
    for (Target& target : plan.left) TRY(serve_alone(std::move(target)));
    return {};
  }

  // Functions of files: a link for each file, whose places have cookies.
  Result<void> serve_user(std::vector<Target> targets) {
    if (targets.size() == 1) return serve_alone(std::move(targets.front()));
    Instance instance = as_is(targets.front());
    instance.attach_type = AttachType::trace_uprobe_multi;
    instance.which = told_apart(targets);
    if (wants_arguments()) {
      Target any = targets.front();
      std::get<RegisterArguments>(any.arguments).function.clear();   // argN only: they are the same for all
      instance.arguments = TRY(arguments_of(machine_, any));
    }
    join_places(instance, targets);
    instance.targets = std::move(targets);
    instances_.push_back(std::move(instance));
    return {};
  }

  static void join_places(Instance& instance, const std::vector<Target>& targets) {
    std::map<std::string, probe::UprobeMulti> files;
    bool semaphores = std::ranges::any_of(targets, [](const Target& t) { return std::get<probe::Uprobe>(t.probe).semaphore != 0; });
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const auto& place = std::get<probe::Uprobe>(targets[i].probe);
      probe::UprobeMulti& multi = files[place.path];
      multi.path = place.path, multi.at_return = place.at_return;
      multi.offsets.push_back(place.offset);
      if (semaphores) multi.semaphores.push_back(place.semaphore);
      if (instance.which == Which::cookie) multi.cookies.push_back(i);
    }
    for (auto& [path, multi] : files) instance.attachments.push_back({std::move(multi)});
  }

  // Places of USDT probes whose arguments are in the same registers share a program.
  Result<void> serve_usdt(std::vector<Target> targets) {
    std::vector<std::vector<Target>> groups;
    for (Target& target : targets) {
      auto group = std::ranges::find_if(groups, [&](const std::vector<Target>& g) {
        const auto &a = std::get<UsdtArguments>(g.front().arguments), &b = std::get<UsdtArguments>(target.arguments);
        return !wants_arguments() || (a.arguments == b.arguments && a.error == b.error);
      });
      if (group == groups.end()) group = groups.insert(groups.end(), std::vector<Target>{});
      group->push_back(std::move(target));
    }
    for (std::vector<Target>& group : groups) {
      if (group.size() == 1) {
        TRY(serve_alone(std::move(group.front())));
        continue;
      }
      Instance instance = as_is(group.front());
      instance.which = told_apart(group);
      if (wants_arguments()) instance.arguments = TRY(arguments_of(machine_, group.front()));
      if (can_.uprobe_multi) {
        instance.attach_type = AttachType::trace_uprobe_multi;
        join_places(instance, group);
      } else {
        for (std::size_t i = 0; i < group.size(); ++i) instance.attachments.push_back({group[i].probe, cookie(instance, i)});
      }
      instance.targets = std::move(group);
      instances_.push_back(std::move(instance));
    }
    return {};
  }

  Result<void> serve_kernel_functions(std::vector<Target> targets) {
    if (targets.size() == 1) return serve_alone(std::move(targets.front()));
    Instance instance = as_is(targets.front());
    instance.attach_type = AttachType::trace_kprobe_multi;
    instance.which = told_apart(targets);
    if (wants_arguments()) {
      Target any = targets.front();
      std::get<RegisterArguments>(any.arguments).function.clear();
      instance.arguments = TRY(arguments_of(machine_, any));
    }
    probe::KprobeMulti multi{.pattern = {}, .at_return = std::get<probe::Kprobe>(targets.front().probe).at_return};
    for (std::size_t i = 0; i < targets.size(); ++i) {
      multi.symbols.push_back(targets[i].function);
      if (instance.which == Which::cookie) multi.cookies.push_back(i);
    }
    instance.attachments.push_back({std::move(multi)});
    instance.targets = std::move(targets);
    instances_.push_back(std::move(instance));
    return {};
  }

  Machine& machine_;
  const Needs& needs_;
  const Abilities& can_;
  std::vector<Instance> instances_;
};

}  // namespace

Result<std::vector<Instance>> group(Machine& machine, std::vector<Target> targets, const Needs& needs, const Abilities& abilities) {
  return Planner(machine, needs, abilities).plan(std::move(targets));
}

}  // namespace espy::trace::probes
