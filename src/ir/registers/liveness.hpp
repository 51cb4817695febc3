// Where registers hold values that are still wanted: for every machine form, whose instructions a policy describes.
//
// Instruction i reads at position 2i and writes at 2i + 1; a register is live over half-open segments of positions, with
// holes between them. So a register that is read for the last time by the instruction that writes another may be that
// other one. Segments follow the layout of the blocks, in which loops need not be contiguous: each register's uses are
// walked back, block by block, to its definitions, at a cost of the blocks that it is live in.
//
// A policy has:
//   using Function                     // insts; blocks by id with begin, end, taken, next, depth; next_reg
//   static order(function)             // ids of blocks, as their instructions stand
//   static each_register(inst, visit)  // the registers that it names, each with visit(reg)
//   static each_access(inst, write, read)   // write(reg), then read(reg, late): late, if it is still wanted when the
//                                           // instruction writes
#pragma once

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <span>
#include <vector>

namespace espy::ir::registers {

using Reg = std::uint32_t;                      ///< below kFirstVirtual: the machine's
inline constexpr Reg kFirstVirtual = 16;
inline constexpr Reg kNoReg = 0xffffffff;

struct Segment {
  std::uint32_t start = 0, end = 0;
};

struct Liveness {
  std::vector<Segment> segments;            ///< of all registers, each one's together, by start, apart from each other
  std::vector<std::uint32_t> first, count;  ///< by register: its segments
  std::vector<float> weight;                ///< by register: how often it is read and written, loops counted tenfold
};

/// Do two lists of segments have a position in common?
bool overlap(std::span<const Segment> a, std::span<const Segment> b);

template <typename Policy>
class LivenessFinder {
 public:
  using Function = typename Policy::Function;

  explicit LivenessFinder(const Function& function)
      : f_(function), open_(function.next_reg, 0), home_(function.next_reg, kNever), weight_(function.next_reg, 0.0F) {}

  Liveness find() {
    find_homes();
    predecessors();
    segments_.reserve(f_.insts.size() * 2 + f_.blocks.size() * 4);
    for (const BlockId id : Policy::order(f_) | std::views::reverse) scan(id);
    walk_back();
    return collect();
  }

 private:
  using BlockId = std::uint32_t;
  static constexpr std::uint32_t kSeveral = 0xfffffffe, kNever = 0xffffffff;
  static constexpr BlockId kNoBlock = 0xffffffff;
  static constexpr std::uint32_t kDeepest = 4;   // deeper loops are taken as so deep

  struct Piece {
    Reg reg;
    Segment segment;
  };
  /// A block that mentions a register which other blocks mention too.
  struct Mention {
    Reg reg;
    BlockId block;
    std::uint32_t last;   // the position of the last mention
    bool exposed;         // the register is live where the block begins
  };

  void find_homes() {
    for (const BlockId id : Policy::order(f_)) {
      const auto& block = f_.blocks[id];
      float times = 1;
      for (std::uint32_t depth = 0; depth < std::min<std::uint32_t>(block.depth, kDeepest); ++depth) times *= 10;
      for (std::uint32_t i = block.begin; i < block.end; ++i)
        Policy::each_register(f_.insts[i], [&](Reg reg) {
          home_[reg] = home_[reg] == kNever || home_[reg] == id ? id : kSeveral;
          weight_[reg] += times;
        });
    }
  }

  void predecessors() {
    pred_first_.assign(f_.blocks.size() + 1, 0);
    auto each_edge = [&](auto visit) {
      for (const BlockId id : Policy::order(f_)) {
        const auto& block = f_.blocks[id];
        if (block.taken != kNoBlock) visit(id, block.taken);
        if (block.next != kNoBlock) visit(id, block.next);
      }
    };
    each_edge([&](BlockId, BlockId to) { ++pred_first_[to + 1]; });
    for (std::size_t i = 1; i < pred_first_.size(); ++i) pred_first_[i] += pred_first_[i - 1];
    preds_.resize(pred_first_.back());
    std::vector<std::uint32_t> at(pred_first_.begin(), pred_first_.end() - 1);
    each_edge([&](BlockId from, BlockId to) { preds_[at[to]++] = from; });
  }

  void add(Reg reg, std::uint32_t start, std::uint32_t end) { segments_.push_back({reg, {start, end}}); }

  void mention(Reg reg, BlockId block, std::uint32_t position) {
    if (reg < kFirstVirtual || home_[reg] != kSeveral || last_mention_[reg] == block + 1) return;
    last_mention_[reg] = block + 1;
    mentions_.push_back({reg, block, position, false});
  }

  void write(Reg reg, BlockId block, std::uint32_t position) {
    mention(reg, block, position);
    add(reg, position, std::max(open_[reg], position + 1));
    open_[reg] = 0;
  }

  void read(Reg reg, BlockId block, std::uint32_t position, bool late) {
    mention(reg, block, position);
    if (open_[reg] == 0) touched_.push_back(reg);
    open_[reg] = std::max(open_[reg], position + (late ? 2 : 1));   // late for one operand, late for all
  }

  void scan(BlockId id) {
    const auto& block = f_.blocks[id];
    const std::size_t first_mention = mentions_.size();
    for (std::uint32_t i = block.end; i-- > block.begin;) {
      const std::uint32_t at = i * 2;
      Policy::each_access(f_.insts[i], [&](Reg reg) { write(reg, id, at + 1); }, [&](Reg reg, bool late) { read(reg, id, at, late); });
    }
    for (const Reg reg : touched_) {
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

  /// Makes registers live in the blocks between a use that a block does not define itself, and the definitions.
  void walk_back() {
    std::ranges::stable_sort(mentions_, {}, &Mention::reg);
    std::vector<std::uint32_t> seen(f_.blocks.size(), 0);       // the run that has met the block
    std::vector<std::uint32_t> mentioned(f_.blocks.size(), 0);  // of the run's register: 1 + its place in mentions_
    std::vector<BlockId> work;
    std::uint32_t run = 0;
    for (std::size_t i = 0; i < mentions_.size();) {
      std::size_t end = i;
      ++run;
      for (; end < mentions_.size() && mentions_[end].reg == mentions_[i].reg; ++end) {
        mentioned[mentions_[end].block] = static_cast<std::uint32_t>(end + 1);
        if (mentions_[end].exposed) work.push_back(mentions_[end].block);
      }
      const Reg reg = mentions_[i].reg;
      while (!work.empty()) {
        const BlockId block = work.back();
        work.pop_back();
        for (std::uint32_t p = pred_first_[block]; p < pred_first_[block + 1]; ++p) {
          const BlockId pred = preds_[p];
          if (seen[pred] == run) continue;
          seen[pred] = run;
          const auto& from = f_.blocks[pred];
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
    const std::size_t registers = f_.next_reg;
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

  const Function& f_;
  std::vector<std::uint32_t> open_;           // by register, while a block is scanned backwards: where its segment ends
  std::vector<BlockId> home_;                 // by register: the one block that mentions it
  std::vector<float> weight_;
  std::vector<std::uint32_t> last_mention_ = std::vector<std::uint32_t>(f_.next_reg, 0);
  std::vector<Reg> touched_, exposed_;
  std::vector<Piece> segments_;
  std::vector<Mention> mentions_;
  std::vector<std::uint32_t> pred_first_;
  std::vector<BlockId> preds_;
};

}  // namespace espy::ir::registers
