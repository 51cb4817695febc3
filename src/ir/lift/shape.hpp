// The shape of eBPF code: its functions, their blocks, and the registers that are live where a block begins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "ir/lift/lift.hpp"
#include "isa/decode.hpp"

namespace espy::ir::lifting {

inline constexpr std::uint32_t kNone = 0xffffffff;

struct Block {
  std::uint32_t begin = 0, end = 0;             ///< slots; the last instruction is the one that leaves it
  std::uint32_t taken = kNone, next = kNone;    ///< blocks: where a jump goes, and where it falls through to
  std::uint32_t entries = 0;                    ///< edges into it; the function's begin counts as one
  isa::RegisterSet live_in = 0;                 ///< of r0 … r9
};

struct Function {
  std::uint32_t begin = 0;
  std::vector<Block> blocks;                    ///< those that are reached, in reverse post-order
  unsigned parameters = 0;                      ///< r1 … that it reads before it writes them
  bool callback = false;                        ///< its address is taken
};

/// What an instruction does to registers, for walks that only follow them.
struct Effect {
  enum Kind : std::uint8_t {
    other,
    copy,    ///< dst = src, all of it
    moved,   ///< dst += by
  };
  isa::RegisterSet writes = 0;
  Kind kind = other;
  std::uint8_t dst = 0, src = 0;
  std::int64_t by = 0;
  const facts::Prototype* prototype = nullptr;  ///< of calls, if it is known
};

struct Shape {
  std::vector<isa::Instruction> insns;          ///< by slot; a second slot has no row
  std::vector<Effect> effects;                  ///< by slot
  std::vector<Function> functions;              ///< by where they begin

  /// The function that begins there.
  std::uint32_t function_at(std::uint32_t slot) const;
  /// What an instruction reads: of calls, only the arguments that are taken.
  isa::RegisterSet reads(std::uint32_t slot) const;
};

Result<Shape> shape_of(const Bytecode& program);

/// How many arguments a callee takes; an unknown one: all five.
unsigned arguments_of(const facts::Prototype* prototype);

}  // namespace espy::ir::lifting
