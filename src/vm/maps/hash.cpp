// hash, percpu_hash, lru_hash and lru_percpu_hash.
//
// Elements stand in one array, made in advance, and refer to each other by number; each bucket heads a list of them.
//   - Lookups take no lock. They walk a list that writers change under them: a list ends in a marker with its bucket's number,
//     so a reader that was carried into another list by an element that moved sees a foreign marker at its end, and begins
//     again. (The idea is that of the kernel's hlist_nulls.)
//   - Writers lock one bucket. Replacing a value puts a new element in front of the old one, which then goes: readers see the
//     old value or the new one, never a mixture. The spare element for that is one for each CPU.
//   - Where a full map makes room for a new key (LRU), a hand goes round over all elements: one that was looked up since it
//     last came by is spared once, the first other goes. (The kernel's order is an approximation, too.)
//   - Free elements form a stack whose head counts its changes, so that it can be popped without a lock.
#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "base/fd.hpp"
#include "vm/cpu.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kEnd = 0x80000000;   // with a bucket's number: the end of its list

struct Bucket {
  std::atomic<std::uint32_t> head;
  std::atomic<std::uint32_t> lock;
};

struct Element {
  std::atomic<std::uint32_t> next;
  std::uint32_t hash;
  std::atomic<std::uint32_t> used;         // LRU: it is in a list
  std::atomic<std::uint32_t> looked_up;    // LRU: since the hand came by
  std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
};

// The high half of a 128-bit product mixes all bits of both factors.
__extension__ using Wide = unsigned __int128;
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

class Hash final : public Map {
 public:
  Hash(MapAttributes attributes, MappedRegion memory, std::uint32_t buckets)
      : Map(std::move(attributes)), memory_(std::move(memory)), mask_(buckets - 1), per_cpu_(per_cpu(attributes_)),
        lru_(attributes_.type == facts::MapType::lru_hash || attributes_.type == facts::MapType::lru_percpu_hash) {
    key_bytes_ = rounded(attributes_.key_size);
    value_stride_ = rounded(attributes_.value_size);
    element_bytes_ = element_size(attributes_, per_cpu_);
    buckets_ = reinterpret_cast<Bucket*>(memory_.data());
    elements_ = memory_.data() + std::size_t{buckets} * sizeof(Bucket);
    for (std::uint32_t i = 0; i < buckets; ++i) buckets_[i].head.store(kEnd | i, std::memory_order_relaxed);
    spares_ = std::make_unique<std::atomic<std::uint32_t>[]>(cpu_count());
    for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) spares_[cpu] = attributes_.max_entries + cpu;
    for (std::uint32_t i = 0; i < attributes_.max_entries; ++i) element(i).next.store(i + 1 < attributes_.max_entries ? i + 1 : kEnd, std::memory_order_relaxed);
    std::random_device random;
    seed_ = (std::uint64_t{random()} << 32 | random()) | 1;
  }

  static bool per_cpu(const MapAttributes& attributes) {
    return attributes.type == facts::MapType::percpu_hash || attributes.type == facts::MapType::lru_percpu_hash;
  }
  static std::size_t element_size(const MapAttributes& attributes, bool per_cpu) {
    return sizeof(Element) + rounded(attributes.key_size) + rounded(attributes.value_size) * (per_cpu ? cpu_count() : 1);
  }

  bool is_per_cpu() const override { return per_cpu_; }

  std::vector<Region> regions() const override {
    // The values, in each element behind header and key; a per-CPU element's values are told apart by nothing but the stride.
    auto begin = reinterpret_cast<std::uintptr_t>(elements_) + sizeof(Element) + key_bytes_;
    std::size_t count = attributes_.max_entries + cpu_count();
    return {{.begin = begin, .end = begin + count * element_bytes_ - sizeof(Element) - key_bytes_, .stride = static_cast<std::uint32_t>(element_bytes_),
             .object = static_cast<std::uint32_t>(element_bytes_ - sizeof(Element) - key_bytes_),
             .writable = !attributes_.read_only_for_programs, .what = attributes_.name}};
  }

  void* lookup(const void* key) override {
    Element* found = find(key, hash_of(key));
    return found == nullptr ? nullptr : value_of(*found, per_cpu_ ? current_cpu() : 0);
  }

  void* lookup_percpu(const void* key, unsigned cpu) override {
    Element* found = per_cpu_ && cpu < cpu_count() ? find(key, hash_of(key)) : nullptr;
    return found == nullptr ? nullptr : value_of(*found, cpu);
  }

  long update(const void* key, const void* value, std::uint64_t flags) override {
    if (!per_cpu_) return put(key, flags, true, [&](Element& e) { std::memcpy(value_of(e, 0), value, attributes_.value_size); });
    if (flags > kExist) return -EINVAL;
    const unsigned mine = current_cpu();
    std::uint32_t hash = hash_of(key);
    if (Element* found = find(key, hash); found != nullptr && flags != kNoExist) {   // others' values stay
      std::memcpy(value_of(*found, mine), value, attributes_.value_size);
      return 0;
    }
    return put(key, flags, false, [&](Element& e) {
      std::memset(value_of(e, 0), 0, value_stride_ * cpu_count());
      std::memcpy(value_of(e, mine), value, attributes_.value_size);
    });
  }

  long erase(const void* key) override {
    std::uint32_t hash = hash_of(key);
    Bucket& bucket = buckets_[hash & mask_];
    lock(bucket);
    std::atomic<std::uint32_t>* link = link_to(bucket, key, hash);
    std::uint32_t gone = link == nullptr ? kEnd : link->load(std::memory_order_relaxed);
    if (link != nullptr) link->store(element(gone).next.load(std::memory_order_relaxed), std::memory_order_release);
    unlock(bucket);
    if (link == nullptr) return -ENOENT;
    release(gone);
    return 0;
  }

  long for_each(const std::function<long(const void*, void*)>& visit) override {
    long visited = 0;
    for (std::uint32_t b = 0; b <= mask_; ++b) {
      for (std::uint32_t i = buckets_[b].head.load(std::memory_order_acquire); (i & kEnd) == 0;) {
        Element& e = element(i);
        i = e.next.load(std::memory_order_acquire);   // before the visitor may delete it
        ++visited;
        if (visit(e.bytes(), value_of(e, per_cpu_ ? current_cpu() : 0)) != 0) return visited;
      }
    }
    return visited;
  }

 protected:
  long update_all_cpus(const void* key, const std::byte* values, std::uint64_t flags) override {
    auto fill = [&](Element& e) {
      for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) std::memcpy(value_of(e, cpu), values + cpu * value_stride_, attributes_.value_size);
    };
    if (Element* found = find(key, hash_of(key)); found != nullptr && flags != kNoExist) return fill(*found), 0;
    return put(key, flags, false, fill);
  }

  long next(const void* key, void* next_key) override {
    std::uint32_t bucket = 0;
    if (key != nullptr) {
      std::uint32_t hash = hash_of(key);
      if (Element* here = find(key, hash); here != nullptr) {
        std::uint32_t after = here->next.load(std::memory_order_acquire);
        if ((after & kEnd) == 0) return std::memcpy(next_key, element(after).bytes(), attributes_.key_size), 0;
        bucket = (hash & mask_) + 1;
      }
    }
    for (; bucket <= mask_; ++bucket) {
      std::uint32_t first = buckets_[bucket].head.load(std::memory_order_acquire);
      if ((first & kEnd) == 0) return std::memcpy(next_key, element(first).bytes(), attributes_.key_size), 0;
    }
    return -ENOENT;
  }

 private:
  Element& element(std::uint32_t index) const { return *reinterpret_cast<Element*>(elements_ + index * element_bytes_); }
  std::byte* value_of(Element& e, unsigned cpu) const { return e.bytes() + key_bytes_ + cpu * value_stride_; }

  std::uint32_t hash_of(const void* key) const {
    const auto* bytes = static_cast<const std::byte*>(key);
    std::uint32_t left = attributes_.key_size;
    std::uint64_t state = seed_;
    for (; left >= 8; left -= 8, bytes += 8) {
      std::uint64_t word;
      std::memcpy(&word, bytes, 8);
      state = mix(state ^ word, 0x9e3779b97f4a7c15);
    }
    if (left != 0) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes, left);
      state = mix(state ^ word, 0xd6e8feb86659fd93);
    }
    return static_cast<std::uint32_t>(state);
  }

  bool same(Element& e, const void* key, std::uint32_t hash) const {
    return e.hash == hash && std::memcmp(e.bytes(), key, attributes_.key_size) == 0;
  }

  Element* find(const void* key, std::uint32_t hash) const {
    const std::uint32_t number = hash & mask_;
    for (;;) {
      std::uint32_t i = buckets_[number].head.load(std::memory_order_acquire);
      while ((i & kEnd) == 0) {
        Element& e = element(i);
        if (same(e, key, hash)) {
          if (lru_ && e.looked_up.load(std::memory_order_relaxed) == 0) e.looked_up.store(1, std::memory_order_relaxed);
          return &e;
        }
        i = e.next.load(std::memory_order_acquire);
      }
      if (i == (kEnd | number)) return nullptr;
    }
  }

  // What refers to the element, under the bucket's lock; nullptr: it is not there.
  std::atomic<std::uint32_t>* link_to(Bucket& bucket, const void* key, std::uint32_t hash) const {
    for (std::atomic<std::uint32_t>* link = &bucket.head;;) {
      std::uint32_t i = link->load(std::memory_order_relaxed);
      if ((i & kEnd) != 0) return nullptr;
      if (same(element(i), key, hash)) return link;
      link = &element(i).next;
    }
  }

  // Makes the element, or replaces the one that is there.
  template <typename Fill>
  long put(const void* key, std::uint64_t flags, bool replace, const Fill& fill) {
    if ((flags & ~kLock) > kExist) return -EINVAL;
    const std::uint32_t hash = hash_of(key);
    Bucket& bucket = buckets_[hash & mask_];
    std::uint32_t room = lru_ ? take_or_evict() : kEnd;   // before the lock: making room locks another bucket
    lock(bucket);
    std::atomic<std::uint32_t>* link = link_to(bucket, key, hash);
    long refused = link != nullptr ? ((flags & kNoExist) != 0 || !replace ? -EEXIST : 0) : ((flags & kExist) != 0 ? -ENOENT : 0);
    std::uint32_t fresh = kEnd;
    if (refused == 0) {
      fresh = std::exchange(room, kEnd);
      if (fresh == kEnd && link != nullptr) fresh = spares_[current_cpu()].exchange(kEnd, std::memory_order_relaxed);
      if (fresh == kEnd) fresh = take();
      if (fresh == kEnd) refused = -E2BIG;
    }
    if (refused != 0) {
      unlock(bucket);
      if (room != kEnd) release(room);
      return refused;
    }
    Element& e = element(fresh);
    e.hash = hash;
    e.used.store(1, std::memory_order_relaxed);
    e.looked_up.store(0, std::memory_order_relaxed);
    std::memcpy(e.bytes(), key, attributes_.key_size);
    fill(e);
    std::uint32_t old = kEnd;
    if (link != nullptr) old = link->load(std::memory_order_relaxed);
    e.next.store(bucket.head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    bucket.head.store(fresh, std::memory_order_release);
    if (old != kEnd) {
      if (link == &bucket.head) link = &e.next;
      link->store(element(old).next.load(std::memory_order_relaxed), std::memory_order_release);
    }
    unlock(bucket);
    if (old != kEnd) element(old).used.store(0, std::memory_order_relaxed), keep_or_release(old);
    return 0;
  }

  std::uint32_t take_or_evict() {
    for (std::uint64_t tries = 0; tries < 4 * std::uint64_t{attributes_.max_entries} + 8; ++tries) {
      if (std::uint32_t free = take(); free != kEnd) return free;
      const std::uint32_t index = hand_.fetch_add(1, std::memory_order_relaxed) % (attributes_.max_entries + cpu_count());
      Element& e = element(index);
      if (e.used.load(std::memory_order_relaxed) == 0 || e.looked_up.exchange(0, std::memory_order_relaxed) != 0) continue;
      if (unlink(index)) return index;
    }
    return kEnd;
  }

  // Takes an element out of its list; false: another thread did.
  bool unlink(std::uint32_t index) {
    Bucket& bucket = buckets_[element(index).hash & mask_];
    lock(bucket);
    std::atomic<std::uint32_t>* link = &bucket.head;
    std::uint32_t at = link->load(std::memory_order_relaxed);
    while ((at & kEnd) == 0 && at != index) link = &element(at).next, at = link->load(std::memory_order_relaxed);
    if (at == index) link->store(element(index).next.load(std::memory_order_relaxed), std::memory_order_release);
    unlock(bucket);
    if (at == index) element(index).used.store(0, std::memory_order_relaxed);
    return at == index;
  }

  void keep_or_release(std::uint32_t index) {
    std::uint32_t none = kEnd;
    if (!spares_[current_cpu()].compare_exchange_strong(none, index, std::memory_order_relaxed)) release(index);
  }

  std::uint32_t take() {
    std::uint64_t head = free_.load(std::memory_order_acquire);
    for (;;) {
      auto index = static_cast<std::uint32_t>(head);
      if ((index & kEnd) != 0) return kEnd;
      std::uint64_t after = ((head >> 32) + 1) << 32 | element(index).next.load(std::memory_order_relaxed);
      if (free_.compare_exchange_weak(head, after, std::memory_order_acquire)) return index;
    }
  }

  void release(std::uint32_t index) {
    element(index).used.store(0, std::memory_order_relaxed);
    std::uint64_t head = free_.load(std::memory_order_relaxed);
    for (;;) {
      element(index).next.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
      std::uint64_t after = ((head >> 32) + 1) << 32 | index;
      if (free_.compare_exchange_weak(head, after, std::memory_order_release)) return;
    }
  }

  static void lock(Bucket& bucket) {
    while (bucket.lock.exchange(1, std::memory_order_acquire) != 0) {
      while (bucket.lock.load(std::memory_order_relaxed) != 0) relax();
    }
  }
  static void unlock(Bucket& bucket) { bucket.lock.store(0, std::memory_order_release); }

  MappedRegion memory_;
  std::uint32_t mask_;
  bool per_cpu_, lru_;
  std::atomic<std::uint32_t> hand_{0};
  std::size_t key_bytes_ = 0, value_stride_ = 0, element_bytes_ = 0;
  Bucket* buckets_ = nullptr;
  std::byte* elements_ = nullptr;
  std::uint64_t seed_ = 1;
  std::unique_ptr<std::atomic<std::uint32_t>[]> spares_;
  std::atomic<std::uint64_t> free_{0};   // a count of changes, and the first free element
};

}  // namespace

Result<std::shared_ptr<Map>> make_hash(MapAttributes attributes) {
  if (attributes.key_size == 0 || attributes.key_size > 1 << 20) return bad_map(attributes, fmt::format("keys of {} bytes", attributes.key_size));
  if (attributes.max_entries == 0 || attributes.max_entries >= 1U << 30) return bad_map(attributes, fmt::format("{} entries", attributes.max_entries));
  const bool per_cpu = Hash::per_cpu(attributes);
  std::uint32_t buckets = std::bit_ceil(attributes.max_entries);
  std::uint64_t bytes = std::uint64_t{buckets} * sizeof(Bucket) + (std::uint64_t{attributes.max_entries} + cpu_count()) * Hash::element_size(attributes, per_cpu);
  if (bytes > std::uint64_t{1} << 40) return bad_map(attributes, fmt::format("{} bytes are more than a map may have", bytes));
  MappedRegion memory = TRY(MappedRegion::map(-1, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE));
  return std::make_shared<Hash>(std::move(attributes), std::move(memory), buckets);
}

}  // namespace espy::vm
