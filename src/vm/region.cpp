#include "vm/region.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace espy::vm {

void Regions::add(const Region& region) {
  regions_.insert(std::ranges::upper_bound(regions_, region.begin, {}, &Region::begin), region);
}

void Regions::remove(std::uintptr_t begin) {
  auto found = std::ranges::lower_bound(regions_, begin, {}, &Region::begin);
  if (found != regions_.end() && found->begin == begin) regions_.erase(found);
}

const Region* Regions::find(std::uintptr_t address, std::uint64_t size, bool write) const {
  auto above = std::ranges::upper_bound(regions_, address, {}, &Region::begin);
  if (above == regions_.begin()) return nullptr;
  const Region& region = *std::prev(above);
  if (address >= region.end || size > region.end - address || (write && !region.writable)) return nullptr;
  if (region.stride != 0) {
    std::uint64_t offset = (address - region.begin) % region.stride;
    if (offset >= region.object || size > region.object - offset) return nullptr;
  }
  return &region;
}

std::string place_of(std::uintptr_t address, std::span<const Region> regions) {
  if (address < 4096) return "a null pointer";
  const Region* below = nullptr;
  const Region* above = nullptr;
  for (const Region& region : regions) {
    if (address >= region.begin && address < region.end) return fmt::format("byte {} of the {}", address - region.begin, region.what);
    if (region.end <= address && (below == nullptr || region.end > below->end)) below = &region;
    if (region.begin > address && (above == nullptr || region.begin < above->begin)) above = &region;
  }
  constexpr std::uintptr_t kNear = 1 << 16;
  if (below != nullptr && address - below->end < kNear) return fmt::format("{} bytes behind the end of the {}", address - below->end, below->what);
  if (above != nullptr && above->begin - address < kNear) return fmt::format("{} bytes before the {}", above->begin - address, above->what);
  return "no memory of the program's";
}

}  // namespace espy::vm
