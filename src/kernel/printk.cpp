#include "kernel/printk.hpp"

#include "base/text.hpp"
#include "kernel/perf_ring.hpp"
#include "probe/tracefs.hpp"

namespace espy::kernel {

namespace {

constexpr std::string_view kField = "bpf_string;";
constexpr std::size_t kPidOffset = 4;   // common_pid, after common_type, common_flags and common_preempt_count
constexpr std::size_t kPages = 16;

// Where the event keeps the text's location, from "field:__data_loc char[] bpf_string; offset:8; size:4; …".
Result<std::size_t> text_field(std::string_view format) {
  std::size_t at = format.find(kField);
  if (at == std::string_view::npos) return fail(ErrorKind::unsupported, "the event bpf_trace:bpf_trace_printk has no field bpf_string");
  std::string_view rest = trim(format.substr(at + kField.size()));
  constexpr std::string_view kOffset = "offset:";
  if (rest.starts_with(kOffset)) rest.remove_prefix(kOffset.size());
  auto offset = parse_number<std::uint16_t>(rest.substr(0, rest.find(';')));
  if (!offset) return fail(ErrorKind::malformed, "the event bpf_trace:bpf_trace_printk: its format says no offset of bpf_string");
  return *offset;
}

}  // namespace

struct PrintkReader::Impl {
  std::vector<PerfRing> rings;
  std::vector<std::byte> joined;
  std::size_t text_at = 0;      // of {u16 offset, u16 length} in the raw event
};

PrintkReader::PrintkReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PrintkReader::PrintkReader(PrintkReader&&) noexcept = default;
PrintkReader& PrintkReader::operator=(PrintkReader&&) noexcept = default;
PrintkReader::~PrintkReader() = default;

Result<PrintkReader> PrintkReader::open() {
  probe::Tracefs tracefs = TRY(probe::Tracefs::open());
  auto impl = std::make_unique<Impl>();
  impl->text_at = TRY(text_field(TRY(tracefs.read("events/bpf_trace/bpf_trace_printk/format"))));
  perf_event_attr attr{};
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = TRY(probe::tracepoint_id(tracefs, "bpf_trace", "bpf_trace_printk"));
  attr.sample_type = PERF_SAMPLE_RAW;
  attr.sample_period = 1;
  attr.wakeup_events = 1;
  for (unsigned cpu : TRY(online_cpus())) impl->rings.push_back(TRY(PerfRing::open(attr, cpu, kPages)));
  return PrintkReader(std::move(impl));
}

Result<std::size_t> PrintkReader::drain(const std::function<void(const PrintkLine&)>& sink) {
  std::size_t lines = 0;
  auto event = [&](Bytes raw) {
    if (raw.size() < impl_->text_at + 4 || raw.size() < kPidOffset + 4) return true;
    std::size_t at = load<std::uint16_t>(raw, impl_->text_at), length = load<std::uint16_t>(raw, impl_->text_at + 2);
    if (at > raw.size() || length > raw.size() - at) return true;
    std::string_view message(reinterpret_cast<const char*>(raw.data()) + at, length);
    message = message.substr(0, message.find('\0'));
    if (message.ends_with('\n')) message.remove_suffix(1);
    auto pid = load<std::int32_t>(raw, kPidOffset);
    auto comm = read_text_file(fmt::format("/proc/{}/comm", pid));
    sink({.pid = pid, .comm = comm ? trim(*comm) : std::string_view(), .message = message});
    ++lines;
    return true;
  };
  for (PerfRing& ring : impl_->rings)
    if (ring.consume(event, impl_->joined).malformed) return fail(ErrorKind::malformed, "bpf_printk: a record's size is not what its ring holds");
  return lines;
}

std::vector<int> PrintkReader::fds() const {
  std::vector<int> fds;
  for (const PerfRing& ring : impl_->rings) fds.push_back(ring.fd());
  return fds;
}

std::uint64_t PrintkReader::lost() const {
  std::uint64_t lost = 0;
  for (const PerfRing& ring : impl_->rings) lost += ring.lost();
  return lost;
}

}  // namespace espy::kernel
