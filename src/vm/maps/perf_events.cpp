#include "vm/maps/perf_events.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vm/cpu.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {

PerfEventArray::~PerfEventArray() = default;

Result<void> PerfEventArray::open(std::uint32_t slot, std::size_t bytes) {
  if (slot >= buffers_.size()) return fail_sys(E2BIG, "map `{}`: slot {}", attributes_.name, slot);
  if (bytes > UINT32_MAX) return bad_map(attributes_, fmt::format("a buffer of {} bytes", bytes));
  auto buffer = TRY(RingBuffer::make({.name = attributes_.name, .type = facts::MapType::ringbuf, .max_entries = static_cast<std::uint32_t>(bytes)}));
  std::scoped_lock lock(mutex_);
  kept_.push_back(buffer);
  buffers_[slot].store(buffer.get(), std::memory_order_release);
  return {};
}

Result<void> PerfEventArray::open_all(std::size_t bytes) {
  for (std::uint32_t slot = 0; slot < std::min<std::size_t>(cpu_count(), buffers_.size()); ++slot) TRY(open(slot, bytes));
  return {};
}

long PerfEventArray::erase(const void* key) {
  std::uint32_t slot;
  std::memcpy(&slot, key, sizeof slot);
  if (slot >= buffers_.size()) return -E2BIG;
  return buffers_[slot].exchange(nullptr, std::memory_order_acq_rel) == nullptr ? -ENOENT : 0;
}

long PerfEventArray::output(std::uint32_t slot, Bytes head, Bytes tail) {
  if (slot >= buffers_.size()) return -E2BIG;
  RingBuffer* buffer = buffers_[slot].load(std::memory_order_acquire);
  if (buffer == nullptr) return -ENOENT;
  std::byte* record = buffer->reserve(head.size() + tail.size());
  if (record == nullptr) return -ENOSPC;
  std::ranges::copy(head, record);
  std::ranges::copy(tail, record + head.size());
  RingBuffer::finish(record, false);
  return 0;
}

std::size_t PerfEventArray::consume(const std::function<bool(std::uint32_t, Bytes)>& sink) {
  std::size_t count = 0;
  bool more = true;
  for (std::uint32_t slot = 0; slot < buffers_.size() && more; ++slot) {
    if (RingBuffer* buffer = buffers_[slot].load(std::memory_order_acquire)) count += buffer->consume([&](Bytes record) { return more = sink(slot, record); });
  }
  return count;
}

std::uint64_t PerfEventArray::lost() const {
  std::uint64_t lost = 0;
  for (const auto& buffer : buffers_) {
    if (const RingBuffer* there = buffer.load(std::memory_order_acquire)) lost += there->refused();
  }
  return lost;
}

long PerfEventArray::next(const void* key, void* next_key) {
  std::uint32_t index = 0;
  if (key != nullptr) std::memcpy(&index, key, sizeof index), index = index >= attributes_.max_entries ? 0 : index + 1;
  if (index >= attributes_.max_entries) return -ENOENT;
  return std::memcpy(next_key, &index, sizeof index), 0;
}

Result<std::shared_ptr<Map>> make_perf_event_array(MapAttributes attributes) {
  if (attributes.key_size != 4 || attributes.value_size != 4) return bad_map(attributes, "keys and values are 4 bytes");
  if (attributes.max_entries == 0 || attributes.max_entries > 1U << 20) return bad_map(attributes, fmt::format("{} slots", attributes.max_entries));
  return std::make_shared<PerfEventArray>(std::move(attributes));
}

}  // namespace espy::vm
