#include "vm/cpu.hpp"

#include <sched.h>
#include <unistd.h>

#include <atomic>

namespace espy::vm {

unsigned cpu_count() {
  static const unsigned count = [] {
    long configured = ::sysconf(_SC_NPROCESSORS_CONF);
    return configured > 0 ? static_cast<unsigned>(configured) : 1U;
  }();
  return count;
}

unsigned current_cpu() {
  static std::atomic<unsigned> threads;
  thread_local const unsigned mine = threads.fetch_add(1, std::memory_order_relaxed) % cpu_count();
  return mine;
}

void relax_after(unsigned turns) {
  constexpr unsigned kPatience = 256;
  if (turns < kPatience) relax();
  else ::sched_yield();
}

}  // namespace espy::vm
