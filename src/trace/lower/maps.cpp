// Maps of the script: keys, lookups, plain values.
//
// A key is made in memory once and used for as long as what it was made of stays the same; so is an element that was looked
// up, until something may have removed it. `/@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }` has one
// key and one lookup.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::ValueId;

namespace {

constexpr std::uint64_t kAny = 0, kNoExist = 1;   // BPF_ANY, BPF_NOEXIST
constexpr ir::Type kElement = ir::ptr(ir::Space::map_value);
constexpr std::string_view kScalarKey = "0";

std::optional<std::string> print_of(const Expr& e, const Lowering& l);

struct PrintOf {
  const Expr& e;
  const Lowering& l;
  using Out = std::optional<std::string>;
  Out list(char mark, const std::vector<Expr>& members) const {
    std::string out(1, mark);
    for (const Expr& member : members) {
      const Out inner = print_of(member, l);
      if (!inner) return std::nullopt;
      out += *inner + ",";
    }
    return out + ")";
  }
  Out operator()(const Integer& n) const { return fmt::format("{}", n.value); }
  Out operator()(const Boolean& n) const { return n.value ? "1" : "0"; }
  Out operator()(const String& n) const { return fmt::format("{}:{}", n.value.size(), n.value); }
  Out operator()(const Variable& n) const {
    const ValueId value = l.env.variables[n.id];
    return value == kNoValue ? Out{} : fmt::format("${}", ir::index_of(value));
  }
  Out operator()(const Identifier& n) const {
    if (n.builtin == nullptr) return std::nullopt;
    switch (n.builtin->id) {
      case BuiltinId::pid: case BuiltinId::tid: case BuiltinId::comm: case BuiltinId::uid: case BuiltinId::gid:
      case BuiltinId::username: case BuiltinId::cgroup: case BuiltinId::curtask: case BuiltinId::arg: case BuiltinId::retval:
      case BuiltinId::probe: case BuiltinId::func: case BuiltinId::cpid: return fmt::format("{}{}", n.builtin->name, n.number);
      default: return std::nullopt;
    }
  }
  Out operator()(const Member& n) const {
    if (l.argument_of(e) == nullptr) return std::nullopt;
    return "args." + n.name;
  }
  Out operator()(const TupleLiteral& n) const { return list('(', n.members); }
  Out operator()(const Cast& n) const {
    const Out inner = print_of(*n.operand, l);
    return inner ? Out{fmt::format("{}<{}>", *inner, to_string(e.type))} : std::nullopt;
  }
  Out operator()(const auto&) const { return std::nullopt; }
};

/// What an expression is made of, if evaluating it again gives the same. Variables by the value that they have now.
std::optional<std::string> print_of(const Expr& e, const Lowering& l) {
  return std::visit(PrintOf{e, l}, e.node);
}

}  // namespace

KnownKey Lowering::make_key(std::uint32_t map, const Expr& key) {
  const MapShape& shape = unit.maps[map];
  const Type& type = shape.plan.key;
  auto print = print_of(key, *this);
  // Elements of two maps whose keys have different types never share a key's memory.
  if (print) *print += fmt::format("|{}|{}", to_string(type), shape.plan.key_bytes);
  if (print)
    for (const KnownKey& known : env.keys)
      if (known.print == *print) return known;
  const std::uint32_t bytes = shape.plan.key_bytes;
  if (const auto constant = constant_key(key, type); constant && bytes == 8) {
    KnownKey made{print ? *print : fmt::format("constant {}", *constant), {b.map_value(unit.constants(), *constant), 0}};
    if (print) env.remember(made);
    return made;
  }
  // A key that other code may use again later must not lie where temporaries come and go.
  const bool stays = unit.economy == Economy::none && (fits_stack(bytes) || bytes <= 64);
  const Address to = stays ? on_stack(bytes) : scratch(bytes);
  const std::uint32_t own = shape.plan.bucket_in_key ? bytes - 8 : bytes;
  key_into(key, type, to, own);
  KnownKey made{print && stays ? *print : fmt::format("#{}", ir::index_of(to.base) * 65536 + static_cast<std::uint32_t>(to.offset)), to};
  if (print && stays) env.remember(made);
  return made;
}

std::optional<std::uint32_t> Lowering::constant_key(const Expr& key, const Type& type) {
  if (!type.is_scalar() || !unit.abilities.global_data) return std::nullopt;
  const bool is_known = std::holds_alternative<Integer>(key.node) || (is_probe_name(key) && probe->instance.targets.size() == 1);
  if (!is_known) return std::nullopt;
  const std::int64_t* value = fn().constant_value(number(key));
  if (value == nullptr) return std::nullopt;
  // Extended as key_into would.
  const unsigned bits = 8 * std::clamp(type.size, 1U, 8U);
  const auto extended = bits == 64 ? static_cast<std::uint64_t>(*value) : static_cast<std::uint64_t>(*value) & ((std::uint64_t{1} << bits) - 1);
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(extended >> (8 * i));
  return unit.constant(bytes);
}

void Lowering::key_into(const Expr& key, const Type& type, Address to, std::uint32_t own) {
  if (type.is_scalar()) {
    // Extended to the whole key, so that the bytes behind a narrow number are always the same.
    const ValueId value = number(key);
    store_number(to, 8, type.size >= 8 ? value : b.zext(value, 8 * std::max(type.size, 1U)));
    return;
  }
  if (own > type.size) zero(to + type.size, own - type.size);
  value_into(key, type, to);
}

void Lowering::value_into(const Expr& value, const Type& type, Address to) {
  const auto* literal = std::get_if<TupleLiteral>(&value.node);
  const auto* named = std::get_if<RecordLiteral>(&value.node);
  if (type.fields && (literal != nullptr || named != nullptr)) {
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < type.fields->size(); ++i) {
      const Field& field = (*type.fields)[i];
      const Expr& member = literal != nullptr ? literal->members[i] : named->members[i].second;
      if (field.offset > end) zero(to + end, field.offset - end);
      value_into(member, field.type, to + field.offset);
      end = field.offset + field.type.size;
    }
    if (type.size > end) zero(to + end, type.size - end);
    return;
  }
  if (type.is_scalar()) return store(to, type, scalar(value));
  if (type.fields && value.type.fields && !same_type(type, value.type)) return cast_fields(value, type, to, Padding::zero);
  into(value, to, Padding::zero, type.size);
}

KnownKey Lowering::key_of(const MapAccess& access) {
  if (access.key) return make_key(access.id, **access.key);
  for (const KnownKey& known : env.keys)
    if (known.print == kScalarKey) return known;
  const Address to = temporary(4);
  store_number(to, 4, i64(0));
  env.remember(KnownKey{std::string(kScalarKey), to});
  return env.keys.back();
}

KnownElement Lowering::lookup(const MapAccess& access) {
  const MapShape& shape = unit.maps[access.id];
  if (shape.scalar() && !shape.plan.per_cpu && unit.abilities.global_data)
    return {access.id, std::string(kScalarKey), b.map_value(unit.script_map(access.id)), true};
  if (shape.rows != 0) return {access.id, std::string(kScalarKey), own_row(access.id), true};
  return lookup(access.id, key_of(access));
}

ValueId Lowering::own_row(std::uint32_t map) {
  const std::uint32_t rows = unit.maps[map].rows, bytes = unit.maps[map].plan.value_bytes;
  const ValueId start = b.map_value(unit.script_map(map));
  if (rows == 1) return start;
  const ValueId cpu = b.helper(helper::get_smp_processor_id, kI64, {}, ir::kReadsOnly | ir::kRemovable);
  // The verifier is shown that it is in bounds.
  const ValueId row = std::has_single_bit(rows) ? b.and_(cpu, i64(rows - 1)) : b.select(b.compare(ir::Op::ult, cpu, i64(rows)), cpu, i64(0));
  return b.ptr_add(start, b.mul(row, i64(bytes)));
}

KnownElement Lowering::lookup(std::uint32_t map, const KnownKey& key) {
  if (const KnownElement* known = env.find_element(map, key.print)) return *known;
  const ValueId found = b.helper(helper::map_lookup_elem, kElement, {b.map(unit.script_map(map)), pointer(key.at)}, ir::kReadsOnly | ir::kRemovable);
  env.remember(KnownElement{map, key.print, found, false});
  return env.elements.back();
}

ValueId Lowering::map_scalar(const Expr& e, const MapAccess& access) {
  const MapShape& shape = unit.maps[access.id];
  if (shape.plan.value.is_aggregate()) return aggregate_value(access, shape.plan.value, e.at);
  const KnownElement found = lookup(access);
  const auto value = [&] { return load_number({found.pointer, 0}, std::clamp<std::uint32_t>(shape.plan.value.size, 1, 8), shape.plan.value.is_signed); };
  if (found.present) return as_type(value(), e.type);
  const auto missing = [&] {
    if (unit.options.report_errors) record(unit.runtime_error(e.at, "map lookup"), 16, true, [&](Address to) { store_number(to + 8, 8, i64(0)); });
    return i64(0);
  };
  const ValueId got = choose(b.ne(found.pointer, b.null(ir::Space::map_value)), value, missing);
  return as_type(got, e.type);
}

void Lowering::map_into(const Expr& e, const MapAccess& access, Address to, Padding padding, std::uint32_t room) {
  const Type& type = unit.maps[access.id].plan.value;
  const std::uint32_t space = room != 0 ? room : e.type.size;
  const KnownElement found = lookup(access);
  const auto take = [&] {
    if (type.kind == Kind::string) copy_string(to, space, {found.pointer, 0}, type.size, padding);
    else copy(to, {found.pointer, 0}, std::min(space, type.size));
  };
  if (found.present) return take();
  Join there, missing, meeting;
  branch(b.ne(found.pointer, b.null(ir::Space::map_value)), there, missing);
  enter(there);
  take();
  go(meeting);
  enter(missing);
  if (padding == Padding::any && type.kind == Kind::string) store_number(to, 1, i64(0));
  else zero(to, space);
  go(meeting);
  enter(meeting);
}

void Lowering::update(std::uint32_t map, Address key, Address value, std::uint64_t flags, Span at, bool rare) {
  const ValueId result = b.helper(helper::map_update_elem, kI64, {b.map(unit.script_map(map)), pointer(key), pointer(value), i64(static_cast<std::int64_t>(flags))},
                                  ir::kReadsOnly);
  env.forget_map(map);
  if (!unit.maps[map].never_full) count_failure(Counter::Kind::map_full, map, result, rare);
  report(result, "map update", at);
}

void Lowering::set_scalar_flag(const MapShape& shape, Address element) {
  if (shape.scalar()) store_number(element + shape.set_offset, 8, i64(1));
}

void Lowering::assign_map(const Assign& assign, const MapAccess& access, Span at) {
  const MapShape& shape = unit.maps[access.id];
  const Type& type = shape.plan.value;
  if (assign.op) {
    // @x += v: read, change and written back; a missing element counts from 0.
    const ValueId change = number(assign.value);
    with_element(access, at, [&](Address element) {
      const auto bytes = std::clamp<std::uint32_t>(type.size, 1, 8);
      if ((*assign.op == BinaryOp::add || *assign.op == BinaryOp::sub) && bytes == 8) {
        b.atomic(ir::Op::atomic_add, element.base, *assign.op == BinaryOp::add ? change : b.neg(change), 64, element.offset);
      } else {
        const ValueId old = load_number(element, bytes, type.is_signed);
        store_number(element, bytes, arithmetic(*assign.op, old, change, type.is_signed, type.is_signed));
      }
      set_scalar_flag(shape, element);
    });
    return;
  }
  if (const auto* called = std::get_if<Call>(&assign.value.node);
      called != nullptr && called->function != nullptr && called->function->kind == FunctionKind::map_value)
    return aggregate(access, *called, assign.value, at);

  const KnownElement* known = nullptr;
  KnownElement found;
  if (shape.scalar()) {
    if (shape.plan.per_cpu || !unit.abilities.global_data) {
      const ValueId value = type.is_scalar() ? number(assign.value) : kNoValue;
      return with_element(access, at, [&](Address element) {
        if (value != kNoValue) store_number(element, std::clamp<std::uint32_t>(type.size, 1, 8), value);
        else value_into(assign.value, type, element);
        set_scalar_flag(shape, element);
      });
    }
    found = lookup(access);
    if (type.is_scalar()) store(Address{found.pointer, 0}, type, scalar(assign.value));
    else {
      // Made aside first: the value may be made of what stands there.
      const Address made = temporary(shape.plan.value_bytes);
      value_into(assign.value, type, made);
      copy({found.pointer, 0}, made, type.size);
    }
    return set_scalar_flag(shape, {found.pointer, 0});
  }

  // The value first: what it calls may forget the key's element.
  const std::uint32_t bytes = shape.plan.value_bytes;
  if (type.is_scalar()) {
    const ValueId value = number(assign.value);
    const KnownKey key = key_of(access);
    known = env.find_element(access.id, key.print);
    if (known != nullptr && known->present) return store({known->pointer, 0}, type, value);
    const Address made = temporary(8);
    store_number(made, 8, type.size >= 8 ? value : b.zext(value, 8 * std::max(type.size, 1U)));
    return update(access.id, key.at, made, kAny, at);
  }
  const Address own = bytes_to_store(assign.value, type, bytes);
  const KnownKey key = key_of(access);
  update(access.id, key.at, own, kAny, at);
}

Address Lowering::bytes_to_store(const Expr& value, const Type& type, std::uint32_t bytes) {
  // A variable that has the very type is stored from where it is.
  if (const auto* named = std::get_if<Variable>(&value.node);
      named != nullptr && homes[named->id].kind == VariableHome::Kind::memory && type_of_variable(named->id).size == bytes && same_type(type, value.type))
    return homes[named->id].at;
  const Address made = temporary(bytes);
  if (bytes > type.size) zero(made + type.size, bytes - type.size);
  value_into(value, type, made);
  return made;
}

void Lowering::with_element(const MapAccess& access, Span at, const std::function<void(Address)>& use) {
  const MapShape& shape = unit.maps[access.id];
  if (shape.scalar()) {
    const KnownElement found = lookup(access);
    if (found.present) return use({found.pointer, 0});
    // An array's only element is always there; the verifier wants to be told.
    return when(b.ne(found.pointer, b.null(ir::Space::map_value)), [&] { use({found.pointer, 0}); });
  }
  const KnownKey key = key_of(access);
  const KnownElement found = lookup(access.id, key);
  if (found.present) return use({found.pointer, 0});
  element_at(access.id, key.at, found.pointer, at, use);
}

void Lowering::per_cpu_element_at(std::uint32_t map, Address key, ValueId found, Span at, const std::function<void(Address)>& use) {
  // Missing: this CPU's first value is made on the stack and put there. Where another CPU was quicker with the key, that
  // changes only this CPU's part all the same, so nothing is lost between CPUs.
  Join there, missing, done;
  branch_cold(b.ne(found, b.null(ir::Space::map_value)), there, missing);
  enter(missing);
  const std::uint32_t bytes = unit.maps[map].plan.value_bytes;
  const Address first = temporary(bytes);
  zero(first, bytes);
  use(first);
  update(map, key, first, kAny, at, true);
  go(done);
  enter(there);
  use({found, 0});
  go(done);
  enter(done);
}

void Lowering::element_at(std::uint32_t map, Address key, ValueId found, Span at, const std::function<void(Address)>& use) {
  const std::uint32_t bytes = unit.maps[map].plan.value_bytes;
  if (unit.maps[map].plan.per_cpu && bytes <= 32) return per_cpu_element_at(map, key, found, at, use);
  Join there, missing, ready, done;
  branch_cold(b.ne(found, b.null(ir::Space::map_value)), there, missing);
  // Missing: zeros are put there, unless somebody else just did; then it is looked up again.
  enter(missing);
  Address zeros;
  if (bytes <= 32) {
    zeros = temporary(bytes);
    zero(zeros, bytes);
  } else if (unit.abilities.global_data) {
    zeros = {b.map_value(unit.zeros(bytes)), 0};
  } else {
    zeros = scratch(bytes);
    zero(zeros, bytes);
  }
  const ValueId result = b.helper(helper::map_update_elem, kI64,
                                  {b.map(unit.script_map(map)), pointer(key), pointer(zeros), i64(kNoExist)}, ir::kReadsOnly);
  const ValueId again = b.helper(helper::map_lookup_elem, kElement, {b.map(unit.script_map(map)), pointer(key)}, ir::kReadsOnly);
  env.forget_map(map);
  Join made, failed;
  branch(b.ne(again, b.null(ir::Space::map_value)), made, failed);
  enter(failed);
  count(Counter::Kind::map_full, map);
  report(result, "map update", at);
  go(done);
  enter(made);
  go(ready, again);
  enter(there);
  go(ready, found);
  const ValueId element = enter(ready);
  use({element, 0});
  go(done);
  enter(done);
}

void Lowering::change_or_put(std::uint32_t map, Address key, ValueId found, Span at, const std::function<void(Address)>& change,
                             std::initializer_list<ValueId> first) {
  Join there, missing, done;
  branch_cold(b.ne(found, b.null(ir::Space::map_value)), there, missing);
  enter(there);
  change({found, 0});
  go(done);
  // Missing here means missing on all CPUs, and what another CPU may put there meanwhile is its own.
  enter(missing);
  const Address words = temporary(static_cast<std::uint32_t>(8 * first.size()));
  std::int64_t offset = 0;
  for (const ValueId word : first) {
    store_number(words + offset, 8, word);
    offset += 8;
  }
  update(map, key, words, kAny, at, true);
  go(done);
  enter(done);
}

ValueId Lowering::step_map(const Unary& node, const MapAccess& access, Span at) {
  const bool up = node.op == UnaryOp::pre_increment || node.op == UnaryOp::post_increment;
  const bool before = node.op == UnaryOp::pre_increment || node.op == UnaryOp::pre_decrement;
  const MapShape& shape = unit.maps[access.id];
  const Type& type = shape.plan.value;
  const auto bytes = std::clamp<std::uint32_t>(type.size, 1, 8);
  const bool unused = std::exchange(step_unused_, false);
  // The value is wanted after the element's ways have met again, so it goes through memory that passes see through.
  const Address result = unused ? Address{} : temporary(8);
  if (!unused) store_number(result, 8, i64(0));
  with_element(access, at, [&](Address element) {
    if (bytes == 8) {
      const ValueId by = i64(up ? 1 : -1);
      if (unused || !unit.abilities.atomics) {
        if (!unused) store_number(result, 8, load_number(element, 8, type.is_signed));
        b.atomic(ir::Op::atomic_add, element.base, by, 64, element.offset);
      } else {
        store_number(result, 8, b.atomic_fetch(ir::Op::atomic_add, element.base, by, 64, element.offset));
      }
    } else {
      const ValueId old = load_number(element, bytes, type.is_signed);
      if (!unused) store_number(result, 8, old);
      store_number(element, bytes, b.add(old, i64(up ? 1 : -1)));
    }
    set_scalar_flag(shape, element);
  });
  if (unused) return i64(0);
  const ValueId old = load_number(result, 8);
  return before ? fit(b.add(old, i64(up ? 1 : -1)), type) : old;
}

ValueId Lowering::delete_element(const MapAccess& access) {
  const MapShape& shape = unit.maps[access.id];
  if (shape.scalar()) {
    const KnownElement found = lookup(access);
    const Address element{found.pointer, 0};
    const auto remove = [&] {
      const ValueId was = load_number(element + shape.set_offset, 8);
      zero(element, shape.plan.value_bytes);
      return b.zext(b.ne(was, i64(0)), 1);
    };
    if (found.present) return remove();
    return choose(b.ne(found.pointer, b.null(ir::Space::map_value)), remove, [&] { return i64(0); });
  }
  const KnownKey key = key_of(access);
  const ValueId result = b.helper(helper::map_delete_elem, kI64, {b.map(unit.script_map(access.id)), pointer(key.at)}, ir::kReadsOnly);
  env.forget_map(access.id);
  return b.zext(b.eq(result, i64(0)), 1);
}

ValueId Lowering::has_element(const MapAccess& access) {
  const MapShape& shape = unit.maps[access.id];
  const KnownElement found = lookup(access);
  if (shape.scalar()) {
    const auto is_set = [&] { return b.zext(b.ne(load_number(Address{found.pointer, shape.set_offset}, 8), i64(0)), 1); };
    if (found.present) return is_set();
    return choose(b.ne(found.pointer, b.null(ir::Space::map_value)), is_set, [&] { return i64(0); });
  }
  return b.zext(b.ne(found.pointer, b.null(ir::Space::map_value)), 1);
}

}  // namespace espy::trace::lowering
