// Opening probes in user space, for uprobes and USDT.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/attach/families.hpp"

namespace espy::kernel::attaching {

struct UprobePlace {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t semaphore = 0;     ///< offset in the file of a counter that is raised while the probe is there; 0: none
  bool at_return = false;
};
/// The perf event of one probe, of the call's process or of all.
Result<UniqueFd> open_uprobe(const Call& call, const UprobePlace& place);

struct UprobeMultiPlaces {
  std::string path;
  std::vector<std::uint64_t> offsets, semaphores, cookies;   ///< the last two empty, or one for each offset
  enum class At { start, end, both } at = At::start;
};
/// One link for many probes.
Result<UniqueFd> open_uprobe_multi(const Call& call, const UprobeMultiPlaces& places);

}  // namespace espy::kernel::attaching
