// Probes in the kernel: tracepoints, functions, eBPF programs, iterators.
#include <unistd.h>

#include <algorithm>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/features.hpp"
#include "kernel/program_functions.hpp"
#include "trace/probes/expand.hpp"

namespace espy::trace::probes {

using facts::AttachType;
using facts::Feature;
using facts::ProgType;

namespace {

Target tracepoint_target(const probe::TracepointName& name) {
  return {.provider = Provider::tracepoint, .name = fmt::format("tracepoint:{}:{}", name.category, name.name),
          .probe = probe::Tracepoint{name.category, name.name}, .prog_type = ProgType::tracepoint,
          .arguments = RecordArguments{name.category, name.name}};
}

// This kernel cannot do it at all: why, and what serves instead.
std::optional<Error> unserved(const Expanding& ask, std::string_view function) {
  if (!ask.options.must_attach) return std::nullopt;
  Error error{.kind = ErrorKind::unsupported};
  if (ask.point.provider == Provider::kprobe || ask.point.provider == Provider::kretprobe) {
    auto tracefs = ask.machine.tracefs();
    bool has = ::access("/sys/bus/event_source/devices/kprobe/type", F_OK) == 0 || (tracefs && (*tracefs)->read("kprobe_events"));
    if (has) return std::nullopt;
    auto options = kernel::options_not_set("CONFIG_KPROBES,CONFIG_KPROBE_EVENTS");
    error.message = fmt::format("{}: this kernel has no kprobes; they need {}", name_of(ask.point),
                                options.empty() ? "CONFIG_KPROBES and CONFIG_KPROBE_EVENTS" : fmt::format("{}, which it has not set", fmt::join(options, " and ")));
  } else {
    auto able = kernel::require(Feature::fentry);
    if (able) return std::nullopt;
    error = able.error();
    error.message = fmt::format("{}: {}", name_of(ask.point), error.message);
  }
  auto tracefs = ask.machine.tracefs();
  auto instead = tracefs ? probe::tracepoints_instead_of(**tracefs, function) : std::vector<std::string>{};
  if (!instead.empty()) error.hint = fmt::format("these tracepoints tell of the same: tracepoint:{}", fmt::join(instead, ", tracepoint:"));
  else if (error.hint.empty()) error.hint = "tracepoints serve instead: list them with -l 'tracepoint:*'";
  return error;
}

// Is there one function that is probed by name? BTF answers at once for most; the kernel's own lists take longer.
Result<bool> is_function(Machine& machine, std::string_view name) {
  if (auto btf = machine.vmlinux(); btf && (*btf)->find(name, btf::Kind::func)) return true;
  const auto& all = *TRY(machine.functions());
  return std::ranges::binary_search(all, name, {}, &KernelFunction::name);
}

Result<std::vector<KernelFunction>> functions_matching(const std::vector<KernelFunction>& all, const KernelPlace& place) {
  std::vector<KernelFunction> found;
  bool any_module = place.module.empty();
  auto begin = is_pattern(place.function) ? all.begin() : std::ranges::lower_bound(all, place.function, {}, &KernelFunction::name);
  for (auto f = begin; f != all.end(); ++f) {
    if (!is_pattern(place.function) && f->name != place.function) break;
    if ((any_module || matches(place.module, f->module)) && matches(place.function, f->name)) found.push_back(*f);
  }
  if (!found.empty()) return found;
  std::vector<std::string_view> names;
  for (const KernelFunction& f : all) names.push_back(f.name);
  std::string what = is_pattern(place.function) ? fmt::format("no kernel function matches `{}`", place.function) : fmt::format("the kernel has no function `{}`", place.function);
  if (!any_module) what += fmt::format(" in `{}`", place.module);
  return std::unexpected(missing(std::move(what), is_pattern(place.function) ? "" : place.function, names));
}

Target kprobe_target(const Expanding& ask, const KernelPlace& place, std::string_view function, std::string_view module) {
  AttachPoint named = ask.point;
  std::get<KernelPlace>(named.place).function = function;
  std::get<KernelPlace>(named.place).module = module;
  std::string symbol = module.empty() ? std::string(function) : fmt::format("{}:{}", module, function);
  return {.provider = ask.point.provider, .name = name_of(named), .function = std::string(function),
          .probe = probe::Kprobe{symbol, place.offset, ask.at_return()}, .prog_type = ProgType::kprobe,
          // In the middle of a function its arguments are no longer where they were.
          .arguments = RegisterArguments{"", place.offset == 0 ? std::string(function) : "", ask.at_return()}};
}

Result<std::vector<Target>> expand_kprobe(const Expanding& ask, const KernelPlace& place) {
  std::vector<Target> targets;
  if (place.address) {
    targets.push_back({.provider = ask.point.provider, .name = name_of(ask.point), .probe = probe::Kprobe{"", *place.address, false},
                       .prog_type = ProgType::kprobe, .arguments = RegisterArguments{}});
    return targets;
  }
  if (!is_pattern(place.function) && !is_pattern(place.module)) {
    if (place.module.empty() && (ask.options.must_attach || ask.options.listing) && !TRY(is_function(ask.machine, place.function)))
      return std::unexpected(functions_matching(*TRY(ask.machine.functions()), place).error());
    targets.push_back(kprobe_target(ask, place, place.function, place.module == "vmlinux" ? "" : place.module));
    return targets;
  }
  for (const KernelFunction& f : TRY(functions_matching(*TRY(ask.machine.functions()), place)))
    targets.push_back(kprobe_target(ask, place, f.name, f.module == "vmlinux" || place.module.empty() ? "" : f.module));
  return targets;
}

Target fentry_target(const Expanding& ask, std::string_view function, std::string_view module) {
  return {.provider = ask.point.provider, .name = fmt::format("{}:{}:{}", ask.provider(), module, function), .function = std::string(function),
          .probe = probe::Trampoline{std::string(function)}, .prog_type = ProgType::tracing,
          .attach_type = ask.at_return() ? AttachType::trace_fexit : AttachType::trace_fentry,
          .attach_target = module == "vmlinux" || module == "bpf" ? std::string(function) : fmt::format("{}:{}", module, function),
          .arguments = ParameterArguments{ParameterArguments::Of::function, std::string(module), std::string(function)}};
}

Result<std::vector<Target>> expand_fentry(const Expanding& ask, const KernelPlace& place) {
  std::vector<Target> targets;
  bool in_vmlinux = place.module.empty() || place.module == "vmlinux";
  if (in_vmlinux && !is_pattern(place.function) && TRY(ask.machine.vmlinux())->find(place.function, btf::Kind::func)) {
    targets.push_back(fentry_target(ask, place.function, "vmlinux"));
    return targets;
  }
  auto found = functions_matching(*TRY(ask.machine.typed_functions()), place);
  if (!found) {
    auto untyped = is_function(ask.machine, place.function);
    if (untyped && *untyped) found.error().hint = fmt::format("BTF does not describe it; kprobe:{} needs no BTF", place.function);
    return std::unexpected(std::move(found.error()));
  }
  // A pattern may match what only looks like a function of the kernel: ftrace's list knows what can be traced.
  for (const KernelFunction& f : *found) targets.push_back(fentry_target(ask, f.name, f.module));
  return targets;
}

}  // namespace

Result<std::vector<Target>> expand_tracepoint(const Expanding& ask, const EventPlace& place) {
  std::vector<Target> targets;
  if (!is_pattern(place.category) && !is_pattern(place.event)) {
    auto id = probe::tracepoint_id(*TRY(ask.machine.tracefs()), place.category, place.event);
    if (!id) return std::unexpected(std::move(id.error()));
    targets.push_back(tracepoint_target({place.category, place.event}));
    return targets;
  }
  std::vector<std::string_view> categories;
  for (const probe::TracepointName& name : *TRY(ask.machine.tracepoints())) {
    if (categories.empty() || categories.back() != name.category) categories.push_back(name.category);
    if (matches(place.category, name.category) && matches(place.event, name.name)) targets.push_back(tracepoint_target(name));
  }
  if (!targets.empty()) return targets;
  bool wrong_category = !is_pattern(place.category) && std::ranges::find(categories, place.category) == categories.end();
  if (wrong_category) return std::unexpected(missing(fmt::format("no tracepoints in category `{}`", place.category), place.category, categories));
  return std::unexpected(missing(fmt::format("no tracepoint matches `{}:{}`", place.category, place.event)));
}

Result<std::vector<Target>> expand_raw_tracepoint(const Expanding& ask, const RawEventPlace& place) {
  bool typed = ask.machine.has(Feature::tp_btf);
  auto target = [&](std::string_view event, std::string_view module) {
    std::string name(event);
    return Target{.provider = Provider::rawtracepoint, .name = fmt::format("rawtracepoint:{}:{}", module, event), .probe = probe::RawTracepoint{name},
                  .prog_type = typed ? ProgType::tracing : ProgType::raw_tracepoint, .attach_type = typed ? std::optional(AttachType::trace_raw_tp) : std::nullopt,
                  .attach_target = name, .arguments = ParameterArguments{ParameterArguments::Of::raw_tracepoint, std::string(module), name}};
  };
  std::vector<Target> targets;
  bool in_vmlinux = place.module.empty() || place.module == "vmlinux";
  if (in_vmlinux && !is_pattern(place.event) && TRY(ask.machine.vmlinux())->find("btf_trace_" + place.event, btf::Kind::typedef_)) {
    targets.push_back(target(place.event, "vmlinux"));
    return targets;
  }
  const auto& all = *TRY(ask.machine.raw_tracepoints());
  std::vector<std::string_view> names;
  for (const KernelFunction& f : all) {
    names.push_back(f.name);
    bool again = !targets.empty() && targets.back().attach_target == f.name;   // in several modules: where it is described matters little
    if (!again && (place.module.empty() || matches(place.module, f.module)) && matches(place.event, f.name)) targets.push_back(target(f.name, f.module));
  }
  if (!targets.empty()) return targets;
  if (place.event.starts_with("sys_enter_") || place.event.starts_with("sys_exit_")) {
    Error error = missing(fmt::format("no raw tracepoint `{}`", place.event));
    error.hint = fmt::format("system calls have no raw tracepoint each; tracepoint:syscalls:{} is made of rawtracepoint:sys_{}", place.event,
                             place.event.starts_with("sys_enter_") ? "enter" : "exit");
    return std::unexpected(std::move(error));
  }
  return std::unexpected(missing(fmt::format("no raw tracepoint `{}`", place.event), place.event, names));
}

Result<std::vector<Target>> expand_kernel_function(const Expanding& ask, const KernelPlace& place) {
  if (auto error = unserved(ask, place.function)) return std::unexpected(std::move(*error));
  bool is_kprobe = ask.point.provider == Provider::kprobe || ask.point.provider == Provider::kretprobe;
  return is_kprobe ? expand_kprobe(ask, place) : expand_fentry(ask, place);
}

Result<std::vector<Target>> expand_program(const Expanding& ask, const ProgramPlace& place) {
  if (auto error = unserved(ask, place.function)) return std::unexpected(std::move(*error));
  std::vector<Target> targets;
  std::vector<std::string> names;
  for (const kernel::ProgramFunction& f : TRY(kernel::program_functions())) {
    names.push_back(f.name);
    if ((place.id && *place.id != f.program_id) || !matches(place.function, f.name)) continue;
    Target target = fentry_target(ask, f.name, "bpf");
    target.name = fmt::format("{}:bpf:{}:{}", ask.provider(), f.program_id, f.name);
    target.arguments = ParameterArguments{ParameterArguments::Of::program, "", f.name, f.program_id};
    targets.push_back(std::move(target));
  }
  if (!targets.empty()) return targets;
  std::string which = place.id ? fmt::format(" in program {}", *place.id) : "";
  return std::unexpected(missing(fmt::format("no eBPF program has a function `{}`{}", place.function, which), place.function, {names.begin(), names.end()}));
}

Result<std::vector<Target>> expand_iterator(const Expanding& ask, const IteratorPlace& place) {
  constexpr std::string_view kPrefix = "bpf_iter__";
  std::vector<Target> targets;
  std::vector<std::string> names;
  auto look_in = [&](const btf::Btf& btf, const std::string& module) {
    for (std::uint32_t id = btf.start_id(); id < btf.type_count(); ++id) {
      btf::Type type = btf.type(btf::TypeId{id});
      if (type.kind() != btf::Kind::struct_ || !type.name().starts_with(kPrefix)) continue;
      names.emplace_back(type.name().substr(kPrefix.size()));
      if (!matches(place.name, names.back())) continue;
      probe::Iterator iterator{names.back(), {}, {}, {}};
      if (ask.options.pid && names.back().starts_with("task")) iterator.pid = static_cast<std::uint32_t>(*ask.options.pid);
      targets.push_back({.provider = Provider::iter, .name = fmt::format("iter:{}", names.back()), .probe = std::move(iterator), .prog_type = ProgType::tracing,
                         .attach_type = AttachType::trace_iter, .attach_target = names.back(), .pin = place.pin,
                         .arguments = ContextArguments{module, std::string(type.name())}});
    }
  };
  look_in(*TRY(ask.machine.vmlinux()), "vmlinux");
  if (targets.empty() || is_pattern(place.name))
    for (const object::ModuleBtf& m : ask.machine.modules()) look_in(*m.btf, m.name);
  if (!targets.empty()) return targets;
  std::ranges::sort(names);
  Error error = missing(fmt::format("this kernel has no iterator over `{}`", place.name), place.name, {names.begin(), names.end()});
  if (error.hint.empty()) error.hint = names.empty() ? "iterators need Linux 5.8 and CONFIG_DEBUG_INFO_BTF" : fmt::format("there are {}", fmt::join(names, ", "));
  return std::unexpected(std::move(error));
}

}  // namespace espy::trace::probes
