// The little that we take from libdw, made safe: iteration that always goes forward, attributes that may be absent.
// Only the dwarf*.cpp files include this.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace espy::symbol::die {

inline constexpr std::size_t kChildrenLimit = 1 << 20;   ///< of one entry
inline constexpr int kDepthLimit = 64;                   ///< of scopes in one another

/// Calls `each(Dwarf_Die&)` for the children of an entry, until it returns false. A sibling that lies before (which only a
/// broken file has) ends them.
template <typename Each>
void for_each_child(Dwarf_Die& parent, Each each) {
  Dwarf_Die child;
  if (dwarf_child(&parent, &child) != 0) return;
  for (std::size_t count = 0; count < kChildrenLimit && each(child); ++count) {
    Dwarf_Die next;
    if (dwarf_siblingof(&child, &next) != 0 || dwarf_dieoffset(&next) <= dwarf_dieoffset(&child)) return;
    child = next;
  }
}

/// The name, of what an entry completes if it has none itself.
std::string_view name(Dwarf_Die& die);
/// An attribute that is a number, followed through specifications and abstract origins.
std::optional<std::uint64_t> number(Dwarf_Die& die, unsigned attribute);
/// An attribute that is a number and may be negative.
std::optional<std::int64_t> signed_number(Dwarf_Die& die, unsigned attribute);
bool flag(Dwarf_Die& die, unsigned attribute);
std::string_view text(Dwarf_Die& die, unsigned attribute);
/// The entry that an attribute refers to.
std::optional<Dwarf_Die> reference(Dwarf_Die& die, unsigned attribute);
/// The type, complete where the file has it (a declaration may only name it by signature). nullopt: void.
std::optional<Dwarf_Die> type(Dwarf_Die& die);
/// Elements of an array, one number for each dimension; 0: not known.
std::vector<std::uint32_t> dimensions(Dwarf_Die& array);
/// The parameters of a function or function type; an invalid last one (tag DW_TAG_unspecified_parameters) for `...`.
std::vector<Dwarf_Die> parameters(Dwarf_Die& function);

}  // namespace espy::symbol::die
