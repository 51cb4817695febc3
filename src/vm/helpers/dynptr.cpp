// Dynamic pointers: memory with its bounds, in 16 bytes that programs hold and do not look into. Safe mode trusts them as little
// as anything else on a program's stack: what they lead to is checked at each use.
#include <cerrno>
#include <cstring>

#include "vm/helpers/dynptr.hpp"
#include "vm/helpers/records.hpp"
#include "vm/helpers/table.hpp"

namespace espy::vm {
namespace {

constexpr std::uint64_t kMostBytes = (1U << 24) - 1;

Dynptr taken(std::uint64_t at) {
  Dynptr value;
  std::memcpy(&value, pointer<void>(at), sizeof value);
  return value;
}
void put(std::uint64_t at, Dynptr value) { std::memcpy(pointer<void>(at), &value, sizeof value); }

bool has(const Dynptr& of, std::uint64_t offset, std::uint64_t size) { return size <= of.size && offset <= of.size - size; }
bool reachable(const Dynptr& of, std::uint64_t offset, std::uint64_t size, bool write) {
  return size == 0 || current_run()->may_touch(of.data + offset, size, write);
}

std::uint64_t from_memory(std::uint64_t data, std::uint64_t size, std::uint64_t flags, std::uint64_t to, std::uint64_t) {
  size &= 0xffffffff;
  put(to, {});
  if (size > kMostBytes) return result(-E2BIG);
  if (flags != 0) return result(-EINVAL);
  put(to, {.data = data, .size = static_cast<std::uint32_t>(size)});
  return 0;
}

std::uint64_t reserve(std::uint64_t map, std::uint64_t size, std::uint64_t flags, std::uint64_t to, std::uint64_t) {
  size &= 0xffffffff;
  put(to, {});
  if (flags != 0) return result(-EINVAL);
  if (size > kMostBytes) return result(-E2BIG);
  const std::uint64_t record = reserve_record(map, size);
  if (record == 0) return result(-EINVAL);
  put(to, {.data = record, .size = static_cast<std::uint32_t>(size), .kind = kRecordDynptr});
  return 0;
}

std::uint64_t finish(std::uint64_t at, bool discard) {
  const Dynptr record = taken(at);
  put(at, {});
  return record.data == 0 || record.kind != kRecordDynptr ? 0 : finish_record(record.data, discard);
}
std::uint64_t submit(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return finish(at, false); }
std::uint64_t discard(std::uint64_t at, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return finish(at, true); }

std::uint64_t read(std::uint64_t to, std::uint64_t size, std::uint64_t from, std::uint64_t offset, std::uint64_t flags) {
  const Dynptr source = taken(from);
  size &= 0xffffffff, offset &= 0xffffffff;
  if (source.data == 0 || flags != 0) return result(-EINVAL);
  if (!has(source, offset, size)) return result(-E2BIG);
  if (!reachable(source, offset, size, false)) return current_run()->fault = "reads through a dynptr that it has made up", 0;
  if (size != 0) std::memmove(pointer<void>(to), pointer<void>(source.data + offset), size);
  return 0;
}

std::uint64_t write(std::uint64_t to, std::uint64_t offset, std::uint64_t from, std::uint64_t size, std::uint64_t flags) {
  const Dynptr target = taken(to);
  size &= 0xffffffff, offset &= 0xffffffff;
  if (target.data == 0 || target.kind == kReadOnlyDynptr) return result(-EINVAL);
  if (!has(target, offset, size)) return result(-E2BIG);
  if (flags != 0) return result(-EINVAL);
  if (!reachable(target, offset, size, true)) return current_run()->fault = "writes through a dynptr that it has made up", 0;
  if (size != 0) std::memmove(pointer<void>(target.data + offset), pointer<void>(from), size);
  return 0;
}

std::uint64_t data(std::uint64_t at, std::uint64_t offset, std::uint64_t size, std::uint64_t, std::uint64_t) {
  const Dynptr of = taken(at);
  offset &= 0xffffffff, size &= 0xffffffff;
  return of.data == 0 || of.kind == kReadOnlyDynptr || !has(of, offset, size) ? 0 : of.data + offset;
}

constexpr Helper kHelpers[] = {{197, from_memory}, {198, reserve}, {199, submit}, {200, discard}, {201, read}, {202, write}, {203, data}};

}  // namespace

std::span<const Helper> dynptr_helpers() { return kHelpers; }

}  // namespace espy::vm
