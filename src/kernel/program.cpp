#include "kernel/program.hpp"


#include <cerrno>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/bpf_calls.hpp"
#include "kernel/syscall.hpp"

namespace espy::kernel {

using facts::ProgType;

namespace {

Result<bpf_prog_info> info_of(int fd, const std::string& name) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return fail_sys(errno, "ask the kernel about program `{}`", name);
  return info;
}

// Types whose test run takes no `repeat`: they run once a call, and the kernel does not measure.
bool runs_once(ProgType type) {
  return type == ProgType::raw_tracepoint || type == ProgType::raw_tracepoint_writable || type == ProgType::syscall ||
         type == ProgType::tracing || type == ProgType::struct_ops;
}

// Types that have a BPF_PROG_TEST_RUN at all.
std::string_view why_not_runnable(ProgType type) {
  switch (type) {
    case ProgType::kprobe: return "a kprobe or uprobe program runs only where it is attached";
    case ProgType::tracepoint: return "a tracepoint program runs only where it is attached; as a raw_tracepoint it could be test-run";
    case ProgType::perf_event: return "a perf_event program runs only where it is attached";
    case ProgType::sk_msg: return "the kernel has no test run for sk_msg programs";
    case ProgType::sk_skb: return "the kernel has no test run for sk_skb programs";
    default: return "";
  }
}

std::unexpected<Error> explain_test_run(int error_number, const object::ProgramSpec& spec, const TestRun& run) {
  auto failure = fail_sys(error_number, "test-run program `{}` ({})", spec.name, facts::to_string(spec.type));
  Error& error = failure.error();
  if (error.kind == ErrorKind::unsupported) {
    error.hint = why_not_runnable(spec.type);
    if (error.hint.empty()) error.hint = "this kernel has no test run for the type";
  } else if (error_number == EINVAL) {
    constexpr std::size_t kEthernetHeader = 14;
    if (spec.type == ProgType::raw_tracepoint && !run.data_in.empty()) error.hint = "a raw tracepoint takes its arguments as context, not as data";
    else if (spec.type == ProgType::syscall && !run.data_in.empty()) error.hint = "a syscall program takes a context, not data";
    else if (!runs_once(spec.type) && run.data_in.size() < kEthernetHeader)
      error.hint = fmt::format("packet programs need at least an Ethernet header of data, {} bytes; there are {}", kEthernetHeader, run.data_in.size());
    else if (run.ctx_in.empty() && runs_once(spec.type)) error.hint = "the program reads a context, and none was given (ctx_in, --ctx-in FILE)";
    else error.hint = "the kernel does not take this context, data or flag for the type";
  }
  return failure;
}

}  // namespace

Result<TestRunResult> Program::test_run(const TestRun& run) const {
  TestRunResult result;
  result.data_out.resize(run.data_out_size);
  // A syscall program's context is written back where it came from; others have a place of its own.
  std::vector<std::byte> ctx_in = run.ctx_in;
  const bool once = runs_once(spec_.type);
  if (!once) result.ctx_out.resize(ctx_in.size());

  TestRunAttr opts{};
  opts.prog_fd = static_cast<std::uint32_t>(fd_.get());
  opts.data_in = run.data_in.empty() ? 0 : to_u64(run.data_in.data());
  opts.data_size_in = static_cast<std::uint32_t>(run.data_in.size());
  opts.data_out = result.data_out.empty() ? 0 : to_u64(result.data_out.data());
  opts.ctx_in = ctx_in.empty() ? 0 : to_u64(ctx_in.data());
  opts.ctx_size_in = static_cast<std::uint32_t>(ctx_in.size());
  opts.ctx_out = result.ctx_out.empty() ? 0 : to_u64(result.ctx_out.data());
  opts.flags = run.flags;
  opts.cpu = run.cpu;
  opts.batch_size = run.batch_size;
  const bool live_frames = (run.flags & BPF_F_TEST_XDP_LIVE_FRAMES) != 0;
  opts.repeat = once ? 0 : run.repeat;
  // Live frames give nothing back.
  opts.data_size_out = live_frames ? 0 : static_cast<std::uint32_t>(result.data_out.size());
  opts.ctx_size_out = static_cast<std::uint32_t>(result.ctx_out.size());
  if (live_frames) opts.data_out = opts.ctx_out = 0, opts.ctx_size_out = 0;

  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t turn = 0; turn < (once ? std::max(run.repeat, 1U) : 1U); ++turn) {
    if (bpf_prog_test_run(opts) == 0) continue;
    // ENOSPC: the packet is larger than the room for it; what fits has been written.
    if (errno != ENOSPC || opts.data_size_out <= result.data_out.size()) return explain_test_run(errno, spec_, run);
  }
  const auto elapsed = std::chrono::steady_clock::now() - start;
  result.retval = opts.retval;
  result.duration_ns = once ? static_cast<std::uint32_t>(std::chrono::nanoseconds(elapsed).count() / std::max(run.repeat, 1U)) : opts.duration;
  result.data_size = opts.data_size_out;
  result.data_out.resize(std::min<std::size_t>(result.data_out.size(), opts.data_size_out));
  if (once) result.ctx_out = std::move(ctx_in);
  else result.ctx_out.resize(std::min<std::size_t>(result.ctx_out.size(), opts.ctx_size_out));
  return result;
}

Result<ProgramStats> Program::stats() const {
  bpf_prog_info info = TRY(info_of(fd(), name()));
  return ProgramStats{.run_count = info.run_cnt,
                      .run_time_ns = info.run_time_ns,
                      .recursion_misses = info.recursion_misses,
                      .jited_bytes = info.jited_prog_len,
                      .xlated_bytes = info.xlated_prog_len,
                      .verified_insns = info.verified_insns};
}

Result<std::uint32_t> Program::id() const { return TRY(info_of(fd(), name())).id; }

Result<void> Program::pin(const std::string& path) const {
  if (bpf_obj_pin(fd_.get(), path.c_str()) == 0) return {};
  int error = errno;
  auto failure = fail_sys(error, "pin program `{}` at {}", name(), path);
  if (error == EPERM || error == EINVAL) failure.error().hint = "pins live in a bpf file system: mount -t bpf bpf /sys/fs/bpf";
  return failure;
}

Result<UniqueFd> open_program(const std::string& path_or_id) {
  if (auto id = parse_number<std::uint32_t>(path_or_id)) {
    UniqueFd fd = bpf_prog_get_fd_by_id(*id);
    if (fd) return fd;
    auto failure = fail_sys(errno, "open program {}", *id);
    failure.error().hint = errno == ENOENT ? "`bpftool prog` lists the programs that are loaded" : "opening a program by its number needs CAP_SYS_ADMIN";
    return failure;
  }
  UniqueFd fd = bpf_obj_get(path_or_id.c_str());
  if (!fd) return fail_sys(errno, "open the program that is pinned at {}", path_or_id);
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0) return fail(ErrorKind::invalid_argument, "what is pinned at {} is no program", path_or_id);
  return fd;
}

Result<UniqueFd> enable_stats() {
  UniqueFd fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  if (fd) return fd;
  int error = errno;
  if (error != EINVAL) return fail_sys(error, "count the run time of eBPF programs");
  TRY(write_file("/proc/sys/kernel/bpf_stats_enabled", bytes_of(std::string_view("1"))));
  return UniqueFd();
}

}  // namespace espy::kernel
