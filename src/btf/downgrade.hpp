// BTF for kernels that do not know all of today's kinds.
#pragma once

#include <cstddef>
#include <vector>

#include "btf/btf.hpp"

namespace espy::btf {

/// What a kernel's BTF parser accepts; the comment says since when.
struct BtfFeatures {
  bool func = true;              ///< func, func_proto: 5.0
  bool datasec = true;           ///< var, datasec: 5.2
  bool func_global = true;       ///< a func's linkage: 5.6
  bool floats = true;            ///< 5.13
  bool decl_tag = true;          ///< 5.16
  bool type_tag = true;          ///< 5.17
  bool enum64 = true;            ///< enum64, and an enum's sign: 6.0
  bool question_mark = true;     ///< a datasec's name with `?`, as SEC("?.struct_ops") makes: 6.11
  bool tag_attributes = true;    ///< tags whose name is a whole attribute: 6.14

  bool operator==(const BtfFeatures&) const = default;
};

/// The blob with what the kernel does not know replaced by what it does, as libbpf does it: types keep their ids and
/// strings their offsets, so that func_info and line_info stay true; sizes stay right, meaning is lost. Native order.
///   func → typedef, func_proto → enum, a global func → static, var and decl_tag → a 1-byte int, datasec → struct,
///   float → an empty struct of its size, type_tag → const, enum64 → union of a placeholder, an enum's sign → none
Result<std::vector<std::byte>> downgraded(const Btf& btf, const BtfFeatures& features);

}  // namespace espy::btf
