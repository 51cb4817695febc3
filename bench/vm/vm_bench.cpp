// What programs cost in user space: the interpreter, both compiled tiers, the kernel's compiler (BPF_PROG_TEST_RUN, less an empty
// program) and clang's code for this processor from the same C. Medians of several rounds, in nanoseconds a run; then the ratios
// that matter, and what compiling costs.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "isa/assemble.hpp"
#include "object/read.hpp"
#include "object/target.hpp"
#include "vm/context/packet.hpp"
#include "vm/object.hpp"

extern "C" {
struct WorkData {
  unsigned char input[2048], output[2048];
  unsigned long long counter, limit;
};
extern WorkData work_data;
using Native = unsigned long long (*)(const unsigned char*, const unsigned char*);
#define NATIVE(name) unsigned long long native_##name(const unsigned char*, const unsigned char*);
NATIVE(empty) NATIVE(primes) NATIVE(log2) NATIVE(checksum) NATIVE(memcpy) NATIVE(fnv) NATIVE(parse) NATIVE(switch) NATIVE(histogram) NATIVE(calls) NATIVE(atomics)
}

namespace {

using namespace espy;

struct Work {
  const char* name;
  Native native;
};
constexpr Work kWork[] = {{"empty", native_empty}, {"primes", native_primes}, {"log2", native_log2}, {"checksum", native_checksum},
                          {"memcpy", native_memcpy}, {"fnv", native_fnv}, {"parse", native_parse}, {"switch", native_switch},
                          {"histogram", native_histogram}, {"calls", native_calls}, {"atomics", native_atomics}};
constexpr int kRounds = 7;

double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Nanoseconds of one call, from as many as fill two milliseconds.
double measure(auto call) {
  std::vector<double> rounds;
  for (int round = 0; round < kRounds; ++round) {
    int count = 1;
    for (;; count *= 2) {
      const double begin = now();
      for (int i = 0; i < count; ++i) call();
      const double took = now() - begin;
      if (took < 2e6) continue;
      rounds.push_back(took / count);
      break;
    }
  }
  return median(rounds);
}

/// Instructions that this thread retires; none where the machine does not count them (most virtual ones).
class Retired {
 public:
  Retired() {
    perf_event_attr attr{};
    attr.type = PERF_TYPE_HARDWARE, attr.size = sizeof attr, attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = 1, attr.exclude_hv = 1;
    fd_ = static_cast<int>(::syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
  }
  ~Retired() {
    if (fd_ >= 0) close(fd_);
  }
  Retired(const Retired&) = delete;
  Retired& operator=(const Retired&) = delete;

  /// Of one call.
  std::optional<double> of(auto call) const {
    constexpr int kCalls = 64;
    const auto before = count();
    for (int i = 0; i < kCalls; ++i) call();
    const auto after = count();
    if (!before || !after) return std::nullopt;
    return static_cast<double>(*after - *before) / kCalls;
  }

 private:
  std::optional<std::uint64_t> count() const {
    std::uint64_t value = 0;
    if (fd_ < 0 || read(fd_, &value, sizeof value) != sizeof value) return std::nullopt;
    return value;
  }
  int fd_ = -1;
};

std::vector<unsigned char> packet() {
  std::vector<unsigned char> bytes(64);
  bytes[12] = 8;
  bytes[14] = 0x45;
  bytes[23] = 17;
  for (std::size_t i = 26; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i * 7);
  return bytes;
}

const char* object_path() { return ESPY_BINARY_DIR "/bench/vm/work.bpf.o"; }

/// The kernel's figures; none where this process may not load programs.
class Kernel {
 public:
  Kernel() : object_(bpf_object__open_file(object_path(), nullptr)) {
    libbpf_set_print(nullptr);
    if (object_ == nullptr || bpf_object__load(object_) != 0) return;
    loaded_ = true;
    bpf_map* data = bpf_object__next_map(object_, nullptr);
    std::vector<unsigned char> value(bpf_map__value_size(data));
    std::memcpy(value.data(), &work_data, sizeof work_data);
    const std::uint32_t zero = 0;
    bpf_map_update_elem(bpf_map__fd(data), &zero, value.data(), 0);
  }
  ~Kernel() { bpf_object__close(object_); }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  struct Result {
    double nanoseconds = 0;
    std::uint32_t value = 0;
  };
  std::optional<Result> run(const char* name) {
    if (!loaded_) return std::nullopt;
    bpf_program* program = bpf_object__find_program_by_name(object_, fmt::format("do_{}", name).c_str());
    std::vector<unsigned char> data = packet();
    std::vector<double> rounds;
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = data.data(), .data_size_in = static_cast<std::uint32_t>(data.size()), .repeat = 2000);
    for (int round = 0; round < kRounds; ++round) {
      if (bpf_prog_test_run_opts(bpf_program__fd(program), &options) != 0) return std::nullopt;
      rounds.push_back(options.duration);
    }
    return Result{median(rounds), options.retval};
  }

 private:
  bpf_object* object_;
  bool loaded_ = false;
};

object::LinkedObject linked() {
  auto spec = object::read(object_path());
  if (!spec) fmt::print(stderr, "{}\n", describe(spec.error())), std::exit(1);
  auto linked = object::link(std::move(*spec), object::Target{});
  if (!linked) fmt::print(stderr, "{}\n", describe(linked.error())), std::exit(1);
  return std::move(*linked);
}

struct Engine {
  std::unique_ptr<vm::Object> object;
  vm::Tier tier;
};

Engine engine(vm::Tier tier) {
  auto object = vm::Object::load(linked(), tier);
  if (!object) fmt::print(stderr, "{}\n", describe(object.error())), std::exit(1);
  const std::uint32_t zero = 0;
  std::memcpy((*object)->maps().at(0)->lookup(&zero), &work_data, sizeof work_data);
  return {std::move(*object), tier};
}

struct Row {
  double interpreter = 0, baseline = 0, optimised = 0, native = 0;
  std::optional<double> kernel;
  std::size_t code_bytes = 0;
};

double run_engine(const Engine& engine, const Work& work, vm::Packet& packet, std::uint32_t& value) {
  const vm::Program* program = engine.object->find_program(fmt::format("do_{}", work.name));
  if (engine.tier == vm::Tier::interpreter) {
    return measure([&] { value = static_cast<std::uint32_t>(program->run({.packet = &packet})->value); });
  }
  vm::Run run{.context = packet.context(), .packet = &packet};
  return measure([&] { value = static_cast<std::uint32_t>(program->compiled()->run(run, reinterpret_cast<std::uint64_t>(packet.context()))); });
}

/// A hundred instructions: arithmetic, the frame, branches, a loop.
std::vector<isa::Insn> hundred() {
  std::string text = "r0 = 0\nr6 = 10\nagain:\n";
  for (int i = 0; i < 12; ++i) {
    text += fmt::format("r1 = r0\nr1 *= {0}\nr1 ^= r6\n*(u64 *)(r10 - {1}) = r1\nif r1 > {2} goto over{0}\nr0 += {0}\nover{0}:\nr2 = *(u64 *)(r10 - {1})\nr0 += r2\nw0 >>= 1\n", i + 3, i * 8 + 8, i * 1000);
  }
  text += "r6 += -1\nif r6 != 0 goto again\nexit\n";
  auto code = isa::assemble_insns(text);
  if (!code) fmt::print(stderr, "{}\n", describe(code.error())), std::exit(1);
  return *code;
}

void report_compile() {
  const std::vector<isa::Insn> code = hundred();
  const double by_kernel = measure([&] {
    const int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, nullptr, "GPL", reinterpret_cast<const bpf_insn*>(code.data()), code.size(), nullptr);
    if (fd >= 0) close(fd);
  });
  fmt::print("load {} instructions: the kernel {:.1f} us\n", code.size(), by_kernel / 1000);
  for (vm::Tier tier : {vm::Tier::baseline, vm::Tier::optimised}) {
    const double took = measure([&] { static_cast<void>(vm::Compiled::compile(code, tier, "bench")); });
    fmt::print("  {:<10} {:8.1f} us, {:.2f} of the kernel's\n", tier == vm::Tier::baseline ? "baseline" : "optimised", took / 1000, took / by_kernel);
  }
}

}  // namespace

// With an argument, only what compiling costs.
int main(int argc, char**) {
  if (argc > 1) return report_compile(), 0;
  for (unsigned i = 0; i < sizeof work_data.input; ++i) work_data.input[i] = static_cast<unsigned char>((i * 2654435761U) >> 13);
  work_data.limit = 400;
  Kernel kernel;
  const Engine interpreter = engine(vm::Tier::interpreter), baseline = engine(vm::Tier::baseline), optimised = engine(vm::Tier::optimised);
  std::vector<unsigned char> bytes = packet();
  auto in = vm::Packet::make(facts::ProgType::xdp, std::as_bytes(std::span(bytes)), {});
  if (!in) return fmt::print(stderr, "{}\n", describe(in.error())), 1;
  fmt::print("{:<12}{:>12}{:>10}{:>10}{:>10}{:>10}{:>12}{:>10}{:>8}\n", "ns a run", "interpreter", "baseline", "optimised", "kernel", "native", "of kernel", "of native", "bytes");
  const Retired retired;
  std::string instructions;
  std::vector<double> of_kernel, of_native;
  double empty_kernel = 0, empty_engine = 0, empty_native = 0;
  for (const Work& work : kWork) {
    std::array<std::uint32_t, 4> values{};
    Row row;
    row.interpreter = run_engine(interpreter, work, *in, values[0]);
    row.baseline = run_engine(baseline, work, *in, values[1]);
    row.optimised = run_engine(optimised, work, *in, values[2]);
    row.native = measure([&] { values[3] = static_cast<std::uint32_t>(work.native(bytes.data(), bytes.data() + bytes.size())); });
    auto in_kernel = kernel.run(work.name);
    if (in_kernel) row.kernel = in_kernel->nanoseconds;
    vm::Run counted{.context = in->context(), .packet = &*in};
    const auto compiled = retired.of([&] { static_cast<void>(optimised.object->find_program(fmt::format("do_{}", work.name))->compiled()->run(counted, reinterpret_cast<std::uint64_t>(in->context()))); });
    const auto by_clang = retired.of([&] { static_cast<void>(work.native(bytes.data(), bytes.data() + bytes.size())); });
    if (compiled && by_clang) instructions += fmt::format("{:<12}{:>12.0f}{:>12.0f}\n", work.name, *compiled, *by_clang);
    bool same = values[0] == values[1] && values[0] == values[2] && values[0] == values[3] && (!in_kernel || in_kernel->value == values[0]);
    row.code_bytes = optimised.object->find_program(fmt::format("do_{}", work.name))->compiled()->code_bytes();
    if (std::strcmp(work.name, "empty") == 0) {
      empty_kernel = row.kernel.value_or(0), empty_engine = row.optimised, empty_native = row.native;
      fmt::print("{:<12}{:>12.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}\n", work.name, row.interpreter, row.baseline, row.optimised, empty_kernel, row.native);
      continue;
    }
    const double ours = std::max(row.optimised - empty_engine, 0.1), clang = std::max(row.native - empty_native, 0.1);
    const double theirs = row.kernel ? std::max(*row.kernel - empty_kernel, 0.1) : 0;
    if (row.kernel) of_kernel.push_back(ours / theirs);
    of_native.push_back(ours / clang);
    fmt::print("{:<12}{:>12.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>10.1f}{:>12.2f}{:>10.2f}{:>8}{}\n", work.name, row.interpreter, row.baseline, ours, theirs, clang,
               row.kernel ? ours / theirs : 0, ours / clang, row.code_bytes, same ? "" : "  RESULTS DIFFER");
  }
  auto mean = [](const std::vector<double>& ratios) {
    double sum = 0;
    for (double ratio : ratios) sum += std::log(ratio);
    return ratios.empty() ? 0 : std::exp(sum / static_cast<double>(ratios.size()));
  };
  fmt::print("geometric mean: {:.2f} of the kernel's, {:.2f} of native\n", mean(of_kernel), mean(of_native));
  if (instructions.empty()) fmt::print("instructions retired: this machine does not count them\n");
  else fmt::print("{:<12}{:>12}{:>12}\n{}", "retired", "optimised", "native", instructions);
  report_compile();
}
