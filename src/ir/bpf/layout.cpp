// Blocks that turn out empty (their copies became none) are not there: who went to them goes where they went. A block
// goes on to the next one where it can, if need be by turning its condition around. Blocks that end in the same two
// instructions, a result and the exit, share one end.
//
// A jump reaches 32767 instructions. In functions where that may not do, there is an archipelago every ten thousand: all
// jumps that are still under way forward go to an island of it, a jump of its own to the same block, and so from one to
// the next; and blocks to which jumps back will come get islands, too. With the fourth instruction set an unconditional
// jump is a long one where it has to be, and needs no islands.
#include "ir/bpf/layout.hpp"

#include <algorithm>
#include <limits>

namespace espy::ir::bpf {
namespace {

constexpr std::uint8_t kGoto = 0x05, kGotoLong = 0x06;
constexpr isa::InsnIdx kNowhere = 0xffffffff;
constexpr std::size_t kNoIslands = 30'000;      // instructions of a function in which all jumps reach
constexpr std::size_t kBetweenIslands = 10'000;

class Layout {
 public:
  Layout(const MFunction& function, const Options& options, const std::string& name) : f_(function), options_(options) {
    code_.name = name;
    code_.stack_bytes = function.stack_bytes;
  }

  Result<Code> run() {
    find_order();
    starts_.assign(f_.blocks.size(), kNowhere);
    code_.insns.reserve(f_.insts.size() + f_.order.size());
    bool islands = f_.insts.size() + f_.wide.size() + order_.size() > kNoIslands;
    if (islands) count_jumps();
    for (std::size_t i = 0; i < order_.size(); ++i) {
      MBlockId following = i + 1 < order_.size() ? order_[i + 1] : kNoMBlock;
      starts_[order_[i]] = here();
      bool falls = emit_block(f_.blocks[order_[i]], following);
      if (islands && following != kNoMBlock && code_.insns.size() - last_islands_ > kBetweenIslands) make_islands(following, falls);
    }
    TRY(resolve_jumps());
    return std::move(code_);
  }

 private:
  struct PendingJump {
    isa::InsnIdx insn;
    MBlockId to;
    isa::InsnIdx at = kNowhere;   ///< where it goes, if not to where the block starts
  };

  isa::InsnIdx here() const { return static_cast<isa::InsnIdx>(code_.insns.size()); }

  bool vanishes(const MInst& inst) const { return inst.has(kIsCopy) && inst.dst == inst.src; }

  bool empty(const MBlock& block) const {
    return block.taken == kNoMBlock && block.next != kNoMBlock &&
           std::all_of(f_.insts.begin() + block.begin, f_.insts.begin() + block.end, [&](const MInst& i) { return vanishes(i); });
  }

  /// Where a jump to a block really leads. A loop of empty blocks leads to itself.
  MBlockId target(MBlockId id) {
    if (id == kNoMBlock || final_[id] != kNoMBlock) return id == kNoMBlock ? id : final_[id];
    MBlockId at = id;
    for (std::size_t steps = 0; empty(f_.blocks[at]) && steps < f_.blocks.size(); ++steps) {
      at = f_.blocks[at].next;
      if (final_[at] != kNoMBlock) {
        at = final_[at];
        break;
      }
    }
    return final_[id] = at;
  }

  void find_order() {
    final_.assign(f_.blocks.size(), kNoMBlock);
    std::vector<bool> reached(f_.blocks.size(), false);
    if (!f_.order.empty()) reached[target(f_.order.front())] = true;
    for (MBlockId id : f_.order)
      for (MBlockId to : {f_.blocks[id].taken, f_.blocks[id].next})
        if (to != kNoMBlock && target(id) == id) reached[target(to)] = true;
    // The entry must stand first, though it may be empty.
    MBlockId entry = target(f_.order.front());
    order_.push_back(entry);
    for (MBlockId id : f_.order)
      if (reached[id] && id != entry) order_.push_back(id);
  }

  /// True: it falls through to the following one.
  bool emit_block(const MBlock& block, MBlockId following) {
    std::uint32_t end = block.end - (block.taken != kNoMBlock ? 1 : 0);
    for (std::uint32_t i = block.begin; i < end; ++i) emit(f_.insts[i]);
    MBlockId next = target(block.next);
    if (block.taken != kNoMBlock) {
      MBlockId taken = target(block.taken);
      MInst jump = f_.insts[block.end - 1];
      if (taken != next) {
        if (taken == following && turn_around(jump)) std::swap(taken, next);
        mark(jump.mark);
        jump_to(taken, plain(jump));
      }
    }
    if (next == kNoMBlock) return false;
    bool falls = next == following;
    if (!falls)
      jump_to(next, {.opcode = kGoto});
    else if (!jumps_to_.empty())
      --jumps_to_[next];
    return falls;
  }

  void jump_to(MBlockId to, isa::Insn jump) {
    pending_.push_back({here(), to});
    if (!jumps_to_.empty()) {
      --jumps_to_[to];
      if (starts_[to] != kNowhere) pending_.back().at = nearest_[to] != kNowhere ? nearest_[to] : starts_[to];
    }
    code_.insns.push_back(jump);
  }

  // ---- jumps --------------------------------------------------------------------------------------------------------

  /// How often control comes to a block.
  void count_jumps() {
    jumps_to_.assign(f_.blocks.size(), 0);
    nearest_.assign(f_.blocks.size(), kNowhere);
    for (MBlockId id : order_) {
      MBlockId taken = target(f_.blocks[id].taken), next = target(f_.blocks[id].next);
      if (next != kNoMBlock) ++jumps_to_[next];
      if (taken != kNoMBlock && taken != next) ++jumps_to_[taken];
    }
  }

  void make_islands(MBlockId following, bool falls) {
    std::vector<MBlockId> wanted;
    std::vector<std::size_t> moved;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      const PendingJump& jump = pending_[i];
      bool reaches = options_.isa >= 4 && code_.insns[jump.insn].opcode == kGoto;
      if (jump.at != kNowhere || starts_[jump.to] != kNowhere || reaches) continue;
      moved.push_back(i);
      if (std::ranges::find(wanted, jump.to) == wanted.end()) wanted.push_back(jump.to);
    }
    std::vector<MBlockId> back;
    for (MBlockId id : order_)
      if (starts_[id] != kNowhere && jumps_to_[id] > 0 && opens_loop(id)) back.push_back(id);
    if (falls && (!wanted.empty() || !back.empty())) jump_to_anew(following);
    for (MBlockId to : wanted) {
      isa::InsnIdx island = here();
      jump_to_anew(to);
      for (std::size_t i : moved)
        if (pending_[i].to == to) pending_[i].at = island;
    }
    for (MBlockId to : back) {
      isa::InsnIdx island = here();
      jump_to(to, {.opcode = kGoto});
      ++jumps_to_[to];
      nearest_[to] = island;
    }
    last_islands_ = code_.insns.size();
  }

  /// A jump that was not counted.
  void jump_to_anew(MBlockId to) {
    ++jumps_to_[to];
    jump_to(to, {.opcode = kGoto});
  }

  /// Does a jump from behind lead to the block? Found once, when islands are made.
  bool opens_loop(MBlockId id) {
    if (opens_loop_.empty()) {
      opens_loop_.assign(f_.blocks.size(), false);
      std::vector<std::uint32_t> place(f_.blocks.size(), 0);
      for (std::uint32_t i = 0; i < order_.size(); ++i) place[order_[i]] = i;
      for (MBlockId from : order_)
        for (MBlockId to : {f_.blocks[from].taken, f_.blocks[from].next})
          if (to != kNoMBlock && place[target(to)] <= place[from]) opens_loop_[target(to)] = true;
    }
    return opens_loop_[id];
  }

  /// Makes a conditional jump the opposite one, if the instruction set has it.
  bool turn_around(MInst& jump) const {
    auto with = [&](Jump op) {
      jump.opcode = static_cast<std::uint8_t>((jump.opcode & 0x0f) | std::to_underlying(op));
      return true;
    };
    bool register_operand = (jump.opcode & kRegisterOperand) != 0;
    auto newer = [&](Jump op, Jump exchanged) {   // a < b, for the first instruction set: b > a
      if (options_.isa >= 2) return with(op);
      if (!register_operand) return false;
      std::swap(jump.dst, jump.src);
      return with(exchanged);
    };
    switch (static_cast<Jump>(jump.opcode & 0xf0)) {
      case Jump::eq: return with(Jump::ne);
      case Jump::ne: return with(Jump::eq);
      case Jump::gt: return newer(Jump::le, Jump::ge);
      case Jump::ge: return newer(Jump::lt, Jump::gt);
      case Jump::lt: return with(Jump::ge);
      case Jump::le: return with(Jump::gt);
      case Jump::sgt: return newer(Jump::sle, Jump::sge);
      case Jump::sge: return newer(Jump::slt, Jump::sgt);
      case Jump::slt: return with(Jump::sge);
      case Jump::sle: return with(Jump::sgt);
      default: return false;
    }
  }

  void mark(Mark mark) {
    if (mark == mark_ || mark == Mark{}) return;
    mark_ = mark;
    code_.marks.push_back({here(), mark});
  }

  static isa::Insn plain(const MInst& inst) {
    return {.opcode = inst.opcode, .dst = static_cast<std::uint8_t>(inst.dst & 0xf), .src = static_cast<std::uint8_t>(inst.src & 0xf),
            .off = inst.off, .imm = inst.imm};
  }

  void emit(const MInst& inst) {
    if (vanishes(inst)) return;
    isa::InsnIdx at = here();
    mark(inst.mark);
    isa::Insn insn = plain(inst);
    if (inst.has(kIsCall)) {
      insn.dst = 0;
      if (inst.src != std::to_underlying(isa::CallKind::helper)) insn.imm = -1;
    }
    if (!inst.has(kIsWide)) {
      code_.insns.push_back(insn);
      if (inst.has(kIsCall) && inst.src != std::to_underlying(isa::CallKind::helper)) refer(at, f_.wide[static_cast<std::uint32_t>(inst.imm)]);
      return;
    }
    const Wide& wide = f_.wide[static_cast<std::uint32_t>(inst.imm)];
    insn.imm = static_cast<std::int32_t>(wide.value);
    code_.insns.push_back(insn);
    code_.insns.push_back({.imm = static_cast<std::int32_t>(wide.value >> 32)});
    if (wide.refers) refer(at, wide);
  }

  void refer(isa::InsnIdx at, const Wide& wide) { code_.references.push_back({at, wide.kind, wide.id, wide.offset}); }

  Result<void> resolve_jumps() {
    for (const PendingJump& jump : pending_) {
      auto to = static_cast<std::int64_t>(jump.at != kNowhere ? jump.at : starts_[jump.to]);
      std::int64_t distance = to - jump.insn - 1;
      isa::Insn& insn = code_.insns[jump.insn];
      if (distance == static_cast<std::int16_t>(distance)) {
        insn.off = static_cast<std::int16_t>(distance);
      } else if (options_.isa >= 4 && insn.opcode == kGoto) {
        insn.opcode = kGotoLong;
        insn.imm = static_cast<std::int32_t>(distance);
      } else {
        return fail(ErrorKind::exhausted, "function `{}` has a jump over {} instructions: they reach 32767", code_.name, distance);
      }
    }
    return {};
  }

  const MFunction& f_;
  const Options& options_;
  Code code_;
  std::vector<MBlockId> order_;
  std::vector<MBlockId> final_;             // by block: where a jump to it leads; none: not known yet
  std::vector<isa::InsnIdx> starts_;        // by block
  std::vector<PendingJump> pending_;
  std::vector<std::uint32_t> jumps_to_;     // by block, where there are islands: times that control may still come
  std::vector<isa::InsnIdx> nearest_;       // by block, where there are islands: the last one that leads back to it
  std::vector<bool> opens_loop_;
  std::size_t last_islands_ = 0;
  Mark mark_{};
};

}  // namespace

void share_exits(MFunction& function) {
  constexpr std::size_t kKnown = 32;   // different ends that are looked for
  struct End {
    MBlockId block;         // the first one that has this end: not a rare one, if there is another
    MBlockId apart;         // the end as a block of its own; none: nobody shares it yet
  };
  std::vector<End> ends;
  for (std::size_t i = 0; i < function.order.size(); ++i) {
    const MBlock& block = function.blocks[function.order[i]];
    if (block.end - block.begin < 2 || !function.insts[block.end - 1].has(kIsExit)) continue;
    const MInst& result = function.insts[block.end - 2];
    if (result.dst != 0 || !result.has(kWritesDst) || result.has(kReadsDst) || result.has(kIsWide)) continue;
    auto same = std::ranges::find_if(ends, [&](const End& end) {
      const MBlock& other = function.blocks[end.apart != kNoMBlock ? end.apart : end.block];
      const MInst& there = function.insts[other.end - 2];
      return there.opcode == result.opcode && there.imm == result.imm && there.src == result.src && there.off == result.off;
    });
    if (same == ends.end()) {
      if (ends.size() < kKnown) ends.push_back({function.order[i], kNoMBlock});
      continue;
    }
    if (same->apart == kNoMBlock) {
      same->apart = static_cast<MBlockId>(function.blocks.size());
      MBlock& first = function.blocks[same->block];
      MBlock apart{.begin = first.end - 2, .end = first.end};
      first.end -= 2;
      first.next = same->apart;
      function.blocks.push_back(apart);
      function.order.insert(std::ranges::find(function.order, same->block) + 1, same->apart);
      ++i;
    }
    MBlock& sharing = function.blocks[function.order[i]];
    sharing.end -= 2;
    sharing.next = same->apart;
  }
}

void find_depths(MFunction& function) {
  std::vector<std::uint32_t> place(function.blocks.size(), 0);
  std::vector<std::int32_t> change(function.order.size() + 1, 0);
  for (std::uint32_t i = 0; i < function.order.size(); ++i) place[function.order[i]] = i;
  for (std::uint32_t i = 0; i < function.order.size(); ++i) {
    const MBlock& block = function.blocks[function.order[i]];
    for (MBlockId to : {block.taken, block.next}) {
      if (to == kNoMBlock || place[to] > i) continue;
      ++change[place[to]];
      --change[i + 1];
    }
  }
  std::int32_t depth = 0;
  for (std::uint32_t i = 0; i < function.order.size(); ++i)
    function.blocks[function.order[i]].depth = static_cast<std::uint32_t>(depth += change[i]);
}

Result<Code> lay_out(const MFunction& function, const Options& options, const std::string& name) {
  return Layout(function, options, name).run();
}

}  // namespace espy::ir::bpf
