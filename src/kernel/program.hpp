// A program that lives in the kernel.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "object/link.hpp"

namespace espy::kernel {

/// Run-time statistics, counted while they are enabled (enable_stats).
struct ProgramStats {
  std::uint64_t run_count = 0, run_time_ns = 0;
  std::uint64_t recursion_misses = 0;   ///< runs skipped because the program was already running on that CPU
  std::uint32_t jited_bytes = 0, xlated_bytes = 0, verified_insns = 0;
};

struct TestRun {
  std::vector<std::byte> data_in, ctx_in;
  std::size_t data_out_size = 0;        ///< bytes of room for the packet afterwards
  std::uint32_t repeat = 1;
  std::uint32_t flags = 0, cpu = 0, batch_size = 0;
};
struct TestRunResult {
  std::uint32_t retval = 0;
  std::uint32_t duration_ns = 0;        ///< average of one run; with the call into the kernel where it does not measure
  std::vector<std::byte> data_out;
  std::vector<std::byte> ctx_out;       ///< the context afterwards, where one was given
  std::uint32_t data_size = 0;          ///< bytes the packet has, though data_out may hold fewer
};

class Program {
 public:
  Program(UniqueFd fd, object::ProgramSpec spec, std::uint32_t attach_btf_id, int attach_btf_fd)
      : fd_(std::move(fd)), spec_(std::move(spec)), attach_btf_id_(attach_btf_id), attach_btf_fd_(attach_btf_fd) {}

  int fd() const { return fd_.get(); }
  const std::string& name() const { return spec_.name; }
  /// What it was loaded from: type, attach type, target.
  const object::ProgramSpec& spec() const { return spec_; }
  /// What it was loaded to be attached to (fentry, LSM, iterators …): a type of vmlinux (descriptor 0) or of the module
  /// or program whose descriptor this is; the Object owns it.
  std::uint32_t attach_btf_id() const { return attach_btf_id_; }
  int attach_btf_fd() const { return attach_btf_fd_; }

  /// BPF_PROG_TEST_RUN. Program types the kernel cannot test-run give `unsupported`.
  Result<TestRunResult> test_run(const TestRun& run) const;
  Result<ProgramStats> stats() const;
  /// The number by which the kernel and its tools know it.
  Result<std::uint32_t> id() const;
  Result<void> pin(const std::string& path) const;

 private:
  UniqueFd fd_;
  object::ProgramSpec spec_;
  std::uint32_t attach_btf_id_ = 0;
  int attach_btf_fd_ = 0;
};

/// A loaded program: pinned at this path, or of this number ("12").
Result<UniqueFd> open_program(const std::string& path_or_id);

/// Counts run time and runs of all programs while the descriptor is open (BPF_ENABLE_STATS, 5.8). Before that there is
/// the sysctl kernel.bpf_stats_enabled, which is set and stays: the descriptor is empty then.
Result<UniqueFd> enable_stats();

}  // namespace espy::kernel
