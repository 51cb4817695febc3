#include "symbol/space.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace espy::symbol {

namespace {

constexpr std::size_t kPlacesLimit = 1 << 16;
constexpr std::int64_t kPerfMapLimit = 128 << 20;

// The part of a place from `address` on.
Space::Place from(Space::Place place, std::uint64_t address) {
  place.mapping.offset += address - place.mapping.start;
  place.mapping.start = address;
  return place;
}

}  // namespace

const Space::Place* Space::find(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(places_, address, {}, [](const Place& p) { return p.mapping.start; });
  if (after == places_.begin() || address >= std::prev(after)->mapping.end) return nullptr;
  return &*std::prev(after);
}

void Space::insert(Place place) {
  if (place.mapping.start >= place.mapping.end) return;
  const std::uint64_t start = place.mapping.start, end = place.mapping.end;
  auto first = std::ranges::lower_bound(places_, start, {}, [](const Place& p) { return p.mapping.start; });
  if (first != places_.begin() && std::prev(first)->mapping.end > start) --first;
  auto last = first;
  std::vector<Place> pieces;
  for (; last != places_.end() && last->mapping.start < end; ++last) {
    if (last->mapping.start < start) pieces.push_back(*last), pieces.back().mapping.end = start;
    if (last->mapping.end > end) pieces.push_back(from(*last, end));
  }
  auto at = places_.erase(first, last);
  pieces.push_back(std::move(place));
  std::ranges::sort(pieces, {}, [](const Place& p) { return p.mapping.start; });
  places_.insert(at, std::make_move_iterator(pieces.begin()), std::make_move_iterator(pieces.end()));
  if (places_.size() > kPlacesLimit) places_.erase(places_.begin());
}

std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

const JitSymbol* JitMap::known(std::uint64_t address) const {
  auto after = std::ranges::upper_bound(symbols_, address, {}, &JitSymbol::address);
  if (after == symbols_.begin() || address - std::prev(after)->address >= std::prev(after)->size) return nullptr;
  return &*std::prev(after);
}

const JitSymbol* JitMap::find(int pid, std::uint64_t address) {
  if (const JitSymbol* symbol = known(address)) return symbol;
  if (const std::int64_t now = now_ns(); now - looked_ns_ < kCheckEveryNs) return nullptr;
  else looked_ns_ = now;
  auto file = open_perf_map(pid);
  if (!file) return nullptr;
  const std::int64_t changed = file->status.st_mtim.tv_sec * 1'000'000'000 + file->status.st_mtim.tv_nsec;
  if ((file->status.st_size == size_ && changed == changed_ns_) || file->status.st_size > kPerfMapLimit) return nullptr;
  size_ = file->status.st_size;
  changed_ns_ = changed;
  std::string text(static_cast<std::size_t>(size_), '\0');
  std::size_t done = 0;
  for (ssize_t got = 1; got > 0 && done < text.size(); done += static_cast<std::size_t>(std::max<ssize_t>(got, 0)))
    got = ::pread(file->fd.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
  text.resize(done);
  symbols_ = parse_perf_map(text);
  return known(address);
}

}  // namespace espy::symbol
