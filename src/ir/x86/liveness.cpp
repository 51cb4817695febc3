#include "ir/x86/liveness.hpp"

#include <algorithm>
#include <bit>

namespace espy::ir::x86 {
namespace {

constexpr std::uint32_t kSeveral = 0xfffffffe, kNever = 0xffffffff;

/// Is the first operand another register than the destination, and read when that is written?
bool a_is_late(MOp op) {
  switch (op) {
    case MOp::div: case MOp::idiv: case MOp::mul_high: case MOp::cmpxchg:
    case MOp::fetch_and: case MOp::fetch_or: case MOp::fetch_xor: return true;
    default: return false;
  }
}

class Finder {
 public:
  explicit Finder(const MFunction& function)
      : f_(function), open_(function.next_reg, 0), home_(function.next_reg, kNever), weight_(function.next_reg, 0.0F) {}

  Liveness find() {
    find_homes();
    predecessors();
    segments_.reserve(f_.insts.size() * 2 + f_.blocks.size() * 4);
    for (auto id = static_cast<MBlockId>(f_.blocks.size()); id-- > 0;) scan(id);
    walk_back();
    return collect();
  }

 private:
  struct Piece {
    Reg reg;
    Segment segment;
  };
  /// A block that mentions a register which other blocks mention too.
  struct Mention {
    Reg reg;
    MBlockId block;
    std::uint32_t last;   // the position of the last mention
    bool exposed;         // the register is live where the block begins
  };

  template <typename Visit>
  void each_register(const MInst& inst, Visit visit) {
    for (Reg reg : {inst.dst, inst.a, inst.b, inst.base, inst.index})
      if (reg != kNoReg) visit(reg);
  }

  void find_homes() {
    for (MBlockId id = 0; id < f_.blocks.size(); ++id) {
      const MBlock& block = f_.blocks[id];
      float times = 1;
      for (std::uint32_t depth = 0; depth < std::min(block.depth, 4U); ++depth) times *= 10;
      for (std::uint32_t i = block.begin; i < block.end; ++i)
        each_register(f_.insts[i], [&](Reg reg) {
          home_[reg] = home_[reg] == kNever || home_[reg] == id ? id : kSeveral;
          weight_[reg] += times;
        });
    }
  }

  void predecessors() {
    pred_first_.assign(f_.blocks.size() + 1, 0);
    auto each_edge = [&](auto visit) {
      for (MBlockId id = 0; id < f_.blocks.size(); ++id) {
        const MBlock& block = f_.blocks[id];
        if (block.taken != kNoMBlock) visit(id, block.taken);
        if (block.next != kNoMBlock) visit(id, block.next);
      }
    };
    each_edge([&](MBlockId, MBlockId to) { ++pred_first_[to + 1]; });
    for (std::size_t i = 1; i < pred_first_.size(); ++i) pred_first_[i] += pred_first_[i - 1];
    preds_.resize(pred_first_.back());
    std::vector<std::uint32_t> at(pred_first_.begin(), pred_first_.end() - 1);
    each_edge([&](MBlockId from, MBlockId to) { preds_[at[to]++] = from; });
  }

  void add(Reg reg, std::uint32_t start, std::uint32_t end) { segments_.push_back({reg, {start, end}}); }

  void mention(Reg reg, MBlockId block, std::uint32_t position) {
    if (!is_virtual(reg) || home_[reg] != kSeveral || last_mention_[reg] == block + 1) return;
    last_mention_[reg] = block + 1;
    mentions_.push_back({reg, block, position, false});
  }

  void write(Reg reg, MBlockId block, std::uint32_t position) {
    mention(reg, block, position);
    add(reg, position, std::max(open_[reg], position + 1));
    open_[reg] = 0;
  }

  void read(Reg reg, MBlockId block, std::uint32_t position, bool rewritten) {
    mention(reg, block, position);
    if (open_[reg] == 0) touched_.push_back(reg);
    open_[reg] = std::max(open_[reg], position + (rewritten ? 2 : 1));   // late for one operand, late for all
  }

  void scan(MBlockId id) {
    const MBlock& block = f_.blocks[id];
    std::size_t first_mention = mentions_.size();
    for (std::uint32_t i = block.end; i-- > block.begin;) scan_inst(f_.insts[i], id, i * 2);
    for (Reg reg : touched_) {
      if (open_[reg] == 0) continue;
      add(reg, block.begin * 2, open_[reg]);
      open_[reg] = 0;
      exposed_.push_back(reg);
    }
    touched_.clear();
    if (exposed_.empty()) return;
    std::ranges::sort(exposed_);
    for (std::size_t i = first_mention; i < mentions_.size(); ++i)
      mentions_[i].exposed = std::ranges::binary_search(exposed_, mentions_[i].reg);
    exposed_.clear();
  }

  void scan_inst(const MInst& inst, MBlockId id, std::uint32_t at) {
    for (RegMask mask = inst.writes; mask != 0; mask &= mask - 1) write(static_cast<Reg>(std::countr_zero(mask)), id, at + 1);
    if (inst.dst != kNoReg) write(inst.dst, id, at + 1);
    for (RegMask mask = inst.reads; mask != 0; mask &= mask - 1) read(static_cast<Reg>(std::countr_zero(mask)), id, at, false);
    if (inst.a != kNoReg) read(inst.a, id, at, inst.late && a_is_late(inst.op));
    for (Reg reg : {inst.b, inst.base, inst.index})
      if (reg != kNoReg && reg != kRsp) read(reg, id, at, inst.late);
  }

  /// Makes registers live in the blocks between a use that a block does not define itself, and the definitions.
  void walk_back() {
    std::ranges::stable_sort(mentions_, {}, &Mention::reg);
    std::vector<std::uint32_t> seen(f_.blocks.size(), 0);       // the run that has met the block
    std::vector<std::uint32_t> mentioned(f_.blocks.size(), 0);  // of the run's register: 1 + its place in mentions_
    std::vector<MBlockId> work;
    std::uint32_t run = 0;
    for (std::size_t i = 0; i < mentions_.size();) {
      std::size_t end = i;
      ++run;
      for (; end < mentions_.size() && mentions_[end].reg == mentions_[i].reg; ++end) {
        mentioned[mentions_[end].block] = static_cast<std::uint32_t>(end + 1);
        if (mentions_[end].exposed) work.push_back(mentions_[end].block);
      }
      Reg reg = mentions_[i].reg;
      while (!work.empty()) {
        MBlockId block = work.back();
        work.pop_back();
        for (std::uint32_t p = pred_first_[block]; p < pred_first_[block + 1]; ++p) {
          MBlockId pred = preds_[p];
          if (seen[pred] == run) continue;
          seen[pred] = run;
          const MBlock& from = f_.blocks[pred];
          if (mentioned[pred] != 0) {
            add(reg, mentions_[mentioned[pred] - 1].last, from.end * 2);
            continue;
          }
          if (from.begin != from.end) add(reg, from.begin * 2, from.end * 2);
          work.push_back(pred);
        }
      }
      for (; i < end; ++i) mentioned[mentions_[i].block] = 0;
    }
  }

  Liveness collect() {
    Liveness live;
    std::size_t registers = f_.next_reg;
    constexpr auto before = [](const Segment& a, const Segment& b) { return a.start < b.start; };
    live.weight = std::move(weight_);
    live.first.assign(registers + 1, 0);
    live.count.assign(registers, 0);
    for (const Piece& piece : segments_) ++live.first[piece.reg + 1];
    for (std::size_t i = 1; i <= registers; ++i) live.first[i] += live.first[i - 1];
    live.segments.resize(segments_.size());
    // The scan went backwards: placed from the end, most lists are sorted already.
    std::vector<std::uint32_t> at(live.first.begin() + 1, live.first.end());
    for (const Piece& piece : segments_) live.segments[--at[piece.reg]] = piece.segment;
    for (std::size_t reg = 0; reg < registers; ++reg) {
      Segment* begin = live.segments.data() + live.first[reg];
      Segment* end = live.segments.data() + live.first[reg + 1];
      if (!std::is_sorted(begin, end, before)) std::sort(begin, end, before);
      std::uint32_t kept = 0;
      for (Segment* s = begin; s != end; ++s) {
        if (kept != 0 && s->start <= begin[kept - 1].end)
          begin[kept - 1].end = std::max(begin[kept - 1].end, s->end);
        else
          begin[kept++] = *s;
      }
      live.count[reg] = kept;
    }
    return live;
  }

  const MFunction& f_;
  std::vector<std::uint32_t> open_;           // by register, while a block is scanned backwards: where its segment ends
  std::vector<MBlockId> home_;                // by register: the one block that mentions it
  std::vector<float> weight_;
  std::vector<std::uint32_t> last_mention_ = std::vector<std::uint32_t>(f_.next_reg, 0);
  std::vector<Reg> touched_, exposed_;
  std::vector<Piece> segments_;
  std::vector<Mention> mentions_;
  std::vector<std::uint32_t> pred_first_;
  std::vector<MBlockId> preds_;
};

}  // namespace

Liveness find_liveness(const MFunction& function) { return Finder(function).find(); }

bool overlap(std::span<const Segment> a, std::span<const Segment> b) {
  if (a.size() > b.size()) std::swap(a, b);
  if (a.empty()) return false;
  // The longer list is entered where the shorter one begins.
  auto j = std::ranges::upper_bound(b, a.front().start, {}, &Segment::end);
  for (auto i = a.begin(); i != a.end() && j != b.end();) {
    if (i->end <= j->start)
      ++i;
    else if (j->end <= i->start)
      ++j;
    else
      return true;
  }
  return false;
}

}  // namespace espy::ir::x86
