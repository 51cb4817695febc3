// Memory, calls, and how blocks are left.
#include <algorithm>
#include <array>

#include "ir/x86/select.hpp"

namespace espy::ir::x86 {

// ---- memory ---------------------------------------------------------------------------------------------------------

void Selector::load(ValueId id, const Inst& inst) {
  const auto bytes = static_cast<std::uint8_t>(inst.width / 8);
  const bool swaps = plan_.swapped_by(id) != kNoValue;
  const Parts at = address(f_.operands(inst)[0], inst.imm);
  if (swaps) return put_at({.op = MOp::load_swapped, .size = bytes, .dst = target(id)}, at);
  put_at({.op = MOp::load, .size = static_cast<std::uint8_t>(bytes_of(inst.type)), .from = bytes, .is_signed = inst.flag(kSigned), .dst = target(id)}, at);
}

void Selector::store(const Inst& inst) {
  const auto bytes = static_cast<std::uint8_t>(inst.width / 8);
  MInst store{.op = MOp::store, .size = bytes};
  Source value = source(f_.operands(inst)[1], bytes == 8 ? 8 : 4);
  store.a = value.reg;
  store.imm = value.imm;
  put_at(store, address(f_.operands(inst)[0], inst.imm));
}

void Selector::atomic(ValueId id, const Inst& inst) {
  std::span<const ValueId> in = f_.operands(inst);
  const auto size = static_cast<std::uint8_t>(inst.width / 8);
  const bool wanted = inst.type != kNoType && plan_.uses(id) != 0;
  Parts at = address(in[0], inst.imm);
  if (inst.is(Op::atomic_cmpxchg)) {
    Reg expected = use(in[1]), value = use(in[2]);
    put({.op = MOp::mov, .dst = kRax, .a = expected});
    put_at({.op = MOp::cmpxchg, .size = size, .late = true, .a = value, .reads = mask_of(kRax), .writes = mask_of(kRax)}, at);
    if (wanted) put({.op = MOp::mov, .dst = target(id), .a = kRax});
    return;
  }
  Reg value = use(in[1]);
  if (inst.is(Op::atomic_xchg)) return put_at({.op = MOp::xchg, .size = size, .late = true, .dst = target(id), .a = value}, at);
  if (inst.is(Op::atomic_add) && wanted) return put_at({.op = MOp::xadd, .size = size, .late = true, .dst = target(id), .a = value}, at);
  const bool is_and = inst.is(Op::atomic_and), is_or = inst.is(Op::atomic_or);
  if (!wanted) {
    MOp op = inst.is(Op::atomic_add) ? MOp::lock_add : is_and ? MOp::lock_and : is_or ? MOp::lock_or : MOp::lock_xor;
    return put_at({.op = op, .size = size, .a = value}, at);
  }
  MOp op = is_and ? MOp::fetch_and : is_or ? MOp::fetch_or : MOp::fetch_xor;
  put_at({.op = op, .size = size, .late = true, .dst = fresh(), .a = value, .writes = mask_of(kRax)}, at);
  put({.op = MOp::mov, .dst = target(id), .a = kRax});
}

/// Copies and zeroes eight bytes at a time, then what is left.
Result<void> Selector::block_memory(const Inst& inst) {
  constexpr std::int64_t kMost = 1024;
  if (inst.imm > kMost) return fail(ErrorKind::unsupported, "{} bytes at once", inst.imm);
  std::span<const ValueId> in = f_.operands(inst);
  const Parts to = address(in[0], 0);
  const Parts from = inst.is(Op::copy) ? address(in[1], 0) : Parts{};
  for (std::int64_t done = 0; done < inst.imm;) {
    const std::int64_t left = inst.imm - done;
    const auto bytes = static_cast<std::uint8_t>(left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1);
    MInst store{.op = MOp::store, .size = bytes};
    auto moved = [&](Parts parts) { return parts.disp += done, parts; };
    if (inst.is(Op::copy)) {
      store.a = fresh();
      put_at({.op = MOp::load, .size = static_cast<std::uint8_t>(bytes == 8 ? 8 : 4), .from = bytes, .dst = store.a}, moved(from));
    }
    put_at(store, moved(to));
    done += bytes;
  }
  return {};
}

// ---- calls ----------------------------------------------------------------------------------------------------------

/// Calls that are an instruction.
bool Selector::known_helper(ValueId id, const Inst& inst) {
  if (inst.imm == kThisCpu && options_.thread_cpu != 0) {
    if (plan_.uses(id) != 0) put({.op = MOp::load, .size = 4, .from = 4, .thread = true, .dst = target(id), .disp = options_.thread_cpu});
    return true;
  }
  if (inst.imm != kCountTurns || options_.thread_turns == 0) return false;
  put({.op = MOp::count, .thread = true, .disp = options_.thread_turns, .imm = *constant(f_.operands(inst)[0])});
  return true;
}

Result<void> Selector::call(ValueId id, const Inst& inst) {
  if (inst.is(Op::call_helper) && known_helper(id, inst)) return {};
  if (inst.is(Op::call_kfunc)) return fail(ErrorKind::unsupported, "{} calls a kfunc", f_.name);
  std::span<const ValueId> in = f_.operands(inst);
  std::array<Reg, std::size(kArgumentRegs)> values{};
  for (std::size_t i = 0; i < in.size(); ++i) values[i] = f_[plan_.root(in[i])].leaf() ? kNoReg : use(in[i]);
  RegMask reads = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    reads |= mask_of(kArgumentRegs[i]);
    if (values[i] != kNoReg) put({.op = MOp::mov, .dst = kArgumentRegs[i], .a = values[i]});
  }
  for (std::size_t i = 0; i < in.size(); ++i)
    if (values[i] == kNoReg) leaf_into(kArgumentRegs[i], f_[plan_.root(in[i])]);
  MInst call{.op = MOp::call, .imm = inst.imm, .reads = reads, .writes = kCallerSaved};
  if (inst.is(Op::call_helper)) {
    const std::uint64_t at = !options_.helper ? 0 : options_.helper(static_cast<std::uint32_t>(inst.imm));
    if (at == 0) return fail(ErrorKind::unsupported, "{} calls helper {}, which there is not", f_.name, inst.imm);
    call.op = MOp::call_address;
    call.imm = static_cast<std::int64_t>(at);
  }
  put(call);
  out_.calls = true;
  if (inst.type != kNoType && plan_.uses(id) != 0) put({.op = MOp::mov, .dst = target(id), .a = kRax});
  return {};
}

// ---- control --------------------------------------------------------------------------------------------------------

Result<void> Selector::leave(const Inst& inst) {
  switch (inst.op) {
    case Op::jump:
      copies(f_.edges_of(inst)[0]);
      end_block(kNoMBlock, index_of(f_.edges_of(inst)[0].to));
      return {};
    case Op::branch: branch(inst); return {};
    case Op::switch_: switch_over(inst); return {};
    case Op::tail_call: return tail_call(inst);
    case Op::ret:
      if (std::span<const ValueId> in = f_.operands(inst); !in.empty()) {
        if (f_[plan_.root(in[0])].leaf()) leaf_into(kRax, f_[plan_.root(in[0])]);
        else put({.op = MOp::mov, .dst = kRax, .a = use(in[0])});
      }
      put({.op = MOp::ret, .reads = mask_of(kRax)});
      end_block(kNoMBlock, kNoMBlock);
      return {};
    case Op::unreachable:
      put({.op = MOp::trap});
      end_block(kNoMBlock, kNoMBlock);
      return {};
    default: return fail(ErrorKind::unsupported, "{} leaves by {}", f_.name, to_string(inst.op));
  }
}

/// The number of the block that an edge leads to: where it sets parameters, one of its own.
MBlockId Selector::edge(const Edge& edge) {
  if (edge.argument_count == 0) return index_of(edge.to);
  splits_.push_back({.id = numbers_, .edge = &edge, .mark = mark_});
  return numbers_++;
}

void Selector::branch(const Inst& inst) {
  std::span<const Edge> edges = f_.edges_of(inst);
  if (const std::int64_t* decided = constant(f_.operands(inst)[0])) {
    const Edge& taken = edges[*decided != 0 ? 0 : 1];
    copies(taken);
    return end_block(kNoMBlock, index_of(taken.to));
  }
  Cond cond = condition(f_.operands(inst)[0]);
  MBlockId yes = edge(edges[0]), no = edge(edges[1]);
  end_block(yes, no, cond);
}

void Selector::switch_over(const Inst& inst) {
  std::span<const Edge> edges = f_.edges_of(inst);
  const ValueId value = f_.operands(inst)[0];
  const auto size = static_cast<std::uint8_t>(bytes_of(f_.type_of(value)));
  Reg reg = use(value);
  for (const Edge& one : edges.first(edges.size() - 1)) {
    MInst cmp{.op = MOp::cmp, .size = size, .a = reg, .imm = one.value};
    if (one.value != static_cast<std::int32_t>(one.value)) {
      cmp.b = fresh();
      put({.op = MOp::mov_imm, .dst = cmp.b, .imm = one.value});
    }
    put(cmp);
    MBlockId number = numbers_++;
    end_block(edge(one), number, Cond::e);
    begin_numbered(number);
  }
  end_block(kNoMBlock, edge(edges.back()));
}

void Selector::begin_numbered(MBlockId number) {
  placed_.resize(std::max<std::size_t>(placed_.size(), number + 1), kNoMBlock);
  placed_[number] = static_cast<MBlockId>(out_.blocks.size());
  begin_block();
}

/// Asks where to go on; there, this function's frame is gone.
Result<void> Selector::tail_call(const Inst& inst) {
  if (options_.tail_call == 0) return fail(ErrorKind::unsupported, "{} makes a tail call, which there is not", f_.name);
  std::span<const ValueId> in = f_.operands(inst);
  Reg context = use(in[0]), map = use(in[1]), index = use(in[2]), entry = fresh();
  put({.op = MOp::mov, .dst = kRdi, .a = map});
  put({.op = MOp::mov, .dst = kRsi, .a = index});
  put({.op = MOp::call_address, .imm = static_cast<std::int64_t>(options_.tail_call), .reads = mask_of(kRdi, kRsi), .writes = kCallerSaved});
  out_.calls = true;
  put({.op = MOp::mov, .dst = entry, .a = kRax});
  put({.op = MOp::test, .a = entry, .b = entry});
  const MBlockId going = numbers_++;
  end_block(edge(f_.edges_of(inst)[0]), going, Cond::e);
  begin_numbered(going);
  put({.op = MOp::mov, .dst = kRdi, .a = context});
  put({.op = MOp::mov, .dst = kRax, .a = entry});
  put({.op = MOp::leave, .reads = mask_of(kRax, kRdi)});
  end_block(kNoMBlock, kNoMBlock);
  return {};
}

/// Gives the parameters of the block at an edge's end their values, all at once: a copy whose target is still to be read
/// waits; if all wait, one value is put aside.
void Selector::copies(const Edge& edge) {
  struct Copy {
    Reg to, from;
  };
  std::vector<Copy> waiting;
  std::vector<std::pair<Reg, const Inst*>> leaves;
  std::span<const ValueId> params = f_[edge.to].params;
  std::span<const ValueId> arguments = f_.arguments(edge);
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (plan_.uses(params[i]) == 0) continue;
    const ValueId value = plan_.root(arguments[i]);
    const Reg to = target(params[i]);
    if (f_[value].leaf()) leaves.emplace_back(to, &f_[value]);
    else if (Reg from = use(value); from != to) waiting.push_back({to, from});
  }
  while (!waiting.empty()) {
    auto free = std::ranges::find_if(waiting, [&](const Copy& copy) {
      return std::ranges::none_of(waiting, [&](const Copy& other) { return other.from == copy.to; });
    });
    if (free == waiting.end()) {
      Reg aside = fresh();
      put({.op = MOp::mov, .dst = aside, .a = waiting.front().from});
      waiting.front().from = aside;
      continue;
    }
    put({.op = MOp::mov, .dst = free->to, .a = free->from});
    waiting.erase(free);
  }
  for (auto [to, leaf] : leaves) leaf_into(to, *leaf);
}

}  // namespace espy::ir::x86
