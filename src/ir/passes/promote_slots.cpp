// Stack slots to values: the usual construction of SSA form. A cell is a range of a slot that is only ever loaded and
// stored whole, through the slot's own address; a slot is promoted if all that is done to it is done to cells that do not
// overlap. Blocks where several definitions of a cell meet (the iterated dominance frontier of its stores, where the cell
// is still read) get a parameter; a walk over the dominator tree then knows each cell's value everywhere.
//
// A cell that is read before it is written reads 0.
#include <algorithm>
#include <array>

#include "ir/analysis/cfg.hpp"
#include "ir/passes/passes.hpp"
#include "ir/passes/replace.hpp"

namespace espy::ir {
namespace {

struct Cell {
  std::uint32_t slot = 0;
  std::int64_t offset = 0;
  unsigned width = 0;     // bits
  Type type{};            // of the value that stands for it
};

/// Finds the cells of the slots that can go.
class Cells {
 public:
  explicit Cells(const Function& f) : f_(f), fixed_(f.slots.size(), false), of_slot_(f.slots.size()) {
    for (BlockId block : f.order)
      for (ValueId id : f[block].insts) see(f[id]);
    for (const Inst* zero : zeroes_) settle(*zero);
  }

  std::vector<Cell> cells;

  bool promoted(std::uint32_t slot) const { return !fixed_[slot]; }
  /// The cell that a load or store of a promoted slot is of.
  std::uint32_t cell_of(std::uint32_t slot, std::int64_t offset) const {
    for (std::uint32_t i : of_slot_[slot])
      if (cells[i].offset == offset) return i;
    return kNoId;
  }
  std::span<const std::uint32_t> of_slot(std::uint32_t slot) const { return of_slot_[slot]; }

 private:
  static constexpr std::size_t kMaxCells = 32;   // of a slot; arrays are no cells

  void fix(ValueId id) {
    if (f_[id].is(Op::stack_addr)) fixed_[f_[id].extra] = true;
  }

  void see(const Inst& inst) {
    std::span<const ValueId> in = f_.operands(inst);
    bool access = inst.is(Op::load) || inst.is(Op::store) || inst.is(Op::zero);
    for (std::size_t i = 0; i < in.size(); ++i)
      if (i != 0 || !access) fix(in[i]);
    for (const Edge& edge : f_.edges_of(inst))
      for (ValueId id : f_.arguments(edge)) fix(id);
    if (!access || !f_[in[0]].is(Op::stack_addr)) return;
    if (inst.is(Op::zero)) return zeroes_.push_back(&inst);
    if (inst.flag(kOrdered)) return fix(in[0]);
    use(f_[in[0]].extra, f_[in[0]].imm + inst.imm, inst.width, inst.is(Op::load) ? inst.type : f_.type_of(in[1]));
  }

  void use(std::uint32_t slot, std::int64_t offset, unsigned width, Type type) {
    if (fixed_[slot]) return;
    if (offset < 0 || offset + width / 8 > f_.slots[slot].size) return void(fixed_[slot] = true);
    if (type.is_int() && width <= 32) type = kI32;
    for (std::uint32_t i : of_slot_[slot]) {
      Cell& cell = cells[i];
      if (cell.offset == offset && cell.width == width && cell.type == type) return;
      if (offset < cell.offset + cell.width / 8 && cell.offset < offset + width / 8) return void(fixed_[slot] = true);
    }
    if (of_slot_[slot].size() == kMaxCells) return void(fixed_[slot] = true);
    of_slot_[slot].push_back(static_cast<std::uint32_t>(cells.size()));
    cells.push_back({slot, offset, width, type});
  }

  /// Zeroing must cover each cell whole or not at all.
  void settle(const Inst& zero) {
    const Inst& address = f_[f_.operands(zero)[0]];
    if (fixed_[address.extra]) return;
    for (std::uint32_t i : of_slot_[address.extra]) {
      std::int64_t from = cells[i].offset, to = from + cells[i].width / 8;
      bool apart = to <= address.imm || from >= address.imm + zero.imm;
      bool covered = from >= address.imm && to <= address.imm + zero.imm;
      if (!apart && !covered) fixed_[address.extra] = true;
    }
  }

  const Function& f_;
  std::vector<bool> fixed_;
  std::vector<std::vector<std::uint32_t>> of_slot_;
  std::vector<const Inst*> zeroes_;
};

/// Where values of cells meet, and what they are.
class Promoter {
 public:
  Promoter(Function& f, const Cells& cells)
      : f_(f), cells_(cells), cfg_(f), dominators_(cfg_), params_(f.blocks.size()), now_(cells.cells.size(), kNoValue) {}

  void run() {
    find_accesses();
    find_frontiers();
    for (std::uint32_t cell = 0; cell < cells_.cells.size(); ++cell)
      if (cells_.promoted(cells_.cells[cell].slot)) place_params(cell);
    std::erase_if(f_.order, [&](BlockId block) { return !cfg_.reached(block); });
    for (BlockId block : dominators_.preorder()) rename(block);
    replace_.apply(f_);
  }

 private:
  struct Undo {
    BlockId block;
    std::uint32_t cell;
    ValueId before;
  };
  struct Accesses {
    std::vector<BlockId> stored, read_first;   // blocks that store it, that read it before they store it
    BlockId last = kNoBlock;                   // the block seen last
    bool stored_there = false;
  };

  /// The slot that a load, store or zeroing is of; kNoId: of none that is promoted.
  std::uint32_t slot_of(const Inst& inst) const {
    if (!inst.is(Op::load) && !inst.is(Op::store) && !inst.is(Op::zero)) return kNoId;
    const Inst& address = f_[f_.operands(inst)[0]];
    return address.is(Op::stack_addr) && cells_.promoted(address.extra) ? address.extra : kNoId;
  }
  std::int64_t offset_of(const Inst& inst) const {
    return f_[f_.operands(inst)[0]].imm + (inst.is(Op::zero) ? 0 : inst.imm);
  }
  template <typename Visit>
  void each_zeroed(const Inst& inst, std::uint32_t slot, Visit visit) {
    for (std::uint32_t cell : cells_.of_slot(slot)) {
      std::int64_t at = cells_.cells[cell].offset - offset_of(inst);
      if (at >= 0 && at < inst.imm) visit(cell);
    }
  }

  void find_accesses() {
    accesses_.resize(cells_.cells.size());
    auto see = [&](std::uint32_t cell, BlockId block, bool store) {
      Accesses& a = accesses_[cell];
      if (a.last != block) a.last = block, a.stored_there = false;
      if (store && !a.stored_there) a.stored.push_back(block), a.stored_there = true;
      if (!store && !a.stored_there && (a.read_first.empty() || a.read_first.back() != block)) a.read_first.push_back(block);
    };
    for (BlockId block : cfg_.order())
      for (ValueId id : f_[block].insts) {
        const Inst& inst = f_[id];
        std::uint32_t slot = slot_of(inst);
        if (slot == kNoId) continue;
        if (inst.is(Op::zero)) each_zeroed(inst, slot, [&](std::uint32_t cell) { see(cell, block, true); });
        else see(cells_.cell_of(slot, offset_of(inst)), block, inst.is(Op::store));
      }
  }

  void find_frontiers() {
    frontier_.resize(f_.blocks.size());
    for (BlockId block : cfg_.order()) {
      std::span<const BlockId> from = cfg_.predecessors(block);
      if (from.size() < 2) continue;
      for (BlockId at : from)
        for (; at != dominators_.parent(block); at = dominators_.parent(at)) {
          std::vector<BlockId>& list = frontier_[index_of(at)];
          if (list.empty() || list.back() != block) list.push_back(block);
        }
    }
  }

  /// A parameter for the cell in each block of the iterated dominance frontier of its stores where it is read later.
  void place_params(std::uint32_t cell) {
    const Accesses& a = accesses_[cell];
    if (a.read_first.empty()) return;
    std::vector<bool> stores(f_.blocks.size(), false), live(f_.blocks.size(), false), met(f_.blocks.size(), false);
    for (BlockId block : a.stored) stores[index_of(block)] = true;
    std::vector<BlockId> work;
    auto read = [&](BlockId block) {
      if (!live[index_of(block)]) live[index_of(block)] = true, work.push_back(block);
    };
    for (BlockId block : a.read_first) read(block);
    while (!work.empty()) {
      BlockId block = work.back();
      work.pop_back();
      for (BlockId from : cfg_.predecessors(block))
        if (!stores[index_of(from)]) read(from);
    }
    work = a.stored;
    while (!work.empty()) {
      BlockId block = work.back();
      work.pop_back();
      for (BlockId at : frontier_[index_of(block)]) {
        if (met[index_of(at)] || !live[index_of(at)]) continue;
        met[index_of(at)] = true;
        params_[index_of(at)].push_back({cell, f_.add_param(at, cells_.cells[cell].type)});
        work.push_back(at);
      }
    }
  }

  void set(BlockId block, std::uint32_t cell, ValueId value) {
    undo_.push_back({block, cell, now_[cell]});
    now_[cell] = value;
  }
  ValueId value(std::uint32_t cell) {
    return now_[cell] != kNoValue ? now_[cell] : f_.constant(cells_.cells[cell].type, 0);
  }

  void rename(BlockId block) {
    while (!undo_.empty() && !dominators_.dominates(undo_.back().block, block)) {
      now_[undo_.back().cell] = undo_.back().before;
      undo_.pop_back();
    }
    for (const auto& [cell, param] : params_[index_of(block)]) set(block, cell, param);
    std::vector<ValueId> old;
    old.swap(f_[block].insts);
    kept_.clear();
    for (ValueId id : old) access(block, id);
    f_[block].insts = kept_;
    for (Edge& edge : f_.successors(block)) give(edge);
  }

  void access(BlockId block, ValueId id) {
    replace_.operands(f_, f_[id]);
    const Inst inst = f_[id];
    std::uint32_t slot = slot_of(inst);
    if (slot == kNoId) return kept_.push_back(id);
    if (inst.is(Op::zero))
      return each_zeroed(inst, slot, [&](std::uint32_t cell) { set(block, cell, f_.constant(cells_.cells[cell].type, 0)); });
    std::uint32_t cell = cells_.cell_of(slot, offset_of(inst));
    if (inst.is(Op::store)) set(block, cell, stored(inst, cells_.cells[cell]));
    else replace_.set(id, loaded(inst, value(cell)));
  }

  ValueId emit(Inst inst, ValueId operand) {
    ValueId id = f_.add_inst(inst, std::array{operand});
    kept_.push_back(id);
    return id;
  }

  /// Cells of up to 32 bits are i32; what is above the width in them is not looked at.
  ValueId stored(const Inst& store, const Cell& cell) {
    ValueId value = f_.operands(store)[1];
    if (f_.type_of(value) == cell.type) return value;
    return emit({.op = Op::trunc, .type = kI32, .mark = store.mark, .block = store.block}, value);
  }
  ValueId loaded(const Inst& load, ValueId value) {
    if (load.width == 64 || (load.width == 32 && load.type == kI32)) return value;
    Op op = load.flag(kSigned) ? Op::sext : Op::zext;
    return emit({.op = op, .type = load.type, .width = load.width, .mark = load.mark, .block = load.block}, value);
  }

  void give(Edge& edge) {
    const auto& params = params_[index_of(edge.to)];
    if (params.empty()) return;
    std::span<const ValueId> before = f_.arguments(edge);
    std::vector<ValueId> arguments(before.begin(), before.end());
    for (const auto& [cell, param] : params) arguments.push_back(value(cell));
    f_.set_arguments(edge, arguments);
  }

  Function& f_;
  const Cells& cells_;
  Cfg cfg_;
  Dominators dominators_;
  std::vector<Accesses> accesses_;                                         // by cell
  std::vector<std::vector<BlockId>> frontier_;                             // by block
  std::vector<std::vector<std::pair<std::uint32_t, ValueId>>> params_;     // by block: new parameters and their cells
  std::vector<ValueId> now_;                                               // by cell; kNoValue: not written yet
  std::vector<Undo> undo_;
  std::vector<ValueId> kept_;
  Replacements replace_;
};

}  // namespace

bool promote_slots(Function& f) {
  if (f.slots.empty()) return false;
  Cells cells(f);
  bool any = false;
  for (const Cell& cell : cells.cells) any |= cells.promoted(cell.slot);
  if (!any) return false;
  Promoter(f, cells).run();
  return true;
}

}  // namespace espy::ir
