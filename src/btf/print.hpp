// Types as C: one declaration, or all of a Btf as a header that compiles (vmlinux.h).
#pragma once

#include <string>
#include <string_view>

#include "btf/btf.hpp"

namespace espy::btf {

/// A declaration of `name` with this type: "char comm[16]", "int (*handler)(struct pt_regs *)".
std::string declaration(const Btf& btf, TypeId id, std::string_view name);

/// The definition of one type as C, without those it depends on: "struct event {\n\tint pid;\n…};". Members that have no
/// name of their own type are expanded in place. Empty for types that C does not define (pointers, arrays, functions).
std::string definition(const Btf& btf, TypeId id);

enum class Kfuncs : bool { omitted, declared };

/// All types (a split Btf's own, and those of the base that they need) in an order that compiles, with padding, packing and
/// alignment kept, guarded and with preserve_access_index, as `bpftool btf dump format c` does. Types and enumerators whose
/// names were taken get the suffix ___2, ___3 and so on, which CO-RE ignores. With Kfuncs::declared also the prototypes of
/// all functions that the kernel marks as kfuncs, as weak externs.
std::string header(const Btf& btf, Kfuncs kfuncs = Kfuncs::omitted);

}  // namespace espy::btf
