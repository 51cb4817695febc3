#!/usr/bin/env python3
"""`espy trace` beside bpftrace: start, attach, detach, memory, what tracing costs the traced, code size, compile time.

Both run in turn in one go, so a noisy machine disturbs both; figures are medians, and what counts are the ratios. The
program goes into a mount namespace of its own, where it mounts tracefs, which bpftrace cannot do without.

usage: bench_trace [--quick] [MEASURE]...    measures: hi attach many dd printf insns compile
"""
import json, os, re, signal, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ESPY = os.environ.get("ESPY", os.path.join(HERE, "..", "..", "espy"))
TRACERS = {"espy": [ESPY, "trace"], "bpftrace": ["bpftrace"]}
ATTACHED = "__BPFTRACE_NOTIFY_PROBES_ATTACHED"
DD = "dd if=/dev/zero of=/dev/null bs=1 count={} status=none"
failed = []

LATENCY = ("tracepoint:syscalls:sys_enter_read { @start[tid] = nsecs; } "
           "tracepoint:syscalls:sys_exit_read /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }")
ONE_LINERS = {
    "files opened": "tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args->filename)); }",
    "calls by process": "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }",
    "calls by probe": "tracepoint:syscalls:sys_enter_read { @[probe] = count(); }",
    "read sizes": "tracepoint:syscalls:sys_exit_read /pid == 18644/ { @bytes = hist(args->ret); }",
    "bytes by process": "tracepoint:syscalls:sys_exit_read { @[comm] = sum(args->ret); }",
    "read sizes, linear": "tracepoint:syscalls:sys_exit_read /args->ret > 0/ { @bytes = lhist(args->ret, 0, 2000, 200); }",
    "read latency": LATENCY,
    "process switches": "tracepoint:sched:sched_switch { @[kstack] = count(); }",
    "on-CPU stacks": "profile:hz:99 { @[kstack] = count(); }",
    "new programs": "tracepoint:sched:sched_process_exec { printf(\"%d %s\\n\", pid, comm); }",
    "page faults": "software:faults:100 { @[comm] = count(); }",
    "average and largest": "tracepoint:syscalls:sys_exit_write { @avg[comm] = avg(args->ret); @max[comm] = max(args->ret); }",
}


def start(tracer, script, *options, output=subprocess.DEVNULL):
    """A tracer that has attached, and how long that took. Its output goes to `output`."""
    environment = dict(os.environ, **{ATTACHED: "1", "BPFTRACE_STRLEN": "64", "BPFTRACE_LOG_SIZE": "20000000"})
    with tempfile.TemporaryFile() as log:
        begin = time.monotonic()
        out = log if output is subprocess.DEVNULL else output
        process = subprocess.Popen(TRACERS[tracer] + list(options) + ["-e", script], stdout=out, stderr=log, env=environment)
        seen = 0
        while True:
            size = os.fstat(out.fileno()).st_size
            if size != seen:
                seen = size
                if ATTACHED.encode() in os.pread(out.fileno(), size, 0):
                    return process, time.monotonic() - begin
            if process.poll() is not None:
                raise SystemExit(f"{tracer} ended early:\n" + os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace"))
            time.sleep(0.0002)


def stop(process):
    """Ends a tracer as Control-C does; how long that took, and the most memory it had until then (bytes)."""
    with open(f"/proc/{process.pid}/status") as status:
        memory = int(re.search(r"^VmHWM:\s*(\d+)", status.read(), re.M).group(1)) * 1024
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait()
    return time.monotonic() - begin, memory


def whole(tracer, script):
    """How long a script takes that ends by itself, and the most memory it had. (A process begins with the memory of the one
    that forked it, so time(1), which is small, starts it.)"""
    with tempfile.NamedTemporaryFile("r") as memory:
        begin = time.monotonic()
        subprocess.run(["/usr/bin/time", "-f", "%M", "-o", memory.name] + TRACERS[tracer] + ["-e", script], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - begin, int(memory.read()) * 1024


def row(name, espy, bpftrace, bar, unit="ms", scale=1e3):
    ratio = espy / bpftrace if bpftrace else float("inf")
    ok = ratio <= bar
    if not ok:
        failed.append(name)
    print(f"{name:<52} {espy * scale:>10.2f} {bpftrace * scale:>10.2f} {unit:<5} {ratio:>8.4f}  bar {bar:.4f}  {'ok' if ok else 'MISSED'}", flush=True)


def medians(measure, runs):
    """measure(tracer) → tuple; both in turn, `runs` times each."""
    results = {tracer: [] for tracer in TRACERS}
    for _ in range(runs):
        for tracer in TRACERS:
            results[tracer].append(measure(tracer))
    return {tracer: [statistics.median(column) for column in zip(*rows)] for tracer, rows in results.items()}


def compare(rows, measure, runs):
    result = medians(measure, runs)
    for i, (name, bar, unit, scale) in enumerate(rows):
        row(name, result["espy"][i], result["bpftrace"][i], bar, unit, scale)


def bench_hi(runs):
    script = 'BEGIN { printf("hi\\n"); exit(); }'
    compare([("hi: whole process", 1 / 40, "ms", 1e3), ("hi: peak memory", 1 / 10, "MB", 1e-6)], lambda t: whole(t, script), runs)


def attach_and_stop(tracer, script):
    process, attached = start(tracer, script)
    ended, memory = stop(process)
    return attached, attached + ended, memory


def bench_attach(runs):
    script = "tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }"
    compare([("raw_syscalls count by comm: start to attached", 1 / 8, "ms", 1e3)], lambda t: attach_and_stop(t, script)[:1], runs)


def bench_many(runs):
    script = "tracepoint:syscalls:sys_enter_* { @ = count(); }"
    compare([("360 system call tracepoints: start to attached", 1 / 10, "ms", 1e3),
             ("360 system call tracepoints: with detaching", 1 / 200, "ms", 1e3),
             ("360 system call tracepoints: peak memory", 1 / 10, "MB", 1e-6)], lambda t: attach_and_stop(t, script), max(1, runs // 5))


def dd(count):
    begin = time.monotonic()
    subprocess.run(DD.format(count).split(), check=True)
    return time.monotonic() - begin


def bench_dd(runs, count):
    cases = {"@ = count()": "tracepoint:syscalls:sys_enter_read { @ = count(); }",
             "@[comm] = count()": "tracepoint:syscalls:sys_enter_read { @[comm] = count(); }",
             "read latency": LATENCY,
             "@[kstack] = count()": "tracepoint:syscalls:sys_enter_read { @[kstack] = count(); }"}
    for name, script in cases.items():
        plain, slow, cost = [], {t: [] for t in TRACERS}, {t: [] for t in TRACERS}
        for _ in range(runs):
            plain.append(dd(count))
            for tracer in TRACERS:
                process, _ = start(tracer, script)
                slow[tracer].append(dd(count))
                stop(process)
                cost[tracer].append(event_cost(tracer, script, count))
        base = statistics.median(plain)
        extra = {t: statistics.median(slow[t]) / base - 1 for t in TRACERS}
        row(f"dd under {name}: slowdown less 1", extra["espy"], extra["bpftrace"], 0.6, "x", 1)
        costs = {t: statistics.median(cost[t]) for t in TRACERS}
        print(f"    by the kernel's run-time statistics: {costs['espy']:.0f} and {costs['bpftrace']:.0f} ns a read", flush=True)


def programs_of(process):
    """The loaded programs that this process holds."""
    ids = set()
    for fd in os.listdir(f"/proc/{process.pid}/fdinfo"):
        with open(f"/proc/{process.pid}/fdinfo/{fd}") as info:
            text = info.read()
        if "prog_type:" in text:
            ids.update(re.findall(r"^prog_id:\s*(\d+)", text, re.M))
    show = lambda number: subprocess.run(["bpftool", "-j", "prog", "show", "id", number], capture_output=True, text=True, check=True).stdout
    return [json.loads(show(number)) for number in ids]


def event_cost(tracer, script, count):
    """Nanoseconds that a tracer's programs run for each read of a dd."""
    process, _ = start(tracer, script)
    with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
        switch.write("1")
    dd(count // 5)
    ns = sum(p.get("run_time_ns", 0) for p in programs_of(process))
    with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
        switch.write("0")
    stop(process)
    return ns / (count // 5)


def bench_printf(runs, count):
    script = 'tracepoint:syscalls:sys_enter_write /comm == "dd"/ { printf("%d %s %d\\n", pid, comm, args->count); }'
    lines, lost = {t: [] for t in TRACERS}, {t: [] for t in TRACERS}

    def measure(tracer):
        with tempfile.TemporaryFile() as out:
            process, _ = start(tracer, script, output=out)
            took = dd(count)
            stop(process)
            text = os.pread(out.fileno(), 1 << 30, 0).decode(errors="replace")
        shown = len(re.findall(r"^\d+ dd 1$", text, re.M))
        lines[tracer].append(shown)
        lost[tracer].append(count - shown)
        return (took,)

    compare([("dd under printf for each write", 0.5, "ms", 1e3)], measure, runs)
    for tracer in TRACERS:
        print(f"    {tracer}: {int(statistics.median(lines[tracer]))} lines of {count}, {max(lost[tracer])} lost in the worst run", flush=True)
    if any(lost["espy"]):
        failed.append("printf: lost lines")


def bench_insns(_):
    total = {t: 0 for t in TRACERS}
    for name, script in ONE_LINERS.items():
        counts = {}
        for tracer in TRACERS:
            process, _ = start(tracer, script)
            counts[tracer] = sum(p["bytes_xlated"] // 8 for p in programs_of(process))
            stop(process)
            total[tracer] += counts[tracer]
        row(f"instructions: {name}", counts["espy"], counts["bpftrace"], 1.0, "", 1)
    row("instructions: all twelve", total["espy"], total["bpftrace"], 0.8, "", 1)


def bench_compile(runs):
    """A thousand statements of many kinds; the whole process, without loading."""
    kinds = ["@a{i}[pid] = count();", "$x{i} = nsecs + {i};", "if ($y > {i}) {{ @b = sum({i}); }}", "@c[comm, {i}] = {i};",
             "@h = hist({i});", "$y = $y * 3 + {i};", "@m[tid] = max($y);", "printf(\"%d %s\\n\", {i}, comm);"]
    body = " ".join(kinds[i % len(kinds)].format(i=i // len(kinds)) for i in range(1000))
    script = "BEGIN { $y = 1; " + body + " }"
    times = []
    with tempfile.NamedTemporaryFile("w", suffix=".bt") as file:
        file.write(script)
        file.flush()
        for _ in range(runs):
            begin = time.monotonic()
            subprocess.run([ESPY, "trace", "--mode", "codegen", file.name], check=True, stdout=subprocess.DEVNULL)
            times.append(time.monotonic() - begin)
    row("compile 1,000 statements, whole process", statistics.median(times), 0.050, 1.0)


def main():
    words = sys.argv[1:]
    quick = "--quick" in words
    chosen = [w for w in words if not w.startswith("--")]
    if os.environ.get("ESPY_BENCH_MOUNTED") != "1":
        os.environ["ESPY_BENCH_MOUNTED"] = "1"
        os.execvp("unshare", ["unshare", "-m", "sh", "-c", "mount -t tracefs nodev /sys/kernel/tracing; exec \"$0\" \"$@\"", os.path.abspath(__file__)] + words)
    runs, count = (3, 100_000) if quick else (9, 500_000)
    measures = {"hi": lambda: bench_hi(runs), "attach": lambda: bench_attach(runs), "many": lambda: bench_many(runs),
                "dd": lambda: bench_dd(max(3, runs // 2), count), "printf": lambda: bench_printf(max(3, runs // 3), count),
                "insns": lambda: bench_insns(runs), "compile": lambda: bench_compile(runs)}
    print(f"{'':<52} {'espy':>10} {'bpftrace':>10} {'':<5} {'ratio':>8}")
    for name, measure in measures.items():
        if not chosen or name in chosen:
            measure()
    if failed:
        print("missed: " + ", ".join(failed))


main()
