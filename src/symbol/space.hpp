// One address space: what is mapped where, in order of address. Forked processes share one until either changes it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "symbol/module.hpp"

namespace espy::symbol {

class Space {
 public:
  struct Place {
    Mapping mapping;
    std::shared_ptr<Module> module;   // null: no file, or it could not be opened
  };

  Space() = default;
  explicit Space(std::vector<Place> places) : places_(std::move(places)) {}

  const Place* find(std::uint64_t address) const;
  /// Maps over what was there. Beyond a bound on mappings (a JIT that maps for ever) the lowest is forgotten.
  void insert(Place place);
  const std::vector<Place>& places() const { return places_; }

 private:
  std::vector<Place> places_;   // by address, without overlaps
};

/// CLOCK_MONOTONIC.
std::int64_t now_ns();
/// How often /proc is looked at for the same question.
inline constexpr std::int64_t kCheckEveryNs = 100'000'000;

/// Code that a just-in-time compiler has told of in its perf map, which grows as it goes.
class JitMap {
 public:
  /// Reads the map again where it has changed since, if the address is in nothing known; looks at most every 100 ms.
  const JitSymbol* find(int pid, std::uint64_t address);

 private:
  const JitSymbol* known(std::uint64_t address) const;
  std::vector<JitSymbol> symbols_;
  std::int64_t size_ = -1, changed_ns_ = 0;   // of the file that was read
  std::int64_t looked_ns_ = 0;
};

}  // namespace espy::symbol
