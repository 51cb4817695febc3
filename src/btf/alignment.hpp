// Alignment, which BTF does not store: derived from the members, and from where they are.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "btf/btf.hpp"

namespace espy::btf {

/// Alignments of the types of one Btf, each found once. A struct with a member where its alignment does not want it, a
/// bit-field across the border of its type, or a size that is no multiple of its alignment, is packed.
class Alignments {
 public:
  explicit Alignments(const Btf& btf) : btf_(btf) {}

  std::uint32_t of(TypeId id) { return of(id, 0); }  ///< in bytes; 0 where a type has none
  bool packed(const Type& composite);

 private:
  std::uint32_t of(TypeId id, int depth);
  std::uint32_t of_members(const Type& composite, int depth, bool& packed);

  const Btf& btf_;
  std::unordered_map<std::uint32_t, std::uint32_t> known_;  // of structs and unions; 0 while one is being found
};

}  // namespace espy::btf
