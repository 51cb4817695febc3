#include <gtest/gtest.h>

#include "trace/probes/list.hpp"

namespace espy::trace::probes {
namespace {

class Listing : public testing::Test {
 protected:
  void SetUp() override {
    if (auto t = machine.tracepoints(); !t) GTEST_SKIP() << "no tracefs: " << t.error().message;
    if (auto b = machine.vmlinux(); !b) GTEST_SKIP() << "no kernel BTF: " << b.error().message;
  }
  std::string listed(std::string_view search, bool verbose = false) {
    auto rows = list(machine, search, {.verbose = verbose});
    if (!rows) return describe(rows.error());
    std::string all;
    for (const ListRow& row : *rows) all += text(row);
    return all;
  }
  Machine machine = Machine::running();
};

TEST_F(Listing, TracepointsWithTheirFields) {
  EXPECT_EQ(listed("t:syscalls:sys_enter_close"), "tracepoint:syscalls:sys_enter_close\n");
  EXPECT_EQ(listed("tracepoint:syscalls:sys_enter_close", true), "tracepoint:syscalls:sys_enter_close\n    int __syscall_nr\n    unsigned int fd\n");
  EXPECT_NE(listed("tracepoint:sched:sched_wakeup", true).find("    char comm[16]\n    pid_t pid\n"), std::string::npos);
  EXPECT_NE(listed("tracepoint:sched:sched_process_exec", true).find("    __data_loc char[] filename\n"), std::string::npos);
}

TEST_F(Listing, FunctionsWithParametersAndResults) {
  EXPECT_EQ(listed("fexit:vfs_read", true), "fexit:vmlinux:vfs_read\n    struct file * file\n    char * buf\n    size_t count\n    loff_t * pos\n    ssize_t retval\n");
  EXPECT_NE(listed("rawtracepoint:sched_wakeup", true).find("    struct task_struct * p\n"), std::string::npos);
  EXPECT_NE(listed("kprobe:vfs_rea*").find("kprobe:vfs_read\n"), std::string::npos);
}

TEST_F(Listing, IteratorsWithTheirContext) {
  EXPECT_NE(listed("iter:*").find("iter:task\n"), std::string::npos);
  EXPECT_EQ(listed("iter:task", true), "iter:task\n    struct bpf_iter_meta *meta\n    struct task_struct *task\n");
}

TEST_F(Listing, EventsAndUnits) {
  EXPECT_NE(listed("software:*").find("software:page-faults:\n"), std::string::npos);
  EXPECT_EQ(listed("hardware:cpu-cycles"), "hardware:cpu-cycles:\n");
  EXPECT_EQ(listed("interval:*"), "interval:hz:\ninterval:ms:\ninterval:s:\ninterval:us:\n");
}

TEST_F(Listing, FunctionsOfAFile) {
  std::string functions = listed("uprobe:libc:mallo*");
  EXPECT_NE(functions.find("libc.so.6:malloc\n"), std::string::npos) << functions;
  EXPECT_NE(listed("uprobe").find("of which program or library?"), std::string::npos);
}

TEST_F(Listing, AnyKindByName) {
  std::string all = listed("*sched_switch*");
  EXPECT_NE(all.find("tracepoint:sched:sched_switch\n"), std::string::npos);
  EXPECT_NE(all.find("rawtracepoint:vmlinux:sched_switch\n"), std::string::npos);
}

TEST_F(Listing, OnlyWhatIsThere) {
  EXPECT_NE(listed("kprobe:no_such_function").find("the kernel has no function `no_such_function`"), std::string::npos);
  EXPECT_NE(listed("no_such_name").find("no probe matches `no_such_name`"), std::string::npos);
  EXPECT_EQ(listed("kprobe:vfs_read"), "kprobe:vfs_read\n");
  EXPECT_NE(listed("vfs_read").find("kprobe:vfs_read\n"), std::string::npos);
  EXPECT_EQ(listed("BEGIN"), "begin\n");
  EXPECT_NE(listed("watchpoint").find("watchpoint:ADDRESS:LENGTH:rwx"), std::string::npos);
}

TEST_F(Listing, SeveralSearches) {
  EXPECT_EQ(listed("tracepoint:sched:sched_switch, kprobe:vfs_read,nothing_of_this"), "tracepoint:sched:sched_switch\nkprobe:vfs_read\n");
  EXPECT_NE(listed("nothing_of_this,nor_of_that").find("no probe matches `nothing_of_this`"), std::string::npos);
}

TEST_F(Listing, TypesOfTheKernel) {
  EXPECT_EQ(listed("struct task_struct"), "struct task_struct\n");
  EXPECT_EQ(listed("struct list_head", true), "struct list_head {\n\tstruct list_head *next;\n\tstruct list_head *prev;\n};\n");
  EXPECT_NE(listed("enum pid_type", true).find("PIDTYPE_TGID"), std::string::npos);
  EXPECT_NE(listed("struct task_struc").find("did you mean task_struct?"), std::string::npos);
}

TEST_F(Listing, NothingIsAnError) {
  EXPECT_NE(listed("tracepoint:nothing:*").find("no tracepoints in category"), std::string::npos);
  EXPECT_NE(listed("tracepont:a:b").find("did you mean tracepoint?"), std::string::npos);
}

}  // namespace
}  // namespace espy::trace::probes
