// Names of addresses in processes that run and in processes that have ended.
#include "symbol/process.hpp"

#include <fcntl.h>

#include "programs.hpp"
#include "symbol/debug_file.hpp"

namespace espy::symbol {
namespace {

struct Kind {
  const char* name;
  const char* flags;
  bool stripped;
};
constexpr Kind kKinds[] = {{"pie", "-O0 -g -fno-omit-frame-pointer", false},
                           {"fixed", "-O0 -g -no-pie -fno-pie", false},
                           {"optimised", "-O2 -g", false},
                           {"bare", "-O1", false},
                           {"stripped", "-O1 -rdynamic -s", true}};

TEST(Processes, AreNamedWhileTheyLiveAndAfter) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const std::string path = compile(kind.name, kProgram, kind.flags);
    Child child(path);
    ASSERT_NE(child.address(0), 0U);
    Symboliser symbols;
    auto check = [&] {
      Frame frame = symbols.resolve(child.pid(), child.address(0));
      EXPECT_EQ(frame.symbol, "visible");
      EXPECT_EQ(frame.offset, 0U);
      EXPECT_EQ(frame.module, path);
      EXPECT_EQ(symbols.resolve(child.pid(), child.address(0) + 3).offset, 3U);
      EXPECT_EQ(symbols.resolve(child.pid(), child.address(2)).symbol, "main");
      EXPECT_EQ(symbols.resolve(child.pid(), 1).module, "");
      if (kind.stripped) return;
      EXPECT_EQ(symbols.resolve(child.pid(), child.address(1)).symbol, "hidden");
      const std::string place = output_of(fmt::format("{} {} | grep ' visible$'", ESPY_NM, path));
      EXPECT_EQ(frame.module_address, std::strtoull(place.c_str(), nullptr, 16)) << place;
    };
    check();
    EXPECT_EQ(symbols.address_of(child.pid(), "visible")->address, child.address(0));
    EXPECT_EQ(symbols.address_of(child.pid(), "variable")->address, child.address(4));
    EXPECT_EQ(symbols.address_of(child.pid(), "variable")->size, 4U);
    EXPECT_FALSE(symbols.address_of(child.pid(), "no such thing"));
    const int pid = child.pid();
    Frame before = symbols.resolve(pid, child.address(1));
    child.end();
    ::usleep(120'000);
    EXPECT_EQ(symbols.resolve(pid, child.address(1)).symbol, before.symbol);
    EXPECT_EQ(symbols.counts().exited, 1U);
  }
}

TEST(Processes, LibrariesAndVdsoAreNamed) {
  const std::string path = compile("libraries", kProgram, "-O1");
  Child child(path);
  Symboliser symbols;
  Frame frame = symbols.resolve(child.pid(), child.address(3));
  EXPECT_TRUE(frame.symbol.ends_with("printf")) << frame.symbol;
  EXPECT_NE(frame.module.find("libc.so"), std::string::npos) << frame.module;
  const std::string maps = read_text_file(fmt::format("/proc/{}/maps", child.pid())).value();
  for (const Mapping& mapping : parse_maps(maps)) {
    if (mapping.path != "[vdso]") continue;
    auto clock = symbols.address_of(child.pid(), "__vdso_clock_gettime");
    ASSERT_TRUE(clock);
    EXPECT_GE(clock->address, mapping.start);
    EXPECT_EQ(symbols.resolve(child.pid(), clock->address + 1).module, "[vdso]");
    EXPECT_NE(symbols.resolve(child.pid(), clock->address + 1).symbol.find("clock_gettime"), std::string::npos);
  }
}

TEST(Processes, UnlinkedProgramsAreNamed) {
  const std::string path = compile("unlinked", kProgram, "-O1");
  Child child(path);
  ::unlink(path.c_str());
  if (::access(fmt::format("/proc/{}/map_files", child.pid()).c_str(), X_OK) != 0 || ::geteuid() != 0)
    GTEST_SKIP() << "following /proc/PID/map_files needs CAP_CHECKPOINT_RESTORE";
  Symboliser symbols;
  EXPECT_EQ(symbols.resolve(child.pid(), child.address(0)).symbol, "visible");
  EXPECT_EQ(symbols.resolve(child.pid(), child.address(0)).module, path);
}

TEST(Processes, FileThatTookThePlaceOfAnotherIsNotTaken) {
  const std::string path = compile("replaced", kProgram, "-O1");
  Child child(path);
  const std::string maps = read_text_file(fmt::format("/proc/{}/maps", child.pid())).value();
  Mapping mapping = parse_maps(maps).front();
  ASSERT_EQ(mapping.path, path);
  mapping.inode += 1;   // as if the file that was mapped had gone and another had its path
  Symboliser symbols;
  symbols.on_exec(child.pid());
  symbols.on_mmap(child.pid(), mapping);
  Frame frame = symbols.resolve(child.pid(), child.address(0));
  EXPECT_EQ(frame.symbol, "");
  EXPECT_EQ(frame.module, path);
}

// What events tell, a process of a millisecond needs: nothing of it is in /proc any more.
TEST(Processes, AreKnownByEventsAlone) {
  const std::string path = compile("events", kProgram, "-O1");
  Symboliser symbols({.exited_processes = 2});
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  auto file = ElfFile::open(path).value();
  const Function visible = find_function(file, "visible").value();
  constexpr int kGone = 4'000'000;   // above any pid_max in use
  const std::uint64_t base = 0x555500000000;
  Mapping mapping{.start = base, .end = base + 0x100000, .offset = 0, .device_major = static_cast<std::uint32_t>(status.st_dev >> 8 & 0xfff),
                  .device_minor = static_cast<std::uint32_t>(status.st_dev & 0xff), .inode = status.st_ino, .path = path};
  symbols.on_exec(kGone);
  symbols.on_mmap(kGone, mapping);
  symbols.on_fork(kGone, kGone + 1);
  symbols.on_exit(kGone);
  EXPECT_EQ(symbols.resolve(kGone, base + visible.file_offset + 2).symbol, "visible");
  EXPECT_EQ(symbols.resolve(kGone + 1, base + visible.file_offset + 2).symbol, "visible");
  // What the child maps is the child's alone.
  Mapping over = mapping;
  over.inode = 0, over.path = "//anon";
  symbols.on_mmap(kGone + 1, over);
  EXPECT_EQ(symbols.resolve(kGone + 1, base + visible.file_offset + 2).symbol, "");
  EXPECT_EQ(symbols.resolve(kGone, base + visible.file_offset + 2).symbol, "visible");
  symbols.on_exit(kGone + 1);
  EXPECT_EQ(symbols.counts().exited, 2U);
  EXPECT_EQ(symbols.counts().forgotten, 0U);
  symbols.on_exec(kGone + 2);
  symbols.on_exit(kGone + 2);
  EXPECT_EQ(symbols.counts().forgotten, 1U);
  EXPECT_EQ(symbols.resolve(kGone, base + visible.file_offset + 2).symbol, "");
  for (int i = 0; i < 5000; ++i) symbols.on_fork(kGone + 2, kGone + 3), symbols.on_exit(kGone + 3);
  EXPECT_LE(symbols.counts().exited, 2U);
}

// Descriptors are few: of many files that nobody has asked about, the oldest are closed and opened again when needed.
TEST(Processes, ManyProgramsTakeFewDescriptors) {
  const std::string path = compile("many", kProgram, "-O1");
  auto file = ElfFile::open(path).value();
  const Function visible = find_function(file, "visible").value();
  Symboliser symbols;
  auto descriptors = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  const auto before = descriptors();
  constexpr int kFirst = 4'000'000, kCount = 400;
  const std::uint64_t base = 0x555500000000;
  for (int i = 0; i < kCount; ++i) {
    const std::string copy = fmt::format("{}.{}", path, i);
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    struct stat status {};
    ASSERT_EQ(::stat(copy.c_str(), &status), 0);
    symbols.on_exec(kFirst + i);
    symbols.on_mmap(kFirst + i, {.start = base, .end = base + 0x100000, .inode = status.st_ino, .path = copy});
  }
  EXPECT_LT(descriptors() - before, 200);
  for (int i : {0, 100, kCount - 1}) EXPECT_EQ(symbols.resolve(kFirst + i, base + visible.file_offset).symbol, "visible") << i;
}

TEST(Processes, MappingOverPartOfAnother) {
  const std::string path = compile("parts", kProgram, "-O1");
  Child child(path);
  Symboliser symbols;
  symbols.learn(child.pid());
  const std::uint64_t page = child.address(0) & ~std::uint64_t{0xfff};
  symbols.on_mmap(child.pid(), {.start = page - 0x1000, .end = page, .path = "//anon"});
  EXPECT_EQ(symbols.resolve(child.pid(), page - 1).module, "//anon");
  EXPECT_EQ(symbols.resolve(child.pid(), child.address(0)).symbol, "visible");
}

void check_perf_map(const char* memory) {
  const std::string path = compile("jit", R"(
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main() {
  int file = memfd_create("doublemapper", 0);
  ftruncate(file, 4096);
  void* code = mmap(0, 4096, PROT_READ | PROT_EXEC, MEMORY, 0);
  printf("%lx\n", (long)code);
  fflush(stdout);
  while (getchar() != EOF) {}
})", fmt::format("'-DMEMORY={}' -O1", memory));
  Child child(path);
  const std::uint64_t code = child.address(0);
  Symboliser symbols;
  EXPECT_EQ(symbols.resolve(child.pid(), code).symbol, "");
  const std::string map = fmt::format("/tmp/perf-{}.map", child.pid());
  const std::string text = fmt::format("{:x} 40 LazyCompile:~f file.js:1\n{:x} 40 _ZN2ns1fEi\n{:x} 10 later\n", code, code + 0x40, code + 0x48);
  ASSERT_TRUE(write_file(map, bytes_of(std::string_view(text))));
  ::usleep(120'000);
  EXPECT_EQ(symbols.resolve(child.pid(), code + 4).symbol, "LazyCompile:~f file.js:1");
  EXPECT_EQ(symbols.resolve(child.pid(), code + 4).offset, 4U);
  EXPECT_EQ(symbols.resolve(child.pid(), code + 4).module, map);
  EXPECT_EQ(symbols.resolve(child.pid(), code + 0x4c).symbol, "later");
  ::unlink(map.c_str());
}

TEST(Processes, PerfMapsNameCodeOfCompilers) { check_perf_map("MAP_PRIVATE | MAP_ANONYMOUS, -1"); }

// So that no memory is both written and executed, some map a file twice.
TEST(Processes, PerfMapsNameCodeInMappedFiles) { check_perf_map("MAP_SHARED, file"); }

// A process in another root: its files are found in its own, not in ours.
TEST(Processes, InAnotherRootAreNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "chroot needs CAP_SYS_CHROOT";
  const std::string root = test_folder() + "/root";
  run("mkdir -p " + root + "/opt");
  const std::string path = compile("rooted", kProgram, "-O1 -static");
  run(fmt::format("cp {} {}/opt/other", path, root));
  for (const char* command : {"chroot {} /opt/other", "unshare -m chroot {} /opt/other"}) {
    SCOPED_TRACE(command);
    Child child(fmt::format(fmt::runtime(command), root));
    ASSERT_NE(child.address(0), 0U);
    Symboliser symbols;
    Frame frame = symbols.resolve(child.pid(), child.address(0));
    EXPECT_EQ(frame.symbol, "visible");
    EXPECT_TRUE(frame.module.ends_with("/opt/other")) << frame.module;
  }
}

TEST(Processes, ProgramsShareTheirSpaceWhereAsked) {
  const std::string path = compile("shared", kProgram, "-O1 -no-pie -fno-pie -static");
  Child first(path), second(path);
  Symboliser symbols({.cache = SpaceCache::per_program});
  EXPECT_EQ(symbols.resolve(first.pid(), first.address(0)).symbol, "visible");
  EXPECT_EQ(symbols.resolve(second.pid(), second.address(0)).symbol, "visible");
  Symboliser uncached({.cache = SpaceCache::none});
  EXPECT_EQ(uncached.resolve(first.pid(), first.address(0)).symbol, "visible");
  const int pid = first.pid();
  first.end();
  EXPECT_EQ(uncached.resolve(pid, first.address(0)).module, "");
}

TEST(Processes, OtherProgramUnderAnIdIsNoticed) {
  const std::string path = compile("again", kProgram, "-O1");
  int to[2], from[2];
  ASSERT_EQ(::pipe(to), 0);
  ASSERT_EQ(::pipe(from), 0);
  const int pid = ::fork();
  if (pid == 0) {
    ::dup2(to[0], 0), ::dup2(from[1], 1);
    ::close(to[1]), ::close(from[0]);
    ::execl("/bin/sh", "sh", "-c", fmt::format("echo 1; read x; exec {}", path).c_str(), nullptr);
    ::_exit(127);
  }
  ::close(from[1]), ::close(to[0]);
  FILE* out = ::fdopen(from[0], "r");
  char line[256];
  ASSERT_NE(std::fgets(line, sizeof line, out), nullptr);
  Symboliser symbols;
  symbols.learn(pid);
  ASSERT_EQ(::write(to[1], "\n", 1), 1);
  ASSERT_NE(std::fgets(line, sizeof line, out), nullptr);
  ::usleep(120'000);
  const std::uint64_t address = std::strtoull(line, nullptr, 16);
  EXPECT_EQ(symbols.resolve(pid, address).symbol, "visible");
  ::close(to[1]);
  std::fclose(out);
  ::waitpid(pid, nullptr, 0);
}

TEST(Processes, OfNobodyAreEmpty) {
  Symboliser symbols;
  for (int pid : {-1, 0, 4'100'000}) {
    EXPECT_EQ(symbols.resolve(pid, 0x1000).module, "");
    EXPECT_FALSE(symbols.address_of(pid, "main"));
    symbols.on_exit(pid);
  }
}

TEST(Maps, AreReadLineByLine) {
  auto maps = parse_maps("1000-2000 r-xp 00001000 fe:01 77   /a b (deleted)\n2000-3000 rw-p 0 00:00 0\nbroken\n3000-2000 r-xp 0 0:0 0 x\n"
                         "4000-5000 r-xp 00000000 00:00 0   [vdso]\n6000-7000 --xp 0 1:2 3 /x\\012y");
  ASSERT_EQ(maps.size(), 3U);
  EXPECT_EQ(maps[0], (Mapping{.start = 0x1000, .end = 0x2000, .offset = 0x1000, .device_major = 0xfe, .device_minor = 1, .inode = 77, .path = "/a b"}));
  EXPECT_EQ(maps[1].path, "[vdso]");
  EXPECT_EQ(maps[2].path, "/x\ny");
}

TEST(PerfMap, LaterLinesHold) {
  auto symbols = parse_perf_map("1000 100 a\n2000 100 b c\n0x1080 100 d\n900 1000 e\nffffffffffffffff 10 f\nx\n10 0 g\n");
  ASSERT_EQ(symbols.size(), 2U);
  EXPECT_EQ(symbols[0].name, "e");
  EXPECT_EQ(symbols[1].name, "b c");
}

}  // namespace
}  // namespace espy::symbol
