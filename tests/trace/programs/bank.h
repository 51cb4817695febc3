struct date {
	short day;
	short month;
	int year;
};

struct account {
	int id;
	long balance;
	struct date opened;
	unsigned char flags : 3;
	char owner[16];
	struct account *next;
};

int bank_audit(int depth);
