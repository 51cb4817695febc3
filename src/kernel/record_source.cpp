#include "kernel/record_source.hpp"

#include <algorithm>
#include <optional>
#include <variant>

#include "base/text.hpp"
#include "kernel/records.hpp"

namespace espy::kernel {

namespace {

constexpr std::uint32_t kForeignToken = ~0U;   // of a descriptor that is not ours to read

// A global variable in which a program counts the records it could not write.
struct LossCounter {
  std::string variable;
  std::string map;            // which lost them
  std::uint64_t told = 0;
};

// The map that a counter's name speaks of: nullopt, it is no counter; empty, it does not say.
std::optional<std::string_view> counted_map(std::string_view name) {
  for (std::string_view word : {"dropped", "drops", "lost"}) {
    if (name == word) return "";
    if (name.starts_with(word) && name[word.size()] == '_') return name.substr(word.size() + 1);
    if (name.ends_with(word) && name.size() > word.size() && name[name.size() - word.size() - 1] == '_')
      return name.substr(0, name.size() - word.size() - 1);
  }
  return std::nullopt;
}

struct Reader {
  std::string map;
  std::variant<RingBuffer, PerfBuffer> buffer;
  std::uint64_t lost_told = 0;
};

std::uint64_t as_number(Bytes bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  return value;
}

}  // namespace

struct RecordSource::Impl {
  const Object& object;   // outlives the source
  Poller poller;
  std::vector<Reader> readers = {};        // streams[i] is what readers[i] reads
  std::vector<RecordChoice> streams = {};
  std::vector<LossCounter> counters = {};

  Result<void> open_map(const object::MapSpec& spec, const Map& map, const RecordOptions& options);
  void find_counters();
  bool is_counted(const std::string& map) const {
    return std::ranges::any_of(counters, [&](const LossCounter& c) { return c.map == map; });
  }
};

Result<void> RecordSource::Impl::open_map(const object::MapSpec& spec, const Map& map, const RecordOptions& options) {
  auto wanted = options.types.find(spec.name);
  RecordChoice choice = TRY(choose_record_types(object.spec(), spec, wanted == options.types.end() ? "" : wanted->second));
  auto token = static_cast<std::uint32_t>(readers.size());
  if (spec.type == facts::MapType::ringbuf) {
    RingBuffer ring = TRY(RingBuffer::open(map));
    TRY(poller.add(ring.fd(), token));
    readers.push_back({spec.name, std::move(ring)});
  } else {
    PerfBuffer perf = TRY(PerfBuffer::open(map, options.perf_pages_per_cpu));
    for (int fd : perf.fds()) TRY(poller.add(fd, token));
    readers.push_back({spec.name, std::move(perf)});
  }
  streams.push_back(std::move(choice));
  return {};
}

void RecordSource::Impl::find_counters() {
  std::vector<std::string_view> rings;
  for (const Reader& reader : readers)
    if (std::holds_alternative<RingBuffer>(reader.buffer)) rings.push_back(reader.map);
  if (rings.empty()) return;
  for (const object::Variable& variable : object::variables(object.spec())) {
    auto map = counted_map(variable.name);
    if (!map || (variable.size != 4 && variable.size != 8) || !object.has_map(variable.map)) continue;
    if (object.spec().btf->resolve(variable.type).kind() != btf::Kind::int_) continue;
    object::MapOrigin origin = object.spec().map(variable.map).origin;
    if (origin != object::MapOrigin::bss && origin != object::MapOrigin::data) continue;
    bool named = std::ranges::find(rings, *map) != rings.end();
    // One counter for several rings is told under its own name.
    std::string owner(named ? *map : rings.size() == 1 ? rings.front() : std::string_view(variable.name));
    counters.push_back({variable.name, std::move(owner)});
  }
}

RecordSource::RecordSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordSource::RecordSource(RecordSource&&) noexcept = default;
RecordSource& RecordSource::operator=(RecordSource&&) noexcept = default;
RecordSource::~RecordSource() = default;

Result<RecordSource> RecordSource::open(const Object& object, const RecordOptions& options) {
  for (const auto& [map, type] : options.types)
    if (const object::MapSpec* spec = object.spec().find_map(map); spec == nullptr || !carries_records(spec->type))
      return fail(ErrorKind::not_found, "--type {}={}: the object has no ring buffer or perf buffer `{}`", map, type, map);
  auto impl = std::make_unique<Impl>(Impl{.object = object, .poller = TRY(Poller::create())});
  for (std::size_t i = 0; i < object.spec().maps.size(); ++i) {
    const object::MapSpec& spec = object.spec().maps[i];
    bool asked = options.maps.empty() || std::ranges::find(options.maps, spec.name) != options.maps.end();
    if (carries_records(spec.type) && asked && object.maps()[i].valid()) TRY(impl->open_map(spec, object.maps()[i], options));
  }
  impl->find_counters();
  return RecordSource(std::move(impl));
}

const std::vector<RecordChoice>& RecordSource::streams() const { return impl_->streams; }
Result<void> RecordSource::also_wake_on(int fd) { return impl_->poller.add(fd, kForeignToken); }

Result<std::size_t> RecordSource::wait(std::chrono::milliseconds timeout, const Sink& sink) {
  // A ring that a drain left filled gives no wake-up.
  for (const Reader& reader : impl_->readers)
    if (const auto* ring = std::get_if<RingBuffer>(&reader.buffer); ring != nullptr && ring->waiting() != 0) timeout = std::chrono::milliseconds(0);
  TRY(impl_->poller.wait(timeout));
  return drain(sink);
}

Result<std::size_t> RecordSource::drain(const Sink& sink) {
  std::size_t records = 0;
  bool stopped = false;
  for (std::size_t i = 0; i < impl_->readers.size() && !stopped; ++i) {
    auto stream_sink = [&](Bytes record) { return stopped = !sink(i, record), !stopped; };
    records += TRY(std::visit([&](auto& buffer) { return buffer.drain(stream_sink); }, impl_->readers[i].buffer));
  }
  return records;
}

Result<std::vector<Loss>> RecordSource::new_losses() {
  std::vector<Loss> losses;
  auto tell = [&](const std::string& map, std::uint64_t now, std::uint64_t& told) {
    if (now > told) losses.push_back({map, now - told});
    told = now;
  };
  for (Reader& reader : impl_->readers)
    if (const auto* perf = std::get_if<PerfBuffer>(&reader.buffer)) tell(reader.map, perf->lost(), reader.lost_told);
  for (LossCounter& counter : impl_->counters) tell(counter.map, as_number(TRY(impl_->object.read_variable(counter.variable))), counter.told);
  return losses;
}

std::vector<object::Warning> RecordSource::warnings() const {
  std::vector<object::Warning> warnings;
  for (const Reader& reader : impl_->readers) {
    const auto* ring = std::get_if<RingBuffer>(&reader.buffer);
    if (ring == nullptr || !ring->was_full() || impl_->is_counted(reader.map)) continue;
    warnings.push_back({.where = fmt::format("map {}", reader.map),
                        .message = fmt::format("ring buffer `{}` was full: records may be lost, and the program does not count them", reader.map),
                        .hint = "make its max_entries larger, or count failed reservations in a global variable `dropped`"});
  }
  return warnings;
}

}  // namespace espy::kernel
