// hash, percpu_hash, lru_hash and lru_percpu_hash.
//
// Everything is in one piece of memory, refers to other parts of it by number, and is zero in an empty map: so a map of any
// size is made in no time, and processes can share one.
//   - Elements stand in one array. Each bucket heads a list of some. Lookups take no lock: they walk a list that writers change
//     under them. A list ends in a marker with its bucket's number, so a reader that was carried into another list by an element
//     that moved sees a foreign marker at its end, and begins again. (The idea is that of the kernel's hlist_nulls.) An element
//     that was taken out still leads on to the rest of its list until it is used again.
//   - Writers lock one of some dozens of stripes, into which the buckets are divided. A stripe keeps what its updates need: free
//     elements, and a spare one. Replacing a value puts the spare in front of the old element, which becomes the spare: readers
//     see the old value or the new one, never a mixture. So an update takes one atomic instruction: the lock.
//   - A stripe without free elements takes one that was never used, then another stripe's. Only when there is none anywhere is
//     the map full: it holds exactly as many as it was made for.
//   - Where a full map makes room for a new key (LRU), a hand goes round over all elements: one that was looked up since it
//     last came by is spared once, the first other goes. (The kernel's order is an approximation, too.)
#pragma once

#include <atomic>
#include <bit>

#include "base/fd.hpp"
#include "vm/map.hpp"

namespace espy::vm {

class Hash final : public Map {
 public:
  Hash(MapAttributes attributes, MappedRegion memory);
  /// Bytes of all the state.
  static std::uint64_t memory_bytes(const MapAttributes& attributes);

  bool is_per_cpu() const override { return per_cpu_; }
  std::vector<Region> regions() const override;
  DirectLookup direct_lookup() const override;
  DirectUpdate direct_update() const override;

  void* lookup(const void* key) override;
  void* lookup_percpu(const void* key, unsigned cpu) override;
  long update(const void* key, const void* value, std::uint64_t flags) override;
  long erase(const void* key) override;
  bool key_of(const void* value, void* key) const override;
  long for_each(const std::function<long(const void*, void*)>& visit) override;

 protected:
  long read_into(const void* key, std::byte* value) override;
  long update_all_cpus(const void* key, const std::byte* values, std::uint64_t flags) override;
  long next(const void* key, void* next_key) override;

 private:
  static constexpr std::uint32_t kEnd = 0x80000000;   // with a bucket's number: the end of its list
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Element {
    std::atomic<std::uint32_t> next;
    std::atomic<std::uint32_t> hash;
    std::uint32_t next_free;                 // number + 1
    std::atomic<std::uint16_t> used;         // LRU: it is in a list
    std::atomic<std::uint16_t> looked_up;    // LRU: since the hand came by
    std::byte* bytes() { return reinterpret_cast<std::byte*>(this + 1); }
    const std::byte* bytes() const { return reinterpret_cast<const std::byte*>(this + 1); }
  };
  struct alignas(64) Stripe {
    std::atomic<std::uint32_t> lock;
    std::atomic<std::uint32_t> free;         // number + 1 of the first free element
    std::uint32_t spare;                     // its number, XORed with that of the first spare
    std::atomic<std::uint32_t> version;      // of what its elements hold; odd while one is written
  };
  struct alignas(64) State {
    std::atomic<std::uint32_t> fresh;        // elements below it were used at some time
    std::atomic<std::uint32_t> hand;
  };
  static_assert(sizeof(Element) == 16 && sizeof(Stripe) == 64 && sizeof(State) == 64);

  struct FillValue;

  static bool per_cpu(const MapAttributes& attributes);
  static std::uint32_t bucket_count(const MapAttributes& attributes) { return std::bit_ceil(attributes.max_entries); }
  static std::uint32_t stripe_count(const MapAttributes& attributes);
  static std::uint64_t element_size(const MapAttributes& attributes);

  template <unsigned kKeyBytes>
  static std::uint64_t direct(std::uint64_t map, std::uint64_t key);
  template <unsigned kKeyBytes>
  static std::uint64_t direct_put(std::uint64_t map, std::uint64_t key, std::uint64_t value, std::uint64_t flags);
  template <unsigned kKeyBytes>
  std::uint32_t hash_of(const void* key) const;
  template <unsigned kKeyBytes>
  bool same(const Element& e, const void* key, std::uint32_t hash) const;
  template <unsigned kKeyBytes>
  Element* find(const void* key, std::uint32_t hash) const;
  template <unsigned kKeyBytes, typename Fill>
  long put(const void* key, std::uint64_t flags, bool replace, const Fill& fill);
  template <unsigned kKeyBytes>
  long take_out(const void* key);
  template <unsigned kKeyBytes>
  std::atomic<std::uint32_t>* link_to(std::uint32_t bucket, const void* key, std::uint32_t hash) const;
  /// Calls `of.template operator()<kKeyBytes>()` with the size that fits this map's keys; 0 fits all.
  template <typename Of>
  auto by_key_size(const Of& of) const;

  Element& element(std::uint32_t number) const { return *reinterpret_cast<Element*>(elements_ + number * element_bytes_); }
  std::byte* value_of(Element& e, unsigned cpu) const { return e.bytes() + key_bytes_ + cpu * value_stride_; }
  std::uint32_t first_of(std::uint32_t bucket) const { return heads_[bucket].load(std::memory_order_acquire) ^ (kEnd | bucket); }
  /// What a reference to the bucket's first element, or to an element's next, is worth.
  std::uint32_t follow(const std::atomic<std::uint32_t>* link, std::uint32_t bucket) const {
    return link == &heads_[bucket] ? link->load(std::memory_order_relaxed) ^ (kEnd | bucket) : link->load(std::memory_order_relaxed);
  }
  void refer(std::atomic<std::uint32_t>* link, std::uint32_t bucket, std::uint32_t number) const {
    link->store(link == &heads_[bucket] ? number ^ (kEnd | bucket) : number, std::memory_order_release);
  }
  template <unsigned kKeyBytes>
  void write_key(Element& e, const void* key) const;
  void read_key(const Element& e, void* key) const;

  Stripe& stripe_of(std::uint32_t bucket) const { return stripes_[bucket & stripe_mask_]; }
  static void lock(Stripe& stripe);
  static void unlock(Stripe& stripe) { stripe.lock.store(0, std::memory_order_release); }
  /// The stripe is locked. kNone: it has none, and all were used at some time.
  std::uint32_t take_free(Stripe& stripe);
  /// Another stripe's. kNone: they have none; `again`: one was busy, and may have some.
  std::uint32_t take_others(const Stripe& own, bool& again);
  static std::uint32_t pop_free(const Hash& map, Stripe& stripe);
  void give_free(Stripe& stripe, std::uint32_t number) const;
  /// No stripe is locked.
  std::uint32_t evict();
  bool unlink(std::uint32_t number);
  std::uint32_t first_spare(const Stripe& stripe) const { return attributes_.max_entries + static_cast<std::uint32_t>(&stripe - stripes_); }

  MappedRegion memory_;
  std::uint32_t mask_, stripe_mask_;
  bool per_cpu_, lru_;
  std::size_t key_bytes_, value_stride_, element_bytes_;
  std::uint64_t seed_;
  std::atomic<std::uint32_t>* heads_;
  std::byte* elements_;
  Stripe* stripes_;
  State* state_;
};

}  // namespace espy::vm
