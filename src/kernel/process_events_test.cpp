#include "kernel/process_events.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "base/fd.hpp"
#include "symbol/elf_file.hpp"

namespace espy::kernel {
namespace {

#define OPEN_OR_SKIP(events)                                                             \
  auto opened = ProcessEvents::open();                                                   \
  if (!opened && opened.error().kind == ErrorKind::permission)                           \
    GTEST_SKIP() << "needs CAP_PERFMON: " << one_line(opened.error());                   \
  ASSERT_TRUE(opened) << describe(opened.error());                                       \
  ProcessEvents events = std::move(*opened)

template <typename T>
const T* next(const std::vector<ProcessEvent>& all, std::size_t& from, int pid) {
  for (; from < all.size(); ++from)
    if (const T* event = std::get_if<T>(&all[from]))
      if (auto of = [&] { if constexpr (std::is_same_v<T, ProcessFork>) return event->child; else return event->pid; }(); of == pid) return event;
  return nullptr;
}

int run_true() {
  const int pid = ::fork();
  if (pid == 0) {
    ::execl("/bin/true", "true", nullptr);
    ::_exit(127);
  }
  ::waitpid(pid, nullptr, 0);
  return pid;
}

TEST(ProcessEvents, TellALifeInOrder) {
  OPEN_OR_SKIP(events);
  const int pid = run_true();
  std::vector<ProcessEvent> all;
  ASSERT_TRUE(events.drain([&](const ProcessEvent& event) { all.push_back(event); }));
  std::size_t at = 0;
  const auto* fork = next<ProcessFork>(all, at, pid);
  ASSERT_NE(fork, nullptr);
  EXPECT_EQ(fork->parent, ::getpid());
  ASSERT_NE(next<ProcessExec>(all, at, pid), nullptr);
  const auto* mmap = next<ProcessMmap>(all, at, pid);
  ASSERT_NE(mmap, nullptr);
  EXPECT_TRUE(mmap->mapping.path.ends_with("/true")) << mmap->mapping.path;
  struct stat status {};
  ASSERT_EQ(::stat("/bin/true", &status), 0);
  EXPECT_EQ(mmap->mapping.inode, status.st_ino);
  ASSERT_NE(next<ProcessExit>(all, at, pid), nullptr);
  EXPECT_EQ(events.lost(), 0U);
  EXPECT_FALSE(events.fds().empty());
}

// The process has ended before anybody looks.
TEST(ProcessEvents, NameAddressesOfProcessesThatHaveEnded) {
  OPEN_OR_SKIP(events);
  const int pid = run_true();
  symbol::Symboliser symbols;
  std::vector<symbol::Mapping> mapped;
  auto drained = events.drain([&](const ProcessEvent& event) {
    if (const auto* mmap = std::get_if<ProcessMmap>(&event); mmap != nullptr && mmap->pid == pid) mapped.push_back(mmap->mapping);
  });
  ASSERT_TRUE(drained);
  const int again = run_true();
  ASSERT_TRUE(events.drain(symbols));
  // Where libc lies differs each time: look at what this process mapped.
  EXPECT_GE(symbols.counts().exited, 1U);
  EXPECT_EQ(symbols.resolve(again, 1).module, "");
  ASSERT_FALSE(mapped.empty());
  symbol::Symboliser replayed;
  replayed.on_exec(pid);
  for (const symbol::Mapping& mapping : mapped) replayed.on_mmap(pid, mapping);
  replayed.on_exit(pid);
  bool named = false;
  for (const symbol::Mapping& mapping : mapped) {
    if (mapping.path.find("libc.so") == std::string::npos) continue;
    auto file = symbol::ElfFile::open(mapping.path).value();
    const symbol::Function read = symbol::find_function(file, "fread").value();
    const std::uint64_t address = mapping.start + read.file_offset - mapping.offset + 1;
    EXPECT_NE(replayed.resolve(pid, address).symbol.find("fread"), std::string::npos) << replayed.resolve(pid, address).symbol;
    named = true;
  }
  EXPECT_TRUE(named);
}

TEST(ProcessEvents, CountWhatWasLost) {
  auto opened = ProcessEvents::open(1);
  if (!opened) GTEST_SKIP() << "needs CAP_PERFMON: " << one_line(opened.error());
  for (int i = 0; i < 60; ++i) run_true();
  std::size_t seen = 0;
  ASSERT_TRUE(opened->drain([&](const ProcessEvent&) { ++seen; }));
  run_true();   // before 6.0 the next record tells
  ASSERT_TRUE(opened->drain([&](const ProcessEvent&) { ++seen; }));
  EXPECT_GT(seen, 0U);
  EXPECT_GT(opened->lost(), 0U);
}

TEST(ProcessEvents, RingsArePowersOfTwo) { EXPECT_EQ(ProcessEvents::open(3).error().kind, ErrorKind::invalid_argument); }

}  // namespace
}  // namespace espy::kernel
