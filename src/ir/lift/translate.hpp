// One function of eBPF code as a function of the IR.
#pragma once

#include "ir/builder.hpp"
#include "ir/lift/lift.hpp"
#include "ir/lift/stack.hpp"

namespace espy::ir::lifting {

/// What a register holds: a number, or an address in the frame that is made where it is needed.
struct Held {
  ValueId value = kNoValue;
  std::int32_t place = kNowhere;
};

class Translator {
 public:
  Translator(const Bytecode& program, const Shape& shape, const Function& function, ir::Function& into)
      : program_(program), shape_(shape), f_(function), frame_(frame_of(shape, function)), b_(into) {}

  Result<void> run();

 private:
  using Registers = std::array<Held, isa::kRegisters>;

  void make_slots();
  void begin();
  void enter(std::uint32_t block);
  Result<void> block(std::uint32_t block);
  void leave(std::uint32_t block);
  Result<void> instruction(std::uint32_t at);

  // values
  ValueId get(unsigned reg);
  ValueId low(unsigned reg) { return b_.trunc(get(reg)); }
  void set(unsigned reg, ValueId value) { r_[reg] = {.value = value}; }
  ValueId operand(const isa::Instruction& instruction, Type type);
  ValueId frame_address(std::int32_t place);
  struct Address {
    ValueId pointer;
    std::int64_t offset;
  };
  Address address(unsigned reg, std::int32_t offset);

  // instructions
  void arithmetic(const isa::Instruction& instruction);
  ValueId computed(const isa::Instruction& instruction, Type type);
  void move(const isa::Instruction& instruction);
  void swap_bytes(const isa::Instruction& instruction);
  void memory(const isa::Instruction& instruction);
  void atomic(const isa::Instruction& instruction);
  Result<void> call(std::uint32_t at);
  void helper(std::int32_t id, const facts::Prototype* prototype);
  bool loop();
  void call_indirect(const isa::Instruction& instruction);
  void load_packet(const isa::Instruction& instruction);
  void forget_arguments();
  void immediate(std::uint32_t at);
  ValueId condition(const isa::Instruction& instruction);
  ValueId count_down();
  void branch(ValueId condition, std::uint32_t yes, std::uint32_t no);
  std::vector<ValueId> arguments_of(std::uint32_t block);

  const Bytecode& program_;
  const Shape& shape_;
  const Function& f_;
  Frame frame_;
  Builder b_;
  Registers r_{};
  std::vector<SlotId> slots_;             // by object of the frame
  SlotId turns_{kNoId};                   // the counter of may_goto
  std::vector<BlockId> ids_;              // by block
  std::vector<Registers> at_end_;         // by block: what its only successor inherits
  std::vector<std::uint32_t> from_;       // by block: the only one that leads there
};

}  // namespace espy::ir::lifting
