// An object's BTF as kernels take it.
//
// Compilers describe what an object uses of others (extern variables and functions, and the sections .kconfig and .ksyms
// that list them) in BTF that no kernel accepts: kernels know only what is defined. So externs become definitions, in a
// copy that is meant for the kernel alone; type ids stay what they were, for function and line information refer to them.
#pragma once

#include <vector>

#include "btf/btf.hpp"

namespace espy::kernel {

/// The blob to upload. Extern variables become allocated ones, those of .ksyms of type int; extern functions become
/// global ones with names for all their parameters, and a variable takes their place in .ksyms. Pure.
std::vector<std::byte> prepare_btf(const btf::Btf& btf);

}  // namespace espy::kernel
