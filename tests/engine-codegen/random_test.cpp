// Random programs: what they leave in memory on the kernel is what the interpreter says, at all instruction set levels.
//
// ESPY_SEED=N runs one program; ESPY_PROGRAMS=N runs so many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "ir/builder.hpp"
#include "ir/check.hpp"
#include "ir/passes/passes.hpp"
#include "ir/text.hpp"
#include "kernel_run.hpp"

namespace espy::ir::bpf {
namespace {

/// Loops are bounded, memory is the value of `io` and slots that are zeroed first, numbers come from `io`.
class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed) : random_(seed) {}

  Module make() {
    Module module;
    io_ = module.map("io");
    module.functions.reserve(3);
    FuncId main = module.add_function("main", kI32, {ptr(Space::ctx)});
    FuncId sub = module.add_function("sub", kI64, {kI64, kI32, ptr(Space::stack)}, Role::subprogram);
    FuncId turn = module.add_function("turn", kI64, {kI64, ptr(Space::stack)}, Role::callback);
    is_main_ = false;
    fill(module[sub], 6, [&](Builder& b) { values_ = {b.param(0), b.param(1), b.load(kI64, 64, b.param(2))}; });
    fill(module[turn], 4, [&](Builder& b) {
      values_ = {b.load(kI64, 64, b.param(1))};
      b.store(64, b.param(1), 0, b.add(values_[0], b.i64(1)));
    });
    sub_ = sub;
    turn_ = turn;
    is_main_ = true;
    fill(module[main], 12 + static_cast<unsigned>(below(40)), [&](Builder& b) {
      values_.clear();
      for (std::int64_t at = 0; at < 6; ++at) values_.push_back(b.load(at % 3 == 2 ? kI32 : kI64, at % 3 == 2 ? 32 : 64, b.map_value(io_), at * 8));
    });
    return module;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned one_in) { return below(one_in) == 0; }

  template <typename Begin>
  void fill(Function& function, unsigned statements, Begin begin) {
    Builder b(function);
    b_ = &b;
    slots_ = {b.slot(16), b.slot(8), b.slot(24, 4)};
    for (SlotId slot : slots_) b.zero(b.stack_addr(slot), function[slot].size, function[slot].align);
    temporary_.clear();
    begin(b);
    budget_ = statements;
    depth_ = 0;
    body();
    if (!is_main_) {
      ValueId last = of_type(kI64);
      return b.ret(function.role == Role::callback ? b.and_(last, b.i64(chance(2) ? 0 : 1)) : last);
    }
    std::size_t shown = chance(2) ? std::min<std::size_t>(values_.size(), 30) : 4;
    for (std::size_t i = 0; i < shown; ++i) {
      ValueId value = values_[values_.size() - 1 - i % values_.size()];
      b.store(function.type_of(value).bits(), b.map_value(io_), static_cast<std::int64_t>(512 + i * 8), value);
    }
    b.copy(b.map_value(io_, 800), b.stack_addr(slots_[0]), 16);
    b.copy(b.map_value(io_, 816), b.stack_addr(slots_[2]), 24, 4);
    b.ret(of_type(kI32));
  }

  void body() {
    for (unsigned count = 2 + static_cast<unsigned>(below(8)); count > 0 && budget_ > 0; --count) {
      --budget_;
      b_->mark = Mark{static_cast<std::uint32_t>(1 + below(50))};
      statement();
    }
    if (depth_ == 0 && budget_ > 0) body();
  }

  void statement() {
    std::uint64_t kind = below(22);
    if (kind < 2 && depth_ < 3) return diamond();
    if (kind == 2 && depth_ < 2) return loop();
    if (kind == 3 && depth_ < 2) return choices();
    if (kind < 8) return memory();
    if (kind == 8 && is_main_) return call();
    values_.push_back(pure());
  }

  Type type() { return chance(3) ? kI32 : kI64; }
  ValueId of_type(Type type) {
    for (int i = 0; i < 10; ++i)
      if (ValueId value = values_[below(values_.size())]; b_->function().type_of(value) == type) return value;
    return b_->constant(type, static_cast<std::int64_t>(below(1000)));
  }
  ValueId number(Type type) {
    constexpr std::int64_t kOften[] = {0, 1, 2, -1, 3, 8, 31, 63, 255, 0xffff, INT32_MAX, INT32_MIN, INT64_MIN, 1000, 0xffffffff, 0xff00000000};
    if (!chance(4)) return of_type(type);
    return b_->constant(type, chance(3) ? static_cast<std::int64_t>(random_()) : kOften[below(std::size(kOften))]);
  }
  ValueId comparison() {
    Type of = type();
    return b_->compare(static_cast<Op>(static_cast<std::size_t>(Op::eq) + below(10)), number(of), number(of));
  }
  ValueId truth() {
    switch (below(8)) {
      case 0: return b_->and_(comparison(), comparison());
      case 1: return b_->or_(comparison(), comparison());
      case 2: return b_->not_(comparison());
      case 3: {
        Type of = type();
        return b_->compare(chance(2) ? Op::eq : Op::ne, b_->and_(number(of), number(of)), b_->constant(of, 0));
      }
      case 4: return b_->xor_(comparison(), comparison());
      default: return comparison();
    }
  }

  ValueId pure() {
    Type of = type();
    switch (below(9)) {
      case 0: return b_->zext(of_type(kI64), 8U << below(3), kI64);
      case 1: return b_->sext(of_type(type()), 8U << below(2), of);
      case 2: return b_->trunc(of_type(kI64));
      case 3: return chance(2) ? b_->zext(of_type(kI32), 32) : b_->sext(of_type(kI32), 32);
      case 4: return b_->select(truth(), number(of), number(of));
      case 5: return chance(2) ? b_->zext(truth(), 1, of) : b_->sext(truth(), 1, of);
      case 6: return chance(2) ? b_->neg(of_type(of)) : b_->bswap(of_type(of), chance(2) ? 16 : 32);
      default: return b_->binary(static_cast<Op>(static_cast<std::size_t>(Op::add) + below(13)), number(of), number(of));
    }
  }

  void memory() {
    Type of = type();
    unsigned width = chance(2) ? of.bits() : 8U << below(of == kI32 ? 3 : 4);
    ValueId at = b_->stack_addr(slots_[0]);
    std::int64_t offset = static_cast<std::int64_t>(below(2) * 8);
    switch (below(7)) {
      case 5: {   // a slot that is in use for a while only
        temporary_.push_back(b_->slot(16));
        b_->zero(b_->stack_addr(temporary_.back()), 16);
        at = b_->stack_addr(temporary_.back());
        break;
      }
      case 6:
        if (!temporary_.empty()) at = b_->stack_addr(temporary_[below(temporary_.size())]);
        break;
      case 0:
        at = b_->ptr_add(b_->map_value(io_, 256), b_->and_(of_type(kI64), b_->i64(0x78)));
        break;
      case 1: at = b_->map_value(io_, static_cast<std::int64_t>(below(8) * 8)); break;
      case 2: at = b_->ptr_add(b_->ptr_add(b_->stack_addr(slots_[0]), b_->i64(8)), b_->i64(-8)); break;
      case 3:
        at = b_->stack_addr(slots_[1]);
        offset = 0;
        break;
      default: break;
    }
    // The kernel's verifier loses track of a known number that an atomic operation fetches from the stack, and may drop code
    // that runs (6.18): fetching is done in the map.
    std::uint64_t what = below(8);
    if ((what == 3 || what == 4) && !takes_fetching_atomics()) what = 5;
    if (what == 3 || what == 4) {
      at = b_->map_value(io_, 128);
      offset = static_cast<std::int64_t>(below(8) * 8);
    }
    switch (what) {
      case 0: return b_->zero(at, 8, 8);
      case 1: return b_->copy(b_->stack_addr(slots_[2]), b_->stack_addr(slots_[0]), static_cast<std::uint32_t>(1 + below(16)), 4);
      case 2: return b_->atomic(Op::atomic_add, at, number(of), of.bits(), offset);
      case 3: {
        constexpr Op kFetching[] = {Op::atomic_add, Op::atomic_and, Op::atomic_or, Op::atomic_xor, Op::atomic_xchg};
        values_.push_back(b_->atomic_fetch(kFetching[below(5)], at, number(of), of.bits(), offset));
        return;
      }
      case 4: values_.push_back(b_->cmpxchg(at, number(of), number(of), of.bits(), offset)); return;
      case 5: values_.push_back(b_->load(of, width, at, offset, chance(2) ? kSigned : 0)); return;
      default: return b_->store(width, at, offset, number(of));
    }
  }

  void call() {
    switch (takes_callbacks() ? below(4) : 1 + below(3)) {
      case 0:
        b_->helper(181, kI64, {b_->i64(static_cast<std::int64_t>(1 + below(3))), b_->func_addr(turn_), b_->stack_addr(slots_[1]), b_->i64(0)});
        values_.push_back(b_->load(kI64, 64, b_->stack_addr(slots_[1])));
        return;
      case 1: values_.push_back(b_->call(sub_, kI64, {number(kI64), number(kI32), b_->stack_addr(slots_[0])})); return;
      default: b_->helper(5, kI64, {}); return;
    }
  }

  /// What an arm defines is not visible behind it.
  void arm(BlockId block, BlockId next) {
    std::size_t visible = values_.size(), temporary = temporary_.size();
    b_->at(block);
    ++depth_;
    body();
    --depth_;
    b_->jump(next, {number(kI64), number(kI32)});
    values_.resize(visible);
    temporary_.resize(temporary);
  }
  void join(BlockId next) {
    b_->at(next);
    values_.push_back(b_->param_of(next, 0));
    values_.push_back(b_->param_of(next, 1));
  }
  void diamond() {
    BlockId yes = b_->block(), next = b_->block({kI64, kI32});
    if (chance(2)) {
      b_->branch(truth(), yes, {}, next, {number(kI64), number(kI32)});
      arm(yes, next);
    } else {
      BlockId no = chance(3) ? b_->cold_block() : b_->block();
      b_->branch(truth(), yes, no);
      arm(yes, next);
      arm(no, next);
    }
    join(next);
  }
  void choices() {
    BlockId next = b_->block({kI64, kI32});
    std::vector<Builder::Case> cases;
    std::vector<BlockId> arms;
    for (std::size_t i = 0; i < 1 + below(9); ++i) {
      arms.push_back(b_->block());
      cases.push_back({static_cast<std::int64_t>(i * 3) - (chance(2) ? 4 : 0) + (static_cast<std::int64_t>(i) << 40 & (chance(3) ? -1 : 0)), arms.back()});
      for (std::size_t j = 0; j < i; ++j)
        if (cases[j].value == cases[i].value) cases[i].value += 1000 + static_cast<std::int64_t>(i);
    }
    arms.push_back(b_->block());
    b_->switch_(b_->sub(b_->and_(of_type(kI64), b_->i64(15)), b_->i64(4)), cases, arms.back());
    for (BlockId block : arms) arm(block, next);
    join(next);
  }
  void loop() {
    BlockId head = b_->block({kI64, kI64, kI32}), inner = b_->block(), next = b_->block();
    b_->jump(head, {b_->i64(0), number(kI64), number(kI32)});
    b_->at(head);
    ValueId i = b_->param_of(head, 0);
    for (unsigned p = 0; p < 3; ++p) values_.push_back(b_->param_of(head, p));
    b_->branch(b_->compare(Op::ult, i, b_->i64(static_cast<std::int64_t>(below(4)))), inner, next);
    b_->at(inner);
    std::size_t visible = values_.size(), temporary = temporary_.size();
    ++depth_;
    body();
    --depth_;
    // Often the parameters change places.
    if (chance(2)) {
      b_->jump(head, {b_->add(i, b_->i64(1)), b_->zext(b_->param_of(head, 2), 32), b_->trunc(b_->param_of(head, 1))});
    } else {
      b_->jump(head, {b_->add(i, b_->i64(1)), number(kI64), number(kI32)});
    }
    values_.resize(visible);
    temporary_.resize(temporary);
    b_->at(next);
  }

  std::mt19937_64 random_;
  Builder* b_ = nullptr;
  MapId io_{};
  FuncId sub_{}, turn_{};
  std::vector<ValueId> values_;
  std::vector<SlotId> slots_, temporary_;
  unsigned budget_ = 0, depth_ = 0;
  bool is_main_ = false;
};

unsigned long from_environment(const char* name, unsigned long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

/// The verifier gives up on some programs for being too large to follow; that says nothing of the code.
bool too_complex(const Error& error) {
  return !error.notes.empty() && (error.notes[0].find("too large") != std::string::npos || error.notes[0].find("too complex") != std::string::npos ||
                                  error.notes[0].find("infinite loop") != std::string::npos);
}

/// What the program is before passes says what it gives, also if it is emitted after them.
void compare(std::uint64_t seed, unsigned& ran, bool optimised) {
  Module module = RandomProgram(seed).make();
  auto checked = check(module);
  ASSERT_TRUE(checked) << "seed " << seed << "\n" << describe(checked.error()) << print(module);
  std::mt19937_64 random(seed);
  Io input{};
  for (std::size_t at = 0; at < kIoBytes; at += 8) {
    std::uint64_t value = random() >> (random() % 64);
    std::memcpy(input.data() + at, &value, 8);
  }
  auto want = run_interpreted(module, input);
  ASSERT_TRUE(want) << "seed " << seed << "\n" << describe(want.error()) << print(module);
  if (optimised) {
    optimise(module);
    ASSERT_TRUE(check(module)) << "seed " << seed << "\n" << describe(check(module).error()) << print(module);
  }
  for (unsigned isa : {1U, 2U, 3U, 4U}) {
    if (!takes_level(isa)) continue;
    auto code = emit(module, {.isa = isa});
    if (!code && code.error().kind == ErrorKind::exhausted && code.error().message.find("bytes of stack") != std::string::npos) return;
    ASSERT_TRUE(code) << "seed " << seed << "\n" << describe(code.error()) << print(module);
    auto have = run_on_kernel(module, *code, input);
    if (!have && too_complex(have.error())) return;
    ASSERT_TRUE(have) << "seed " << seed << " isa v" << isa << "\n" << describe(have.error()) << listing(*code) << print(module);
    ASSERT_EQ(have->retval, want->retval) << "seed " << seed << " isa v" << isa << "\n" << listing(*code) << print(module);
    for (std::size_t at = 0; at < kIoBytes; ++at)
      ASSERT_EQ(have->io[at], want->io[at]) << "byte " << at << ", seed " << seed << " isa v" << isa << "\n" << listing(*code) << print(module);
  }
  ++ran;
}

void compare_many(bool optimised) {
  if (!may_load()) GTEST_SKIP() << "needs CAP_BPF";
  unsigned ran = 0;
  if (unsigned long seed = from_environment("ESPY_SEED", 0); seed != 0) return compare(seed, ran, optimised);
  unsigned long count = from_environment("ESPY_PROGRAMS", 150);
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    compare(seed, ran, optimised);
    if (testing::Test::HasFatalFailure()) return;
  }
  std::printf("seeds 1 to %lu, %u programs ran\n", count, ran);
  EXPECT_GT(ran, count / 2);
}

TEST(RandomPrograms, GiveOnTheKernelWhatTheInterpreterSays) { compare_many(false); }

TEST(RandomPrograms, GiveTheSameOptimised) { compare_many(true); }

}  // namespace
}  // namespace espy::ir::bpf
