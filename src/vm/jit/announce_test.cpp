// What profilers and debuggers are told of compiled code. What they read is asked for when a process first compiles something,
// so each case is a process of its own.
#include "vm/jit/announce.hpp"

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.hpp"

extern "C" {
struct jit_code_entry {
  jit_code_entry* next_entry;
  jit_code_entry* prev_entry;
  const char* symfile_addr;
  std::uint64_t symfile_size;
};
struct jit_descriptor {
  std::uint32_t version, action_flag;
  jit_code_entry* relevant_entry;
  jit_code_entry* first_entry;
};
extern jit_descriptor __jit_debug_descriptor;
}

namespace espy::vm {
namespace {

constexpr std::uint8_t kCode[] = {0x90, 0x90, 0x31, 0xc0, 0xc3};

std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <typename T>
T at(std::string_view bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

[[noreturn]] void expect(bool holds) { std::_Exit(holds ? 0 : 1); }

[[noreturn]] void perf_map() {
  ::setenv("ESPY_PERF_MAP", "1", 1);
  static_cast<void>(announce(kCode, "counted"));
  const std::string path = fmt::format("/tmp/perf-{}.map", ::getpid()), text = file(path);
  std::filesystem::remove(path);
  expect(text == fmt::format("{:x} 5 bpf:counted\n", reinterpret_cast<std::uintptr_t>(kCode)));
}

[[noreturn]] void jitdump() {
  std::string folder = std::filesystem::temp_directory_path() / "espy-jitdump-XXXXXX";
  ::setenv("ESPY_JITDUMP", ::mkdtemp(folder.data()), 1);
  static_cast<void>(announce(kCode, "one"));
  static_cast<void>(announce(kCode, "two"));
  const std::string dump = file(fmt::format("{}/jit-{}.dump", folder, ::getpid()));
  std::filesystem::remove_all(folder);
  const std::string_view second = std::string_view(dump).substr(40 + at<std::uint32_t>(dump, 44));
  expect(at<std::uint32_t>(dump, 0) == 0x4a695444 && at<std::uint32_t>(dump, 8) == 40 && at<std::uint32_t>(second, 0) == 0 &&
         at<std::uint32_t>(second, 4) == second.size() && at<std::uint64_t>(second, 24 + 8) == reinterpret_cast<std::uint64_t>(kCode) &&
         at<std::uint64_t>(second, 24 + 16) == sizeof kCode && at<std::uint64_t>(second, 24 + 24) == 1 &&
         second.substr(56, 8) == std::string_view("bpf:two\0", 8) && second.substr(64) == std::string_view(reinterpret_cast<const char*>(kCode), sizeof kCode));
}

[[noreturn]] void debugger() {
  ::setenv("ESPY_GDB_JIT", "1", 1);
  bool good = __jit_debug_descriptor.version == 1 && __jit_debug_descriptor.first_entry == nullptr;
  {
    Announcement one = announce(kCode, "one"), two = announce(kCode, "two");
    const jit_code_entry* entry = __jit_debug_descriptor.first_entry;
    good = good && entry != nullptr && entry->next_entry != nullptr && entry->next_entry->prev_entry == entry && entry->next_entry->next_entry == nullptr;
    const std::string_view elf(entry->symfile_addr, entry->symfile_size);
    const auto header = at<Elf64_Ehdr>(elf, 0);
    const auto text = at<Elf64_Shdr>(elf, header.e_shoff + sizeof(Elf64_Shdr));
    good = good && elf.starts_with(ELFMAG) && header.e_shnum == 5 && text.sh_addr == reinterpret_cast<std::uint64_t>(kCode) && text.sh_size == sizeof kCode &&
           elf.find(std::string_view("\0bpf:two\0", 9)) != std::string_view::npos;
    one = Announcement();
    good = good && __jit_debug_descriptor.action_flag == 2 && __jit_debug_descriptor.first_entry == entry && entry->next_entry == nullptr;
  }
  expect(good && __jit_debug_descriptor.first_entry == nullptr);
}

class AnnounceDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }   // a new process, not a copy of this one
};

TEST_F(AnnounceDeathTest, PerfReadsAMap) { EXPECT_EXIT(perf_map(), testing::ExitedWithCode(0), ""); }
TEST_F(AnnounceDeathTest, PerfReadsADump) { EXPECT_EXIT(jitdump(), testing::ExitedWithCode(0), ""); }
TEST_F(AnnounceDeathTest, DebuggersReadAList) { EXPECT_EXIT(debugger(), testing::ExitedWithCode(0), ""); }

}  // namespace
}  // namespace espy::vm
