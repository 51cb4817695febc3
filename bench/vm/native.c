#include "work.h"

struct work_data work_data;

#define NATIVE(name) u64 native_##name(const u8 *data, const u8 *end) { (void)data; (void)end; return work_##name(); }
ALL_WORK(NATIVE)

u64 native_parse(const u8 *data, const u8 *end) { return work_parse(data, end); }
