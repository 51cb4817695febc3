// The instruction table: one row an operation. Printing, parsing, checking, and every pass read its row.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace espy::ir {

enum class Op : std::uint8_t {
  // leaves: values that hold everywhere and stand in no block; equal ones are one value
  constant,    ///< imm; of a pointer type: null (imm 0)
  stack_addr,  ///< the address of slot `extra`, plus imm
  map,         ///< the handle of map `extra`
  map_value,   ///< the address of the only value of map `extra` (global data), plus imm
  func_addr,   ///< function `extra`, for callbacks
  extern_addr, ///< the address of extern `extra`
  // a block's (or, in the entry block, the function's) parameter
  param,
  // arithmetic on i32 or i64; both operands and the result are of one type; wraps
  add, sub, mul,
  udiv, sdiv,           ///< x / 0 = 0; the least integer / -1 = itself
  urem, srem,           ///< x % 0 = x; the least integer % -1 = 0
  and_, or_, xor_,      ///< also on i1
  shl, lshr, ashr,      ///< by the low 5 (i32) or 6 (i64) bits of the second operand
  neg, not_,            ///< `not` also on i1
  bswap,                ///< the low `width` (16, 32, 64) bits, bytes reversed, zero-extended
  zext, sext,           ///< the low `width` (1, 8, 16, 32) bits of i1, i32 or i64, extended to the result type
  trunc,                ///< i64 to i32: the low half
  // comparisons of two i32, two i64, or two pointers: i1
  eq, ne, ult, ule, ugt, uge, slt, sle, sgt, sge,
  select,               ///< (i1, a, b): a if the first is 1, else b; any type
  // pointers
  ptr_add,              ///< (pointer, i64): a pointer into the same space
  ptr_to_int,           ///< i64
  int_to_ptr,           ///< from i64
  ptr_cast,             ///< the same address as a pointer into another space
  // memory; imm is an offset in bytes that is added to the pointer
  load,                 ///< (pointer): `width` bits, zero- or (kSigned) sign-extended to the type; 64 for pointers
  store,                ///< (pointer, value): the low `width` bits
  copy,                 ///< (to, from): imm bytes, which do not overlap; `width`: the widest access both are aligned for
  zero,                 ///< (pointer): imm bytes; `width` as for copy
  atomic_add, atomic_and, atomic_or, atomic_xor,  ///< (pointer, value), width 32 or 64; kFetch: gives the old value
  atomic_xchg,          ///< (pointer, value): gives the old value
  atomic_cmpxchg,       ///< (pointer, expected, wanted): gives the old value
  // calls; imm is the number of the helper, kfunc (an ExternId) or function (a FuncId)
  call_helper, call_kfunc, call,
  // terminators
  jump,                 ///< one edge
  branch,               ///< (i1): first edge if 1, second edge if 0
  switch_,              ///< (i32 or i64): the edge of its case; the last edge is the default
  ret,                  ///< (value), or nothing where the function gives nothing
  tail_call,            ///< (ctx, map handle, i32 index): leaves for another program; the edge is taken if that fails
  unreachable,          ///< never runs
};
inline constexpr std::size_t kOps = static_cast<std::size_t>(Op::unreachable) + 1;

/// What passes ask of an operation.
enum OpTraits : std::uint16_t {
  kLeaf = 1 << 0,
  kPure = 1 << 1,        ///< a function of its operands alone; may be merged, moved, removed
  kCommutes = 1 << 2,
  kBinary = 1 << 3,      ///< two operands of the result's type
  kCompare = 1 << 4,
  kReads = 1 << 5,       ///< memory
  kWrites = 1 << 6,      ///< memory
  kCall = 1 << 7,
  kTerminator = 1 << 8,
  kHasWidth = 1 << 9,
  kHasOffset = 1 << 10,  ///< imm is a byte offset from the first operand
  kAtomic = 1 << 11,
};

struct OpRow {
  Op op{};
  std::string_view name{};    ///< as the text form spells it
  std::int8_t operands = 0;   ///< how many values it takes; -1: it depends
  std::uint16_t traits = 0;   ///< OpTraits
};

const OpRow& row_of(Op op);
std::optional<Op> find_op(std::string_view name);
inline bool has(Op op, OpTraits trait) { return (row_of(op).traits & trait) != 0; }
inline std::string_view to_string(Op op) { return row_of(op).name; }

/// The comparison that holds when `op` does not: eq → ne, ult → uge.
Op inverse(Op op);
/// The comparison that holds with the operands exchanged: ult → ugt.
Op swapped(Op op);

}  // namespace espy::ir
