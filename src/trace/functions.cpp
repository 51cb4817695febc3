#include "trace/functions.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "facts/lookup.hpp"
#include "trace/builtins.hpp"
#include "trace/words.hpp"

namespace espy::trace {

namespace {

using enum FunctionId;
using enum FunctionKind;

constexpr auto kFunctions = std::to_array<Function>({
    // ---- done in user space ----
    {.id = printf, .name = "printf", .signature = "void printf(const string format, args...)", .least = 1, .most = kAnyNumber,
     .kind = asynchronous,
     .help = "Prints by a format as C's. Also %r, %rx, %rh (buffers), %gr (allocation flags), %s of stacks, symbols, addresses, enumerators.",
     .example = "begin { printf(\"%-6d %s\\n\", pid, comm); }"},
    {.id = print, .name = "print", .signature = "void print(T value); void print(@map[, top[, div]])", .least = 1, .most = 3,
     .kind = asynchronous, .needs = "of a map with keys: Linux 5.13, of values that CPUs keep apart 5.19, and room in the ring; else it is shown as the tracer finds it",
     .help = "Prints a value and a newline; or a map as it is at that moment, its largest entries, divided.",
     .example = "begin { print((1, \"a\")); }"},
    {.id = errorf, .name = "errorf", .signature = "void errorf(const string format, args...)", .least = 1, .most = kAnyNumber,
     .kind = asynchronous, .help = "Prints as an error, with the place in the script.", .example = "begin { errorf(\"bad: %d\", 3); }"},
    {.id = warnf, .name = "warnf", .signature = "void warnf(const string format, args...)", .least = 1, .most = kAnyNumber,
     .kind = asynchronous, .help = "Prints as a warning, with the place in the script.", .example = "begin { warnf(\"odd: %d\", 3); }"},
    {.id = time, .name = "time", .signature = "void time([const string format])", .most = 1, .kind = asynchronous,
     .help = "Prints the time of day, by a format of strftime(3); %H:%M:%S and a newline if none is given.",
     .example = "interval:s:1 { time(\"%H:%M:%S\\n\"); }"},
    {.id = cat, .name = "cat", .signature = "void cat(const string format, args...)", .least = 1, .most = kAnyNumber,
     .kind = asynchronous, .help = "Prints a file.", .example = "begin { cat(\"/proc/%d/stat\", pid); }"},
    {.id = FunctionId::system, .name = "system", .signature = "void system(const string format, args...)", .least = 1, .most = kAnyNumber,
     .kind = asynchronous, .is_unsafe = true, .help = "Runs a shell command and prints what it says.",
     .example = "begin { system(\"echo %d\", pid); }"},
    {.id = join, .name = "join", .signature = "void join(char * array[][, const string separator])", .least = 1, .most = 2,
     .kind = asynchronous, .help = "Prints an array of strings that ends with a null pointer, a space or the separator between them.",
     .example = "tracepoint:syscalls:sys_enter_execve { join(args.argv); }"},
    {.id = FunctionId::exit, .name = "exit", .signature = "void exit([int code])", .most = 1, .kind = asynchronous,
     .help = "Ends tracing: end probes run, maps are printed.", .example = "begin { exit(); }"},
    {.id = clear, .name = "clear", .signature = "void clear(@map)", .least = 1, .most = 1, .kind = asynchronous,
     .help = "Removes all entries of a map.", .example = "interval:s:1 { @x[1] = count(); clear(@x); }"},
    {.id = zero, .name = "zero", .signature = "void zero(@map)", .least = 1, .most = 1, .kind = asynchronous,
     .help = "Sets all values of a map to zero, and keeps its keys.", .example = "interval:s:1 { @x[1] = count(); zero(@x); }"},
    {.id = unwatch, .name = "unwatch", .signature = "void unwatch(uint64 address)", .least = 1, .most = 1, .kind = asynchronous,
     .help = "Removes a watchpoint.", .example = "watchpoint:0x10000000:8:w { unwatch(0x10000000); }"},
    {.id = skboutput, .name = "skboutput",
     .signature = "int64 skboutput(const string path, struct sk_buff * skb, uint64 length, const uint64 offset)", .least = 4, .most = 4,
     .kind = asynchronous, .where = Where::trampoline, .helper = "bpf_skb_output",
     .help = "Writes a packet to a pcap file.", .example = "fentry:napi_gro_receive { skboutput(\"in.pcap\", args.skb, args.skb.len, 0); }"},
    // ---- values that user space formats ----
    {.id = FunctionId::strftime, .name = "strftime", .signature = "timestamp_t strftime(const string format, uint64 ns)", .least = 2, .most = 2,
     .kind = formatted, .help = "A time as text, by a format of strftime(3) and %f, microseconds.",
     .example = "begin { printf(\"%s\\n\", strftime(\"%H:%M:%S\", nsecs)); }"},
    {.id = ksym, .name = "ksym", .signature = "ksym_t ksym(uint64 address)", .least = 1, .most = 1, .kind = formatted,
     .help = "The kernel function at an address.", .example = "begin { print(ksym(kaddr(\"avenrun\"))); }"},
    {.id = usym, .name = "usym", .signature = "usym_t usym(uint64 address)", .least = 1, .most = 1, .kind = formatted,
     .help = "The function of the current program at an address.", .example = "uprobe:libc:malloc { print(usym(reg(\"ip\"))); }"},
    {.id = cgroup_path, .name = "cgroup_path", .signature = "cgroup_path_t cgroup_path(uint64 id[, const string hierarchies])", .least = 1,
     .most = 2, .kind = formatted, .help = "The path of a cgroup, in hierarchies that match.", .example = "begin { print(cgroup_path(cgroup)); }"},
    {.id = FunctionId::strerror, .name = "strerror", .signature = "strerror_t strerror(int64 error)", .least = 1, .most = 1, .kind = formatted,
     .help = "The text of an error number.", .example = "begin { print(strerror(2)); }"},
    {.id = signal_name, .name = "signal_name", .signature = "signal_name_t signal_name(int64 number)", .least = 1, .most = 1, .kind = formatted,
     .help = "The name of a signal.", .example = "begin { print(signal_name(9)); }"},
    {.id = syscall_name, .name = "syscall_name", .signature = "syscall_name_t syscall_name(int64 number)", .least = 1, .most = 1,
     .kind = formatted, .help = "The name of a system call.", .example = "begin { print(syscall_name(0)); }"},
    // ---- in the kernel ----
    {.id = str, .name = "str", .signature = "string str(char * address[, uint64 length])", .least = 1, .most = 2, .kind = kernel,
     .helper = "bpf_probe_read_str", .help = "Reads a string, at most max_strlen or length bytes of it with its NUL.",
     .example = "tracepoint:syscalls:sys_enter_openat { print(str(args.filename)); }"},
    {.id = buf, .name = "buf", .signature = "buffer buf(void * address[, uint64 length])", .least = 1, .most = 2, .kind = kernel,
     .help = "Reads bytes, at most max_strlen; of an array, all of it.",
     .example = "begin { printf(\"%r\\n\", buf(kaddr(\"avenrun\"), 8)); }"},
    {.id = kptr, .name = "kptr", .signature = "T * kptr(T * address)", .least = 1, .most = 1, .kind = kernel,
     .help = "Says that an address is the kernel's.", .example = "uprobe:libc:malloc { print(kptr((int8 *)arg0)); }"},
    {.id = uptr, .name = "uptr", .signature = "T * uptr(T * address)", .least = 1, .most = 1, .kind = kernel,
     .help = "Says that an address is the program's.", .example = "uprobe:libc:puts { print(str(uptr((char *)arg0))); }"},
    {.id = path, .name = "path", .signature = "string path(struct path * path[, uint64 size])", .least = 1, .most = 2, .kind = kernel,
     .where = Where::tracing, .helper = "bpf_d_path", .help = "The name of a file, where the kernel allows it.",
     .example = "iter:task_file { print(path(ctx.file.f_path)); }"},
    {.id = str_concat, .name = "str_concat", .signature = "string str_concat(string a, string b)", .least = 2, .most = 2, .kind = kernel,
     .help = "Two strings in one.", .example = "begin { print(str_concat(\"a\", \"b\")); }"},
    {.id = FunctionId::strlen, .name = "strlen", .signature = "uint64 strlen(string s); uint64 strlen(char * s)", .least = 1, .most = 1,
     .kind = kernel, .help = "Bytes before the NUL.", .example = "begin { print(strlen(comm)); }"},
    {.id = strcap, .name = "strcap", .signature = "uint64 strcap(string s); uint64 strcap(char * s)", .least = 1, .most = 1,
     .kind = compile_time, .help = "How long a string can be at most.", .example = "begin { print(strcap(comm)); }"},
    {.id = FunctionId::strncmp, .name = "strncmp", .signature = "int64 strncmp(string a, string b, uint64 n)", .least = 3, .most = 3, .kind = kernel,
     .help = "0 if the first n bytes are the same.", .example = "begin { print(strncmp(comm, \"bash\", 4)); }"},
    {.id = strcontains, .name = "strcontains", .signature = "bool strcontains(string haystack, const string needle)", .least = 2, .most = 2,
     .kind = kernel, .help = "Is the one in the other?", .example = "begin { print(strcontains(comm, \"sh\")); }"},
    {.id = FunctionId::strstr, .name = "strstr", .signature = "int64 strstr(string haystack, string needle)", .least = 2, .most = 2, .kind = kernel,
     .help = "Where the one is first in the other; -1: nowhere.", .example = "begin { print(strstr(comm, \"sh\")); }"},
    {.id = FunctionId::memcmp, .name = "memcmp", .signature = "int64 memcmp(T a, T b, uint64 n)", .least = 3, .most = 3, .kind = kernel,
     .help = "Compares the first n bytes: 0, less or greater.", .example = "begin { print(memcmp(\"abc\", \"abd\", 3)); }"},
    {.id = globmatch, .name = "globmatch", .signature = "bool globmatch(string s, const string pattern)", .least = 2, .most = 2, .kind = kernel,
     .help = "Does the whole string match a pattern of *, ?, [a-z] and [!a-z]?", .example = "begin { print(globmatch(comm, \"*sh\")); }"},
    {.id = len, .name = "len", .signature = "int64 len(@map); int64 len(kstack_t stack); int64 len(ustack_t stack)", .least = 1, .most = 1,
     .kind = kernel, .help = "Entries of a map, or frames of a stack.", .example = "begin { @x[1] = 2; print(len(@x)); }"},
    {.id = has_key, .name = "has_key", .signature = "bool has_key(@map, key)", .least = 2, .most = 2, .kind = kernel,
     .help = "Is there an entry with this key?", .example = "begin { @x[1] = 2; print(has_key(@x, 1)); }"},
    {.id = delete_, .name = "delete", .signature = "bool delete(@map[, key]); bool delete(@map[key])", .least = 1, .most = kAnyNumber,
     .kind = kernel, .help = "Removes an entry, or the value of a map without keys; was there one?",
     .example = "begin { @x[1] = 2; delete(@x, 1); }"},
    {.id = find, .name = "find", .signature = "bool find(@map, key, $value)", .least = 3, .most = 3, .kind = kernel,
     .help = "Puts the entry's value into the variable, if there is one with this key.",
     .example = "begin { @x[1] = 2; let $v; if (find(@x, 1, $v)) { print($v); } }"},
    {.id = percpu_kaddr, .name = "percpu_kaddr", .signature = "uint64 * percpu_kaddr(const string name[, uint32 cpu])", .least = 1, .most = 2,
     .kind = kernel, .helper = "bpf_per_cpu_ptr", .needs = "the kernel's BTF must describe the variable",
     .help = "Address of a variable that the kernel keeps for each CPU.", .example = "begin { print(percpu_kaddr(\"process_counts\")); }"},
    {.id = reg, .name = "reg", .signature = "uint64 reg(const string name)", .least = 1, .most = 1, .kind = kernel, .where = Where::registers,
     .help = "A register of what was interrupted.", .example = "uprobe:libc:malloc { print(reg(\"ip\")); }"},
    {.id = ntop, .name = "ntop", .signature = "inet_t ntop([int64 family,] T address)", .least = 1, .most = 2, .kind = kernel,
     .help = "An internet address as text: an integer or 4 bytes are IPv4, 16 bytes IPv6.",
     .example = "begin { print(ntop(0x0100007f)); }"},
    {.id = macaddr, .name = "macaddr", .signature = "mac_t macaddr(char[6] address)", .least = 1, .most = 1, .kind = kernel,
     .help = "A hardware address as text.", .example = "begin { print(macaddr((uint8[6])0)); }"},
    {.id = bswap, .name = "bswap", .signature = "uintN bswap(uintN n)", .least = 1, .most = 1, .kind = kernel,
     .help = "The bytes of an integer in the other order.", .example = "begin { print(bswap((uint16)0x1234)); }"},
    {.id = signal, .name = "signal", .signature = "void signal(const string name); void signal(uint32 number)", .least = 1, .most = 1,
     .kind = kernel, .is_unsafe = true, .helper = "bpf_send_signal", .help = "Sends a signal to the current process.",
     .example = "uprobe:libc:malloc /comm == \"x\"/ { signal(\"SIGSTOP\"); }"},
    {.id = signal_thread, .name = "signal_thread", .signature = "void signal_thread(const string name); void signal_thread(uint32 number)",
     .least = 1, .most = 1, .kind = kernel, .is_unsafe = true, .helper = "bpf_send_signal_thread",
     .help = "Sends a signal to the current thread.", .example = "uprobe:libc:malloc /comm == \"x\"/ { signal_thread(19); }"},
    {.id = override, .name = "override", .signature = "void override(uint64 result)", .least = 1, .most = 1, .kind = kernel,
     .is_unsafe = true, .where = Where::kprobe, .helper = "bpf_override_return", .needs = "CONFIG_BPF_KPROBE_OVERRIDE",
     .help = "The probed kernel function does not run, and returns this.", .example = "kprobe:__x64_sys_getuid { override(7); }"},
    {.id = write_user, .name = "write_user", .signature = "int64 write_user(void * to, T from, const uint64 length)", .least = 3, .most = 3,
     .kind = kernel, .is_unsafe = true, .helper = "bpf_probe_write_user", .needs = "no kernel lockdown",
     .help = "Writes into the memory of the current program.", .example = "uprobe:libc:puts { write_user(arg0, \"x\", 1); }"},
    {.id = socket_cookie, .name = "socket_cookie", .signature = "uint64 socket_cookie(struct sock * sock)", .least = 1, .most = 1,
     .kind = kernel, .where = Where::tracing, .helper = "bpf_get_socket_cookie", .since = {5, 12},
     .help = "A number that a socket keeps.", .example = "fentry:tcp_rcv_established { @[socket_cookie(args.sk)] = count(); }"},
    // ---- while compiling ----
    {.id = kaddr, .name = "kaddr", .signature = "uint64 kaddr(const string name)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Address of a symbol of the kernel.", .example = "begin { print(kaddr(\"avenrun\")); }"},
    {.id = uaddr, .name = "uaddr", .signature = "T * uaddr(const string name)", .least = 1, .most = 1, .kind = compile_time,
     .where = Where::user_code, .help = "Address of a symbol of the probed program or library, typed by its size.",
     .example = "uprobe:/bin/bash:readline { print(str(*uaddr(\"ps1_prompt\"))); }"},
    {.id = pton, .name = "pton", .signature = "uint8[4] pton(const string ipv4); uint8[16] pton(const string ipv6)", .least = 1, .most = 1,
     .kind = compile_time, .help = "The bytes of an internet address.", .example = "begin { print(ntop(pton(\"::1\"))); }"},
    {.id = cgroupid, .name = "cgroupid", .signature = "uint64 cgroupid(const string path)", .least = 1, .most = 1, .kind = compile_time,
     .help = "The number of the version 2 cgroup of this directory.", .example = "begin { print(cgroupid(\"/sys/fs/cgroup/unified\")); }"},
    {.id = default_str_length, .name = "default_str_length", .signature = "uint64 default_str_length()", .kind = compile_time,
     .help = "max_strlen.", .example = "begin { print(default_str_length()); }"},
    {.id = is_literal, .name = "is_literal", .signature = "bool is_literal(T value)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Is it written out?", .example = "begin { print(is_literal(1)); }"},
    {.id = is_ptr, .name = "is_ptr", .signature = "bool is_ptr(T value)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Is it a pointer?", .example = "begin { print(is_ptr(curtask)); }"},
    {.id = is_str, .name = "is_str", .signature = "bool is_str(T value)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Is it a string?", .example = "begin { print(is_str(comm)); }"},
    {.id = is_array, .name = "is_array", .signature = "bool is_array(T value)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Is it an array?", .example = "begin { print(is_array(1)); }"},
    {.id = is_integer, .name = "is_integer", .signature = "bool is_integer(T value)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Is it an integer?", .example = "begin { print(is_integer(pid)); }"},
    {.id = is_unsigned_integer, .name = "is_unsigned_integer", .signature = "bool is_unsigned_integer(T value)", .least = 1, .most = 1,
     .kind = compile_time, .help = "Is it an integer without a sign?", .example = "begin { print(is_unsigned_integer(pid)); }"},
    {.id = is_err, .name = "is_err", .signature = "bool is_err(T * pointer)", .least = 1, .most = 1, .kind = kernel,
     .help = "Is this pointer of the kernel's an error number?", .example = "kretprobe:d_lookup { print(is_err((void *)retval)); }"},
    {.id = container_of, .name = "container_of", .signature = "T * container_of(F * field, T, const field name)", .least = 3, .most = 3,
     .kind = compile_time, .help = "The structure that a field is in.",
     .example = "begin { print(container_of((struct list_head *)0, struct task_struct, tasks)); }"},
    {.id = assert, .name = "assert", .signature = "void assert(bool condition, const string message)", .least = 1, .most = 2, .kind = asynchronous,
     .help = "Ends tracing with an error unless the condition holds.", .example = "begin { assert(pid > 0, \"no process\"); }"},
    {.id = assert_str, .name = "assert_str", .signature = "void assert_str(T value)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Does not compile unless this is a string.", .example = "begin { assert_str(comm); }"},
    {.id = fail, .name = "fail", .signature = "void fail(const string format, const args...)", .least = 1, .most = kAnyNumber,
     .kind = compile_time, .help = "Does not compile where it is reached.", .example = "begin { if (1 > 2) { fail(\"no\"); } }"},
    {.id = static_assert_, .name = "static_assert", .signature = "void static_assert(const bool condition, const string message)", .least = 1,
     .most = 2, .kind = compile_time, .help = "Does not compile unless the condition holds.",
     .example = "begin { static_assert(sizeof(int32) == 4, \"odd\"); }"},
    {.id = config, .name = "config", .signature = "T config(const string name)", .least = 1, .most = 1, .kind = compile_time,
     .help = "The value of a configuration variable.", .example = "begin { print(config(\"max_strlen\")); }"},
    {.id = getopt, .name = "getopt", .signature = "T getopt(const string name[, const T default[, const string help]])", .least = 1, .most = 3,
     .kind = compile_time, .help = "A named parameter of the script, --name=value behind --.",
     .example = "begin { print(getopt(\"count\", 3, \"how many\")); }"},
    {.id = kfunc_exist, .name = "kfunc_exist", .signature = "bool kfunc_exist(const string name)", .least = 1, .most = 1, .kind = compile_time,
     .help = "Does the kernel have this function for eBPF programs?", .example = "begin { print(kfunc_exist(\"bpf_task_from_pid\")); }"},
    {.id = kfunc_allowed, .name = "kfunc_allowed", .signature = "bool kfunc_allowed(const string name)", .least = 1, .most = 1,
     .kind = compile_time, .help = "May this probe call it?", .example = "begin { print(kfunc_allowed(\"bpf_task_from_pid\")); }"},
    // ---- what maps take ----
    {.id = count, .name = "count", .signature = "count_t count()", .kind = map_value, .help = "How often.", .example = "begin { @ = count(); }"},
    {.id = sum, .name = "sum", .signature = "sum_t sum(int64 n)", .least = 1, .most = 1, .kind = map_value, .help = "The total.",
     .example = "begin { @ = sum(3); }"},
    {.id = avg, .name = "avg", .signature = "avg_t avg(int64 n)", .least = 1, .most = 1, .kind = map_value, .help = "The average.",
     .example = "begin { @ = avg(3); }"},
    {.id = min, .name = "min", .signature = "min_t min(int64 n)", .least = 1, .most = 1, .kind = map_value, .help = "The least.",
     .example = "begin { @ = min(3); }"},
    {.id = max, .name = "max", .signature = "max_t max(int64 n)", .least = 1, .most = 1, .kind = map_value, .help = "The greatest.",
     .example = "begin { @ = max(3); }"},
    {.id = stats, .name = "stats", .signature = "stats_t stats(int64 n)", .least = 1, .most = 1, .kind = map_value,
     .help = "Count, average and total.", .example = "begin { @ = stats(3); }"},
    {.id = hist, .name = "hist", .signature = "hist_t hist(int64 n[, const int bits])", .least = 1, .most = 2, .kind = map_value,
     .help = "A histogram with 2^bits buckets for each power of two.", .example = "begin { @ = hist(3); }"},
    {.id = lhist, .name = "lhist", .signature = "lhist_t lhist(int64 n, const int64 min, const int64 max, const int64 step)", .least = 4, .most = 4,
     .kind = map_value, .help = "A histogram with buckets of the same width.", .example = "begin { @ = lhist(3, 0, 10, 1); }"},
    {.id = tseries, .name = "tseries",
     .signature = "tseries_t tseries(int64 n, const uint64 interval_ns, const uint64 intervals[, const string aggregate])", .least = 3,
     .most = 4, .kind = map_value, .help = "The last intervals' values: each its last, or its avg, max, min or sum.",
     .example = "interval:ms:10 { @ = tseries(rand % 10, 100ms, 20, \"max\"); }", .status = Status::experimental},
});
static_assert(facts::rows_are_in_order(kFunctions, [](const Function& row) { return row.id; }));
static_assert(facts::names_are_unique(kFunctions));

}  // namespace

std::span<const Function> functions() { return kFunctions; }

const Function& row_of(FunctionId id) { return kFunctions[std::to_underlying(id)]; }

const Function* find_function(std::string_view name) { return find_word(functions(), name); }

std::string_view nearest_function(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Function& row : kFunctions) names.push_back(row.name);
  for (const Builtin& row : builtins())
    if (row.id != BuiltinId::arg) names.push_back(row.name);
  return nearest(name, names);
}

facts::KernelVersion since(const Function& function) { return first_kernel(function); }

std::string_view to_string(FunctionKind kind) {
  switch (kind) {
    case asynchronous: return "asynchronous";
    case formatted: return "formatted when printed";
    case FunctionKind::kernel: return "in the kernel";
    case compile_time: return "compile time";
    case map_value: return "map value";
  }
  return {};
}

}  // namespace espy::trace
