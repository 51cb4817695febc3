// test_run: what BPF_PROG_TEST_RUN does, in this process and without privileges.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "vm/context/packet.hpp"
#include "vm/object.hpp"

namespace espy::vm {

struct TestRun {
  /// The packet, for packet programs (at least an Ethernet header); others take none.
  std::vector<std::byte> data_in;
  /// Packet programs: as Packet::make takes it. Others: the context's bytes, as the program will read and write them.
  std::vector<std::byte> ctx_in;
  std::uint32_t repeat = 1;               ///< runs, one after the other on the same packet
  std::uint64_t budget = std::uint64_t{1} << 32;   ///< instructions of one run
  std::function<void(std::string_view)> print = {};
};

struct TestRunResult {
  std::uint32_t retval = 0;               ///< of the last run
  std::uint32_t duration_ns = 0;          ///< average of one run
  std::uint64_t instructions = 0;         ///< of the last run
  std::vector<std::byte> data_out, ctx_out;
  std::vector<Redirect> redirects;        ///< where the runs sent the packet
};

/// Runs the program. An error is a run that faulted, or input that makes no sense.
Result<TestRunResult> test_run(const Program& program, const TestRun& run);

}  // namespace espy::vm
