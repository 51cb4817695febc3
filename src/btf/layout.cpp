// What follows from a type: what it resolves to, its size and alignment, its name. Every walk here is bounded, because the
// ids of foreign bytes may form any graph.
#include <algorithm>

#include "btf/impl.hpp"

namespace espy::btf {
namespace {

constexpr int kMaxDepth = 32;  // as many references as libbpf and the kernel follow

bool is_modifier(Kind kind) {
  return kind == Kind::typedef_ || kind == Kind::volatile_ || kind == Kind::const_ || kind == Kind::restrict_ || kind == Kind::type_tag;
}

bool has_size(Kind kind) { return kKinds[static_cast<std::size_t>(kind)].third == Third::size; }

/// Alignment, 0 where the type has none. `budget` bounds the types visited, since members of members fan out.
std::uint32_t alignment(const Btf& btf, TypeId id, int depth, int& budget) {
  if (depth > kMaxDepth || --budget < 0) return 0;
  const Type type = btf.resolve(id);
  switch (type.kind()) {
    case Kind::ptr: return btf.pointer_size();
    case Kind::int_:
    case Kind::float_:
    case Kind::enum_:
    case Kind::enum64: {
      // 16-byte integers and floats align to 16 on the 64-bit targets; where pointers have 4 bytes, to no more than 4.
      const std::uint32_t most = btf.pointer_size() == 8 ? 16 : 4;
      return type.size() == 0 ? 0 : std::min(most, std::uint32_t{1} << (31 - std::countl_zero(type.size())));
    }
    case Kind::array: return alignment(btf, type.array().element, depth + 1, budget);
    case Kind::struct_:
    case Kind::union_: {
      std::uint32_t most = 1;
      for (std::uint32_t i = 0; i < type.vlen(); ++i) {
        const Member member = type.member(i);
        const std::uint32_t own = alignment(btf, member.type, depth + 1, budget);
        if (own == 0) return 0;
        // A member that is not where its alignment wants it shows a packed struct.
        if (member.bitfield_size == 0 && member.bit_offset % (8 * own) != 0) return 1;
        most = std::max(most, own);
      }
      return type.size() % most != 0 ? 1 : most;
    }
    default: return 0;
  }
}

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
  int budget = 100'000;
  const std::uint32_t found = alignment(*this, outer.kind() == Kind::var ? outer.target() : id, 0, budget);
  if (found == 0)
    return fail(ErrorKind::invalid_argument, "{}: type {}, a {}, has no alignment", origin(), static_cast<std::uint32_t>(id), to_string(outer.kind()));
  return found;
}

}  // namespace espy::btf
