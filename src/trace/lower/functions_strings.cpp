// Functions on strings and bytes. Loops over bytes are functions of the module, which all uses share.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::Op;
using ir::ValueId;

namespace {

/// compare_N(a, b): 1 if two strings are equal up to their ends, or in their first N bytes.
ir::FuncId compare_function(Lowering& l, std::uint32_t bytes) {
  const std::string name = fmt::format("equal_{}", bytes);
  if (const auto known = l.unit.library.find(name); known != l.unit.library.end()) return known->second;
  const ir::Type parameters[] = {ir::ptr(ir::Space::memory), ir::ptr(ir::Space::memory)};
  const ir::FuncId id = l.unit.module.add_function(name, kI64, parameters, ir::Role::subprogram);
  l.unit.library.emplace(name, id);
  l.refresh();
  ir::Builder s(l.unit.module[id]);
  s.mark = l.b.mark;
  const ir::BlockId head = s.block({kI64}), body = s.block(), same = s.block(), next = s.block(), equal = s.block(), differ = s.block();
  s.jump(head, {s.i64(0)});
  s.at(head);
  const ValueId i = s.param_of(head, 0);
  s.branch(s.compare(Op::ult, i, s.i64(bytes)), body, equal);
  s.at(body);
  const ValueId left = s.load(kI64, 8, s.ptr_add(s.param(0), i)), right = s.load(kI64, 8, s.ptr_add(s.param(1), i));
  s.branch(s.eq(left, right), same, differ);
  s.at(same);
  s.branch(s.eq(left, s.i64(0)), equal, next);
  s.at(next);
  s.jump(head, {s.add(i, s.i64(1))});
  s.at(equal);
  s.ret(s.i64(1));
  s.at(differ);
  s.ret(s.i64(0));
  return id;
}

}  // namespace

ValueId Lowering::strings_equal(const Expr& left, const Expr& right) {
  const Address a = bytes_of(left), c = bytes_of(right);
  const std::uint32_t bytes = std::min(left.type.size, right.type.size);
  if (!unit.abilities.bounded_loops) {
    unit.error(left.at, "this kernel's verifier allows no loops, and comparing two strings takes one", "compare with a literal, or use Linux 5.3 or newer");
    return b.i1(false);
  }
  const ir::FuncId id = compare_function(*this, bytes);
  const auto argument = [&](Address at) { return b.ptr_cast(pointer(at), ir::Space::memory); };
  return b.ne(b.call(id, kI64, {argument(a), argument(c)}), i64(0));
}

ValueId Lowering::other_call(const Expr& e, const Call& call) {
  unit.error(e.at, fmt::format("{}() is not compiled here", call.name));
  return i64(0);
}

void Lowering::other_call_into(const Expr& e, const Call& call, Address, Padding, std::uint32_t) {
  unit.error(e.at, fmt::format("{}() is not compiled here", call.name));
}

}  // namespace espy::trace::lowering
