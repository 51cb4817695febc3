// From a failure to a Diagnostic: what is wrong in a sentence, what is known of the value at fault, the way there, what mends it.
//
// The way is found backwards. The steps of the failing path's states give back the instructions that ran; from the last one,
// the register at fault is followed to what it was made from, and comparisons that it took part in are noted with the way that
// they went. That is the part of the path that a reader must know; the rest of it would hide that.
#include <algorithm>
#include <bit>

#include "isa/disassemble.hpp"
#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::size_t kMaxTrace = 4096, kMaxSteps = 512, kMaxNotes = 12;
constexpr std::size_t kMaxLog = 16 << 20;       // bytes of a log of all states

std::string range_of(const Scalar& value) {
  if (value.is_const()) return fmt::format("{}", static_cast<std::int64_t>(value.bits.value));
  const bool is_signed = value.smin < 0;
  std::string text;
  if (is_signed && value.smin == std::numeric_limits<std::int64_t>::min() && value.smax == std::numeric_limits<std::int64_t>::max()) text = "anything";
  else text = is_signed ? fmt::format("{}…{}", value.smin, value.smax) : fmt::format("{}…{}", value.umin, value.umax);
  const std::uint64_t low = value.bits.value | value.bits.mask;
  if (low != ~std::uint64_t{0} && low != 0 && std::countr_zero(low) > 0) text += fmt::format(", a multiple of {}", std::uint64_t{1} << std::countr_zero(low));
  return text;
}

std::string_view noun_of(RegType type) {
  switch (type) {
    case RegType::not_init: return "nothing";
    case RegType::scalar: return "a number";
    case RegType::ctx: return "the context";
    case RegType::map_ptr: return "a map";
    case RegType::map_value: return "a map's value";
    case RegType::map_key: return "a map's key";
    case RegType::stack: return "the stack";
    case RegType::packet_meta: return "the packet's metadata";
    case RegType::packet: return "the packet";
    case RegType::packet_end: return "the packet's end";
    case RegType::flow_keys: return "the flow keys";
    case RegType::socket:
    case RegType::sock_common:
    case RegType::tcp_sock:
    case RegType::xdp_sock: return "a socket";
    case RegType::tp_buffer: return "the tracepoint's buffer";
    case RegType::btf: return "a kernel object";
    case RegType::mem: return "memory";
    case RegType::arena: return "the arena";
    case RegType::buffer: return "a buffer";
    case RegType::func: return "a function";
    case RegType::dynptr: return "a dynptr";
  }
  return "something";
}

}  // namespace

bool Checker::fail_with(Rule rule, int reg, std::string says) {
  if (failed_) return false;   // the first one counts
  failed_ = true;
  failure_.rule = rule;
  failure_.insn = insn_;
  failure_.reg = reg;
  failure_.says = std::move(says);
  return false;
}

Place Checker::place_of(std::uint32_t insn) const {
  Place place{.insn = insn};
  if (!code_.subprograms.empty()) place.function = code_.subprograms[code_.subprogram_of(insn)].name;
  const btf::Btf* btf = types_.own();
  if (btf == nullptr) return place;
  const btf::LineInfo* found = nullptr;
  for (const btf::LineInfo& line : program_.spec.code.line_info) {
    if (line.insn > insn) break;
    found = &line;
  }
  if (found == nullptr) return place;
  place.file = std::string(btf->string(found->file_name));
  place.line = found->line;
  place.column = found->column;
  place.source = std::string(btf->string(found->line_text));
  return place;
}

/// "r2 points to a value of map `m` (64 bytes), at offset 0…65".
std::string Checker::describe(unsigned number, const Reg& reg) const {
  if (reg.type == RegType::not_init) return fmt::format("r{} holds no value", number);
  if (reg.is_scalar()) return fmt::format("r{} is {}", number, range_of(reg.value));
  std::string what(noun_of(reg.type));
  if (reg.type == RegType::map_value || reg.type == RegType::map_key || reg.type == RegType::map_ptr) {
    const MapView& map = maps_[reg.map];
    if (reg.type == RegType::map_value) what = fmt::format("a value of map `{}`, which holds {} bytes", map.spec->name, map.spec->value_size);
    else if (reg.type == RegType::map_key) what = fmt::format("a key of map `{}`, which holds {} bytes", map.spec->name, map.spec->key_size);
    else what = fmt::format("map `{}`", map.spec->name);
  } else if (reg.type == RegType::mem) {
    what = fmt::format("{} bytes of memory", reg.mem_size);
  } else if (reg.type == RegType::btf) {
    what = fmt::format("a `struct {}`", types_.name(reg.btf, btf::TypeId{reg.type_id}));
  } else if (reg.is_packet()) {
    what += reg.range > 0 ? fmt::format(", of which {} bytes are known to be there", reg.range) : ", of which no byte is known to be there";
  }
  std::string text = fmt::format("r{} points to {}", number, what);
  if (reg.maybe_null()) text += ", or is NULL";
  Scalar offset = reg.value;
  apply(Arithmetic::add, offset, Scalar::constant(static_cast<std::uint64_t>(std::int64_t{reg.off})), false, how_);
  if (!offset.is_zero() && reg.type != RegType::map_ptr && reg.type != RegType::func) text += fmt::format("; it is at offset {}", range_of(offset));
  return text;
}

/// The instructions of the failing path, the last one last; the beginning of a long path is left out.
std::vector<std::uint32_t> Checker::trace() const {
  if (state_ == nullptr) return {};
  std::vector<const State*> states;
  std::size_t count = 0;
  for (const State* state = state_; state != nullptr && count < kMaxSteps; state = state->parent) {
    states.push_back(state);
    count += state->steps.size();
  }
  std::ranges::reverse(states);
  std::vector<std::uint32_t> path;
  std::uint32_t at = states.front()->first_insn;
  const auto run_to = [&](std::uint32_t last) {
    for (std::uint32_t guard = 0; guard < code_.size() && at < code_.size(); ++guard) {
      path.push_back(at);
      if (at == last) return;
      at += code_.insns[at].slots;
    }
  };
  for (const State* state : states)
    for (const Step& step : state->steps) {
      if (step.insn == state->first_insn && step.previous == ~std::uint32_t{0}) continue;
      if (!code_.insns[step.insn].jump_point || step.previous >= code_.size()) continue;
      run_to(step.previous);
      at = step.insn;
    }
  run_to(failure_.insn);
  if (path.size() > kMaxTrace) path.erase(path.begin(), path.end() - kMaxTrace);
  return path;
}

void Checker::log_line(std::string_view text) {
  if (walked_.size() > kMaxLog) return;
  walked_ += text;
  if (walked_.size() > kMaxLog) walked_ += fmt::format("the log ends here: it is longer than {} bytes\n", kMaxLog);
}

/// What is known where the walk stands, and the instruction that comes next.
void Checker::log_state() {
  std::string text = fmt::format("{}: {}", insn_, isa::disassemble(program_.spec.code.insns[insn_]));
  const Frame& frame = state_->frame();
  std::string_view before = "  ; ";
  for (unsigned number = 0; number < isa::kFramePointer; ++number) {
    if (frame.regs[number].type == RegType::not_init) continue;
    text += before;
    text += describe(number, frame.regs[number]);
    before = "; ";
  }
  log_line(text + "\n");
}

/// The walk (log level 2) or the failing path (1), an instruction a line, and what the kernel would say.
std::string Checker::log_of_path() const {
  std::string log = walked_;
  if (failed_) {
    if (options_.log_level < 2)
      for (std::uint32_t at : trace()) log += fmt::format("{}: {}\n", at, isa::disassemble(program_.spec.code.insns[at]));
    log += failure_.says + "\n";
  }
  log += fmt::format("processed {} insns (limit {}) max_states_per_insn {} total_states {} peak_states {} mark_read 0\n", stats_.insns_processed,
                     max_processed_, stats_.max_states_per_insn, stats_.states, stats_.peak_states);
  return log;
}

std::string Checker::origin_of(std::uint32_t at, unsigned number) const {
  const Insn& insn = code_.insns[at];
  switch (insn.op) {
    case isa::Operation::call:
      if (insn.call == isa::CallKind::helper) {
        const facts::HelperRow* helper = facts::find_helper(static_cast<std::uint32_t>(insn.imm));
        return helper != nullptr && number == 0 ? fmt::format("r0 is what {} returned", helper->name) : fmt::format("the call leaves r{} undefined", number);
      }
      return number == 0 ? "r0 is what the function returned" : fmt::format("the call leaves r{} undefined", number);
    case isa::Operation::load:
    case isa::Operation::load_signed:
    case isa::Operation::load_acquire:
      return fmt::format("r{} is read from {} here", number, noun_of(access_types_[at]));
    case isa::Operation::ld_imm64:
      if (insn.literal == Literal::map || insn.literal == Literal::map_value) return fmt::format("r{} is the address of map `{}`", number, insn.map < maps_.size() ? maps_[insn.map].spec->name : "");
      return fmt::format("r{} is {}", number, static_cast<std::int64_t>(insn.imm64));
    case isa::Operation::mov: return insn.reg_operand ? fmt::format("r{} is a copy of r{}", number, insn.src) : fmt::format("r{} is {}", number, insn.imm);
    default: return fmt::format("r{} is computed here", number);
  }
}

std::vector<Note> Checker::path_to_failure() const {
  std::vector<Note> notes;
  const std::vector<std::uint32_t> path = trace();
  if (path.empty()) return notes;
  std::uint32_t wanted = failure_.reg >= 0 ? 1U << failure_.reg : 0;
  const bool any_branch = wanted == 0;
  for (std::size_t i = path.size() - 1; i-- > 0 && notes.size() < kMaxNotes;) {
    const std::uint32_t at = path[i];
    const Insn& insn = code_.insns[at];
    const bool compares = insn.op >= isa::Operation::jeq && insn.op <= isa::Operation::jset;
    if (compares) {
      const std::uint32_t operands = 1U << insn.dst | (insn.reg_operand ? 1U << insn.src : 0U);
      if (!any_branch && (wanted & operands) == 0) continue;
      notes.push_back({place_of(at), path[i + 1] == insn.target ? "this branch is taken" : "this branch is not taken"});
      continue;
    }
    const UseDef effect = use_def(insn, 5);
    if ((effect.def & wanted) == 0) continue;
    const auto number = static_cast<unsigned>(std::countr_zero(effect.def & wanted));
    notes.push_back({place_of(at), origin_of(at, number)});
    wanted &= ~static_cast<std::uint32_t>(effect.def);
    const bool arithmetic = insn.cls == isa::Class::alu || insn.cls == isa::Class::alu64;
    if (arithmetic) wanted |= effect.use & ~(1U << isa::kFramePointer);
    if (wanted == 0 && !any_branch) break;
  }
  if (failure_.rule == Rule::leaked_reference && failure_.offset >= 0 && static_cast<std::uint64_t>(failure_.offset) < code_.size() && failure_.offset != 0)
    notes.push_back({place_of(static_cast<std::uint32_t>(failure_.offset)), "it is acquired here"});
  std::ranges::reverse(notes);
  return notes;
}

/// What mends it, with the numbers of the place.
std::string Checker::hint_of() const {
  if (!failure_.hint.empty()) return failure_.hint;
  const std::string general(row_of(failure_.rule).hint);
  const Failure& f = failure_;
  switch (f.rule) {
    case Rule::map_value_bounds:
    case Rule::memory_bounds: {
      if (f.most <= 0 || f.size <= 0 || f.size > f.most) return general;
      std::string hint = fmt::format("the access of {} bytes may begin at offset {} at most: check the offset before this line, `if (off > {}) return 0;`", f.size, f.most - f.size, f.most - f.size);
      if (std::has_single_bit(static_cast<std::uint64_t>(f.most)) && f.size == 1) hint += fmt::format(", or mask it, `off &= {:#x};`", f.most - 1);
      return hint;
    }
    case Rule::return_value: return fmt::format("return {} to {} on every path", f.least, f.most);
    case Rule::stack_overflow: return general;
    default: return general;
  }
}

Diagnostic Checker::diagnose() const {
  const RuleRow& row = row_of(failure_.rule);
  Diagnostic diagnostic;
  diagnostic.rule = failure_.rule;
  diagnostic.place = place_of(failure_.insn);
  diagnostic.message = failure_.message.empty() ? std::string(row.title) : failure_.message;
  if (state_ != nullptr && failure_.reg >= 0) {
    const auto number = static_cast<unsigned>(failure_.reg);
    diagnostic.values = describe(number, state_->frame().regs[number]);
  }
  diagnostic.path = path_to_failure();
  diagnostic.hint = hint_of();
  diagnostic.kernel_says = failure_.says;
  return diagnostic;
}

}  // namespace espy::verifier
