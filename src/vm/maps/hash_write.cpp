// Hash maps: what changes them.
#include <cerrno>

#include "vm/cpu.hpp"
#include "vm/helpers/timers.hpp"
#include "vm/maps/hash_inline.hpp"

namespace espy::vm {

template <unsigned kKeyBytes>
void Hash::write_key(Element& e, const void* key) const {
  const auto* bytes = static_cast<const std::byte*>(key);
  if constexpr (kKeyBytes == 4) return shared_word(e.bytes()).store(word_at<std::uint32_t>(bytes), std::memory_order_relaxed);
  if constexpr (kKeyBytes == 8) return shared_word(e.bytes()).store(word_at<std::uint64_t>(bytes), std::memory_order_relaxed);
  for (std::size_t at = 0; at < attributes_.key_size; at += 8) {
    shared_word(e.bytes() + at).store(tail_of(bytes + at, std::min<std::size_t>(8, attributes_.key_size - at)), std::memory_order_relaxed);
  }
}

void Hash::lock(Stripe& stripe) {
  while (stripe.lock.exchange(1, std::memory_order_acquire) != 0) {
    for (unsigned turns = 0; stripe.lock.load(std::memory_order_relaxed) != 0; ++turns) relax_after(turns);
  }
}

// What refers to the element, under the stripe's lock; nullptr: it is not there.
template <unsigned kKeyBytes>
std::atomic<std::uint32_t>* Hash::link_to(std::uint32_t bucket, const void* key, std::uint32_t hash) const {
  for (std::atomic<std::uint32_t>* link = &heads_[bucket];;) {
    const std::uint32_t i = follow(link, bucket);
    if ((i & kEnd) != 0) return nullptr;
    if (same<kKeyBytes>(element(i), key, hash)) return link;
    link = &element(i).next;
  }
}

std::uint32_t Hash::pop_free(const Hash& map, Stripe& stripe) {
  const std::uint32_t first = stripe.free.load(std::memory_order_relaxed);
  if (first == 0) return kNone;
  stripe.free.store(map.element(first - 1).next_free, std::memory_order_relaxed);
  return first - 1;
}

void Hash::give_free(Stripe& stripe, std::uint32_t number) const {
  element(number).used.store(0, std::memory_order_relaxed);
  element(number).next_free = stripe.free.load(std::memory_order_relaxed);
  stripe.free.store(number + 1, std::memory_order_relaxed);
}

std::uint32_t Hash::take_free(Stripe& stripe) {
  if (const std::uint32_t own = pop_free(*this, stripe); own != kNone) return own;
  if (state_->fresh.load(std::memory_order_relaxed) >= attributes_.max_entries) return kNone;
  const std::uint32_t fresh = state_->fresh.fetch_add(1, std::memory_order_relaxed);
  if (fresh < attributes_.max_entries) return fresh;
  state_->fresh.fetch_sub(1, std::memory_order_relaxed);
  return kNone;
}

std::uint32_t Hash::take_others(const Stripe& own, bool& again) {
  for (std::uint32_t i = 0; i <= stripe_mask_; ++i) {
    Stripe& other = stripes_[i];
    if (&other == &own || other.free.load(std::memory_order_relaxed) == 0) continue;
    if (other.lock.exchange(1, std::memory_order_acquire) != 0) {   // waiting for it while holding the own could be for ever
      again = true;
      continue;
    }
    const std::uint32_t number = pop_free(*this, other);
    unlock(other);
    if (number != kNone) return number;
  }
  return kNone;
}

// Makes the element, or replaces the one that is there.
template <unsigned kKeyBytes, typename Fill>
long Hash::put(const void* key, std::uint64_t flags, bool replace, const Fill& fill) {
  const std::uint32_t hash = hash_of<kKeyBytes>(key), bucket = hash & mask_;
  Stripe& stripe = stripe_of(bucket);
  std::uint32_t room = kNone;
  bool nothing_to_evict = false;
  for (unsigned turns = 0;; ++turns) {
    lock(stripe);
    std::atomic<std::uint32_t>* link = link_to<kKeyBytes>(bucket, key, hash);
    long refused = link != nullptr ? ((flags & kNoExist) != 0 || !replace ? -EEXIST : 0) : ((flags & kExist) != 0 ? -ENOENT : 0);
    if (link != nullptr && refused == 0 && (flags & kLock) != 0) {
      Element& there = element(follow(link, bucket));
      copy_value_locked(value_of(there, 0), value_of(there, 0), fill.value);
    } else if (refused == 0) {
      const std::uint32_t old = link == nullptr ? kNone : follow(link, bucket);
      bool again = false;
      std::uint32_t number = old != kNone ? stripe.spare ^ first_spare(stripe) : room != kNone ? std::exchange(room, kNone)
                                         : take_free(stripe);
      if (number == kNone && (!lru_ || nothing_to_evict)) number = take_others(stripe, again);
      if (number == kNone) {
        unlock(stripe);
        if (!again && (!lru_ || nothing_to_evict)) return lru_ ? -ENOMEM : -E2BIG;
        if (lru_) room = evict(), nothing_to_evict = room == kNone;
        relax_after(turns);
        continue;
      }
      Element& e = element(number);
      e.hash.store(hash, std::memory_order_relaxed);
      if (lru_) e.used.store(1, std::memory_order_relaxed), e.looked_up.store(0, std::memory_order_relaxed);
      const std::uint32_t version = stripe.version.load(std::memory_order_relaxed);
      stripe.version.store(version + 1, std::memory_order_relaxed);
      write_key<kKeyBytes>(e, key);
      fill(e);
      stripe.version.store(version + 2, std::memory_order_release);
      if (old == kNone) {
        e.next.store(follow(&heads_[bucket], bucket), std::memory_order_relaxed);
        refer(&heads_[bucket], bucket, number);
      } else {   // in the old one's place
        Element& before = element(old);
        e.next.store(before.next.load(std::memory_order_relaxed), std::memory_order_relaxed);
        refer(link, bucket, number);
        if (lru_) before.used.store(0, std::memory_order_relaxed);
        stripe.spare = old ^ first_spare(stripe);
        if (!attributes_.fields.empty()) [[unlikely]] forget_timers(*this, value_of(before, 0));
      }
    }
    if (room != kNone) give_free(stripe, room);   // another thread put the key there meanwhile
    unlock(stripe);
    return refused;
  }
}

template <unsigned kKeyBytes>
long Hash::take_out(const void* key) {
  const std::uint32_t hash = hash_of<kKeyBytes>(key), bucket = hash & mask_;
  Stripe& stripe = stripe_of(bucket);
  lock(stripe);
  std::atomic<std::uint32_t>* link = link_to<kKeyBytes>(bucket, key, hash);
  if (link != nullptr) {
    const std::uint32_t gone = follow(link, bucket);
    refer(link, bucket, element(gone).next.load(std::memory_order_relaxed));
    if (!attributes_.fields.empty()) [[unlikely]] forget_timers(*this, value_of(element(gone), 0));
    give_free(stripe, gone);
  }
  unlock(stripe);
  return link == nullptr ? -ENOENT : 0;
}

long Hash::erase(const void* key) {
  return by_key_size([&]<unsigned kKeyBytes>() { return take_out<kKeyBytes>(key); });
}

struct Hash::FillValue {
  const Hash& map;
  const void* value;
  void operator()(Element& e) const {
    std::byte* to = map.value_of(e, 0);
    if (map.attributes_.fields.empty()) return store_words(to, value, map.attributes_.value_size);
    std::memset(to, 0, map.attributes_.value_size);
    map.copy_value(to, value);
  }
};

template <unsigned kKeyBytes>
std::uint64_t Hash::direct_put(std::uint64_t map, std::uint64_t key, std::uint64_t value, std::uint64_t flags) {
  Hash& self = *reinterpret_cast<Hash*>(map);
  if (flags > kExist || self.per_cpu_) [[unlikely]] return static_cast<std::uint64_t>(self.update(reinterpret_cast<void*>(key), reinterpret_cast<void*>(value), flags));
  return static_cast<std::uint64_t>(self.put<kKeyBytes>(reinterpret_cast<void*>(key), flags, true, FillValue{self, reinterpret_cast<void*>(value)}));
}

Map::DirectUpdate Hash::direct_update() const {
  return by_key_size([]<unsigned kKeyBytes>() { return static_cast<DirectUpdate>(&Hash::direct_put<kKeyBytes>); });
}

long Hash::update(const void* key, const void* value, std::uint64_t flags) {
  if ((per_cpu_ ? flags : flags & ~kLock) > kExist) [[unlikely]] return -EINVAL;
  if ((flags & kLock) != 0 && bad_lock(flags)) [[unlikely]] return -EINVAL;
  if (!per_cpu_) return by_key_size([&]<unsigned kKeyBytes>() { return put<kKeyBytes>(key, flags, true, FillValue{*this, value}); });
  const unsigned mine = current_cpu();
  if (void* found = lookup_percpu(key, mine); found != nullptr && flags != kNoExist) return copy_value(found, value), 0;   // others' values stay
  struct FillOne {
    const Hash& map;
    const void* value;
    unsigned cpu;
    void operator()(Element& e) const {
      std::memset(map.value_of(e, 0), 0, map.value_stride_ * cpu_count());
      map.copy_value(map.value_of(e, cpu), value);
    }
  };
  return by_key_size([&]<unsigned kKeyBytes>() { return put<kKeyBytes>(key, flags, false, FillOne{*this, value, mine}); });
}

long Hash::update_all_cpus(const void* key, const std::byte* values, std::uint64_t flags) {
  if (flags > kExist) return -EINVAL;
  struct FillAll {
    const Hash& map;
    const std::byte* value;
    void operator()(Element& e) const {
      for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) map.copy_all(map.value_of(e, cpu), value + cpu * map.value_stride_);
    }
  };
  const FillAll fill{*this, values};
  const std::uint32_t hash = by_key_size([&]<unsigned kKeyBytes>() { return hash_of<kKeyBytes>(key); });
  if (Element* found = find<0>(key, hash); found != nullptr && flags != kNoExist) return fill(*found), 0;
  return by_key_size([&]<unsigned kKeyBytes>() { return put<kKeyBytes>(key, flags, false, fill); });
}

std::uint32_t Hash::evict() {
  const std::uint32_t all = attributes_.max_entries + stripe_mask_ + 1;
  for (std::uint64_t tries = 0; tries < 4 * std::uint64_t{all} + 8; ++tries) {
    const std::uint32_t number = state_->hand.fetch_add(1, std::memory_order_relaxed) % all;
    Element& e = element(number);
    if (e.used.load(std::memory_order_relaxed) == 0 || e.looked_up.exchange(0, std::memory_order_relaxed) != 0) continue;
    if (unlink(number)) return number;
  }
  return kNone;
}

// Takes an element out of its list; false: another thread did.
bool Hash::unlink(std::uint32_t number) {
  const std::uint32_t bucket = element(number).hash.load(std::memory_order_relaxed) & mask_;
  Stripe& stripe = stripe_of(bucket);
  lock(stripe);
  std::atomic<std::uint32_t>* link = &heads_[bucket];
  std::uint32_t at = follow(link, bucket);
  while ((at & kEnd) == 0 && at != number) link = &element(at).next, at = follow(link, bucket);
  if (at == number) {
    refer(link, bucket, element(number).next.load(std::memory_order_relaxed));
    element(number).used.store(0, std::memory_order_relaxed);
    if (!attributes_.fields.empty()) forget_timers(*this, value_of(element(number), 0));
  }
  unlock(stripe);
  return at == number;
}

}  // namespace espy::vm
