// The kinds of BTF and the shape of their records: the one table that reading, swapping, writing and checking derive from.
// Source: include/uapi/linux/btf.h. A record is a header of three words (name offset, info, size or type), then some
// words of its kind once, then some vlen times. All words have 32 bits.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "btf/btf.hpp"

namespace espy::btf {

/// What the third word of the header holds.
enum class Third : std::uint8_t { unused, size, type };

struct KindRow {
  Kind kind;
  std::string_view name;
  Third third;
  std::string_view once;  ///< the words after the header, a letter each: n a name, t a type id, . anything else
  std::string_view each;  ///< the words for each of vlen

  constexpr std::size_t bytes(std::uint32_t vlen) const { return 4 * (3 + once.size() + each.size() * vlen); }
};

inline constexpr std::array kKinds{
    KindRow{Kind::void_, "void", Third::unused, "", ""},
    KindRow{Kind::int_, "int", Third::size, ".", ""},
    KindRow{Kind::ptr, "ptr", Third::type, "", ""},
    KindRow{Kind::array, "array", Third::unused, "tt.", ""},
    KindRow{Kind::struct_, "struct", Third::size, "", "nt."},
    KindRow{Kind::union_, "union", Third::size, "", "nt."},
    KindRow{Kind::enum_, "enum", Third::size, "", "n."},
    KindRow{Kind::fwd, "fwd", Third::unused, "", ""},
    KindRow{Kind::typedef_, "typedef", Third::type, "", ""},
    KindRow{Kind::volatile_, "volatile", Third::type, "", ""},
    KindRow{Kind::const_, "const", Third::type, "", ""},
    KindRow{Kind::restrict_, "restrict", Third::type, "", ""},
    KindRow{Kind::func, "func", Third::type, "", ""},
    KindRow{Kind::func_proto, "func_proto", Third::type, "", "nt"},
    KindRow{Kind::var, "var", Third::type, ".", ""},
    KindRow{Kind::datasec, "datasec", Third::size, "", "t.."},
    KindRow{Kind::float_, "float", Third::size, "", ""},
    KindRow{Kind::decl_tag, "decl_tag", Third::type, ".", ""},
    KindRow{Kind::type_tag, "type_tag", Third::type, "", ""},
    KindRow{Kind::enum64, "enum64", Third::size, "", "n.."},
};
static_assert([] {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  return true;
}());

inline constexpr std::uint32_t kHeaderBytes = 12;      ///< of a type record
inline constexpr std::uint32_t kBlobHeaderBytes = 24;  ///< of a BTF blob
inline constexpr std::uint16_t kMagic = 0xeb9f;
inline constexpr std::uint32_t kMaxVlen = 0xffff;

/// The `info` word: vlen in bits 0-15, kind in 24-28, kind_flag in 31.
constexpr std::uint32_t vlen_of(std::uint32_t info) { return info & kMaxVlen; }
constexpr std::uint32_t kind_of(std::uint32_t info) { return info >> 24 & 0x1f; }
constexpr bool flag_of(std::uint32_t info) { return info >> 31 != 0; }
constexpr std::uint32_t info_of(Kind kind, bool flag, std::uint32_t vlen) {
  return static_cast<std::uint32_t>(flag) << 31 | static_cast<std::uint32_t>(kind) << 24 | (vlen & kMaxVlen);
}

/// Calls `each(meaning, offset)` with the byte offset of every word of a record that is a name ('n') or a type id ('t').
/// `record` begins with a record whose bounds have been checked.
template <typename Each>
void for_each_reference(Bytes record, Each each) {
  const auto info = load<std::uint32_t>(record, 4);
  const KindRow& row = kKinds[kind_of(info)];
  each('n', std::size_t{0});
  if (row.third == Third::type) each('t', std::size_t{8});
  std::size_t at = kHeaderBytes;
  auto walk = [&](std::string_view meanings) {
    for (char meaning : meanings) {
      if (meaning != '.') each(meaning, at);
      at += 4;
    }
  };
  walk(row.once);
  if (!row.each.empty())
    for (std::uint32_t i = 0; i < vlen_of(info); ++i) walk(row.each);
}

}  // namespace espy::btf
