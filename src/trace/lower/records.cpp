// Records: what programs send to user space (rings.hpp). Small ones of data are made on the stack and copied into the ring,
// others in place. A record that finds no room is counted for its probe.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/lower/walk.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

namespace {

constexpr std::uint32_t kHeader = sizeof(RecordHeader);
constexpr std::int64_t kCurrentCpu = 0xffffffff;           // BPF_F_CURRENT_CPU
constexpr std::uint32_t kSentFromStack = 96;               // bytes
constexpr std::uint32_t kRoomyLimit = 32;                  // a limit from which on the stack is not short

}  // namespace

void Lowering::count(Counter::Kind kind, std::uint32_t index, ValueId by) {
  const std::uint32_t offset = unit.counter(kind, index);
  if (by == kNoValue) by = i64(1);
  if (unit.abilities.global_data) return b.atomic(Op::atomic_add, b.map_value(unit.counters(), offset), by, 64);
  const Address key = key_of(MapAccess{}).at;
  const ValueId counters = b.helper(helper::map_lookup_elem, ir::ptr(ir::Space::map_value), {b.map(unit.counters()), pointer(key)}, ir::kReadsOnly);
  when(b.ne(counters, b.null(ir::Space::map_value)), [&] { b.atomic(Op::atomic_add, counters, by, 64, offset); });
}

void Lowering::count_failure(Counter::Kind kind, std::uint32_t index, ValueId result, bool rare) {
  // 0, or what failed. (Before 6.4, kernels call a map's operation in place of the helper, and its int is not extended.)
  if (!rare || !unit.abilities.global_data) return when(b.ne(result, i64(0)), [&] { count(kind, index); }, true);
  // The sign is what is added: shorter than a branch around, but it costs an atomic operation each time.
  count(kind, index, b.zext(b.lshr(b.trunc(result), b.i32(31)), 32));
}

void Lowering::record(std::uint32_t action, std::uint32_t bytes, bool control, const std::function<void(Address)>& fill) {
  const auto header = [&](Address at) {
    const ValueId which = probe_number();
    if (const auto* known = fn().constant_value(which)) {
      store_number(at, 8, i64(static_cast<std::int64_t>(std::uint64_t{action} | (static_cast<std::uint64_t>(*known) << 32))));
      return;
    }
    store_number(at, 4, i64(action));
    store_number(at + 4, 4, which);
  };
  const ir::MapId ring = unit.ring();
  if (!unit.abilities.ring_buffer) {
    const Address at = scratch(bytes);
    header(at);
    fill(at);
    const ValueId result = b.helper(helper::perf_event_output, kI64, {ctx, b.map(ring), i64(kCurrentCpu), pointer(at), i64(bytes)}, ir::kReadsOnly);
    count_failure(Counter::Kind::lost_records, first_probe, result);
    return;
  }
  const bool roomy = !is_subprogram && unit.economy == Economy::none && unit.checked.config.on_stack_limit >= kRoomyLimit;
  if (!control && roomy && bytes <= kSentFromStack && unit.abilities.uninit_stack) {
    // Made on the stack: one call, which copies it.
    const Address at = on_stack(bytes);
    header(at);
    fill(at);
    if (!reachable()) return;
    const ValueId result = b.helper(helper::ringbuf_output, kI64, {b.map(ring), pointer(at), i64(bytes), i64(0)}, ir::kReadsOnly);
    return count_failure(Counter::Kind::lost_records, first_probe, result);
  }
  // Made in place.
  const auto reserve = [&](ir::MapId from) {
    return b.helper(helper::ringbuf_reserve, ir::ptr(ir::Space::memory), {b.map(from), i64(bytes), i64(0)}, ir::kReadsOnly);
  };
  const ValueId no_room = b.null(ir::Space::memory);
  Join room, lost, done;
  const ValueId first = reserve(ring);
  if (control) {
    Join there, full;
    branch_cold(b.ne(first, no_room), there, full);
    enter(full);
    const ValueId second = reserve(unit.control_ring());
    Join reserved;
    branch_cold(b.ne(second, no_room), reserved, lost);
    enter(reserved);
    go(room, second);
    enter(there);
    go(room, first);
  } else {
    Join there;
    branch_cold(b.ne(first, no_room), there, lost);
    enter(there);
    go(room, first);
  }
  enter(lost);
  count(Counter::Kind::lost_records, first_probe);
  go(done);
  const ValueId at = enter(room);
  header({at, 0});
  fill({at, 0});
  if (reachable()) b.helper(helper::ringbuf_submit, ir::kNoType, {at, i64(0)});
  go(done);
  enter(done);
}

namespace {

/// May evaluating this leave the probe? Then it must not happen while a record is reserved.
bool leaves(const Expr& e) { return variables_of(e).returns; }

}  // namespace

void Lowering::lay_out(Action& action, std::size_t fixed) {
  std::uint32_t end = kHeader + static_cast<std::uint32_t>(fixed);
  for (Field& field : action.arguments) {
    const std::uint32_t alignment = std::max(alignment_of(field.type), 1U);
    field.offset = (end + alignment - 1) / alignment * alignment;
    end = field.offset + field.type.size;
  }
  action.size = std::max<std::uint32_t>((end + 7) / 8 * 8, 8);
}

void Lowering::arguments_record(std::uint32_t index, std::span<const Expr* const> arguments) {
  lay_out(unit.action(index), 0);
  const Action action = unit.action(index);
  // What could leave the probe, or take a record of its own, is evaluated before.
  std::vector<Address> before(arguments.size());
  for (std::size_t i = 0; i < arguments.size() && i < action.arguments.size(); ++i)
    if (leaves(*arguments[i])) {
      before[i] = temporary(std::max(action.arguments[i].type.size, 8U));
      argument_bytes(*arguments[i], action.arguments[i].type, before[i]);
    }
  record(index, action.size, action.control, [&](Address at) {
    for (std::size_t i = 0; i < arguments.size() && i < action.arguments.size(); ++i) {
      const Field& field = action.arguments[i];
      if (before[i].base != kNoValue) copy(at + field.offset, before[i], field.type.size);
      else argument_bytes(*arguments[i], field.type, at + field.offset);
    }
  });
}

void Lowering::argument_bytes(const Expr& e, const Type& type, Address to) {
  if (type.is_scalar()) {
    const ValueId value = e.type.is_aggregate() ? aggregate_of(e) : scalar(e);
    return store(to, type, value);
  }
  if (e.type.is_aggregate()) {
    // Values of map functions are copied as their plain number where one is wanted of them; see print_value.
    return store_number(to, 8, aggregate_of(e));
  }
  if (type.fields && e.type.fields && !same_type(type, e.type)) return cast_fields(e, type, to, Padding::any);
  into(e, to, Padding::any, type.size);
}

ValueId Lowering::aggregate_of(const Expr& e) {
  if (const auto* access = std::get_if<MapAccess>(&e.node)) return aggregate_value(*access, unit.maps[access->id].plan.value, e.at);
  return i64(0);
}

void Lowering::format_record(const Call& call, std::size_t first) {
  std::vector<const Expr*> arguments;
  for (std::size_t i = first; i < call.arguments.size(); ++i) arguments.push_back(&call.arguments[i]);
  arguments_record(call.action, arguments);
}

void Lowering::map_record(const Call& call) {
  Action& action = unit.action(call.action);
  action.control = true;
  action.size = kHeader;
  record(call.action, kHeader, true, [](Address) {});
}

void Lowering::exit_record(const Call& call) {
  Action& action = unit.action(call.action);
  action.control = true;
  if (action.arguments.empty()) action.arguments.push_back({.name = {}, .type = int64_type()});
  action.arguments[0].type = int64_type();
  lay_out(action, 0);
  const std::uint32_t size = action.size, offset = action.arguments[0].offset;
  const ValueId code = call.arguments.empty() ? i64(0) : number(call.arguments[0]);
  record(call.action, size, true, [&](Address at) { store_number(at + offset, 8, code); });
  leave();
}

}  // namespace espy::trace::lowering
