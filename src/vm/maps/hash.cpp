#include "vm/maps/hash.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vm/cpu.hpp"
#include "vm/helpers/timers.hpp"
#include "vm/maps/kinds.hpp"
#include "vm/maps/memory.hpp"

namespace espy::vm {
namespace {

// The two halves of a 128-bit product, mixed: all bits of both factors count.
__extension__ using Wide = unsigned __int128;
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <typename T>
T word_at(const void* at) {
  T word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Keys of elements are read while others write them: word by word, the rest of the last word zero.
std::atomic_ref<std::uint64_t> shared_word(const std::byte* at) { return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(at))); }

std::uint64_t tail_of(const std::byte* at, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

// Values are written so, too: a reader may still hold what becomes another element. Who reads a word of the new value sees
// that the element has gone from its old place.
void store_words(std::byte* to, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(from);
  std::size_t done = 0;
  for (; done + 8 <= bytes; done += 8) shared_word(to + done).store(word_at<std::uint64_t>(at + done), std::memory_order_release);
  if (done < bytes) shared_word(to + done).store(tail_of(at + done, bytes - done), std::memory_order_release);
}

void load_words(std::byte* to, const std::byte* from, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += 8) {
    const std::uint64_t word = shared_word(from + done).load(std::memory_order_acquire);
    std::memcpy(to + done, &word, std::min<std::size_t>(8, bytes - done));
  }
}

}  // namespace

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

// ---- keys ----

template <typename Of>
auto Hash::by_key_size(const Of& of) const {
  switch (attributes_.key_size) {
    case 4: return of.template operator()<4>();
    case 8: return of.template operator()<8>();
    case 16: return of.template operator()<16>();
    default: return of.template operator()<0>();
  }
}

template <unsigned kKeyBytes>
std::uint32_t Hash::hash_of(const void* key) const {
  constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15, kSecond = 0xd6e8feb86659fd93;
  const auto* bytes = static_cast<const std::byte*>(key);
  if constexpr (kKeyBytes == 4) {
    return static_cast<std::uint32_t>(mix(seed_ ^ word_at<std::uint32_t>(bytes), kFirst));
  } else if constexpr (kKeyBytes == 8) {
    return static_cast<std::uint32_t>(mix(seed_ ^ word_at<std::uint64_t>(bytes), kFirst));
  } else if constexpr (kKeyBytes == 16) {
    return static_cast<std::uint32_t>(mix(mix(seed_ ^ word_at<std::uint64_t>(bytes), kFirst) ^ word_at<std::uint64_t>(bytes + 8), kSecond));
  } else {
    std::uint64_t state = seed_;
    std::uint32_t left = attributes_.key_size;
    for (; left >= 8; left -= 8, bytes += 8) state = mix(state ^ word_at<std::uint64_t>(bytes), kFirst);
    if (left != 0) state = mix(state ^ tail_of(bytes, left), kSecond);
    return static_cast<std::uint32_t>(state);
  }
}

template <unsigned kKeyBytes>
bool Hash::same(const Element& e, const void* key, std::uint32_t hash) const {
  const auto* bytes = static_cast<const std::byte*>(key);
  if constexpr (kKeyBytes == 4) {   // the hash says no more than the key
    return shared_word(e.bytes()).load(std::memory_order_relaxed) == word_at<std::uint32_t>(bytes);
  } else if constexpr (kKeyBytes == 8) {
    return shared_word(e.bytes()).load(std::memory_order_relaxed) == word_at<std::uint64_t>(bytes);
  } else {
    if (e.hash.load(std::memory_order_relaxed) != hash) return false;
    const std::size_t whole = (kKeyBytes != 0 ? kKeyBytes : attributes_.key_size) & ~std::size_t{7};
    for (std::size_t at = 0; at < whole; at += 8) {
      if (shared_word(e.bytes() + at).load(std::memory_order_relaxed) != word_at<std::uint64_t>(bytes + at)) return false;
    }
    if (kKeyBytes != 0 || whole == attributes_.key_size) return true;
    return shared_word(e.bytes() + whole).load(std::memory_order_relaxed) == tail_of(bytes + whole, attributes_.key_size - whole);
  }
}

template <unsigned kKeyBytes>
void Hash::write_key(Element& e, const void* key) const {
  const auto* bytes = static_cast<const std::byte*>(key);
  if constexpr (kKeyBytes == 4) return shared_word(e.bytes()).store(word_at<std::uint32_t>(bytes), std::memory_order_relaxed);
  if constexpr (kKeyBytes == 8) return shared_word(e.bytes()).store(word_at<std::uint64_t>(bytes), std::memory_order_relaxed);
  for (std::size_t at = 0; at < attributes_.key_size; at += 8) {
    shared_word(e.bytes() + at).store(tail_of(bytes + at, std::min<std::size_t>(8, attributes_.key_size - at)), std::memory_order_relaxed);
  }
}

void Hash::read_key(const Element& e, void* key) const {
  for (std::size_t at = 0; at < attributes_.key_size; at += 8) {
    const std::uint64_t word = shared_word(e.bytes() + at).load(std::memory_order_relaxed);
    std::memcpy(static_cast<std::byte*>(key) + at, &word, std::min<std::size_t>(8, attributes_.key_size - at));
  }
}

// ---- reading ----

template <unsigned kKeyBytes>
Hash::Element* Hash::find(const void* key, std::uint32_t hash) const {
  const std::uint32_t bucket = hash & mask_;
  for (;;) {
    std::uint32_t i = first_of(bucket);
    while ((i & kEnd) == 0) {
      Element& e = element(i);
      if (same<kKeyBytes>(e, key, hash)) return &e;
      i = e.next.load(std::memory_order_acquire);
    }
    if (i == (kEnd | bucket)) return nullptr;
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

// ---- writing ----

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
