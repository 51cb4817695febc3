#include "vm/maps/stack_traces.hpp"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kMostFrames = 127;   // kernel.perf_event_max_stack

std::uint32_t hash_of(std::span<const std::uint64_t> chain) {
  std::uint64_t state = chain.size();
  for (std::uint64_t address : chain) state = (std::rotl(state, 23) ^ address) * 0x9e3779b97f4a7c15;
  return static_cast<std::uint32_t>(state >> 32);
}

}  // namespace

long StackTraces::put(std::span<const std::uint64_t> chain, bool hash_will_do, bool replace) {
  const std::uint32_t hash = hash_of(chain), id = hash & static_cast<std::uint32_t>(slots_.size() - 1);
  std::scoped_lock lock(mutex_);
  Slot& slot = slots_[id];
  if (slot.used && slot.hash == hash) {
    if (hash_will_do) return id;
    if (slot.frames == chain.size() && std::memcmp(frames_of(id), chain.data(), chain.size_bytes()) == 0) return id;
  }
  if (slot.used && !replace) return -EEXIST;
  if (!slot.used && used_ == attributes_.max_entries) return -ENOMEM;
  used_ += slot.used ? 0 : 1;
  slot = {.used = true, .hash = hash, .frames = static_cast<std::uint32_t>(chain.size())};
  std::memcpy(frames_of(id), chain.data(), chain.size_bytes());
  return id;
}

long StackTraces::erase(const void* key) {
  std::uint32_t id;
  std::memcpy(&id, key, sizeof id);
  if (id >= slots_.size()) return -E2BIG;
  std::scoped_lock lock(mutex_);
  if (!slots_[id].used) return -ENOENT;
  slots_[id] = {};
  --used_;
  return 0;
}

long StackTraces::read_into(const void* key, std::byte* value) {
  std::uint32_t id;
  std::memcpy(&id, key, sizeof id);
  std::scoped_lock lock(mutex_);
  if (id >= slots_.size() || !slots_[id].used) return -ENOENT;
  const std::size_t bytes = slots_[id].frames * sizeof(std::uint64_t);
  std::memcpy(value, frames_of(id), bytes);
  std::memset(value + bytes, 0, attributes_.value_size - bytes);
  return 0;
}

long StackTraces::next(const void* key, void* next_key) {
  std::scoped_lock lock(mutex_);
  std::uint32_t id = 0;
  if (key != nullptr) {
    std::memcpy(&id, key, sizeof id);
    id = id >= slots_.size() || !slots_[id].used ? 0 : id + 1;
  }
  while (id < slots_.size() && !slots_[id].used) ++id;
  if (id >= slots_.size()) return -ENOENT;
  return std::memcpy(next_key, &id, sizeof id), 0;
}

Result<std::shared_ptr<Map>> make_stack_traces(MapAttributes attributes) {
  constexpr std::uint32_t kBuildId = 1U << 5;   // BPF_F_STACK_BUILD_ID
  if ((attributes.flags & kBuildId) != 0) return bad_map(attributes, "build ids instead of addresses are the kernel's to find");
  if (attributes.key_size != 4 || attributes.value_size < 8 || attributes.value_size % 8 != 0) return bad_map(attributes, "keys are 4 bytes, values addresses of 8");
  if (attributes.value_size / 8 > kMostFrames) return bad_map(attributes, fmt::format("more than {} frames", kMostFrames));
  if (attributes.max_entries == 0 || attributes.max_entries > 1U << 24) return bad_map(attributes, fmt::format("{} chains", attributes.max_entries));
  const std::uint32_t slots = std::bit_ceil(attributes.max_entries);
  MappedRegion chains = TRY(map_memory(attributes, std::uint64_t{slots} * attributes.value_size));
  return std::make_shared<StackTraces>(std::move(attributes), std::move(chains), slots);
}

}  // namespace espy::vm
