// Builtins: one case each.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/probes/arguments.hpp"
#include "trace/probes/providers.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::ValueId;

namespace {

constexpr unsigned kPure = ir::kRemovable | ir::kReadsOnly;
constexpr std::uint32_t kUserStack = 1U << 8;      // BPF_F_USER_STACK

/// Bytes that a name of a task has in the kernel.
constexpr std::uint32_t kCommBytes = 16;

}  // namespace

ValueId Lowering::pid_tgid() {
  return once("pid_tgid", [&] { return b.helper(helper::get_current_pid_tgid, kI64, {}, kPure); });
}

ValueId Lowering::pid_number(bool thread, PidNamespace space) {
  const bool own = space == PidNamespace::current && unit.options.pid_namespace && unit.abilities.ns_pid;
  if (!own) {
    // The kernel's number of a thread is its pid, that of a process its tgid; a task at hand is asked without a call.
    const auto task = std::ranges::find(env.values, "curtask", &KnownValue::name);
    const auto asked = std::ranges::find(env.values, "pid_tgid", &KnownValue::name);
    if (task != env.values.end() && asked == env.values.end() && fn().type_of(task->value).is_ptr())
      return once(thread ? "task's pid" : "task's tgid", [&] { return task_member(task->value, {thread ? "pid" : "tgid"}, 4, {}); });
    const ValueId both = pid_tgid();
    return thread ? b.zext(both, 32) : b.lshr(both, i64(32));
  }
  // struct bpf_pidns_info { u32 pid, tgid; }
  return once(thread ? "ns_tid" : "ns_pid", [&] {
    const Address info = temporary(8);
    zero(info, 8);
    b.helper(helper::get_ns_current_pid_tgid, kI64,
             {i64(static_cast<std::int64_t>(unit.options.pid_namespace->device)), i64(static_cast<std::int64_t>(unit.options.pid_namespace->inode)),
              pointer(info), i64(8)});
    return load_number(info + (thread ? 0 : 4), 4);
  });
}

ValueId Lowering::current_task() {
  return once("curtask", [&] {
    if (unit.abilities.task_btf) return b.helper(helper::get_current_task_btf, ir::ptr(ir::Space::kernel), {}, kPure);
    return b.helper(helper::get_current_task, kI64, {}, kPure);
  });
}

ValueId Lowering::task_member(ValueId task, std::initializer_list<std::string_view> path, unsigned bytes, Span at) {
  // Pointers to tasks all the way; the last step is what is wanted.
  ValueId here = task;
  std::size_t step = 0;
  for (const std::string_view name : path) {
    const bool last = ++step == path.size();
    const auto offset = unit.kernel_offset("task_struct", name, at);
    if (!offset) return i64(0);
    const bool typed = fn().type_of(here).is_ptr();
    const Space space = typed ? Space::btf : Space::kernel;
    const Type type = last ? integer_type(bytes, false) : pointer_to(Type{}, space);
    here = read_scalar(type, here, *offset, space, at);
  }
  return here;
}

void Lowering::task_comm(ValueId task, Address to, Span at) {
  const auto offset = unit.kernel_offset("task_struct", "comm", at);
  if (!offset) return;
  const bool typed = fn().type_of(task).is_ptr();
  read_memory(to, kCommBytes, typed ? b.ptr_add(task, i64(*offset)) : b.add(task, i64(*offset)), Space::kernel, at);
}

void Lowering::comm_of(const Expr& pid, Address to, Span at) {
  const auto from_pid = unit.kernel_object("bpf_task_from_pid", ir::ExternKind::kfunc);
  const auto release = unit.kernel_object("bpf_task_release", ir::ExternKind::kfunc);
  if (!from_pid || !release) return unit.error(at, "this kernel cannot look a process up by its id", "comm(pid) needs Linux 6.2");
  // The kernel lends these functions to some types of program only.
  using enum facts::ProgType;
  const auto type = probe != nullptr ? probe->instance.prog_type : unspec;
  if (type == raw_tracepoint || type == kprobe)
    return unit.error(at, fmt::format("programs of {} cannot look a process up by its id", probe->instance.targets[0].name),
                      "comm(pid) works in tracepoint, fentry and profile probes");
  zero(to, kCommBytes);
  const ValueId task = b.kfunc(*from_pid, ir::ptr(ir::Space::kernel), {this->number(pid)});
  // Of a process that is gone, the name is empty.
  when(b.ne(task, b.null(ir::Space::kernel)), [&] {
    task_comm(task, to, at);
    b.kfunc(*release, ir::kNoType, {task});
  });
}

ValueId Lowering::nsecs(Clock clock, Span at) {
  switch (clock) {
    case Clock::boot:
      return b.helper(unit.abilities.boot_time ? helper::ktime_get_boot_ns : helper::ktime_get_ns, kI64, {}, kPure);
    case Clock::monotonic: return b.helper(helper::ktime_get_ns, kI64, {}, kPure);
    case Clock::tai:
      if (!unit.abilities.tai_time) {
        unit.error(at, "this kernel's programs cannot ask for the international atomic time", "it needs Linux 6.1; nsecs(boot) works everywhere");
        return i64(0);
      }
      return b.helper(helper::ktime_get_tai_ns, kI64, {}, kPure);
    case Clock::sw_tai:
      return b.add(b.helper(unit.abilities.boot_time ? helper::ktime_get_boot_ns : helper::ktime_get_ns, kI64, {}, kPure),
                   i64(static_cast<std::int64_t>(unit.options.tai_offset_ns)));
  }
  return i64(0);
}

// ---- stacks ----

ValueId Lowering::stack_id(const Type& type, bool user) {
  const std::uint32_t frames = std::max(type.count, 1U);
  const ir::MapId stacks = unit.stacks(frames, type.mode == StackMode::build_id);
  const auto walk = [&] {
    const std::int64_t skipped = probe != nullptr ? probe->instance.stack_skip : 0;
    return b.helper(helper::get_stackid, kI64, {ctx, b.map(stacks), i64(user ? kUserStack : skipped)}, ir::kReadsOnly);
  };
  if (user || probe == nullptr || !probe->instance.one_kernel_stack || !unit.abilities.global_data) return walk();
  // The same each time, so it is walked once: that takes ten times as long as all the rest. Kept is the id and 1, 0 is none.
  const Address kept{b.map_value(unit.kept(), unit.keep(program, frames)), 0};
  const ValueId before = load_number(kept, 8);
  Join known, unknown, id;
  branch_cold(b.ne(before, i64(0)), known, unknown);
  enter(unknown);
  const ValueId walked = walk();
  when(b.compare(ir::Op::sge, walked, i64(0)), [&] { store_number(kept, 8, b.add(walked, i64(1))); });
  go(id, walked);
  enter(known);
  go(id, b.sub(before, i64(1)));
  return enter(id);
}

void Lowering::stack_into(const Expr& e, bool user, Address to) {
  store_number(to, 8, stack_id(e.type, user));
  if (!user) return;
  store_number(to + 8, 4, pid_number(false, PidNamespace::init));
  store_number(to + 12, 4, probe_number());
  store_number(to + 16, 8, caller_at_entry(e));
}

/// Where a function that was just entered will return to. It has no frame of its own yet, so that the walk along the frames
/// passes its caller over (newer kernels know better, of functions that begin as most do); user space puts it in.
ValueId Lowering::caller_at_entry(const Expr& e) {
  const auto at_entry = [](const probes::Target& target) {
    const auto* registers = std::get_if<probes::RegisterArguments>(&target.arguments);
    return target.provider == probes::Provider::uprobe && registers != nullptr && !registers->function.empty();
  };
  const bool whole = e.type.mode == StackMode::build_id || e.type.count < 2;
  if (whole || probe == nullptr || !std::ranges::all_of(probe->instance.targets, at_entry)) return i64(0);
#if defined(__aarch64__)
  return context_word(*probes::named_register("lr"), kI64);
#else
  return read_scalar(uint64_type(), context_word(*probes::named_register("sp"), kI64), 0, Space::user, e.at);
#endif
}

// ---- all ----

ValueId Lowering::builtin(const Expr& e, const Builtin& row, std::uint32_t number, std::span<const Expr> arguments) {
  const auto task = [&] { return arguments.empty() ? current_task() : scalar(arguments[0]); };
  switch (row.id) {
    case BuiltinId::pid: return pid_number(false, static_cast<PidNamespace>(number));
    case BuiltinId::tid: return pid_number(true, static_cast<PidNamespace>(number));
    case BuiltinId::uid: case BuiltinId::gid: case BuiltinId::username: {
      const ValueId both = once("uid_gid", [&] { return b.helper(helper::get_current_uid_gid, kI64, {}, kPure); });
      return row.id == BuiltinId::gid ? b.lshr(both, i64(32)) : b.zext(both, 32);
    }
    case BuiltinId::cgroup: return once("cgroup", [&] { return b.helper(helper::get_current_cgroup_id, kI64, {}, kPure); });
    case BuiltinId::cpu: return b.helper(helper::get_smp_processor_id, kI64, {}, kPure);
    case BuiltinId::ncpus: return i64(unit.options.cpus);
    case BuiltinId::numaid: return b.helper(helper::get_numa_node_id, kI64, {}, kPure);
    case BuiltinId::rand: return b.zext(b.helper(helper::get_prandom_u32, kI64, {}, ir::kReadsOnly), 32);
    case BuiltinId::jiffies: return b.helper(helper::jiffies64, kI64, {}, kPure);
    case BuiltinId::nsecs: return nsecs(static_cast<Clock>(number), e.at);
    case BuiltinId::elapsed: return b.sub(nsecs(Clock::boot, e.at), i64(static_cast<std::int64_t>(unit.options.start_ns)));
    case BuiltinId::curtask: return current_task();
    case BuiltinId::ppid: return task_member(task(), {"real_parent", "tgid"}, 4, e.at);
    case BuiltinId::leader_tid: return task_member(task(), {"group_leader", "pid"}, 4, e.at);
    case BuiltinId::cpid: return i64(unit.options.child_pid.value_or(0));
    case BuiltinId::has_cpid: return i64(unit.options.child_pid ? 1 : 0);
    case BuiltinId::arg: case BuiltinId::retval:
      if (const auto* known = argument_of(e)) return argument(*known, e.type, e.at);
      unit.error(e.at, fmt::format("this probe has no `{}`", row.name));
      return i64(0);
    case BuiltinId::ctx: case BuiltinId::args: return ctx;
    case BuiltinId::probe: return probe_number();
    case BuiltinId::kstack: return stack_id(e.type, false);
    case BuiltinId::usermode: return user_mode(e.at);
    case BuiltinId::func: return function_address(e.at);
    default: unit.error(e.at, fmt::format("`{}` is not a number", row.name)); return i64(0);
  }
}

ValueId Lowering::user_mode(Span) {
  // x86-64: the privilege level in the code segment's selector. The context begins with struct pt_regs, or points to one.
  const auto cs = probes::named_register("cs");
  if (probe != nullptr && !probe->instance.targets.empty()) {
    using enum probes::Provider;
    const probes::Provider provider = probe->instance.targets.front().provider;
    // What user space fires, and what stands in its code.
    if (probes::row_of(provider).is_user || provider == begin || provider == end || provider == self || provider == test || provider == bench) return i64(1);
  }
  if (probe == nullptr || !cs || probe->instance.prog_type != facts::ProgType::perf_event) return i64(0);
  return b.zext(b.eq(b.and_(context_word(*cs, kI64), i64(3)), i64(3)), 1);
}

ValueId Lowering::function_address(Span) {
  const auto ip = probes::named_register("ip");
  return ip ? context_word(*ip, kI64) : i64(0);
}

void Lowering::name_of_target(Address to, std::uint32_t room, const std::function<std::string(const probes::Target&)>& name) {
  // A name for each target; when they are all one, it is written as it is.
  const auto& targets = probe->instance.targets;
  const std::string first = name(targets[0]);
  const ValueId index = target_index();
  const bool same = std::ranges::all_of(targets, [&](const probes::Target& t) { return name(t) == first; });
  if (same || fn().constant_value(index) != nullptr) {
    const auto* known = fn().constant_value(index);
    const std::string text = same ? first : name(targets[static_cast<std::size_t>(*known)]);
    return store_bytes(to, text.substr(0, room == 0 ? 0 : room - 1), room);
  }
  // A table of names in the constants, each in a row of `room` bytes.
  std::string table;
  for (const probes::Target& t : targets) {
    std::string text = name(t).substr(0, room - 1);
    text.resize(room);
    table += text;
  }
  const std::uint32_t offset = unit.constant(table);
  const ValueId within = b.select(b.compare(ir::Op::ult, index, i64(static_cast<std::int64_t>(targets.size()))), index, i64(0));
  const ValueId at = b.ptr_add(b.map_value(unit.constants(), offset), b.mul(within, i64(room)));
  b.helper(unit.abilities.probe_read_split ? helper::probe_read_kernel : helper::probe_read, kI64, {pointer(to), i64(room), at});
}

void Lowering::builtin_into(const Expr& e, const Builtin& row, std::uint32_t, std::span<const Expr> arguments, Address to) {
  const auto task = [&] { return arguments.empty() ? current_task() : scalar(arguments[0]); };
  switch (row.id) {
    case BuiltinId::comm:
      if (!arguments.empty()) return comm_of(arguments[0], to, e.at);
      b.helper(helper::get_current_comm, kI64, {pointer(to), i64(std::min(e.type.size, kCommBytes))});
      return;
    case BuiltinId::pcomm: case BuiltinId::leader_comm: return task_comm(task_pointer_member(task(), "group_leader", e.at), to, e.at);
    case BuiltinId::ustack: case BuiltinId::dw_ustack: return stack_into(e, true, to);
    case BuiltinId::kstack: return stack_into(e, false, to);
    case BuiltinId::func:
      return name_of_target(to, e.type.size, [](const probes::Target& t) { return t.function; });
    case BuiltinId::probetype:
      return name_of_target(to, e.type.size, [](const probes::Target& t) {
        const bool special = t.provider == probes::Provider::begin || t.provider == probes::Provider::end;
        return special ? std::string("special") : std::string(to_string(t.provider));
      });
    case BuiltinId::arg: case BuiltinId::retval: case BuiltinId::args:
      if (const auto* known = argument_of(e)) return argument_bytes_into(*known, e.type, to, e.at);
      if (e.type.fields) {
        zero(to, e.type.size);
        for (const Field& field : *e.type.fields) {
          const auto& all = probe->instance.arguments.arguments;
          const auto found = std::ranges::find(all, field.name, &probes::Argument::name);
          if (found == all.end()) continue;
          if (field.type.is_scalar()) store(to + field.offset, field.type, argument(*found, field.type, e.at));
          else argument_bytes_into(*found, field.type, to + field.offset, e.at);
        }
        return;
      }
      [[fallthrough]];
    default: unit.error(e.at, fmt::format("`{}` cannot be used here", row.name));
  }
}

ValueId Lowering::task_pointer_member(ValueId task, std::string_view name, Span at) {
  const auto offset = unit.kernel_offset("task_struct", name, at);
  if (!offset) return task;
  const bool typed = fn().type_of(task).is_ptr();
  return read_scalar(pointer_to(Type{}, typed ? Space::btf : Space::kernel), task, *offset, typed ? Space::btf : Space::kernel, at);
}

void Lowering::argument_bytes_into(const probes::Argument& argument, const Type& type, Address to, Span at) {
  const Place place = argument_place(argument, at);
  const ValueId address = address_in(place);
  if (type.kind == Kind::string) read_string(to, i64(type.size), address, place.space, at);
  else read_memory(to, type.size, address, place.space, at);
}

}  // namespace espy::trace::lowering
