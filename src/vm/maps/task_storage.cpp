#include "vm/maps/task_storage.hpp"

#include <cerrno>
#include <cstring>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "vm/maps/kinds.hpp"

namespace espy::vm {
namespace {

constexpr std::uint32_t kMostTasks = 1U << 16;

/// Which process a descriptor is of: its task, or a negative errno.
std::int64_t task_of_descriptor(const void* key) {
  std::int32_t descriptor;
  std::memcpy(&descriptor, key, sizeof descriptor);
  if (descriptor < 0) return -EBADF;
  auto text = read_text_file(fmt::format("/proc/self/fdinfo/{}", descriptor));
  if (!text) return -EBADF;
  const std::size_t line = text->find("\nPid:");
  if (line == std::string::npos) return -EINVAL;
  const std::size_t begin = text->find_first_not_of(" \t", line + 5);
  const auto process = parse_number<pid_t>(std::string_view(*text).substr(begin, text->find('\n', begin) - begin));
  const std::uint64_t task = process && *process > 0 ? task_of_thread(*process) : 0;
  return task == 0 ? -ENOENT : static_cast<std::int64_t>(task);
}

}  // namespace

TaskStorage::TaskStorage(MapAttributes attributes, std::shared_ptr<Map> values)
    : Map(std::move(attributes)), values_(std::move(values)), zeroes_(attributes_.value_size), watch_([this](std::uint64_t task) { static_cast<void>(values_->erase(&task)); }) {}

void* TaskStorage::get(std::uint64_t task, const void* initial, bool create) {
  void* found = values_->lookup(&task);
  if (found != nullptr || !create) return found;
  static_cast<void>(values_->update(&task, initial == nullptr ? zeroes_.data() : initial, kNoExist));   // another thread may be first
  return values_->lookup(&task);
}

long TaskStorage::update(const void* key, const void* value, std::uint64_t flags) {
  const std::int64_t task = task_of_descriptor(key);
  return task < 0 ? task : values_->update(&task, value, flags);
}

long TaskStorage::erase(const void* key) {
  const std::int64_t task = task_of_descriptor(key);
  return task < 0 ? task : values_->erase(&task);
}

long TaskStorage::read_into(const void* key, std::byte* value) {
  const std::int64_t task = task_of_descriptor(key);
  if (task < 0) return task;
  const void* found = values_->lookup(&task);
  if (found == nullptr) return -ENOENT;
  return std::memcpy(value, found, attributes_.value_size), 0;
}

Result<std::shared_ptr<Map>> make_task_storage(MapAttributes attributes) {
  if ((attributes.flags & 1) == 0) return bad_map(attributes, "it must be made with BPF_F_NO_PREALLOC");
  if (attributes.max_entries != 0 || attributes.key_size != 4 || attributes.value_size == 0) return bad_map(attributes, "keys are 4 bytes, values at least one, and no number of entries is given");
  MapAttributes inside{.name = attributes.name, .type = facts::MapType::hash, .key_size = 8, .value_size = attributes.value_size, .max_entries = kMostTasks, .flags = 1};
  std::shared_ptr<Map> values = TRY(make_hash(std::move(inside)));
  return std::make_shared<TaskStorage>(std::move(attributes), std::move(values));
}

}  // namespace espy::vm
