// The arguments of a USDT note are operands of the compiler's assembler: SIZE@OPERAND, separated by spaces, SIZE negative
// where the value is signed.
//   x86-64   -4@%edi   8@$17   8@-16(%rbp)   4@(%rax)   1@8(%rax,%rdx,4)   8@8(,%rax,8) is not seen in the wild
//   arm64    -4@w0   8@x1   8@31   -4@[sp, 12]   8@[x2]   8@[x0, x1, lsl 3] is not seen in the wild
#include <elf.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "symbol/usdt.hpp"

namespace espy::symbol {

namespace {

struct RegisterRow {
  std::uint16_t offset;   ///< in struct pt_regs (asm/ptrace.h)
  std::array<std::string_view, 4> names;
};
constexpr auto kX86Registers = std::to_array<RegisterRow>({
    {0, {"r15", "r15d", "r15w", "r15b"}}, {8, {"r14", "r14d", "r14w", "r14b"}}, {16, {"r13", "r13d", "r13w", "r13b"}},
    {24, {"r12", "r12d", "r12w", "r12b"}}, {32, {"rbp", "ebp", "bp", "bpl"}},   {40, {"rbx", "ebx", "bx", "bl"}},
    {48, {"r11", "r11d", "r11w", "r11b"}}, {56, {"r10", "r10d", "r10w", "r10b"}}, {64, {"r9", "r9d", "r9w", "r9b"}},
    {72, {"r8", "r8d", "r8w", "r8b"}},     {80, {"rax", "eax", "ax", "al"}},    {88, {"rcx", "ecx", "cx", "cl"}},
    {96, {"rdx", "edx", "dx", "dl"}},      {104, {"rsi", "esi", "si", "sil"}},  {112, {"rdi", "edi", "di", "dil"}},
    {128, {"rip", "eip", "", ""}},         {152, {"rsp", "esp", "sp", "spl"}},
});

std::optional<std::uint16_t> x86_register(std::string_view name) {
  if (!name.starts_with('%')) return std::nullopt;
  name.remove_prefix(1);
  for (const RegisterRow& row : kX86Registers)
    if (!name.empty() && std::ranges::find(row.names, name) != row.names.end()) return row.offset;
  return std::nullopt;
}

// struct user_pt_regs: x0 … x30, sp, pc.
std::optional<std::uint16_t> arm64_register(std::string_view name) {
  if (name == "sp") return 31 * 8;
  if (name == "pc") return 32 * 8;
  if (!name.starts_with('x') && !name.starts_with('w')) return std::nullopt;
  auto number = parse_number<std::uint16_t>(name.substr(1));
  if (!number || *number > 30) return std::nullopt;
  return static_cast<std::uint16_t>(*number * 8);
}

// "-16(%rbp)", "(%rax)", "8(%rax,%rdx,4)".
bool read_x86_memory(std::string_view text, UsdtArgument& argument) {
  std::size_t open = text.find('(');
  if (open == text.npos || !text.ends_with(')')) return false;
  if (open != 0) {
    auto displacement = parse_number<std::int64_t>(text.substr(0, open));
    if (!displacement) return false;
    argument.value = *displacement;
  }
  auto parts = split(text.substr(open + 1, text.size() - open - 2), ',');
  auto base = x86_register(trim(parts[0]));
  if (!base || parts.size() > 3) return false;
  argument.kind = UsdtArgument::Kind::memory;
  argument.reg = *base;
  if (parts.size() == 1) return true;
  auto index = x86_register(trim(parts[1]));
  auto scale = parts.size() == 3 ? parse_number<std::uint8_t>(trim(parts[2])) : std::uint8_t{1};
  if (!index || !scale || (*scale != 1 && *scale != 2 && *scale != 4 && *scale != 8)) return false;
  argument.kind = UsdtArgument::Kind::indexed;
  argument.index_reg = *index;
  argument.scale = *scale;
  return true;
}

bool read_x86(std::string_view text, UsdtArgument& argument) {
  if (text.starts_with('$')) {
    auto value = parse_number<std::int64_t>(text.substr(1));
    if (!value) return false;
    argument.value = *value;
    return true;
  }
  if (auto reg = x86_register(text)) {
    argument.kind = UsdtArgument::Kind::reg;
    argument.reg = *reg;
    return true;
  }
  return read_x86_memory(text, argument);
}

bool read_arm64(std::string_view text, UsdtArgument& argument) {
  if (auto value = parse_number<std::int64_t>(text)) {
    argument.value = *value;
    return true;
  }
  if (auto reg = arm64_register(text)) {
    argument.kind = UsdtArgument::Kind::reg;
    argument.reg = *reg;
    return true;
  }
  if (!text.starts_with('[') || !text.ends_with(']')) return false;
  auto parts = split(text.substr(1, text.size() - 2), ',');
  auto base = arm64_register(trim(parts[0]));
  auto displacement = parts.size() == 2 ? parse_number<std::int64_t>(trim(parts[1])) : std::int64_t{0};
  if (!base || !displacement || parts.size() > 2) return false;
  argument.kind = UsdtArgument::Kind::memory;
  argument.reg = *base;
  argument.value = *displacement;
  return true;
}

// Spaces separate arguments, but not inside arm64's brackets.
std::vector<std::string_view> operands(std::string_view text) {
  std::vector<std::string_view> found;
  std::size_t begin = 0;
  bool bracket = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '[') bracket = true;
    if (i < text.size() && text[i] == ']') bracket = false;
    if (i < text.size() && (text[i] != ' ' || bracket)) continue;
    if (i > begin) found.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  return found;
}

}  // namespace

Result<std::vector<UsdtArgument>> parse_usdt_arguments(std::string_view text, std::uint16_t machine) {
  std::vector<UsdtArgument> arguments;
  for (std::string_view operand : operands(text)) {
    UsdtArgument argument;
    std::size_t at = operand.find('@');
    // Without a size it is a whole register (notes of old compilers).
    auto size = at == operand.npos ? std::int8_t{8} : parse_number<std::int8_t>(operand.substr(0, at)).value_or(0);
    std::string_view place = at == operand.npos ? operand : operand.substr(at + 1);
    argument.is_signed = size < 0;
    argument.size = static_cast<std::uint8_t>(size < 0 ? -size : size);
    bool sized = argument.size == 1 || argument.size == 2 || argument.size == 4 || argument.size == 8;
    bool read = machine == EM_AARCH64 ? read_arm64(place, argument)
                : machine == EM_X86_64 || machine == EM_386 ? read_x86(place, argument) : false;
    if (!sized || !read)
      return std::unexpected(Error{.kind = ErrorKind::unsupported,
                                   .message = fmt::format("argument {} of the USDT probe, `{}`, cannot be read", arguments.size(), operand),
                                   .hint = "integer registers, constants and memory by register can"});
    arguments.push_back(argument);
  }
  return arguments;
}

}  // namespace espy::symbol
