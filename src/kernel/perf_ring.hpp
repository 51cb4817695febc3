// One perf event with its ring of records (perf_event_open(2), "MMAP layout"): a control page, whose data_head the kernel
// advances and whose data_tail we do, and a power of two of data pages. A record starts with {u32 type, u16 misc, u16 size}
// and may wrap around the end.
#pragma once

#include <linux/perf_event.h>

#include <vector>

#include "base/fd.hpp"
#include "kernel/records.hpp"

namespace espy::kernel {

class PerfRing {
 public:
  /// Opens the event on a CPU, for all processes, enabled. For `consume`, `attr` must ask for PERF_SAMPLE_RAW and nothing else; what was
  /// lost is counted by the event itself where the kernel can (6.0), else told by PERF_RECORD_LOST with the next record.
  static Result<PerfRing> open(perf_event_attr attr, unsigned cpu, std::size_t pages);

  struct Progress {
    std::size_t records = 0;
    bool stopped = false, malformed = false;
  };
  /// Hands over the raw data of the samples that are there. `joined` is room for a record that wraps.
  Progress consume(RecordSink sink, std::vector<std::byte>& joined);
  /// Hands over all other records, whole, with their headers (PERF_RECORD_FORK and the like).
  Progress consume_records(RecordSink sink, std::vector<std::byte>& joined);
  std::uint64_t lost() const;
  int fd() const { return event_.get(); }

 private:
  PerfRing() = default;
  const std::byte* join(std::uint64_t at, std::size_t size, std::vector<std::byte>& joined) const;

  UniqueFd event_;
  MappedRegion memory_;
  std::byte* data_ = nullptr;
  std::uint64_t capacity_ = 0;
  bool counts_lost_ = false;
  std::uint64_t lost_told_ = 0;   // by PERF_RECORD_LOST
};

/// CPUs that are running: "0-3,6" of /sys/devices/system/cpu/online.
Result<std::vector<unsigned>> online_cpus();

}  // namespace espy::kernel
