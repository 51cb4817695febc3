#include "ir/interpret.hpp"

#include <algorithm>
#include <cstring>

#include "ir/evaluate.hpp"

namespace espy::ir {
namespace {

constexpr unsigned kRegionBits = 32;     // a region's address has its number above these
constexpr unsigned kMaxDepth = 32;

std::uint64_t load_bytes(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

void store_bytes(std::span<std::byte> bytes, std::uint64_t value) { std::memcpy(bytes.data(), &value, bytes.size()); }

}  // namespace

std::uint64_t Memory::add(std::span<const std::byte> bytes) {
  regions_.emplace_back(bytes.begin(), bytes.end());
  return std::uint64_t{regions_.size()} << kRegionBits;
}

std::uint64_t Memory::add(std::size_t zeros) {
  regions_.emplace_back(zeros);
  return std::uint64_t{regions_.size()} << kRegionBits;
}

std::span<std::byte> Memory::region(std::uint64_t base) { return regions_[(base >> kRegionBits) - 1]; }

Result<std::span<std::byte>> Memory::at(std::uint64_t address, std::uint64_t size) {
  std::uint64_t number = address >> kRegionBits, offset = address & ((std::uint64_t{1} << kRegionBits) - 1);
  if (number == 0 || number > regions_.size() || offset > regions_[number - 1].size() ||
      size > regions_[number - 1].size() - offset)
    return fail(ErrorKind::invalid_argument, "{} bytes at {:#x} are no memory", size, address);
  return std::span(regions_[number - 1]).subspan(offset, size);
}

/// One activation of a function.
class Frame {
 public:
  Frame(Machine& machine, const Function& function) : vm_(machine), f_(function), values_(function.insts.size()) {
    regions_ = vm_.memory.count();
    for (const Slot& slot : f_.slots) slots_.push_back(vm_.memory.add(std::size_t{slot.size}));
  }
  ~Frame() { vm_.memory.shrink(regions_); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  Result<std::uint64_t> run(std::span<const std::uint64_t> arguments) {
    std::span<const ValueId> params = f_.params();
    if (params.size() != arguments.size())
      return fail(ErrorKind::invalid_argument, "{} takes {} arguments", f_.name, params.size());
    for (std::size_t i = 0; i < params.size(); ++i)
      values_[index_of(params[i])] = truncate(arguments[i], f_.type_of(params[i]).bits());
    BlockId block = f_.entry();
    while (!left_) block = TRY(run_block(block));
    return result_;
  }

 private:
  Result<BlockId> run_block(BlockId block) {
    for (ValueId id : f_[block].insts) {
      if (vm_.steps == 0) return fail(ErrorKind::exhausted, "{} runs for too long", f_.name);
      --vm_.steps;
      const Inst& inst = f_[id];
      if (inst.terminator()) return leave(inst);
      std::uint64_t value = TRY(step(inst));
      if (inst.type != kNoType) values_[index_of(id)] = truncate(value, inst.type.bits());
    }
    return fail(ErrorKind::malformed, "a block of {} does not end", f_.name);
  }

  Result<std::uint64_t> step(const Inst& inst) {
    std::span<const ValueId> in = f_.operands(inst);
    if (has(inst.op, kCall)) return call(inst);
    if (has(inst.op, kReads) || has(inst.op, kWrites)) return memory(inst);
    std::uint64_t a = TRY(value(in[0]));
    if (has(inst.op, kBinary) || has(inst.op, kCompare))
      return evaluate(inst.op, f_.type_of(in[0]).bits(), a, TRY(value(in[1])));
    switch (inst.op) {
      case Op::select: return a != 0 ? value(in[1]) : value(in[2]);
      case Op::ptr_add: return a + TRY(value(in[1]));
      case Op::ptr_to_int:
      case Op::int_to_ptr:
      case Op::ptr_cast: return a;
      default: return evaluate(inst, f_.type_of(in[0]).bits(), a);
    }
  }

  Result<std::uint64_t> value(ValueId id) {
    const Inst& inst = f_[id];
    auto imm = static_cast<std::uint64_t>(inst.imm);
    switch (inst.op) {
      case Op::constant: return truncate(imm, inst.type.bits());
      case Op::stack_addr: return slots_[inst.extra] + imm;
      case Op::map: return Machine::map_handle(MapId{inst.extra});
      case Op::map_value: return inst.extra < vm_.map_values.size() ? vm_.map_values[inst.extra] + imm : imm;
      case Op::func_addr: return Machine::code_address(FuncId{inst.extra});
      case Op::extern_addr: return inst.extra < vm_.externs.size() ? vm_.externs[inst.extra] : 0;
      default: return values_[index_of(id)];
    }
  }

  Result<std::vector<std::uint64_t>> values(std::span<const ValueId> list) {
    std::vector<std::uint64_t> out;
    for (ValueId id : list) out.push_back(TRY(value(id)));
    return out;
  }

  Result<std::uint64_t> call(const Inst& inst) {
    std::vector<std::uint64_t> arguments = TRY(values(f_.operands(inst)));
    if (inst.is(Op::call)) return vm_.run(FuncId{static_cast<std::uint32_t>(inst.imm)}, arguments);
    if (!vm_.host_) return fail(ErrorKind::unsupported, "nothing answers calls out of {}", f_.name);
    return vm_.host_(vm_, f_, inst, arguments);
  }

  Result<std::uint64_t> memory(const Inst& inst) {
    std::span<const ValueId> in = f_.operands(inst);
    std::uint64_t address = TRY(value(in[0]));
    if (inst.is(Op::zero)) return std::ranges::fill(TRY(vm_.memory.at(address, size(inst))), std::byte{}), 0;
    if (inst.is(Op::copy)) {
      std::span<std::byte> from = TRY(vm_.memory.at(TRY(value(in[1])), size(inst)));
      std::span<std::byte> to = TRY(vm_.memory.at(address, size(inst)));
      if (!from.empty()) std::memmove(to.data(), from.data(), from.size());
      return 0;
    }
    std::span<std::byte> bytes = TRY(vm_.memory.at(address + static_cast<std::uint64_t>(inst.imm), inst.width / 8U));
    std::uint64_t old = load_bytes(bytes);
    if (inst.is(Op::load)) return inst.flag(kSigned) ? static_cast<std::uint64_t>(sign_extend(old, inst.width)) : old;
    std::uint64_t operand = TRY(value(in[1]));
    store_bytes(bytes, TRY(stored(inst, old, operand)));
    return old;
  }

  static std::uint64_t size(const Inst& inst) { return static_cast<std::uint64_t>(inst.imm); }

  /// What a store or an atomic leaves in memory.
  Result<std::uint64_t> stored(const Inst& inst, std::uint64_t old, std::uint64_t operand) {
    switch (inst.op) {
      case Op::atomic_add: return old + operand;
      case Op::atomic_and: return old & operand;
      case Op::atomic_or: return old | operand;
      case Op::atomic_xor: return old ^ operand;
      case Op::atomic_cmpxchg: return old == operand ? value(f_.operands(inst)[2]) : old;
      default: return operand;
    }
  }

  Result<BlockId> leave(const Inst& inst) {
    std::span<const ValueId> in = f_.operands(inst);
    std::span<const Edge> edges = f_.edges_of(inst);
    switch (inst.op) {
      case Op::jump: return go(edges[0]);
      case Op::branch: return go(edges[TRY(value(in[0])) != 0 ? 0 : 1]);
      case Op::switch_: {
        auto chosen = sign_extend(TRY(value(in[0])), f_.type_of(in[0]).bits());
        auto found = std::ranges::find(edges.first(edges.size() - 1), chosen, &Edge::value);
        return go(*found);   // the end of the cases is the default
      }
      case Op::ret:
        result_ = in.empty() ? 0 : TRY(value(in[0]));
        left_ = true;
        return kNoBlock;
      case Op::tail_call: {
        std::uint64_t given = TRY(call(inst));
        if (given == 0) return go(edges[0]);
        result_ = truncate(given, f_.result.bits());
        left_ = true;
        return kNoBlock;
      }
      default: return fail(ErrorKind::invalid_argument, "{} runs what is unreachable", f_.name);
    }
  }

  /// Gives the block's parameters their values, all at once.
  Result<BlockId> go(const Edge& edge) {
    std::vector<std::uint64_t> arguments = TRY(values(f_.arguments(edge)));
    const std::vector<ValueId>& params = f_[edge.to].params;
    for (std::size_t i = 0; i < params.size(); ++i) values_[index_of(params[i])] = arguments[i];
    return edge.to;
  }

  Machine& vm_;
  const Function& f_;
  std::vector<std::uint64_t> values_;   // by ValueId
  std::vector<std::uint64_t> slots_;    // by SlotId: addresses
  std::size_t regions_ = 0;             // how many there were before this frame
  std::uint64_t result_ = 0;
  bool left_ = false;
};

Result<std::uint64_t> Machine::run(FuncId function, std::span<const std::uint64_t> arguments) {
  if (depth_ == kMaxDepth) return fail(ErrorKind::exhausted, "calls are nested too deep");
  ++depth_;
  Result<std::uint64_t> result = Frame(*this, (*module_)[function]).run(arguments);
  --depth_;
  return result;
}

}  // namespace espy::ir
