// One run of an object in this process: `espy run --engine user`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "cli/verify_first.hpp"
#include "espy/vm.hpp"

namespace espy::cli {

enum class Via { any, xdp, packet };

struct UserOptions {
  SessionOptions common;
  std::string pcap_in, pcap_out;
  Via via = Via::any;
  UserWay way;
};

/// Programs on packets of a file or of an interface, or on a timer; their records as they come, and their maps when it ends.
class UserSession {
 public:
  static Result<UserSession> start(object::ObjectSpec spec, UserOptions options);
  Result<void> observe();
  Result<void> finish();
  bool has_run() const { return packets_ + samples_ != 0; }

 private:
  explicit UserSession(UserOptions options) : options_(std::move(options)) {}
  Result<void> load(object::ObjectSpec spec);
  Result<void> choose_programs();
  Result<void> open_outputs();
  Result<void> run_file();
  Result<void> run_live();
  Result<void> run_timers();
  Result<void> show_records();
  Result<void> show_contents();
  /// Waits for these descriptors, the end of the run, or an interrupt; false: it is over.
  Result<bool> wait(std::span<const int> descriptors);
  /// Runs the packet program on a frame; nullopt: the frame is none it can take.
  Result<std::optional<vm::Verdict>> run_packet(const vm::CapturedPacket& captured);
  Result<void> write_out(const vm::CapturedPacket& captured);
  std::string summary() const;

  UserOptions options_;
  UniqueFd signals_, pcap_;
  std::unique_ptr<vm::Object> object_;
  const vm::Program* packet_program_ = nullptr;
  std::vector<std::pair<const vm::Program*, std::uint64_t>> timed_;   // and how often a second, in thousandths
  std::string interface_;
  std::optional<vm::Packet> packet_;
  vm::PcapWriter writer_;
  std::vector<std::byte> file_;
  std::uint64_t packets_ = 0, too_short_ = 0, unsent_ = 0, samples_ = 0, live_lost_ = 0;
  std::array<std::uint64_t, vm::kVerdicts> verdicts_{};
  std::uint32_t value_ = 0;                             // that the last run returned
  std::chrono::steady_clock::time_point begun_{};
  std::unique_ptr<render::Output> output_;
  std::vector<std::pair<std::shared_ptr<vm::Map>, render::StreamId>> streams_;
  std::vector<std::uint64_t> lost_;                     // by stream, that were told
};

}  // namespace espy::cli
