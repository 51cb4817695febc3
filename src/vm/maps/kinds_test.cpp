// Maps that programs and user space use by other ways than keys and values; maps that processes and threads share.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "object/asm.hpp"
#include "object/target.hpp"
#include "vm/cpu.hpp"
#include "vm/helpers/table.hpp"
#include "vm/helpers/timers.hpp"
#include "vm/maps/perf_events.hpp"
#include "vm/maps/shared.hpp"
#include "vm/maps/stack_traces.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

using facts::MapType;

object::MapSpec spec_of(MapType type, std::uint32_t key, std::uint32_t value, std::uint32_t entries, std::uint32_t flags = 0) {
  object::MapSpec spec;
  spec.name = "m", spec.type = type, spec.key_size = key, spec.value_size = value, spec.max_entries = entries, spec.flags = flags;
  return spec;
}

std::unique_ptr<Object> load_text(std::string_view text, Tier tier = Tier::interpreter) {
  auto spec = object::assemble_object(text, "test");
  EXPECT_TRUE(spec) << describe(spec.error());
  auto linked = object::link(std::move(*spec), object::Target{});
  EXPECT_TRUE(linked) << describe(linked.error());
  auto object = Object::load(std::move(*linked), tier);
  EXPECT_TRUE(object) << describe(object.error());
  return std::move(*object);
}

std::uint64_t run(const Object& object) {
  std::array<std::uint64_t, 32> context{};
  auto result = object.programs()[0].run({.context = context.data(), .context_bytes = sizeof context});
  EXPECT_TRUE(result) << describe(result.error());
  return result ? result->value : 0;
}

TEST(PerfEvents, RecordsGoToTheBufferOfTheirSlotOnceItIsOpen) {
  auto object = load_text(R"(
.map events type=perf_event_array key=4 value=4 max_entries=8
.section raw_tp/x
.func main
  *(u64 *)(r10 - 8) = 77
  r2 = events ll
  r3 = 3
  r4 = r10
  r4 += -8
  r5 = 8
  call 25
  exit
)");
  auto events = std::dynamic_pointer_cast<PerfEventArray>(object->find_map("events"));
  EXPECT_EQ(static_cast<std::int64_t>(run(*object)), -ENOENT);
  ASSERT_TRUE(events->open(3, 4096));
  EXPECT_FALSE(events->open(8, 4096));
  EXPECT_EQ(run(*object), 0U);
  std::uint64_t value = 0;
  EXPECT_EQ(events->consume([&](std::uint32_t slot, Bytes record) { return value = load<std::uint64_t>(record, 0), slot == 3; }), 1U);
  EXPECT_EQ(value, 77U);
  for (int i = 0; i < 300; ++i) run(*object);
  EXPECT_EQ(events->lost(), 300U - 255U) << "what found no room is counted";
}

TEST(UserRing, ProgramsDrainWhatUserSpaceSends) {
  for (Tier tier : {Tier::interpreter, Tier::optimised}) {
    auto object = load_text(R"(
.map ring type=user_ringbuf key=0 value=0 max_entries=4096
.section raw_tp/x
.func main
  *(u64 *)(r10 - 8) = 0
  r1 = ring ll
  r2 = each ll
  r3 = r10
  r3 += -8
  r4 = 0
  call 209
  r1 = *(u64 *)(r10 - 8)
  r0 *= 1000
  r0 += r1
  exit
.section .text
.func each
  r6 = r2
  r3 = r1
  r1 = r10
  r1 += -8
  r2 = 8
  r4 = 0
  r5 = 0
  call 201
  r1 = *(u64 *)(r10 - 8)
  r2 = *(u64 *)(r6 + 0)
  r2 += r1
  *(u64 *)(r6 + 0) = r2
  r0 = 0
  if r1 != 30 goto out
  r0 = 1
out:
  exit
)", tier);
    auto ring = std::dynamic_pointer_cast<RingBuffer>(object->find_map("ring"));
    for (std::uint64_t value : {10, 20, 30, 40}) {
      std::byte* record = ring->reserve(8);
      ASSERT_NE(record, nullptr);
      std::memcpy(record, &value, 8);
      RingBuffer::finish(record, value == 20);
    }
    EXPECT_EQ(run(*object), 2 * 1000U + 40U) << "the third ends it; what was discarded does not count";
    EXPECT_EQ(run(*object), 1 * 1000U + 40U);
    EXPECT_EQ(run(*object), 0U);
  }
}

TEST(StackTraces, TheSameChainHasTheSameNumber) {
  auto map = create_map(spec_of(MapType::stack_trace, 4, 64, 16));
  ASSERT_TRUE(map) << describe(map.error());
  auto& traces = static_cast<StackTraces&>(**map);
  const std::uint64_t chain[] = {1, 2, 3};
  const long id = traces.put(chain, false, false);
  ASSERT_GE(id, 0);
  EXPECT_EQ(traces.put(chain, false, false), id);
  const auto key = static_cast<std::uint32_t>(id);
  auto value = (*map)->read(bytes_of(key));
  ASSERT_TRUE(value && *value);
  EXPECT_EQ(load<std::uint64_t>(**value, 16), 3U);
  EXPECT_EQ(load<std::uint64_t>(**value, 24), 0U);
  EXPECT_TRUE(*(*map)->remove(bytes_of(key)));
  auto gone = (*map)->read(bytes_of(key));
  EXPECT_TRUE(gone && !*gone);
}

TEST(Stacks, BeginWhereTheRunSaysAndAreInTheMap) {
  auto object = load_text(R"(
.map stacks type=stack_trace key=4 value=64 max_entries=16
.section perf_event
.func main
  r2 = stacks ll
  r3 = 256
  call 27
  exit
)");
  std::array<std::uintptr_t, 2> frame{0, 0};
  std::array<std::uint64_t, 32> context{};
  RunInput input{.context = context.data(), .context_bytes = sizeof context};
  input.instruction = 0x1234, input.frame = reinterpret_cast<std::uintptr_t>(frame.data());
  auto result = object->programs()[0].run(input);
  ASSERT_TRUE(result) << describe(result.error());
  const auto key = static_cast<std::uint32_t>(result->value);
  auto value = object->find_map("stacks")->read(bytes_of(key));
  ASSERT_TRUE(value && *value);
  EXPECT_EQ(load<std::uint64_t>(**value, 0), 0x1234U);
}

TEST(TaskStorage, EachThreadHasItsOwnUntilItEnds) {
  auto object = load_text(R"(
.map local type=task_storage key=4 value=8 max_entries=0 flags=1
.section raw_tp/x
.func main
  call 158
  r2 = r0
  r1 = local ll
  r3 = 0
  r4 = 1
  call 156
  if r0 == 0 goto none
  r1 = *(u64 *)(r0 + 0)
  r1 += 1
  *(u64 *)(r0 + 0) = r1
  r0 = r1
none:
  exit
)");
  EXPECT_EQ(run(*object), 1U);
  EXPECT_EQ(run(*object), 2U);
  for (int i = 0; i < 3; ++i) {
    std::uint64_t there = 0;
    std::thread([&] { there = run(*object); }).join();
    EXPECT_EQ(there, 1U) << "another thread's";
  }
  const int self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  if (self < 0) GTEST_SKIP() << "no pidfd_open";
  auto value = object->find_map("local")->read(bytes_of(self));
  ASSERT_TRUE(value && *value) << (value ? "not there" : describe(value.error()));
  EXPECT_EQ(load<std::uint64_t>(**value, 0), 2U);
  ::close(self);
}

TEST(SharedMaps, ProcessesSeeEachOthersElements) {
  auto map = create_shared_map(spec_of(MapType::hash, 4, 8, 1000));
  ASSERT_TRUE(map) << describe(map.error());
  auto ring = create_shared_map(spec_of(MapType::ringbuf, 0, 0, 4096));
  ASSERT_TRUE(ring) << describe(ring.error());
  const pid_t child = ::fork();
  if (child == 0) {   // opens both anew, at other addresses
    auto mine = open_shared_map(UniqueFd(::dup(shared_file(**map))));
    auto records = open_shared_map(UniqueFd(::dup(shared_file(**ring))));
    if (!mine || !records) ::_exit(1);
    for (std::uint32_t key = 0; key < 500; ++key) {
      const std::uint64_t value = key * 3;
      if ((*mine)->update(&key, &value, kNoExist) != 0) ::_exit(2);
    }
    const std::uint64_t done = 99;
    if (static_cast<RingBuffer&>(**records).output(&done, sizeof done) != 0) ::_exit(3);
    ::_exit(0);
  }
  for (std::uint32_t key = 500; key < 1000; ++key) {
    const std::uint64_t value = key * 3;
    ASSERT_EQ((*map)->update(&key, &value, kNoExist), 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  for (std::uint32_t key = 0; key < 1000; ++key) {
    auto value = (*map)->read(bytes_of(key));
    ASSERT_TRUE(value && *value) << key;
    ASSERT_EQ(load<std::uint64_t>(**value, 0), key * 3U);
  }
  const std::uint32_t beyond = 1000;
  const std::uint64_t value = 0;
  EXPECT_EQ((*map)->update(&beyond, &value, kAny), -E2BIG);
  std::uint64_t got = 0;
  EXPECT_EQ(static_cast<RingBuffer&>(**ring).consume([&](Bytes record) { return got = load<std::uint64_t>(record, 0), true; }), 1U);
  EXPECT_EQ(got, 99U);
}

TEST(SharedMaps, FilesThatAreNoneAreRefused) {
  EXPECT_EQ(create_shared_map(spec_of(MapType::queue, 0, 8, 4)).error().kind, ErrorKind::unsupported);
  UniqueFd empty(::memfd_create("x", MFD_CLOEXEC));
  EXPECT_FALSE(open_shared_map(std::move(empty)));
  auto map = create_shared_map(spec_of(MapType::array, 4, 8, 100));
  ASSERT_TRUE(map);
  std::vector<std::byte> header(4096);
  ASSERT_EQ(::pread(shared_file(**map), header.data(), header.size(), 0), 4096);
  UniqueFd unsealed(::memfd_create("x", MFD_CLOEXEC));
  ASSERT_EQ(::write(unsealed.get(), header.data(), header.size()), 4096);
  EXPECT_EQ(open_shared_map(std::move(unsealed)).error().kind, ErrorKind::malformed);
}

TEST(HugeMaps, AreATypedErrorOrCostNothing) {
  for (MapType type : {MapType::hash, MapType::array, MapType::queue, MapType::lru_hash, MapType::percpu_array}) {
    const bool keyless = type == MapType::queue;
    auto map = create_map(spec_of(type, keyless ? 0 : 4, 1 << 20, (1U << 24) - 1));
    ASSERT_FALSE(map) << static_cast<int>(type);
    EXPECT_TRUE(map.error().kind == ErrorKind::exhausted || map.error().kind == ErrorKind::invalid_argument) << describe(map.error());
  }
  auto large = create_map(spec_of(MapType::hash, 4, 8, 1 << 28, 1));   // BPF_F_NO_PREALLOC
  ASSERT_TRUE(large) << describe(large.error());
  const std::uint32_t key = 1;
  const std::uint64_t value = 2;
  EXPECT_EQ((*large)->update(&key, &value, kAny), 0);
}

// Threads that read, write and delete the same keys: what is read was written as one.
TEST(HashMap, ReadersNeverSeeMixtures) {
  struct Pair {
    std::uint64_t a = 0, b = 0;
  };
  auto map = create_map(spec_of(MapType::hash, 4, sizeof(Pair), 16));
  ASSERT_TRUE(map);
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (unsigned t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      for (std::uint64_t i = 0; !stop; ++i) {
        const auto key = static_cast<std::uint32_t>(i % 8);
        const Pair pair{i * 2 + t, ~(i * 2 + t)};
        static_cast<void>((*map)->update(&key, &pair, kAny));
        if (i % 5 == 0) static_cast<void>((*map)->erase(&key));
      }
    });
  }
  for (std::uint32_t i = 0; i < 40000; ++i) {
    const std::uint32_t key = i % 8;
    auto value = (*map)->read(bytes_of(key));
    ASSERT_TRUE(value);
    ASSERT_TRUE(!*value || load<std::uint64_t>(**value, 0) == ~load<std::uint64_t>(**value, 8));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

// As many as fit, however the threads divide them.
TEST(HashMap, ManyThreadsFillItExactly) {
  auto map = create_map(spec_of(MapType::hash, 4, 8, 1000));
  ASSERT_TRUE(map);
  std::atomic<std::uint32_t> next{0}, stored{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t key = next++; key < 1500; key = next++) {
        const std::uint64_t value = key;
        stored += (*map)->update(&key, &value, kNoExist) == 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, 1000U);
}

TEST(RingBuffer, ManyProducersLoseNothingSilently) {
  auto ring = RingBuffer::make({.name = "r", .type = MapType::ringbuf, .max_entries = 1 << 16});
  ASSERT_TRUE(ring);
  constexpr std::uint64_t kEach = 20000;
  std::atomic<std::uint64_t> put{0}, running{4};
  std::vector<std::thread> producers;
  for (std::uint64_t t = 0; t < 4; ++t) {
    producers.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t record[2] = {t, i};
        if ((*ring)->output(record, sizeof record) == 0) ++put;
      }
      --running;
    });
  }
  std::uint64_t got = 0, next[4] = {};
  bool ordered = true;
  const auto drain = [&] {
    got += (*ring)->consume([&](Bytes record) {
      const auto t = load<std::uint64_t>(record, 0), i = load<std::uint64_t>(record, 8);
      ordered = ordered && t < 4 && i >= next[t];
      return next[t] = i + 1, true;
    });
  };
  while (running != 0) drain();
  for (std::thread& producer : producers) producer.join();
  drain();
  EXPECT_EQ(got, put);
  EXPECT_EQ(put + (*ring)->refused(), 4 * kEach);
  EXPECT_TRUE(ordered);
}

}  // namespace
}  // namespace espy::vm
