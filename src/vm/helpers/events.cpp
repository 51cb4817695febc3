// Helpers that write records by CPU, and those that read what user space sends.
#include <cerrno>

#include "vm/context/packet.hpp"
#include "vm/cpu.hpp"
#include "vm/helpers/dynptr.hpp"
#include "vm/helpers/table.hpp"
#include "vm/maps/perf_events.hpp"

namespace espy::vm {
namespace {

// The low half of the flags is the slot, or that of this CPU; packet programs ask for some of the packet's bytes above.
std::uint64_t output(std::uint64_t, std::uint64_t map, std::uint64_t flags, std::uint64_t data, std::uint64_t size) {
  constexpr std::uint64_t kSlot = 0xffffffff, kPacketBytes = 0xfffff00000000;
  auto* events = dynamic_cast<PerfEventArray*>(pointer<Map>(map));
  Packet* packet = current_run()->packet;
  if (events == nullptr || (flags & ~(kSlot | (packet == nullptr ? 0 : kPacketBytes))) != 0) return result(-EINVAL);
  const std::size_t more = (flags & kPacketBytes) >> 32;
  if (more != 0 && more > packet->data().size()) return result(-EFAULT);
  const Bytes tail = more == 0 ? Bytes() : Bytes(packet->data()).first(more);
  return result(events->output((flags & kSlot) == kSlot ? current_cpu() : static_cast<std::uint32_t>(flags), {pointer<const std::byte>(data), size}, tail));
}

// Calls the program with a dynptr of each record until it returns 1, there is none left, or there were very many.
std::uint64_t drain(std::uint64_t map, std::uint64_t function, std::uint64_t context, std::uint64_t flags, std::uint64_t) {
  constexpr std::uint64_t kWakeups = 3, kMost = 128 * 1024;
  Run& run = *current_run();
  if (pointer<Map>(map)->attributes().type != facts::MapType::user_ringbuf || (flags & ~kWakeups) != 0) return result(-EINVAL);
  auto& ring = static_cast<RingBuffer&>(*pointer<Map>(map));
  if (!ring.begin_consuming()) return result(-EBUSY);
  std::uint64_t count = 0;
  static_cast<void>(ring.consume([&](Bytes record) {
    Dynptr dynptr{.data = reinterpret_cast<std::uint64_t>(record.data()), .size = static_cast<std::uint32_t>(record.size()), .kind = kReadOnlyDynptr};
    const auto at = reinterpret_cast<std::uintptr_t>(&dynptr);
    if (run.safe) {
      run.own.add({.begin = at, .end = at + sizeof dynptr, .what = "dynptr"});
      if (!record.empty()) run.own.add({.begin = dynptr.data, .end = dynptr.data + record.size(), .writable = false, .what = "record"});
    }
    const std::uint64_t stop = run.call(run, function, at, context, 0, 0);
    if (run.safe) {
      run.own.remove(at);
      if (!record.empty()) run.own.remove(reinterpret_cast<std::uintptr_t>(record.data()));
    }
    return ++count < kMost && stop == 0 && run.fault.empty();
  }));
  ring.end_consuming();
  return after_callbacks(run, count);
}

constexpr Helper kHelpers[] = {{25, output}, {209, drain}};

}  // namespace

std::span<const Helper> event_helpers() { return kHelpers; }

}  // namespace espy::vm
