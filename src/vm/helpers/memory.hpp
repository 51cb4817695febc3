// Copies from memory that may not be there.
#pragma once

#include <cstddef>
#include <cstdint>

namespace espy::vm {

/// false: some of it cannot be read.
bool copy_from(void* to, std::uint64_t from, std::size_t size);
/// Copies up to the NUL, which the result has; gives how many bytes that are with it, or -EFAULT.
long copy_string_from(char* to, std::size_t size, std::uint64_t from);

}  // namespace espy::vm
