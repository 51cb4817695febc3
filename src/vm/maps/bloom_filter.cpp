// bloom_filter: says of a value that it was never put in, or that it probably was.
#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

class BloomFilter final : public Map {
 public:
  BloomFilter(MapAttributes attributes, MappedRegion words, std::uint64_t bits, std::uint32_t hashes)
      : Map(std::move(attributes)), memory_(std::move(words)), mask_(bits - 1), hashes_(hashes), seed_(map_seed(attributes_)) {}

  std::vector<Region> regions() const override { return {}; }   // values are only asked for

  long push(const void* value, std::uint64_t flags) override {
    if (flags != kAny) return -EINVAL;
    for (std::uint32_t i = 0; i < hashes_; ++i) {
      const std::uint64_t bit = bit_of(value, i);
      word(bit).fetch_or(std::uint64_t{1} << bit % 64, std::memory_order_relaxed);
    }
    return 0;
  }

  long peek(void* value) override {
    for (std::uint32_t i = 0; i < hashes_; ++i) {
      const std::uint64_t bit = bit_of(value, i);
      if ((word(bit).load(std::memory_order_relaxed) >> bit % 64 & 1) == 0) return -ENOENT;
    }
    return 0;
  }

  long update(const void*, const void* value, std::uint64_t flags) override { return push(value, flags); }

 private:
  std::atomic_ref<std::uint64_t> word(std::uint64_t bit) const { return std::atomic_ref(reinterpret_cast<std::uint64_t*>(memory_.data())[bit / 64]); }
  std::uint64_t bit_of(const void* value, std::uint32_t number) const {
    std::uint64_t state = (seed_ + number) * 0x9e3779b97f4a7c15;
    const auto* bytes = static_cast<const std::uint8_t*>(value);
    for (std::uint32_t at = 0; at < attributes_.value_size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min<std::uint32_t>(8, attributes_.value_size - at));
      state = (state ^ word) * 0xd6e8feb86659fd93;
      state ^= state >> 32;
    }
    return state & mask_;
  }

  MappedRegion memory_;
  std::uint64_t mask_;
  std::uint32_t hashes_;
  std::uint64_t seed_;
};

}  // namespace

// As many bits as the kernel gives: hashes / ln 2 for each entry, as a power of two.
Result<std::shared_ptr<Map>> make_bloom_filter(MapAttributes attributes) {
  constexpr std::uint64_t kMostBits = std::uint64_t{1} << 32;
  if (attributes.key_size != 0 || attributes.value_size == 0) return bad_map(attributes, "it has values and no keys");
  if (attributes.max_entries == 0 || attributes.value_size > 1U << 20) return bad_map(attributes, "it has no room, or values too large");
  if (attributes.extra > 15) return bad_map(attributes, fmt::format("{} hash functions are more than 15", attributes.extra));
  const std::uint32_t hashes = attributes.extra == 0 ? 5 : static_cast<std::uint32_t>(attributes.extra);
  const std::uint64_t bits = std::clamp<std::uint64_t>(std::bit_ceil(std::uint64_t{attributes.max_entries} * hashes * 7 / 5), 64, kMostBits);
  MappedRegion words = TRY(map_memory(attributes, bits / 8));
  return std::make_shared<BloomFilter>(std::move(attributes), std::move(words), bits, hashes);
}

}  // namespace espy::vm
