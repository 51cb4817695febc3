// Flow: which registers and stack slots hold a program's context, at each instruction.
//
// A value is abstract: the context at some offset, an address in the stack frame of some function, a function (for callbacks),
// a constant, or anything else. Registers and 8-byte slots of the own frame are followed exactly; where paths meet, a context on
// one and something else on the other gives `mixed`. What functions exchange through memory (a callback reads the context out
// of a struct on its caller's stack) goes through a summary of each frame's slots, which only grows. Functions are analysed
// again until nothing changes; every step goes up a lattice three high, so that ends soon.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "isa/decode.hpp"

namespace espy::vm {

struct FlowValue {
  enum class Kind : std::uint8_t { none, constant, other, context, frame, function, mixed };
  Kind kind = Kind::none;
  std::int16_t offset = 0;       ///< context, frame: bytes from its start (of a frame: from r10)
  std::uint32_t function = 0;    ///< frame: whose; function: which. By its first instruction
  friend bool operator==(const FlowValue&, const FlowValue&) = default;
};

class Flow {
 public:
  static constexpr unsigned kSlots = isa::kStackBytes / 8;
  struct State {
    std::array<FlowValue, isa::kRegisters> registers = {};
    std::array<FlowValue, kSlots> slots = {};
    friend bool operator==(const State&, const State&) = default;
  };

  explicit Flow(std::span<const isa::Insn> code) : code_(code) {}
  /// The whole program, whose entry has the context in r1.
  void run();
  /// What the register holds before the instruction; `none` where the program never comes.
  FlowValue before(isa::InsnIdx at, unsigned reg) const { return seen_[at].size() > reg ? seen_[at][reg] : FlowValue{}; }

 private:
  struct Function {
    State entry;
    FlowValue returns;
    std::array<FlowValue, kSlots> shared = {};   ///< stored through addresses or read by others: joined over all time
  };
  Function& function(std::uint32_t start);
  void analyse(std::uint32_t start);
  void apply(const isa::Instruction& instruction, isa::InsnIdx at, std::uint32_t self, State& state);
  void call(const isa::Instruction& instruction, isa::InsnIdx at, State& state);
  void enter(std::uint32_t start, const std::array<FlowValue, 5>& arguments);
  void store(FlowValue base, std::int64_t offset, unsigned bytes, FlowValue value, std::uint32_t self, State& state);
  FlowValue load(FlowValue base, std::int64_t offset, unsigned bytes, std::uint32_t self, const State& state);
  void join_into(FlowValue& to, FlowValue value);

  std::span<const isa::Insn> code_;
  std::map<std::uint32_t, Function> functions_;
  std::vector<std::vector<FlowValue>> seen_;    ///< registers before each instruction
  bool changed_ = false;
};

}  // namespace espy::vm
