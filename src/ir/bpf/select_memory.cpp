// Selection of memory accesses. A constant distance from a pointer goes into the instruction; what lies on the stack is
// addressed from the frame pointer without any register.
#include <algorithm>
#include <array>

#include "ir/bpf/select.hpp"

namespace espy::ir::bpf {
namespace {

/// Copying and zeroing are unrolled up to so many accesses; above, so many of them go round in a loop.
constexpr std::int64_t kUnrolled = 128;
constexpr std::int64_t kInLoop = 16;

constexpr std::uint8_t kAtomicMode = 0xc0;
constexpr std::uint8_t kStoreClass = 0x03;
constexpr std::int32_t kFetchBit = 0x01, kExchange = 0xe1, kCompareExchange = 0xf1, kAcquire = 0x100, kRelease = 0x110;

std::int32_t atomic_code(Op op) {
  switch (op) {
    case Op::atomic_add: return std::to_underlying(Alu::add);
    case Op::atomic_and: return std::to_underlying(Alu::and_);
    case Op::atomic_or: return std::to_underlying(Alu::or_);
    case Op::atomic_xor: return std::to_underlying(Alu::xor_);
    case Op::atomic_xchg: return kExchange;
    default: return kCompareExchange;
  }
}

}  // namespace

Selector::Place Selector::place(ValueId pointer, std::int64_t offset, std::int64_t bytes) {
  Address address = demand_.address(pointer, offset, bytes);
  const Inst& base = f_[address.base];
  if (!address.folded_leaf) return {use(address.base), address.offset};
  if (base.op == Op::stack_addr) return {kFrame, address.offset + slot_offsets_[base.extra]};
  for (const MapBase& known : map_bases_)
    if (known.map == base.extra) return {known.reg, address.offset};
  Reg reg = new_reg();
  make_leaf(reg, base, true);
  map_bases_.push_back({base.extra, reg});
  return {reg, address.offset};
}

Result<void> Selector::memory(ValueId id) {
  const Inst& inst = f_[id];
  if (inst.flag(kOrdered) && !options_.ordered_access)
    return fail(ErrorKind::unsupported, "function `{}` orders memory accesses (load-acquire, store-release): that needs Linux 6.15",
                f_.name);
  if (has(inst.op, kAtomic)) return atomic(id);
  switch (inst.op) {
    case Op::load: load_value(id); break;
    case Op::store: store_value(inst); break;
    case Op::copy: copy_bytes(inst); break;
    default: zero_bytes(inst); break;
  }
  return {};
}

void Selector::load_value(ValueId id) {
  const Inst& inst = f_[id];
  unsigned bytes = inst.width / 8;
  bool wide = inst.type.kind != Kind::i32, extends = inst.flag(kSigned) && inst.width < inst.type.bits();
  Place from = place(f_.operands(inst)[0], inst.imm, bytes);
  Reg dst = reg_of(id);
  if (inst.flag(kOrdered))
    push({.opcode = static_cast<std::uint8_t>(kAtomicMode | size_bits(bytes) | kStoreClass), .effects = kWritesDst | kReadsSrc,
          .off = static_cast<std::int16_t>(from.offset), .imm = kAcquire, .dst = dst, .src = from.base});
  else
    load(bytes, dst, from.base, from.offset, extends && options_.isa >= 4);
  if (extends && (options_.isa < 4 || inst.flag(kOrdered))) sign_extend(dst, dst, inst.width, wide || options_.isa >= 4);
}

void Selector::store_value(const Inst& inst) {
  unsigned bytes = inst.width / 8;
  ValueId pointer = f_.operands(inst)[0], value = f_.operands(inst)[1];
  // Contexts take no constants (before 6.4).
  std::optional<std::int32_t> constant;
  if (f_.type_of(pointer).space != Space::ctx && !inst.flag(kOrdered)) {
    constant = immediate(value);
    if (const std::int64_t* number = f_.constant_value(value); number != nullptr && inst.width < 64)
      constant = static_cast<std::int32_t>(*number);
  }
  if (constant) {
    Place to = place(pointer, inst.imm, bytes);
    if (inst.width < 32) *constant &= (1 << inst.width) - 1;
    return store_constant(bytes, to.base, to.offset, *constant);
  }
  Reg src = use(value);
  Place to = place(pointer, inst.imm, bytes);
  if (!inst.flag(kOrdered)) return store(bytes, to.base, to.offset, src);
  push({.opcode = static_cast<std::uint8_t>(kAtomicMode | size_bits(bytes) | kStoreClass), .effects = kReadsDst | kReadsSrc,
        .off = static_cast<std::int16_t>(to.offset), .imm = kRelease, .dst = to.base, .src = src});
}

/// Calls step(offset, bytes) for the accesses that cover `size` bytes: widest first, narrower ones at the end.
template <typename Step>
void Selector::each_piece(std::int64_t size, unsigned widest, Step step) {
  std::int64_t at = 0;
  for (unsigned bytes = widest; bytes != 0; bytes /= 2)
    for (; size - at >= bytes; at += bytes) step(at, bytes);
}

/// Runs body() so many times, and adds `step` to the pointers behind each.
template <typename Body>
void Selector::counted_loop(std::int64_t rounds, std::span<const Reg> pointers, std::int32_t step, Body body) {
  Reg counter = new_reg();
  alu(Alu::mov, true, counter, 0);
  MBlockId loop = new_block(), behind = new_block();
  end(loop);
  begin(loop);
  body();
  for (Reg pointer : pointers) alu(Alu::add, true, pointer, step);
  alu(Alu::add, true, counter, 1);
  jump_if(Jump::ne, true, counter, static_cast<std::int32_t>(rounds), loop, behind);
  begin(behind);
}

void Selector::copy_bytes(const Inst& inst) {
  unsigned widest = std::max<unsigned>(inst.width / 8, 1);
  Place to = place(f_.operands(inst)[0], 0, inst.imm), from = place(f_.operands(inst)[1], 0, inst.imm);
  auto move = [&](std::int64_t at, unsigned bytes) {
    Reg piece = new_reg();
    load(bytes, piece, from.base, from.offset + at);
    store(bytes, to.base, to.offset + at, piece);
  };
  std::int64_t size = inst.imm, round = kInLoop * widest;
  if (size > kUnrolled * widest) {
    std::array pointers{new_reg(), new_reg()};
    copy(pointers[0], to.base);
    copy(pointers[1], from.base);
    to.base = pointers[0];
    from.base = pointers[1];
    counted_loop(size / round, pointers, static_cast<std::int32_t>(round), [&] { each_piece(round, widest, move); });
    size %= round;
  }
  each_piece(size, widest, move);
}

void Selector::zero_bytes(const Inst& inst) {
  unsigned widest = std::max<unsigned>(inst.width / 8, 1);
  Place to = place(f_.operands(inst)[0], 0, inst.imm);
  auto clear = [&](std::int64_t at, unsigned bytes) { store_constant(bytes, to.base, to.offset + at, 0); };
  std::int64_t size = inst.imm, round = kInLoop * widest;
  if (size > kUnrolled * widest) {
    std::array pointers{new_reg()};
    copy(pointers[0], to.base);
    to.base = pointers[0];
    counted_loop(size / round, pointers, static_cast<std::int32_t>(round), [&] { each_piece(round, widest, clear); });
    size %= round;
  }
  each_piece(size, widest, clear);
}

Result<void> Selector::atomic(ValueId id) {
  const Inst& inst = f_[id];
  std::span<const ValueId> operands = f_.operands(inst);
  bool exchanges = inst.op == Op::atomic_xchg || inst.op == Op::atomic_cmpxchg;
  bool fetches = exchanges || (inst.flag(kFetch) && demand_.needed(id));
  if (!options_.fetching_atomics && (fetches || inst.op != Op::atomic_add))
    return fail(ErrorKind::unsupported, "function `{}` uses {}{}: of atomic operations, kernels before 5.12 have only addition that "
                "does not give the old value", f_.name, to_string(inst.op), fetches && !exchanges ? " and its old value" : "");
  unsigned bytes = inst.width / 8;
  auto opcode = static_cast<std::uint8_t>(kAtomicMode | size_bits(bytes) | kStoreClass);
  std::int32_t code = atomic_code(inst.op) | (fetches ? kFetchBit : 0);
  Reg value = use(operands.back());
  Place at = place(operands[0], inst.imm, bytes);
  if (inst.op == Op::atomic_cmpxchg) {
    put(0, operands[1]);
    push({.opcode = opcode, .effects = kReadsDst | kReadsSrc | kUsesR0, .off = static_cast<std::int16_t>(at.offset), .imm = code,
          .dst = at.base, .src = value});
    if (demand_.needed(id)) copy(reg_of(id), 0);
    return {};
  }
  std::uint16_t effects = kReadsDst | kReadsSrc;
  if (fetches) {   // the old value comes into the operand's register
    Reg result = demand_.needed(id) ? reg_of(id) : new_reg();
    copy(result, value);
    value = result;
    effects |= kWritesSrc;
  }
  push({.opcode = opcode, .effects = effects, .off = static_cast<std::int16_t>(at.offset), .imm = code, .dst = at.base, .src = value});
  return {};
}

}  // namespace espy::ir::bpf
