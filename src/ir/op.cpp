#include "ir/op.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace espy::ir {
namespace {

constexpr std::uint16_t kArithmetic = kPure | kBinary;
constexpr std::uint16_t kAtomicWrite = kReads | kWrites | kHasWidth | kHasOffset | kAtomic;

constexpr std::array kRows = std::to_array<OpRow>({
    {Op::constant, "const", 0, kLeaf | kPure},
    {Op::stack_addr, "stack", 0, kLeaf | kPure},
    {Op::map, "map", 0, kLeaf | kPure},
    {Op::map_value, "map_value", 0, kLeaf | kPure},
    {Op::func_addr, "func", 0, kLeaf | kPure},
    {Op::extern_addr, "extern", 0, kLeaf | kPure},
    {Op::param, "param", 0, 0},
    {Op::add, "add", 2, kArithmetic | kCommutes},
    {Op::sub, "sub", 2, kArithmetic},
    {Op::mul, "mul", 2, kArithmetic | kCommutes},
    {Op::udiv, "udiv", 2, kArithmetic},
    {Op::sdiv, "sdiv", 2, kArithmetic},
    {Op::urem, "urem", 2, kArithmetic},
    {Op::srem, "srem", 2, kArithmetic},
    {Op::and_, "and", 2, kArithmetic | kCommutes},
    {Op::or_, "or", 2, kArithmetic | kCommutes},
    {Op::xor_, "xor", 2, kArithmetic | kCommutes},
    {Op::shl, "shl", 2, kArithmetic},
    {Op::lshr, "lshr", 2, kArithmetic},
    {Op::ashr, "ashr", 2, kArithmetic},
    {Op::neg, "neg", 1, kPure},
    {Op::not_, "not", 1, kPure},
    {Op::bswap, "bswap", 1, kPure | kHasWidth},
    {Op::zext, "zext", 1, kPure | kHasWidth},
    {Op::sext, "sext", 1, kPure | kHasWidth},
    {Op::trunc, "trunc", 1, kPure},
    {Op::eq, "eq", 2, kPure | kCompare | kCommutes},
    {Op::ne, "ne", 2, kPure | kCompare | kCommutes},
    {Op::ult, "ult", 2, kPure | kCompare},
    {Op::ule, "ule", 2, kPure | kCompare},
    {Op::ugt, "ugt", 2, kPure | kCompare},
    {Op::uge, "uge", 2, kPure | kCompare},
    {Op::slt, "slt", 2, kPure | kCompare},
    {Op::sle, "sle", 2, kPure | kCompare},
    {Op::sgt, "sgt", 2, kPure | kCompare},
    {Op::sge, "sge", 2, kPure | kCompare},
    {Op::select, "select", 3, kPure},
    {Op::ptr_add, "ptr_add", 2, kPure},
    {Op::ptr_to_int, "ptr_to_int", 1, kPure},
    {Op::int_to_ptr, "int_to_ptr", 1, kPure},
    {Op::ptr_cast, "ptr_cast", 1, kPure},
    {Op::load, "load", 1, kReads | kHasWidth | kHasOffset},
    {Op::store, "store", 2, kWrites | kHasWidth | kHasOffset},
    {Op::copy, "copy", 2, kReads | kWrites | kHasWidth},
    {Op::zero, "zero", 1, kWrites | kHasWidth},
    {Op::atomic_add, "atomic_add", 2, kAtomicWrite},
    {Op::atomic_and, "atomic_and", 2, kAtomicWrite},
    {Op::atomic_or, "atomic_or", 2, kAtomicWrite},
    {Op::atomic_xor, "atomic_xor", 2, kAtomicWrite},
    {Op::atomic_xchg, "atomic_xchg", 2, kAtomicWrite},
    {Op::atomic_cmpxchg, "atomic_cmpxchg", 3, kAtomicWrite},
    {Op::call_helper, "helper", -1, kReads | kWrites | kCall},
    {Op::call_kfunc, "kfunc", -1, kReads | kWrites | kCall},
    {Op::call, "call", -1, kReads | kWrites | kCall},
    {Op::jump, "jump", 0, kTerminator},
    {Op::branch, "branch", 1, kTerminator},
    {Op::switch_, "switch", 1, kTerminator},
    {Op::ret, "ret", -1, kTerminator},
    {Op::tail_call, "tail_call", 3, kTerminator | kReads | kWrites},
    {Op::unreachable, "unreachable", 0, kTerminator},
});
static_assert(kRows.size() == kOps);
static_assert([] {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].op) != i) return false;
  return true;
}());

constexpr std::array kInverse = {Op::ne, Op::eq, Op::uge, Op::ugt, Op::ule, Op::ult, Op::sge, Op::sgt, Op::sle, Op::slt};
constexpr std::array kSwapped = {Op::eq, Op::ne, Op::ugt, Op::uge, Op::ult, Op::ule, Op::sgt, Op::sge, Op::slt, Op::sle};

}  // namespace

const OpRow& row_of(Op op) { return kRows[std::to_underlying(op)]; }

std::optional<Op> find_op(std::string_view name) {
  auto found = std::ranges::find(kRows, name, &OpRow::name);
  return found == kRows.end() ? std::nullopt : std::optional(found->op);
}

Op inverse(Op op) { return kInverse[std::to_underlying(op) - std::to_underlying(Op::eq)]; }
Op swapped(Op op) { return kSwapped[std::to_underlying(op) - std::to_underlying(Op::eq)]; }

}  // namespace espy::ir
