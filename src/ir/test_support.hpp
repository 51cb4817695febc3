// For tests, fuzzers and benchmarks: random functions that end, and a host whose answers depend on nothing but the calls,
// so that two versions of a module can be run and compared.
#pragma once

#include <cstring>
#include <random>
#include <vector>

#include "ir/builder.hpp"
#include "ir/interpret.hpp"

namespace espy::ir {

/// Everything that can be seen of a run.
struct Seen {
  bool ended = false;               ///< else it failed or ran for too long, and nothing else means much
  bool too_long = false;
  std::uint64_t result = 0;
  std::uint64_t calls = 0;          ///< a hash of all calls with an effect, in order, with what their pointers pointed to
  std::vector<std::byte> memory;    ///< of the map values and the context, at the end
  friend bool operator==(const Seen&, const Seen&) = default;
};

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  a = (a ^ b) * 0x9e3779b97f4a7c15;
  return a ^ (a >> 31);
}

inline constexpr std::size_t kTestRegion = 64;   ///< bytes of the context, and of each map's value

/// Runs a function: its context and map values have known contents, numbers come from `seed`.
inline Seen run_and_see(const Module& module, FuncId id, std::uint64_t seed, std::uint64_t steps = 20'000) {
  Seen seen;
  std::size_t visible = 0;
  auto host = [&](Machine& machine, const Function& caller, const Inst& call,
                  std::span<const std::uint64_t> arguments) -> Result<std::uint64_t> {
    std::uint64_t hash = mix(static_cast<std::uint64_t>(call.op), static_cast<std::uint64_t>(call.imm));
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      Type type = caller.type_of(caller.operands(call)[i]);
      std::uint64_t value = arguments[i];
      if (type.is_ptr()) {
        // Addresses differ between versions of a function; what is there does not.
        auto there = machine.memory.at(value, 8);
        if (there) std::memcpy(&value, there->data(), 8);
        else if (type.space != Space::map) value = value == 0 ? 1 : 2;
        hash = mix(hash, value);
        if (there && type.space == Space::stack && !call.flag(kReadsOnly) && !call.flag(kRemovable)) std::memcpy(there->data(), &hash, 8);
      } else {
        hash = mix(hash, value);
      }
    }
    if (!call.flag(kRemovable)) seen.calls = mix(seen.calls, hash);
    if (call.is(Op::tail_call)) return hash & 3 ? 0 : 1;
    if (!call.type.is_ptr()) return hash;
    return (hash & 8) != 0 && !machine.map_values.empty() ? machine.map_values[0] : 0;
  };
  Machine machine(module, host);
  machine.steps = steps;
  std::mt19937_64 random(seed);
  auto region = [&] {
    std::uint64_t base = machine.memory.add(kTestRegion);
    for (std::byte& byte : machine.memory.region(base)) byte = static_cast<std::byte>(random());
    ++visible;
    return base;
  };
  for (std::size_t i = 0; i < module.maps.size(); ++i) machine.map_values.push_back(region());
  for (std::size_t i = 0; i < module.externs.size(); ++i) machine.externs.push_back(region());
  std::vector<std::uint64_t> arguments;
  for (ValueId param : module[id].params()) {
    constexpr std::uint64_t kOften[] = {0, 1, 2, ~std::uint64_t{0}, std::uint64_t{1} << 31, std::uint64_t{1} << 63, 63, 255};
    if (module[id].type_of(param).is_ptr()) arguments.push_back(region());
    else arguments.push_back(random() % 2 == 0 ? kOften[random() % std::size(kOften)] : random() >> (random() % 64));
  }
  Result<std::uint64_t> result = machine.run(id, arguments);
  seen.ended = result.has_value();
  if (!result) return seen.too_long = result.error().kind == ErrorKind::exhausted, seen;
  seen.result = *result;
  for (std::size_t i = 0; i < visible; ++i) {
    auto bytes = machine.memory.region(std::uint64_t{i + 1} << 32);
    seen.memory.insert(seen.memory.end(), bytes.begin(), bytes.end());
  }
  return seen;
}

/// Writes random programs: straight code, diamonds, loops that end, switches, calls, slots.
class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed) : random_(seed) {}

  Module make(unsigned statements = 40) {
    Module module;
    module.map("values");
    module.external("kfunc_a", ExternKind::kfunc);
    bool sub = chance(2);
    module.functions.reserve(2);
    FuncId main = module.add_function("main", kI64, {ptr(Space::ctx), kI64, kI64, kI32});
    if (sub) {
      FuncId id = module.add_function("sub", kI64, {kI64, kI32}, Role::subprogram);
      function(module, id, 6, false);
    }
    function(module, main, statements, sub);
    return module;
  }

 private:
  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  std::size_t below(std::size_t n) { return random_() % n; }

  void function(Module& module, FuncId id, unsigned statements, bool calls) {
    Builder builder(module[id]);
    b_ = &builder;
    calls_ = calls;
    values_.clear();
    slots_.clear();
    budget_ = statements;
    depth_ = 0;
    for (ValueId param : builder.function().params()) values_.push_back(param);
    for (std::size_t i = 0; i < 1 + below(2); ++i) {
      slots_.push_back(builder.slot(16));
      builder.zero(builder.stack_addr(slots_.back()), 16);
    }
    locals_.clear();
    for (std::size_t i = 0; i < 1 + below(4); ++i) {
      locals_.push_back({builder.slot(8), 8U << below(4)});
      builder.zero(builder.stack_addr(locals_.back().slot), 8);
    }
    block_of_statements();
    for (SlotId slot : slots_) builder.atomic(Op::atomic_xor, builder.map_value(MapId{0}), builder.load(kI64, 64, builder.stack_addr(slot), 8), 64);
    builder.ret(number(kI64));
  }

  void block_of_statements() {
    unsigned count = 1 + static_cast<unsigned>(below(8));
    for (; budget_ > 0 && count > 0; --count) {
      --budget_;   // first: what a statement holds counts too
      b_->mark = Mark{static_cast<std::uint32_t>(below(100))};
      statement();
    }
    // So that what was computed is seen.
    for (std::size_t i = below(3); i > 0; --i)
      b_->store(64, b_->map_value(MapId{0}), static_cast<std::int64_t>(below(8) * 8), pick(kI64));
    if (depth_ == 0 && budget_ > 0) block_of_statements();
  }

  void statement() {
    std::size_t kind = below(20);
    if (depth_ < 4 && kind < 2) return diamond();
    if (depth_ < 3 && kind == 2) return loop();
    if (depth_ < 3 && kind == 3) return choices();
    if (kind == 4) return check_null();
    if (kind < 7) return memory();
    if (kind < 9) return local();
    if (kind == 9) return call();
    values_.push_back(pure());
  }

  Type type() { return chance(3) ? kI32 : kI64; }

  ValueId number(Type type) {
    if (chance(4)) {
      constexpr std::int64_t kOften[] = {0, 1, 2, -1, 3, 8, 31, 32, 63, 64, 255, 256, 0xffff, INT32_MAX, INT32_MIN, INT64_MIN, 10, 1000};
      return b_->constant(type, chance(4) ? static_cast<std::int64_t>(random_()) : kOften[below(std::size(kOften))]);
    }
    return pick(type);
  }
  ValueId pick(Type type) {
    for (int i = 0; i < 20; ++i) {
      // Rather what was made last.
      std::size_t at = chance(2) ? below(values_.size()) : values_.size() - 1 - below(std::min<std::size_t>(values_.size(), 6));
      if (b_->function().type_of(values_[at]) == type) return values_[at];
    }
    return b_->constant(type, static_cast<std::int64_t>(below(100)));
  }
  ValueId truth() { return chance(3) ? pick(kI1) : comparison(); }
  ValueId comparison() {
    Type of = type();
    return b_->compare(static_cast<Op>(static_cast<std::size_t>(Op::eq) + below(10)), number(of), number(of));
  }

  ValueId pure() {
    Type of = type();
    switch (below(10)) {
      case 0: return b_->zext(pick(type()), width(kI32), chance(2) ? kI64 : kI32);
      case 1: return b_->sext(pick(type()), width(kI32), chance(2) ? kI64 : kI32);
      case 2: return b_->trunc(pick(kI64));
      case 3: return b_->zext(pick(kI32), 32);
      case 4: return b_->select(truth(), number(of), number(of));
      case 5: return chance(2) ? comparison() : b_->binary(static_cast<Op>(static_cast<std::size_t>(Op::and_) + below(3)), truth(), truth());
      case 6: return chance(3) ? b_->zext(truth(), 1, of) : chance(2) ? b_->not_(truth()) : b_->sext(truth(), 1, of);
      case 7: return chance(2) ? b_->neg(pick(of)) : chance(2) ? b_->not_(pick(of)) : b_->bswap(pick(of), chance(2) ? 16 : 32);
      default: return b_->binary(static_cast<Op>(static_cast<std::size_t>(Op::add) + below(13)), number(of), number(of));
    }
  }
  unsigned width(Type limit) { return limit == kI32 ? 8U << below(2) : 8U << below(4); }

  ValueId place(std::int64_t& offset) {
    offset = static_cast<std::int64_t>(below(2) * 8);
    SlotId slot = slots_[below(slots_.size())];
    switch (below(6)) {
      case 0: return b_->map_value(MapId{0}, static_cast<std::int64_t>(below(4) * 8));
      case 1: return b_->ptr_add(b_->stack_addr(slot), b_->and_(pick(kI64), b_->i64(7)));   // to bytes 0 … 15
      case 2: return b_->ptr_add(b_->stack_addr(slot), b_->i64(0));
      case 3:
        if (!chance(8)) return b_->stack_addr(slot);   // the slots' addresses cannot be followed any more
        return b_->select(truth(), b_->stack_addr(slot), b_->stack_addr(slots_[below(slots_.size())]));
      default: return b_->stack_addr(slot);
    }
  }

  void memory() {
    std::int64_t offset = 0;
    ValueId at = place(offset);
    bool variable = b_->function()[at].is(Op::ptr_add);
    Type of = type();
    unsigned bits = of == kI32 ? 8U << below(3) : 8U << below(4);
    if (chance(2)) bits = of.bits();
    if (variable) offset = 0;
    switch (below(9)) {
      case 0: return b_->zero(at, 8, 1);
      case 1: return b_->copy(b_->stack_addr(slots_[0]), b_->stack_addr(slots_.back(), 8), slots_.size() > 1 ? 8 : 0, 8);
      case 2: return b_->atomic(Op::atomic_add, at, number(of), of.bits(), offset);
      case 3: values_.push_back(b_->atomic_fetch(chance(2) ? Op::atomic_xchg : Op::atomic_or, at, number(of), of.bits(), offset)); return;
      case 4:
      case 5: return b_->store(bits, at, offset, number(of));
      default: values_.push_back(b_->load(of, bits, at, offset, chance(3) ? kSigned : 0)); return;
    }
  }

  /// A variable: always the same bytes of a slot whose address goes nowhere.
  void local() {
    const Local& local = locals_[below(locals_.size())];
    Type of = local.width == 64 ? kI64 : type();
    if (chance(2)) return b_->store(local.width, b_->stack_addr(local.slot), 0, number(of));
    values_.push_back(b_->load(of, local.width, b_->stack_addr(local.slot), 0, chance(2) ? kSigned : 0));
  }

  void call() {
    if (calls_ && chance(2)) return values_.push_back(b_->call(FuncId{1}, kI64, {number(kI64), number(kI32)}));
    unsigned flags = chance(3) ? kRemovable | kReadsOnly : chance(2) ? kReadsOnly : 0;
    ValueId slot = b_->stack_addr(slots_[below(slots_.size())], static_cast<std::int64_t>(below(2) * 8));
    if (chance(5)) return values_.push_back(b_->kfunc(ExternId{0}, kI32, {number(kI64)}));
    values_.push_back(b_->helper(static_cast<std::uint32_t>(5 + below(3)), kI64, {slot, number(kI64)}, flags));
  }

  void check_null() {
    ValueId value = b_->helper(1, ptr(Space::map_value), {b_->map(MapId{0}), b_->stack_addr(slots_[0])}, kReadsOnly);
    // Slots that only one of the ways needs, filled before it is known which.
    SlotId key = b_->slot(16), value_slot = b_->slot(16);
    b_->store(64, b_->stack_addr(key), 0, number(kI64));
    if (chance(2)) b_->store(64, b_->stack_addr(key), 8, number(kI64));
    else b_->copy(b_->stack_addr(key, 8), b_->stack_addr(slots_[0], chance(2) ? 8 : 0), 8);
    b_->copy(b_->stack_addr(value_slot), b_->stack_addr(key), 16);
    if (chance(3)) b_->store(64, b_->stack_addr(key), 0, number(kI64));
    for (std::size_t again = 0; again < 1 + below(2); ++again) {
      BlockId found = b_->block(), next = b_->block({kI64});
      b_->branch(b_->ne(value, b_->null(Space::map_value)), found, {}, next, {number(kI64)});
      b_->at(found);
      ValueId got = b_->load(kI64, 64, value, 8);
      if (chance(2)) got = b_->helper(7, kI64, {b_->stack_addr(chance(2) ? key : value_slot, 8), got}, kReadsOnly);
      if (chance(2)) b_->store(64, value, 0, number(kI64));
      b_->jump(next, {got});
      b_->at(next);
      if (chance(3)) b_->helper(6, kI64, {b_->stack_addr(value_slot)}, kReadsOnly);
      values_.push_back(b_->param_of(next, 0));
    }
  }

  /// What is defined in an arm is not visible behind it.
  void arm(BlockId block, BlockId next) {
    std::size_t visible = values_.size();
    b_->at(block);
    ++depth_;
    block_of_statements();
    --depth_;
    if (chance(12)) b_->ret(number(kI64));
    else if (has_ctx() && chance(12)) b_->tail_call(b_->param(0), b_->map(MapId{0}), number(kI32), next_block(next));
    else b_->jump(next, {number(kI64), truth()});
    values_.resize(visible);
  }
  bool has_ctx() const { return b_->function().type_of(b_->param(0)) == ptr(Space::ctx); }
  BlockId next_block(BlockId next) {
    BlockId failed = b_->block();
    BlockId here = b_->here();
    b_->at(failed);
    b_->jump(next, {number(kI64), b_->i1(true)});
    b_->at(here);
    return failed;
  }

  void join(BlockId next) {
    b_->at(next);
    values_.push_back(b_->param_of(next, 0));
    values_.push_back(b_->param_of(next, 1));
  }

  void diamond() {
    BlockId yes = b_->block(), next = b_->block({kI64, kI1});
    ValueId condition = truth();
    if (chance(3)) {
      b_->branch(condition, yes, {}, next, {number(kI64), b_->i1(chance(2))});
      arm(yes, next);
    } else {
      BlockId no = chance(3) ? b_->cold_block() : b_->block();
      b_->branch(condition, yes, no);
      arm(yes, next);
      arm(no, next);
    }
    join(next);
  }

  void choices() {
    BlockId next = b_->block({kI64, kI1});
    std::vector<Builder::Case> cases;
    std::vector<BlockId> arms;
    for (std::size_t i = 0; i < 1 + below(4); ++i) {
      arms.push_back(b_->block());
      cases.push_back({static_cast<std::int64_t>(i * (1 + below(3))), arms.back()});
    }
    for (std::size_t i = 0; i + 1 < cases.size(); ++i)
      for (std::size_t j = i + 1; j < cases.size(); ++j)
        if (cases[i].value == cases[j].value) cases[j].value += 100 + static_cast<std::int64_t>(j);
    arms.push_back(b_->block());
    b_->switch_(b_->and_(pick(kI64), b_->i64(3)), cases, arms.back());
    for (BlockId block : arms) arm(block, next);
    join(next);
  }

  void loop() {
    BlockId head = b_->block({kI64, kI64, kI1}), body = b_->block(), next = b_->block();
    b_->jump(head, {b_->i64(0), number(kI64), truth()});
    b_->at(head);
    ValueId i = b_->param_of(head, 0);
    for (unsigned p = 0; p < 3; ++p) values_.push_back(b_->param_of(head, p));
    b_->branch(b_->compare(Op::ult, i, b_->i64(static_cast<std::int64_t>(below(5)))), body, next);
    b_->at(body);
    std::size_t visible = values_.size();
    ++depth_;
    block_of_statements();
    --depth_;
    b_->jump(head, {b_->add(i, b_->i64(1)), number(kI64), truth()});
    values_.resize(visible);
    b_->at(next);
  }

  std::mt19937_64 random_;
  Builder* b_ = nullptr;
  std::vector<ValueId> values_;   // that are defined on every way to here
  struct Local {
    SlotId slot{};
    unsigned width = 64;
  };
  std::vector<SlotId> slots_;
  std::vector<Local> locals_;
  unsigned budget_ = 0, depth_ = 0;
  bool calls_ = false;
};

}  // namespace espy::ir
