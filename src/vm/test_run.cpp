#include "vm/test_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <optional>

namespace espy::vm {
namespace {

// A context as large as any that the kernel hands to programs which read it as it is.
constexpr std::size_t kRawContextBytes = 512;

}  // namespace

Result<TestRunResult> test_run(const Program& program, const TestRun& run) {
  if (run.repeat == 0) return fail(ErrorKind::invalid_argument, "a program runs at least once");
  std::optional<Packet> packet;
  std::vector<std::uint64_t> raw;
  RunInput input{.budget = run.budget};
  input.print = run.print;
  if (context_layout(program.spec().type) != nullptr) {
    packet = TRY(Packet::make(program.spec().type, run.data_in, run.ctx_in));
    input.packet = &*packet;
  } else {
    if (!run.data_in.empty()) return fail(ErrorKind::invalid_argument, "program `{}` takes no packet", program.name());
    input.context_bytes = std::max(run.ctx_in.size(), run.ctx_in.empty() ? kRawContextBytes : 0);
    raw.resize((input.context_bytes + 7) / 8);
    std::ranges::copy(run.ctx_in, reinterpret_cast<std::byte*>(raw.data()));
    input.context = raw.data();
  }
  TestRunResult result;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint32_t i = 0; i < run.repeat; ++i) {
    const RunResult one = TRY(program.run(input));
    result.retval = static_cast<std::uint32_t>(one.value);
    result.instructions = one.instructions;
  }
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
  result.duration_ns = static_cast<std::uint32_t>(std::min<std::uint64_t>(static_cast<std::uint64_t>(took) / run.repeat, UINT32_MAX));
  if (packet) {
    result.data_out = packet->output();
    if (!run.ctx_in.empty()) result.ctx_out = packet->context_output();
    result.redirects = packet->redirects();
  } else if (!run.ctx_in.empty()) {
    const auto* bytes = reinterpret_cast<const std::byte*>(raw.data());
    result.ctx_out.assign(bytes, bytes + run.ctx_in.size());
  }
  return result;
}

}  // namespace espy::vm
