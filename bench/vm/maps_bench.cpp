// What operations on maps cost in user space, beside the kernel's (BPF_PROG_TEST_RUN), each less a loop that does nothing: medians
// of many runs of a thousand operations, in nanoseconds of one. Then what several threads get done.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <optional>
#include <thread>
#include <vector>

#include "object/read.hpp"
#include "object/target.hpp"
#include "vm/context/packet.hpp"
#include "vm/maps/ring_buffer.hpp"
#include "vm/object.hpp"

namespace {

using namespace espy;

constexpr unsigned kOperations = 1024, kRounds = 301;
constexpr const char* kMaps[] = {"array", "hash", "lru"};

struct Row {
  const char* program;
  const char* text;
  double bar;
};
constexpr Row kRows[] = {{"do_array", "array lookup", 1.2},      {"do_hash", "hash lookup", 0.15},           {"do_lru", "LRU hash lookup", 0.4},
                         {"do_update", "hash update", 0.15}, {"do_update_delete", "hash update+delete", 0.15}, {"do_ring", "ring reserve+submit", 0.7}};

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void give_up(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

class Kernel {
 public:
  Kernel() {
    libbpf_set_print(nullptr);
    object_ = bpf_object__open_file(ESPY_BINARY_DIR "/bench/vm/maps.bpf.o", nullptr);
    if (object_ == nullptr || bpf_object__load(object_) != 0) return;
    for (const char* name : kMaps) {
      const int map = bpf_object__find_map_fd_by_name(object_, name);
      for (std::uint64_t i = 0; i < kOperations; ++i) {
        const auto key = static_cast<std::uint32_t>(i);
        bpf_map_update_elem(map, &key, &i, 0);
      }
    }
    ring_ = ring_buffer__new(bpf_object__find_map_fd_by_name(object_, "ring"), [](void*, void*, size_t) { return 0; }, nullptr, nullptr);
  }
  ~Kernel() {
    ring_buffer__free(ring_);
    bpf_object__close(object_);
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  explicit operator bool() const { return ring_ != nullptr; }
  std::uint64_t drain() { return static_cast<std::uint64_t>(std::max(0, ring_buffer__consume(ring_))); }
  /// Nanoseconds of one run, as the kernel measures; its return value.
  double run(const char* name, std::uint32_t& value) const {
    std::array<unsigned char, 64> data{};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = data.data(), .data_size_in = data.size(), .repeat = 1);
    if (bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(object_, name)), &options) != 0) give_up(name);
    value = options.retval;
    return options.duration;
  }

 private:
  bpf_object* object_ = nullptr;
  ring_buffer* ring_ = nullptr;
};

class User {
 public:
  User() {
    auto spec = object::read(ESPY_BINARY_DIR "/bench/vm/maps.bpf.o");
    if (!spec) give_up(describe(spec.error()));
    auto linked = object::link(std::move(*spec), object::Target{});
    if (!linked) give_up(describe(linked.error()));
    auto object = vm::Object::load(std::move(*linked), vm::Tier::optimised);
    if (!object) give_up(describe(object.error()));
    object_ = std::move(*object);
    for (const char* name : kMaps) {
      for (std::uint64_t i = 0; i < kOperations; ++i) {
        const auto key = static_cast<std::uint32_t>(i);
        static_cast<void>(object_->find_map(name)->update(&key, &i, 0));
      }
    }
    ring_ = std::dynamic_pointer_cast<vm::RingBuffer>(object_->find_map("ring"));
  }

  std::uint64_t drain() { return ring_->consume([](Bytes) { return true; }); }
  std::uint64_t refused() const { return ring_->refused(); }
  double run(const char* name, std::uint32_t& value) const {
    thread_local std::vector<std::byte> bytes(64);
    thread_local vm::Packet packet = std::move(*vm::Packet::make(facts::ProgType::xdp, bytes));
    const vm::Program* program = object_->find_program(name);
    if (!program->compiled()) give_up(program->fallback());
    vm::Run run{.context = packet.context(), .packet = &packet};
    const double begin = seconds(CLOCK_MONOTONIC);
    value = static_cast<std::uint32_t>(program->compiled()->run(run, reinterpret_cast<std::uint64_t>(packet.context())));
    return (seconds(CLOCK_MONOTONIC) - begin) * 1e9;
  }

 private:
  std::unique_ptr<vm::Object> object_;
  std::shared_ptr<vm::RingBuffer> ring_;
};

double one_operation(auto& engine, const char* name) {
  std::vector<double> rounds;
  std::uint32_t value = 0;
  for (unsigned round = 0; round < kRounds; ++round) {
    rounds.push_back(engine.run(name, value));
    static_cast<void>(engine.drain());
  }
  return median(rounds) / kOperations;
}

/// Million operations a second of processor time that all threads together get done.
double mixed(const User& engine, unsigned threads) {
  std::atomic<unsigned> ready{0};
  std::vector<double> rates(threads);
  std::vector<std::thread> running;
  for (unsigned t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      ++ready;
      while (ready != threads) {}
      std::uint32_t value = 0;
      std::uint64_t done = 0;
      const double end = seconds(CLOCK_MONOTONIC) + 0.3, begin = seconds(CLOCK_THREAD_CPUTIME_ID);
      while (seconds(CLOCK_MONOTONIC) < end) static_cast<void>(engine.run("do_mixed", value)), done += kOperations;
      rates[t] = static_cast<double>(done) / (seconds(CLOCK_THREAD_CPUTIME_ID) - begin) / 1e6;
    });
  }
  for (std::thread& thread : running) thread.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

struct Flood {
  double rate = 0;               ///< million records a second that came out
  std::uint64_t put = 0, got = 0, refused = 0;
};

/// Producers and one consumer, all at once.
Flood flood(auto& engine, unsigned threads) {
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> put{0}, tried{0};
  std::vector<std::thread> producers;
  for (unsigned t = 0; t < threads; ++t) {
    producers.emplace_back([&] {
      std::uint32_t value = 0;
      while (!stop) {
        static_cast<void>(engine.run("do_ring", value));
        put += value, tried += kOperations;
        if (value != kOperations) std::this_thread::yield();
      }
    });
  }
  Flood result;
  const double begin = seconds(CLOCK_MONOTONIC);
  while (seconds(CLOCK_MONOTONIC) < begin + 0.5) result.got += engine.drain();
  result.rate = static_cast<double>(result.got) / (seconds(CLOCK_MONOTONIC) - begin) / 1e6;
  stop = true;
  for (std::thread& thread : producers) thread.join();
  result.got += engine.drain();
  result.put = put, result.refused = tried - put;
  return result;
}

void report_flood(const char* who, const Flood& flood) {
  fmt::print("  {:<8}{:8.2f} million records/s out; {} put in, {} came out, {} were refused{}\n", who, flood.rate, flood.put, flood.got, flood.refused,
             flood.put == flood.got ? "" : ": SOME WERE LOST");
}

}  // namespace

int main() {
  Kernel kernel;
  User user;
  fmt::print("{:<24}{:>10}{:>10}{:>12}{:>8}\n", "ns an operation", "user", "kernel", "of kernel", "bar");
  const double empty_user = one_operation(user, "do_empty"), empty_kernel = kernel ? one_operation(kernel, "do_empty") : 0;
  for (const Row& row : kRows) {
    const double mine = one_operation(user, row.program) - empty_user;
    if (!kernel) {
      fmt::print("{:<24}{:>10.2f}{:>10}{:>12}{:>8.2f}\n", row.text, mine, "-", "-", row.bar);
      continue;
    }
    const double theirs = one_operation(kernel, row.program) - empty_kernel;
    fmt::print("{:<24}{:>10.2f}{:>10.2f}{:>12.2f}{:>8.2f}\n", row.text, mine, theirs, mine / theirs, row.bar);
  }
  std::vector<double> scaling;
  for (int i = 0; i < 5; ++i) {
    const double one = mixed(user, 1);
    scaling.push_back(mixed(user, 2) / one);
  }
  fmt::print("hash, nine lookups to one update: two threads get {:.2f} times as much done as one (bar 1.80)\n", median(scaling));
  for (unsigned producers : {1U, 4U}) {
    fmt::print("ring buffer, {} producer{} and a consumer:\n", producers, producers == 1 ? "" : "s");
    report_flood("user", flood(user, producers));
    if (kernel) report_flood("kernel", flood(kernel, producers));
  }
}
