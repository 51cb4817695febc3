// Which stack slot an address is of, and which slots' addresses go where they cannot be followed.
#pragma once

#include <optional>
#include <vector>

#include "ir/ir.hpp"

namespace espy::ir {

/// An address in a slot. Without an offset: somewhere in it.
struct SlotAddress {
  std::uint32_t slot = kNoId;                 ///< kNoId: in none that can be told
  std::optional<std::int64_t> offset = 0;
};

/// Slots whose address is only used to access them, to compute addresses in them, to be compared, and as an argument of
/// calls. What such a slot holds changes only by accesses whose address `slot_address` follows to it, and by calls that
/// are given such an address. The others are wild.
class SlotUses {
 public:
  explicit SlotUses(const Function& function);

  bool wild(std::uint32_t slot) const { return wild_[slot]; }
  /// Of a slot that is not wild; else slot is kNoId.
  SlotAddress address(ValueId pointer) const;

 private:
  void escape(ValueId id);
  void see(const Inst& inst);

  const Function& f_;
  std::vector<bool> wild_;
};

}  // namespace espy::ir
