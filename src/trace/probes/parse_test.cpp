#include <gtest/gtest.h>

#include "trace/probes/attach_point.hpp"

namespace espy::trace::probes {
namespace {

struct Good { std::string_view text, name; };
class Accepted : public testing::TestWithParam<Good> {};

TEST_P(Accepted, IsNamed) {
  auto point = parse_attach_point(GetParam().text);
  ASSERT_TRUE(point) << point.error().message;
  EXPECT_EQ(name_of(*point), GetParam().name);
}

INSTANTIATE_TEST_SUITE_P(Points, Accepted, testing::ValuesIn(std::to_array<Good>({
    {"BEGIN", "begin"}, {"begin", "begin"}, {"END", "end"}, {" end ", "end"},
    {"self:signal:SIGUSR1", "self:signal:SIGUSR1"}, {"self:signal:USR2", "self:signal:SIGUSR2"},
    {"test:a", "test:a"}, {"bench:b", "bench:b"},
    {"tracepoint:sched:sched_switch", "tracepoint:sched:sched_switch"}, {"t:syscalls:sys_enter_*", "tracepoint:syscalls:sys_enter_*"},
    {"tracepoint:*exec*", "tracepoint:*:*exec*"},
    {"rt:sched_switch", "rawtracepoint:sched_switch"}, {"rawtracepoint:nf_tables:x", "rawtracepoint:nf_tables:x"},
    {"profile:hz:99", "profile:hz:99"}, {"p:s:1", "profile:s:1"}, {"profile:99hz", "profile:hz:99"}, {"interval:1s", "interval:us:1000000"},
    {"i:ms:100", "interval:ms:100"}, {"interval:1e6", "interval:us:1000"}, {"interval:us:500", "interval:us:500"},
    {"software:faults:1000", "software:faults:1000"}, {"s:cpu-clock", "software:cpu-clock"}, {"hardware:cycles:1e6", "hardware:cycles:1000000"},
    {"uprobe:/bin/bash:readline", "uprobe:/bin/bash:readline"}, {"u:libc:malloc+0x10", "uprobe:libc:malloc+16"},
    {"uprobe:/bin/x:0x1234", "uprobe:/bin/x:4660"}, {"uprobe:/bin/x:cpp:\"ns::f(int)\"", "uprobe:/bin/x:cpp:ns::f(int)"},
    {"uprobe:/bin/x:\"ns::operator+(A)\"", "uprobe:/bin/x:ns::operator+(A)"},
    {"uprobe:/bin/x@main.c:12:3", "uprobe:/bin/x@main.c:12:3"}, {"uprobe:/a.apk!/lib/l.so:f", "uprobe:/a.apk!/lib/l.so:f"},
    {"uprobe:main", "uprobe:main"}, {"uprobe:cpp:main", "uprobe:cpp:main"}, {"ur:/bin/bash:readline", "uretprobe:/bin/bash:readline"},
    {"U:/bin/x:p:n", "usdt:/bin/x:p:n"}, {"usdt:/bin/x:n", "usdt:/bin/x:n"}, {"usdt:n", "usdt:n"}, {"usdt:*:libc:*", "usdt:*:libc:*"},
    {"it:task", "iter:task"}, {"iter:task:list", "iter:task:list"},
    {"watchpoint:0x1000:8:rw", "watchpoint:4096:8:rw"}, {"asyncwatchpoint:4096:1:x", "watchpoint:4096:1:x"},
    {"k:vfs_read", "kprobe:vfs_read"}, {"kprobe:nf_nat:f+4", "kprobe:nf_nat:f+4"}, {"kprobe:0xffffffff81000000", "kprobe:18446744071578845184"},
    {"kr:vfs_read", "kretprobe:vfs_read"}, {"kfunc:vfs_read", "fentry:vfs_read"}, {"f:vmlinux:vfs_read", "fentry:vmlinux:vfs_read"},
    {"kretfunc:f", "fexit:f"}, {"fentry:bpf:prog", "fentry:bpf:prog"}, {"fexit:bpf:12:prog", "fexit:bpf:12:prog"}, {"fentry:bpf:*:p", "fentry:bpf:p"},
    {"mine=begin", "begin"},
})));

struct Bad { std::string_view text; std::size_t offset, length; std::string_view message; };
class Refused : public testing::TestWithParam<Bad> {};

TEST_P(Refused, PointsAtWhatIsWrong) {
  auto point = parse_attach_point(GetParam().text);
  ASSERT_FALSE(point);
  EXPECT_EQ(point.error().offset, GetParam().offset);
  EXPECT_EQ(point.error().length, GetParam().length);
  EXPECT_NE(point.error().message.find(GetParam().message), std::string::npos) << point.error().message;
}

INSTANTIATE_TEST_SUITE_P(Points, Refused, testing::ValuesIn(std::to_array<Bad>({
    {"", 0, 0, "a probe is wanted"}, {"tracepont:a:b", 0, 9, "there is no kind of probe `tracepont`"},
    {"  kprobe:f+x", 11, 1, "`x` is no offset"}, {"kretprobe:f+4", 12, 1, "has no offset"}, {"profile:hz:0", 11, 1, "cannot be 0"},
    {"profile:min:3", 8, 3, "no unit"}, {"interval:999", 9, 3, "too short"}, {"software:fault", 9, 5, "`fault` is no software event"},
    {"self:signal:SIGUSR3", 12, 7, "there is no signal"}, {"uprobe:/bin/x:rust:f", 14, 4, "language `rust`"}, {"begin:x", 6, 1, "takes nothing"},
    {"watchpoint:0x10:3:w", 16, 1, "3 bytes"}, {"watchpoint:0x10:4:rr", 18, 2, "no mode"}, {"uprobe:\"x", 7, 2, "not closed"},
    {"tracepoint:x", 11, 1, "a category and an event"}, {"fentry:a:b:c", 11, 1, "perhaps after its module"}, {"fexit:bpf:x:y", 10, 1, "no number of an eBPF program"},
    {"uprobe:/x@f.c:0:1", 14, 1, "no line"}, {"kprobe:", 0, 6, "name is missing"},
})));

TEST(AttachPoints, MisspeltKindsAreSuggested) {
  EXPECT_EQ(parse_attach_point("tracepont:a:b").error().hint, "did you mean tracepoint?");
  EXPECT_EQ(parse_attach_point("kfun:a").error().hint, "did you mean kfunc?");
  EXPECT_EQ(parse_attach_point("software:pagefaults").error().hint, "did you mean page-faults?");
}

TEST(AttachPoints, LabelsAreKept) { EXPECT_EQ(parse_attach_point("mine=kprobe:f")->label, "mine"); }

TEST(AttachPoints, EveryExampleOfTheTableIsAccepted) {
  for (const ProviderRow& row : providers()) {
    EXPECT_EQ(find_provider(row.name), &row);
    EXPECT_FALSE(row.doc.empty());
  }
}

TEST(Patterns, MatchSets) {
  EXPECT_TRUE(matches("sys_[er]*_open?", "sys_enter_opens"));
  EXPECT_TRUE(matches("a[b-d]e", "ace"));
  EXPECT_FALSE(matches("a[!b-d]e", "ace"));
  EXPECT_TRUE(matches("a[", "a["));
  EXPECT_FALSE(matches("*x*y", "aybx"));
  EXPECT_TRUE(is_pattern("[ab]"));
  EXPECT_FALSE(is_pattern("ns::f(int[)"));
}

}  // namespace
}  // namespace espy::trace::probes
