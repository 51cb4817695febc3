#include "vm/map.hpp"

#include <cerrno>
#include <cstring>

#include "vm/cpu.hpp"

namespace espy::vm {

// What a kind does not offer, the kernel answers so.
void* Map::lookup(const void*) { return nullptr; }
void* Map::lookup_percpu(const void*, unsigned) { return nullptr; }
long Map::update(const void*, const void*, std::uint64_t) { return -EINVAL; }
long Map::erase(const void*) { return -EINVAL; }
long Map::push(const void*, std::uint64_t) { return -EINVAL; }
long Map::pop(void*) { return -EINVAL; }
long Map::peek(void*) { return -EINVAL; }
long Map::for_each(const std::function<long(const void*, void*)>&) { return -EINVAL; }
long Map::update_all_cpus(const void*, const std::byte*, std::uint64_t) { return -EINVAL; }
long Map::next(const void*, void*) { return -EINVAL; }

std::size_t Map::value_bytes() const {
  return is_per_cpu() ? rounded(attributes_.value_size) * cpu_count() : attributes_.value_size;
}

Result<void> Map::check_key(Bytes key) const {
  if (key.size() == attributes_.key_size) return {};
  return fail(ErrorKind::invalid_argument, "map `{}` has keys of {} bytes, not {}", attributes_.name, attributes_.key_size, key.size());
}

Result<std::optional<std::vector<std::byte>>> Map::read(Bytes key) {
  TRY(check_key(key));
  std::vector<std::byte> value(value_bytes());
  if (!is_per_cpu()) {
    const void* found = lookup(key.data());
    if (found == nullptr) return std::nullopt;
    std::memcpy(value.data(), found, value.size());
    return value;
  }
  for (unsigned cpu = 0; cpu < cpu_count(); ++cpu) {
    const void* found = lookup_percpu(key.data(), cpu);
    if (found == nullptr) return std::nullopt;
    std::memcpy(value.data() + cpu * rounded(attributes_.value_size), found, attributes_.value_size);
  }
  return value;
}

Result<void> Map::write(Bytes key, Bytes value, std::uint64_t flags) {
  TRY(check_key(key));
  if (frozen_) return fail(ErrorKind::permission, "map `{}` is frozen", attributes_.name);
  if (value.size() != value_bytes()) {
    return fail(ErrorKind::invalid_argument, "map `{}` has values of {} bytes, not {}", attributes_.name, value_bytes(), value.size());
  }
  long result = is_per_cpu() ? update_all_cpus(key.data(), value.data(), flags) : update(key.data(), value.data(), flags);
  if (result < 0) return fail_sys(static_cast<int>(-result), "write to map `{}`", attributes_.name);
  return {};
}

Result<bool> Map::remove(Bytes key) {
  TRY(check_key(key));
  if (frozen_) return fail(ErrorKind::permission, "map `{}` is frozen", attributes_.name);
  long result = erase(key.data());
  if (result == -ENOENT) return false;
  if (result < 0) return fail_sys(static_cast<int>(-result), "delete from map `{}`", attributes_.name);
  return true;
}

Result<std::optional<std::vector<std::byte>>> Map::next_key(Bytes key) {
  if (!key.empty()) TRY(check_key(key));
  std::vector<std::byte> found(attributes_.key_size);
  long result = next(key.empty() ? nullptr : key.data(), found.data());
  if (result == -ENOENT) return std::nullopt;
  if (result < 0) return fail_sys(static_cast<int>(-result), "keys of map `{}`", attributes_.name);
  return found;
}

}  // namespace espy::vm
