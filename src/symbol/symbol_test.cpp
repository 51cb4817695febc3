#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include "symbol/elf_file.hpp"
#include "symbol/find_file.hpp"
#include "symbol/usdt.hpp"

extern "C" __attribute__((noinline)) int espy_symbol_test_function(int x) { return x * 3; }
namespace espy_symbol_test {
__attribute__((noinline)) int named(int x) { return x * 5; }
}

namespace espy::symbol {
namespace {

// Where a function of this process stands in its file, by the process' own account.
std::uint64_t offset_of(const void* function) {
  std::string maps = read_text_file("/proc/self/maps").value();
  auto address = reinterpret_cast<std::uint64_t>(function);
  std::istringstream lines(maps);
  for (std::string line; std::getline(lines, line);) {
    std::uint64_t begin = 0, end = 0, offset = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %*s %lx", &begin, &end, &offset) == 3 && address >= begin && address < end) return address - begin + offset;
  }
  return 0;
}

TEST(ElfFile, FindsOwnFunctions) {
  auto file = ElfFile::open("/proc/self/exe").value();
  EXPECT_EQ(find_function(file, "espy_symbol_test_function")->file_offset, offset_of(reinterpret_cast<const void*>(&espy_symbol_test_function)));
  EXPECT_EQ(find_function(file, "espy_symbol_test::named")->file_offset, offset_of(reinterpret_cast<const void*>(&espy_symbol_test::named)));
  EXPECT_EQ(find_function(file, "espy_symbol_test::named(int)")->name, "_ZN16espy_symbol_test5namedEi");
  EXPECT_GT(espy_symbol_test_function(1) + espy_symbol_test::named(1), 0);
}

TEST(ElfFile, FindsVersionsInLibraries) {
  auto path = find_file("libc.so.6");
  if (!path) GTEST_SKIP() << "no shared libc here";
  auto file = ElfFile::open(*path).value();
  auto fopen_now = find_function(file, "fopen");
  ASSERT_TRUE(fopen_now) << one_line(fopen_now.error());
  EXPECT_TRUE(fopen_now->default_version);
  // realpath has had two versions since 2.3 on x86-64.
  auto old = find_function(file, "realpath@GLIBC_2.2.5"), now = find_function(file, "realpath");
  if (old && now) {
    EXPECT_EQ(old->version, "GLIBC_2.2.5");
    EXPECT_NE(old->file_offset, now->file_offset);
  }
  EXPECT_EQ(find_function(file, "fopne").error().hint, "did you mean `fopen`?");
  EXPECT_EQ(find_function(file, "fopen@NOTHING_1").error().kind, ErrorKind::not_found);
  auto several = match_functions(file, "fop*");
  ASSERT_TRUE(several);
  EXPECT_GE(several->size(), 2U);
}

TEST(ElfFile, RefusesWhatIsNone) {
  EXPECT_EQ(ElfFile::open("/etc/passwd").error().kind, ErrorKind::malformed);
  EXPECT_EQ(ElfFile::open("/nowhere").error().kind, ErrorKind::not_found);
  EXPECT_EQ(ElfFile::open("/dev").error().kind, ErrorKind::invalid_argument);
}

// Cut at any length and with any byte changed, a file is read or refused.
TEST(ElfFile, SurvivesDamage) {
  std::vector<std::byte> whole = read_file("/bin/true").value();
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    auto file = ElfFile::parse({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}, "cut");
    if (file) static_cast<void>(file->functions()), static_cast<void>(usdt_notes(*file));
  }
  for (std::size_t at = 0; at < 64; ++at) {
    std::vector<std::byte> changed = whole;
    changed[at] = std::byte{0xff};
    auto file = ElfFile::parse(changed, "changed");
    if (file) static_cast<void>(file->functions()), static_cast<void>(usdt_notes(*file));
  }
}

TEST(FindFile, LooksWhereShellAndLinkerDo) {
  EXPECT_TRUE(find_file("sh")->ends_with("/sh"));
  EXPECT_EQ(find_file("/bin/sh").value(), "/bin/sh");
  EXPECT_EQ(find_file("no-such-program-here").error().kind, ErrorKind::not_found);
  EXPECT_EQ(find_file("/bin/sh", ::getpid()).value(), "/proc/" + std::to_string(::getpid()) + "/root/bin/sh");
  EXPECT_EQ(find_file("sh", 99999999).error().kind, ErrorKind::not_found);
  if (auto libc = find_file("libc.so.6")) {
    EXPECT_EQ(find_file("libc").value(), *libc);
    EXPECT_EQ(find_file("libc.so").value().find("libc.so") != std::string::npos, true);
  }
}

// ---- USDT ----

std::string argument_text(std::string_view text, std::uint16_t machine = EM_X86_64) {
  auto arguments = parse_usdt_arguments(text, machine);
  if (!arguments) return "error: " + arguments.error().message;
  std::string out;
  for (const UsdtArgument& a : *arguments) {
    static constexpr std::string_view kKinds[] = {"const", "reg", "mem", "indexed"};
    out += fmt::format("{}{}{}:{}", out.empty() ? "" : " ", a.is_signed ? "s" : "u", a.size * 8, kKinds[static_cast<unsigned>(a.kind)]);
    if (a.kind != UsdtArgument::Kind::constant) out += fmt::format("@{}", a.reg);
    if (a.kind == UsdtArgument::Kind::indexed) out += fmt::format("+{}*{}", a.index_reg, a.scale);
    if (a.value != 0) out += fmt::format("{:+}", a.value);
  }
  return out;
}

TEST(Usdt, ReadsArguments) {
  EXPECT_EQ(argument_text(""), "");
  EXPECT_EQ(argument_text("-4@%edi 8@%rsi"), "s32:reg@112 u64:reg@104");
  EXPECT_EQ(argument_text("-4@$-9 1@$0x10"), "s32:const-9 u8:const+16");
  EXPECT_EQ(argument_text("-8@-1204(%rbp) 2@(%r15)"), "s64:mem@32-1204 u16:mem@0");
  EXPECT_EQ(argument_text("4@8(%rax,%rdx,4) 8@(%rax,%rbx)"), "u32:indexed@80+96*4+8 u64:indexed@80+40*1");
  EXPECT_EQ(argument_text("1@%r8b 2@%ax 4@%r9d 8@%rsp"), "u8:reg@72 u16:reg@80 u32:reg@64 u64:reg@152");
  EXPECT_EQ(argument_text("-4@w0 8@x30 4@5 -8@[sp, 12] 8@[x2]", EM_AARCH64), "s32:reg@0 u64:reg@240 u32:const+5 s64:mem@248+12 u64:mem@16");
}

TEST(Usdt, NamesTheArgumentItCannotRead) {
  for (std::string_view bad : {"8@%xmm0", "8f@%xmm0", "3@%rax", "4@", "@%rax", "4@%", "4@(%rax", "4@8(%rax,%rdx,3)", "4@x(%rip)", "4@8(,%rax,8)", "99999@%rax"})
    EXPECT_EQ(argument_text(bad), fmt::format("error: argument 0 of the USDT probe, `{}`, cannot be read", bad));
  EXPECT_TRUE(argument_text("4@%eax 8@%st(0)").find("argument 1") != std::string::npos);
  EXPECT_TRUE(argument_text("8@x31", EM_AARCH64).starts_with("error"));
  EXPECT_TRUE(argument_text("8@%rax", EM_RISCV).starts_with("error"));
}

}  // namespace
}  // namespace espy::symbol
