// What map functions keep: count, sum, avg, min, max, stats, hist, lhist, tseries. Layouts: plan.hpp; buckets: histogram.hpp.
//
// They are kept per CPU, so that an update is a lookup, an addition and no more. What a program wants to know of one
// (`(int64)@c`) is added up over all CPUs by a function of the module, one for each map and kind.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/run/histogram.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

// ---- buckets ----

Lowering::HighestBit Lowering::highest_bit(ValueId value) {
  if (!unit.abilities.bounded_loops) {
    ValueId rest = value, number = i64(0);
    for (const std::int64_t step : {5, 4, 3, 2, 1, 0}) {
      const ValueId shift = b.shl(b.zext(b.compare(Op::uge, rest, i64(std::int64_t{1} << (1 << step))), 1), i64(step));
      rest = b.lshr(rest, shift);
      number = b.add(number, shift);
    }
    return {.number = number, .rest = rest};
  }
  // By halving: for (step = 32, number = 0; step != 0; step /= 2) if (rest >> step != 0) rest >>= step, number += step. A
  // loop, because it is a third of the six steps' code, and runs as many instructions.
  const ir::BlockId before = b.here();
  const ir::BlockId head = b.block({kI64, kI64, kI64}), above = b.block(), next = b.block({kI64, kI64}), done = b.block();
  b.at(before);
  b.jump(head, {value, i64(0), i64(32)});
  b.at(head);
  const ValueId rest = b.param_of(head, 0), number = b.param_of(head, 1), step = b.param_of(head, 2);
  const ValueId shifted = b.lshr(rest, step);
  b.branch(b.ne(shifted, i64(0)), above, {}, next, {rest, number});
  b.at(above);
  b.jump(next, {shifted, b.add(number, step)});
  b.at(next);
  const ValueId new_rest = b.param_of(next, 0), new_number = b.param_of(next, 1);
  const ValueId half = b.lshr(step, i64(1));
  b.branch(b.ne(half, i64(0)), head, {new_rest, new_number, half}, done, {});
  b.at(done);
  return {.number = new_number, .rest = new_rest};
}

ValueId Lowering::hist_bucket(ValueId value, std::uint32_t bits) {
  if (bits == 0) {
    // 0 → 1, 1 → 2, 2 and 3 → 3: what is left above the highest bit's number is 0 for 0 and else 1. A negative number has the
    // sign as its highest bit, and comes out as one bucket more than there are: that is the first.
    const HighestBit bit = highest_bit(value);
    const ValueId bucket = b.add(b.add(bit.number, bit.rest), i64(1));
    return b.select(b.compare(Op::ult, bucket, i64(hist_buckets(0))), bucket, i64(0));
  }
  Join negative, not_negative, small, large, done;
  branch(b.compare(Op::slt, value, i64(0)), negative, not_negative);
  enter(not_negative);
  branch(b.eq(b.lshr(value, i64(bits)), i64(0)), small, large);
  enter(large);
  const ValueId shift = b.sub(highest_bit(value).number, i64(bits));
  go(done, b.add(b.add(b.shl(shift, i64(bits)), b.lshr(value, shift)), i64(1)));
  enter(small);
  go(done, b.add(value, i64(1)));
  enter(negative);
  go(done, i64(0));
  return enter(done);
}

ValueId Lowering::lhist_bucket(ValueId value, const AggregateShape& shape) {
  const auto last = static_cast<std::int64_t>(lhist_buckets(shape.min, shape.max, shape.step)) - 1;
  Join low, at_least, high, inside, done;
  branch(b.compare(Op::slt, value, i64(shape.min)), low, at_least);
  enter(at_least);
  branch(b.compare(Op::sge, value, i64(shape.max)), high, inside);
  enter(inside);
  go(done, b.add(b.udiv(b.sub(value, i64(shape.min)), i64(std::max<std::int64_t>(shape.step, 1))), i64(1)));
  enter(low);
  go(done, i64(0));
  enter(high);
  go(done, i64(last));
  return enter(done);
}

// ---- updates ----

void Lowering::add_to(Address at, ValueId by) {
  // Atomic even where each CPU has its own: what interrupts this program between a load and a store may count here too.
  b.atomic(Op::atomic_add, at.base, by, 64, at.offset);
}

void Lowering::keep_extreme(Address element, ValueId value, bool greatest, bool is_signed) {
  // Stored if nothing was, or if it goes beyond what was.
  Join store_it, compare_it, done;
  branch(b.eq(load_number(element + 8, 8), i64(0)), store_it, compare_it);
  enter(compare_it);
  const Op beyond = greatest ? (is_signed ? Op::sgt : Op::ugt) : (is_signed ? Op::slt : Op::ult);
  branch(b.compare(beyond, value, load_number(element, 8)), store_it, done);
  enter(store_it);
  store_number(element, 8, value);
  store_number(element + 8, 8, i64(1));
  go(done);
  enter(done);
}

void Lowering::aggregate(const MapAccess& access, const Call& call, const Expr& value, Span at) {
  const MapShape& shape = unit.maps[access.id];
  const Type& type = shape.plan.value;
  const ValueId given = call.arguments.empty() ? i64(1) : number(call.arguments[0]);
  const auto update_with = [&](const std::function<void(Address)>& change, std::initializer_list<ValueId> first) {
    if (shape.plan.per_cpu && !shape.scalar() && first.size() != 0) {
      const KnownKey key = key_of(access);
      const KnownElement found = lookup(access.id, key);
      return change_or_put(access.id, key.at, found.pointer, at, change, first);
    }
    with_element(access, at, [&](Address element) {
      change(element);
      set_scalar_flag(shape, element);
    });
  };
  switch (type.kind) {
    case Kind::count: case Kind::sum:
      if (shape.plan.per_cpu && !shape.scalar()) {
        const KnownKey key = key_of(access);
        return add_or_put(access.id, key.at, lookup(access.id, key).pointer, at, given);
      }
      return update_with([&](Address e) { add_to(e, given); }, {});
    case Kind::avg: case Kind::stats:
      return update_with([&](Address e) {
        add_to(e, given);
        add_to(e + 8, i64(1));
      }, {given, i64(1)});
    case Kind::min: return update_with([&](Address e) { keep_extreme(e, given, false, type.is_signed); }, {given, i64(1)});
    case Kind::max: return update_with([&](Address e) { keep_extreme(e, given, true, type.is_signed); }, {given, i64(1)});
    case Kind::hist: case Kind::lhist: {
      const ValueId bucket = type.kind == Kind::hist ? hist_bucket(given, type.shape.bits) : lhist_bucket(given, type.shape);
      return add_to_bucket(access, bucket, at);
    }
    case Kind::tseries: return update_with([&](Address e) { tseries(e, given, type, at); }, {});
    default: unit.error(value.at, "this is not what the map keeps");
  }
}

void Lowering::add_or_put(std::uint32_t map, Address key, ValueId found, Span at, ValueId by) {
  if (!unit.abilities.global_data) return change_or_put(map, key, found, at, [&](Address e) { add_to(e, by); }, {by});
  // As change_or_put, but where there is no room, that is counted by the same addition: of 1, to the counter.
  const std::int64_t* known = fn().constant_value(by);
  const bool counts = known != nullptr && *known == 1;
  const Address amount = counts ? Address{} : on_stack(8);   // passes see through it
  if (!counts) store_number(amount, 8, by);
  Join there, missing, full, add, done;
  branch(b.ne(found, b.null(ir::Space::map_value)), there, missing);
  enter(missing);
  ValueId first;
  if (counts) {
    first = b.map_value(unit.constants(), unit.constant(std::string_view("\1\0\0\0\0\0\0\0", 8)));
  } else {
    const Address word = on_stack(8);
    store_number(word, 8, by);
    first = pointer(word);
  }
  const ValueId result = b.helper(helper::map_update_elem, kI64, {b.map(unit.script_map(map)), pointer(key), first, i64(0)}, ir::kReadsOnly);
  env.forget_map(map);
  report(result, "map update", at);
  if (unit.maps[map].never_full) {
    go(done);
  } else {
    branch(b.ne(result, i64(0)), full, done);
    enter(full);
    if (!counts) store_number(amount, 8, i64(1));
    go(add, b.map_value(unit.counters(), unit.counter(Counter::Kind::map_full, map)));
  }
  enter(there);
  go(add, found);
  const ValueId element = enter(add);
  add_to({element, 0}, counts ? by : load_number(amount, 8));
  go(done);
  enter(done);
}

void Lowering::add_to_bucket(const MapAccess& access, ValueId bucket, Span at) {
  const MapShape& shape = unit.maps[access.id];
  if (shape.plan.bucket_in_key) {
    const Address plain = key_of(access).at;
    const std::uint32_t bytes = shape.plan.key_bytes;
    const Address key = temporary(bytes);
    copy(key, plain, bytes - 8);
    store_number(key + (bytes - 8), 8, bucket);
    const ValueId found = b.helper(helper::map_lookup_elem, ir::ptr(ir::Space::map_value), {b.map(unit.script_map(access.id)), pointer(key)}, ir::kReadsOnly);
    const auto more = [&](Address e) { add_to(e, i64(1)); };
    if (shape.plan.per_cpu) return add_or_put(access.id, key, found, at, i64(1));
    return element_at(access.id, key, found, at, more);
  }
  with_element(access, at, [&](Address element) {
    set_scalar_flag(shape, element);
    const auto add = [&] { add_to({b.ptr_add(pointer(element), b.shl(bucket, i64(3))), 0}, i64(1)); };
    // The bucket is below their number by how it was computed; the verifier is shown, where it cannot see it.
    if (fn()[bucket].is(Op::select)) add();
    else when(b.compare(Op::ult, bucket, i64(shape.buckets)), add);
  });
}

void Lowering::tseries(Address element, ValueId value, const Type& type, Span at) {
  const ValueId epoch = b.udiv(nsecs(Clock::boot, at), i64(static_cast<std::int64_t>(std::max<std::uint64_t>(type.shape.interval_ns, 1))));
  // Which slot: below their number, which the verifier does not follow through a remainder.
  const auto slots = static_cast<std::int64_t>(std::max(type.shape.intervals, 1U));
  const ValueId rest = b.urem(epoch, i64(slots));
  Join inside, outside;
  branch(b.compare(Op::ult, rest, i64(slots)), inside, outside);
  enter(inside);
  const Address at_slot{b.ptr_add(pointer(element), b.mul(rest, i64(24))), 0};
  // A slot of an older interval begins anew.
  when(b.ne(load_number(at_slot, 8), epoch), [&] {
    store_number(at_slot, 8, epoch);
    store_number(at_slot + 8, 8, i64(0));
    store_number(at_slot + 16, 8, i64(0));
  });
  const ValueId count = load_number(at_slot + 16, 8);
  const bool is_signed = type.is_signed;
  switch (type.shape.aggregate) {
    case Kind::avg: case Kind::sum: store_number(at_slot + 8, 8, b.add(load_number(at_slot + 8, 8), value)); break;
    case Kind::min: case Kind::max: {
      const bool greatest = type.shape.aggregate == Kind::max;
      Join store_it, compare_it, done;
      branch(b.eq(count, i64(0)), store_it, compare_it);
      enter(compare_it);
      const Op beyond = greatest ? (is_signed ? Op::sgt : Op::ugt) : (is_signed ? Op::slt : Op::ult);
      branch(b.compare(beyond, value, load_number(at_slot + 8, 8)), store_it, done);
      enter(store_it);
      store_number(at_slot + 8, 8, value);
      go(done);
      enter(done);
      break;
    }
    default: store_number(at_slot + 8, 8, value);
  }
  store_number(at_slot + 16, 8, b.add(count, i64(1)));
  go(outside);
  enter(outside);
}

// ---- reading ----

ir::FuncId Lowering::sum_function(std::uint32_t map, std::uint32_t offset, Kind how, bool is_signed) {
  const std::string name = fmt::format("total_{}_{}_{}", unit.maps[map].plan.map, offset, static_cast<unsigned>(how));
  if (const auto known = unit.library.find(name); known != unit.library.end()) return known->second;
  const ir::Type parameters[] = {ir::ptr(ir::Space::memory)};
  const ir::FuncId id = unit.module.add_function(name, kI64, parameters, ir::Role::subprogram);
  unit.library.emplace(name, id);
  refresh();
  const ir::MapId handle = unit.script_map(map);
  ir::Function& f = unit.module[id];
  ir::Builder s(f);
  s.mark = b.mark;
  // for (cpu = 0, total = 0, any = 0; cpu < cpus; ++cpu); of extremes, a CPU's value counts if its word of "set" says so.
  const bool extreme = how == Kind::min || how == Kind::max;
  const ir::BlockId head = s.block({kI64, kI64, kI64}), body = s.block(), found = s.block(), next = s.block({kI64, kI64}), done = s.block();
  s.jump(head, {s.i64(0), s.i64(0), s.i64(0)});
  s.at(head);
  const ValueId cpu = s.param_of(head, 0), total = s.param_of(head, 1), any = s.param_of(head, 2);
  s.branch(s.compare(Op::ult, cpu, s.i64(unit.options.cpus)), body, done);
  s.at(body);
  const ValueId element = unit.maps[map].rows != 0
                              ? s.ptr_add(s.map_value(handle), s.mul(cpu, s.i64(unit.maps[map].plan.value_bytes)))
                              : s.helper(helper::map_lookup_percpu_elem, ir::ptr(ir::Space::map_value), {s.map(handle), s.param(0), cpu}, ir::kReadsOnly);
  s.branch(s.ne(element, s.null(ir::Space::map_value)), found, {}, next, {total, any});
  s.at(found);
  const ValueId value = s.load(kI64, 64, element, offset);
  if (!extreme) {
    s.jump(next, {s.add(total, value), any});
  } else {
    const ir::BlockId set = s.block(), compare = s.block();
    s.branch(s.ne(s.load(kI64, 64, element, 8), s.i64(0)), set, {}, next, {total, any});
    s.at(set);
    s.branch(s.eq(any, s.i64(0)), next, {value, s.i64(1)}, compare, {});
    s.at(compare);
    const Op beyond = how == Kind::max ? (is_signed ? Op::sgt : Op::ugt) : (is_signed ? Op::slt : Op::ult);
    s.branch(s.compare(beyond, value, total), next, {value, any}, next, {total, any});
  }
  s.at(next);
  s.jump(head, {s.add(cpu, s.i64(1)), s.param_of(next, 0), s.param_of(next, 1)});
  s.at(done);
  s.ret(total);
  return id;
}

ValueId Lowering::aggregate_value(const MapAccess& access, const Type& type, Span at) {
  const MapShape& shape = unit.maps[access.id];
  if (!shape.plan.per_cpu) {
    const KnownElement found = lookup(access);
    return choose(b.ne(found.pointer, b.null(ir::Space::map_value)), [&] { return value_of_element({found.pointer, 0}, type); },
                  [&] { return i64(0); });
  }
  if (shape.rows == 0 && !unit.abilities.lookup_percpu) {
    unit.error(at, "this kernel's programs cannot read other CPUs' part of a map", "it needs Linux 5.19 or newer");
    return i64(0);
  }
  const KnownKey key = key_of(access);
  const auto total = [&](std::uint32_t offset, Kind how) {
    const ir::FuncId id = sum_function(access.id, offset, how, type.is_signed);
    return b.call(id, kI64, {plain(key.at)});
  };
  switch (type.kind) {
    case Kind::count: case Kind::sum: return total(0, Kind::sum);
    case Kind::avg: case Kind::stats: {
      const ValueId sum = total(0, Kind::sum), count = total(8, Kind::sum);
      return type.is_signed ? b.sdiv(sum, count) : b.udiv(sum, count);
    }
    case Kind::min: case Kind::max: return total(0, type.kind);
    default: unit.error(at, "a histogram is not a number"); return i64(0);
  }
}

ValueId Lowering::value_of_element(Address element, const Type& type) {
  const ValueId first = load_number(element, 8);
  if (type.kind != Kind::avg && type.kind != Kind::stats) return first;
  const ValueId count = load_number(element + 8, 8);
  return type.is_signed ? b.sdiv(first, count) : b.udiv(first, count);
}

ValueId Lowering::plain(Address at) { return b.ptr_cast(pointer(at), ir::Space::memory); }

}  // namespace espy::trace::lowering
