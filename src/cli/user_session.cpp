#include "cli/user_session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/text.hpp"
#include "cli/open.hpp"
#include "cli/signals.hpp"
#include "cli/user_programs.hpp"

namespace espy::cli {
namespace {

constexpr std::size_t kPerfBytes = 1 << 20;   // of a CPU's records
constexpr std::size_t kBatch = 64;            // packets between two looks at records

Result<void> append(const UniqueFd& file, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_sys(errno, "write the packet capture");
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

std::uint64_t wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Result<UserSession> UserSession::start(object::ObjectSpec spec, UserOptions options) {
  UserSession session(std::move(options));
  session.signals_ = TRY(catch_signals());
  TRY(session.load(std::move(spec)));
  TRY(session.choose_programs());
  TRY(session.open_outputs());
  return session;
}

Result<void> UserSession::load(object::ObjectSpec spec) {
  fill_sizes(spec);
  // The kernel's types where it tells of them: elsewhere, programs that want them cannot be linked.
  auto target = kernel::running_target();
  const object::Target types = target ? std::move(*target) : object::Target{};
  object::LinkedObject linked = TRY(object::link(std::move(spec), types, {.programs = options_.common.programs}));
  if (options_.way.verify) TRY(verify_first(linked, types));
  object_ = TRY(vm::Object::load(std::move(linked), options_.way.tier));
  return {};
}

Result<void> UserSession::choose_programs() {
  for (const vm::Program& program : object_->programs()) {
    auto told = options_.common.attach.find(program.name());
    auto probe = told == options_.common.attach.end() ? probe::probe_of(program.spec(), options_.common.probe)
                                                      : probe::parse(told->second, program.spec(), options_.common.probe);
    if (program.spec().type == facts::ProgType::perf_event) {
      timed_.emplace_back(&program, sampling_rate(TRY(std::move(probe))));
    } else if (vm::context_layout(program.spec().type) == nullptr) {
      return std::unexpected(Error{.kind = ErrorKind::unsupported, .message = fmt::format("program `{}` hangs on the kernel: only programs on packets and perf_event programs run in user space", program.name()),
                                   .hint = "--prog NAME chooses one that can; --engine kernel runs them all"});
    } else if (packet_program_ != nullptr) {
      return fail(ErrorKind::invalid_argument, "`{}` and `{}` both take packets: choose one with --prog", packet_program_->name(), program.name());
    } else {
      packet_program_ = &program;
      interface_ = options_.common.probe.interface;
      if (interface_.empty() && probe) interface_ = interface_of(*probe);
    }
  }
  if (packet_program_ != nullptr && options_.pcap_in.empty() && interface_.empty()) {
    return std::unexpected(Error{.kind = ErrorKind::invalid_argument, .message = fmt::format("where do the packets of `{}` come from?", packet_program_->name()),
                                 .hint = "--pcap-in FILE or --iface DEV"});
  }
  if (packet_program_ == nullptr && (!options_.pcap_in.empty() || !options_.pcap_out.empty())) return fail(ErrorKind::invalid_argument, "no program of the object takes packets");
  if (packet_program_ == nullptr && timed_.empty()) return fail(ErrorKind::invalid_argument, "the object has no program to run");
  return {};
}

Result<void> UserSession::open_outputs() {
  const render::ValueOptions values{.wall_offset_ns = render::wall_clock_offset()};
  auto sink = render::to_descriptor(STDOUT_FILENO);
  output_ = options_.common.json ? render::json_output(sink, values) : render::terminal_output(sink, values, {.colours = render::wants_colours(STDOUT_FILENO)});
  const auto& maps = object_->spec().maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const std::shared_ptr<vm::Map> map = object_->maps()[i];
    if (map == nullptr || !kernel::carries_records(maps[i].type)) continue;
    if (auto* events = dynamic_cast<vm::PerfEventArray*>(map.get())) TRY(events->open_all(kPerfBytes));
    auto type = options_.common.types.find(maps[i].name);
    const kernel::RecordChoice choice = TRY(kernel::choose_record_types(object_->spec(), maps[i], type == options_.common.types.end() ? "" : type->second));
    streams_.emplace_back(map, output_->add_stream(choice.format));
    lost_.push_back(0);
  }
  if (options_.pcap_out.empty()) return {};
  pcap_ = TRY(open_file(options_.pcap_out, O_WRONLY | O_CREAT | O_TRUNC));
  return append(pcap_, writer_.take());
}

Result<std::optional<vm::Verdict>> UserSession::run_packet(const vm::CapturedPacket& captured) {
  ++packets_;
  auto filled = packet_ ? packet_->refill(captured.data) : Result<void>();
  if (!packet_) {
    auto made = vm::Packet::make(packet_program_->spec().type, captured.data);
    if (made) packet_ = std::move(*made);
    else filled = std::unexpected(made.error());
  }
  if (!filled) return ++too_short_, std::nullopt;
  vm::RunInput input{.packet = &*packet_};
  input.print = [this](std::string_view text) { output_->printk("espy", ::getpid(), text); };
  auto result = packet_program_->run(input);
  if (!result) return std::unexpected(wrap(result.error(), fmt::format("packet {}", packets_)));
  value_ = static_cast<std::uint32_t>(result->value);
  const vm::Verdict verdict = vm::verdict_of(packet_program_->spec().type, value_);
  ++verdicts_[static_cast<std::size_t>(verdict)];
  if (pcap_ && verdict != vm::Verdict::drop && verdict != vm::Verdict::abort) TRY(write_out(captured));
  return verdict;
}

// What the program left of the packet; for programs that do not see the link header, the packet as it came.
Result<void> UserSession::write_out(const vm::CapturedPacket& captured) {
  vm::CapturedPacket left = captured;
  const bool whole = packet_->is_xdp() || packet_->link_header_bytes() != 0;
  if (whole) left.data = packet_->data(), left.original_bytes = 0;
  writer_.add(left);
  return append(pcap_, writer_.take());
}

Result<void> UserSession::show_records() {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto& [map, stream] = streams_[i];
    std::uint64_t lost = 0;
    if (auto* ring = dynamic_cast<vm::RingBuffer*>(map.get())) {
      ring->consume([&, stream = stream](Bytes record) { return output_->record(stream, record), true; });
      lost = ring->refused();
    } else if (auto* events = dynamic_cast<vm::PerfEventArray*>(map.get())) {
      events->consume([&, stream = stream](std::uint32_t, Bytes record) { return output_->record(stream, record), true; });
      lost = events->lost();
    }
    if (lost > lost_[i]) output_->lost(map->attributes().name, lost - std::exchange(lost_[i], lost));
  }
  return output_->flush();
}

Result<bool> UserSession::wait(std::span<const int> descriptors) {
  using namespace std::chrono;
  std::vector<pollfd> polled{{.fd = signals_.get(), .events = POLLIN, .revents = 0}};
  for (int fd : descriptors) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  milliseconds timeout(1000);
  if (options_.common.duration) {
    const auto left = *options_.common.duration - duration_cast<milliseconds>(steady_clock::now() - begun_);
    if (left.count() <= 0) return false;
    timeout = std::min(timeout, left);
  }
  if (::poll(polled.data(), polled.size(), static_cast<int>(timeout.count())) < 0 && errno != EINTR) return fail_sys(errno, "wait for packets");
  return (polled[0].revents & POLLIN) == 0;
}

Result<void> UserSession::run_file() {
  file_ = TRY(read_file(options_.pcap_in, std::size_t{8} << 30));
  auto reader = vm::PcapReader::open(file_);
  if (!reader) return std::unexpected(wrap(reader.error(), options_.pcap_in));
  for (;;) {
    auto captured = reader->next();
    if (!captured) return std::unexpected(wrap(captured.error(), options_.pcap_in));
    if (!*captured) return {};
    TRY(run_packet(**captured));
    if (packets_ % kBatch == 0) {
      TRY(show_records());
      pollfd interrupted{.fd = signals_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&interrupted, 1, 0) > 0) return {};
    }
  }
}

Result<void> UserSession::run_live() {
  LiveLinks links = TRY(open_links(interface_, options_.via, packet_program_->spec().type));
  if (links.takes_packets) {
    fmt::print(stderr, "espy: warning: while this runs, packets of {} come here and not to the host\n  hint: --via packet looks at copies of them\n", interface_);
  }
  std::vector<int> descriptors;
  for (const auto& link : links.links) descriptors.push_back(link->descriptor());
  while (TRY(wait(descriptors))) {
    live_lost_ = 0;
    for (const auto& link : links.links) {
      Result<void> outcome;
      TRY(link->receive([&](Bytes frame) {
        if (!outcome) return;
        auto verdict = run_packet({.time_ns = wall_clock(), .original_bytes = static_cast<std::uint32_t>(frame.size()), .data = frame});
        if (!verdict) outcome = std::unexpected(verdict.error());
        else if (*verdict) outcome = forward(links, *link, **verdict, *packet_, unsent_);
      }, kBatch));
      TRY(outcome);
      live_lost_ += TRY(link->lost());
    }
    TRY(show_records());
  }
  return {};
}

Result<void> UserSession::run_timers() {
  std::vector<UniqueFd> timers;
  std::vector<int> descriptors;
  for (const auto& [program, rate] : timed_) {
    timers.push_back(TRY(sampling_timer(rate)));
    descriptors.push_back(timers.back().get());
  }
  while (TRY(wait(descriptors))) {
    for (std::size_t i = 0; i < timed_.size(); ++i) {
      const std::uint64_t due = expirations(timers[i]);
      if (due == 0) continue;
      ++samples_;
      TRY(run_sample(*timed_[i].first, timed_[i].second, [this](std::string_view text) { output_->printk("espy", ::getpid(), text); }));
    }
    TRY(show_records());
  }
  return {};
}

Result<void> UserSession::observe() {
  begun_ = std::chrono::steady_clock::now();
  if (!options_.pcap_in.empty()) return run_file();
  return packet_program_ != nullptr ? run_live() : run_timers();
}

std::string UserSession::summary() const {
  if (packet_program_ == nullptr) return fmt::format("{} sample{}\n", samples_, samples_ == 1 ? "" : "s");
  std::string text = fmt::format("{} packet{}", packets_, packets_ == 1 ? "" : "s");
  std::string_view before = ": ";
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count == 0) return;
    text += fmt::format("{}{} {}", before, count, what);
    before = ", ";
  };
  for (std::size_t i = 0; i < vm::kVerdicts; ++i) add(verdicts_[i], vm::to_string(static_cast<vm::Verdict>(i)));
  add(too_short_, "too short or too long to run on");
  add(unsent_, "not sent");
  add(live_lost_, "lost before they came");
  return text + "\n";
}

Result<void> UserSession::show_contents() {
  const auto& maps = object_->spec().maps;
  const auto& wanted = options_.common.maps;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const object::MapIdx index{static_cast<std::uint32_t>(i)};
    const std::shared_ptr<vm::Map> map = object_->maps()[i];
    if (map == nullptr || (!wanted.empty() && std::ranges::find(wanted, maps[i].name) == wanted.end())) continue;
    if (maps[i].is_data()) {
      const bool constant = maps[i].origin == object::MapOrigin::rodata || maps[i].origin == object::MapOrigin::kconfig;
      const render::Shape shape = kernel::section_shape(object_->spec(), index);
      if (shape.root().fields.empty() || (constant && !options_.common.json && wanted.empty())) continue;
      const std::uint32_t zero = 0;
      auto value = TRY(map->read(bytes_of(zero)));
      if (value) output_->data(maps[i].name, shape, *value);
    } else if (kernel::has_contents(maps[i].type)) {
      output_->map(TRY(view_user_map(object_->spec(), index, *map)));
    }
  }
  return {};
}

Result<void> UserSession::finish() {
  TRY(show_records());
  const std::string_view name = packet_program_ != nullptr ? packet_program_->name() : timed_.front().first->name();
  output_->text(name, summary());
  TRY(show_contents());
  auto written = output_->flush();
  if (!written && written.error().sys != EPIPE) return written;
  return {};
}

}  // namespace espy::cli
