#include "kernel/map.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "kernel/bpf_calls.hpp"

namespace espy::kernel {

using facts::MapType;

namespace {

// Bytes of keys and values that one batched call fetches.
constexpr std::size_t kBatchBytes = 64 * 1024;

// Maps whose batched lookup gives every entry. The kernel's generic batch gives up with EINTR at a slot that is empty
// (maps of maps) or that went meanwhile (tries), so these go key by key.
bool has_batched_lookup(MapType type) {
  switch (type) {
    case MapType::hash: case MapType::lru_hash: case MapType::percpu_hash: case MapType::lru_percpu_hash:
    case MapType::array: case MapType::percpu_array: case MapType::hash_of_maps: return true;
    default: return false;
  }
}

bool is_no_batching(int error) { return error == EINVAL || error == 524 /* ENOTSUPP */ || error == EOPNOTSUPP; }

const void* data_or_null(Bytes bytes) { return bytes.empty() ? nullptr : bytes.data(); }

}  // namespace

Result<unsigned> possible_cpus() {
  static const Result<unsigned> count = []() -> Result<unsigned> {
    std::string text = TRY(read_text_file("/sys/devices/system/cpu/possible", 1 << 16));
    unsigned total = 0;
    for (std::string_view range : split(trim(text), ',')) {
      auto dash = range.find('-');
      auto first = parse_number<unsigned>(range.substr(0, dash));
      auto last = dash == range.npos ? first : parse_number<unsigned>(range.substr(dash + 1));
      if (!first || !last || *last < *first)
        return fail(ErrorKind::malformed, "/sys/devices/system/cpu/possible: `{}` is no CPU list", trim(text));
      total += *last - *first + 1;
    }
    return total;
  }();
  return count;
}

Result<Map> Map::adopt(UniqueFd fd) {
  bpf_map_info raw{};
  std::uint32_t size = sizeof raw;
  if (bpf_obj_get_info_by_fd(fd.get(), &raw, &size) != 0) return fail_sys(errno, "ask the kernel about a map");
  MapInfo info{.id = raw.id,
               .type = static_cast<MapType>(raw.type),
               .key_size = raw.key_size,
               .value_size = raw.value_size,
               .max_entries = raw.max_entries,
               .flags = raw.map_flags,
               .map_extra = raw.map_extra,
               .name = std::string(raw.name, strnlen(raw.name, sizeof raw.name)),
               .btf_id = raw.btf_id,
               .btf_key_type_id = raw.btf_key_type_id,
               .btf_value_type_id = raw.btf_value_type_id,
               .btf_vmlinux_value_type_id = raw.btf_vmlinux_value_type_id};
  std::size_t value_bytes = info.value_size;
  const facts::MapTypeRow* row = facts::find(info.type);
  if (row != nullptr && row->per_cpu) value_bytes = (value_bytes + 7) / 8 * 8 * TRY(possible_cpus());
  return Map(std::move(fd), std::move(info), value_bytes);
}

Result<Map> Map::open_pinned(const std::string& path) {
  UniqueFd fd = bpf_obj_get(path.c_str());
  if (!fd) return fail_sys(errno, "open pinned map {}", path);
  auto map = adopt(std::move(fd));
  if (!map) {
    Error error = wrap(std::move(map.error()), fmt::format("{} is not a pinned map", path));
    error.kind = ErrorKind::invalid_argument;
    return std::unexpected(std::move(error));
  }
  return map;
}

bool Map::is_per_cpu() const {
  const facts::MapTypeRow* row = facts::find(info_.type);
  return row != nullptr && row->per_cpu;
}

std::string Map::label() const {
  return fmt::format("map `{}` ({})", info_.name.empty() ? "?" : info_.name, facts::to_string(info_.type));
}

Result<void> Map::check_key(Bytes key) const {
  if (key.size() == info_.key_size) return {};
  return fail(ErrorKind::invalid_argument, "{}: its keys have {} bytes, not {}", label(), info_.key_size, key.size());
}

Result<void> Map::check_value(Bytes value) const {
  if (value.size() == value_bytes_) return {};
  return fail(ErrorKind::invalid_argument, "{}: its values have {} bytes, not {}", label(), value_bytes_, value.size());
}

Result<bool> Map::lookup_into(Bytes key, MutableBytes value, std::uint64_t flags) const {
  TRY(check_key(key));
  TRY(check_value(value));
  if (bpf_map_lookup_elem(fd_.get(), data_or_null(key), value.data(), flags) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_sys(errno, "look up in {}", label());
}

Result<std::optional<std::vector<std::byte>>> Map::lookup(Bytes key, std::uint64_t flags) const {
  if (info_.type == MapType::bloom_filter)
    return fail(ErrorKind::unsupported, "{}: a bloom filter can only say whether a value was added", label());
  std::vector<std::byte> value(value_bytes_);
  if (!TRY(lookup_into(key, value, flags))) return std::nullopt;
  return value;
}

Result<std::optional<std::vector<std::byte>>> Map::take(Bytes key, std::uint64_t flags) const {
  TRY(check_key(key));
  std::vector<std::byte> value(value_bytes_);
  int result = bpf_map_lookup_and_delete_elem(fd_.get(), data_or_null(key), value.data(), flags);
  if (result == 0) return value;
  if (errno == ENOENT) return std::nullopt;
  return fail_sys(errno, "take from {}", label());
}

Result<bool> Map::might_contain(Bytes value) const {
  if (info_.type != MapType::bloom_filter) return fail(ErrorKind::invalid_argument, "{} is no bloom filter", label());
  TRY(check_value(value));
  std::vector<std::byte> copy(value.begin(), value.end());  // the kernel's interface takes it where others give it
  if (bpf_map_lookup_elem(fd_.get(), nullptr, copy.data()) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_sys(errno, "look up in {}", label());
}

Result<void> Map::update(Bytes key, Bytes value, Update flags) const {
  TRY(check_key(key));
  TRY(check_value(value));
  if (bpf_map_update_elem(fd_.get(), data_or_null(key), value.data(), static_cast<std::uint64_t>(flags)) == 0) return {};
  int error = errno;
  auto failure = fail_sys(error, "update {}", label());
  if (error == E2BIG || error == ENOSPC)
    failure.error().kind = ErrorKind::exhausted, failure.error().hint = fmt::format("it holds at most {} entries", info_.max_entries);
  if (error == EPERM && (info_.flags & BPF_F_RDONLY) != 0) failure.error().hint = "this descriptor is read only";
  return failure;
}

Result<bool> Map::erase(Bytes key) const {
  TRY(check_key(key));
  if (bpf_map_delete_elem(fd_.get(), data_or_null(key)) == 0) return true;
  if (errno == ENOENT) return false;
  int error = errno;
  auto failure = fail_sys(error, "erase from {}", label());
  if (error == EINVAL && (info_.type == MapType::array || info_.type == MapType::percpu_array))
    failure.error().hint = "elements of an array always exist: write zeroes instead";
  return failure;
}

Result<std::optional<std::vector<std::byte>>> Map::next_key(Bytes key) const {
  if (info_.key_size == 0) return fail(ErrorKind::unsupported, "{} has no keys", label());
  if (!key.empty()) TRY(check_key(key));
  std::vector<std::byte> next(info_.key_size);
  if (bpf_map_get_next_key(fd_.get(), data_or_null(key), next.data()) == 0) return next;
  if (errno == ENOENT) return std::nullopt;
  return fail_sys(errno, "list the keys of {}", label());
}

// Returns false if this kernel (or map) has no batched lookup and nothing was visited.
Result<bool> Map::for_each_batched(const std::function<bool(Bytes, Bytes)>& visit) const {
  const std::size_t entry = info_.key_size + value_bytes_;
  std::size_t room = std::clamp<std::size_t>(kBatchBytes / std::max<std::size_t>(entry, 1), 1, info_.max_entries);
  // The cursor is a bucket number, or in the generic case a whole key.
  std::vector<std::byte> cursor(std::max<std::size_t>(info_.key_size, 4)), next(cursor.size());
  std::vector<std::byte> keys, values;
  bool first = true;
  while (true) {
    keys.resize(room * info_.key_size);
    values.resize(room * value_bytes_);
    auto count = static_cast<std::uint32_t>(room);
    int result = bpf_map_lookup_batch(fd_.get(), first ? nullptr : cursor.data(), next.data(), keys.data(), values.data(),
                                      &count);
    int error = result == 0 ? 0 : errno;
    if (first && is_no_batching(error)) return false;
    // A hash bucket comes whole or not at all.
    if (error == ENOSPC && room < info_.max_entries) {
      room = std::min<std::size_t>(room * 2, info_.max_entries);
      continue;
    }
    if (error != 0 && error != ENOENT) return fail_sys(error, "read {} in batches", label());
    for (std::size_t i = 0; i < count; ++i)
      if (!visit(Bytes(keys).subspan(i * info_.key_size, info_.key_size), Bytes(values).subspan(i * value_bytes_, value_bytes_)))
        return true;
    if (error == ENOENT) return true;
    cursor.swap(next);
    first = false;
  }
}

Result<void> Map::for_each_by_key(const std::function<bool(Bytes, Bytes)>& visit) const {
  std::vector<std::byte> value(value_bytes_);
  // A hash map starts again when the key we stand on has been erased by somebody else: the bound ends that.
  std::uint64_t left = 2ULL * info_.max_entries + 1024;
  auto key = TRY(next_key({}));
  while (key && left-- > 0) {
    // The next key is taken before the visit, which may erase this one.
    auto following = TRY(next_key(*key));
    if (TRY(lookup_into(*key, value)) && !visit(*key, value)) return {};
    key = std::move(following);
  }
  return {};
}

Result<void> Map::for_each(const std::function<bool(Bytes, Bytes)>& visit) const {
  if (info_.key_size == 0) return fail(ErrorKind::unsupported, "{} has no keys", label());
  if (has_batched_lookup(info_.type) && TRY(for_each_batched(visit))) return {};
  return for_each_by_key(visit);
}

Result<MappedRegion> Map::map_memory(bool writable) const {
  int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  if (info_.type == MapType::arena) {
    auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    // An arena made for a fixed address is mapped there or not at all.
    auto* address = reinterpret_cast<void*>(static_cast<std::uintptr_t>(info_.map_extra));
    return MappedRegion::map(fd_.get(), info_.max_entries * page, protection,
                             MAP_SHARED | (address != nullptr ? MAP_FIXED_NOREPLACE : 0), 0, address);
  }
  if (info_.type != MapType::array || (info_.flags & BPF_F_MMAPABLE) == 0)
    return fail(ErrorKind::unsupported, "{}: only arrays made with BPF_F_MMAPABLE and arenas can be mapped", label());
  std::size_t element = (std::size_t{info_.value_size} + 7) / 8 * 8;
  return MappedRegion::map(fd_.get(), element * info_.max_entries, protection, MAP_SHARED);
}

Result<void> Map::freeze() const {
  if (bpf_map_freeze(fd_.get()) == 0) return {};
  return fail_sys(errno, "freeze {}", label());
}

Result<void> Map::pin(const std::string& path) const {
  if (bpf_obj_pin(fd_.get(), path.c_str()) == 0) return {};
  int error = errno;
  auto failure = fail_sys(error, "pin {} at {}", label(), path);
  if (error == EPERM || error == EINVAL) failure.error().hint = "pins live in a bpf file system: mount -t bpf bpf /sys/fs/bpf";
  return failure;
}

}  // namespace espy::kernel
