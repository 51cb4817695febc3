// A program to be probed: functions with parameters, and a USDT probe at two places.
#include <sys/sdt.h>

#define APART __attribute__((noinline, noclone, used))

APART int probed_first(int count, const char* name) {
  __asm__ volatile("" : : "r"(name) : "memory");
  return count + 1;
}

APART long probed_second(long a, long b, long c) {
  __asm__ volatile("" : : : "memory");
  return a * b - c;
}

int main(int argc, char** argv) {
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += probed_first(40 + i, argv[0]);
  sum += (int)probed_second(7, 6, argc);
  DTRACE_PROBE2(probed, here, argc + 10, 77);
  DTRACE_PROBE2(probed, there, sum, 78);
  return sum == 0;
}
