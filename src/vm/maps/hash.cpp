#include "vm/maps/hash.hpp"

#include <cerrno>

#include "vm/cpu.hpp"
#include "vm/maps/hash_inline.hpp"
#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {

Hash::Hash(MapAttributes attributes, MappedRegion memory)
    : Map(std::move(attributes)), memory_(std::move(memory)), mask_(bucket_count(attributes_) - 1), stripe_mask_(stripe_count(attributes_) - 1), per_cpu_(per_cpu(attributes_)),
      lru_(attributes_.type == facts::MapType::lru_hash || attributes_.type == facts::MapType::lru_percpu_hash), key_bytes_(rounded(attributes_.key_size)),
      value_stride_(rounded(attributes_.value_size)), element_bytes_(element_size(attributes_)), seed_(map_seed(attributes_)) {
  std::byte* at = memory_.data();
  state_ = reinterpret_cast<State*>(at);
  stripes_ = reinterpret_cast<Stripe*>(at += sizeof(State));
  heads_ = reinterpret_cast<std::atomic<std::uint32_t>*>(at += sizeof(Stripe) * (std::size_t{stripe_mask_} + 1));
  elements_ = at + rounded(sizeof(std::uint32_t) * (std::size_t{mask_} + 1));
}

bool Hash::per_cpu(const MapAttributes& attributes) {
  return attributes.type == facts::MapType::percpu_hash || attributes.type == facts::MapType::lru_percpu_hash;
}

// Two threads seldom want the same of so many.
std::uint32_t Hash::stripe_count(const MapAttributes& attributes) { return std::min(bucket_count(attributes), std::bit_ceil(std::clamp(cpu_count() * 16, 64U, 1024U))); }

std::uint64_t Hash::element_size(const MapAttributes& attributes) {
  return sizeof(Element) + rounded(attributes.key_size) + std::uint64_t{rounded(attributes.value_size)} * (per_cpu(attributes) ? cpu_count() : 1);
}

std::uint64_t Hash::memory_bytes(const MapAttributes& attributes) {
  const std::uint64_t elements = std::uint64_t{attributes.max_entries} + stripe_count(attributes);
  return sizeof(State) + sizeof(Stripe) * std::uint64_t{stripe_count(attributes)} + rounded(sizeof(std::uint32_t) * std::size_t{bucket_count(attributes)}) + elements * element_size(attributes);
}

std::vector<Region> Hash::regions() const {
  // The values, in each element behind header and key; a per-CPU element's values are told apart by nothing but the stride.
  const auto begin = reinterpret_cast<std::uintptr_t>(elements_) + sizeof(Element) + key_bytes_;
  const std::uint64_t count = std::uint64_t{attributes_.max_entries} + stripe_mask_ + 1, before = sizeof(Element) + key_bytes_;
  return {{.begin = begin, .end = begin + count * element_bytes_ - before, .stride = static_cast<std::uint32_t>(element_bytes_), .object = static_cast<std::uint32_t>(element_bytes_ - before),
           .writable = !attributes_.read_only_for_programs, .what = attributes_.name}};
}

void Hash::read_key(const Element& e, void* key) const {
  for (std::size_t at = 0; at < attributes_.key_size; at += 8) {
    const std::uint64_t word = shared_word(e.bytes() + at).load(std::memory_order_relaxed);
    std::memcpy(static_cast<std::byte*>(key) + at, &word, std::min<std::size_t>(8, attributes_.key_size - at));
  }
}

template <unsigned kKeyBytes>
std::uint64_t Hash::direct(std::uint64_t map, std::uint64_t key) {
  const Hash& self = *reinterpret_cast<const Hash*>(map);
  const void* wanted = reinterpret_cast<const void*>(key);
  Element* found = self.find<kKeyBytes>(wanted, self.hash_of<kKeyBytes>(wanted));
  if (found == nullptr) return 0;
  if (self.lru_ && found->looked_up.load(std::memory_order_relaxed) == 0) found->looked_up.store(1, std::memory_order_relaxed);
  return reinterpret_cast<std::uint64_t>(self.value_of(*found, self.per_cpu_ ? current_cpu() : 0));
}

Map::DirectLookup Hash::direct_lookup() const {
  return by_key_size([]<unsigned kKeyBytes>() { return static_cast<DirectLookup>(&Hash::direct<kKeyBytes>); });
}

void* Hash::lookup(const void* key) {
  return reinterpret_cast<void*>(by_key_size([&]<unsigned kKeyBytes>() { return direct<kKeyBytes>(reinterpret_cast<std::uint64_t>(this), reinterpret_cast<std::uint64_t>(key)); }));
}

void* Hash::lookup_percpu(const void* key, unsigned cpu) {
  if (!per_cpu_ || cpu >= cpu_count()) return nullptr;
  Element* found = find<0>(key, by_key_size([&]<unsigned kKeyBytes>() { return hash_of<kKeyBytes>(key); }));
  return found == nullptr ? nullptr : value_of(*found, cpu);
}

// The element may become another's while it is copied, or the key's again with another value: it is one value if it still is the
// key's afterwards, and nothing was written in between.
long Hash::read_into(const void* key, std::byte* value) {
  if (per_cpu_ || !attributes_.fields.empty()) return Map::read_into(key, value);
  const Stripe& stripe = stripe_of(by_key_size([&]<unsigned kKeyBytes>() { return hash_of<kKeyBytes>(key); }) & mask_);
  for (unsigned turns = 0;; ++turns) {
    const std::uint32_t version = stripe.version.load(std::memory_order_acquire);
    const auto* found = static_cast<const std::byte*>(lookup(key));
    if (found == nullptr) return -ENOENT;
    load_words(value, found, attributes_.value_size);
    if ((version & 1) == 0 && lookup(key) == found && stripe.version.load(std::memory_order_relaxed) == version) return 0;
    relax_after(turns);
  }
}

long Hash::for_each(const std::function<long(const void*, void*)>& visit) {
  long visited = 0;
  std::vector<std::byte> key(attributes_.key_size);
  for (std::uint32_t b = 0; b <= mask_; ++b) {
    for (std::uint32_t i = first_of(b); (i & kEnd) == 0;) {
      Element& e = element(i);
      i = e.next.load(std::memory_order_acquire);   // before the visitor may delete it
      ++visited;
      read_key(e, key.data());
      if (visit(key.data(), value_of(e, per_cpu_ ? current_cpu() : 0)) != 0) return visited;
    }
  }
  return visited;
}

bool Hash::key_of(const void* value, void* key) const {
  const std::uint64_t distance = static_cast<std::uint64_t>(static_cast<const std::byte*>(value) - elements_), number = distance / element_bytes_;
  if (number > attributes_.max_entries + std::uint64_t{stripe_mask_}) return false;
  return read_key(element(static_cast<std::uint32_t>(number)), key), true;
}

// A key that is gone begins again at the first, as in the kernel.
long Hash::next(const void* key, void* next_key) {
  std::uint32_t bucket = 0;
  if (key != nullptr) {
    const std::uint32_t hash = by_key_size([&]<unsigned kKeyBytes>() { return hash_of<kKeyBytes>(key); });
    if (Element* here = by_key_size([&]<unsigned kKeyBytes>() { return find<kKeyBytes>(key, hash); }); here != nullptr) {
      const std::uint32_t after = here->next.load(std::memory_order_acquire);
      if ((after & kEnd) == 0) return read_key(element(after), next_key), 0;
      bucket = (hash & mask_) + 1;
    }
  }
  for (; bucket <= mask_; ++bucket) {
    const std::uint32_t first = first_of(bucket);
    if ((first & kEnd) == 0) return read_key(element(first), next_key), 0;
  }
  return -ENOENT;
}

Result<std::shared_ptr<Map>> make_hash(MapAttributes attributes) {
  constexpr std::uint32_t kMostKeyBytes = 1 << 16, kMostValueBytes = 1 << 28;
  if (attributes.key_size == 0 || attributes.key_size > kMostKeyBytes) return bad_map(attributes, fmt::format("keys of {} bytes", attributes.key_size));
  if (attributes.value_size == 0 || attributes.value_size > kMostValueBytes) return bad_map(attributes, fmt::format("values of {} bytes", attributes.value_size));
  if (attributes.max_entries == 0 || attributes.max_entries >= 1U << 30) return bad_map(attributes, fmt::format("{} entries", attributes.max_entries));
  MappedRegion memory = TRY(map_memory(attributes, Hash::memory_bytes(attributes)));
  return std::make_shared<Hash>(std::move(attributes), std::move(memory));
}

}  // namespace espy::vm
