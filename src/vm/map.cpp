#include "vm/map.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vm/cpu.hpp"
#include "vm/helpers/timers.hpp"

namespace espy::vm {

Map::~Map() {
  if (field(ValueField::Kind::timer) != nullptr) forget_timers(*this);
}

// What a kind does not offer, the kernel answers so.
void* Map::lookup(const void*) { return nullptr; }
void* Map::lookup_percpu(const void*, unsigned) { return nullptr; }
long Map::update(const void*, const void*, std::uint64_t) { return -EINVAL; }
long Map::erase(const void*) { return -EINVAL; }
bool Map::key_of(const void*, void*) const { return false; }
long Map::push(const void*, std::uint64_t) { return -EINVAL; }
long Map::pop(void*) { return -EINVAL; }
long Map::peek(void*) { return -EINVAL; }
long Map::for_each(const std::function<long(const void*, void*)>&) { return -EINVAL; }
long Map::update_all_cpus(const void*, const std::byte*, std::uint64_t) { return -EINVAL; }
long Map::next(const void*, void*) { return -EINVAL; }

std::size_t Map::value_bytes() const {
  return is_per_cpu() ? rounded(attributes_.value_size) * cpu_count() : attributes_.value_size;
}

const ValueField* Map::field(ValueField::Kind kind) const {
  auto found = std::ranges::find(attributes_.fields, kind, &ValueField::kind);
  return found == attributes_.fields.end() ? nullptr : &*found;
}

void Map::copy_between_fields(void* to, const void* from) const {
  std::uint32_t at = 0;
  const auto copy_until = [&](std::uint32_t end) {
    if (end > at) std::memcpy(static_cast<std::byte*>(to) + at, static_cast<const std::byte*>(from) + at, end - at);
  };
  for (const ValueField& field : attributes_.fields) {
    copy_until(field.offset);
    at = field.offset + field.size;
  }
  copy_until(attributes_.value_size);
}

void Map::copy_value_locked(void* value, void* to, const void* from) const {
  std::atomic_ref<std::uint32_t> lock(*reinterpret_cast<std::uint32_t*>(static_cast<std::byte*>(value) + field(ValueField::Kind::lock)->offset));
  while (lock.exchange(1, std::memory_order_acquire) != 0) {
    while (lock.load(std::memory_order_relaxed) != 0) relax();
  }
  copy_between_fields(to, from);
  lock.store(0, std::memory_order_release);
}

Result<void> Map::check_key(Bytes key) const {
  if (key.size() == attributes_.key_size) return {};
  return fail(ErrorKind::invalid_argument, "map `{}` has keys of {} bytes, not {}", attributes_.name, attributes_.key_size, key.size());
}

Result<void> Map::check_change(Bytes key) const {
  TRY(check_key(key));
  if (frozen()) return fail_sys(EPERM, "map `{}` is frozen", attributes_.name);
  if ((attributes_.flags & kReadOnly) != 0) return fail_sys(EPERM, "map `{}` is for reading only", attributes_.name);
  return {};
}

long Map::read_into(const void* key, std::byte* value) {
  for (unsigned cpu = 0; cpu < (is_per_cpu() ? cpu_count() : 1); ++cpu) {
    const void* found = is_per_cpu() ? lookup_percpu(key, cpu) : lookup(key);
    if (found == nullptr) return -ENOENT;
    copy_all(value + cpu * rounded(attributes_.value_size), found);
  }
  return 0;
}

Result<std::optional<std::vector<std::byte>>> Map::read(Bytes key, std::uint64_t flags) {
  TRY(check_key(key));
  if ((attributes_.flags & kWriteOnly) != 0) return fail_sys(EPERM, "map `{}` is for writing only", attributes_.name);
  if ((flags & ~kLock) != 0 || bad_lock(flags)) return fail_sys(EINVAL, "read map `{}` with flags {:#x}", attributes_.name, flags);
  std::vector<std::byte> value(value_bytes());
  long result = 0;
  if ((flags & kLock) != 0 && !is_per_cpu()) {
    void* found = lookup(key.data());
    if (found == nullptr) return std::nullopt;
    copy_value_locked(found, value.data(), found);
  } else {
    result = read_into(key.data(), value.data());
  }
  if (result == -ENOENT) return std::nullopt;
  if (result < 0) return fail_sys(static_cast<int>(-result), "read map `{}`", attributes_.name);
  return value;
}

Result<void> Map::write(Bytes key, Bytes value, std::uint64_t flags) {
  TRY(check_change(key));
  if (value.size() != value_bytes()) {
    return fail(ErrorKind::invalid_argument, "map `{}` has values of {} bytes, not {}", attributes_.name, value_bytes(), value.size());
  }
  if (bad_lock(flags)) return fail_sys(EINVAL, "write to map `{}`, whose values have no lock, with BPF_F_LOCK", attributes_.name);
  long result = attributes_.key_size == 0 ? push(value.data(), flags)
                : is_per_cpu()            ? update_all_cpus(key.data(), value.data(), flags)
                                          : update(key.data(), value.data(), flags);
  if (result < 0) return fail_sys(static_cast<int>(-result), "write to map `{}`", attributes_.name);
  return {};
}

Result<bool> Map::remove(Bytes key) {
  TRY(check_change(key));
  long result = erase(key.data());
  if (result == -ENOENT) return false;
  if (result < 0) return fail_sys(static_cast<int>(-result), "delete from map `{}`", attributes_.name);
  return true;
}

Result<std::optional<std::vector<std::byte>>> Map::take(Bytes key) {
  constexpr int kNotSupported = 524;   // ENOTSUPP, which only kernels know
  using facts::MapType;
  TRY(check_change(key));
  if ((attributes_.flags & kWriteOnly) != 0) return fail_sys(EPERM, "map `{}` is for writing only", attributes_.name);
  std::vector<std::byte> value(value_bytes());
  long result = -kNotSupported;
  switch (attributes_.type) {
    case MapType::queue:
    case MapType::stack: result = pop(value.data()); break;
    case MapType::hash:
    case MapType::percpu_hash:
    case MapType::lru_hash:
    case MapType::lru_percpu_hash:
    case MapType::stack_trace:
      result = read_into(key.data(), value.data());
      if (result == 0) result = erase(key.data());
      break;
    default: break;
  }
  if (result == -ENOENT) return std::nullopt;
  if (result < 0) return fail_sys(static_cast<int>(-result), "take from map `{}`", attributes_.name);
  return value;
}

Result<std::optional<std::vector<std::byte>>> Map::next_key(Bytes key) {
  if (!key.empty()) TRY(check_key(key));
  if ((attributes_.flags & kWriteOnly) != 0) return fail_sys(EPERM, "map `{}` is for writing only", attributes_.name);
  std::vector<std::byte> found(attributes_.key_size);
  long result = next(key.empty() ? nullptr : key.data(), found.data());
  if (result == -ENOENT) return std::nullopt;
  if (result < 0) return fail_sys(static_cast<int>(-result), "keys of map `{}`", attributes_.name);
  return found;
}

Result<void> Map::freeze() {
  if (!attributes_.fields.empty()) return fail_sys(524, "freeze map `{}`, whose values have locks, timers or pointers", attributes_.name);
  if (frozen_.exchange(true)) return fail_sys(EPERM, "map `{}` is frozen already", attributes_.name);
  return {};
}

}  // namespace espy::vm
