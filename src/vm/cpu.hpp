// CPUs, as programs count them.
//
// A program in the kernel stays on one CPU, so per-CPU values need no lock. A thread in user space may be moved at any
// time; so each thread that runs programs is given a number of its own instead, and that is its CPU. Only where more
// threads run programs than there are CPUs do two share one.
#pragma once

namespace espy::vm {

/// Possible CPUs: how many values a per-CPU map has for each key.
unsigned cpu_count();

/// The calling thread's.
unsigned current_cpu();

/// In a loop that waits for another thread.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// In a loop that waits for a thread which may not be running: the longer it takes, the more it leaves the processor to others.
void relax_after(unsigned turns);

}  // namespace espy::vm
