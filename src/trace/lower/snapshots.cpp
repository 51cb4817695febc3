// print(@m): what a map holds is sent through the ring (snapshot.hpp).
#include <fmt/format.h>

#include <cstddef>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/snapshot.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::ValueId;

namespace {

constexpr std::uint32_t kHeader = sizeof(RecordHeader), kBehind = kHeader + sizeof(MapRecord);

// On the stack of the program that prints, for the functions that send entries.
constexpr std::uint32_t kSnapshot = 0, kFailed = 8, kFirstWord = 16, kParts = 24, kTop = 32, kDiv = 40, kState = 48;

std::uint32_t cpus_of(const Unit& unit, const MapShape& shape) { return shape.plan.per_cpu ? unit.options.cpus : 1; }

std::uint32_t entry_bytes(const Unit& unit, const MapShape& shape) {
  return kBehind + (shape.scalar() ? 0 : shape.plan.key_bytes) + cpus_of(unit, shape) * shape.plan.value_bytes;
}

/// The words of a MapRecord.
void describe(Lowering& l, Address record, ValueId top, ValueId div, ValueId parts, ValueId snapshot) {
  l.store_number(record + (kHeader + offsetof(MapRecord, top)), 8, top);
  l.store_number(record + (kHeader + offsetof(MapRecord, div)), 8, div);
  l.store_number(record + (kHeader + offsetof(MapRecord, parts)), 8, parts);
  l.store_number(record + (kHeader + offsetof(MapRecord, snapshot)), 8, snapshot);
}

}  // namespace

bool Lowering::can_send(std::uint32_t map) const {
  const MapShape& shape = unit.maps[map];
  if (!unit.abilities.ring_buffer || entry_bytes(unit, shape) > kMostSnapshotEntry) return false;
  if (shape.scalar()) return unit.abilities.global_data && (!shape.plan.per_cpu || shape.rows != 0);
  return unit.abilities.for_each_map_elem && (!shape.plan.per_cpu || unit.abilities.lookup_percpu);
}

ir::FuncId Lowering::send_entry_function(std::uint32_t map) {
  const std::string name = fmt::format("send_{}", unit.maps[map].plan.map);
  if (const auto known = unit.library.find(name); known != unit.library.end()) return known->second;
  const ir::Type memory = ir::ptr(ir::Space::memory);
  const ir::Type parameters[] = {memory, memory, memory};
  const ir::FuncId id = unit.module.add_function(name, kI64, parameters, ir::Role::subprogram);
  unit.library.emplace(name, id);
  Lowering s(unit, id, {});
  s.b.mark = b.mark;
  const MapPlan& plan = unit.maps[map].plan;
  const Address key{s.b.param(0), 0}, value{s.b.param(1), 0}, state{s.b.param(2), 0};
  const std::uint32_t bytes = entry_bytes(unit, unit.maps[map]);
  const ValueId record = s.b.helper(helper::ringbuf_reserve, memory, {s.b.map(unit.ring()), s.i64(bytes), s.i64(0)}, ir::kReadsOnly);
  Join room, full;
  s.branch_cold(s.b.ne(record, s.b.null(ir::Space::memory)), room, full);
  s.enter(full);
  s.store_number(state + kFailed, 8, s.i64(1));
  s.b.ret(s.i64(1));
  s.enter(room);
  s.store_number({record, 0}, 8, s.load_number(state + kFirstWord, 8));
  describe(s, {record, 0}, s.load_number(state + kTop, 8), s.load_number(state + kDiv, 8), s.load_number(state + kParts, 8), s.load_number(state + kSnapshot, 8));
  s.copy({record, kBehind}, key, plan.key_bytes);
  const Address values{record, kBehind + static_cast<std::int64_t>(plan.key_bytes)};
  if (!plan.per_cpu) {
    s.copy(values, value, plan.value_bytes);
  } else {
    // for (cpu = 0; cpu < cpus; ++cpu)
    const ir::BlockId before = s.b.here();
    const ir::BlockId head = s.b.block({kI64}), body = s.b.block(), found = s.b.block(), missing = s.b.block(), next = s.b.block(), done = s.b.block();
    s.b.at(before);
    s.b.jump(head, {s.i64(0)});
    s.b.at(head);
    const ValueId cpu = s.b.param_of(head, 0);
    s.b.branch(s.b.compare(ir::Op::ult, cpu, s.i64(unit.options.cpus)), body, done);
    s.b.at(body);
    const ValueId there = s.b.helper(helper::map_lookup_percpu_elem, ir::ptr(ir::Space::map_value), {s.b.map(unit.script_map(map)), key.base, cpu}, ir::kReadsOnly);
    const Address to{s.b.ptr_add(s.pointer(values), s.b.mul(cpu, s.i64(plan.value_bytes))), 0};
    s.b.branch(s.b.ne(there, s.b.null(ir::Space::map_value)), found, missing);
    s.b.at(found);
    s.copy(to, {there, 0}, plan.value_bytes);
    s.b.jump(next);
    s.b.at(missing);
    s.zero(to, plan.value_bytes);
    s.b.jump(next);
    s.b.at(next);
    s.b.jump(head, {s.b.add(cpu, s.i64(1))});
    s.b.at(done);
  }
  s.b.helper(helper::ringbuf_submit, ir::kNoType, {record, s.i64(0)});
  s.b.ret(s.i64(0));
  s.set_reachable(false);
  s.seal();
  refresh();
  return id;
}

/// What the functions that send entries are given.
Address Lowering::snapshot_state(std::uint32_t action, std::uint64_t parts, ValueId top, ValueId div) {
  const Address state = on_stack(kState);
  // No two snapshots begin in the same nanosecond on the same CPU.
  const ValueId cpu = b.helper(helper::get_smp_processor_id, kI64, {}, ir::kReadsOnly);
  store_number(state + kSnapshot, 8, b.xor_(b.helper(helper::ktime_get_ns, kI64, {}, ir::kReadsOnly), b.shl(cpu, i64(48))));
  store_number(state + kFailed, 8, i64(0));
  store_number(state + kFirstWord, 8, b.or_(i64(action), b.shl(probe_number(), i64(32))));
  store_number(state + kParts, 8, i64(static_cast<std::int64_t>(parts)));
  store_number(state + kTop, 8, top);
  store_number(state + kDiv, 8, div);
  return state;
}

void Lowering::print_entry(std::uint32_t action, std::uint32_t map, Address key, ValueId element) {
  const ir::FuncId send = send_entry_function(map);
  const Address state = snapshot_state(action, MapRecord::entry | MapRecord::last, i64(0), i64(0));
  const ValueId failed = b.call(send, kI64, {plain(key), b.ptr_cast(element, ir::Space::memory), plain(state)});
  when(b.ne(failed, i64(0)), [&] { count(Counter::Kind::lost_records, first_probe); }, true);
}

void Lowering::print_whole(std::uint32_t action, std::uint32_t map, ValueId top, ValueId div) {
  const MapShape& shape = unit.maps[map];
  if (shape.scalar()) {
    const std::uint32_t bytes = entry_bytes(unit, shape) - kBehind;
    return record(action, kBehind + bytes, true, [&](Address at) {
      describe(*this, at, top, div, i64(MapRecord::entry | MapRecord::last), i64(0));
      copy(at + kBehind, {b.map_value(unit.script_map(map)), 0}, bytes);
    });
  }
  const ir::FuncId send = send_entry_function(map);
  const Address state = snapshot_state(action, MapRecord::entry, i64(0), i64(0));
  const ir::Type parameters[] = {ir::ptr(ir::Space::map), ir::ptr(ir::Space::map_value), ir::ptr(ir::Space::map_value), ir::ptr(ir::Space::stack)};
  const ir::FuncId each = library_function(fmt::format("each_{}", shape.plan.map), parameters, ir::Role::callback, [&](ir::Builder& s) {
    const auto memory = [&](unsigned i) { return s.ptr_cast(s.param(i), ir::Space::memory); };
    s.ret(s.call(send, kI64, {memory(1), memory(2), memory(3)}));
  });
  b.helper(helper::for_each_map_elem, kI64, {b.map(unit.script_map(map)), b.func_addr(each), pointer(state), i64(0)});
  const ValueId complete = b.eq(load_number(state + kFailed, 8), i64(0));
  const ValueId parts = b.select(complete, i64(MapRecord::last), i64(0));
  const ValueId snapshot = load_number(state + kSnapshot, 8);
  record(action, kBehind, true, [&](Address at) { describe(*this, at, top, div, parts, snapshot); });
}

void Lowering::print(const Call& call) {
  if (unit.action(call.action).kind != Action::Kind::print_map) {
    const Expr* argument = call.arguments.data();
    return arguments_record(call.action, {&argument, 1});
  }
  Action& action = unit.action(call.action);
  action.control = true;
  action.size = kBehind;
  const std::uint32_t map = action.map;
  const Expr& what = call.arguments[0];
  const auto* access = std::get_if<MapAccess>(&what.node);
  if (access == nullptr || access->key) {
    if (!can_send(map) || unit.maps[map].plan.bucket_in_key)
      return unit.error(what.at, fmt::format("one entry of a map of `{}` cannot be printed here", to_string(unit.maps[map].plan.value)), "print the whole map");
    if (access != nullptr) {
      const KnownKey key = key_of(*access);
      const ValueId element = lookup(map, key).pointer;
      return when(b.ne(element, b.null(ir::Space::map_value)), [&] { print_entry(call.action, map, key.at, element); });
    }
    const Expr& pair = std::holds_alternative<Member>(what.node) ? *std::get<Member>(what.node).object : what;
    const VariableHome& home = homes[std::get<Variable>(pair.node).id];
    return print_entry(call.action, map, home.key, pointer(home.element));
  }
  std::vector<ValueId> numbers;
  for (std::size_t i = 1; i < 3; ++i) numbers.push_back(i < call.arguments.size() ? number(call.arguments[i]) : i64(0));
  if (can_send(map)) return print_whole(call.action, map, numbers[0], numbers[1]);
  record(call.action, kBehind, true, [&](Address at) { describe(*this, at, numbers[0], numbers[1], i64(0), i64(0)); });
}

}  // namespace espy::trace::lowering
