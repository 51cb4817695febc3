#include "ir/bpf/select.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace espy::ir::bpf {
namespace {

constexpr bool fits_int32(std::int64_t value) { return value == static_cast<std::int32_t>(value); }

}  // namespace

Result<MFunction> Selector::select() {
  regs_.assign(f_.insts.size(), kNoReg);
  arrivals_.assign(f_.blocks.size(), nullptr);
  out_.blocks.resize(f_.blocks.size());   // an IR block's number is its first machine block's
  out_.insts.reserve(f_.insts.size() * 2);
  for (BlockId block : demand_.layout)
    if (std::span<const Edge> edges = demand_.taken_edges(block); edges.size() > 1)
      for (const Edge& edge : edges)
        if (edge.argument_count != 0 && demand_.entries[index_of(edge.to)] == 1) arrivals_[index_of(edge.to)] = &edge;
  enter_function();
  for (BlockId block : demand_.layout) TRY(select_block(block));
  return std::move(out_);
}

/// The parameters leave the argument registers in a block of its own, for the entry block may be jumped to.
void Selector::enter_function() {
  begin(new_block());
  std::span<const ValueId> params = f_.params();
  for (std::size_t i = 0; i < params.size(); ++i)
    if (demand_.needed(params[i])) copy(reg_of(params[i]), static_cast<Reg>(i + 1));
  end(index_of(f_.entry()));
}

Result<void> Selector::select_block(BlockId block) {
  begin(index_of(block));
  if (const Edge* edge = arrivals_[index_of(block)]) edge_copies(*edge);
  std::span<const ValueId> insts = f_[block].insts;
  for (ValueId id : insts.first(insts.size() - 1)) TRY(select_inst(id));
  mark_ = f_[insts.back()].mark;
  terminator(block);
  return {};
}

Result<void> Selector::select_inst(ValueId id) {
  const Inst& inst = f_[id];
  if (!has_effect(inst) && (!demand_.needed(id) || demand_.root(id) != id || demand_.sunk(id))) return {};
  mark_ = inst.mark;
  if (has(inst.op, kCall)) return call(id);
  if (has(inst.op, kReads) || has(inst.op, kWrites)) return memory(id);
  if (inst.op == Op::select)
    select_value(inst, reg_of(id));
  else if (inst.compare())
    truth_value(id, reg_of(id));
  else
    arithmetic(inst, reg_of(id));
  return {};
}

MBlockId Selector::new_block() {
  out_.blocks.emplace_back();
  return static_cast<MBlockId>(out_.blocks.size() - 1);
}

void Selector::begin(MBlockId block) {
  current_ = block;
  map_bases_.clear();
  out_.order.push_back(block);
  out_.blocks[block].begin = static_cast<std::uint32_t>(out_.insts.size());
}

void Selector::end(MBlockId taken, MBlockId next) {
  MBlock& block = out_.blocks[current_];
  block.end = static_cast<std::uint32_t>(out_.insts.size());
  block.taken = taken;
  block.next = next;
}

Reg Selector::reg_of(ValueId value) {
  Reg& reg = regs_[index_of(value)];
  if (reg == kNoReg) reg = new_reg();
  return reg;
}

Reg Selector::use(ValueId value) {
  ValueId root = demand_.root(value);
  const Inst& inst = f_[root];
  if (!inst.leaf()) return reg_of(root);
  Reg reg = new_reg();
  make_leaf(reg, inst);
  return reg;
}

Reg Selector::use_clean(ValueId value) {
  if (demand_.clean(value)) return use(value);
  Reg reg = new_reg();
  alu(Alu::mov, false, reg, use(value));
  return reg;
}

void Selector::put(Reg dst, ValueId value) {
  ValueId root = demand_.root(value);
  const Inst& inst = f_[root];
  if (inst.leaf())
    make_leaf(dst, inst);
  else
    copy(dst, root == renamed_ ? renamed_to_ : reg_of(root));
}

void Selector::put_clean(Reg dst, ValueId value) {
  if (demand_.clean(value)) return put(dst, value);
  alu(Alu::mov, false, dst, use(value));
}

void Selector::make_constant(Reg dst, std::int64_t value, bool wide) {
  if (!wide) return alu(Alu::mov, value < 0 ? false : true, dst, static_cast<std::int32_t>(value));
  if (fits_int32(value)) return alu(Alu::mov, true, dst, static_cast<std::int32_t>(value));
  if (std::in_range<std::uint32_t>(value)) return alu(Alu::mov, false, dst, static_cast<std::int32_t>(value));
  wide_immediate(dst, isa::Pseudo::none, {.value = value});
}

void Selector::make_leaf(Reg dst, const Inst& leaf, bool without_offset) {
  auto offset = static_cast<std::uint32_t>(without_offset ? 0 : leaf.imm);
  switch (leaf.op) {
    case Op::constant: return make_constant(dst, leaf.imm, leaf.type.kind != Kind::i32);
    case Op::stack_addr:
      copy(dst, kFrame);
      return alu(Alu::add, true, dst, slot_offsets_[leaf.extra] + static_cast<std::int32_t>(leaf.imm));
    case Op::map: return wide_immediate(dst, isa::Pseudo::map_fd, {.refers = true, .kind = ReferenceKind::map, .id = leaf.extra});
    case Op::map_value:
      return wide_immediate(dst, isa::Pseudo::map_value,
                            {.refers = true, .kind = ReferenceKind::map_value, .id = leaf.extra, .offset = offset});
    case Op::func_addr:
      return wide_immediate(dst, isa::Pseudo::func, {.refers = true, .kind = ReferenceKind::function, .id = leaf.extra});
    default:
      return wide_immediate(dst, isa::Pseudo::btf_id, {.refers = true, .kind = ReferenceKind::external, .id = leaf.extra});
  }
}

std::optional<std::int32_t> Selector::immediate(ValueId value) const {
  const std::int64_t* constant = f_.constant_value(value);
  if (constant == nullptr || !fits_int32(*constant)) return std::nullopt;
  return static_cast<std::int32_t>(*constant);
}

// ---- emission -------------------------------------------------------------------------------------------------------

void Selector::alu(Alu op, bool wide, Reg dst, Reg src) {
  std::uint16_t effects = kWritesDst | kReadsSrc;
  if (op != Alu::mov) effects |= kReadsDst;
  push({.opcode = static_cast<std::uint8_t>(std::to_underlying(op) | class_alu(wide) | kRegisterOperand), .effects = effects,
        .dst = dst, .src = src});
}

void Selector::alu(Alu op, bool wide, Reg dst, std::int32_t imm) {
  std::uint16_t effects = kWritesDst;
  if (op != Alu::mov) effects |= kReadsDst;
  push({.opcode = static_cast<std::uint8_t>(std::to_underlying(op) | class_alu(wide)), .effects = effects, .imm = imm, .dst = dst});
}

void Selector::copy(Reg dst, Reg src) {
  if (dst == src) return;
  push({.opcode = std::to_underlying(Alu::mov) | class_alu(true) | kRegisterOperand,
        .effects = kWritesDst | kReadsSrc | kIsCopy, .dst = dst, .src = src});
}

/// Reverses the low bytes and clears the others.
void Selector::byte_order(Reg dst, unsigned bits) {
  constexpr std::uint8_t kToForeign = std::endian::native == std::endian::little ? kRegisterOperand : 0;
  bool plain = options_.isa >= 4;
  push({.opcode = static_cast<std::uint8_t>(std::to_underlying(Alu::end) | class_alu(plain) | (plain ? 0 : kToForeign)),
        .effects = kReadsDst | kWritesDst, .imm = static_cast<std::int32_t>(bits), .dst = dst});
}

void Selector::load(unsigned bytes, Reg dst, Reg base, std::int64_t off, bool is_signed) {
  std::uint8_t mode = is_signed ? 0x80 : 0x60;
  push({.opcode = static_cast<std::uint8_t>(mode | size_bits(bytes) | 0x01), .effects = kWritesDst | kReadsSrc,
        .off = static_cast<std::int16_t>(off), .dst = dst, .src = base});
}

void Selector::store(unsigned bytes, Reg base, std::int64_t off, Reg src) {
  push({.opcode = static_cast<std::uint8_t>(0x60 | size_bits(bytes) | 0x03), .effects = kReadsDst | kReadsSrc,
        .off = static_cast<std::int16_t>(off), .dst = base, .src = src});
}

void Selector::store_constant(unsigned bytes, Reg base, std::int64_t off, std::int32_t value) {
  push({.opcode = static_cast<std::uint8_t>(0x60 | size_bits(bytes) | 0x02), .effects = kReadsDst,
        .off = static_cast<std::int16_t>(off), .imm = value, .dst = base});
}

void Selector::wide_immediate(Reg dst, isa::Pseudo kind, Wide wide) {
  push({.opcode = isa::kOpLdImm64, .effects = kWritesDst | kIsWide, .imm = static_cast<std::int32_t>(out_.wide.size()), .dst = dst,
        .src = std::to_underlying(kind)});
  out_.wide.push_back(wide);
}

void Selector::call_instruction(isa::CallKind kind, unsigned arguments, std::int32_t imm) {
  map_bases_.clear();   // no use in keeping them across
  push({.opcode = isa::kOpCall, .effects = kIsCall, .imm = imm, .dst = arguments, .src = std::to_underlying(kind)});
}

void Selector::exit() { push({.opcode = isa::kOpExit, .effects = kIsExit}); }

}  // namespace espy::ir::bpf
