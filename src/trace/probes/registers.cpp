// Calling conventions: where struct pt_regs keeps the arguments of functions and system calls. The offsets are the kernel's
// (arch/x86/include/uapi/asm/ptrace.h, arch/arm64/include/asm/ptrace.h), and stay.
#include <array>

#include "trace/probes/arguments.hpp"

namespace espy::trace::probes {

namespace {

struct RegisterRow { std::string_view name; std::uint32_t offset; };

#if defined(__aarch64__)

constexpr auto kRegisters = std::to_array<RegisterRow>({
    {"r0", 0}, {"r1", 8}, {"r2", 16}, {"r3", 24}, {"r4", 32}, {"r5", 40}, {"r6", 48}, {"r7", 56}, {"r8", 64}, {"r9", 72},
    {"r10", 80}, {"r11", 88}, {"r12", 96}, {"r13", 104}, {"r14", 112}, {"r15", 120}, {"r16", 128}, {"r17", 136}, {"r18", 144}, {"r19", 152},
    {"r20", 160}, {"r21", 168}, {"r22", 176}, {"r23", 184}, {"r24", 192}, {"r25", 200}, {"r26", 208}, {"r27", 216}, {"r28", 224}, {"r29", 232},
    {"r30", 240}, {"fp", 232}, {"lr", 240}, {"sp", 248}, {"ip", 256}, {"pc", 256}, {"pstate", 264},
});
constexpr std::array<std::uint32_t, 8> kArguments = {0, 8, 16, 24, 32, 40, 48, 56};
constexpr std::uint32_t kResult = 0;
// The first argument of a system call is kept in orig_x0: x0 will hold the result.
constexpr std::array<std::uint32_t, 6> kSyscall = {272, 8, 16, 24, 32, 40};

#else

constexpr auto kRegisters = std::to_array<RegisterRow>({
    {"r15", 0}, {"r14", 8}, {"r13", 16}, {"r12", 24}, {"bp", 32}, {"bx", 40}, {"r11", 48}, {"r10", 56}, {"r9", 64}, {"r8", 72}, {"ax", 80},
    {"cx", 88}, {"dx", 96}, {"si", 104}, {"di", 112}, {"orig_ax", 120}, {"ip", 128}, {"cs", 136}, {"flags", 144}, {"sp", 152}, {"ss", 160},
});
constexpr std::array<std::uint32_t, 6> kArguments = {112, 104, 96, 88, 72, 64};   // di si dx cx r8 r9
constexpr std::uint32_t kResult = 80;
constexpr std::array<std::uint32_t, 6> kSyscall = {112, 104, 96, 56, 72, 64};     // di si dx r10 r8 r9

#endif

}  // namespace

std::optional<std::uint32_t> argument_register(unsigned index) {
  if (index < kArguments.size()) return kArguments[index];
  return std::nullopt;
}

std::uint32_t result_register() { return kResult; }

std::optional<std::uint32_t> syscall_register(unsigned index) {
  if (index < kSyscall.size()) return kSyscall[index];
  return std::nullopt;
}

std::optional<std::uint32_t> named_register(std::string_view name) {
  // "rax" is "ax", as "x3" is "r3".
#if defined(__aarch64__)
  std::string spelled(name);
  if (spelled.starts_with('x')) spelled[0] = 'r';
#else
  std::string_view spelled = name;
  if (name.size() == 3 && name.starts_with('r') && name[1] >= 'a' && name[1] <= 'z') spelled = name.substr(1);
#endif
  for (const RegisterRow& row : kRegisters)
    if (row.name == spelled) return row.offset;
  return std::nullopt;
}

}  // namespace espy::trace::probes
