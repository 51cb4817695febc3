#include "ir/lift/shape.hpp"

#include <algorithm>
#include <bit>

namespace espy::ir::lifting {
namespace {

using isa::Operation;

constexpr isa::RegisterSet kArguments = isa::registers(1, 2, 3, 4, 5);
constexpr isa::RegisterSet kNumbers = (1U << isa::kFramePointer) - 1;   // r0 … r9

isa::RegisterSet arguments(unsigned count) { return static_cast<isa::RegisterSet>(((1U << count) - 1) << 1); }

/// Distances count from the slot behind an instruction's first.
std::uint32_t target_of(std::uint32_t at, std::int32_t distance) {
  return static_cast<std::uint32_t>(std::int64_t{at} + 1 + distance);
}

bool jumps(const isa::Instruction& instruction) { return instruction.row->cls() == isa::Class::jmp || instruction.row->cls() == isa::Class::jmp32; }
bool leaves(const isa::Instruction& instruction) { return jumps(instruction) && (instruction.jump_distance() || !instruction.falls_through()); }

const facts::Prototype* prototype_of(const isa::Instruction& instruction, const Bytecode& program) {
  const auto kind = static_cast<isa::CallKind>(instruction.row->selected);
  if (instruction.operation() != Operation::call || kind == isa::CallKind::subprogram) return nullptr;
  if (program.prototype) return program.prototype(kind == isa::CallKind::kfunc, instruction.imm);
  const auto id = static_cast<std::uint32_t>(instruction.imm);
  return kind == isa::CallKind::helper && id < facts::prototypes().size() ? &facts::prototypes()[id] : nullptr;
}

Effect effect_of(const isa::Instruction& instruction, const Bytecode& program) {
  const isa::OpcodeRow& row = *instruction.row;
  Effect effect{.writes = isa::registers_written(instruction), .dst = instruction.dst, .src = instruction.src, .prototype = prototype_of(instruction, program)};
  if (row.bits != 64) return effect;
  if (row.operation == Operation::mov && row.register_operand()) {
    effect.kind = Effect::copy;
  } else if ((row.operation == Operation::add || row.operation == Operation::sub) && !row.register_operand()) {
    effect.kind = Effect::moved;
    effect.by = row.operation == Operation::add ? std::int64_t{instruction.imm} : -std::int64_t{instruction.imm};
  }
  return effect;
}

/// The blocks of one function, found by walking from where it begins.
class Walk {
 public:
  Walk(const Shape& shape, const std::vector<bool>& leaders) : shape_(shape), leaders_(leaders), block_at_(shape.insns.size(), kNone) {}

  void run(Function& function) {
    block_at(function.begin);
    std::vector<std::pair<std::uint32_t, unsigned>> stack{{0, 0}};
    std::vector<std::uint32_t> post;
    while (!stack.empty()) {
      auto& [block, edge] = stack.back();
      if (edge == 2) {
        post.push_back(block);
        stack.pop_back();
        continue;
      }
      std::uint32_t slot = edge++ == 0 ? targets_[block].second : targets_[block].first;   // what falls through comes last: it is laid out next
      if (slot == kNone || block_at_[slot] != kNone) continue;
      stack.emplace_back(block_at(slot), 0);
    }
    number(function, post);
  }

 private:
  /// Makes the block that begins at this slot.
  std::uint32_t block_at(std::uint32_t slot) {
    auto id = static_cast<std::uint32_t>(blocks_.size());
    block_at_[slot] = id;
    std::uint32_t at = slot, last = slot;
    do {
      last = at;
      at += shape_.insns[at].slots();
    } while (!leaves(shape_.insns[last]) && !leaders_[at]);
    const isa::Instruction& leaving = shape_.insns[last];
    auto distance = leaving.jump_distance();
    blocks_.push_back({.begin = slot, .end = at});
    targets_.emplace_back(distance ? target_of(last, *distance) : kNone, leaving.falls_through() ? at : kNone);
    return id;
  }

  void number(Function& function, const std::vector<std::uint32_t>& post) {
    std::vector<std::uint32_t> place(blocks_.size());
    for (std::uint32_t i = 0; i < post.size(); ++i) place[post[i]] = static_cast<std::uint32_t>(post.size() - 1 - i);
    function.blocks.resize(post.size());
    auto link = [&](std::uint32_t slot) {
      if (slot == kNone) return kNone;
      std::uint32_t to = place[block_at_[slot]];
      ++function.blocks[to].entries;
      return to;
    };
    for (std::uint32_t id : post) {
      Block& block = function.blocks[place[id]];
      block.begin = blocks_[id].begin;
      block.end = blocks_[id].end;
      block.taken = link(targets_[id].first);
      block.next = link(targets_[id].second);
    }
    ++function.blocks.front().entries;
  }

  const Shape& shape_;
  const std::vector<bool>& leaders_;
  std::vector<std::uint32_t> block_at_;                              // by slot
  std::vector<Block> blocks_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> targets_;     // by block: slots, taken and next
};

/// What is live at the beginnings of blocks, from what is live at their ends. True: the function takes more than was known.
bool find_live(const Shape& shape, Function& function) {
  struct Sum {
    isa::RegisterSet reads = 0, writes = 0;
  };
  std::vector<Sum> effects;
  for (const Block& block : function.blocks) {
    Sum& effect = effects.emplace_back();
    for (std::uint32_t at = block.begin; at < block.end; at += shape.insns[at].slots()) {
      effect.reads |= static_cast<isa::RegisterSet>(shape.reads(at) & ~effect.writes & kNumbers);
      effect.writes |= shape.effects[at].writes;
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = function.blocks.size(); i-- > 0;) {
      Block& block = function.blocks[i];
      isa::RegisterSet out = 0;
      for (std::uint32_t to : {block.taken, block.next})
        if (to != kNone) out |= function.blocks[to].live_in;
      auto in = static_cast<isa::RegisterSet>((out & ~effects[i].writes) | effects[i].reads);
      changed |= in != block.live_in;
      block.live_in = in;
    }
  }
  auto taken = static_cast<unsigned>(std::bit_width(static_cast<unsigned>((function.blocks.front().live_in & kArguments) >> 1)));
  return std::exchange(function.parameters, taken) != taken;
}

/// By function: those that it calls.
std::vector<std::vector<std::uint32_t>> callees_of(const Shape& shape) {
  std::vector<std::vector<std::uint32_t>> callees(shape.functions.size());
  for (std::size_t i = 0; i < shape.functions.size(); ++i)
    for (const Block& block : shape.functions[i].blocks)
      for (std::uint32_t at = block.begin; at < block.end; at += shape.insns[at].slots()) {
        const isa::Instruction& instruction = shape.insns[at];
        if (instruction.operation() != Operation::call || static_cast<isa::CallKind>(instruction.row->selected) != isa::CallKind::subprogram) continue;
        callees[i].push_back(shape.function_at(target_of(at, instruction.imm)));
      }
  return callees;
}

/// Kernels refuse functions that call each other in a circle: here they would use up the machine's stack.
Result<void> check_calls(const Shape& shape) {
  const auto callees = callees_of(shape);
  enum : std::uint8_t { unseen, entered, left };
  std::vector<std::uint8_t> state(shape.functions.size(), unseen);
  std::vector<std::pair<std::uint32_t, std::size_t>> stack;   // a function, and how many of its calls were followed
  for (std::uint32_t root = 0; root < shape.functions.size(); ++root) {
    if (state[root] == unseen) stack.emplace_back(root, 0), state[root] = entered;
    while (!stack.empty()) {
      auto& [function, done] = stack.back();
      if (done == callees[function].size()) {
        state[function] = left;
        stack.pop_back();
        continue;
      }
      const std::uint32_t callee = callees[function][done++];
      if (state[callee] == entered) return fail(ErrorKind::unsupported, "the function at instruction {} calls itself", shape.functions[callee].begin);
      if (state[callee] == unseen) stack.emplace_back(callee, 0), state[callee] = entered;
    }
  }
  return {};
}

}  // namespace

unsigned arguments_of(const facts::Prototype* prototype) {
  if (prototype == nullptr) return 5;
  const auto& args = prototype->args;
  return static_cast<unsigned>(std::ranges::find(args, facts::Arg::none, &facts::Argument::kind) - args.begin());
}

std::uint32_t Shape::function_at(std::uint32_t slot) const {
  auto found = std::ranges::lower_bound(functions, slot, {}, &Function::begin);
  return static_cast<std::uint32_t>(found - functions.begin());
}

isa::RegisterSet Shape::reads(std::uint32_t slot) const {
  const isa::Instruction& instruction = insns[slot];
  isa::RegisterSet all = isa::registers_read(instruction);
  if (instruction.operation() != Operation::call) return all;
  if (static_cast<isa::CallKind>(instruction.row->selected) != isa::CallKind::subprogram) return arguments(arguments_of(effects[slot].prototype));
  return arguments(functions[function_at(target_of(slot, instruction.imm))].parameters);
}

Result<Shape> shape_of(const Bytecode& program) {
  const std::span<const isa::Insn> code = program.code;
  TRY(isa::check(code));
  Shape shape;
  shape.insns.resize(code.size());
  shape.effects.resize(code.size());
  std::vector<bool> leaders(code.size() + 1, false);
  std::vector<std::pair<std::uint32_t, bool>> begins{{0, false}};
  for (std::uint32_t at = 0; at < code.size();) {
    const isa::Instruction& instruction = shape.insns[at] = isa::try_decode(code, at).instruction;   // good, as was checked
    shape.effects[at] = effect_of(instruction, program);
    if ((shape.effects[at].writes >> isa::kFramePointer & 1) != 0) return fail(ErrorKind::malformed, "instruction {} writes r10", at);
    if (isa::is_call(code[at], isa::CallKind::subprogram)) begins.emplace_back(target_of(at, instruction.imm), false);
    if (isa::is_ld_imm64(code[at], isa::Pseudo::func)) begins.emplace_back(target_of(at, instruction.imm), true);
    if (jumps(instruction))
      if (auto distance = instruction.jump_distance()) leaders[target_of(at, *distance)] = true;
    std::uint32_t behind = at + instruction.slots();
    if (leaves(instruction)) leaders[behind] = true;
    at = behind;
  }
  std::ranges::sort(begins);
  for (auto [begin, callback] : begins) {
    if (shape.functions.empty() || shape.functions.back().begin != begin) shape.functions.push_back({.begin = begin});
    shape.functions.back().callback |= callback;
    leaders[begin] = true;
  }
  for (Function& function : shape.functions) Walk(shape, leaders).run(function);
  TRY(check_calls(shape));
  for (bool changed = true; changed;) {   // a caller reads what the called takes
    changed = false;
    for (Function& function : shape.functions) changed |= find_live(shape, function);
  }
  return shape;
}

}  // namespace espy::ir::lifting
