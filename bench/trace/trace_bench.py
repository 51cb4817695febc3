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
PATIENCE = 180  # seconds for a tracer to attach, or to end
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
        watched = {file.fileno(): 0 for file in (out, log)}   # bpftrace says it to standard error
        while True:
            for number, seen in watched.items():
                size = os.fstat(number).st_size
                if size == seen:
                    continue
                watched[number] = size
                if ATTACHED.encode() in os.pread(number, size, 0):
                    return process, time.monotonic() - begin
            if time.monotonic() - begin > PATIENCE:
                process.kill()
                raise SystemExit(f"{tracer} has not attached in {PATIENCE} seconds")
            if process.poll() is not None:
                raise SystemExit(f"{tracer} ended early:\n" + os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace"))
            time.sleep(0.0002)


def stop(process):
    """Ends a tracer as Control-C does; how long that took, and the most memory it had until then (bytes)."""
    with open(f"/proc/{process.pid}/status") as status:
        memory = int(re.search(r"^VmHWM:\s*(\d+)", status.read(), re.M).group(1)) * 1024
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=PATIENCE)
    return time.monotonic() - begin, memory


def whole(tracer, script):
    """How long a script takes that ends by itself, and the most memory it had. (A process begins with the memory of the one
    that forked it, so time(1), which is small, starts it.)"""
    with tempfile.NamedTemporaryFile("r") as memory:
        begin = time.monotonic()
        subprocess.run(["/usr/bin/time", "-f", "%M", "-o", memory.name] + TRACERS[tracer] + ["-e", script], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        return time.monotonic() - begin, int(memory.read()) * 1024


def progress(text):
    """What is being done, for somebody who watches."""
    print(f"# {time.strftime('%X')} {text}", file=sys.stderr, flush=True)


def row(name, espy, bpftrace, bar, unit="ms", scale=1e3):
    ratio = espy / bpftrace if bpftrace else float("inf")
    ok = ratio <= bar
    if not ok:
        failed.append(name)
    print(f"{name:<52} {espy * scale:>10.2f} {bpftrace * scale:>10.2f} {unit:<5} {ratio:>8.4f}  bar {bar:.4f}  {'ok' if ok else 'MISSED'}", flush=True)


def medians(what, measure, runs):
    """measure(tracer) → tuple; both in turn, `runs` times each."""
    results = {tracer: [] for tracer in TRACERS}
    for i in range(runs):
        for tracer in TRACERS:
            begin = time.monotonic()
            results[tracer].append(measure(tracer))
            if time.monotonic() - begin > 1:
                progress(f"{what}: round {i + 1} of {runs}, {tracer}: {time.monotonic() - begin:.1f} s")
    return {tracer: [statistics.median(column) for column in zip(*rows)] for tracer, rows in results.items()}


def compare(rows, measure, runs):
    result = medians(rows[0][0], measure, runs)
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
    """Copies `count` bytes one by one; the processor time and the time on the clock that this took. Processor time is what
    tracing adds to, and other work on the machine hardly changes it; the clock counts where somebody is waited for."""
    begin = time.monotonic()
    process = subprocess.Popen(DD.format(count).split())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit("dd failed")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin


def bench_dd(runs, count):
    cases = {"@ = count()": "tracepoint:syscalls:sys_enter_read { @ = count(); }",
             "@[comm] = count()": "tracepoint:syscalls:sys_enter_read { @[comm] = count(); }",
             "read latency": LATENCY,
             "@[kstack] = count()": "tracepoint:syscalls:sys_enter_read { @[kstack] = count(); }"}
    for name, script in cases.items():
        extra, cost = {t: [] for t in TRACERS}, {t: [] for t in TRACERS}
        for i in range(runs):
            # Each round has its own plain run beside it, so a machine whose speed drifts disturbs both alike.
            plain = dd(count)[0]
            for tracer in TRACERS:
                begin = time.monotonic()
                process, _ = start(tracer, script)
                slow = dd(count)[0]
                cost[tracer].append(event_cost(process, count // 5))
                stop(process)
                extra[tracer].append(slow / plain - 1)
                if time.monotonic() - begin > 1:
                    progress(f"dd under {name}: round {i + 1} of {runs}, {tracer}: {time.monotonic() - begin:.1f} s")
        middle = {t: statistics.median(extra[t]) for t in TRACERS}
        row(f"dd under {name}: slowdown less 1", middle["espy"], middle["bpftrace"], 0.6, "x", 1)
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
    show = lambda number: subprocess.run(["bpftool", "-j", "prog", "show", "id", number], capture_output=True, text=True, check=True,
                                         timeout=60).stdout
    return [json.loads(show(number)) for number in ids]


def event_cost(process, count):
    """Nanoseconds that this tracer's programs run for each read of a dd. (What they run for other processes meanwhile counts
    too: a program of all system calls is asked about more of them.)"""
    statistics_of = lambda: sum(p.get("run_time_ns", 0) for p in programs_of(process))
    before = statistics_of()
    with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
        switch.write("1")
    try:
        dd(count)
    finally:
        with open("/proc/sys/kernel/bpf_stats_enabled", "w") as switch:
            switch.write("0")
    return (statistics_of() - before) / count


def bench_printf(runs, count):
    script = 'tracepoint:syscalls:sys_enter_write /comm == "dd"/ { printf("%d %s %d\\n", pid, comm, args->count); }'
    lines, lost = {t: [] for t in TRACERS}, {t: [] for t in TRACERS}

    def measure(tracer):
        with tempfile.TemporaryFile() as out:
            process, _ = start(tracer, script, output=out)
            took = dd(count)[1]
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
                "dd": lambda: bench_dd(5, 2 * count if quick else count), "printf": lambda: bench_printf(max(3, runs // 3), count),
                "insns": lambda: bench_insns(runs), "compile": lambda: bench_compile(runs)}
    print(f"{'':<52} {'espy':>10} {'bpftrace':>10} {'':<5} {'ratio':>8}")
    for name, measure in measures.items():
        if not chosen or name in chosen:
            measure()
    if failed:
        print("missed: " + ", ".join(failed))


main()
