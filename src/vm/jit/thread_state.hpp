// What compiled code reads and writes of its thread: at a fixed distance from the thread pointer, without a call.
#pragma once

#include <cstdint>

namespace espy::vm {

struct ThreadState {
  std::int64_t turns = 0;        ///< that a bounded program may still make; below 0 it ends
  std::uint32_t cpu = 0;         ///< current_cpu()
  bool known = false;            ///< is that set?
};

/// In the block that every thread has from its start, whose distance is one for all threads.
extern constinit thread_local ThreadState thread_state [[gnu::tls_model("initial-exec")]];

/// Where a part of the calling thread's state lies, from the thread pointer.
std::int32_t from_thread_pointer(const void* part);

}  // namespace espy::vm
