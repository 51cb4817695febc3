// The printer walks the syntax template of an instruction's row; it knows placeholders, not instructions.
#include "isa/disassemble.hpp"

#include <fmt/format.h>

#include <iterator>
#include <optional>

#include "isa/decode.hpp"
#include "isa/opcodes.hpp"
#include "isa/token.hpp"

namespace espy::isa {

namespace {

template <typename... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

struct Printer {
  const Instruction& instruction;
  InsnIdx at;
  const std::vector<bool>* labels;
  const DisassembleOptions& options;
  std::string& out;
  const Reference* reference = nullptr;

  void jump(std::int32_t distance) {
    std::int64_t target = std::int64_t{at} + 1 + distance;
    bool labelled = labels != nullptr && target >= 0 && target < static_cast<std::int64_t>(labels->size()) &&
                    (*labels)[static_cast<std::size_t>(target)];
    if (options.jumps == JumpStyle::labels && labelled) {
      out += label_name(static_cast<InsnIdx>(target));
      return;
    }
    append(out, "pc{:+d}", distance);
    if (options.jumps == JumpStyle::annotated && labelled) append(out, " <{}>", label_name(static_cast<InsnIdx>(target)));
  }

  void helper(std::int32_t number) {
    std::string_view name;
    if (options.helper_name) name = options.helper_name(static_cast<std::uint32_t>(number));
    if (!name.empty()) append(out, "{}#", name);
    append(out, "{}", number);
  }

  void operand(char placeholder) {
    const Instruction& i = instruction;
    auto unsigned_imm = static_cast<std::uint32_t>(i.imm);
    switch (placeholder) {
      case 'd': append(out, "r{}", i.dst); break;
      case 'D': append(out, "w{}", i.dst); break;
      case 's': append(out, "r{}", i.src); break;
      case 'S': append(out, "w{}", i.src); break;
      case 'o': append(out, "{:+d}", i.off); break;
      case 'O': append(out, "{}", i.off); break;
      case 'i': case 'u': append(out, "{}", i.imm); break;
      case 'h': append(out, "{:#x}", unsigned_imm); break;
      case 'x': append(out, "{}", reference != nullptr ? reference->offset : static_cast<std::uint32_t>(i.high_imm)); break;
      case 'q': append(out, "{:#x}", static_cast<std::uint64_t>(i.imm64())); break;
      case 'A': append(out, "{}", unsigned_imm >> 16); break;
      case 'B': append(out, "{}", unsigned_imm & 0xffff); break;
      case 't': jump(i.off); break;
      case 'T': jump(i.imm); break;
      case 'P': append(out, "pc{:+d}", i.imm); break;
      case 'c': helper(i.imm); break;
      case 'n': out += quoted(reference->name); break;
      case 'l': out += "ll"; break;
      default: out += placeholder; break;  // %%
    }
  }

  void walk(std::string_view syntax) {
    for (std::size_t i = 0; i < syntax.size(); ++i) {
      if (syntax[i] == '%') operand(syntax[++i]);
      else out += syntax[i];
    }
  }
};

// The spelling with a name, for an instruction that a relocation will complete; empty: it cannot have this reference.
std::string_view named_syntax(const Instruction& instruction, ReferenceKind kind) {
  static const OpcodeRow &map = *find_row("ld_imm64_map_fd"), &value = *find_row("ld_imm64_map_value"),
                         &ksym = *find_row("ld_imm64_btf_id"), &func = *find_row("ld_imm64_func"),
                         &call = *find_row("call_subprogram"), &kfunc = *find_row("call_kfunc"),
                         &plain = *find_row("ld_imm64");
  bool is_load = instruction.operation() == Operation::ld_imm64, is_call = instruction.operation() == Operation::call;
  switch (kind) {
    case ReferenceKind::map: return is_load ? map.also[0] : "";
    case ReferenceKind::map_value: return is_load ? value.also[0] : "";
    case ReferenceKind::ksym: return is_load ? ksym.also[0] : "";
    case ReferenceKind::symbol: return is_load ? plain.also[0] : "";
    case ReferenceKind::function: return is_load ? func.also[0] : is_call ? call.also[0] : "";
    case ReferenceKind::kfunc: return is_call ? kfunc.also[0] : "";
  }
  return "";
}

}  // namespace

std::string label_name(InsnIdx at) { return fmt::format("L{}", at); }

unsigned disassemble_one(std::span<const Insn> code, InsnIdx at, const DisassembleOptions& options, std::string& out,
                         const std::vector<bool>* labels) {
  Decoded decoded = try_decode(code, at);
  if (decoded.defect != Defect::none) {
    append(out, ".slot {:#018x}", to_word(code[at]));
    return 1;
  }
  if (options.opcodes) append(out, "({:02x}) ", code[at].opcode);
  const Instruction& instruction = decoded.instruction;
  Printer printer{instruction, at, labels, options, out};
  std::string_view syntax = instruction.row->syntax;
  if (options.reference) {
    if (const Reference* reference = options.reference(at); reference != nullptr) {
      if (std::string_view named = named_syntax(instruction, reference->kind); !named.empty()) {
        printer.reference = reference;
        syntax = named;
      }
    }
  }
  printer.walk(syntax);
  return instruction.slots();
}

std::string disassemble(Insn insn, const DisassembleOptions& options) {
  std::string out;
  disassemble_one(std::span(&insn, 1), 0, options, out);
  return out;
}

std::vector<bool> jump_targets(std::span<const Insn> code) {
  std::vector<bool> targets(code.size()), starts(code.size());
  for (InsnIdx at = 0; at < code.size();) {
    Decoded decoded = try_decode(code, at);
    starts[at] = true;
    if (decoded.defect != Defect::none) {
      ++at;
      continue;
    }
    if (std::optional<std::int32_t> distance = decoded.instruction.jump_distance()) {
      std::int64_t target = std::int64_t{at} + 1 + *distance;
      if (target >= 0 && target < static_cast<std::int64_t>(code.size())) targets[static_cast<std::size_t>(target)] = true;
    }
    at += decoded.instruction.slots();
  }
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = targets[i] && starts[i];
  return targets;
}

std::string disassemble(std::span<const Insn> code, const DisassembleOptions& options) {
  std::vector<bool> labels = options.jumps == JumpStyle::relative ? std::vector<bool>(code.size()) : jump_targets(code);
  std::string out;
  out.reserve(code.size() * 32);
  for (InsnIdx at = 0; at < code.size();) {
    if (options.before) options.before(at, out);
    if (labels[at]) append(out, "{}:\n", label_name(at));
    if (options.numbers) append(out, "{:4}: ", at);
    at += disassemble_one(code, at, options, out, &labels);
    out += '\n';
  }
  return out;
}

}  // namespace espy::isa
