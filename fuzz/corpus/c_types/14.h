enum __attribute__((packed)) small { S = 1, T = 200 };
