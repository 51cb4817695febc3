// Records drained per second: ours beside libbpf's consumers, on the same rings, alternating in one process, the median
// of many rounds. Then under a flood from another CPU, for as long as each: what arrives, and what is refused for want of
// room.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "kernel/records.hpp"

namespace {

using namespace espy;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 31;
constexpr std::uint64_t kRingRecords = 200'000;   // 72 bytes each in a ring of 16 MiB
constexpr std::size_t kPerfPages = 1024;          // 4 MiB a CPU
constexpr std::uint64_t kPerfRecords = 40'000;    // 80 bytes each
constexpr auto kFloodTime = std::chrono::milliseconds(700);

std::uint64_t g_sum = 0;   // of what was read: both sides touch every record

struct Programs {
  bpf_object* object = nullptr;
  int fd(const char* program) const { return bpf_program__fd(bpf_object__find_program_by_name(object, program)); }
  int map(const char* name) const { return bpf_object__find_map_fd_by_name(object, name); }
  void run(const char* program, std::uint64_t count, int cpu = 0) const {
    std::uint64_t arguments[12] = {count};
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.ctx_in = arguments;
    options.ctx_size_in = sizeof arguments;
    options.flags = BPF_F_TEST_RUN_ON_CPU;
    options.cpu = static_cast<std::uint32_t>(cpu);
    bpf_prog_test_run_opts(fd(program), &options);
  }
  struct Counts {
    std::uint64_t sent = 0, refused = 0;
  };
  Counts counts() const {
    Counts counts;
    std::uint32_t key = 0;
    bpf_map_lookup_elem(map(".bss"), &key, &counts);
    return counts;
  }
};

kernel::Map adopt(int fd) {
  auto map = kernel::Map::adopt(UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)));
  if (!map) std::fprintf(stderr, "%s\n", describe(map.error()).c_str()), std::exit(1);
  return std::move(*map);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

int libbpf_record(void*, void* data, std::size_t) {
  std::uint64_t word;
  std::memcpy(&word, data, sizeof word);
  g_sum += word;
  return 0;
}
void libbpf_sample(void*, int, void* data, std::uint32_t) { libbpf_record(nullptr, data, 0); }
constexpr auto our_record = [](Bytes record) {
  g_sum += load<std::uint64_t>(record, 0);
  return true;
};

void print(const char* what, double ours, double theirs) {
  fmt::print("{:<44} {:>9.1f} {:>9.1f}   {:.2f}x\n", what, 1e3 / ours, 1e3 / theirs, theirs / ours);
}

// Fills the rings, then drains them: nanoseconds for each record, ours and libbpf's in turn.
template <typename Fill, typename Ours, typename Theirs>
void compare(const char* what, std::uint64_t records, Fill fill, Ours ours, Theirs theirs) {
  std::vector<double> our_ns, their_ns;
  auto timed = [&](auto drain, std::vector<double>& into) {
    fill();
    auto start = Clock::now();
    drain();
    into.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / static_cast<double>(records));
  };
  for (int round = 0; round < kRounds; ++round) {   // who is first takes turns
    if (round % 2 == 0) timed(ours, our_ns), timed(theirs, their_ns);
    else timed(theirs, their_ns), timed(ours, our_ns);
  }
  print(what, median(our_ns), median(their_ns));
}

// A producer on one CPU, the drain on another, for a while.
template <typename Drain>
double flooded(const Programs& programs, Drain drain, double& refused_share) {
  Programs::Counts before = programs.counts();
  std::atomic<bool> stop = false;
  std::jthread producer([&] {
    while (!stop) programs.run("flood_ring", 50'000, 1);
  });
  auto start = Clock::now();
  while (Clock::now() - start < kFloodTime) drain();
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  stop = true;
  producer.join();
  drain();
  Programs::Counts after = programs.counts();
  double sent = static_cast<double>(after.sent - before.sent), refused = static_cast<double>(after.refused - before.refused);
  refused_share = refused / (sent + refused);
  return sent / seconds;
}

void bench_ring(const Programs& programs) {
  auto map = adopt(programs.map("ring"));
  auto ours = kernel::RingBuffer::open(map);
  if (!ours) std::fprintf(stderr, "%s\n", describe(ours.error()).c_str()), std::exit(1);
  // One map has one position; each reader learns where it is when it opens, so libbpf's is opened anew each time, outside
  // of what is timed.
  ring_buffer* theirs = nullptr;
  auto reopen = [&] {
    programs.run("flood_ring", kRingRecords);
    ring_buffer__free(theirs);
    theirs = ring_buffer__new(programs.map("ring"), libbpf_record, nullptr, nullptr);
    ours = kernel::RingBuffer::open(map);
  };
  compare("ring buffer, full ring", kRingRecords, reopen, [&] { (void)ours->drain(our_record); }, [&] { ring_buffer__consume(theirs); });
  ring_buffer__free(theirs);

  std::vector<double> our_rate, their_rate, our_refused, their_refused;
  for (int round = 0; round < 5; ++round) {
    double refused = 0;
    auto reader = kernel::RingBuffer::open(map);
    our_rate.push_back(flooded(programs, [&] { (void)reader->drain(our_record); }, refused));
    our_refused.push_back(refused);
    theirs = ring_buffer__new(programs.map("ring"), libbpf_record, nullptr, nullptr);
    their_rate.push_back(flooded(programs, [&] { ring_buffer__consume(theirs); }, refused));
    their_refused.push_back(refused);
    ring_buffer__free(theirs);
  }
  print("ring buffer, flooded by another CPU", 1e9 / median(our_rate), 1e9 / median(their_rate));
  fmt::print("{:<44} {:>8.2f}% {:>8.2f}%\n", "  refused for want of room", 100 * median(our_refused), 100 * median(their_refused));
}

void bench_perf(const Programs& programs) {
  // A slot holds one event, so each reader has the map to itself for its rounds.
  std::vector<double> our_ns, their_ns;
  for (int round = 0; round < kRounds; ++round) {
    auto timed = [&](auto drain, std::vector<double>& into) {
      programs.run("flood_perf", kPerfRecords);
      auto start = Clock::now();
      drain();
      into.push_back(std::chrono::duration<double, std::nano>(Clock::now() - start).count() / kPerfRecords);
    };
    auto one_of_ours = [&] {
      auto ours = kernel::PerfBuffer::open(adopt(programs.map("perf")), kPerfPages);
      if (!ours) std::fprintf(stderr, "%s\n", describe(ours.error()).c_str()), std::exit(1);
      timed([&] { (void)ours->drain(our_record); }, our_ns);
    };
    auto one_of_theirs = [&] {
      perf_buffer* theirs = perf_buffer__new(programs.map("perf"), kPerfPages, libbpf_sample, nullptr, nullptr, nullptr);
      timed([&] { perf_buffer__consume(theirs); }, their_ns);
      perf_buffer__free(theirs);
    };
    if (round % 2 == 0) one_of_ours(), one_of_theirs();
    else one_of_theirs(), one_of_ours();
  }
  print("perf buffer, full ring", median(our_ns), median(their_ns));
}

}  // namespace

int main() {
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
  Programs programs{bpf_object__open_file(FLOOD_OBJECT, nullptr)};
  if (programs.object == nullptr || bpf_object__load(programs.object) != 0) {
    std::fprintf(stderr, "bench_records: loading needs CAP_BPF and CAP_PERFMON, and a kernel with bpf_loop (5.17)\n");
    return 77;
  }
  fmt::print("{:<44} {:>9} {:>9}   ratio\n", "million 64-byte records drained per second", "espy", "libbpf");
  bench_ring(programs);
  bench_perf(programs);
  bpf_object__close(programs.object);
  return g_sum == 0 ? 1 : 0;
}
