// IR → machine instructions, one function at a time: the class that the files select*.cpp share.
#pragma once

#include <optional>

#include "ir/x86/machine.hpp"
#include "ir/x86/plan.hpp"

namespace espy::ir::x86 {

class Selector {
 public:
  Selector(const Module& module, const Function& function, const Options& options)
      : m_(module), f_(function), options_(options), plan_(function, options.features), regs_(function.insts.size(), kNoReg) {}

  Result<MFunction> run();

 private:
  struct Source {   // a register, or a constant
    Reg reg = kNoReg;
    std::int64_t imm = 0;
  };
  struct Split {    // a block for an edge
    MBlockId id = kNoMBlock;
    const Edge* edge = nullptr;
    Mark mark{};
    MBlockId aside_of = kNoMBlock;
  };
  struct Parts {    // of an address
    Reg base = kNoReg, index = kNoReg;
    std::uint8_t scale = 0;
    std::int64_t disp = 0;
  };

  // the frame of it all
  void take_parameters();
  Result<void> block(BlockId block, BlockId follower);
  bool goes_aside(BlockId block, BlockId follower) const;
  void place(const Split& split);
  Result<void> instruction(ValueId id);
  MInst& put(MInst inst);
  void begin_block();
  void end_block(MBlockId taken, MBlockId next, Cond cond = Cond::e);

  // values
  Reg fresh() { return out_.next_reg++; }
  Reg target(ValueId id);                              ///< the register that an instruction's value goes to
  Reg use(ValueId id);
  void leaf_into(Reg reg, const Inst& inst);
  Source source(ValueId id, unsigned bytes);           ///< constants that fit stay constants
  const std::int64_t* constant(ValueId id) const { return f_.constant_value(plan_.root(id)); }
  std::optional<std::int64_t> constant_address(const Inst& leaf) const;
  Parts address(ValueId pointer, std::int64_t offset);
  void add_part(Parts& parts, ValueId id);
  void put_at(MInst inst, const Parts& parts);
  static unsigned bytes_of(Type type) { return type.bits() == 64 ? 8 : 4; }

  // arithmetic
  void binary(ValueId id, const Inst& inst);
  void binary_into(Reg dst, const Inst& inst);
  void sum(Reg dst, const Inst& inst);
  void shift(Reg dst, const Inst& inst, MOp op);
  void mask(Reg dst, const Inst& inst);
  bool rotate(Reg dst, const Inst& inst);
  void divide(Reg dst, const Inst& inst);
  bool divide_by_constant(Reg dst, const Inst& inst);
  void unary(ValueId id, const Inst& inst);
  void select(ValueId id, const Inst& inst);
  Cond condition(ValueId id);

  // memory and calls
  void load(ValueId id, const Inst& inst);
  void store(const Inst& inst);
  void atomic(ValueId id, const Inst& inst);
  Result<void> block_memory(const Inst& inst);
  Result<void> call(ValueId id, const Inst& inst);
  bool known_helper(ValueId id, const Inst& inst);

  // control
  Result<void> leave(const Inst& inst);
  void branch(const Inst& inst);
  void switch_over(const Inst& inst);
  Result<void> tail_call(const Inst& inst);
  void begin_numbered(MBlockId number);
  MBlockId edge(const Edge& edge);
  void copies(const Edge& edge);

  const Module& m_;
  const Function& f_;
  const Options& options_;
  Plan plan_;
  MFunction out_;
  Mark mark_{};
  std::vector<Reg> regs_;                 // by value
  std::vector<std::uint32_t> slots_;      // by SlotId: distance from the frame's lowest byte
  std::vector<MBlockId> block_ids_;       // by BlockId: a number that stands for it until all are placed
  std::vector<Split> splits_;             // blocks for edges of the block that ends here
  std::vector<Split> aside_;              // those that are laid out last
  std::vector<MBlockId> placed_;          // by number: the block
  MBlockId numbers_ = 0;
};

}  // namespace espy::ir::x86
