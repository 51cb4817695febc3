// What follows from a type: what it resolves to, its size and alignment, its name. Every walk here is bounded, because the
// ids of foreign bytes may form any graph.
#include <algorithm>
#include <bit>

#include "btf/alignment.hpp"
#include "btf/impl.hpp"

namespace espy::btf {
namespace {

constexpr int kMaxDepth = 32;  // as many references as libbpf and the kernel follow

bool is_modifier(Kind kind) {
  return kind == Kind::typedef_ || kind == Kind::volatile_ || kind == Kind::const_ || kind == Kind::restrict_ || kind == Kind::type_tag;
}

bool has_size(Kind kind) { return kKinds[static_cast<std::size_t>(kind)].third == Third::size; }

}  // namespace

Type Btf::resolve(TypeId id) const {
  for (int depth = 0; depth <= kMaxDepth; ++depth) {
    const Type here = type(id);
    if (!is_modifier(here.kind())) return here;
    id = here.target();
  }
  return type(kVoid);
}

Result<std::uint32_t> Btf::size_of(TypeId id) const {
  std::uint64_t count = 1;
  for (int depth = 0; depth <= kMaxDepth; ++depth) {
    const Type here = TRY(find(id));
    std::uint64_t size = 0;
    if (has_size(here.kind())) {
      size = here.size();
    } else if (here.kind() == Kind::ptr) {
      size = pointer_size();
    } else if (is_modifier(here.kind()) || here.kind() == Kind::var || here.kind() == Kind::decl_tag) {
      id = here.target();
      continue;
    } else if (here.kind() == Kind::array) {
      count *= here.array().count;
      if (count > UINT32_MAX) break;
      id = here.array().element;
      continue;
    } else {
      return fail(ErrorKind::invalid_argument, "{}: type {}, a {}, has no size", origin(), static_cast<std::uint32_t>(id), to_string(here.kind()));
    }
    if (size * count > UINT32_MAX) break;
    return static_cast<std::uint32_t>(size * count);
  }
  return fail(ErrorKind::malformed, "{}: the size of type {} does not fit 32 bits, or its references never end", origin(),
              static_cast<std::uint32_t>(id));
}

Result<std::uint32_t> Btf::align_of(TypeId id) const {
  const Type outer = TRY(find(id));
  const std::uint32_t found = Alignments(*this).of(outer.kind() == Kind::var ? outer.target() : id);
  if (found == 0)
    return fail(ErrorKind::invalid_argument, "{}: type {}, a {}, has no alignment", origin(), static_cast<std::uint32_t>(id), to_string(outer.kind()));
  return found;
}

std::uint32_t Alignments::of(TypeId id, int depth) {
  if (depth > 4 * kMaxDepth) return 0;
  const Type type = btf_.resolve(id);
  switch (type.kind()) {
    case Kind::ptr: return btf_.pointer_size();
    case Kind::int_:
    case Kind::float_:
    case Kind::enum_:
    case Kind::enum64: {
      // 16-byte integers and floats align to 16 on the 64-bit targets; where pointers have 4 bytes, to no more than 4.
      const std::uint32_t most = btf_.pointer_size() == 8 ? 16 : 4;
      return type.size() == 0 ? 0 : std::min(most, std::bit_floor(type.size()));
    }
    case Kind::array: return of(type.array().element, depth + 1);
    case Kind::struct_:
    case Kind::union_: {
      const auto [at, added] = known_.try_emplace(static_cast<std::uint32_t>(type.id()), 0);
      if (!added) return at->second;
      bool packed = false;
      const std::uint32_t found = of_members(type, depth, packed);
      return known_[static_cast<std::uint32_t>(type.id())] = packed ? 1 : found;
    }
    default: return 0;
  }
}

std::uint32_t Alignments::of_members(const Type& composite, int depth, bool& packed) {
  std::uint32_t most = 1;
  for (std::uint32_t i = 0; i < composite.vlen(); ++i) {
    const Member member = composite.member(i);
    const std::uint32_t own = of(member.type, depth + 1);
    if (own == 0) return 0;
    if (member.bitfield_size == 0) {
      packed = packed || member.bit_offset % (8 * own) != 0;
    } else if (const std::uint64_t unit = std::uint64_t{btf_.resolve(member.type).size()} * 8; unit != 0) {
      packed = packed || member.bit_offset % unit + member.bitfield_size > unit;
    }
    most = std::max(most, own);
  }
  packed = packed || composite.size() % most != 0;
  return most;
}

bool Alignments::packed(const Type& composite) {
  bool packed = false;
  of_members(composite, 0, packed);
  return packed;
}

}  // namespace espy::btf
