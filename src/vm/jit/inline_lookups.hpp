// Lookups whose map and layout are known become arithmetic, before the passes: so the key need not be in memory, a constant key
// is an address, and its bound is not checked again. Those of maps that have a shorter way than the helper take it.
#pragma once

#include "ir/ir.hpp"
#include "vm/region.hpp"

namespace espy::vm {

/// Calls with this number, and a map's place among the handles added, are of that map's Map::direct_lookup().
inline constexpr std::uint32_t kFirstDirectLookup = 1U << 27;
inline constexpr std::uint32_t kFirstDirectUpdate = 1U << 28;   ///< of its Map::direct_update()

/// `maps`: the handles, sorted, of maps that live as long as the code; what the module passes as a map is one of these numbers.
void inline_lookups(ir::Module& module, std::span<const std::uint64_t> maps);

/// Loads from these regions, whose bytes never change again, become numbers.
void read_constants(ir::Module& module, const Regions& constants);

}  // namespace espy::vm
