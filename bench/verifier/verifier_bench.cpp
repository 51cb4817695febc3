// Verification time here and in the running kernel (what its log says: "verification time N usec"), on the same programs in one
// run, the best of several rounds each. Then how threads scale, and the memory of the largest program.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>
#include <vector>

#include "corpus_file.hpp"
#include "kernel/object.hpp"
#include "kernel_verdict.hpp"
#include "object/asm.hpp"
#include "object/read.hpp"
#include "random/generator.hpp"
#include "verifier/verify.hpp"

namespace {

using namespace espy;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;

/// A program with the object that it was linked with.
struct Subject {
  std::string group, name;
  object::LinkedObject linked;
  const object::LinkedProgram& program() const { return linked.programs.front(); }
};

struct Measured {
  std::uint64_t insns = 0;
  double kernel_us = 0, our_us = 0;
  bool comparable = false;   // both accept it
};

/// Programs over 100,000 processed instructions, as text: what makes verifiers slow.
struct Large {
  const char *name, *text;
};
constexpr Large kLarge[] = {
    {"a counted loop, 100,000 turns", R"(
  r6 = 0
again:
  r6 += 1
  if r6 < 100000 goto again
  r0 = 0
  exit
)"},
    {"a loop over a map's value", R"(
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = map[values] ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r7 = r0
  r6 = 0
  r9 = 0
again:
  r8 = r6
  r8 &= 255
  r1 = r7
  r1 += r8
  r2 = *(u8 *)(r1 +0)
  *(u64 *)(r10 -16) = r2
  r3 = *(u64 *)(r10 -16)
  r9 += r3
  r6 += 1
  if r6 < 40000 goto again
out:
  r0 = 0
  exit
)"},
    {"paths that never agree", R"(
  *(u32 *)(r10 -4) = 0
  r2 = r10
  r2 += -4
  r1 = map[values] ll
  call bpf_map_lookup_elem
  if r0 == 0 goto out
  r9 = r0
  r6 = 0
  r7 = 0
again:
  call bpf_get_prandom_u32
  r7 <<= 1
  if r0 == 0 goto other
  r7 += 1
other:
  r6 += 1
  if r6 < 14 goto again
  r7 &= 255
  r9 += r7
  r0 = *(u8 *)(r9 +0)
out:
  r0 = 0
  exit
)"},
    {"a subprogram called in a loop", R"(
  r6 = 0
again:
  r1 = r6
  r2 = r10
  r2 += -8
  call each
  r6 += 1
  if r6 < 20000 goto again
  r0 = 0
  exit
.section .text
.func each
.local each
  *(u64 *)(r2 +0) = r1
  r0 = *(u64 *)(r2 +0)
  if r0 > 100 goto small
  r0 += 1
small:
  exit
)"},
};

std::vector<Subject> large_subjects(const object::Target& target) {
  std::vector<Subject> subjects;
  for (const Large& large : kLarge) {
    auto object = object::assemble_object(fmt::format(".license \"GPL\"\n.map values type=array key=4 value=256 max_entries=1\n.section socket\n.func main\n{}", large.text), large.name);
    if (!object) fmt::print(stderr, "{}\n", describe(object.error()));
    if (!object) continue;
    if (auto linked = object::link(std::move(*object), target)) subjects.push_back({"large", large.name, std::move(*linked)});
  }
  return subjects;
}

std::vector<Subject> corpus_subjects(const object::Target& target) {
  std::vector<Subject> subjects;
  auto files = corpus::files_of(ESPY_SOURCE_DIR "/tests/verifier/corpus", ESPY_BINARY_DIR "/tests/verifier/objects");
  for (const std::string& file : files.value_or(std::vector<std::string>{})) {
    auto programs = corpus::read_file(file);
    for (const corpus::Program& program : programs.value_or(std::vector<corpus::Program>{})) {
      if (program.unprivileged || !program.expected(target.version).accept) continue;
      if (auto linked = corpus::link_alone(program, target)) subjects.push_back({"the verifier's corpus", program.name, std::move(*linked)});
    }
  }
  return subjects;
}

std::vector<Subject> object_subjects(const object::Target& target) {
  std::vector<Subject> subjects;
  for (const auto& entry : std::filesystem::directory_iterator(ESPY_BINARY_DIR "/tests/corpus/v3")) {
    auto object = object::read(entry.path().string());
    if (!object) continue;
    for (const object::ProgramSpec& spec : object->programs)
      if (auto linked = object::link(*object, target, {.programs = {spec.name}}); linked && linked->programs.size() == 1)
        subjects.push_back({"compiled objects", spec.name, std::move(*linked)});
  }
  return subjects;
}

std::vector<Subject> random_subjects() {
  std::vector<Subject> subjects;
  for (std::uint64_t seed = 1; seed <= 1500; ++seed) {
    subjects.push_back({"random programs", fmt::format("{}", seed), corpus::random_maps()});
    subjects.back().linked.programs.push_back(corpus::random_program(seed));
  }
  return subjects;
}

Measured measure(const Subject& subject, const object::Target& target, const verifier::Profile& profile) {
  Measured measured{.kernel_us = 1e12, .our_us = 1e12};
  for (int round = 0; round < kRounds; ++round) {
    const corpus::KernelVerdict kernel = corpus::ask_kernel(subject.linked);
    const auto start = Clock::now();
    const verifier::Verdict ours = verifier::verify(subject.linked, subject.program(), target, profile);
    const std::chrono::duration<double, std::micro> time = Clock::now() - start;
    measured.comparable = kernel.answer == corpus::Answer::accepted && ours.accepted;
    if (!measured.comparable) break;
    measured.insns = kernel.insns_processed;
    measured.kernel_us = std::min(measured.kernel_us, std::max(1.0, static_cast<double>(kernel.microseconds)));
    measured.our_us = std::min(measured.our_us, time.count());
  }
  return measured;
}

struct Mean {
  double logs = 0, worst = 0;
  std::uint64_t count = 0;
  void add(double ratio) { logs += std::log(ratio), worst = std::max(worst, ratio), ++count; }
  double mean() const { return count == 0 ? 0 : std::exp(logs / static_cast<double>(count)); }
};

void compare(const std::vector<Subject>& subjects, const object::Target& target, const verifier::Profile& profile, Mean& all) {
  Mean mean;
  std::vector<double> kernel_times, our_times;
  for (const Subject& subject : subjects) {
    const Measured measured = measure(subject, target, profile);
    if (!measured.comparable) {
      if (subject.group == "large") fmt::print("  {:<38} not accepted by both\n", subject.name);
      continue;
    }
    mean.add(measured.our_us / measured.kernel_us), all.add(measured.our_us / measured.kernel_us);
    kernel_times.push_back(measured.kernel_us), our_times.push_back(measured.our_us);
    if (measured.insns > 100'000)
      fmt::print("  {:<38} {:>9} insns   kernel {:>10.0f} us   here {:>10.0f} us   {:.2f}x\n", subject.name, measured.insns, measured.kernel_us, measured.our_us,
                 measured.our_us / measured.kernel_us);
  }
  if (kernel_times.empty()) return;
  auto median = [](std::vector<double>& times) { return std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2)), times[times.size() / 2]; };
  fmt::print("{:<24} {:>5} programs   median: kernel {:>8.1f} us, here {:>8.1f} us   geometric mean {:.2f}x, worst {:.2f}x\n", subjects.front().group, mean.count,
             median(kernel_times), median(our_times), mean.mean(), mean.worst);
}

/// Programs a second on so many threads.
double throughput(const std::vector<Subject>& subjects, const object::Target& target, const verifier::Profile& profile, unsigned threads) {
  std::atomic<std::size_t> next = 0;
  const std::size_t total = subjects.size() * 4;
  const auto start = Clock::now();
  {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i)
      workers.emplace_back([&] {
        for (std::size_t at = next++; at < total; at = next++) {
          const Subject& subject = subjects[at % subjects.size()];
          (void)verifier::verify(subject.linked, subject.program(), target, profile);
        }
      });
  }
  return static_cast<double>(total) / std::chrono::duration<double>(Clock::now() - start).count();
}

/// The most memory that a process of its own needs for one program beside what it began with, in megabytes.
double memory_of(const Subject& subject, const object::Target& target, const verifier::Profile& profile) {
  int ends[2];
  if (::pipe(ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    rusage before{}, after{};
    ::getrusage(RUSAGE_SELF, &before);
    (void)verifier::verify(subject.linked, subject.program(), target, profile);
    ::getrusage(RUSAGE_SELF, &after);
    const double megabytes = static_cast<double>(after.ru_maxrss - before.ru_maxrss) / 1024;
    ::_exit(::write(ends[1], &megabytes, sizeof megabytes) == sizeof megabytes ? 0 : 1);
  }
  double megabytes = 0;
  if (::read(ends[0], &megabytes, sizeof megabytes) != sizeof megabytes) megabytes = 0;
  ::close(ends[0]), ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  return megabytes;
}

}  // namespace

int main() {
  if (::geteuid() != 0) return fmt::print("skipped: needs root\n"), 0;
  auto target = kernel::running_target();
  if (!target) return fmt::print(stderr, "{}\n", describe(target.error())), 1;
  const verifier::Profile profile = verifier::profile_of(*target);
  Mean all;
  const std::vector<Subject> large = large_subjects(*target), random = random_subjects();
  compare(large, *target, profile, all);
  compare(corpus_subjects(*target), *target, profile, all);
  compare(object_subjects(*target), *target, profile, all);
  compare(random, *target, profile, all);
  fmt::print("{:<24} {:>5} programs   geometric mean {:.2f}x\n", "all", all.count, all.mean());

  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const double one = throughput(random, *target, profile, 1);
  fmt::print("threads: 1: {:.0f} programs/s", one);
  for (unsigned threads = 2; threads <= processors; threads *= 2) fmt::print(", {}: {:.2f}x", threads, throughput(random, *target, profile, threads) / one);
  fmt::print("\n");
  double most = 0;
  for (const Subject& subject : large) most = std::max(most, memory_of(subject, *target, profile));
  fmt::print("memory, largest program: {:.1f} MB\n", most);
  return 0;
}
