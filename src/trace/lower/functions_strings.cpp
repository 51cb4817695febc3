// Functions on strings and bytes. Loops over bytes are functions of the module, which all uses share.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

namespace {

constexpr ir::Type kMemory = ir::ptr(ir::Space::memory);
constexpr ir::Type kBytesPair[] = {kMemory, kMemory};

/// difference(a, b): of the first bytes that differ within `bytes`; strings end at their NUL. 0: none.
void make_difference(ir::Builder& s, std::uint32_t bytes, bool stop_at_end) {
  const ir::BlockId head = s.block({kI64}), body = s.block(), same = s.block(), next = s.block(), equal = s.block(), differ = s.block();
  s.jump(head, {s.i64(0)});
  s.at(head);
  const ValueId i = s.param_of(head, 0);
  s.branch(s.compare(Op::ult, i, s.i64(bytes)), body, equal);
  s.at(body);
  const ValueId left = s.load(kI64, 8, s.ptr_add(s.param(0), i)), right = s.load(kI64, 8, s.ptr_add(s.param(1), i));
  s.branch(s.eq(left, right), same, differ);
  s.at(same);
  if (stop_at_end) s.branch(s.eq(left, s.i64(0)), equal, next);
  else s.jump(next);
  s.at(next);
  s.jump(head, {s.add(i, s.i64(1))});
  s.at(equal);
  s.ret(s.i64(0));
  s.at(differ);
  s.ret(s.sub(left, right));
}

/// length(a): bytes before the NUL, at most `bytes`.
void make_length(ir::Builder& s, std::uint32_t bytes) {
  const ir::BlockId head = s.block({kI64}), body = s.block(), next = s.block(), done = s.block();
  s.jump(head, {s.i64(0)});
  s.at(head);
  const ValueId i = s.param_of(head, 0);
  s.branch(s.compare(Op::ult, i, s.i64(bytes)), body, done);
  s.at(body);
  s.branch(s.eq(s.load(kI64, 8, s.ptr_add(s.param(0), i)), s.i64(0)), done, next);
  s.at(next);
  s.jump(head, {s.add(i, s.i64(1))});
  s.at(done);
  s.ret(i);
}

/// at(haystack, needle, start): 1 if the needle stands at `start`, 2 if the haystack ends there, else 0.
void make_stands_at(ir::Builder& s, std::uint32_t haystack, std::uint32_t needle) {
  const ir::BlockId head = s.block({kI64}), inside = s.block(), wanted = s.block(), compare = s.block(), same = s.block();
  const ir::BlockId found = s.block(), mismatch = s.block(), differs = s.block(), over = s.block();
  s.jump(head, {s.i64(0)});
  s.at(head);
  const ValueId j = s.param_of(head, 0);
  s.branch(s.compare(Op::ult, j, s.i64(needle)), wanted, found);
  s.at(wanted);
  const ValueId n = s.load(kI64, 8, s.ptr_add(s.param(1), j));
  const ValueId position = s.add(s.param(2), j);
  s.branch(s.eq(n, s.i64(0)), found, inside);
  s.at(inside);
  s.branch(s.compare(Op::ult, position, s.i64(haystack)), compare, over);
  s.at(compare);
  const ValueId h = s.load(kI64, 8, s.ptr_add(s.param(0), position));
  s.branch(s.eq(h, n), same, mismatch);
  s.at(same);
  s.jump(head, {s.add(j, s.i64(1))});
  s.at(mismatch);
  s.branch(s.eq(h, s.i64(0)), over, differs);
  s.at(differs);
  s.ret(s.i64(0));
  s.at(over);
  s.ret(s.i64(2));
  s.at(found);
  s.ret(s.i64(1));
}

}  // namespace

ir::FuncId Lowering::library_function(const std::string& name, std::span<const ir::Type> parameters, ir::Role role,
                                      const std::function<void(ir::Builder&)>& make) {
  if (const auto known = unit.library.find(name); known != unit.library.end()) return known->second;
  const ir::FuncId id = unit.module.add_function(name, kI64, parameters, role);
  unit.library.emplace(name, id);
  refresh();
  ir::Builder builder(unit.module[id]);
  builder.mark = b.mark;
  make(builder);
  return id;
}

Lowering::Text Lowering::text_of(const Expr& e) {
  if (e.type.kind == Kind::string || e.type.kind == Kind::array) return {bytes_of(e), e.type.size};
  const auto bytes = static_cast<std::uint32_t>(unit.checked.config.max_strlen);
  const Address to = temporary(bytes);
  read_string(to, i64(bytes), scalar(e), space_of(e), e.at);
  return {to, bytes};
}

namespace {

bool loops_allowed(Lowering& l, Span at) {
  if (l.unit.abilities.bounded_loops) return true;
  l.unit.error(at, "this kernel's verifier allows no loops, and this takes one", "compare with a literal, or use Linux 5.3 or newer");
  return false;
}

}  // namespace

ValueId Lowering::strings_equal(const Expr& left, const Expr& right) {
  if (!loops_allowed(*this, left.at)) return b.i1(false);
  const Address a = bytes_of(left), c = bytes_of(right);
  const std::uint32_t bytes = std::min(left.type.size, right.type.size);
  const ir::FuncId id = library_function(fmt::format("difference_{}", bytes), kBytesPair, ir::Role::subprogram,
                                         [&](ir::Builder& s) { make_difference(s, bytes, true); });
  const ValueId first = plain(a), second = plain(c);
  return b.eq(b.call(id, kI64, {first, second}), i64(0));
}

ValueId Lowering::compare_bytes(const Call& node, bool stop_at_end) {
  const Expr& left = node.arguments[0];
  const Expr& right = node.arguments[1];
  if (!loops_allowed(*this, left.at)) return i64(0);
  const auto operand = [&](const Expr& e, std::uint32_t wanted) -> Text {
    if (stop_at_end || e.type.kind == Kind::string) return text_of(e);
    if (!e.type.is_scalar()) return {bytes_of(e), e.type.size};
    const Address to = temporary(wanted);
    const Place place = pointed_to(e);
    read_memory(to, wanted, address_in(place), place.space, e.at);
    return {to, wanted};
  };
  const auto* known = std::get_if<Integer>(&node.arguments[2].node);
  const auto wanted = static_cast<std::uint32_t>(known != nullptr ? known->value : 0);
  const Text a = operand(left, wanted), c = operand(right, wanted);
  const std::uint32_t bytes = std::min({wanted, a.bytes, c.bytes});
  const ir::FuncId id = library_function(fmt::format("{}_{}", stop_at_end ? "difference" : "compare", bytes), kBytesPair, ir::Role::subprogram,
                                         [&](ir::Builder& s) { make_difference(s, bytes, stop_at_end); });
  const ValueId first = plain(a.at), second = plain(c.at);
  // Equal or not: which comes first is not said.
  return b.zext(b.ne(b.call(id, kI64, {first, second}), i64(0)), 1);
}

ValueId Lowering::string_length(const Expr& e) {
  if (!e.type.is_scalar()) {
    if (!loops_allowed(*this, e.at)) return i64(0);
    const Text text = text_of(e);
    const ir::Type parameters[] = {kMemory};
    const ir::FuncId id = library_function(fmt::format("length_{}", text.bytes), parameters, ir::Role::subprogram,
                                           [&](ir::Builder& s) { make_length(s, text.bytes); });
    return b.call(id, kI64, {plain(text.at)});
  }
  // The helper that reads it says how long it is, its NUL included.
  const auto bytes = static_cast<std::uint32_t>(unit.checked.config.max_strlen);
  const Address to = temporary(bytes);
  const ValueId length = read_string(to, i64(bytes), scalar(e), space_of(e), e.at);
  return choose(b.compare(Op::sgt, length, i64(0)), [&] { return b.sub(length, i64(1)); }, [&] { return i64(0); });
}

ValueId Lowering::find_text(const Expr& haystack, const Expr& needle) {
  if (!loops_allowed(*this, haystack.at)) return i64(-1);
  const Text h = text_of(haystack), n = text_of(needle);
  const ir::Type parameters[] = {kMemory, kMemory, kI64};
  const ir::FuncId stands_at = library_function(fmt::format("stands_at_{}_{}", h.bytes, n.bytes), parameters, ir::Role::subprogram,
                                                [&](ir::Builder& s) { make_stands_at(s, h.bytes, n.bytes); });
  if (unit.abilities.bpf_loop) {
    // The turns of bpf_loop are verified once, whatever the haystack's length.
    const ir::Type turn_parameters[] = {kI64, ir::ptr(ir::Space::stack)};
    const ir::FuncId turn_function = library_function(
        fmt::format("find_{}_{}", h.bytes, n.bytes), turn_parameters, ir::Role::callback, [&](ir::Builder& s) {
          const ValueId at = s.param(1), start = s.zext(s.param(0), 32);
          const ir::BlockId inside = s.block(), stop = s.block(), found = s.block(), not_found = s.block(), go_on = s.block();
          s.branch(s.compare(Op::ult, start, s.i64(h.bytes)), inside, stop);
          s.at(inside);
          const ValueId result = s.call(stands_at, kI64, {s.load(kMemory, 64, at, 8), s.load(kMemory, 64, at, 16), start});
          s.branch(s.eq(result, s.i64(1)), found, not_found);
          s.at(found);
          s.store(64, at, 0, start);
          s.jump(stop);
          s.at(not_found);
          s.branch(s.eq(result, s.i64(0)), go_on, stop);
          s.at(go_on);
          s.ret(s.i64(0));
          s.at(stop);
          s.ret(s.i64(1));
        });
    const Address state = on_stack(24);
    store_number(state, 8, i64(-1));
    b.store(64, state.base, 8, plain(h.at));
    b.store(64, state.base, 16, plain(n.at));
    b.helper(helper::loop, kI64, {i64(h.bytes), b.func_addr(turn_function), pointer(state), i64(0)});
    return load_number(state, 8);
  }
  const ir::Type both[] = {kMemory, kMemory};
  const ir::FuncId search = library_function(fmt::format("find_{}_{}", h.bytes, n.bytes), both, ir::Role::subprogram, [&](ir::Builder& s) {
    const ir::BlockId head = s.block({kI64}), body = s.block(), found = s.block(), not_found = s.block(), next = s.block(), none = s.block();
    s.jump(head, {s.i64(0)});
    s.at(head);
    const ValueId i = s.param_of(head, 0);
    s.branch(s.compare(Op::ult, i, s.i64(h.bytes)), body, none);
    s.at(body);
    const ValueId result = s.call(stands_at, kI64, {s.param(0), s.param(1), i});
    s.branch(s.eq(result, s.i64(1)), found, not_found);
    s.at(not_found);
    s.branch(s.eq(result, s.i64(0)), next, none);
    s.at(next);
    s.jump(head, {s.add(i, s.i64(1))});
    s.at(found);
    s.ret(i);
    s.at(none);
    s.ret(s.i64(-1));
  });
  const ValueId first = plain(h.at), second = plain(n.at);
  return b.call(search, kI64, {first, second});
}

void Lowering::concatenate(const Call& node, Address to, Padding padding, std::uint32_t room) {
  const Text a = text_of(node.arguments[0]), c = text_of(node.arguments[1]);
  // The second is put behind the first wherever that ends: room for both at their longest keeps the verifier content.
  const std::uint32_t both = a.bytes + c.bytes;
  const bool direct = both <= room;
  const Address made = direct ? to : temporary(both);
  zero(made, direct ? room : both);
  const std::uint32_t number = unit.abilities.probe_read_split ? helper::probe_read_kernel_str : helper::probe_read_str;
  const ValueId length = b.helper(number, kI64, {pointer(made), i64(a.bytes), pointer(a.at)});
  const ValueId end = b.sub(length, i64(1));
  when(b.compare(Op::ult, end, i64(a.bytes)), [&] { b.helper(number, kI64, {b.ptr_add(pointer(made), end), i64(c.bytes), pointer(c.at)}); });
  if (!direct) copy_string(to, room, made, both, padding);
}

}  // namespace espy::trace::lowering
