// What demangling refuses, so that hostile names cost little.
#pragma once

#include <cstddef>

namespace espy::symbol {

inline constexpr std::size_t kMangledLimit = 4096;       ///< bytes of a mangled name
inline constexpr std::size_t kDemangledLimit = 16384;    ///< bytes of what it becomes
inline constexpr unsigned kDemangleDepth = 200;          ///< nested types and paths
inline constexpr unsigned kDemangleSteps = 20000;        ///< back references make a short name long

}  // namespace espy::symbol
