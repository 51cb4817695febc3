// The program that uprobes and USDT probes of these tests fire in.
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

unsigned short espy_work_semaphore __attribute__((section(".probes")));

__attribute__((noinline)) int target_work(int number)
{
	STAP_PROBE2(espy, work, number, "text");
	return number + 1;
}

__attribute__((noinline)) int target_more(int number)
{
	__asm__ volatile("");
	return number + 2;
}

int main(void)
{
	return target_work(42) + target_more(1) == 46 ? 0 : 1;
}
