// The walk. One path is followed until it ends or an earlier state covers it; at a branch that may go both ways the jump's
// side is kept for later. Paths are taken up again last in, first out, so that a state's descendants end before its siblings
// begin, which is what makes them known when the siblings come.
#include <algorithm>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::size_t kMaxPending = 8192;

}  // namespace

State* Checker::push(std::uint32_t insn, std::uint32_t previous) {
  State* state = pool_.make();
  pool_.copy(*state, *state_);
  if (pending_.size() >= kMaxPending) {
    pool_.give_back(state);
    reject(Rule::too_complex, "The sequence of {} jumps is too complex.", kMaxPending + 1);
    return nullptr;
  }
  pending_.push_back({state, insn, previous});
  if (state->parent != nullptr) ++state->parent->branches;
  return state;
}

bool Checker::next_path() {
  pool_.give_back(state_);
  state_ = nullptr;
  if (pending_.empty()) return false;
  const Pending next = pending_.back();
  pending_.pop_back();
  state_ = next.state;
  insn_ = next.insn;
  previous_ = next.previous;
  return true;
}

void Checker::finish_path() { finish_branches(state_); }

bool Checker::walk_from(std::uint32_t number) {
  const Subprogram& subprogram = code_.subprograms[number];
  forget_states();
  state_ = pool_.make();
  state_->branches = 1;
  state_->may_sleep = sleepable_;
  Frame* frame = state_->frames[0] = pool_.make_frame();
  frame->subprog = number;
  frame->callsite = ~std::uint32_t{0};
  frame->regs[isa::kFramePointer] = Reg::pointer(RegType::stack);
  insn_ = state_->insn = state_->first_insn = subprogram.start;
  previous_ = ~std::uint32_t{0};
  state_->last_insn = previous_;
  if (number == 0) {
    frame->regs[1] = Reg::pointer(RegType::ctx);
    if (subprogram.is_exception_callback) frame->regs[1] = Reg::unknown();
  } else if (!check_global_arguments(number, true)) {
    return false;
  }
  return walk();
}

bool Checker::walk() {
  for (;;) {
    step_recorded_ = false;
    if (insn_ >= code_.size()) return reject(Rule::bad_jump, "invalid insn idx {} insn_cnt {}", insn_, code_.size());
    const Insn& insn = code_.insns[insn_];
    if (++processed_ > max_processed_) return reject(Rule::too_large, "BPF program is too large. Processed {} insn", processed_);
    state_->last_insn = previous_;
    state_->insn = insn_;
    Next next = Next::go_on;
    if (insn.prune_point) {
      const Visit visit = visit_state();
      if (visit == Visit::failed) return false;
      if (visit == Visit::covered) next = Next::path_done;
      if (visit == Visit::covered && options_.log_level > 1) log_line(fmt::format("{}: safe: an earlier state covers this one\n", insn_));
    }
    if (next == Next::go_on) {
      if (options_.log_level > 1) log_state();
      if (insn.jump_point) push_step();
      ++stats_.visits[insn_];
      const std::uint32_t here = insn_;
      next = step();
      if (next == Next::go_on) record_fact(insn, here);
      previous_ = here;
    }
    if (next == Next::failed) return false;
    if (next == Next::path_done) {
      finish_path();
      if (failed_) return false;
      if (!next_path()) return true;
    }
  }
}

Checker::Next Checker::step() {
  const Insn& insn = code_.insns[insn_];
  const auto go_on = [&](bool fine) {
    insn_ += insn.slots;
    return fine ? Next::go_on : Next::failed;
  };
  if (insn.defective) {
    const Flaw& flaw = *std::ranges::lower_bound(code_.late_flaws, insn_, {}, &Flaw::insn);
    fail_with(Rule::bad_instruction, kNoRegister, flaw.kernel_says);
    failure_.message = flaw.message;
    return Next::failed;
  }
  switch (insn.cls) {
    case isa::Class::alu:
    case isa::Class::alu64: return go_on(step_alu(insn));
    case isa::Class::ldx: return go_on(step_memory(insn));
    case isa::Class::st: return go_on(step_store_immediate(insn));
    case isa::Class::stx: return go_on(insn.op == isa::Operation::store ? step_memory(insn) : step_atomic(insn));
    case isa::Class::jmp:
    case isa::Class::jmp32: return step_jump(insn);
    case isa::Class::ld: return go_on(insn.op == isa::Operation::ld_imm64 ? load_literal(insn) : step_packet_load(insn));
  }
  return Next::failed;
}

Checker::Next Checker::step_jump(const Insn& insn) {
  ++jumps_;
  switch (insn.op) {
    case isa::Operation::goto_: insn_ = insn.target; return Next::go_on;
    case isa::Operation::call: return call(insn);
    case isa::Operation::exit:
      return leave(false);
    case isa::Operation::may_goto: return may_goto(insn);
    case isa::Operation::callx:
    case isa::Operation::gotox:
      reject(Rule::bad_instruction, "unknown opcode {:02x}", 0x8d);
      return Next::failed;
    default: return conditional(insn);
  }
}

bool Checker::step_memory(const Insn& insn) {
  const unsigned size = insn.bits / 8U;
  const bool loads = insn.cls == isa::Class::ldx;
  const unsigned pointer = loads ? insn.src : insn.dst;
  if (!read_reg(insn.src)) return false;
  if (loads ? !write_reg(insn.dst) : !read_reg(insn.dst)) return false;
  const RegType type = regs()[pointer].type;
  if (!access_memory(pointer, insn.off, size, loads ? Access::read : Access::write, loads ? insn.dst : insn.src, false,
                     insn.op == isa::Operation::load_signed))
    return false;
  return same_access_type(type);
}

bool Checker::step_store_immediate(const Insn& insn) {
  if (!read_reg(insn.dst)) return false;
  const RegType type = regs()[insn.dst].type;
  if (type == RegType::ctx && !profile_.has(Behaviour::context_writes_by_st))
    return reject_reg(Rule::context_access, insn.dst, "BPF_ST stores into R{} ctx is not allowed", insn.dst);
  return access_memory(insn.dst, insn.off, insn.bits / 8U, Access::write, kNoRegister, false, false) && same_access_type(type);
}

// An instruction that accesses a context, a socket or a kernel structure is rewritten for it, so it must always be that.
bool Checker::same_access_type(RegType type) {
  RegType& seen = access_types_[insn_];
  const auto rewritten = [](RegType t) {
    return t == RegType::ctx || t == RegType::socket || t == RegType::sock_common || t == RegType::tcp_sock ||
           t == RegType::xdp_sock || t == RegType::btf || t == RegType::arena;
  };
  if (seen == RegType::not_init) seen = type;
  else if (seen != type && (rewritten(seen) || rewritten(type)))
    return reject(Rule::modified_pointer, "same insn cannot be used with different pointers");
  return true;
}

bool Checker::step_atomic(const Insn& insn) {
  const unsigned size = insn.bits / 8U;
  const auto unordered = [&](unsigned number, std::string_view what) {
    const RegType type = regs()[number].type;
    if (type != RegType::ctx && !regs()[number].is_packet() && type != RegType::flow_keys && type != RegType::sock_common && type != RegType::socket &&
        type != RegType::tcp_sock && type != RegType::xdp_sock)
      return true;
    return reject_reg(Rule::wrong_argument, static_cast<int>(number), "BPF_ATOMIC {} R{} {} is not allowed", what, number, type_name(regs()[number]));
  };
  if (insn.op == isa::Operation::load_acquire) {
    if (!read_reg(insn.src) || !write_reg(insn.dst)) return false;
    const Reg pointer = regs()[insn.src];
    if (!access_memory(insn.src, insn.off, size, Access::read, insn.dst, true, false)) return false;
    const Reg loaded = regs()[insn.src];
    regs()[insn.src] = pointer;
    if (!unordered(insn.src, "loads from")) return false;
    regs()[insn.src] = loaded;
    return same_access_type(pointer.type);
  }
  if (insn.op == isa::Operation::store_release) {
    if (!read_reg(insn.src) || !read_reg(insn.dst)) return false;
    const RegType type = regs()[insn.dst].type;
    return access_memory(insn.dst, insn.off, size, Access::write, insn.src, true, false) && unordered(insn.dst, "stores into") && same_access_type(type);
  }
  if (insn.bits != 32 && insn.bits != 64) return reject(Rule::bad_instruction, "invalid atomic operand size");
  if (!read_reg(insn.src) || !read_reg(insn.dst)) return false;
  const bool exchanges = insn.op == isa::Operation::cmpxchg;
  if (exchanges) {
    if (!read_reg(0)) return false;
    if (is_pointer_value(regs()[0])) return reject_reg(Rule::pointer_leak, 0, "R0 leaks addr into mem");
  }
  if (is_pointer_value(regs()[insn.src])) return reject_reg(Rule::pointer_leak, insn.src, "R{} leaks addr into mem", insn.src);
  const RegType type = regs()[insn.dst].type;
  if (!unordered(insn.dst, "stores into")) return false;
  const bool fetches = insn.op >= isa::Operation::fetch_add && insn.op <= isa::Operation::cmpxchg;
  const int result = exchanges ? 0 : fetches ? insn.src : kNoRegister;
  if (result != kNoRegister && !write_reg(static_cast<unsigned>(result))) return false;
  // What was there is read before anything is written; a pointer there would become a number.
  if (!access_memory(insn.dst, insn.off, size, Access::read, kNoRegister, true, false)) return false;
  if (result != kNoRegister && !access_memory(insn.dst, insn.off, size, Access::read, result, true, false)) return false;
  if (!access_memory(insn.dst, insn.off, size, Access::write, kNoRegister, true, false)) return false;
  return same_access_type(type);
}

bool Checker::load_literal(const Insn& insn) {
  if (!write_reg(insn.dst)) return false;
  Reg& dst = regs()[insn.dst];
  switch (insn.literal) {
    case Literal::number:
      dst = Reg::constant(insn.imm64);
      return true;
    case Literal::function: {
      if (program_.spec.code.func_info.empty() || types_.own() == nullptr) return reject(Rule::missing_btf, "missing btf func_info");
      const int subprogram = code_.subprogram_at(insn.target);
      if (subprogram < 0) return reject(Rule::bad_instruction, "verifier bug: no func at insn {}", insn.target);
      if (code_.subprograms[static_cast<std::size_t>(subprogram)].is_global)
        return reject(Rule::callback, "callback function not static");
      dst = Reg::pointer(RegType::func);
      dst.subprog = static_cast<std::uint32_t>(subprogram);
      return true;
    }
    case Literal::kernel_variable: return load_kernel_variable(insn, dst);
    case Literal::map:
    case Literal::map_value: break;
  }
  if (insn.map >= object_.object.maps.size()) return reject(Rule::bad_instruction, "fd {} is not pointing to valid bpf_map", insn.imm);
  const std::uint32_t view = insn.map;
  const object::MapSpec& map = *maps_[view].spec;
  if (insn.literal == Literal::map) {
    dst = Reg::pointer(RegType::map_ptr);
    dst.map = view;
    return true;
  }
  if (map.type == facts::MapType::arena) {
    dst = Reg::unknown();
    dst.type = RegType::arena;
    return true;
  }
  if (map.type != facts::MapType::array)
    return reject(Rule::map_use, "no direct value access support for this map type");
  if (map.max_entries != 1 || insn.imm64 >= map.value_size)
    return reject(Rule::map_value_bounds, "invalid access to map value pointer, value_size={} off={}", map.value_size, insn.imm64);
  dst = Reg::pointer(RegType::map_value);
  dst.map = view;
  dst.off = static_cast<std::int32_t>(insn.imm64);
  return true;
}

// Loads from packets that skbs do not hold in one piece: a number, or the program ends there.
bool Checker::step_packet_load(const Insn& insn) {
  if (!facts::traits_of(type_).ld_abs) return reject(Rule::bad_instruction, "BPF_LD_[ABS|IND] instructions not allowed for this program type");
  if (!check_holds(false, "BPF_LD_[ABS|IND]")) return false;
  if (!read_reg(6)) return false;
  if (regs()[6].type != RegType::ctx)
    return reject(Rule::wrong_argument, "at the time of BPF_LD_ABS|IND R6 != pointer to skb");
  if (insn.op == isa::Operation::ld_ind && !read_reg(insn.src)) return false;
  if (!check_pointer_offset(regs()[6], 6, false)) return false;
  for (unsigned reg = 0; reg <= 5; ++reg) regs()[reg] = Reg{};
  set_unknown(regs()[0]);
  return true;
}

Checker::Next Checker::leave(bool thrown) {
  if (!check_holds(thrown, thrown ? "bpf_throw" : "BPF_EXIT instruction in main prog")) return Next::failed;
  if (thrown) return Next::path_done;
  if (state_->current != 0) return leave_subprogram() ? Next::go_on : Next::failed;
  return check_return(0, "R0") ? Next::path_done : Next::failed;
}

/// The instruction works on this map; if it ever works on another, none is told.
void Checker::note_map(std::uint32_t view) {
  InsnFacts& fact = facts_[insn_];
  const auto map = static_cast<object::MapIdx>(maps_[view].object_index);
  if (!fact.reached && !maps_[view].inner) fact.map = map;
  else if (fact.map != map || maps_[view].inner) fact.map.reset();
}

void Checker::record_fact(const Insn& insn, std::uint32_t at) {
  InsnFacts& fact = facts_[at];
  const UseDef effect = use_def(insn, 0);
  const bool first = !fact.reached;
  fact.reached = true;
  if (effect.def == 0) return;
  const bool calls = insn.op == isa::Operation::call;
  const unsigned reg = calls ? 0 : static_cast<unsigned>(std::countr_zero(effect.def));
  if (calls && insn.call == isa::CallKind::subprogram) return;
  const Reg& dst = regs()[reg];
  const std::uint64_t low = dst.is_scalar() ? dst.value.umin : 0, high = dst.is_scalar() ? dst.value.umax : ~std::uint64_t{0};
  fact.umin = first ? low : std::min(fact.umin, low);
  fact.umax = first ? high : std::max(fact.umax, high);
}

}  // namespace espy::verifier
