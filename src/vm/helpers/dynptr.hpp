// Dynamic pointers, as they lie on a program's stack.
#pragma once

#include <cstdint>

namespace espy::vm {

struct Dynptr {
  std::uint64_t data = 0;      ///< 0: a null one
  std::uint32_t size = 0;
  std::uint32_t kind = 0;
};
static_assert(sizeof(Dynptr) == 16);

inline constexpr std::uint32_t kRecordDynptr = 1, kReadOnlyDynptr = 2;

}  // namespace espy::vm
