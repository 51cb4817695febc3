// Instruction selection: IR → machine instructions over virtual registers.
//
// Values get a register when they are first asked for. Leaves have none: they are made where they are used, into the
// register that wants them, so none of them is ever live for long. An i32 lives in the low half of its register; where
// the upper half matters (a call's argument, a 64-bit compare, a block parameter) it is cleared first, unless `Demand`
// knows it to be clear.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ir/bpf/demand.hpp"
#include "ir/bpf/machine.hpp"

namespace espy::ir::bpf {

class Selector {
 public:
  Selector(const Demand& demand, std::span<const std::int32_t> slot_offsets)
      : demand_(demand), f_(demand.f), options_(demand.options), slot_offsets_(slot_offsets) {}

  Result<MFunction> select();

 private:
  // select.cpp: blocks, values, leaves
  Result<void> select_block(BlockId block);
  Result<void> select_inst(ValueId id);
  void enter_function();
  MBlockId new_block();
  void begin(MBlockId block);
  void end(MBlockId next) { end(kNoMBlock, next); }
  void end(MBlockId taken, MBlockId next);
  Reg new_reg() { return out_.next_reg++; }
  Reg reg_of(ValueId value);                    ///< that the value is computed into; not of leaves
  Reg use(ValueId value);                       ///< that holds the value; leaves are made in a new one
  Reg use_clean(ValueId value);                 ///< the same with the upper half of an i32 cleared
  void put(Reg dst, ValueId value);             ///< copies it, or makes the leaf there
  void put_clean(Reg dst, ValueId value);
  void make_leaf(Reg dst, const Inst& leaf, bool without_offset = false);
  void make_constant(Reg dst, std::int64_t value, bool wide);
  std::optional<std::int32_t> immediate(ValueId value) const;   ///< as an instruction of the value's width takes it

  // emission
  void push(MInst inst) {
    inst.mark = mark_;
    out_.insts.push_back(inst);
  }
  void alu(Alu op, bool wide, Reg dst, Reg src);
  void alu(Alu op, bool wide, Reg dst, std::int32_t imm);
  void copy(Reg dst, Reg src);
  void byte_order(Reg dst, unsigned bits);
  void load(unsigned bytes, Reg dst, Reg base, std::int64_t off, bool is_signed = false);
  void store(unsigned bytes, Reg base, std::int64_t off, Reg src);
  void store_constant(unsigned bytes, Reg base, std::int64_t off, std::int32_t value);
  void wide_immediate(Reg dst, isa::Pseudo kind, Wide wide);
  void call_instruction(isa::CallKind kind, unsigned arguments, std::int32_t imm);
  void exit();

  // select_arithmetic.cpp
  void arithmetic(const Inst& inst, Reg dst);
  void binary(const Inst& inst, Reg dst);
  void two_operands(Alu op, bool wide, Reg dst, ValueId left, ValueId right);
  void mask(Reg dst, ValueId value, std::uint64_t mask);
  void divide(const Inst& inst, Reg dst);
  void signed_divide(const Inst& inst, Reg dst);
  void zero_extend(const Inst& inst, Reg dst);
  void sign_extend(Reg dst, Reg src, unsigned from, bool wide);

  // select_memory.cpp
  struct Place {
    Reg base = kNoReg;
    std::int64_t offset = 0;
  };
  Place place(ValueId pointer, std::int64_t offset, std::int64_t bytes);
  Result<void> memory(ValueId id);
  void load_value(ValueId id);
  void store_value(const Inst& inst);
  void copy_bytes(const Inst& inst);
  void zero_bytes(const Inst& inst);
  template <typename Step>
  void each_piece(std::int64_t size, unsigned widest, Step step);
  template <typename Body>
  void counted_loop(std::int64_t rounds, std::span<const Reg> pointers, std::int32_t step, Body body);
  Result<void> atomic(ValueId id);

  // select_control.cpp
  Result<void> call(ValueId id);
  void terminator(BlockId block);
  struct SwitchCase {
    std::int64_t value;
    MBlockId to;
  };
  struct Switched {
    Reg reg;
    bool wide, is_unsigned;
  };
  void select_switch(ValueId value, std::span<const Edge> edges);
  void switch_tree(const Switched& on, std::span<const SwitchCase> cases, MBlockId otherwise);
  MBlockId destination(const Edge& edge);
  void edge_copies(const Edge& edge);
  void branch_on(ValueId condition, MBlockId yes, MBlockId no);
  void compare_jump(Op op, ValueId left, ValueId right, MBlockId yes, MBlockId no);
  void jump_if(Jump op, bool wide, Reg left, Reg right, MBlockId yes, MBlockId no);
  void jump_if(Jump op, bool wide, Reg left, std::int32_t right, MBlockId yes, MBlockId no);
  void select_value(const Inst& inst, Reg dst);
  void truth_value(ValueId id, Reg dst, std::int32_t yes = 1);
  Reg compared(ValueId value);

  struct PendingEdge {
    const Edge* edge;
    MBlockId block;
  };
  struct MapBase {
    std::uint32_t map;
    Reg reg;
  };
  struct RegCopy {
    Reg dst, src;
    bool narrow;    ///< clears the upper half
  };
  void parallel_copies();

  const Demand& demand_;
  const Function& f_;
  const Options& options_;
  std::span<const std::int32_t> slot_offsets_;
  MFunction out_;
  std::vector<Reg> regs_;                       // by ValueId
  std::vector<const Edge*> arrivals_;           // by BlockId: the one edge whose copies the block makes itself
  std::vector<PendingEdge> pending_;
  std::vector<RegCopy> copies_;
  std::vector<MapBase> map_bases_;              // addresses of maps' values that the block has made since its last call
  MBlockId current_ = kNoMBlock;
  ValueId renamed_ = kNoValue;                  // while a select is made: its first choice, which also stands in …
  Reg renamed_to_ = kNoReg;                     // … this register
  Mark mark_{};
};

}  // namespace espy::ir::bpf
