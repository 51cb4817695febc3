// Stack slots that are never in use together share bytes: a script's hundred keys need the room of one.
//
// A slot is in use from the first instruction that touches it to the last, in reverse postorder, where every way through
// the function goes forward but for jumps back. A loop that a range reaches into is taken in whole, with the loops that it
// stands in, unless all happens in one block and begins with writing all of the slot. A slot whose address goes
// anywhere but into memory accesses and calls (which do not keep it) is in use throughout.
#include <algorithm>

#include "ir/bpf/frame.hpp"

namespace espy::ir::bpf {
namespace {

constexpr std::uint32_t kUntouched = 0xffffffff;

struct Range {
  std::uint32_t slot = 0;
  std::uint32_t first = kUntouched, last = 0;     // positions of instructions
  BlockId block = kNoBlock;                       // that has all of them
  bool everywhere = false, several_blocks = false, begins_whole = false;
};

class Placer {
 public:
  explicit Placer(const Demand& demand) : demand_(demand), f_(demand.f) {}

  Frame place() {
    ranges_.resize(f_.slots.size());
    for (std::uint32_t i = 0; i < ranges_.size(); ++i) ranges_[i].slot = i;
    pointee_.assign(f_.insts.size(), kNoId);
    for (std::size_t i = 0; i < f_.insts.size(); ++i)
      if (f_.insts[i].op == Op::stack_addr) pointee_[i] = f_.insts[i].extra;
    scan_blocks();
    widen();
    return assign();
  }

 private:
  void scan_blocks() {
    starts_.assign(f_.blocks.size(), 0);
    for (std::size_t i = demand_.postorder.size(); i-- > 0;) {
      BlockId block = demand_.postorder[i];
      starts_[index_of(block)] = position_;
      for (ValueId id : f_[block].insts) {
        scan_inst(id, block);
        ++position_;
      }
      for (const Edge& edge : demand_.taken_edges(block)) {
        for (ValueId argument : f_.arguments(edge)) escape(argument);
        if (demand_.finished[index_of(edge.to)] >= demand_.finished[index_of(block)])
          loops_.push_back({starts_[index_of(edge.to)], position_ - 1});
      }
    }
  }

  void scan_inst(ValueId id, BlockId block) {
    const Inst& inst = f_[id];
    std::span<const ValueId> operands = f_.operands(inst);
    bool keeps = (inst.op == Op::call_kfunc || inst.op == Op::call) && inst.type.is_ptr();
    for (std::size_t i = 0; i < operands.size(); ++i) {
      std::uint32_t slot = pointee_[index_of(operands[i])];
      if (slot == kNoId) continue;
      if ((inst.op == Op::ptr_add || inst.op == Op::ptr_cast) && i == 0) {
        pointee_[index_of(id)] = slot;
        continue;
      }
      bool address = has(inst.op, kCall) ? !keeps : inst.op == Op::copy || ((has(inst.op, kReads) || has(inst.op, kWrites)) && i == 0);
      if (!address) ranges_[slot].everywhere = true;
      touch(ranges_[slot], block, i == 0 && writes_whole(inst, slot));
    }
  }

  void escape(ValueId value) {
    if (std::uint32_t slot = pointee_[index_of(value)]; slot != kNoId) {
      ranges_[slot].everywhere = true;
      ranges_[slot].first = 0;
    }
  }

  void touch(Range& range, BlockId block, bool whole) {
    if (range.first == kUntouched) {
      range.first = position_;
      range.block = block;
      range.begins_whole = whole;
    }
    range.several_blocks |= range.block != block;
    range.last = position_;
  }

  bool writes_whole(const Inst& inst, std::uint32_t slot) const {
    const Inst& to = f_[f_.operands(inst)[0]];
    if (to.op != Op::stack_addr || to.imm != 0) return false;
    if (inst.op == Op::store) return inst.imm == 0 && inst.width / 8 == f_.slots[slot].size;
    if (inst.op == Op::copy && pointee_[index_of(f_.operands(inst)[1])] == slot) return false;
    return (inst.op == Op::zero || inst.op == Op::copy) && inst.imm == f_.slots[slot].size;
  }

  /// Takes in the loops that ranges reach into: loops that touch each other count as one.
  void widen() {
    std::ranges::sort(loops_, {}, &Loop::first);
    std::vector<Loop> apart;
    for (const Loop& loop : loops_) {
      if (!apart.empty() && loop.first <= apart.back().last)
        apart.back().last = std::max(apart.back().last, loop.last);
      else
        apart.push_back(loop);
    }
    auto around = [&](std::uint32_t position) -> const Loop* {
      auto behind = std::ranges::upper_bound(apart, position, {}, &Loop::first);
      return behind != apart.begin() && (behind - 1)->last >= position ? &*(behind - 1) : nullptr;
    };
    for (Range& range : ranges_) {
      if (range.first == kUntouched) continue;
      if (range.everywhere) {
        range.first = 0;
        range.last = position_;
      }
      if (!range.several_blocks && range.begins_whole) continue;
      if (const Loop* loop = around(range.first)) range.first = std::min(range.first, loop->first);
      if (const Loop* loop = around(range.last)) range.last = std::max(range.last, loop->last);
    }
  }

  /// By their first use, each as near to the top of the frame as those allow that are in use then.
  Frame assign() {
    Frame frame{.offsets = std::vector<std::int32_t>(f_.slots.size(), 0)};
    std::erase_if(ranges_, [](const Range& range) { return range.first == kUntouched; });
    std::ranges::stable_sort(ranges_, {}, &Range::first);
    struct Taken {
      std::uint32_t begin, end, last;   // bytes below the top; the position until which they are in use
    };
    std::vector<Taken> taken;           // by `begin`
    for (const Range& range : ranges_) {
      const Slot& slot = f_.slots[range.slot];
      std::uint32_t align = std::max(slot.align, 1U), end = 0;
      std::erase_if(taken, [&](const Taken& t) { return t.last < range.first; });
      auto rounded = [&](std::uint32_t begin) { return (begin + slot.size + align - 1) / align * align; };
      end = rounded(0);
      for (const Taken& t : taken)
        if (t.begin < end && t.end > end - slot.size) end = rounded(t.end);
      Taken now{end - slot.size, end, range.last};
      taken.insert(std::ranges::upper_bound(taken, now.begin, {}, &Taken::begin), now);
      frame.offsets[range.slot] = -static_cast<std::int32_t>(end);
      frame.bytes = std::max(frame.bytes, end);
    }
    return frame;
  }

  struct Loop {
    std::uint32_t first, last;   // positions
  };

  const Demand& demand_;
  const Function& f_;
  std::vector<Range> ranges_;                 // by SlotId
  std::vector<std::uint32_t> pointee_;        // by ValueId: the slot that it points into
  std::vector<std::uint32_t> starts_;         // by BlockId: the position of its first instruction
  std::vector<Loop> loops_;
  std::uint32_t position_ = 0;
};

}  // namespace

Frame make_frame(const Demand& demand) { return Placer(demand).place(); }

}  // namespace espy::ir::bpf
