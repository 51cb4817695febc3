// Bytes. Copies whose sides are one register vanish, and so do blocks that are left with nothing: who jumped to them jumps on.
// A block goes on to the next one where it can, by turning its condition around if need be. Blocks that are jumped back to are
// aligned. Divisors that must be looked at are, in line; what to do about them stands behind the function.
#include <asmjit/x86.h>

#include <algorithm>
#include <array>

#include "ir/x86/machine.hpp"

namespace espy::ir::x86 {
namespace {

namespace jit = asmjit;
using jit::x86::Gp;

constexpr std::array kCalleeSaved = {kRbx, kRbp, kR12, kR13, kR14, kR15};
constexpr std::uint32_t kRedZone = 128;   // bytes below rsp that nobody else writes
constexpr std::uint32_t kLoopAlign = 16;

jit::x86::CondCode code_of(Cond cond) {
  using C = jit::x86::CondCode;
  constexpr std::array kCodes = {C::kE, C::kNE, C::kB, C::kBE, C::kA, C::kAE, C::kL, C::kLE, C::kG, C::kGE};
  return kCodes[std::to_underlying(cond)];
}

Gp gp(Reg reg, unsigned bytes) {
  switch (bytes) {
    case 1: return jit::x86::gpb(reg);
    case 2: return jit::x86::gpw(reg);
    case 4: return jit::x86::gpd(reg);
    default: return jit::x86::gpq(reg);
  }
}

bool nothing(const MInst& inst) { return inst.op == MOp::mov && inst.dst == inst.a; }

class FirstError : public jit::ErrorHandler {
 public:
  void handleError(jit::Error, const char* message, jit::BaseEmitter*) override {
    if (first.empty()) first = message;
  }
  std::string first;
};

class Encoder {
 public:
  Encoder(jit::x86::Assembler& to, std::span<const jit::Label> functions, std::vector<CodeMark>& marks, const Options& options)
      : a_(to), functions_(functions), marks_(marks), options_(options) {}

  void run(const MFunction& function, jit::Label entry) {
    f_ = &function;
    measure();
    labels_.clear();
    for (std::size_t i = 0; i < f_->blocks.size(); ++i) labels_.push_back(a_.newLabel());
    find_aligned();
    a_.align(jit::AlignMode::kCode, 16);
    a_.bind(entry);
    prologue();
    for (MBlockId id = 0; id < f_->blocks.size(); ++id) block(id);
    for (Cold& cold : cold_) out_of_line(cold);
    cold_.clear();
    if (out_of_turns_.isValid()) end_run();
  }

 private:
  struct Cold {
    jit::Label at, back;
    DivideChecks why;
    std::uint8_t size;
    bool remainder;
  };

  // ---- the frame ----------------------------------------------------------------------------------------------------

  void measure() {
    saved_.clear();
    for (Reg reg : kCalleeSaved)
      if (std::ranges::any_of(f_->insts, [&](const MInst& inst) { return inst.dst == reg && !nothing(inst); })) saved_.push_back(reg);
    frame_ = (f_->frame_bytes + 7) / 8 * 8;
    bias_ = 0;
    if (!f_->calls && frame_ <= kRedZone) {
      bias_ = -static_cast<std::int32_t>(frame_);
      frame_ = 0;
    } else if (f_->calls && (saved_.size() * 8 + frame_) % 16 == 0) {
      frame_ += 8;   // with the return address, calls find it aligned to 16
    }
  }

  void prologue() {
    for (Reg reg : saved_) a_.push(gp(reg, 8));
    if (frame_ != 0) a_.sub(jit::x86::rsp, frame_);
  }

  void epilogue() {
    if (frame_ != 0) a_.add(jit::x86::rsp, frame_);
    for (std::size_t i = saved_.size(); i-- > 0;) a_.pop(gp(saved_[i], 8));
  }

  // ---- blocks -------------------------------------------------------------------------------------------------------

  bool empty(const MBlock& block) const {
    return block.taken == kNoMBlock && block.next != kNoMBlock &&
           std::all_of(f_->insts.begin() + block.begin, f_->insts.begin() + block.end, nothing);
  }

  /// Where one arrives who goes to a block. A circle of empty blocks is left after a turn.
  MBlockId arrival(MBlockId id) const {
    for (std::size_t i = 0; i < f_->blocks.size() && empty(f_->blocks[id]); ++i) id = f_->blocks[id].next;
    return id;
  }

  void find_aligned() {
    aligned_.assign(f_->blocks.size(), false);
    for (MBlockId id = 0; id < f_->blocks.size(); ++id)
      for (MBlockId to : {f_->blocks[id].taken, f_->blocks[id].next})
        if (to != kNoMBlock && arrival(to) <= id && !empty(f_->blocks[id]) && f_->blocks[id].aside_of == kNoMBlock) aligned_[arrival(to)] = true;
  }

  /// The block that is laid out next.
  MBlockId follower(MBlockId id) const {
    do ++id;
    while (id < f_->blocks.size() && empty(f_->blocks[id]) && arrival(id) != id);
    return id;
  }

  void block(MBlockId id) {
    const MBlock& block = f_->blocks[id];
    if (empty(block) && arrival(id) != id && id != 0) return;
    if (aligned_[id]) a_.align(jit::AlignMode::kCode, kLoopAlign);
    a_.bind(labels_[id]);
    std::vector<bool>& live = flags_live_;
    live.assign(block.end - block.begin, false);
    bool wanted = block.taken != kNoMBlock;
    for (std::uint32_t i = block.end; i-- > block.begin;) {
      live[i - block.begin] = wanted;
      const MOp op = f_->insts[i].op;
      if (op == MOp::cmp || op == MOp::test) wanted = false;
      else if (op == MOp::set || op == MOp::cmov) wanted = true;
    }
    for (std::uint32_t i = block.begin; i < block.end; ++i) {
      const MInst& inst = f_->insts[i];
      if (nothing(inst) || told_already(block, i)) continue;
      mark(inst.mark);
      keep_flags_ = live[i - block.begin];
      instruction(inst);
    }
    leave(id, block);
  }

  /// A comparison with zero of what the instruction before it made, of which only equality is asked: that has set the flag.
  bool told_already(const MBlock& block, std::uint32_t at) const {
    const MInst& test = f_->insts[at];
    if (test.op != MOp::test || test.b != test.a || test.a == kNoReg) return false;
    std::uint32_t before = at;
    do {
      if (before-- == block.begin) return false;
    } while (nothing(f_->insts[before]));
    const MInst& made = f_->insts[before];
    const bool sets = made.op == MOp::add || made.op == MOp::sub || made.op == MOp::and_ || made.op == MOp::or_ || made.op == MOp::xor_;
    if (!sets || made.dst != test.a || made.a != made.dst || made.size != test.size) return false;
    for (std::uint32_t i = at + 1; i < block.end; ++i) {
      const MInst& user = f_->insts[i];
      if ((user.op == MOp::set || user.op == MOp::cmov) && user.cond != Cond::e && user.cond != Cond::ne) return false;
      if (user.op == MOp::cmp || user.op == MOp::test) return true;
    }
    return block.taken == kNoMBlock || block.cond == Cond::e || block.cond == Cond::ne;
  }

  void leave(MBlockId id, const MBlock& block) {
    if (block.next == kNoMBlock) return;
    MBlockId next = arrival(block.next);
    if (block.taken != kNoMBlock) {
      MBlockId taken = arrival(block.taken);
      Cond cond = block.cond;
      if (taken == follower(id)) {
        std::swap(taken, next);
        cond = inverse(cond);
      }
      if (taken != next) a_.j(code_of(cond), labels_[taken]);
    }
    if (next != follower(id)) a_.jmp(labels_[next]);
  }

  void mark(Mark mark) {
    if (!marks_.empty() && marks_.back().mark == mark) return;
    marks_.push_back({static_cast<std::uint32_t>(a_.offset()), mark});
  }

  // ---- instructions -------------------------------------------------------------------------------------------------

  jit::x86::Mem at(const MInst& inst, unsigned bytes) const {
    const std::int32_t disp = inst.disp + (inst.base == kRsp ? bias_ : 0);
    if (inst.thread) {
      auto mem = jit::x86::ptr(static_cast<std::uint64_t>(std::int64_t{disp}), bytes);
      mem.setAbs();
      mem.setSegment(jit::x86::fs);
      return mem;
    }
    if (inst.base == kNoReg && inst.index == kNoReg) {
      auto mem = jit::x86::ptr(static_cast<std::uint64_t>(std::int64_t{disp}), bytes);
      mem.setAbs();
      return mem;
    }
    if (inst.base == kNoReg) return jit::x86::ptr(static_cast<std::uint64_t>(std::int64_t{disp}), gp(inst.index, 8), inst.scale, bytes);
    if (inst.index == kNoReg) return jit::x86::ptr(gp(inst.base, 8), disp, bytes);
    return jit::x86::ptr(gp(inst.base, 8), gp(inst.index, 8), inst.scale, disp, bytes);
  }

  void move(Reg to, Reg from) {
    if (to != from) a_.mov(gp(to, 8), gp(from, 8));
  }

  void move_immediate(Reg to, std::int64_t value) {
    if (value == 0 && !keep_flags_) a_.xor_(gp(to, 4), gp(to, 4));
    else if (value == static_cast<std::uint32_t>(value)) a_.mov(gp(to, 4), static_cast<std::uint32_t>(value));
    else a_.mov(gp(to, 8), value);
  }

  void instruction(const MInst& inst) {
    if (inst.op >= MOp::add && inst.op <= MOp::imul) return binary(inst);
    if (inst.op >= MOp::shl && inst.op <= MOp::rol) return shift(inst);
    if (inst.op >= MOp::sign_rdx && inst.op <= MOp::mul_high) return divide(inst);
    if (inst.op >= MOp::lock_add && inst.op <= MOp::cmpxchg) return atomic(inst);
    const unsigned size = inst.size;
    switch (inst.op) {
      case MOp::mov: return move(inst.dst, inst.a);
      case MOp::mov_imm: return move_immediate(inst.dst, inst.imm);
      case MOp::mov_func: a_.lea(gp(inst.dst, 8), jit::x86::ptr(functions_[static_cast<std::size_t>(inst.imm)])); return;
      case MOp::neg: move(inst.dst, inst.a); a_.neg(gp(inst.dst, size)); return;
      case MOp::not_: move(inst.dst, inst.a); a_.not_(gp(inst.dst, size)); return;
      case MOp::zext: extend(inst, false); return;
      case MOp::sext: extend(inst, true); return;
      case MOp::bswap: swap_bytes(inst); return;
      case MOp::lea: a_.lea(gp(inst.dst, 8), at(inst, 0)); return;
      case MOp::load: load(inst); return;
      case MOp::load_swapped:
        if (size != 2) return void(a_.movbe(gp(inst.dst, size), at(inst, size)));
        a_.movzx(gp(inst.dst, 4), at(inst, 2));   // a movbe of 16 bits would wait for what the register held
        a_.rol(gp(inst.dst, 2), 8);
        return;
      case MOp::store:
        if (inst.a != kNoReg) a_.mov(at(inst, size), gp(inst.a, size));
        else a_.mov(at(inst, size), truncated(inst.imm, size));
        return;
      case MOp::cmp:
        if (inst.b != kNoReg) a_.cmp(gp(inst.a, size), gp(inst.b, size));
        else a_.cmp(gp(inst.a, size), truncated(inst.imm, size));
        return;
      case MOp::test:
        if (inst.b != kNoReg) a_.test(gp(inst.a, size), gp(inst.b, size));
        else if (inst.imm >= 0 && inst.imm <= 0x7f) a_.test(gp(inst.a, 1), static_cast<std::int32_t>(inst.imm));
        else if (inst.imm >= 0) a_.test(gp(inst.a, 4), static_cast<std::int32_t>(inst.imm));
        else a_.test(gp(inst.a, size), truncated(inst.imm, size));
        return;
      case MOp::set: a_.set(code_of(inst.cond), gp(inst.dst, 1)); a_.movzx(gp(inst.dst, 4), gp(inst.dst, 1)); return;
      case MOp::cmov: move(inst.dst, inst.a); a_.cmov(code_of(inst.cond), gp(inst.dst, size), gp(inst.b, size)); return;
      case MOp::call: a_.call(functions_[static_cast<std::size_t>(inst.imm)]); return;
      case MOp::call_address: a_.mov(jit::x86::rax, inst.imm); a_.call(jit::x86::rax); return;
      case MOp::ret: epilogue(); a_.ret(); return;
      case MOp::count:
        if (!out_of_turns_.isValid()) out_of_turns_ = a_.newLabel();
        a_.sub(at(inst, 8), truncated(inst.imm, 8));
        a_.js(out_of_turns_);
        return;
      case MOp::leave: epilogue(); a_.jmp(jit::x86::rax); return;
      default: a_.ud2(); return;
    }
  }

  static jit::Imm truncated(std::int64_t value, unsigned bytes) {
    switch (bytes) {
      case 1: return jit::Imm(static_cast<std::int8_t>(value));
      case 2: return jit::Imm(static_cast<std::int16_t>(value));
      default: return jit::Imm(static_cast<std::int32_t>(value));
    }
  }

  void extend(const MInst& inst, bool is_signed) {
    const Gp from = gp(inst.a, inst.from);
    if (!is_signed && inst.from == 4) a_.mov(gp(inst.dst, 4), from);
    else if (!is_signed) a_.movzx(gp(inst.dst, 4), from);
    else if (inst.from == 4) a_.movsxd(gp(inst.dst, 8), from);
    else a_.movsx(gp(inst.dst, inst.size), from);
  }

  void load(const MInst& inst) {
    const auto mem = at(inst, inst.from);
    if (inst.from == 8 || (inst.from == 4 && (!inst.is_signed || inst.size == 4))) a_.mov(gp(inst.dst, inst.from), mem);
    else if (!inst.is_signed) a_.movzx(gp(inst.dst, 4), mem);
    else if (inst.from == 4) a_.movsxd(gp(inst.dst, 8), mem);
    else a_.movsx(gp(inst.dst, inst.size), mem);
  }

  void swap_bytes(const MInst& inst) {
    if (inst.size != 2) {
      move(inst.dst, inst.a);
      a_.bswap(gp(inst.dst, inst.size));
      return;
    }
    move(inst.dst, inst.a);
    a_.rol(gp(inst.dst, 2), 8);
    a_.movzx(gp(inst.dst, 4), gp(inst.dst, 2));
  }

  template <typename Operand>
  void combine(MOp op, const Gp& dst, const Operand& operand) {
    switch (op) {
      case MOp::add: a_.add(dst, operand); return;
      case MOp::sub: a_.sub(dst, operand); return;
      case MOp::and_: a_.and_(dst, operand); return;
      case MOp::or_: a_.or_(dst, operand); return;
      case MOp::xor_: a_.xor_(dst, operand); return;
      default: a_.imul(dst, operand); return;
    }
  }

  void binary(const MInst& inst) {
    const Gp dst = gp(inst.dst, inst.size);
    const bool commutes = inst.op != MOp::sub;
    if (inst.b == kNoReg) {
      const jit::Imm imm = truncated(inst.imm, inst.size);
      if (inst.op == MOp::imul && (inst.imm == 3 || inst.imm == 5 || inst.imm == 9)) {
        a_.lea(dst, jit::x86::ptr(gp(inst.a, 8), gp(inst.a, 8), inst.imm == 3 ? 1 : inst.imm == 5 ? 2 : 3));
      } else if (inst.op == MOp::imul) a_.imul(dst, gp(inst.a, inst.size), imm);
      else if (inst.op == MOp::add && inst.dst != inst.a) a_.lea(dst, jit::x86::ptr(gp(inst.a, 8), static_cast<std::int32_t>(inst.imm)));
      else move(inst.dst, inst.a), combine(inst.op, dst, imm);
      return;
    }
    if (commutes && inst.dst == inst.b) return combine(inst.op, dst, gp(inst.a, inst.size));
    if (inst.op == MOp::add && inst.dst != inst.a) {
      a_.lea(dst, jit::x86::ptr(gp(inst.a, 8), gp(inst.b, 8)));
      return;
    }
    move(inst.dst, inst.a);
    combine(inst.op, dst, gp(inst.b, inst.size));
  }

  void shift(const MInst& inst) {
    const Gp dst = gp(inst.dst, inst.size);
    if (inst.b != kNoReg && !(inst.b == kRcx && inst.late)) {
      const Gp from = gp(inst.a, inst.size), by = gp(inst.b, inst.size);
      if (inst.op == MOp::shl) a_.shlx(dst, from, by);
      else if (inst.op == MOp::shr) a_.shrx(dst, from, by);
      else a_.sarx(dst, from, by);
      return;
    }
    if (inst.op == MOp::shl && inst.b == kNoReg && inst.dst != inst.a && inst.imm >= 1 && inst.imm <= 3) {
      a_.lea(dst, jit::x86::ptr(std::uint64_t{0}, gp(inst.a, 8), static_cast<std::uint32_t>(inst.imm)));
      return;
    }
    move(inst.dst, inst.a);
    auto with = [&](const auto& by) {
      if (inst.op == MOp::shl) a_.shl(dst, by);
      else if (inst.op == MOp::shr) a_.shr(dst, by);
      else if (inst.op == MOp::sar) a_.sar(dst, by);
      else a_.rol(dst, by);
    };
    if (inst.b != kNoReg) with(jit::x86::cl);
    else with(jit::Imm(inst.imm));
  }

  // ---- division -----------------------------------------------------------------------------------------------------

  void divide(const MInst& inst) {
    if (inst.op == MOp::sign_rdx) {
      if (inst.size == 8) a_.cqo();
      else a_.cdq();
      return;
    }
    const Gp by = gp(inst.a, inst.size);
    if (inst.op == MOp::mul_high) {
      a_.mul(by);
      return;
    }
    const bool remainder = (inst.checks & kWantsRemainder) != 0;
    const jit::Label back = a_.newLabel();
    for (DivideChecks why : {kMayBeZero, kMayBeMinusOne}) {
      if ((inst.checks & why) == 0) continue;
      cold_.push_back({a_.newLabel(), back, why, inst.size, remainder});
      if (why == kMayBeZero) a_.test(by, by);
      else a_.cmp(by, -1);
      a_.jz(cold_.back().at);
    }
    if (inst.op == MOp::div) a_.div(by);
    else a_.idiv(by);
    a_.bind(back);
  }

  /// x / 0 = 0, x % 0 = x; x / -1 = -x, x % -1 = 0.
  void out_of_line(const Cold& cold) {
    a_.bind(cold.at);
    if (cold.why == kMayBeZero && !cold.remainder) a_.xor_(jit::x86::eax, jit::x86::eax);
    else if (cold.why == kMayBeZero) a_.mov(gp(kRdx, cold.size), gp(kRax, cold.size));
    else if (!cold.remainder) a_.neg(gp(kRax, cold.size));
    else a_.xor_(jit::x86::edx, jit::x86::edx);
    a_.jmp(cold.back);
  }

  /// What is called here does not come back, whatever the frame was.
  void end_run() {
    a_.bind(out_of_turns_);
    a_.and_(jit::x86::rsp, -16);
    a_.mov(jit::x86::rax, options_.out_of_turns);
    a_.call(jit::x86::rax);
    a_.ud2();
    out_of_turns_.reset();
  }

  // ---- atomics ------------------------------------------------------------------------------------------------------

  void atomic(const MInst& inst) {
    const auto mem = at(inst, inst.size);
    const Gp value = gp(inst.a, inst.size);
    switch (inst.op) {
      case MOp::lock_add: a_.lock().add(mem, value); return;
      case MOp::lock_and: a_.lock().and_(mem, value); return;
      case MOp::lock_or: a_.lock().or_(mem, value); return;
      case MOp::lock_xor: a_.lock().xor_(mem, value); return;
      case MOp::xadd: move(inst.dst, inst.a); a_.lock().xadd(mem, gp(inst.dst, inst.size)); return;
      case MOp::xchg: move(inst.dst, inst.a); a_.xchg(mem, gp(inst.dst, inst.size)); return;
      case MOp::cmpxchg: a_.lock().cmpxchg(mem, value, gp(kRax, inst.size)); return;
      default: break;
    }
    const jit::Label again = a_.newLabel();
    a_.mov(gp(kRax, inst.size), mem);
    a_.bind(again);
    move(inst.dst, kRax);
    combine(inst.op == MOp::fetch_and ? MOp::and_ : inst.op == MOp::fetch_or ? MOp::or_ : MOp::xor_, gp(inst.dst, inst.size), value);
    a_.lock().cmpxchg(mem, gp(inst.dst, inst.size), gp(kRax, inst.size));
    a_.jnz(again);
  }

  jit::x86::Assembler& a_;
  std::span<const jit::Label> functions_;
  std::vector<CodeMark>& marks_;
  const Options& options_;
  jit::Label out_of_turns_;            // of this function, if it counts
  const MFunction* f_ = nullptr;
  std::vector<jit::Label> labels_;     // by block
  std::vector<bool> aligned_;          // by block
  std::vector<bool> flags_live_;       // by instruction of a block
  std::vector<Reg> saved_;
  std::vector<Cold> cold_;
  std::uint32_t frame_ = 0;            // bytes that rsp goes down
  std::int32_t bias_ = 0;              // of frame addresses to rsp
  bool keep_flags_ = false;
};

}  // namespace

Result<Code> encode(const std::vector<MFunction>& functions, const Options& options) {
  FirstError errors;
  jit::CodeHolder holder;
  holder.init(jit::Environment(jit::Arch::kX64));
  holder.setErrorHandler(&errors);
  jit::x86::Assembler assembler(&holder);
  assembler.addEncodingOptions(jit::EncodingOptions::kOptimizeForSize | jit::EncodingOptions::kOptimizedAlign);
  std::vector<jit::Label> labels;
  for (std::size_t i = 0; i < functions.size(); ++i) labels.push_back(assembler.newLabel());
  Code code;
  // Who calls code by its address may look at what stands before it (clang's -fsanitize=function does).
  for (int i = 0; i < 16; ++i) assembler.int3();
  Encoder encoder(assembler, labels, code.marks, options);
  for (std::size_t i = 0; i < functions.size(); ++i) encoder.run(functions[i], labels[i]);
  holder.flatten();
  holder.resolveUnresolvedLinks();
  if (!errors.first.empty()) return fail(ErrorKind::unsupported, "x86-64: {}", errors.first);
  const jit::CodeBuffer& buffer = holder.sectionById(0)->buffer();
  code.bytes.assign(buffer.data(), buffer.data() + buffer.size());
  for (const jit::Label& label : labels) code.entries.push_back(static_cast<std::uint32_t>(holder.labelOffset(label)));
  return code;
}

}  // namespace espy::ir::x86
