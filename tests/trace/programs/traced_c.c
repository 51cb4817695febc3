// A bank of one account. Its functions are called in a fixed order with fixed values, which the cases know.
//   traced_c          once
//   traced_c forever  again and again, ten times a second
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

#include "bank.h"

// A program that has not read its strings yet has no memory behind them.
static const char *volatile note = "birthday";

#define CALLED __attribute__((noinline, noclone))

CALLED int bank_grade(int age, struct date day)
{
	__asm__ volatile("");
	return age + day.year;
}

CALLED long bank_deposit(struct account *account, long amount, const char *note)
{
	DTRACE_PROBE3(bank, deposit, account->id, amount, note);
	account->balance += amount;
	return account->balance;
}

CALLED short bank_fee(signed char kind, unsigned short percent, int debt)
{
	__asm__ volatile("");
	return kind * percent + debt;
}

CALLED int bank_inner(int depth) { return bank_audit(depth) + 1; }
CALLED int bank_outer(int depth) { return bank_inner(depth + 1) + 1; }

int main(int argc, char **argv)
{
	struct account account = {.id = 7, .balance = 100, .opened = {.day = 24, .month = 12, .year = 1999}, .flags = 5, .owner = "Ada"};
	int forever = argc > 1 && strcmp(argv[1], "forever") == 0;
	if (note[0] == 0)
		return 1;
	do {
		bank_deposit(&account, 42, note);
		bank_fee(-3, 50, 1000);
		bank_grade(20, account.opened);
		bank_outer(3);
		if (forever)
			usleep(100000);
	} while (forever);
	return 0;
}
