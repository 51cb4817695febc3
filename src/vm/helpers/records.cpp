// Helpers that write records into ring buffers.
#include <algorithm>
#include <cerrno>

#include "vm/helpers/records.hpp"
#include "vm/helpers/table.hpp"
#include "vm/maps/ring_buffer.hpp"

namespace espy::vm {
namespace {

RingBuffer* ring(std::uint64_t map) {
  return pointer<Map>(map)->attributes().type == facts::MapType::ringbuf ? static_cast<RingBuffer*>(pointer<Map>(map)) : nullptr;
}

std::uint64_t output(std::uint64_t map, std::uint64_t data, std::uint64_t size, std::uint64_t flags, std::uint64_t) {
  constexpr std::uint64_t kWakeups = 3;   // whom to wake is the consumer's own affair here
  RingBuffer* to = ring(map);
  return to == nullptr || (flags & ~kWakeups) != 0 ? result(-EINVAL) : result(to->output(pointer<void>(data), size));
}

}  // namespace

std::uint64_t reserve_record(std::uint64_t map, std::uint64_t size) {
  RingBuffer* to = ring(map);
  std::byte* record = to == nullptr ? nullptr : to->reserve(size);
  auto address = reinterpret_cast<std::uintptr_t>(record);
  if (Run& run = *current_run(); record != nullptr && run.safe) {
    run.own.add({.begin = address, .end = address + size, .what = "record"});
    run.records.push_back(record);
  }
  return address;
}

std::uint64_t finish_record(std::uint64_t record, bool discard) {
  Run& run = *current_run();
  if (run.safe) {
    auto held = std::ranges::find(run.records, pointer<std::byte>(record));
    if (held == run.records.end()) return run.fault = "gives back a record that it does not hold", 0;
    run.records.erase(held);
    run.own.remove(record);
  }
  RingBuffer::finish(pointer<std::byte>(record), discard);
  return 0;
}

namespace {

std::uint64_t reserve(std::uint64_t map, std::uint64_t size, std::uint64_t flags, std::uint64_t, std::uint64_t) { return flags != 0 ? 0 : reserve_record(map, size); }
std::uint64_t submit(std::uint64_t record, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return finish_record(record, false); }
std::uint64_t discard(std::uint64_t record, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return finish_record(record, true); }

std::uint64_t query(std::uint64_t map, std::uint64_t what, std::uint64_t, std::uint64_t, std::uint64_t) {
  RingBuffer* of = ring(map);
  return of == nullptr ? 0 : of->query(what);
}

constexpr Helper kHelpers[] = {{130, output}, {131, reserve}, {132, submit}, {133, discard}, {134, query}};

}  // namespace

std::span<const Helper> record_helpers() { return kHelpers; }

}  // namespace espy::vm
