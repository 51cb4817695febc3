// How system calls' own tracepoints come about: sys_enter and sys_exit are raw tracepoints that every call passes, and the
// kernel makes syscalls:sys_enter_NAME of them by looking at the number. A program of ours does the same for all wanted calls
// at once: one link instead of hundreds, whose taking away costs 0.1 ms instead of 70 ms each.
//
//   sys_enter(struct pt_regs *regs, long id)     sys_exit(struct pt_regs *regs, long ret)
//
// What the kernel does and we must: 32-bit calls are left out (kernel/trace/trace_syscalls.c, trace_get_syscall_nr); numbers
// that no call has are left out; a field is the whole 64-bit register, whatever its C type.
#include "trace/probes/syscalls.hpp"

#include <algorithm>

#include "facts/syscall_events.hpp"

namespace espy::trace::probes {

using facts::AttachType;
using facts::ProgType;

namespace {

// More programs than these cost every call of the system more than the calls' own tracepoints would.
constexpr std::size_t kMostPrograms = 4;

#if defined(__aarch64__)
constexpr std::uint32_t kNumberOffset = 280, kNumberSize = 4;   // pt_regs.syscallno
#else
constexpr std::uint32_t kNumberOffset = 120, kNumberSize = 8;   // pt_regs.orig_ax
#endif

bool is_enter(const Target& target) { return std::get<probe::Tracepoint>(target.probe).name.starts_with("sys_enter_"); }

std::optional<std::uint32_t> number_of(const probe::Tracepoint& place) {
  std::string_view name = place.name;
  for (std::string_view prefix : {"sys_enter_", "sys_exit_"})
    if (place.category == "syscalls" && name.starts_with(prefix)) return facts::syscall_number_of_event(name.substr(prefix.size()));
  return std::nullopt;
}

// The number among the fields: "__syscall_nr", in older kernels "nr".
bool is_number(const Argument& field) { return field.name == "__syscall_nr" || field.name == "nr"; }

// Where a field of the record is in the raw tracepoint's arguments; nullopt: nowhere (a copied string).
std::optional<Source> source_in_raw(const Argument& field, std::size_t index, bool enter) {
  if (is_number(field)) return enter ? Source(InContext{8}) : Source(Behind{0, {kNumberOffset}});
  if (std::holds_alternative<Located>(field.source) || field.size != 8) return std::nullopt;
  if (!enter) return field.name == "ret" ? std::optional<Source>(InContext{8}) : std::nullopt;
  auto reg = syscall_register(static_cast<unsigned>(index - 1));   // the number stands before the parameters
  return reg ? std::optional<Source>(Behind{0, {*reg}}) : std::nullopt;
}

// The needed fields as the raw tracepoint has them; nullopt if one is not to be had.
std::optional<ArgumentSet> raw_fields(const ArgumentSet& record, const std::vector<std::string>& needed, bool enter) {
  ArgumentSet set{.btf = record.btf};
  for (const std::string& name : needed) {
    auto field = std::ranges::find(record.arguments, name, &Argument::name);
    if (field == record.arguments.end()) return std::nullopt;
    auto source = source_in_raw(*field, static_cast<std::size_t>(field - record.arguments.begin()), enter);
    if (!source) return std::nullopt;
    set.arguments.push_back(*field);
    set.arguments.back().source = std::move(*source);
  }
  return set;
}

// Do these mean the same reads of the same types?
bool same(const ArgumentSet& a, const ArgumentSet& b) {
  auto equal = [](const Argument& x, const Argument& y) {
    auto place = [](const Source& s) { return std::holds_alternative<Behind>(s) ? std::get<Behind>(s).steps.front() : 0U; };
    return x.spelling == y.spelling && x.source.index() == y.source.index() && place(x.source) == place(y.source);
  };
  return std::ranges::equal(a.arguments, b.arguments, equal);
}

// Where the kernel keeps that the task is in a 32-bit call. Whether it runs any at all, BTF does not tell reliably: the
// functions that 32-bit calls enter by are left out of it by older compilers of BTF.
std::optional<CompatTest> compat_test(Machine& machine) {
  auto vmlinux = machine.vmlinux();
  if (!vmlinux) return std::nullopt;
#if defined(__aarch64__)
  constexpr std::string_view kMember = "flags";
  constexpr std::uint32_t kMask = 1U << 22;   // _TIF_32BIT
#else
  constexpr std::string_view kMember = "status";
  constexpr std::uint32_t kMask = 2;          // TS_COMPAT
#endif
  auto task = (*vmlinux)->find("task_struct", btf::Kind::struct_), info = (*vmlinux)->find("thread_info", btf::Kind::struct_);
  if (!task || !info) return std::nullopt;
  std::uint32_t offset = 0;
  for (const btf::Member& member : task->members())
    if (member.name == "thread_info") offset = member.bit_offset / 8;
  for (const btf::Member& member : info->members())
    if (member.name == kMember) return CompatTest{offset + member.bit_offset / 8, kMask};
  return std::nullopt;
}

Instance on_raw_tracepoint(Machine& machine, bool enter, bool typed) {
  std::string event = enter ? "sys_enter" : "sys_exit";
  Instance instance{.prog_type = typed ? ProgType::tracing : ProgType::raw_tracepoint,
                    .attach_type = typed ? std::optional(AttachType::trace_raw_tp) : std::nullopt,
                    .attach_target = event,
                    .targets = {},
                    .which = Which::syscall,
                    .compat = compat_test(machine),
                    .attachments = {{probe::RawTracepoint{event}}}};
  // Not so where calls return: a new process gets there another way than the one that made it.
  instance.one_kernel_stack = enter && instance.compat.has_value();
  if (!enter) instance.number = Behind{0, {kNumberOffset}}, instance.number_size = kNumberSize;
  return instance;
}

}  // namespace

bool is_syscall(const probe::Tracepoint& place) { return number_of(place).has_value(); }

Result<SyscallPlan> plan_syscalls(Machine& machine, std::vector<Target> targets, const Needs& needs, const Abilities& abilities) {
  SyscallPlan plan;
  bool enter = is_enter(targets.front());
  for (Target& target : targets) {
    std::optional<ArgumentSet> fields = ArgumentSet{};
    if (!needs.fields.empty()) fields = raw_fields(TRY(arguments_of(machine, target)), needs.fields, enter);
    auto fits = [&](const Instance& instance) { return same(instance.arguments, *fields); };
    auto instance = plan.instances.end();
    if (fields) instance = std::ranges::find_if(plan.instances, fits);
    if (fields && instance == plan.instances.end() && plan.instances.size() < kMostPrograms) {
      instance = plan.instances.insert(plan.instances.end(), on_raw_tracepoint(machine, enter, abilities.tp_btf));
      fields->typed_pointers = abilities.tp_btf;
      instance->arguments = std::move(*fields);
    }
    if (instance == plan.instances.end()) {
      plan.left.push_back(std::move(target));
      continue;
    }
    instance->syscalls.push_back({*number_of(std::get<probe::Tracepoint>(target.probe)), static_cast<std::uint32_t>(instance->targets.size())});
    instance->targets.push_back(std::move(target));
  }
  for (Instance& instance : plan.instances) std::ranges::sort(instance.syscalls, {}, &SyscallCase::number);
  return plan;
}

}  // namespace espy::trace::probes
