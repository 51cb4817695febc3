#include "kernel/records.hpp"

#include <fcntl.h>

#include <numeric>
#include <thread>

#include "flood.hpp"

namespace espy::kernel {
namespace {

using namespace std::chrono_literals;

class Records : public testing::Test {
 protected:
  void SetUp() override {
    flood_ = Flood::load(FLOOD_OBJECT);
    if (!flood_) GTEST_SKIP() << "needs CAP_BPF and CAP_PERFMON, and a kernel with bpf_loop and user ring buffers (6.1)";
  }
  static std::uint64_t number_of(Bytes record) { return load<std::uint64_t>(record, 0); }
  std::unique_ptr<Flood> flood_;
};

TEST_F(Records, RingBufferHandsOverInOrderAndStepsOverDiscarded) {
  Map map = flood_->map("small");
  auto ring = RingBuffer::open(map);
  ASSERT_TRUE(ring) << describe(ring.error());
  std::vector<std::uint64_t> seen;
  auto sink = [&](Bytes record) {
    EXPECT_EQ(record.size(), 64U);
    seen.push_back(number_of(record));
    return true;
  };
  // Many more than fit at once: the ring of 4096 bytes wraps again and again.
  for (std::uint64_t round = 0; round < 100; ++round) {
    flood_->run("flood_small", 40, round * 40);
    EXPECT_GT(ring->waiting(), 0U);
    ASSERT_TRUE(ring->drain(sink));
    EXPECT_EQ(ring->waiting(), 0U);
  }
  std::vector<std::uint64_t> expected;
  for (std::uint64_t n = 0; n < 4000; ++n)
    if (n % 7 != 6) expected.push_back(n);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(flood_->refused(), 0U);
  EXPECT_FALSE(ring->was_full());
}

TEST_F(Records, RingBufferThatOverflowsShowsItWasFull) {
  Map map = flood_->map("small");
  auto ring = RingBuffer::open(map);
  ASSERT_TRUE(ring);
  flood_->run("flood_small", 100);
  std::size_t seen = 0;
  EXPECT_EQ(ring->drain([&](Bytes) { return ++seen, true; }).value(), seen);
  // 4096 / 72 records fit; the program counted those that did not, and nothing else is missing.
  std::uint64_t kept = 100 - flood_->refused();
  EXPECT_LE(kept, 4096U / 72);
  EXPECT_GE(kept, 4096U / 72 - 1);
  EXPECT_EQ(seen, kept - kept / 7);
  EXPECT_TRUE(ring->was_full());
  EXPECT_GT(ring->high_water(), 3900U);
}

TEST_F(Records, RingBufferStopsWhenToldAndGoesOn) {
  Map map = flood_->map("large");
  auto ring = RingBuffer::open(map);
  ASSERT_TRUE(ring);
  flood_->run("flood_large", 1000);
  std::uint64_t last = 0;
  EXPECT_EQ(ring->drain([&](Bytes record) { return last = number_of(record), last != 499; }).value(), 500U);
  EXPECT_EQ(ring->waiting(), 500U * 72);
  auto rest = ring->drain([&](Bytes record) {
    EXPECT_EQ(number_of(record), ++last);
    return true;
  });
  EXPECT_EQ(rest.value(), 500U);
}

// A second consumer of the same map begins where the first one stopped.
TEST_F(Records, RingBufferPositionIsTheMaps) {
  Map map = flood_->map("large");
  flood_->run("flood_large", 10);
  {
    auto first = RingBuffer::open(map);
    ASSERT_TRUE(first->drain([](Bytes record) { return number_of(record) != 3; }));
  }
  auto second = RingBuffer::open(map);
  std::vector<std::uint64_t> seen;
  ASSERT_TRUE(second->drain([&](Bytes record) { return seen.push_back(number_of(record)), true; }));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{4, 5, 6, 7, 8, 9}));
}

// Producer and consumer at the same time: every record that was not refused arrives, in order, and each wait that the
// producer ends is woken.
TEST_F(Records, RingBufferLosesNoWakeUp) {
  Map map = flood_->map("large");
  auto ring = RingBuffer::open(map);
  auto poller = Poller::create();
  ASSERT_TRUE(poller->add(ring->fd(), 7));
  constexpr std::uint64_t kRounds = 2000, kEach = 50;
  std::jthread producer([&] {
    for (std::uint64_t round = 0; round < kRounds; ++round) flood_->run("flood_large", kEach, round * kEach);
  });
  std::uint64_t seen = 0, waits_in_vain = 0;
  while (seen + flood_->refused() < kRounds * kEach && waits_in_vain < 3) {
    auto ready = poller->wait(5s);
    ASSERT_TRUE(ready);
    if (ready->empty()) ++waits_in_vain;
    else EXPECT_EQ(ready->front(), 7U);
    ASSERT_TRUE(ring->drain([&](Bytes) { return ++seen, true; }));
  }
  producer.join();
  ASSERT_TRUE(ring->drain([&](Bytes) { return ++seen, true; }));
  EXPECT_EQ(seen + flood_->refused(), kRounds * kEach);
  EXPECT_EQ(waits_in_vain, 0U);
}

TEST_F(Records, RingBufferRefusesOtherMaps) {
  auto ring = RingBuffer::open(flood_->map("perf"));
  ASSERT_FALSE(ring);
  EXPECT_EQ(ring.error().kind, ErrorKind::invalid_argument);
}

TEST_F(Records, PerfBufferHandsOverWhatEachCpuSent) {
  auto perf = PerfBuffer::open(flood_->map("perf"), 8);
  ASSERT_TRUE(perf) << describe(perf.error());
  std::vector<std::uint64_t> seen;
  // 8 pages hold about 400 records: 50 rounds of 200 wrap many times, at offsets that split records.
  for (std::uint64_t round = 0; round < 50; ++round) {
    flood_->run("flood_perf", 200, round * 200, static_cast<int>(round % perf->fds().size()));
    ASSERT_TRUE(perf->drain([&](Bytes record) {
      EXPECT_GE(record.size(), 64U);
      seen.push_back(number_of(record));
      return true;
    }));
  }
  std::vector<std::uint64_t> expected(10'000);
  std::iota(expected.begin(), expected.end(), 0U);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(perf->lost(), 0U);
}

TEST_F(Records, PerfBufferCountsWhatWasLost) {
  auto perf = PerfBuffer::open(flood_->map("perf"), 1);
  ASSERT_TRUE(perf);
  flood_->run("flood_perf", 1000, 0, 0);
  std::size_t seen = 0;
  ASSERT_TRUE(perf->drain([&](Bytes) { return ++seen, true; }));
  EXPECT_LT(seen, 1000U);
  EXPECT_GT(seen, 0U);
  EXPECT_EQ(flood_->refused(), 1000 - seen);
  flood_->run("flood_perf", 1, 0, 0);  // older kernels tell of the loss with the next record
  ASSERT_TRUE(perf->drain([&](Bytes) { return true; }));
  EXPECT_EQ(perf->lost(), 1000 - seen);
}

TEST_F(Records, PerfBufferWakesAtItsWatermark) {
  auto perf = PerfBuffer::open(flood_->map("perf"), 8, 4096);
  auto poller = Poller::create();
  for (int fd : perf->fds()) ASSERT_TRUE(poller->add(fd, 0));
  flood_->run("flood_perf", 10, 0, 0);
  EXPECT_TRUE(poller->wait(0ms)->empty());
  flood_->run("flood_perf", 100, 0, 0);
  EXPECT_FALSE(poller->wait(1s)->empty());
}

TEST_F(Records, UserRingBufferReachesItsProgram) {
  Map map = flood_->map("orders");
  auto orders = UserRingBuffer::open(map);
  ASSERT_TRUE(orders) << describe(orders.error());
  std::uint64_t sum = 0, count = 0;
  for (std::uint64_t round = 0; round < 100; ++round) {
    for (std::uint64_t n = 0; n < 40; ++n) {
      auto room = orders->reserve(n % 2 == 0 ? 64 : 24);
      ASSERT_TRUE(room) << describe(room.error());
      std::uint64_t value = round * 40 + n;
      std::memcpy(room->data(), &value, sizeof value);
      if (n % 5 == 4) {
        orders->discard();
        continue;
      }
      orders->submit();
      sum += value;
      ++count;
    }
    EXPECT_EQ(flood_->run("take_orders"), 32U);
  }
  EXPECT_EQ(flood_->global(1), sum);
  EXPECT_EQ(flood_->global(2), count);
  EXPECT_EQ(orders->rejected(), 0U);
}

TEST_F(Records, UserRingBufferSaysWhenItIsFull) {
  auto orders = UserRingBuffer::open(flood_->map("orders"));
  ASSERT_TRUE(orders);
  EXPECT_EQ(orders->reserve(5000).error().kind, ErrorKind::invalid_argument);
  std::size_t fitted = 0;
  for (;;) {
    auto room = orders->reserve(56);
    if (!room) {
      EXPECT_EQ(room.error().kind, ErrorKind::exhausted);
      break;
    }
    EXPECT_EQ(orders->reserve(8).error().kind, ErrorKind::invalid_argument);  // one at a time
    orders->submit();
    ASSERT_LE(++fitted, 64U);
  }
  EXPECT_EQ(fitted, 64U);
  EXPECT_EQ(orders->rejected(), 1U);
}

TEST(Poller, TimesOutEmpty) {
  auto poller = Poller::create();
  EXPECT_TRUE(poller->wait(1ms)->empty());
  EXPECT_FALSE(poller->add(-1, 0));
}

}  // namespace
}  // namespace espy::kernel
