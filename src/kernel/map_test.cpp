// Every map type that this kernel has is created, and used as its kind is used: one row a type, so that a new row of the
// facts table without one here fails.
#include "kernel/map.hpp"

#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <set>

#include "facts/tables.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/map_create.hpp"
#include "kernel/test_support.hpp"
#include "kernel/version.hpp"

namespace espy::kernel {
namespace {

using facts::MapType;

// What a test does with a map of the type.
enum class Use {
  keyed,        // update, look up, iterate, erase
  array,        // the same, but elements are always there
  sequence,     // push, peek, pop
  bloom,        // add, ask
  programs,     // prog array: slots filled in object_test
  maps,         // map of maps
  device,       // devmap, cpumap: values name a device or CPU
  sockets,      // values are sockets' descriptors
  rings,        // only made and mapped
  arena,
  made,         // only made: filled by programs, or by descriptors that a test cannot have
  typed,        // needs BTF to be made: tested with objects
};

struct Case {
  Use use;
  std::uint32_t key_size = 4, value_size = 8, max_entries = 16, flags = 0;
};

const std::map<MapType, Case>& cases() {
  static const std::map<MapType, Case> rows = {
      {MapType::hash, {Use::keyed}},
      {MapType::array, {Use::array}},
      {MapType::prog_array, {Use::programs, 4, 4}},
      {MapType::perf_event_array, {Use::made, 4, 4, 0}},
      {MapType::percpu_hash, {Use::keyed, 4, 12}},
      {MapType::percpu_array, {Use::array, 4, 12}},
      {MapType::stack_trace, {Use::made, 4, 127 * 8}},
      {MapType::cgroup_array, {Use::made, 4, 4}},
      {MapType::lru_hash, {Use::keyed}},
      {MapType::lru_percpu_hash, {Use::keyed}},
      {MapType::lpm_trie, {Use::keyed, 8, 8, 16, BPF_F_NO_PREALLOC}},
      {MapType::array_of_maps, {Use::maps, 4, 4}},
      {MapType::hash_of_maps, {Use::maps, 4, 4}},
      {MapType::devmap, {Use::device, 4, 4}},
      {MapType::sockmap, {Use::sockets, 4, 8}},
      {MapType::cpumap, {Use::device, 4, 4, 1}},
      {MapType::xskmap, {Use::made, 4, 4}},
      {MapType::sockhash, {Use::sockets, 4, 8}},
      {MapType::cgroup_storage, {Use::made, 16, 8, 0}},
      {MapType::reuseport_sockarray, {Use::made, 4, 8}},
      {MapType::percpu_cgroup_storage, {Use::made, 16, 8, 0}},
      {MapType::queue, {Use::sequence, 0}},
      {MapType::stack, {Use::sequence, 0}},
      {MapType::sk_storage, {Use::typed, 4, 8, 0, BPF_F_NO_PREALLOC}},
      {MapType::devmap_hash, {Use::device, 4, 4}},
      {MapType::struct_ops, {Use::typed}},
      {MapType::ringbuf, {Use::rings, 0, 0, 5000}},
      {MapType::inode_storage, {Use::typed, 4, 8, 0, BPF_F_NO_PREALLOC}},
      {MapType::task_storage, {Use::typed, 4, 8, 0, BPF_F_NO_PREALLOC}},
      {MapType::bloom_filter, {Use::bloom, 0}},
      {MapType::user_ringbuf, {Use::rings, 0, 0, 5000}},
      {MapType::cgrp_storage, {Use::typed, 4, 8, 0, BPF_F_NO_PREALLOC}},
      {MapType::arena, {Use::arena, 0, 0, 4, BPF_F_MMAPABLE}},
      {MapType::insn_array, {Use::made, 4, 16, 4}},
      {MapType::rhash, {Use::keyed, 4, 8, 16, BPF_F_NO_PREALLOC}},
  };
  return rows;
}

object::MapSpec spec_of(MapType type, const Case& wanted) {
  object::MapSpec spec;
  spec.name = "test_" + facts::to_string(type);
  spec.type = type;
  spec.key_size = wanted.key_size;
  spec.value_size = wanted.value_size;
  spec.max_entries = wanted.max_entries;
  spec.flags = wanted.flags;
  if (wanted.use == Use::maps) {
    object::MapSpec inner;
    inner.type = MapType::array;
    inner.key_size = 4, inner.value_size = 8, inner.max_entries = 2;
    spec.inner = std::make_shared<const object::MapSpec>(std::move(inner));
  }
  return spec;
}

Result<Map> make(const object::MapSpec& spec) { return create_map(TRY(settle(spec)), {}); }

std::vector<std::byte> filled(std::size_t size, unsigned seed) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(seed + i);
  return bytes;
}

// A key of the map's size that begins with `number`; an LPM trie's begins with its prefix length in bits.
std::vector<std::byte> key_of(const Map& map, std::uint32_t number) {
  std::vector<std::byte> key(map.info().key_size);
  const std::uint32_t words[] = {map.info().type == MapType::lpm_trie ? 32 : number, number};
  std::memcpy(key.data(), words, std::min(key.size(), sizeof words));
  return key;
}

// The bytes of a per-CPU value between one CPU's and the next's are not the map's: compared are those that are.
bool same_value(const Map& map, Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  const std::size_t stride = map.is_per_cpu() ? (map.info().value_size + 7) / 8 * 8 : a.size();
  for (std::size_t at = 0; at < a.size(); at += stride)
    if (std::memcmp(a.data() + at, b.data() + at, map.info().value_size) != 0) return false;
  return true;
}

void use_keyed(const Map& map, bool erasable) {
  const std::uint32_t count = 10;
  for (std::uint32_t i = 0; i < count; ++i) ASSERT_OK(map.update(key_of(map, i), filled(map.value_bytes(), i)));
  for (std::uint32_t i = 0; i < count; ++i) {
    auto value = map.lookup(key_of(map, i));
    ASSERT_OK(value);
    ASSERT_TRUE(value->has_value());
    EXPECT_TRUE(same_value(map, **value, filled(map.value_bytes(), i)));
  }
  std::set<std::vector<std::byte>> seen;
  ASSERT_OK(map.for_each([&](Bytes key, Bytes value) {
    EXPECT_EQ(value.size(), map.value_bytes());
    EXPECT_TRUE(seen.insert({key.begin(), key.end()}).second) << "a key came twice";
    return true;
  }));
  EXPECT_EQ(seen.size(), erasable ? count : map.info().max_entries);
  int visits = 0;
  ASSERT_OK(map.for_each([&](Bytes, Bytes) { return ++visits < 3; }));
  EXPECT_EQ(visits, 3);

  EXPECT_FALSE(map.update(key_of(map, 1), filled(map.value_bytes(), 1), Update::no_exist).has_value());
  auto erased = map.erase(key_of(map, 3));
  if (!erasable) {
    EXPECT_FALSE(erased.has_value());
    return;
  }
  ASSERT_OK(erased);
  EXPECT_TRUE(*erased);
  EXPECT_FALSE(map.erase(key_of(map, 3)).value_or(true));
  EXPECT_FALSE(map.lookup(key_of(map, 3)).value().has_value());
  EXPECT_FALSE(map.update(key_of(map, 3), filled(map.value_bytes(), 1), Update::exist).has_value());
  // The visitor may erase what it is shown.
  ASSERT_OK(map.for_each([&](Bytes key, Bytes) { return map.erase(key).value_or(false); }));
  EXPECT_FALSE(map.next_key({}).value().has_value());
}

void use_sequence(const Map& map) {
  for (unsigned i = 0; i < 3; ++i) ASSERT_OK(map.update({}, filled(8, i)));
  const unsigned first = map.info().type == MapType::queue ? 0 : 2;
  EXPECT_EQ(map.lookup({}).value(), filled(8, first));
  EXPECT_EQ(map.take({}).value(), filled(8, first));
  EXPECT_EQ(map.take({}).value(), filled(8, 1));
  EXPECT_TRUE(map.take({}).value().has_value());
  EXPECT_FALSE(map.take({}).value().has_value());
  EXPECT_EQ(map.for_each([](Bytes, Bytes) { return true; }).error().kind, ErrorKind::unsupported);
}

void use_sockets(const Map& map) {
  // Only connections that are established are taken.
  UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  const auto value = static_cast<std::uint64_t>(client.get());
  ASSERT_OK(map.update(key_of(map, 2), bytes_of(value)));
  auto cookie = map.lookup(key_of(map, 2));
  ASSERT_OK(cookie);
  ASSERT_TRUE(cookie->has_value());
  int found = 0;
  ASSERT_OK(map.for_each([&](Bytes, Bytes) { return ++found, true; }));
  EXPECT_EQ(found, 1);
  EXPECT_TRUE(map.erase(key_of(map, 2)).value());
}

void use_device(const Map& map) {
  // Interface 1 is the loopback; a CPU's value is the length of its queue.
  const std::uint32_t value = map.info().type == MapType::cpumap ? 192 : 1;
  ASSERT_OK(map.update(key_of(map, 0), bytes_of(value)));
  auto there = map.lookup(key_of(map, 0));
  ASSERT_OK(there);
  ASSERT_TRUE(there->has_value());
  EXPECT_EQ(load<std::uint32_t>(**there, 0), value);
  EXPECT_TRUE(map.erase(key_of(map, 0)).value());
  EXPECT_FALSE(map.lookup(key_of(map, 0)).value().has_value());
}

void use_maps(const Map& map) {
  auto inner = make(*spec_of(map.info().type, {Use::maps, 4, 4}).inner);
  ASSERT_OK(inner);
  const auto fd = static_cast<std::uint32_t>(inner->fd());
  ASSERT_OK(map.update(key_of(map, 5), bytes_of(fd)));
  auto id = map.lookup(key_of(map, 5));
  ASSERT_OK(id);
  ASSERT_TRUE(id->has_value());
  EXPECT_EQ(load<std::uint32_t>(**id, 0), inner->info().id);
  int found = 0;
  ASSERT_OK(map.for_each([&](Bytes, Bytes) { return ++found, true; }));
  EXPECT_EQ(found, 1);
  EXPECT_TRUE(map.erase(key_of(map, 5)).value());
}

class EveryMapType : public testing::TestWithParam<MapType> {};

TEST_P(EveryMapType, IsMadeAndUsed) {
  SKIP_WITHOUT_BPF();
  const facts::MapTypeRow* row = facts::find(GetParam());
  ASSERT_TRUE(cases().contains(GetParam())) << "no case here for " << row->name;
  const Case& wanted = cases().at(GetParam());
  if (running_version() < row->since) GTEST_SKIP() << row->name << " needs Linux " << facts::to_string(row->since);
  if (wanted.use == Use::typed) GTEST_SKIP() << row->name << " needs BTF: tests/engine-kernel makes it";
  auto map = make(spec_of(GetParam(), wanted));
  ASSERT_OK(map);
  EXPECT_EQ(map->info().type, GetParam());
  EXPECT_EQ(map->info().name, ("test_" + std::string(row->name)).substr(0, 15));
  EXPECT_EQ(map->is_per_cpu(), row->per_cpu);
  switch (wanted.use) {
    case Use::keyed: use_keyed(*map, true); break;
    case Use::array: use_keyed(*map, false); break;
    case Use::sequence: use_sequence(*map); break;
    case Use::maps: use_maps(*map); break;
    case Use::device: use_device(*map); break;
    case Use::sockets: use_sockets(*map); break;
    case Use::bloom:
      ASSERT_OK(map->update({}, filled(8, 1)));
      EXPECT_TRUE(map->might_contain(filled(8, 1)).value());
      EXPECT_FALSE(map->might_contain(filled(8, 77)).value());
      EXPECT_FALSE(map->lookup({}).has_value());
      break;
    case Use::rings: EXPECT_EQ(map->info().max_entries, 8192U); break;
    case Use::arena: {
      auto memory = map->map_memory(true);
      ASSERT_OK(memory);
      EXPECT_EQ(memory->size(), 4U * static_cast<unsigned>(sysconf(_SC_PAGESIZE)));
      memory->data()[0] = std::byte{7};
      break;
    }
    case Use::programs:
    case Use::made:
    case Use::typed: break;
  }
}

std::vector<MapType> every_type() {
  std::vector<MapType> types;
  for (const facts::MapTypeRow& row : facts::map_types())
    if (row.type != MapType::unspec) types.push_back(row.type);
  return types;
}

INSTANTIATE_TEST_SUITE_P(Types, EveryMapType, testing::ValuesIn(every_type()),
                         [](const auto& info) { return facts::to_string(info.param); });

TEST(Map, RefusesKeysAndValuesOfTheWrongSize) {
  SKIP_WITHOUT_BPF();
  auto map = make(spec_of(MapType::hash, cases().at(MapType::hash)));
  ASSERT_OK(map);
  EXPECT_EQ(map->update(filled(3, 0), filled(8, 0)).error().kind, ErrorKind::invalid_argument);
  EXPECT_EQ(map->update(filled(4, 0), filled(9, 0)).error().kind, ErrorKind::invalid_argument);
  EXPECT_EQ(map->lookup({}).error().kind, ErrorKind::invalid_argument);
  EXPECT_EQ(map->next_key(filled(5, 0)).error().kind, ErrorKind::invalid_argument);
}

TEST(Map, SaysWhenItIsFull) {
  SKIP_WITHOUT_BPF();
  auto spec = spec_of(MapType::hash, cases().at(MapType::hash));
  spec.max_entries = 2;
  auto map = make(spec);
  ASSERT_OK(map);
  for (std::uint32_t i = 0; i < 2; ++i) ASSERT_OK(map->update(bytes_of(i), filled(8, 0)));
  const std::uint32_t third = 3;
  auto full = map->update(bytes_of(third), filled(8, 0));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().kind, ErrorKind::exhausted);
}

// Large enough that batches are several, and buckets hold more than one.
TEST(Map, IteratesOverAllOfALargeHash) {
  SKIP_WITHOUT_BPF();
  auto spec = spec_of(MapType::hash, cases().at(MapType::hash));
  spec.max_entries = 20000;
  auto map = make(spec);
  ASSERT_OK(map);
  for (std::uint32_t i = 0; i < spec.max_entries; ++i) ASSERT_OK(map->update(bytes_of(i), filled(8, i)));
  std::vector<bool> seen(spec.max_entries);
  ASSERT_OK(map->for_each([&](Bytes key, Bytes) { return seen[load<std::uint32_t>(key, 0)] = true; }));
  EXPECT_EQ(std::ranges::count(seen, true), spec.max_entries);
}

TEST(Map, IsFrozenAndMappedForReading) {
  SKIP_WITHOUT_BPF();
  auto spec = spec_of(MapType::array, {Use::array, 4, 100, 1, BPF_F_MMAPABLE});
  auto map = make(spec);
  ASSERT_OK(map);
  const std::uint32_t zero = 0;
  ASSERT_OK(map->update(bytes_of(zero), filled(100, 5)));
  ASSERT_OK(map->freeze());
  EXPECT_EQ(map->update(bytes_of(zero), filled(100, 6)).error().kind, ErrorKind::permission);
  auto memory = map->map_memory(false);
  ASSERT_OK(memory);
  EXPECT_TRUE(std::ranges::equal(memory->bytes().first(100), filled(100, 5)));
  EXPECT_FALSE(map->map_memory(true).has_value());
}

TEST(Map, SaysWhatATypeCannotBe) {
  auto lpm = spec_of(MapType::lpm_trie, {Use::keyed, 8, 8});
  EXPECT_NE(describe(settle(lpm).error()).find("BPF_F_NO_PREALLOC"), std::string::npos);
  auto ring = spec_of(MapType::ringbuf, {Use::rings, 4, 0});
  EXPECT_NE(describe(settle(ring).error()).find("no keys"), std::string::npos);
  auto hash = spec_of(MapType::hash, {Use::keyed, 4, 0});
  EXPECT_NE(describe(settle(hash).error()).find("value"), std::string::npos);
  auto outer = spec_of(MapType::hash_of_maps, {Use::keyed, 4, 4});
  EXPECT_NE(describe(settle(outer).error()).find("inner"), std::string::npos);
}

TEST(MapName, FollowsLibbpf) {
  object::MapSpec spec;
  spec.name = ".rodata";
  spec.origin = object::MapOrigin::rodata;
  EXPECT_EQ(kernel_name(spec, "a_rather_long_object"), "a_rather.rodata");
  spec.name = ".bss";
  spec.origin = object::MapOrigin::bss;
  EXPECT_EQ(kernel_name(spec, "a_rather_long_object"), "a_rather.bss");
  spec.name = ".rodata.str1.1";
  EXPECT_EQ(kernel_name(spec, "probe"), ".rodata.str1.1");
  spec.name = "a_map_with_a_long_name";
  spec.origin = object::MapOrigin::btf;
  EXPECT_EQ(kernel_name(spec, "probe"), "a_map_with_a_lo");
}

TEST(Map, PinnedIsFoundAgainIfItFits) {
  SKIP_WITHOUT_BPF();
  const std::string folder = private_bpffs();
  if (folder.empty()) GTEST_SKIP() << "needs to mount a bpf file system";
  const std::string path = folder + "/pinned";
  const object::MapSpec spec = settle(spec_of(MapType::hash, cases().at(MapType::hash))).value();
  auto first = create_or_reuse_pinned(spec, {}, path);
  ASSERT_OK(first);
  EXPECT_FALSE(first->was_there);
  auto second = create_or_reuse_pinned(spec, {}, path);
  ASSERT_OK(second);
  EXPECT_TRUE(second->was_there);
  EXPECT_EQ(second->map.info().id, first->map.info().id);
  auto other = spec;
  other.max_entries = 17;
  auto third = create_or_reuse_pinned(other, {}, path);
  ASSERT_FALSE(third.has_value());
  EXPECT_NE(describe(third.error()).find("max_entries: the object wants 17, the map has 16"), std::string::npos) << describe(third.error());
}

}  // namespace
}  // namespace espy::kernel
