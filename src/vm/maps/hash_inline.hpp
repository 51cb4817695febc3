// What reads and writes of hash maps share: keys and values as words that others may be writing, and the way to an element.
#pragma once

#include <algorithm>
#include <cstring>

#include "vm/maps/hash.hpp"

namespace espy::vm {

// The two halves of a 128-bit product, mixed: all bits of both factors count.
__extension__ using Wide = unsigned __int128;
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
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
inline std::atomic_ref<std::uint64_t> shared_word(const std::byte* at) { return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(at))); }

inline std::uint64_t tail_of(const std::byte* at, std::size_t bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

// Values are written so, too: a reader may still hold what becomes another element. Who reads a word of the new value sees
// that the element has gone from its old place.
inline void store_words(std::byte* to, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(from);
  std::size_t done = 0;
  for (; done + 8 <= bytes; done += 8) shared_word(to + done).store(word_at<std::uint64_t>(at + done), std::memory_order_release);
  if (done < bytes) shared_word(to + done).store(tail_of(at + done, bytes - done), std::memory_order_release);
}

inline void load_words(std::byte* to, const std::byte* from, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += 8) {
    const std::uint64_t word = shared_word(from + done).load(std::memory_order_acquire);
    std::memcpy(to + done, &word, std::min<std::size_t>(8, bytes - done));
  }
}

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

}  // namespace espy::vm
