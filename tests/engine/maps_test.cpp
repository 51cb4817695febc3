// Maps of each type in the kernel and in user space, told the same by bpf(2) and by vm::Map: what can be made, and long random
// sequences of operations. Both must answer alike: the errno, the value, what is there in the end.
#include <linux/bpf.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <set>

#include "base/fd.hpp"
#include "espy/kernel.hpp"
#include "espy/vm.hpp"
#include "facts/tables.hpp"
#include "kernel/test_support.hpp"
#include "vm/cpu.hpp"

namespace espy {
namespace {

using facts::MapType;
using Value = std::vector<std::byte>;

int bpf(int command, bpf_attr& attr) { return ::syscall(SYS_bpf, command, &attr, sizeof attr) < 0 ? -errno : 0; }

struct Shape {
  MapType type{};
  std::uint32_t key = 4, value = 8, entries = 8, flags = 0;
  std::uint64_t extra = 0;
};

std::string text_of(const Shape& shape) {
  return fmt::format("{} key {} value {} entries {} flags {:#x} extra {}", facts::to_string(shape.type), shape.key, shape.value, shape.entries, shape.flags, shape.extra);
}

Result<UniqueFd> make_in_kernel(const Shape& shape) {
  bpf_attr attr{};
  attr.map_type = static_cast<std::uint32_t>(shape.type);
  attr.key_size = shape.key, attr.value_size = shape.value, attr.max_entries = shape.entries, attr.map_flags = shape.flags, attr.map_extra = shape.extra;
  const long fd = ::syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
  if (fd < 0) return fail_sys(errno, "{}", text_of(shape));
  return UniqueFd(static_cast<int>(fd));
}

Result<std::shared_ptr<vm::Map>> make_here(const Shape& shape) {
  object::MapSpec spec;
  spec.name = "m", spec.type = shape.type, spec.key_size = shape.key, spec.value_size = shape.value, spec.max_entries = shape.entries, spec.flags = shape.flags, spec.map_extra = shape.extra;
  return vm::create_map(spec);
}

struct Answer {
  int error = 0;
  Value value = {};
  friend bool operator==(const Answer&, const Answer&) = default;
};
std::string text_of(const Answer& answer) {
  std::string bytes;
  for (std::byte b : answer.value) bytes += fmt::format("{:02x}", static_cast<unsigned>(b));
  return fmt::format("errno {} value {}", answer.error, bytes);
}

struct Operation {
  enum class Kind { lookup, update, remove, next, take } kind{};
  Value key = {}, value = {};
  std::uint64_t flags = 0;
  bool first = false;      // next: of no key
};

class InKernel {
 public:
  InKernel(UniqueFd fd, Shape shape, std::size_t value_bytes) : fd_(std::move(fd)), shape_(shape), value_bytes_(value_bytes) {}
  Answer run(const Operation& operation) const {
    bpf_attr attr{};
    Answer answer;
    attr.map_fd = static_cast<std::uint32_t>(fd_.get());
    attr.flags = operation.flags;
    attr.key = shape_.key == 0 || operation.first ? 0 : reinterpret_cast<std::uint64_t>(operation.key.data());
    switch (operation.kind) {
      case Operation::Kind::update: attr.value = reinterpret_cast<std::uint64_t>(operation.value.data()); answer.error = bpf(BPF_MAP_UPDATE_ELEM, attr); return answer;
      case Operation::Kind::remove: attr.flags = 0; answer.error = bpf(BPF_MAP_DELETE_ELEM, attr); return answer;
      case Operation::Kind::next:
        answer.value.resize(shape_.key);
        attr.flags = 0;
        attr.next_key = reinterpret_cast<std::uint64_t>(answer.value.data());
        answer.error = bpf(BPF_MAP_GET_NEXT_KEY, attr);
        break;
      default:
        answer.value.resize(value_bytes_);
        attr.value = reinterpret_cast<std::uint64_t>(answer.value.data());
        answer.error = bpf(operation.kind == Operation::Kind::take ? BPF_MAP_LOOKUP_AND_DELETE_ELEM : BPF_MAP_LOOKUP_ELEM, attr);
    }
    if (answer.error != 0) answer.value.clear();
    return answer;
  }

 private:
  UniqueFd fd_;
  Shape shape_;
  std::size_t value_bytes_;
};

template <typename T>
Answer answer_of(const Result<T>& result) {
  if (!result) return {.error = result.error().sys == 0 ? -1000 : -result.error().sys};
  if constexpr (std::is_same_v<T, std::optional<Value>>) return *result ? Answer{.value = **result} : Answer{.error = -ENOENT};
  else if constexpr (std::is_same_v<T, bool>) return {.error = *result ? 0 : -ENOENT};
  else return {};
}

Answer run_here(vm::Map& map, const Operation& operation) {
  const Bytes key = operation.first ? Bytes() : Bytes(operation.key);
  switch (operation.kind) {
    case Operation::Kind::lookup: return answer_of(map.read(key, operation.flags));
    case Operation::Kind::update: return answer_of(map.write(key, operation.value, operation.flags));
    case Operation::Kind::remove: return answer_of(map.remove(key));
    case Operation::Kind::next: return answer_of(map.next_key(key));
    case Operation::Kind::take: return answer_of(map.take(key));
  }
  return {};
}

struct Game {
  const char* name;
  Shape shape;
  std::uint32_t keys = 12;              // that are drawn from
  bool ordered = true;                  // the order of keys is promised
  bool interfaces = false;              // values are interfaces
  std::uint32_t most_value = UINT32_MAX;
};
constexpr std::uint32_t kNoPrealloc = 1, kLock = 4;
constexpr Game kGames[] = {
    {"array", {MapType::array}},
    {"array_of_odd_values", {MapType::array, 4, 13, 5}},
    {"percpu_array", {MapType::percpu_array}},
    {"percpu_array_of_odd_values", {MapType::percpu_array, 4, 3, 5}},
    {"hash", {MapType::hash}, 12, false},
    {"hash_without_preallocation", {MapType::hash, 4, 8, 8, kNoPrealloc}, 12, false},
    {"hash_of_long_keys", {MapType::hash, 20, 33, 6}, 12, false},
    {"percpu_hash", {MapType::percpu_hash}, 12, false},
    {"percpu_hash_of_odd_values", {MapType::percpu_hash, 8, 12, 6}, 12, false},
    {"lru_hash", {MapType::lru_hash, 4, 8, 512}, 12, false},
    {"lru_percpu_hash", {MapType::lru_percpu_hash, 4, 8, 512}, 12, false},
    {"queue", {MapType::queue, 0, 8, 4}},
    {"stack", {MapType::stack, 0, 12, 4}},
    {"devmap", {MapType::devmap, 4, 4, 8}, 12, true, true},
    {"devmap_with_programs", {MapType::devmap, 4, 8, 8}, 12, true, true},
    {"devmap_hash", {MapType::devmap_hash, 4, 8, 4}, 12, false, true},
    {"cpumap", {MapType::cpumap, 4, 4, 8}, 12, true, false, 20000},
    {"stack_trace", {MapType::stack_trace, 4, 32, 8}},
};

class MapGame : public testing::TestWithParam<Game> {};

Value random_bytes(std::mt19937_64& random, std::size_t size) {
  Value bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

Value key_of(std::uint32_t number, std::uint32_t size) {
  Value key(size);
  for (std::uint32_t i = 0; i < size; i += 4) std::memcpy(key.data() + i, &number, std::min<std::size_t>(4, size - i));
  return key;
}

Value value_for(std::mt19937_64& random, const Game& game, std::size_t bytes) {
  if (game.interfaces) {
    Value value(bytes);
    const std::uint32_t interface = random() % 4 == 0 ? 0 : random() % 5 == 0 ? 0x7fff0000 : 1;
    std::memcpy(value.data(), &interface, 4);
    return value;
  }
  if (game.most_value != UINT32_MAX) {
    Value value(bytes);
    const auto number = static_cast<std::uint32_t>(random() % game.most_value);
    std::memcpy(value.data(), &number, 4);
    return value;
  }
  return random_bytes(random, bytes);
}

Operation random_operation(std::mt19937_64& random, const Game& game, std::size_t value_bytes) {
  using Kind = Operation::Kind;
  constexpr Kind kKinds[] = {Kind::lookup, Kind::lookup, Kind::update, Kind::update, Kind::update, Kind::remove, Kind::next, Kind::take};
  Operation operation{.kind = kKinds[random() % std::size(kKinds)]};
  operation.key = key_of(static_cast<std::uint32_t>(random() % game.keys), game.shape.key);
  if (operation.kind == Kind::update) {
    operation.value = value_for(random, game, value_bytes);
    constexpr std::uint64_t kFlags[] = {0, 0, 0, 1, 2, 3, kLock};
    operation.flags = kFlags[random() % std::size(kFlags)];
  }
  operation.first = operation.kind == Kind::next && random() % 4 == 0;
  return operation;
}

/// What both tell of the keys that there are, whatever the order.
std::set<Value> keys_of(const auto& run) {
  std::set<Value> keys;
  Operation operation{.kind = Operation::Kind::next, .first = true};
  for (Answer answer = run(operation); answer.error == 0 && keys.size() < 1000; answer = run(operation)) {
    keys.insert(answer.value);
    operation.key = answer.value, operation.first = false;
  }
  return keys;
}

TEST_P(MapGame, BothAnswerAlike) {
  SKIP_WITHOUT_BPF();
  const Game& game = GetParam();
  auto fd = make_in_kernel(game.shape);
  ASSERT_OK(fd);
  auto map = make_here(game.shape);
  ASSERT_OK(map);
  const std::size_t value_bytes = (*map)->value_bytes();
  const InKernel kernel(std::move(*fd), game.shape, value_bytes);
  std::mt19937_64 random(7);
  for (unsigned step = 0; step < 3000; ++step) {
    const Operation operation = random_operation(random, game, value_bytes);
    const Answer theirs = kernel.run(operation), ours = run_here(**map, operation);
    const bool key_only = operation.kind == Operation::Kind::next && !game.ordered;
    if (key_only) {
      // Which key comes next is not promised; in the end all must have come.
      if (step % 100 != 0) continue;
      ASSERT_EQ(keys_of([&](const Operation& o) { return kernel.run(o); }), keys_of([&](const Operation& o) { return run_here(**map, o); })) << "step " << step;
      continue;
    }
    ASSERT_EQ(theirs, ours) << "step " << step << ": operation " << static_cast<int>(operation.kind) << ", key " << text_of({.value = operation.key}) << ", flags " << operation.flags
                            << "\n  kernel: " << text_of(theirs) << "\n  here:   " << text_of(ours);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MapGame, testing::ValuesIn(kGames), [](const auto& info) { return std::string(info.param.name); });

// Prefixes of few bits, so that they are often in each other.
TEST(LpmTrie, BothAnswerAlike) {
  SKIP_WITHOUT_BPF();
  const Shape shape{MapType::lpm_trie, 8, 8, 6, kNoPrealloc};
  auto fd = make_in_kernel(shape);
  ASSERT_OK(fd);
  auto map = make_here(shape);
  ASSERT_OK(map);
  const InKernel kernel(std::move(*fd), shape, 8);
  std::mt19937_64 random(11);
  for (unsigned step = 0; step < 4000; ++step) {
    Operation operation = random_operation(random, {"", shape}, 8);
    if (operation.kind == Operation::Kind::take) continue;   // neither has it
    const std::uint32_t bits[] = {0, 1, 2, 3, 8, 9, 31, 32, 33};
    const std::uint32_t prefix = bits[random() % std::size(bits)], address = static_cast<std::uint32_t>(random()) & 0x030000e0;
    std::memcpy(operation.key.data(), &prefix, 4), std::memcpy(operation.key.data() + 4, &address, 4);
    if (operation.kind == Operation::Kind::next) continue;   // the kernel's order depends on its inner nodes
    const Answer theirs = kernel.run(operation), ours = run_here(**map, operation);
    ASSERT_EQ(theirs, ours) << "step " << step << ": operation " << static_cast<int>(operation.kind) << ", prefix " << prefix << " of " << address << ", flags " << operation.flags
                            << "\n  kernel: " << text_of(theirs) << "\n  here:   " << text_of(ours);
  }
}

// What can be made. Where memory decides, they may differ.
TEST(MapCreation, BothMakeTheSame) {
  SKIP_WITHOUT_BPF();
  constexpr MapType kTypes[] = {MapType::hash, MapType::array, MapType::percpu_hash, MapType::percpu_array, MapType::lru_hash, MapType::lru_percpu_hash, MapType::lpm_trie,
                                MapType::queue, MapType::stack, MapType::bloom_filter, MapType::ringbuf, MapType::user_ringbuf, MapType::devmap, MapType::devmap_hash,
                                MapType::cpumap, MapType::xskmap, MapType::perf_event_array, MapType::stack_trace, MapType::prog_array};
  for (MapType type : kTypes) {
    for (std::uint32_t key : {0U, 4U, 5U, 8U, 16U}) {
      for (std::uint32_t value : {0U, 4U, 8U, 9U, 24U}) {
        for (std::uint32_t entries : {0U, 1U, 100U, 4096U}) {
          for (std::uint32_t flags : {0U, 1U, 2U, 8U, 16U, 24U, 1U << 6, 1U << 7, 1U << 8, 3U << 7, 1U << 9, 1U << 10, 1U << 12, 1U << 25}) {
            const Shape shape{type, key, value, entries, flags, 0};
            const auto theirs = make_in_kernel(shape);
            const auto ours = make_here(shape);
            EXPECT_EQ(theirs.has_value(), ours.has_value()) << text_of(shape) << "\n  kernel: " << (theirs ? "made" : describe(theirs.error())) << "\n  here: "
                                                            << (ours ? "made" : describe(ours.error()));
            if (theirs.has_value() != ours.has_value() && testing::Test::HasFailure()) {
              static int shown = 0;
              if (++shown > 20) FAIL() << "and more";
            }
          }
        }
      }
    }
  }
}

TEST(FrozenMaps, BothRefuseWritesAndFreezingAgain) {
  SKIP_WITHOUT_BPF();
  const Shape shape{MapType::array};
  auto fd = make_in_kernel(shape);
  ASSERT_OK(fd);
  auto map = make_here(shape);
  ASSERT_OK(map);
  bpf_attr attr{};
  attr.map_fd = static_cast<std::uint32_t>(fd->get());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(bpf(BPF_MAP_FREEZE, attr), answer_of((*map)->freeze()).error);
  const InKernel kernel(std::move(*fd), shape, 8);
  for (auto kind : {Operation::Kind::update, Operation::Kind::remove, Operation::Kind::lookup}) {
    const Operation operation{.kind = kind, .key = Value(4), .value = Value(8)};
    EXPECT_EQ(kernel.run(operation), run_here(**map, operation));
  }
}

TEST(AccessFlags, BothKeepToThem) {
  SKIP_WITHOUT_BPF();
  for (std::uint32_t flags : {8U, 16U, 1U << 7, 1U << 8}) {
    const Shape shape{MapType::hash, 4, 8, 8, flags};
    auto fd = make_in_kernel(shape);
    ASSERT_OK(fd);
    auto map = make_here(shape);
    ASSERT_OK(map);
    const InKernel kernel(std::move(*fd), shape, 8);
    for (auto kind : {Operation::Kind::update, Operation::Kind::lookup, Operation::Kind::next, Operation::Kind::take, Operation::Kind::remove}) {
      const Operation operation{.kind = kind, .key = Value(4), .value = Value(8), .first = kind == Operation::Kind::next};
      EXPECT_EQ(kernel.run(operation), run_here(**map, operation)) << "flags " << flags << ", operation " << static_cast<int>(kind);
    }
  }
}

TEST(LruMaps, NeverHoldMoreAndKeepWhatIsUsed) {
  SKIP_WITHOUT_BPF();
  const Shape shape{MapType::lru_hash, 4, 8, 64};
  auto fd = make_in_kernel(shape);
  ASSERT_OK(fd);
  auto map = make_here(shape);
  ASSERT_OK(map);
  const InKernel kernel(std::move(*fd), shape, 8);
  const auto both = [&](const Operation& operation) { return std::pair(kernel.run(operation).error, run_here(**map, operation).error); };
  for (std::uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(both({.kind = Operation::Kind::update, .key = key_of(i, 4), .value = Value(8)}), std::pair(0, 0));
    EXPECT_EQ(both({.kind = Operation::Kind::lookup, .key = key_of(i, 4)}), std::pair(0, 0)) << "the newest is there";
  }
  EXPECT_LE(keys_of([&](const Operation& o) { return kernel.run(o); }).size(), 64U);
  EXPECT_LE(keys_of([&](const Operation& o) { return run_here(**map, o); }).size(), 64U);
}

}  // namespace
}  // namespace espy
