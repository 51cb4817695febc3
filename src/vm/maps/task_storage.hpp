// task_storage: a value for each thread, which goes with it.
#pragma once

#include "vm/helpers/task.hpp"
#include "vm/map.hpp"

namespace espy::vm {

/// Programs reach a task's value by the task, user space by a descriptor of the process (pidfd_open), whose first thread it means.
class TaskStorage final : public Map {
 public:
  TaskStorage(MapAttributes attributes, std::shared_ptr<Map> values);

  std::vector<Region> regions() const override { return values_->regions(); }
  /// nullptr: it has no value, and none was to be made. `initial` null: zeroes.
  void* get(std::uint64_t task, const void* initial, bool create);
  long remove(std::uint64_t task) { return values_->erase(&task); }

  long update(const void* key, const void* value, std::uint64_t flags) override;
  long erase(const void* key) override;

 protected:
  long read_into(const void* key, std::byte* value) override;

 private:
  std::shared_ptr<Map> values_;   // by task
  std::vector<std::byte> zeroes_;
  TaskWatch watch_;
};

}  // namespace espy::vm
