// print(@m): the map as it is when the script says so, not when user space gets to it.
//
// The program itself walks over the map and sends each entry, with the values of all CPUs, through the ring in front of the
// record that says "print"; what is in the ring stands in order, so `print(@m); clear(@m)` and what is counted behind them
// does not matter. Rejected: two generations of each map, switched by a word (every update would have to ask which), and
// a second map to copy into (a second lookup and update for each entry, and one print would have to wait for another).
//
// How exact it is: a map without keys is copied in one go. Of a map with keys, other CPUs may change entries while the walk is
// not yet there; an entry is never half of one moment. Where the ring has no room for all entries, or the kernel's programs
// cannot walk through a map (before 5.13; values of CPUs: before 5.19), the map is read when user space sees the record.
#pragma once

#include <cstdint>

namespace espy::trace {

/// What stands behind RecordHeader in the records of print(@m). Behind it, if `parts` says so, an entry: its key (of a scalar
/// map none), padded to 8, and the value of each CPU.
struct MapRecord {
  std::uint64_t top = 0, div = 0;   ///< how it is printed; in the last record
  std::uint64_t parts = 0;          ///< Part bits; 0: the map is to be read now, and what was sent of the snapshot forgotten
  std::uint64_t snapshot = 0;       ///< which snapshot this belongs to, of those that are being sent at the same time
  enum Part : std::uint64_t { entry = 1, last = 2 };
};

/// An entry with the values of all CPUs has at most so many bytes; of maps with larger ones nothing is sent.
inline constexpr std::uint32_t kMostSnapshotEntry = 32 * 1024;

}  // namespace espy::trace
