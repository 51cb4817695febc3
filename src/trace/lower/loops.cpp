// Loops.
//
//   unroll(n)          the body, n times
//   while              a loop with a back edge; the verifier follows it turn by turn
//   for (a..b)         unrolled if it is short and its bounds are constants; else bpf_loop; else, on older kernels with
//                      constant bounds, a loop with a back edge
//   for (@map)         bpf_for_each_map_elem
//
// bpf_loop and bpf_for_each_map_elem call a function of the module, the loop's body. What it uses of the outer function lies
// in a block of memory on the outer function's stack, the capture: the context of the program, the scratch, and each scalar
// variable that the body uses; those that it changes are written back. Variables with bytes are captured by address. How the
// body was left (a break, a return) is a word of the capture, too.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/lower/walk.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

namespace {

constexpr std::uint64_t kUnrolledTurns = 8;       // ranges of up to so many turns are unrolled
constexpr std::uint32_t kFixedWords = 4;          // of a capture, before the variables
constexpr std::int64_t kMostTurns = 1 << 23;      // bpf_loop's limit

std::optional<std::int64_t> constant_of(const Expr& e) {
  if (const auto* literal = std::get_if<Integer>(&e.node)) return static_cast<std::int64_t>(literal->value);
  if (const auto* cast = std::get_if<Cast>(&e.node)) return constant_of(*cast->operand);
  return std::nullopt;
}

}  // namespace

void Lowering::turn(const Block& body, Join& break_to) {
  Join next;
  loops.push_back({&break_to, &next});
  block(body);
  loops.pop_back();
  go(next);
  enter(next);
}

void Lowering::unroll(const Unroll& loop) {
  const std::int64_t turns = constant_of(loop.count).value_or(0);
  Join done;
  for (std::int64_t i = 0; i < turns && reachable(); ++i) turn(loop.body, done);
  go(done);
  enter(done);
}

void Lowering::while_loop(const While& loop) {
  if (!unit.abilities.bounded_loops) return unit.error(loop.condition.at, "this kernel's verifier allows no loops", "use unroll, or Linux 5.3 or newer");
  VariableUse use = variables_of(loop.body);
  const VariableUse of_condition = variables_of(loop.condition);
  use.changed.insert(of_condition.changed.begin(), of_condition.changed.end());
  LoopHead head = enter_head(use.changed);
  Join body, done;
  condition(loop.condition, body, done);
  enter(body);
  if (reachable()) {
    turn(loop.body, done);
    close_head(head);
  }
  enter(done);
}

Lowering::LoopHead Lowering::enter_head(const std::set<std::uint32_t>& changed) {
  LoopHead head;
  std::vector<ValueId> first;
  head.block = b.block();
  for (const std::uint32_t id : changed) {
    if (homes[id].kind != VariableHome::Kind::value || !type_of_variable(id).is_scalar()) continue;
    head.variables.push_back(id);
    first.push_back(variable(id));
  }
  b.jump(head.block, first);
  b.at(head.block);
  for (const std::uint32_t id : head.variables) env.variables[id] = fn().add_param(head.block, ir_type(type_of_variable(id)));
  env.forget_elements();
  return head;
}

void Lowering::close_head(const LoopHead& head) {
  if (!reachable()) return;
  std::vector<ValueId> next;
  for (const std::uint32_t id : head.variables) next.push_back(variable(id));
  b.jump(head.block, next);
  reachable_ = false;
}

void Lowering::for_range(const ForRange& loop, Span at) {
  const auto from = constant_of(loop.from), to = constant_of(loop.to);
  if (from && to && static_cast<std::uint64_t>(std::max<std::int64_t>(*to - *from, 0)) <= kUnrolledTurns) {
    Join done;
    for (std::int64_t i = *from; i < *to && reachable(); ++i) {
      set_variable(loop.binding.id, i64(i));
      turn(loop.body, done);
    }
    go(done);
    enter(done);
    return;
  }
  if (!unit.abilities.bpf_loop) {
    if (!unit.abilities.bounded_loops) return unit.error(at, "this kernel's verifier allows no loops", "use unroll, or Linux 5.3 or newer");
    return range_with_back_edge(loop);
  }
  const ValueId first = number(loop.from);
  const ValueId last = number(loop.to);
  const ValueId turns = b.sub(last, first);
  Join some, none;
  branch(b.compare(Op::sgt, turns, i64(0)), some, none);
  enter(some);
  Capture capture = make_capture(variables_of(loop.body), loop.binding.id);
  const Address start = capture.at + capture.bytes;
  store_number(start, 8, first);
  const ir::Type parameters[] = {kI64, ir::ptr(ir::Space::stack)};
  const ir::FuncId callback = body_function(parameters, [&](Lowering& inner) {
    inner.restore_capture(capture, inner.b.param(1));
    const ValueId base = inner.load_number({inner.b.param(1), capture.bytes}, 8);
    inner.set_variable(loop.binding.id, inner.b.add(base, inner.b.zext(inner.b.param(0), 32)));
    inner.callback_body(capture, loop.body);
  });
  const ValueId bounded = b.select(b.compare(Op::ult, turns, i64(kMostTurns)), turns, i64(kMostTurns));
  b.helper(helper::loop, kI64, {bounded, b.func_addr(callback), pointer(capture.at), i64(0)});
  after_callback(capture);
  go(none);
  enter(none);
}

void Lowering::range_with_back_edge(const ForRange& loop) {
  const ValueId first = number(loop.from);
  const ValueId last = number(loop.to);
  set_variable(loop.binding.id, first);
  VariableUse use = variables_of(loop.body);
  use.changed.insert(loop.binding.id);
  LoopHead head = enter_head(use.changed);
  Join body, done;
  const ValueId counter = variable(loop.binding.id);
  branch(b.compare(Op::slt, counter, last), body, done);
  enter(body);
  turn(loop.body, done);
  if (reachable()) set_variable(loop.binding.id, b.add(counter, i64(1)));
  close_head(head);
  enter(done);
}

void Lowering::for_map(const ForMap& loop, Span at) {
  if (!unit.abilities.for_each_map_elem) return unit.error(at, "this kernel's programs cannot walk through a map", "it needs Linux 5.13 or newer");
  const std::uint32_t map = loop.map.id;
  Capture capture = make_capture(variables_of(loop.body), loop.binding.id);
  const ir::Type parameters[] = {ir::ptr(ir::Space::map), ir::ptr(ir::Space::map_value), ir::ptr(ir::Space::map_value), ir::ptr(ir::Space::stack)};
  const ir::FuncId callback = body_function(parameters, [&](Lowering& inner) {
    inner.restore_capture(capture, inner.b.param(3));
    inner.homes[loop.binding.id] = {.kind = VariableHome::Kind::element, .key = {inner.b.param(1), 0}, .element = {inner.b.param(2), 0}, .map = map};
    inner.bind_element(loop.binding.id, map, at);
    inner.callback_body(capture, loop.body);
  });
  b.helper(helper::for_each_map_elem, kI64, {b.map(unit.script_map(map)), b.func_addr(callback), pointer(capture.at), i64(0)});
  after_callback(capture);
}

void Lowering::bind_element(std::uint32_t binding, std::uint32_t map, Span at) {
  // Of what CPUs keep apart the callback is given this CPU's part; the whole is added up.
  const MapShape& shape = unit.maps[map];
  if (!shape.plan.per_cpu || !type_of_variable(binding).fields) return;
  const Type& value = shape.plan.value;
  const bool number = value.kind == Kind::count || value.kind == Kind::sum || value.kind == Kind::min || value.kind == Kind::max || value.kind == Kind::avg;
  if (!number) return;
  if (!unit.abilities.lookup_percpu) return unit.error(at, "this kernel's programs cannot read other CPUs' part of a map", "it needs Linux 5.19 or newer");
  VariableHome& home = homes[binding];
  const auto total = [&](std::uint32_t offset, Kind how) {
    const ir::FuncId id = sum_function(map, offset, how, value.is_signed);
    return b.call(id, kI64, {plain(home.key)});
  };
  ValueId whole = total(0, value.kind == Kind::min || value.kind == Kind::max ? value.kind : Kind::sum);
  if (value.kind == Kind::avg) {
    const ValueId count = total(8, Kind::sum);
    whole = value.is_signed ? b.sdiv(whole, count) : b.udiv(whole, count);
  }
  const Address own = temporary(8);
  store_number(own, 8, whole);
  home.element = own;
}

// ---- captures ----

Lowering::Capture Lowering::make_capture(const VariableUse& use, std::uint32_t binding) {
  Capture capture;
  // Words: how it was left, context, scratch, which target fired, then the variables.
  std::uint32_t bytes = kFixedWords * 8;
  for (const std::uint32_t id : use.used) {
    if (id == binding) continue;
    // A variable that is only set inside has no value yet, and none afterwards.
    const VariableHome& home = homes[id];
    const bool scalar = type_of_variable(id).is_scalar();
    if (home.kind == VariableHome::Kind::value && (!scalar || env.variables[id] == kNoValue)) continue;
    if (home.kind == VariableHome::Kind::memory && home.at.base == scratch_area.base) continue;
    capture.variables.push_back({id, bytes, use.changed.contains(id)});
    bytes += home.kind == VariableHome::Kind::element ? 16 : 8;
  }
  capture.bytes = bytes;
  capture.scratch = scratch_area.base;
  capture.at = on_stack(bytes + 8);
  store_number(capture.at, 8, i64(0));
  b.store(64, capture.at.base, capture.at.offset + 8, ctx);
  if (scratch_area.base != kNoValue) b.store(64, capture.at.base, capture.at.offset + 16, scratch_area.base);
  // A subprogram has no target, and its result is there instead.
  if (target != kNoValue) b.store(64, capture.at.base, capture.at.offset + 24, target);
  if (is_subprogram) store_number(capture.at + kCapturedResult, 8, i64(0));
  for (const Captured& one : capture.variables) {
    const VariableHome& home = homes[one.id];
    if (home.kind == VariableHome::Kind::value) b.store(64, capture.at.base, capture.at.offset + one.offset, env.variables[one.id]);
    else if (home.kind == VariableHome::Kind::memory) b.store(64, capture.at.base, capture.at.offset + one.offset, pointer(home.at));
    else {
      b.store(64, capture.at.base, capture.at.offset + one.offset, pointer(home.key));
      b.store(64, capture.at.base, capture.at.offset + one.offset + 8, pointer(home.element));
    }
  }
  return capture;
}

ir::FuncId Lowering::body_function(std::span<const ir::Type> parameters, const std::function<void(Lowering&)>& fill) {
  const std::string name = fmt::format("{}_loop{}", fn().name, unit.module.functions.size());
  const ir::FuncId id = unit.module.add_function(name, kI64, parameters, ir::Role::callback);
  Lowering inner(unit, id, variables);
  inner.b.mark = b.mark;
  inner.probe = probe;
  inner.first_probe = first_probe;
  inner.program = program;
  inner.is_subprogram = is_subprogram;
  inner.subprogram_returns = subprogram_returns;
  inner.subprogram_result = subprogram_result;
  inner.homes = homes;
  inner.followed = followed;
  inner.scratch_area.used = scratch_area.used;
  inner.scratch_area.most = scratch_area.most;
  inner.uses_scratch_base = scratch_area.base != kNoValue;
  inner.captures_target = target != kNoValue;
  fill(inner);
  inner.seal();
  scratch_area.most = std::max(scratch_area.most, inner.scratch_area.most);
  refresh();
  return id;
}

void Lowering::restore_capture(const Capture& capture, ValueId at) {
  capture_pointer = at;
  ctx = b.load(ir::ptr(ir::Space::ctx), 64, at, 8);
  if (uses_scratch_base) scratch_area.base = b.load(ir::ptr(ir::Space::map_value), 64, at, 16);
  if (captures_target) target = load_number({at, 24}, 8);
  if (uses_scratch_base)
    for (VariableHome& home : homes)
      if (home.kind == VariableHome::Kind::memory && home.at.base == capture.scratch) home.at.base = scratch_area.base;
  for (const Captured& one : capture.variables) {
    VariableHome& home = homes[one.id];
    if (home.kind == VariableHome::Kind::value) {
      env.variables[one.id] = b.load(ir_type(type_of_variable(one.id)), 64, at, one.offset);
      continue;
    }
    const auto address = [&](Address outer, std::uint32_t offset) {
      // Where it lies in the outer function is not known by its ids here, only what kind of memory it is.
      return Address{b.load(outer_types_of(outer), 64, at, offset), 0};
    };
    if (home.kind == VariableHome::Kind::memory) {
      home.at = address(home.at, one.offset);
    } else {
      home.key = address(home.key, one.offset);
      home.element = address(home.element, one.offset + 8);
    }
  }
}

ir::Type Lowering::outer_types_of(Address) { return ir::ptr(ir::Space::memory); }

void Lowering::callback_body(const Capture& capture, const Block& body) {
  // 0: go on with the next turn; 1: no more turns. Each way out writes back what the body changed.
  Join next, stop, out;
  leave_callback = [&] {
    store_number({capture_pointer, 0}, 8, i64(1));
    go(stop);
  };
  loops.clear();
  loops.push_back({&stop, &next});
  block(body);
  go(next);
  const auto write_back = [&] {
    for (const Captured& one : capture.variables)
      if (one.changed && homes[one.id].kind == VariableHome::Kind::value) b.store(64, capture_pointer, one.offset, variable(one.id));
  };
  enter(next);
  if (reachable()) write_back();
  go(out, i64(0));
  enter(stop);
  if (reachable()) write_back();
  go(out, i64(1));
  const ValueId result = enter(out);
  b.ret(result);
  leave_callback = {};
}

void Lowering::after_callback(const Capture& capture) {
  env.forget_elements();
  for (const Captured& one : capture.variables)
    if (one.changed && homes[one.id].kind == VariableHome::Kind::value)
      env.variables[one.id] = b.load(ir_type(type_of_variable(one.id)), 64, capture.at.base, capture.at.offset + one.offset);
  // The keys that stand ready do not depend on what changed: they name the values that they were made of.
  Join left, on;
  branch(b.ne(load_number(capture.at, 8), i64(0)), left, on);
  enter(left);
  if (is_subprogram) leave_with(load_number(capture.at + kCapturedResult, 8));
  else leave();
  enter(on);
}

}  // namespace espy::trace::lowering
