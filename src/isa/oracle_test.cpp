// Other assemblers and disassemblers as judges: clang's assembler and llvm-objdump, and the kernel's verifier log.
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/fd.hpp"
#include "base/text.hpp"
#include "isa/assemble.hpp"
#include "isa/decode.hpp"
#include "isa/disassemble.hpp"
#include "isa/opcodes.hpp"

namespace espy::isa {
namespace {

// ---- clang and llvm-objdump ----

struct Line {
  std::string text;          // as llvm-objdump prints it
  std::vector<Insn> insns;
};

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer;
  while (std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  pclose(pipe);
  return out;
}

bool have_llvm() { return std::system("command -v clang-19 llvm-objdump-19 >/dev/null 2>&1") == 0; }

// "       2:\t18 01 00 00 88 … \tr1 = 0x1122334455667788 ll"
std::vector<Line> parse_objdump(const std::string& listing) {
  std::vector<Line> lines;
  for (std::string_view text : split(listing, '\n')) {
    std::vector<std::string_view> columns = split(text, '\t');
    if (columns.size() != 3 || !columns[0].ends_with(':')) continue;
    std::vector<std::byte> bytes;
    for (std::string_view byte : split_words(columns[1])) bytes.push_back(std::byte(*parse_number<std::uint8_t>("0x" + std::string(byte))));
    Line line{std::string(columns[2]), {}};
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) line.insns.push_back(from_word(load<std::uint64_t>(bytes, at, Endian::little)));
    lines.push_back(std::move(line));
  }
  return lines;
}

// What clang makes of the lines, one instruction each; empty if it refuses any.
std::vector<Line> assemble_with_clang(const std::vector<std::string>& lines) {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / fmt::format("espy-isa-{}", getpid());
  std::filesystem::create_directory(folder);
  {
    std::ofstream source(folder / "t.s");
    source << ".text\n";
    for (const std::string& line : lines) source << line << "\n";
  }
  std::string at = folder.string();
  std::string listing = output_of("clang-19 -target bpf -mcpu=v4 -c " + at + "/t.s -o " + at + "/t.o && llvm-objdump-19 -d --mcpu=v4 " + at + "/t.o");
  std::filesystem::remove_all(folder);
  return parse_objdump(listing);
}

// Instructions as clang spells them: arithmetic and jumps from the table, the rest by hand.
std::vector<std::string> clang_lines() {
  std::vector<std::string> lines;
  for (const OpcodeRow& row : opcodes()) {
    bool plain = row.operation <= Operation::movsx || row.is_conditional_jump() || row.operation == Operation::load ||
                 row.operation == Operation::load_signed || row.operation == Operation::store;
    if (!plain || row.cls() == Class::ld) continue;
    std::uint8_t fields = row.fields();
    for (int n = 0; n < 3; ++n) {
      Instruction instruction{.row = &row};
      if (fields & kDst) instruction.dst = static_cast<std::uint8_t>(n + 1);
      if (fields & kSrc) instruction.src = static_cast<std::uint8_t>(9 - n);
      if (fields & kOff) instruction.off = static_cast<std::int16_t>(std::array{5, -8, 32767}[static_cast<std::size_t>(n)]);
      if (fields & kImm) instruction.imm = std::array{7, -1, 0x7fffffff}[static_cast<std::size_t>(n)];
      std::array<Insn, 2> slots;
      encode(instruction, slots);
      std::string text = disassemble(slots[0]);
      if (std::size_t pc = text.find("pc"); pc != std::string::npos) text.erase(pc, 2);
      // clang knows no unsigned immediates of jumps.
      if (row.is_conditional_jump() && text.find("0xffffffff") != std::string::npos) continue;
      lines.push_back(std::move(text));
    }
  }
  for (std::string_view line : {
           "lock *(u64 *)(r1 + 8) += r2", "lock *(u32 *)(r1 + 8) += w2", "lock *(u64 *)(r1 + 8) |= r2",
           "lock *(u64 *)(r1 + 8) &= r2", "lock *(u32 *)(r1 - 8) ^= w2", "r2 = atomic_fetch_add((u64 *)(r1 + 8), r2)",
           "w2 = atomic_fetch_add((u32 *)(r1 + 8), w2)", "w2 = atomic_fetch_or((u32 *)(r1 + 8), w2)",
           "r2 = atomic_fetch_and((u64 *)(r1 - 8), r2)", "r2 = atomic_fetch_xor((u64 *)(r1 + 8), r2)",
           "r2 = xchg_64(r1 + 8, r2)", "w2 = xchg32_32(r1 + 8, w2)", "r0 = cmpxchg_64(r1 + 8, r0, r2)",
           "w0 = cmpxchg32_32(r1 - 8, w0, w2)", "r1 = bswap16 r1", "r1 = bswap32 r1", "r1 = bswap64 r1", "r1 = be16 r1",
           "r1 = be32 r1", "r1 = be64 r1", "r1 = le16 r1", "r1 = le32 r1", "r1 = le64 r1", "r1 = 0x1122334455667788 ll",
           "r1 = -1 ll", "goto +5", "gotol +30000", "call 5", "call 181", "callx r1", "exit", "r0 = *(u16 *)skb[5]",
           "r0 = *(u32 *)skb[r5]", "r0 = *(u8 *)skb[r5]", "r1 = addr_space_cast(r2, 1, 0)", "r1 = addr_space_cast(r2, 0, 1)",
           "may_goto +3",
       }) {
    lines.emplace_back(line);
  }
  return lines;
}

TEST(Oracle, ClangAssemblesTheSameBits) {
  if (!have_llvm()) GTEST_SKIP() << "clang-19 and llvm-objdump-19 are not installed";
  std::vector<std::string> source = clang_lines();
  std::vector<Line> theirs = assemble_with_clang(source);
  ASSERT_EQ(theirs.size(), source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    auto ours = assemble_insns(source[i]);
    ASSERT_TRUE(ours) << describe(ours.error());
    EXPECT_EQ(*ours, theirs[i].insns) << source[i] << " / " << theirs[i].text;
    // And their disassembler's text means the same to our assembler.
    auto again = assemble_insns(theirs[i].text);
    ASSERT_TRUE(again) << describe(again.error());
    EXPECT_EQ(*again, theirs[i].insns) << theirs[i].text;
  }
}

// ---- the kernel's verifier ----

// The log of loading these instructions as a socket filter; empty without the privilege.
std::string verifier_log(const std::vector<Insn>& code) {
  std::string log(1 << 20, '\0');
  union bpf_attr attr = {};
  attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attr.insns = reinterpret_cast<std::uintptr_t>(code.data());
  attr.insn_cnt = static_cast<std::uint32_t>(code.size());
  attr.license = reinterpret_cast<std::uintptr_t>("GPL");
  attr.log_buf = reinterpret_cast<std::uintptr_t>(log.data());
  attr.log_size = static_cast<std::uint32_t>(log.size());
  attr.log_level = 2;
  UniqueFd fd(static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr)));
  if (!fd && errno == EPERM) return {};
  log.resize(std::strlen(log.c_str()));
  return log;
}

TEST(Oracle, VerifierLogReadsTheSame) {
  auto code = assemble_insns(R"(
    r6 = r1
    r0 = 1
    w0 = -1
    r2 = 0x123456789abcdef ll
    r0 += 5
    r0 -= r2
    w0 *= 3
    r0 /= 7
    w0 %= 5
    r0 s/= 7
    w0 s%= 5
    r0 |= 0x70
    r0 &= r2
    r0 ^= -1
    r0 <<= 3
    w0 >>= 1
    r0 s>>= 2
    r0 = -r0
    w0 = -w0
    r3 = (s8)r2
    r3 = (s32)r2
    w3 = (s16)w2
    r3 = be16 r3
    r3 = le32 r3
    r3 = bswap64 r3
    *(u64 *)(r10 -8) = r2
    *(u32 *)(r10 -12) = 7
    r4 = *(u64 *)(r10 -8)
    r4 = *(s16 *)(r10 -12)
    *(u64 *)(r10 -16) = 1
    lock *(u64 *)(r10 -16) += r2
    lock *(u64 *)(r10 -16) |= r2
    r2 = atomic64_fetch_add((u64 *)(r10 -16), r2)
    r2 = atomic_fetch_xor((u32 *)(r10 -16), r2)
    r2 = atomic64_xchg((u64 *)(r10 -16), r2)
    r0 = atomic64_cmpxchg((u64 *)(r10 -16), r0, r2)
    r2 = load_acquire((u64 *)(r10 -16))
    store_release((u64 *)(r10 -16), r2)
    r0 = *(u16 *)skb[12]
    r7 = 14
    r0 = *(u8 *)skb[r7 + 9]
    call 7
    if r0 > 0xfffffffe goto pc+1
    goto pc+0
    if w0 s< 0x5 goto pc+0
    if r0 == r7 goto pc+0
    if r0 & 0x8 goto pc+0
    gotol pc+0
    may_goto pc+0
    call pc+2
    r0 = 0
    exit
    r0 = 3
    exit
  )");
  ASSERT_TRUE(code) << describe(code.error());
  std::string log = verifier_log(*code);
  if (log.empty()) GTEST_SKIP() << "loading a program needs CAP_BPF";
  std::vector<bool> compared(code->size());
  int count = 0;
  for (std::string_view line : split(log, '\n')) {  // "3: (0f) r0 += r2   ; R0=…"
    std::size_t colon = line.find(": (");
    if (colon == std::string_view::npos) continue;
    // A line may begin with the state at a branch: "from 42 to 44: …: (c6) if …".
    std::size_t digits = line.find_last_not_of("0123456789", colon - 1) + 1;
    auto at = parse_number<InsnIdx>(line.substr(digits, colon - digits));
    if (!at || *at >= code->size() || compared[*at]) continue;
    std::string_view theirs = trim(line.substr(colon + 2));
    theirs = trim(theirs.substr(0, theirs.find(';')));
    std::string ours;
    disassemble_one(*code, *at, {.opcodes = true, .helper_name = [](std::uint32_t) { return std::string_view("bpf_get_prandom_u32"); }}, ours);
    if (ours.ends_with(" ll")) ours.resize(ours.size() - 3);
    EXPECT_EQ(ours, theirs);
    compared[*at] = true;
    ++count;
    // And the log is read back.
    auto again = assemble_insns(line.substr(digits));
    if (is_ld_imm64((*code)[*at])) continue;  // the log does not tell it from a move
    ASSERT_TRUE(again) << describe(again.error());
    EXPECT_EQ(again->front(), (*code)[*at]) << line;
  }
  EXPECT_GT(count, 45) << log;
}

}  // namespace
}  // namespace espy::isa
