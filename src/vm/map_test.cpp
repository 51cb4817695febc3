#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <set>
#include <thread>

#include "vm/cpu.hpp"
#include "vm/maps/ring_buffer.hpp"

namespace espy::vm {
namespace {

using facts::MapType;

std::shared_ptr<Map> make(MapType type, std::uint32_t key, std::uint32_t value, std::uint32_t entries) {
  object::MapSpec spec;
  spec.name = "m", spec.type = type, spec.key_size = key, spec.value_size = value, spec.max_entries = entries;
  auto map = create_map(spec);
  EXPECT_TRUE(map) << describe(map.error());
  return map ? *map : nullptr;
}

TEST(HashMap, FlagsMeanWhatTheyMeanInTheKernel) {
  auto map = make(MapType::hash, 4, 8, 2);
  std::uint32_t one = 1, two = 2, three = 3;
  std::uint64_t value = 7;
  EXPECT_EQ(map->update(&one, &value, kExist), -ENOENT);
  EXPECT_EQ(map->update(&one, &value, kNoExist), 0);
  EXPECT_EQ(map->update(&one, &value, kNoExist), -EEXIST);
  EXPECT_EQ(map->update(&one, &value, 3), -EINVAL);
  EXPECT_EQ(map->update(&two, &value, kAny), 0);
  EXPECT_EQ(map->update(&three, &value, kAny), -E2BIG);
  EXPECT_EQ(map->update(&two, &value, kAny), 0) << "replacing needs no room";
  EXPECT_EQ(map->erase(&one), 0);
  EXPECT_EQ(map->erase(&one), -ENOENT);
  EXPECT_EQ(map->update(&three, &value, kAny), 0);
}

TEST(HashMap, AReplacedValueIsANewElement) {
  auto map = make(MapType::hash, 4, 8, 4);
  std::uint32_t key = 1;
  std::uint64_t value = 1;
  ASSERT_EQ(map->update(&key, &value, kAny), 0);
  auto* before = static_cast<std::uint64_t*>(map->lookup(&key));
  value = 2;
  ASSERT_EQ(map->update(&key, &value, kAny), 0);
  EXPECT_EQ(*before, 1U) << "a reader keeps the value it looked up";
  EXPECT_EQ(*static_cast<std::uint64_t*>(map->lookup(&key)), 2U);
}

TEST(HashMap, IterationSeesEveryKeyOnce) {
  auto map = make(MapType::hash, 8, 8, 1000);
  for (std::uint64_t key = 0; key < 1000; ++key) ASSERT_EQ(map->update(&key, &key, kAny), 0);
  std::set<std::uint64_t> seen;
  std::vector<std::byte> at;
  for (auto next = map->next_key({}); next && *next; next = map->next_key(at)) {
    at = **next;
    EXPECT_TRUE(seen.insert(load<std::uint64_t>(at, 0)).second);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(HashMap, ReadersSeeOldOrNewWhileWritersWrite) {
  auto map = make(MapType::hash, 4, 16, 64);
  for (std::uint32_t key = 0; key < 50; ++key) {
    std::uint64_t value[2] = {key, key};
    ASSERT_EQ(map->update(&key, value, kAny), 0);
  }
  std::atomic<bool> stop = false;
  std::jthread writer([&] {
    for (std::uint64_t round = 1; !stop; ++round) {
      std::uint32_t key = static_cast<std::uint32_t>(round % 50);
      std::uint64_t value[2] = {key, key};
      map->update(&key, value, kAny);
      if (round % 7 == 0) map->erase(&key);
    }
  });
  std::uint64_t found = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    std::uint32_t key = i % 50;
    if (auto* value = static_cast<std::uint64_t*>(map->lookup(&key))) found += std::atomic_ref(value[0]).load(std::memory_order_relaxed) < 50;
  }
  stop = true;
  EXPECT_GT(found, 0U);
}

TEST(LruHash, AFullMapMakesRoomAndSparesWhatWasLookedUp) {
  auto map = make(MapType::lru_hash, 4, 8, 100);
  std::uint64_t value = 1;
  for (std::uint32_t key = 0; key < 100; ++key) ASSERT_EQ(map->update(&key, &value, kAny), 0);
  std::uint32_t kept = 7;
  for (std::uint32_t key = 1000; key < 1050; ++key) {
    ASSERT_NE(map->lookup(&kept), nullptr) << "before " << key;
    ASSERT_EQ(map->update(&key, &value, kAny), 0);
  }
  std::size_t count = 0;
  for (std::uint32_t key = 0; key < 1050; ++key) count += map->lookup(&key) != nullptr;
  EXPECT_LE(count, 100U);
  EXPECT_GE(count, 98U);
}

TEST(PerCpuHash, AProgramSeesItsCpuAndUserSpaceAll) {
  auto map = make(MapType::percpu_hash, 4, 8, 4);
  std::uint32_t key = 9;
  std::uint64_t value = 5;
  ASSERT_EQ(map->update(&key, &value, kAny), 0);
  auto all = map->read(bytes_of(key));
  ASSERT_TRUE(all && *all);
  ASSERT_EQ((*all)->size(), 8 * cpu_count());
  std::uint64_t sum = 0;
  for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) sum += load<std::uint64_t>(**all, 8 * cpu);
  EXPECT_EQ(sum, 5U);
}

TEST(Array, ElementsAlwaysExist) {
  auto map = make(MapType::array, 4, 8, 3);
  std::uint32_t key = 2, beyond = 3;
  std::uint64_t value = 4;
  EXPECT_EQ(map->update(&key, &value, kNoExist), -EEXIST);
  EXPECT_EQ(map->update(&beyond, &value, kAny), -E2BIG);
  EXPECT_EQ(map->erase(&key), -EINVAL);
  EXPECT_EQ(map->lookup(&beyond), nullptr);
}

TEST(RingBuffer, RecordsComeInOrderAndRefusalsAreCounted) {
  MapAttributes attributes{.name = "r", .type = MapType::ringbuf, .max_entries = 4096};
  auto ring = RingBuffer::make(attributes);
  ASSERT_TRUE(ring) << describe(ring.error());
  std::uint64_t written = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::byte* record = (*ring)->reserve(8);
    if (record == nullptr) break;
    std::memcpy(record, &i, 8);
    RingBuffer::finish(record, i % 3 == 1);
    ++written;
  }
  EXPECT_EQ(written, 255U);
  EXPECT_EQ((*ring)->refused(), 1U);
  std::uint64_t last = 0, count = 0;
  (*ring)->consume([&](Bytes record) { return last = load<std::uint64_t>(record, 0), ++count, true; });
  EXPECT_EQ(last, 254U);
  EXPECT_EQ(count, 170U);
  EXPECT_NE((*ring)->reserve(8), nullptr);
}

TEST(Queue, FirstInFirstOutAndRoomWhereItIsAskedFor) {
  auto map = make(MapType::queue, 0, 8, 2);
  for (std::uint64_t v : {1, 2}) ASSERT_EQ(map->push(&v, kAny), 0);
  std::uint64_t value = 3;
  EXPECT_EQ(map->push(&value, kAny), -E2BIG);
  EXPECT_EQ(map->push(&value, kNoExist), -EINVAL);
  EXPECT_EQ(map->push(&value, kExist), 0) << "the oldest goes";
  EXPECT_EQ(map->peek(&value), 0);
  EXPECT_EQ(value, 2U);
  EXPECT_EQ(map->pop(&value), 0);
  EXPECT_EQ(map->pop(&value), 0);
  EXPECT_EQ(value, 3U);
  EXPECT_EQ(map->pop(&value), -ENOENT);
  EXPECT_EQ(value, 0U);
}

TEST(Stack, LastInFirstOut) {
  auto map = make(MapType::stack, 0, 8, 2);
  for (std::uint64_t v : {1, 2}) ASSERT_EQ(map->push(&v, kAny), 0);
  std::uint64_t value = 0;
  EXPECT_EQ(map->pop(&value), 0);
  EXPECT_EQ(value, 2U);
}

TEST(LpmTrie, TheLongestPrefixWins) {
  object::MapSpec spec;
  spec.name = "m", spec.type = MapType::lpm_trie, spec.key_size = 8, spec.value_size = 4, spec.max_entries = 3, spec.flags = 1;
  auto map = *create_map(spec);
  struct Prefix { std::uint32_t bits; std::uint8_t address[4]; };
  auto put = [&](Prefix key, std::uint32_t value, std::uint64_t flags = kAny) { return map->update(&key, &value, flags); };
  auto get = [&](Prefix key) -> std::uint32_t {
    auto* found = static_cast<std::uint32_t*>(map->lookup(&key));
    return found == nullptr ? 0 : *found;
  };
  EXPECT_EQ(put({8, {10, 0, 0, 0}}, 1), 0);
  EXPECT_EQ(put({16, {10, 1, 0, 0}}, 2), 0);
  EXPECT_EQ(put({24, {10, 2, 3, 0}}, 3), 0);
  EXPECT_EQ(put({32, {10, 9, 9, 9}}, 4), -ENOSPC);
  EXPECT_EQ(put({8, {10, 0, 0, 0}}, 1, kNoExist), -EEXIST);
  EXPECT_EQ(get({32, {10, 1, 7, 7}}), 2U);
  EXPECT_EQ(get({32, {10, 2, 3, 4}}), 3U);
  EXPECT_EQ(get({32, {10, 2, 4, 4}}), 1U);
  EXPECT_EQ(get({32, {11, 2, 4, 4}}), 0U);
  Prefix gone{16, {10, 1, 0, 0}};
  EXPECT_EQ(map->erase(&gone), 0);
  EXPECT_EQ(map->erase(&gone), -ENOENT);
  EXPECT_EQ(get({32, {10, 1, 7, 7}}), 1U);
}

TEST(CreateMap, WhatMakesNoSenseIsAnError) {
  object::MapSpec spec;
  spec.name = "m", spec.type = MapType::array, spec.key_size = 8, spec.value_size = 8, spec.max_entries = 1;
  EXPECT_FALSE(create_map(spec));
  spec.type = MapType::sockmap;
  auto map = create_map(spec);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace espy::vm
