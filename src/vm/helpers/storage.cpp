// Tasks and what programs keep with them, and pointers that programs keep in maps.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <vector>

#include "vm/helpers/table.hpp"
#include "vm/helpers/task.hpp"
#include "vm/maps/task_storage.hpp"

namespace espy::vm {

// Every thread that asked for its task, and who wants to know when one ends. Lives as long as the process.
struct TaskRegistry {
  std::mutex mutex;
  std::map<std::uint64_t, pid_t> tasks;
  std::vector<TaskWatch*> watches;

  static TaskRegistry& all() {
    static TaskRegistry* const registry = new TaskRegistry;   // threads may end after static objects went
    return *registry;
  }
  void end(std::uint64_t task) {
    std::scoped_lock lock(mutex);
    for (TaskWatch* watch : watches) watch->gone_(task);
    tasks.erase(task);
  }
};

TaskWatch::TaskWatch(std::function<void(std::uint64_t)> gone) : gone_(std::move(gone)) {
  std::scoped_lock lock(TaskRegistry::all().mutex);
  TaskRegistry::all().watches.push_back(this);
}
TaskWatch::~TaskWatch() {
  std::scoped_lock lock(TaskRegistry::all().mutex);
  std::erase(TaskRegistry::all().watches, this);
}

namespace {

// Numbers in a part of the address space that the kernel keeps for itself: whoever follows one faults.
constexpr std::uint64_t kFirstTask = 0x0100'0000'0000'0000, kTaskDistance = 64;

struct ThisTask {
  std::uint64_t number;
  ThisTask() {
    static std::atomic<std::uint64_t> next{kFirstTask};
    number = next.fetch_add(kTaskDistance, std::memory_order_relaxed);
    std::scoped_lock lock(TaskRegistry::all().mutex);
    TaskRegistry::all().tasks.emplace(number, ::gettid());
  }
  ~ThisTask() { TaskRegistry::all().end(number); }
};

}  // namespace

std::uint64_t current_task() {
  thread_local const ThisTask task;
  return task.number;
}

std::uint64_t task_of_thread(pid_t thread) {
  if (thread == ::gettid()) return current_task();
  std::scoped_lock lock(TaskRegistry::all().mutex);
  auto found = std::ranges::find(TaskRegistry::all().tasks, thread, &std::pair<const std::uint64_t, pid_t>::second);
  return found == TaskRegistry::all().tasks.end() ? 0 : found->first;
}

bool is_task(std::uint64_t task) {
  if (task == current_task()) return true;
  std::scoped_lock lock(TaskRegistry::all().mutex);
  return TaskRegistry::all().tasks.contains(task);
}

namespace {

std::uint64_t current(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) { return current_task(); }

std::uint64_t get(std::uint64_t map, std::uint64_t task, std::uint64_t initial, std::uint64_t flags, std::uint64_t) {
  constexpr std::uint64_t kCreate = 1;   // BPF_LOCAL_STORAGE_GET_F_CREATE
  auto* storage = dynamic_cast<TaskStorage*>(pointer<Map>(map));
  if (storage == nullptr || (flags & ~kCreate) != 0 || !is_task(task)) return 0;
  return reinterpret_cast<std::uint64_t>(storage->get(task, pointer<void>(initial), flags == kCreate));
}

std::uint64_t remove(std::uint64_t map, std::uint64_t task, std::uint64_t, std::uint64_t, std::uint64_t) {
  auto* storage = dynamic_cast<TaskStorage*>(pointer<Map>(map));
  return storage == nullptr || !is_task(task) ? result(-EINVAL) : result(storage->remove(task));
}

std::uint64_t exchange_pointer(std::uint64_t field, std::uint64_t value, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (field % 8 != 0) return current_run()->fault = "a pointer in a map that is not aligned", 0;
  return std::atomic_ref(*pointer<std::uint64_t>(field)).exchange(value);
}

constexpr Helper kHelpers[] = {{35, current}, {156, get}, {157, remove}, {158, current}, {194, exchange_pointer}};

}  // namespace

std::span<const Helper> storage_helpers() { return kHelpers; }

}  // namespace espy::vm
