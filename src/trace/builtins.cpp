#include "trace/builtins.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "facts/lookup.hpp"
#include "trace/words.hpp"

namespace espy::trace {

namespace {

using enum BuiltinId;

constexpr auto kBuiltins = std::to_array<Builtin>({
    {.id = pid, .name = "pid", .type = "uint32", .forms = "pid([curr_ns|init])", .arguments = 1, .helper = "bpf_get_current_pid_tgid",
     .help = "Process id of the current thread, in this process' PID namespace or in the first one.",
     .example = "begin { print(pid); print(pid(init)); }"},
    {.id = tid, .name = "tid", .type = "uint32", .forms = "tid([curr_ns|init])", .arguments = 1, .helper = "bpf_get_current_pid_tgid",
     .help = "Thread id of the current thread, in this process' PID namespace or in the first one.",
     .example = "begin { print(tid); }"},
    {.id = comm, .name = "comm", .type = "string[16]", .forms = "comm(uint32 pid)", .arguments = 1, .helper = "bpf_get_current_comm",
     .needs = "comm(pid): kernel function bpf_task_from_pid (6.2)",
     .help = "Name of the current thread, or of the process with this id.", .example = "begin { print(comm); }"},
    {.id = uid, .name = "uid", .type = "uint64", .helper = "bpf_get_current_uid_gid",
     .help = "User id of the current thread, as the first user namespace sees it.", .example = "begin { print(uid); }"},
    {.id = gid, .name = "gid", .type = "uint64", .helper = "bpf_get_current_uid_gid",
     .help = "Group id of the current thread, as the first user namespace sees it.", .example = "begin { print(gid); }"},
    {.id = username, .name = "username", .type = "username_t", .helper = "bpf_get_current_uid_gid",
     .help = "Name of the current user; looked up when it is printed.", .example = "begin { print(username); }"},
    {.id = cgroup, .name = "cgroup", .type = "uint64", .helper = "bpf_get_current_cgroup_id",
     .help = "Id of the version 2 cgroup of the current thread.", .example = "begin { print(cgroup); }"},
    {.id = cpu, .name = "cpu", .type = "uint32", .helper = "bpf_get_smp_processor_id",
     .help = "Number of the CPU that the probe runs on.", .example = "begin { print(cpu); }"},
    {.id = ncpus, .name = "ncpus", .type = "uint64", .help = "How many CPUs this machine may have.", .example = "begin { print(ncpus); }"},
    {.id = numaid, .name = "numaid", .type = "uint32", .helper = "bpf_get_numa_node_id",
     .help = "NUMA node that the probe runs on.", .example = "begin { print(numaid); }"},
    {.id = rand, .name = "rand", .type = "uint32", .helper = "bpf_get_prandom_u32", .help = "A random number.",
     .example = "begin { print(rand % 10); }"},
    {.id = jiffies, .name = "jiffies", .type = "uint64", .helper = "bpf_jiffies64", .help = "The kernel's timer ticks.",
     .example = "begin { print(jiffies); }"},
    {.id = nsecs, .name = "nsecs", .type = "uint64", .forms = "nsecs([boot|monotonic|tai|sw_tai])", .arguments = 1,
     .helper = "bpf_ktime_get_ns", .needs = "nsecs(boot): 5.8, before it as monotonic; nsecs(tai): 6.1",
     .help = "Nanoseconds by a clock: since boot, with (boot) or without (monotonic) time asleep; international atomic time.",
     .example = "begin { print(nsecs); print(nsecs(monotonic)); }"},
    {.id = elapsed, .name = "elapsed", .type = "uint64", .helper = "bpf_ktime_get_ns",
     .help = "Nanoseconds since tracing began.", .example = "end { print(elapsed); }"},
    {.id = curtask, .name = "curtask", .type = "struct task_struct *", .helper = "bpf_get_current_task",
     .help = "The current task; fields need the kernel's BTF.", .example = "begin { print(curtask.comm); }"},
    {.id = ppid, .name = "ppid", .type = "uint32", .forms = "ppid(struct task_struct * task)", .arguments = 1,
     .helper = "bpf_get_current_task", .help = "Process id of the parent, of the current or the given task.",
     .example = "begin { print(ppid); }"},
    {.id = pcomm, .name = "pcomm", .type = "string[16]", .forms = "pcomm(struct task_struct * task)", .arguments = 1,
     .helper = "bpf_get_current_task", .help = "Name of the process (its first thread), of the current or the given task.",
     .example = "begin { print(pcomm); }"},
    {.id = leader_tid, .name = "leader_tid", .type = "uint32", .forms = "leader_tid(struct task_struct * task)", .arguments = 1,
     .helper = "bpf_get_current_task", .help = "Thread id of the process' first thread, of the current or the given task.",
     .example = "begin { print(leader_tid); }"},
    {.id = leader_comm, .name = "leader_comm", .type = "string[16]", .forms = "leader_comm(struct task_struct * task)",
     .arguments = 1, .helper = "bpf_get_current_task", .help = "Name of the process' first thread, of the current or the given task.",
     .example = "begin { print(leader_comm); }"},
    {.id = cpid, .name = "cpid", .type = "uint32", .needs = "-c",
     .help = "Process id of the command that -c started; 0 without one.", .example = "begin { print(cpid); }"},
    {.id = has_cpid, .name = "has_cpid", .type = "bool", .help = "Did -c start a command?", .example = "begin { if (has_cpid) { print(cpid); } }"},
    {.id = arg, .name = "argN", .type = "uint64", .where = Where::parameters,
     .help = "Parameter N, from 0: a register, a USDT argument, or what BTF says.",
     .example = "uprobe:libc:malloc { @[arg0] = count(); }"},
    {.id = args, .name = "args", .type = "record", .where = Where::fields,
     .help = "All parameters by name: args.filename. Their types are the format's, BTF's or the debug information's.",
     .example = "tracepoint:sched:sched_switch { print(args.next_comm); }"},
    {.id = retval, .name = "retval", .type = "uint64", .where = Where::result,
     .help = "What the function returns; of fexit as BTF types it.", .example = "uretprobe:libc:malloc { print(retval); }"},
    {.id = ctx, .name = "ctx", .type = "struct *", .where = Where::context,
     .help = "What the program is given: an iterator's object, or the raw context.", .example = "iter:task { print(ctx.task.pid); }"},
    {.id = func, .name = "func", .type = "string", .where = Where::function,
     .help = "Name of the function that is probed.", .example = "uprobe:libc:malloc { print(func); }"},
    {.id = probe, .name = "probe", .type = "probe_t", .help = "Full name of the probe that fired.", .example = "begin { print(probe); }"},
    {.id = probetype, .name = "probetype", .type = "string", .help = "Provider of the probe that fired; begin and end: special.",
     .example = "begin { print(probetype); }"},
    {.id = kstack, .name = "kstack", .type = "kstack_t", .forms = "kstack([mode,] [frames])", .arguments = 2,
     .helper = "bpf_get_stackid", .help = "Stack of the kernel; modes: bpftrace, perf, raw.",
     .example = "profile:hz:99 { @[kstack(perf, 5)] = count(); }"},
    {.id = ustack, .name = "ustack", .type = "ustack_t", .forms = "ustack([mode,] [frames])", .arguments = 2,
     .helper = "bpf_get_stackid", .help = "Stack of the program, by its frame pointers; modes: bpftrace, perf, raw, build_id.",
     .example = "profile:hz:99 { @[ustack(3)] = count(); }"},
    {.id = dw_ustack, .name = "dw_ustack", .type = "ustack_t", .forms = "dw_ustack([mode,] [frames])", .arguments = 2,
     .helper = "bpf_get_stackid", .needs = "walks frame pointers as ustack does", .help = "Stack of the program.",
     .example = "profile:hz:99 { @[dw_ustack] = count(); }", .status = Status::limited},
    {.id = usermode, .name = "usermode", .type = "uint8", .help = "1 if the program itself was interrupted, 0 if the kernel was.",
     .example = "profile:hz:99 { @[usermode] = count(); }"},
});
static_assert(facts::rows_are_in_order(kBuiltins, [](const Builtin& row) { return row.id; }));
static_assert(facts::names_are_unique(kBuiltins));

bool is_argument(std::string_view name) {
  if (!name.starts_with("arg") || name.size() < 4 || name.size() > 5) return false;
  return std::ranges::all_of(name.substr(3), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::span<const Builtin> builtins() { return kBuiltins; }

const Builtin& row_of(BuiltinId id) { return kBuiltins[std::to_underlying(id)]; }

const Builtin* find_builtin(std::string_view name) {
  if (is_argument(without_intrinsic(name))) return &row_of(arg);
  const Builtin* row = find_word(builtins(), name);
  return row != nullptr && row->id == arg ? nullptr : row;   // argN is no word itself
}

std::uint32_t argument_number(std::string_view name) {
  return parse_number<std::uint32_t>(without_intrinsic(name).substr(3)).value_or(0);
}

facts::KernelVersion since(const Builtin& builtin) { return first_kernel(builtin); }

}  // namespace espy::trace
