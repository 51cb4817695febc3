// The intermediate representation: a small SSA form that compilers lower into, passes improve, and back ends emit.
//
// A module holds functions, and names maps and externs: nothing more is known of them here. A function holds blocks, and
// a block has parameters (instead of phi nodes) and instructions, of which the last is its terminator. A terminator
// leaves over edges; an edge names a block and gives its parameters their values. The entry block's parameters are the
// function's.
//
// Values. Every instruction gives at most one value, so an instruction and its value have one id, and live in one array:
// `Function::insts`. So do block parameters, and the leaves: constants and addresses of slots, maps, functions, externs.
// Leaves hold everywhere, stand in no block, and equal leaves are one value: a back end makes them where they are used.
//
// Types. i1 is a truth value, i32 and i64 are numbers, and ptr is an address in a space that says what may be done with
// it. Memory is read and written by width (8 to 64 bits) into and from i32 and i64, so narrower types are not needed:
// `zext` and `sext` extend the low 8 or 16 bits of a number. An address that a program may only hand to a helper (of user
// space, or of kernel memory for probe_read) is a plain i64. Numbers are wrapped, division by zero gives 0 and leaves the
// remainder as it was, shift counts are masked: as eBPF defines it, on every back end.
//
// What kernel verifiers follow must survive all passes. A pointer that may be null is compared (eq, ne) with null, and the
// same value is dereferenced in the block that the branch leads to; an index is compared with its bound, and the same
// value indexes. So passes never turn a compare that a branch takes into arithmetic, never replace the checked value by
// an equal but differently computed one (a constant apart) on one side of the check only, and never move a memory access above a branch.
//
// Memory. Stack slots are separate objects: an access through the address of one never reaches another. Passes know the
// contents of slots whose address goes only into loads, stores, copies and zeroing; a call may read and write the slots
// whose addresses it is given (read only, if kReadsOnly says so), and any slot whose address was stored anywhere. Nothing
// is assumed of other memory, which others may write at the same time, but for loads flagged kInvariant.
//
// Marks. Each instruction carries a Mark, a number that means nothing here (a front end's source line). Passes keep it;
// back ends emit line information from it.
//
// Removing. A pass takes an instruction off its block's list; the entry in `insts` stays until `compact` (passes/) makes
// the array dense again. What stands in no list, and is no leaf, is dead and must not be referred to.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/op.hpp"

namespace espy::ir {

enum class FuncId : std::uint32_t {};
enum class BlockId : std::uint32_t {};
enum class ValueId : std::uint32_t {};   ///< an instruction, a parameter or a leaf of one function
enum class SlotId : std::uint32_t {};
enum class MapId : std::uint32_t {};
enum class ExternId : std::uint32_t {};
enum class Mark : std::uint32_t {};      ///< 0: none

inline constexpr std::uint32_t kNoId = 0xffffffff;
inline constexpr ValueId kNoValue{kNoId};
inline constexpr BlockId kNoBlock{kNoId};

template <typename Id>
  requires std::is_enum_v<Id>
constexpr std::uint32_t index_of(Id id) {
  return static_cast<std::uint32_t>(id);
}

enum class Kind : std::uint8_t { none, i1, i32, i64, ptr };

/// Where a pointer points, and so what may be done with it.
enum class Space : std::uint8_t {
  none,        ///< no pointer
  stack,       ///< a stack slot
  ctx,         ///< the program's context
  map_value,   ///< a map's value, global data too
  packet,      ///< packet data: needs a check against packet_end
  packet_end,  ///< only compared with
  arena,
  kernel,      ///< a typed kernel pointer that may be loaded from directly
  memory,      ///< other memory of known size: a ring buffer record
  map,         ///< a map's handle: only given to calls
  code,        ///< a function: only given to calls
};

struct Type {
  Kind kind = Kind::none;
  Space space = Space::none;
  friend constexpr bool operator==(Type, Type) = default;
  constexpr bool is_int() const { return kind == Kind::i32 || kind == Kind::i64; }
  constexpr bool is_ptr() const { return kind == Kind::ptr; }
  /// 1, 32 or 64; 0: no value.
  constexpr unsigned bits() const {
    return kind == Kind::none ? 0 : kind == Kind::i1 ? 1 : kind == Kind::i32 ? 32 : 64;
  }
};
inline constexpr Type kNoType{};
inline constexpr Type kI1{Kind::i1};
inline constexpr Type kI32{Kind::i32};
inline constexpr Type kI64{Kind::i64};
constexpr Type ptr(Space space) { return {Kind::ptr, space}; }

/// Flags of an instruction.
enum InstFlags : std::uint8_t {
  kSigned = 1,      ///< load: sign-extends
  kFetch = 2,       ///< atomic: gives the old value
  kInvariant = 4,   ///< load: these bytes do not change while the function runs
  kOrdered = 8,     ///< load: acquires; store: releases
  kRemovable = 16,  ///< call: has no effect but its value
  kReadsOnly = 32,  ///< call: does not write through the pointers that it is given
};

/// One instruction, parameter or leaf. Operands stand in it, or, if there are more than four, in the function's pool;
/// edges of terminators are in the function's edge list: see Function.
struct Inst {
  Op op = Op::constant;
  Type type{};                 ///< of its value; none: it gives none
  std::uint8_t width = 0;      ///< bits, where the operation says so (kHasWidth)
  std::uint8_t flags = 0;      ///< InstFlags
  std::uint8_t operand_count = 0;
  std::uint16_t edge_count = 0;
  Mark mark{};
  BlockId block = kNoBlock;    ///< that holds it; leaves: none
  std::uint32_t extra = 0;     ///< leaf: slot, map, function, extern; param: its position; terminator: its first edge
  ValueId inline_operands[4] = {kNoValue, kNoValue, kNoValue, kNoValue};  ///< or [0]: where in the pool they begin
  std::int64_t imm = 0;        ///< constant (i32: sign-extended; i1: 0 or 1), byte offset, size, number of a callee

  bool is(Op o) const { return op == o; }
  bool leaf() const { return op < Op::param; }
  bool terminator() const { return op >= Op::jump; }
  bool compare() const { return op >= Op::eq && op <= Op::sge; }
  bool flag(InstFlags f) const { return (flags & f) != 0; }
};

/// Where a terminator goes. Arguments are in the function's pool.
struct Edge {
  BlockId to = kNoBlock;
  std::uint32_t first_argument = 0;
  std::uint32_t argument_count = 0;
  std::int64_t value = 0;          ///< the case of a switch; its default edge: 0
};

struct Block {
  std::vector<ValueId> params;
  std::vector<ValueId> insts;      ///< in order; the last is the terminator
  bool cold = false;               ///< rarely runs (an error path): laid out last
};

struct Slot {
  std::uint32_t size = 0;          ///< bytes
  std::uint32_t align = 8;         ///< a power of two, at most 8 on eBPF
};

/// What is known of a value. Front ends and analyses put it there; a value without an entry is just not known.
struct Fact {
  std::uint64_t umin = 0, umax = ~std::uint64_t{0};   ///< as unsigned numbers of the type's width
  std::uint64_t zeros = 0, ones = 0;                  ///< bits known to be 0, to be 1
  bool non_null = false;
  friend bool operator==(const Fact&, const Fact&) = default;
};

enum class Role : std::uint8_t {
  program,     ///< a kernel may run it: stays
  callback,    ///< its address is taken: stays as it is called
  subprogram,  ///< only called by functions of the module: may be inlined, and goes when nothing calls it
};

class Function {
 public:
  std::string name;
  Role role = Role::program;
  Type result = kI32;
  bool cold = false;                ///< its calls are rare: not worth inlining

  std::vector<Block> blocks;        ///< by BlockId
  std::vector<BlockId> order;       ///< blocks in the order of layout; the entry first. A block that is not here is gone
  std::vector<Inst> insts;          ///< by ValueId
  std::vector<ValueId> pool;        ///< operands and edge arguments
  std::vector<Edge> edges;
  std::vector<Slot> slots;          ///< by SlotId
  std::vector<Fact> facts;          ///< by ValueId; may be shorter than insts, or empty

  Inst& operator[](ValueId id) { return insts[index_of(id)]; }
  const Inst& operator[](ValueId id) const { return insts[index_of(id)]; }
  Block& operator[](BlockId id) { return blocks[index_of(id)]; }
  const Block& operator[](BlockId id) const { return blocks[index_of(id)]; }
  Slot& operator[](SlotId id) { return slots[index_of(id)]; }
  const Slot& operator[](SlotId id) const { return slots[index_of(id)]; }
  Type type_of(ValueId id) const { return (*this)[id].type; }

  BlockId entry() const { return order.front(); }
  std::span<const ValueId> params() const { return (*this)[entry()].params; }

  std::span<const ValueId> operands(const Inst& inst) const;
  std::span<ValueId> operands(Inst& inst);
  std::span<const ValueId> operands(ValueId id) const { return operands((*this)[id]); }
  ValueId operand(ValueId id, unsigned i) const { return operands((*this)[id])[i]; }

  /// The edges of a terminator; none for other instructions. Branch: [0] when 1, [1] when 0. Switch: the default is last.
  std::span<const Edge> edges_of(const Inst& inst) const {
    return inst.edge_count == 0 ? std::span<const Edge>{} : std::span(edges.data() + inst.extra, inst.edge_count);
  }
  std::span<Edge> edges_of(Inst& inst) {
    return inst.edge_count == 0 ? std::span<Edge>{} : std::span(edges.data() + inst.extra, inst.edge_count);
  }
  /// The edges by which a block is left.
  std::span<const Edge> successors(BlockId id) const { return edges_of((*this)[terminator(id)]); }
  std::span<Edge> successors(BlockId id) { return edges_of((*this)[terminator(id)]); }
  ValueId terminator(BlockId id) const { return (*this)[id].insts.back(); }
  std::span<const ValueId> arguments(const Edge& edge) const {
    return {pool.data() + edge.first_argument, edge.argument_count};
  }
  std::span<ValueId> arguments(const Edge& edge) { return {pool.data() + edge.first_argument, edge.argument_count}; }

  // Making. None of these put an instruction into a block; Builder does.
  BlockId add_block(bool in_order = true);
  ValueId add_param(BlockId block, Type type);
  SlotId add_slot(std::uint32_t size, std::uint32_t align = 8);
  /// Appends to `insts`, with these operands. The spans may lie in this function.
  ValueId add_inst(Inst inst, std::span<const ValueId> operands);
  void set_operands(Inst& inst, std::span<const ValueId> operands);
  Edge make_edge(BlockId to, std::span<const ValueId> arguments, std::int64_t value = 0);
  void set_arguments(Edge& edge, std::span<const ValueId> arguments);
  void set_edges(Inst& inst, std::span<const Edge> edges);

  /// The one leaf that is equal to this.
  ValueId leaf(Op op, Type type, std::uint32_t extra, std::int64_t imm);
  ValueId constant(Type type, std::int64_t value);
  ValueId null(Space space) { return leaf(Op::constant, ptr(space), 0, 0); }
  ValueId stack_addr(SlotId slot, std::int64_t offset = 0) {
    return leaf(Op::stack_addr, ptr(Space::stack), index_of(slot), offset);
  }

  /// A constant's value if it is one (pointers: null is 0).
  const std::int64_t* constant_value(ValueId id) const {
    const Inst& inst = (*this)[id];
    return inst.op == Op::constant ? &inst.imm : nullptr;
  }
  const Fact* fact(ValueId id) const { return index_of(id) < facts.size() ? &facts[index_of(id)] : nullptr; }
  void set_fact(ValueId id, const Fact& fact);

 private:
  void grow_leaves();
  std::vector<std::uint32_t> leaves_;   // a hash table of the leaves' ids, open addressing; kNoId: free
  std::uint32_t leaf_count_ = 0;
};

enum class ExternKind : std::uint8_t { kfunc, variable };

struct Extern {
  std::string name;
  ExternKind kind = ExternKind::kfunc;
  friend bool operator==(const Extern&, const Extern&) = default;
};

/// Functions that refer to each other by FuncId, and the names of what they refer to outside.
class Module {
 public:
  std::vector<Function> functions;     ///< by FuncId
  std::vector<std::string> maps;       ///< by MapId: names
  std::vector<Extern> externs;         ///< by ExternId

  Function& operator[](FuncId id) { return functions[index_of(id)]; }
  const Function& operator[](FuncId id) const { return functions[index_of(id)]; }
  const std::string& operator[](MapId id) const { return maps[index_of(id)]; }
  const Extern& operator[](ExternId id) const { return externs[index_of(id)]; }

  /// A new function with an entry block that has these parameters. References to functions do not survive it.
  FuncId add_function(std::string name, Type result, std::initializer_list<Type> params, Role role = Role::program);
  FuncId add_function(std::string name, Type result, std::span<const Type> params, Role role = Role::program);
  MapId map(std::string_view name);                        ///< the one of this name; made if it is not there
  ExternId external(std::string_view name, ExternKind kind);
  const Function* find(std::string_view name) const;
};

}  // namespace espy::ir
