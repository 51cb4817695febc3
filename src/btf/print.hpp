// Types as C: one declaration, or all of a Btf as a header that compiles (vmlinux.h).
#pragma once

#include <string>
#include <string_view>

#include "btf/btf.hpp"

namespace espy::btf {

/// A declaration of `name` with this type: "char comm[16]", "int (*handler)(struct pt_regs *)".
std::string declaration(const Btf& btf, TypeId id, std::string_view name);

/// The definition of one type as C, without those it depends on: "struct event {\n\tint pid;\n…};".
std::string definition(const Btf& btf, TypeId id);

/// All types in an order that compiles, with padding, packing and alignment kept, guarded and with
/// preserve_access_index, as `bpftool btf dump format c` does.
std::string header(const Btf& btf);

}  // namespace espy::btf
