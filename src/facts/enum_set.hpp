// A set of the values of a small enumeration, as one number: what tables of facts are made of.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>

namespace espy::facts {

template <typename Enum>
class EnumSet {
 public:
  constexpr EnumSet() = default;
  constexpr EnumSet(std::initializer_list<Enum> values) {
    for (Enum value : values) bits_ |= bit(value);
  }
  /// A value above 63, which no table knows, is in no set.
  constexpr bool has(Enum value) const { return (bits_ & bit(value)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  friend constexpr EnumSet operator|(EnumSet a, EnumSet b) { return EnumSet(a.bits_ | b.bits_); }
  friend constexpr EnumSet operator-(EnumSet a, EnumSet b) { return EnumSet(a.bits_ & ~b.bits_); }
  friend bool operator==(const EnumSet&, const EnumSet&) = default;

 private:
  constexpr explicit EnumSet(std::uint64_t bits) : bits_(bits) {}
  static constexpr std::uint64_t bit(Enum value) {
    return std::to_underlying(value) < 64 ? std::uint64_t{1} << std::to_underlying(value) : 0;
  }
  std::uint64_t bits_ = 0;
};

}  // namespace espy::facts
