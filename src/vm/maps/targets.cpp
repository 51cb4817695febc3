#include "vm/maps/targets.hpp"

#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "vm/cpu.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {
namespace {

using facts::MapType;

constexpr std::uint32_t kMostQueued = 16384;   // packets that wait for a CPU

// CPUs that a kernel was built for at most.
std::uint32_t most_cpus() {
  auto text = read_text_file("/sys/devices/system/cpu/kernel_max");
  const auto last = text ? parse_number<std::uint32_t>(trim(*text)) : std::nullopt;
  return last ? *last + 1 : 8192;
}

std::uint32_t word(const void* from) {
  std::uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

bool is_interface(std::uint32_t number) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(number, name) != nullptr;
}

long check_socket(std::uint32_t descriptor) {
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(static_cast<int>(descriptor), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return -errno;
  return family == AF_XDP ? 0 : -EOPNOTSUPP;
}

}  // namespace

std::vector<Region> TargetMap::regions() const {
  if (attributes_.type == MapType::xskmap) return {};
  std::vector<Region> regions = present_->regions();
  for (Region& region : regions) region.writable = false;
  return regions;
}

std::optional<std::uint32_t> TargetMap::target(std::uint32_t key) const {
  const void* found = present_->lookup(&key);
  if (attributes_.type == MapType::cpumap) return found == nullptr ? std::nullopt : std::optional(key);
  return found == nullptr ? std::nullopt : std::optional(word(found));
}

std::vector<std::uint32_t> TargetMap::targets() const {
  std::vector<std::uint32_t> all;
  static_cast<void>(present_->for_each([&](const void*, void* value) { return all.push_back(word(value)), 0L; }));
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void* TargetMap::lookup(const void* key) {
  return by_index() && word(key) >= attributes_.max_entries ? nullptr : present_->lookup(key);
}

// In the order in which the kernel looks: which of two mistakes a caller is told of depends on it.
long TargetMap::check_update(std::uint32_t key, std::uint32_t target, std::uint32_t program, std::uint64_t flags) const {
  if (flags > kExist) return -EINVAL;
  if (!by_index()) {
    if (target == 0) return -EINVAL;
    const bool there = present_->lookup(&key) != nullptr;
    if (there && flags == kNoExist) return -EEXIST;
    return !is_interface(target) || static_cast<std::int32_t>(program) > 0 ? -EINVAL : 0;
  }
  if (key >= attributes_.max_entries) return -E2BIG;
  if (attributes_.type == MapType::xskmap) {
    if (const long refused = check_socket(target); refused != 0) return refused;
    const bool there = present_->lookup(&key) != nullptr;
    return there && flags == kNoExist ? -EEXIST : !there && flags == kExist ? -ENOENT : 0;
  }
  if (flags == kNoExist) return -EEXIST;
  if (attributes_.type == MapType::cpumap) {
    if (target > kMostQueued) return -EOVERFLOW;
    return key >= cpu_count() ? -ENODEV : static_cast<std::int32_t>(program) > 0 ? -EINVAL : 0;
  }
  if (target == 0) return static_cast<std::int32_t>(program) > 0 ? -EINVAL : 0;
  return !is_interface(target) || static_cast<std::int32_t>(program) > 0 ? -EINVAL : 0;   // a second program has no engine here
}

long TargetMap::update(const void* key, const void* value, std::uint64_t flags) {
  const std::uint32_t index = word(key), target = word(value);
  const std::uint32_t program = attributes_.value_size == 8 ? word(static_cast<const std::byte*>(value) + 4) : 0;
  if (const long refused = check_update(index, target, program, flags); refused != 0) return refused;
  if (target == 0 && by_index() && attributes_.type != MapType::xskmap) return static_cast<void>(present_->erase(&index)), 0;   // 0 takes out
  const std::uint32_t stored[2] = {target, 0};
  return present_->update(&index, stored, kAny);
}

long TargetMap::erase(const void* key) {
  const std::uint32_t index = word(key);
  if (!by_index()) return present_->erase(&index);
  if (index >= attributes_.max_entries) return -EINVAL;
  static_cast<void>(present_->erase(&index));
  return 0;
}

// Indices are all there, whether something stands at them or not.
long TargetMap::next(const void* key, void* next_key) {
  if (!by_index()) {
    auto following = present_->next_key(key == nullptr ? Bytes() : Bytes(static_cast<const std::byte*>(key), 4));
    if (!following || !*following) return -ENOENT;
    return std::memcpy(next_key, (*following)->data(), 4), 0;
  }
  std::uint32_t index = key == nullptr ? 0 : word(key) >= attributes_.max_entries ? 0 : word(key) + 1;
  if (index >= attributes_.max_entries) return -ENOENT;
  return std::memcpy(next_key, &index, 4), 0;
}

Result<std::shared_ptr<Map>> make_target_map(MapAttributes attributes) {
  const bool socket = attributes.type == MapType::xskmap;
  if (attributes.key_size != 4 || (attributes.value_size != 4 && (socket || attributes.value_size != 8))) {
    return bad_map(attributes, fmt::format("keys are 4 bytes, values {}", socket ? "4" : "4 or 8"));
  }
  if (attributes.max_entries == 0) return bad_map(attributes, "it has no room for a target");
  if (attributes.type == MapType::cpumap && attributes.max_entries > most_cpus()) return bad_map(attributes, fmt::format("{} CPUs", attributes.max_entries));
  MapAttributes inside{.name = attributes.name, .type = MapType::hash, .key_size = 4, .value_size = attributes.value_size, .max_entries = attributes.max_entries};
  std::shared_ptr<Map> present = TRY(make_hash(std::move(inside)));
  return std::make_shared<TargetMap>(std::move(attributes), std::move(present));
}

}  // namespace espy::vm
