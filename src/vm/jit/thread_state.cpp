#include "vm/jit/thread_state.hpp"

namespace espy::vm {

constinit thread_local ThreadState thread_state [[gnu::tls_model("initial-exec")]];

std::int32_t from_thread_pointer(const void* part) {
  std::intptr_t thread = 0;
#if defined(__x86_64__)
  asm("movq %%fs:0, %0" : "=r"(thread));
#elif defined(__aarch64__)
  asm("mrs %0, tpidr_el0" : "=r"(thread));
#endif
  return static_cast<std::int32_t>(reinterpret_cast<std::intptr_t>(part) - thread);
}

}  // namespace espy::vm
