// Helpers on Internet checksums (RFC 1071): sums of 16-bit words in one's complement, kept in 32 bits until they are folded.
#include <cerrno>
#include <cstring>

#include "vm/context/packet.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

std::uint32_t add(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t sum = a + b;
  return sum + (sum < b ? 1 : 0);
}
std::uint32_t subtract(std::uint32_t a, std::uint32_t b) { return add(a, ~b); }

std::uint16_t folded(std::uint32_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

std::uint32_t sum_of(const std::byte* bytes, std::uint32_t size, std::uint32_t seed) {
  std::uint64_t sum = seed;
  for (; size >= 4; size -= 4, bytes += 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes, 4);
    sum += word;
  }
  std::uint32_t rest = 0;
  std::memcpy(&rest, bytes, size);
  sum += rest;
  sum = (sum & 0xffffffff) + (sum >> 32);
  return static_cast<std::uint32_t>((sum & 0xffffffff) + (sum >> 32));
}

std::uint64_t difference(std::uint64_t from, std::uint64_t from_size, std::uint64_t to, std::uint64_t to_size, std::uint64_t seed) {
  const auto old_bytes = static_cast<std::uint32_t>(from_size), new_bytes = static_cast<std::uint32_t>(to_size);
  if (((old_bytes | new_bytes) & 3) != 0) return result(-EINVAL);
  std::uint32_t sum = static_cast<std::uint32_t>(seed);
  if (new_bytes != 0) sum = sum_of(pointer<const std::byte>(to), new_bytes, sum);
  if (old_bytes != 0) sum = subtract(sum, sum_of(pointer<const std::byte>(from), old_bytes, 0));
  return folded(sum);
}

// The checksum at an offset of the packet, changed as if its data had changed from one value to another.
long replace(std::uint32_t offset, std::uint64_t from, std::uint64_t to, std::uint64_t flags) {
  constexpr std::uint64_t kFieldSize = 0xf, kMangled = 0x20, kEnforce = 0x40;
  std::span<std::byte> data = current_run()->packet->data();
  if (offset > 0xffff || (offset & 1) != 0 || offset + 2ULL > data.size()) return -EFAULT;
  std::uint16_t sum;
  std::memcpy(&sum, data.data() + offset, 2);
  if ((flags & kMangled) != 0 && (flags & kEnforce) == 0 && sum == 0) return 0;
  const auto old_sum = static_cast<std::uint32_t>(static_cast<std::uint16_t>(~sum));
  std::uint32_t fresh = 0;
  switch (flags & kFieldSize) {
    case 0:
      if (from != 0) return -EINVAL;
      fresh = add(static_cast<std::uint32_t>(to), old_sum);
      break;
    case 2: fresh = add(add(old_sum, static_cast<std::uint16_t>(~from)), static_cast<std::uint16_t>(to)); break;
    case 4: fresh = add(subtract(old_sum, static_cast<std::uint32_t>(from)), static_cast<std::uint32_t>(to)); break;
    default: return -EINVAL;
  }
  sum = static_cast<std::uint16_t>(~folded(fresh));
  if ((flags & kMangled) != 0 && sum == 0) sum = 0xffff;
  std::memcpy(data.data() + offset, &sum, 2);
  return 0;
}

std::uint64_t replace_l3(std::uint64_t, std::uint64_t offset, std::uint64_t from, std::uint64_t to, std::uint64_t flags) {
  return (flags & ~std::uint64_t{0xf}) != 0 ? result(-EINVAL) : result(replace(static_cast<std::uint32_t>(offset), from, to, flags));
}
std::uint64_t replace_l4(std::uint64_t, std::uint64_t offset, std::uint64_t from, std::uint64_t to, std::uint64_t flags) {
  return (flags & ~std::uint64_t{0xff}) != 0 ? result(-EINVAL) : result(replace(static_cast<std::uint32_t>(offset), from, to, flags));
}

// What the network card said of the packet's sum: here it said nothing.
std::uint64_t update(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return result(-524); }   // ENOTSUPP, which only kernels know

// How many checksums a card has checked: none, which only asking for it says.
std::uint64_t level(std::uint64_t, std::uint64_t what, std::uint64_t, std::uint64_t, std::uint64_t) {
  constexpr std::uint64_t kQuery = 0, kReset = 3;
  return what > kReset ? result(-EINVAL) : what == kQuery ? result(-EACCES) : 0;
}

constexpr Helper kHelpers[] = {{10, replace_l3, true}, {11, replace_l4, true}, {28, difference}, {40, update, true}, {135, level, true}};

}  // namespace

std::span<const Helper> checksum_helpers() { return kHelpers; }

}  // namespace espy::vm
