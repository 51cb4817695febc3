// Tasks, as programs hold them: a number that stands for a thread, which cannot be looked into.
#pragma once

#include <cstdint>
#include <functional>
#include <sys/types.h>

namespace espy::vm {

/// The calling thread's. No two threads have the same, at any time.
std::uint64_t current_task();
/// 0: there is no such thread, or it never asked for its own.
std::uint64_t task_of_thread(pid_t thread);
bool is_task(std::uint64_t task);

/// Calls `gone(task)` for each thread that ends from now on, until the watch goes.
class TaskWatch {
 public:
  explicit TaskWatch(std::function<void(std::uint64_t)> gone);
  ~TaskWatch();
  TaskWatch(const TaskWatch&) = delete;
  TaskWatch& operator=(const TaskWatch&) = delete;

 private:
  friend struct TaskRegistry;
  std::function<void(std::uint64_t)> gone_;
};

}  // namespace espy::vm
