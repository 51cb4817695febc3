// A USDT probe that is only evaluated while somebody traces it: its semaphore says so.
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#include "bank.h"

unsigned short bank_audit_semaphore __attribute__((section(".probes")));

__attribute__((noinline, noclone)) int bank_audit(int depth)
{
	if (bank_audit_semaphore != 0)
		STAP_PROBE2(bank, audit, depth, bank_audit_semaphore);
	__asm__ volatile("");
	return depth;
}
