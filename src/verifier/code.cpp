#include "verifier/code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "btf/btf.hpp"

namespace espy::verifier {
namespace {

constexpr std::size_t kMaxSubprograms = 256;

std::string says_of(isa::Defect defect, const isa::Insn& insn, std::uint32_t at, bool known) {
  switch (defect) {
    case isa::Defect::bad_register: return fmt::format("R{} is invalid", insn.dst >= isa::kRegisters ? insn.dst : insn.src);
    case isa::Defect::truncated:
    case isa::Defect::bad_second_slot: return "invalid bpf_ld_imm64 insn";
    case isa::Defect::undefined_opcode:
      if (isa::class_of(insn) == isa::Class::stx && (insn.opcode & 0xe0) == 0xc0) return "invalid atomic operand size";
      return fmt::format("unknown opcode {:02x}", insn.opcode);
    case isa::Defect::undefined_variant:
      if (isa::is_ld_imm64(insn)) return "unrecognized bpf_ld_imm64 insn";
      if (isa::class_of(insn) == isa::Class::stx && (insn.opcode & 0x18) != 0 && (insn.opcode & 0x18) != 0x18 && insn.imm < 0x100) return "invalid atomic operand size";
      if (isa::class_of(insn) == isa::Class::stx) return fmt::format("BPF_ATOMIC uses invalid atomic opcode {:02x}", insn.imm);
      if (known) break;
      return fmt::format("unknown opcode {:02x}", insn.opcode);
    case isa::Defect::past_the_end: return fmt::format("invalid insn idx {} insn_cnt", at);
    default: break;
  }
  const std::uint8_t operation = insn.opcode & 0xf0;
  switch (isa::class_of(insn)) {
    case isa::Class::ld: return isa::is_ld_imm64(insn) ? "BPF_LD_IMM64 uses reserved fields" : "BPF_LD_[ABS|IND] uses reserved fields";
    case isa::Class::ldx: return "BPF_LDX uses reserved fields";
    case isa::Class::st: return "BPF_ST uses reserved fields";
    case isa::Class::stx: return "BPF_STX uses reserved fields";
    case isa::Class::jmp:
    case isa::Class::jmp32:
      if (operation == 0x80) return "BPF_CALL uses reserved fields";
      if (operation == 0x90) return "BPF_EXIT uses reserved fields";
      if (operation == 0xe0) return fmt::format("invalid may_goto imm {}", insn.imm);
      return operation == 0 ? "BPF_JA uses reserved fields" : "BPF_JMP/JMP32 uses reserved fields";
    default: return operation == 0xb0 ? "BPF_MOV uses reserved fields" : operation == 0x80 ? "BPF_NEG uses reserved fields" : operation == 0xd0 ? "BPF_END uses reserved fields" : "BPF_ALU uses reserved fields";
  }
}

Insn decoded(const isa::Instruction& from) {
  const isa::OpcodeRow& row = *from.row;
  Insn insn;
  insn.op = row.operation;
  insn.cls = row.cls();
  insn.bits = row.bits;
  insn.dst = from.dst;
  insn.src = from.src;
  insn.slots = static_cast<std::uint8_t>(row.slots());
  insn.selected = static_cast<std::uint8_t>(row.selected);
  insn.reg_operand = row.register_operand();
  insn.off = from.off;
  insn.imm = from.imm;
  insn.imm64 = static_cast<std::uint64_t>(from.imm64());
  return insn;
}

/// Is this looked at only where the program gets to? Registers and fields that must be zero are; shapes and opcodes are not.
bool is_late(isa::Defect defect, const isa::Insn& insn) {
  switch (defect) {
    case isa::Defect::bad_register:
    case isa::Defect::reserved_dst:
    case isa::Defect::reserved_src:
    case isa::Defect::reserved_off:
    case isa::Defect::reserved_imm: break;
    case isa::Defect::undefined_variant: break;
    default: return false;
  }
  if (isa::is_ld_imm64(insn)) return false;
  return isa::class_of(insn) != isa::Class::ldx || defect == isa::Defect::bad_register || insn.imm == 0;
}

/// The instruction that a defective one would be if what is wrong were not there: for the flow of control, which is looked at
/// first. Few fields are changed rather than many.
std::optional<isa::Instruction> without_defect(const isa::Insn& insn) {
  enum : unsigned { kImm = 1, kOff = 2, kSrc = 4, kDst = 8 };
  constexpr unsigned kFewestFirst[] = {kImm, kOff, kSrc, kDst, 3, 5, 6, 9, 10, 12, 7, 11, 13, 14, 15};
  for (unsigned fields : kFewestFirst) {
    isa::Insn mended = insn;
    const bool swaps = (insn.opcode & 0xf7) == 0xd4 || insn.opcode == 0xd7;
    if ((fields & kImm) != 0) mended.imm = swaps ? 16 : 0;
    if ((fields & kOff) != 0) mended.off = 0;
    if ((fields & kSrc) != 0) mended.src = 0;
    if ((fields & kDst) != 0) mended.dst = 0;
    const isa::Decoded read = isa::try_decode(std::span(&mended, 1), 0);
    if (read.defect == isa::Defect::none) return read.instruction;
  }
  return std::nullopt;
}

/// Decodes every slot; the walk never sees an instruction that is none.
std::optional<Flaw> decode_all(Code& code, std::span<const isa::Insn> raw, const CodeRules& rules) {
  for (std::uint32_t at = 0; at < raw.size();) {
    isa::Decoded read = isa::try_decode(raw, at);
    std::optional<Flaw> late;
    if (read.defect != isa::Defect::none) {
      Flaw flaw{at, Flaw::Kind::instruction, says_of(read.defect, raw[at], at, !isa::rows_of(raw[at].opcode).empty()),
                isa::describe(read.defect, raw, at)};
      const bool harmless = raw[at].opcode == isa::kOpExit && read.defect == isa::Defect::reserved_off;   // an exit's offset
      const bool late_one = harmless || (!rules.fields_everywhere && is_late(read.defect, raw[at]));
      const auto mended = late_one ? without_defect(raw[at]) : std::nullopt;
      if (!mended) return flaw;
      if (!harmless) late = std::move(flaw);
      read.instruction = *mended;
    }
    const isa::OpcodeRow& row = *read.instruction.row;
    const facts::KernelVersion since{row.since.major, row.since.minor};
    if (row.since.major == 0 || (rules.kernel.major != 0 && rules.kernel < since))
      return Flaw{at, Flaw::Kind::instruction, fmt::format("unknown opcode {:02x}", raw[at].opcode),
                  fmt::format("the instruction {} needs Linux {}", row.name, facts::to_string(since))};
    Insn& insn = code.insns[at] = decoded(read.instruction);
    insn.defective = late.has_value();
    if (late) code.late_flaws.push_back(std::move(*late));
    if (insn.op == isa::Operation::call) insn.call = raw[at].src > 2 ? isa::CallKind::helper : static_cast<isa::CallKind>(raw[at].src);
    if (insn.op == isa::Operation::ld_imm64) {
      const auto pseudo = static_cast<isa::Pseudo>(raw[at].src);
      insn.literal = pseudo == isa::Pseudo::none     ? Literal::number
                     : pseudo == isa::Pseudo::func   ? Literal::function
                     : pseudo == isa::Pseudo::btf_id ? Literal::kernel_variable
                     : pseudo == isa::Pseudo::map_fd || pseudo == isa::Pseudo::map_idx ? Literal::map
                                                                                      : Literal::map_value;
      insn.map = ~std::uint32_t{0};   // until a relocation names it
      code.insns[at + 1].second_half = true;
    }
    at += insn.slots;
  }
  return std::nullopt;
}

/// Every function ends with `exit` or a jump. Looked at before anything is known to be an instruction.
std::optional<Flaw> check_ends(std::span<const isa::Insn> raw) {
  const auto size = static_cast<std::int64_t>(raw.size());
  std::set<std::uint32_t> ends = {static_cast<std::uint32_t>(raw.size())};
  for (std::uint32_t at = 0; at < raw.size(); ++at) {
    if (!isa::is_call(raw[at], isa::CallKind::subprogram) && !isa::is_ld_imm64(raw[at], isa::Pseudo::func)) continue;
    const std::int64_t target = std::int64_t{at} + 1 + raw[at].imm;
    if (target < 0 || target >= size)
      return Flaw{at, Flaw::Kind::call, fmt::format("call to invalid destination {}", target), "the call's target is outside the program"};
    if (target > 0) ends.insert(static_cast<std::uint32_t>(target));
    if (ends.size() > kMaxSubprograms) break;
  }
  constexpr std::uint8_t kGoto = 0x05, kLongGoto = 0x06, kGotoX = 0x0d;
  for (std::uint32_t end : ends) {
    const isa::Insn& last = raw[end - 1];
    const bool throws = isa::is_call(last, isa::CallKind::kfunc);
    if (last.opcode == isa::kOpExit || last.opcode == kGoto || last.opcode == kLongGoto || last.opcode == kGotoX || throws) continue;
    return Flaw{end - 1, Flaw::Kind::end, "last insn is not an exit or jmp", "the function ends without `exit` or a jump back"};
  }
  return std::nullopt;
}

void apply_relocations(Code& code, const object::FunctionSpec& function) {
  for (const object::Relocation& relocation : function.relocations) {
    if (relocation.insn >= code.size()) continue;
    Insn& insn = code.insns[relocation.insn];
    if (insn.op != isa::Operation::ld_imm64) continue;
    if (const auto* map = std::get_if<object::MapRef>(&relocation.to)) {
      insn.literal = Literal::map;
      insn.map = static_cast<std::uint32_t>(map->map);
    } else if (const auto* value = std::get_if<object::MapValueRef>(&relocation.to)) {
      insn.literal = Literal::map_value;
      insn.map = static_cast<std::uint32_t>(value->map);
      insn.imm64 = value->offset;
    }
  }
}

/// Resolves jumps and calls to absolute instructions; a target outside the program is ~0.
void resolve_targets(Code& code) {
  const auto size = static_cast<std::int64_t>(code.size());
  for (std::uint32_t at = 0; at < code.size(); ++at) {
    Insn& insn = code.insns[at];
    if (insn.second_half) continue;
    std::int64_t distance = insn.off;
    const bool calls = insn.op == isa::Operation::call && insn.call == isa::CallKind::subprogram;
    if (calls || insn.literal == Literal::function || (insn.op == isa::Operation::goto_ && insn.bits == 32)) distance = insn.imm;
    const std::int64_t target = std::int64_t{at} + 1 + distance;
    insn.target = target >= 0 && target < size ? static_cast<std::uint32_t>(target) : ~std::uint32_t{0};
  }
}

std::optional<Flaw> find_subprograms(Code& code) {
  std::set<std::uint32_t> starts = {0};
  for (std::uint32_t at = 0; at < code.size(); ++at) {
    const Insn& insn = code.insns[at];
    const bool calls = insn.op == isa::Operation::call && insn.call == isa::CallKind::subprogram && !insn.second_half;
    const bool refers = insn.op == isa::Operation::ld_imm64 && insn.literal == Literal::function && !insn.second_half;
    if (!calls && !refers) continue;
    if (insn.target == ~std::uint32_t{0})
      return Flaw{at, Flaw::Kind::call, fmt::format("call to invalid destination {}", std::int64_t{at} + 1 + insn.imm),
                  "the call's target is outside the program"};
    starts.insert(insn.target);
    if (starts.size() > kMaxSubprograms)
      return Flaw{at, Flaw::Kind::subprograms, "too many subprograms", fmt::format("a program has at most {} functions", kMaxSubprograms)};
  }
  for (std::uint32_t start : starts) {
    if (!code.subprograms.empty()) code.subprograms.back().end = start;
    code.subprograms.push_back({.start = start, .end = code.size()});
  }
  return std::nullopt;
}

void name_subprograms(Code& code, const object::LinkedObject& object, const object::LinkedProgram& program) {
  code.subprograms.front().name = program.spec.name;
  if (object.object.btf == nullptr) return;
  const btf::Btf& btf = *object.object.btf;
  for (const btf::FuncInfo& info : program.spec.code.func_info) {
    const int number = code.subprogram_at(info.insn);
    if (number < 0) continue;
    const btf::Type func = btf.type(info.type);
    if (func.kind() != btf::Kind::func) continue;
    Subprogram& subprogram = code.subprograms[static_cast<std::size_t>(number)];
    subprogram.func = info.type;
    subprogram.name = std::string(func.name());
    subprogram.is_global = number != 0 && func.linkage() == btf::Linkage::global;
    for (const object::FunctionSpec& function : object.object.functions)
      if (function.name == subprogram.name && !function.is_global) subprogram.is_global = false;
  }
}

}  // namespace

Code Code::make(const object::LinkedObject& object, const object::LinkedProgram& program, const CodeRules& rules) {
  Code code;
  const std::vector<isa::Insn>& raw = program.spec.code.insns;
  if (raw.empty() || raw.size() > rules.max_insns) {
    code.flaw = Flaw{0, Flaw::Kind::too_large, raw.empty() ? "empty program" : "program is too large",
                     fmt::format("the program has {} instructions, and the kernel takes 1 to {}", raw.size(), rules.max_insns)};
    return code;
  }
  code.insns.resize(raw.size());
  // The kernel looks for subprograms before it looks at anything else, and so calls of nowhere come first.
  code.flaw = check_ends(raw);
  if (!code.flaw) code.flaw = decode_all(code, raw, rules);
  if (code.flaw) return code;
  apply_relocations(code, program.spec.code);
  resolve_targets(code);
  code.flaw = find_subprograms(code);
  if (code.flaw) return code;
  name_subprograms(code, object, program);
  code.flaw = check_flow(code, rules);
  if (!code.flaw) compute_loops(code);
  return code;
}

int Code::subprogram_at(std::uint32_t insn) const {
  auto found = std::ranges::lower_bound(subprograms, insn, {}, &Subprogram::start);
  return found != subprograms.end() && found->start == insn ? static_cast<int>(found - subprograms.begin()) : -1;
}

std::uint32_t Code::subprogram_of(std::uint32_t insn) const {
  auto found = std::ranges::upper_bound(subprograms, insn, {}, &Subprogram::start);
  return static_cast<std::uint32_t>(found - subprograms.begin()) - (found == subprograms.begin() ? 0 : 1);
}

Successors successors(const Code& code, std::uint32_t at) {
  const Insn& insn = code.insns[at];
  Successors result;
  const auto add = [&](std::uint32_t to) {
    if (to < code.size()) result.at[result.count++] = to;
  };
  if (insn.op == isa::Operation::exit || insn.op == isa::Operation::gotox) return result;
  if (insn.op == isa::Operation::goto_) {
    add(insn.target);
    return result;
  }
  add(at + insn.slots);
  if ((insn.op >= isa::Operation::jeq && insn.op <= isa::Operation::jset) || insn.op == isa::Operation::may_goto) add(insn.target);
  return result;
}

UseDef use_def(const Insn& insn, unsigned parameters) {
  using enum isa::Operation;
  const std::uint16_t dst = bit(insn.dst), src = bit(insn.src), r0 = bit(0);
  constexpr std::uint16_t kScratched = 0x3f;   // r0 … r5
  switch (insn.op) {
    case ld_imm64: return {0, dst};
    case ld_abs: return {bit(6), kScratched};
    case ld_ind: return {static_cast<std::uint16_t>(src | bit(6)), kScratched};
    case load:
    case load_signed:
    case load_acquire: return {src, dst};
    case store: return {static_cast<std::uint16_t>(insn.cls == isa::Class::st ? dst : dst | src), 0};
    case store_release: return {static_cast<std::uint16_t>(dst | src), 0};
    case atomic_add:
    case atomic_or:
    case atomic_and:
    case atomic_xor: return {static_cast<std::uint16_t>(dst | src), 0};
    case fetch_add:
    case fetch_or:
    case fetch_and:
    case fetch_xor:
    case xchg: return {static_cast<std::uint16_t>(dst | src), src};
    case cmpxchg: return {static_cast<std::uint16_t>(dst | src | r0), r0};
    case mov:
    case movsx:
    case addr_space_cast: return {static_cast<std::uint16_t>(insn.reg_operand ? src : 0), dst};
    case neg:
    case to_le:
    case to_be:
    case bswap: return {dst, dst};
    case goto_:
    case may_goto: return {};
    case gotox: return {dst, 0};
    case exit: return {r0, 0};
    case call:
    case callx: return {static_cast<std::uint16_t>((1U << (parameters + 1)) - 2), kScratched};
    default: break;
  }
  const bool jump = insn.op >= jeq && insn.op <= jset;
  const auto use = static_cast<std::uint16_t>(insn.reg_operand ? dst | src : dst);
  return {use, static_cast<std::uint16_t>(jump ? 0 : dst)};
}

void compute_live_registers(Code& code, const std::vector<std::uint8_t>& parameters) {
  // Backward over the edges, from a work list: an instruction's set only grows, so it is looked at again at most once a register
  // for each successor, however the program jumps.
  const std::uint32_t size = code.size();
  std::vector<std::uint32_t> first(size + 1, 0), predecessors;
  for (int pass = 0; pass < 2; ++pass) {
    for (std::uint32_t at = 0; at < size; ++at) {
      if (code.insns[at].second_half) continue;
      const Successors next = successors(code, at);
      for (std::uint32_t i = 0; i < next.count; ++i) {
        if (pass == 0) ++first[next.at[i] + 1];
        else predecessors[--first[next.at[i] + 1]] = at;
      }
    }
    if (pass != 0) break;
    for (std::uint32_t at = 0; at < size; ++at) first[at + 1] += first[at];
    predecessors.resize(first[size]);
  }
  // Filling counted each end down to its list's beginning: the list of `at` is [first[at + 1], first[at + 2]).
  const auto begin_of = [&](std::uint32_t at) { return first[at + 1]; };
  const auto end_of = [&](std::uint32_t at) { return at + 2 <= size ? first[at + 2] : static_cast<std::uint32_t>(predecessors.size()); };
  std::vector<std::uint32_t> work;
  std::vector<bool> waiting(size, true);
  for (std::uint32_t at = 0; at < size; ++at) work.push_back(at);
  while (!work.empty()) {
    const std::uint32_t at = work.back();
    work.pop_back();
    waiting[at] = false;
    Insn& insn = code.insns[at];
    if (insn.second_half) continue;
    std::uint16_t after = 0;
    const Successors next = successors(code, at);
    for (std::uint32_t i = 0; i < next.count; ++i) after |= code.insns[next.at[i]].live;
    const UseDef effect = use_def(insn, parameters[at]);
    const auto before = static_cast<std::uint16_t>((after & ~effect.def) | effect.use);
    if (before == insn.live) continue;
    insn.live = before;
    for (std::uint32_t i = begin_of(at); i < end_of(at); ++i) {
      const std::uint32_t previous = predecessors[i];
      if (waiting[previous]) continue;
      waiting[previous] = true;
      work.push_back(previous);
    }
  }
}

}  // namespace espy::verifier
