// Values that have bytes: made right where they are to be, copied, padded.
#include <algorithm>
#include <bit>
#include <cstring>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::ValueId;

namespace {

// From so many bytes on, one call of a helper is shorter than the loads and stores.
constexpr std::uint32_t kInlineBytes = 128;

// What a frame's slots may hold of larger things before they go to the scratch, too.
constexpr std::uint32_t kKeyBytes = 64;

std::uint32_t bits(std::uint32_t bytes) { return 8 * bytes; }

}  // namespace

bool Lowering::fits_stack(std::uint32_t bytes) const {
  return bytes <= unit.checked.config.on_stack_limit && (unit.economy == Economy::none || scratch_area.base == kNoValue);
}

Address Lowering::on_stack(std::uint32_t bytes) { return {b.stack_addr(b.slot((bytes + 7) / 8 * 8)), 0}; }

Address Lowering::temporary(std::uint32_t bytes) {
  // Before there is scratch, only little is made. Keys, and words that helpers are given, need not be asked for.
  if (scratch_area.base == kNoValue && !is_subprogram) return on_stack(bytes);
  const std::uint32_t usual = unit.checked.config.on_stack_limit >= 32 ? kKeyBytes : 8;
  return fits_stack(bytes) || (unit.economy == Economy::none && bytes <= usual) ? on_stack(bytes) : scratch(bytes);
}

Address Lowering::scratch(std::uint32_t bytes) {
  const std::uint32_t at = scratch_area.used;
  scratch_area.used += (bytes + 7) / 8 * 8;
  scratch_area.most = std::max(scratch_area.most, scratch_area.used);
  return {scratch_area.base, static_cast<std::int64_t>(kScratchHeader) + at};
}

ValueId Lowering::pointer(Address at) {
  if (at.offset == 0) return at.base;
  const ir::Inst& base = fn()[at.base];
  if (base.is(ir::Op::stack_addr)) return fn().stack_addr(ir::SlotId{base.extra}, base.imm + at.offset);
  if (base.is(ir::Op::map_value)) return b.map_value(ir::MapId{base.extra}, base.imm + at.offset);
  return b.ptr_add(at.base, i64(at.offset));
}

ValueId Lowering::load_number(Address at, unsigned bytes, bool is_signed) {
  return b.load(kI64, bits(bytes), at.base, at.offset, is_signed && bytes < 8 ? ir::kSigned : 0);
}

ValueId Lowering::load(Address at, const Type& type) {
  const ir::Type as = ir_type(type);
  if (as.is_ptr()) return b.load(as, 64, at.base, at.offset);
  return load_number(at, std::clamp<std::uint32_t>(type.size, 1, 8), type.is_signed);
}

void Lowering::store_number(Address at, unsigned bytes, ValueId value) { b.store(bits(bytes), at.base, at.offset, value); }

void Lowering::store(Address at, const Type& type, ValueId value) {
  store_number(at, std::clamp<std::uint32_t>(type.size, 1, 8), fn().type_of(value).is_ptr() ? b.ptr_to_int(value) : value);
}

void Lowering::zero(Address at, std::uint32_t bytes) {
  if (bytes == 0) return;
  if (bytes <= kInlineBytes) {
    b.zero(pointer(at), bytes, at.offset % 8 == 0 ? 8 : at.offset % 4 == 0 ? 4 : at.offset % 2 == 0 ? 2 : 1);
    return;
  }
  // Reading from address 0 fails, and the helper fills with zeros what it could not read.
  b.helper(unit.abilities.probe_read_split ? helper::probe_read_kernel : helper::probe_read, kI64, {pointer(at), i64(bytes), i64(0)});
}

void Lowering::copy(Address to, Address from, std::uint32_t bytes) {
  if (bytes == 0 || to == from) return;
  if (bytes <= kInlineBytes) {
    const std::int64_t both = to.offset | from.offset;
    b.copy(pointer(to), pointer(from), bytes, both % 8 == 0 ? 8 : both % 4 == 0 ? 4 : both % 2 == 0 ? 2 : 1);
    return;
  }
  b.helper(unit.abilities.probe_read_split ? helper::probe_read_kernel : helper::probe_read, kI64, {pointer(to), i64(bytes), pointer(from)});
}

void Lowering::store_bytes(Address at, std::string_view bytes, std::uint32_t room) {
  bytes = bytes.substr(0, room);
  if (bytes.size() > kInlineBytes && unit.abilities.global_data) {
    const std::uint32_t offset = unit.constant(bytes);
    copy(at, {b.map_value(unit.constants(), offset), 0}, static_cast<std::uint32_t>(bytes.size()));
    zero(at + static_cast<std::int64_t>(bytes.size()), room - static_cast<std::uint32_t>(bytes.size()));
    return;
  }
  std::uint32_t done = 0;
  while (done < bytes.size()) {
    // As wide as alignment and room allow; bytes past the text are zeros that must be there anyway.
    std::uint32_t width = 8;
    while (width > 1 && ((at.offset + done) % width != 0 || done + width > room)) width /= 2;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + done, std::min<std::size_t>(width, bytes.size() - done));
    store_number(at + done, width, i64(static_cast<std::int64_t>(word)));
    done += width;
  }
  zero(at + done, room - done);
}

void Lowering::copy_string(Address to, std::uint32_t room, Address from, std::uint32_t have, Padding padding) {
  const std::uint32_t both = std::min(room, have);
  copy(to, from, both);
  if (have > room && room != 0) store_number(to + (room - 1), 1, i64(0));
  if (room > have && padding == Padding::zero) zero(to + have, room - have);
}

namespace {

/// Members of a tuple or record literal, in order.
std::vector<const Expr*> members_of(const Expr& e) {
  std::vector<const Expr*> out;
  if (const auto* tuple = std::get_if<TupleLiteral>(&e.node))
    for (const Expr& member : tuple->members) out.push_back(&member);
  else if (const auto* record = std::get_if<RecordLiteral>(&e.node))
    for (const auto& [name, member] : record->members) out.push_back(&member);
  return out;
}

}  // namespace

void Lowering::into(const Expr& e, Address to, Padding padding, std::uint32_t room) {
  const std::uint32_t space = room != 0 ? room : e.type.size;
  if (e.type.is_scalar()) {
    store(to, e.type, scalar(e));
    return;
  }
  const auto members = members_of(e);
  if (members.empty() && e.type.kind == Kind::tuple && e.type.size == 0) return;   // ()
  if (!members.empty()) {
    // Gaps between members are found, so that only they are cleared.
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < members.size() && e.type.fields; ++i) {
      const Field& field = (*e.type.fields)[i];
      if (padding == Padding::zero && field.offset > end) zero(to + end, field.offset - end);
      if (field.type.is_scalar()) store(to + field.offset, field.type, scalar(*members[i]));
      else into(*members[i], to + field.offset, padding, field.type.size);
      end = field.offset + field.type.size;
    }
    if (padding == Padding::zero && e.type.size > end) zero(to + end, e.type.size - end);
    return;
  }
  if (const auto* text = std::get_if<String>(&e.node)) {
    std::string bytes = text->value.substr(0, space == 0 ? 0 : space - 1);
    if (padding == Padding::any && bytes.size() < space) store_bytes(to, bytes, static_cast<std::uint32_t>(std::min<std::size_t>(space, bytes.size() + 1)));
    else store_bytes(to, bytes, space);
    return;
  }
  if (const auto* ternary = std::get_if<Ternary>(&e.node)) {
    Join yes, no, meeting;
    condition(*ternary->condition, yes, no);
    enter(yes);
    into(ternary->then ? **ternary->then : *ternary->condition, to, padding, room);
    go(meeting);
    enter(no);
    into(*ternary->otherwise, to, padding, room);
    go(meeting);
    enter(meeting);
    return;
  }
  if (const auto* access = std::get_if<MapAccess>(&e.node)) return map_into(e, *access, to, padding, room);
  if (const auto* called = std::get_if<Call>(&e.node)) return call_into(e, *called, to, padding, room);
  if (const auto* word = std::get_if<Identifier>(&e.node); word != nullptr && word->builtin != nullptr) {
    builtin_into(e, *word->builtin, word->number, {}, to);
    if (space > e.type.size && padding == Padding::zero) zero(to + e.type.size, space - e.type.size);
    return;
  }
  if (const auto* block = std::get_if<BlockExpr>(&e.node)) {
    for (const Statement& inner : block->block.statements) statement(inner);
    return into(*block->value, to, padding, room);
  }
  if (const auto* cast = std::get_if<Cast>(&e.node)) {
    const Type& from = cast->operand->type;
    if (from.kind == Kind::string && e.type.kind == Kind::string) return into(*cast->operand, to, padding, space);
    if (from.is_scalar()) {  // an integer's bytes as an array
      ValueId value = number(*cast->operand);
      if (space > 8) zero(to + 8, space - 8);
      for (std::uint32_t done = 0; done < std::min(space, 8U);) {
        const std::uint32_t width = std::bit_floor(std::min(space, 8U) - done);
        store_number(to + done, width, value);
        done += width;
        if (done < std::min(space, 8U)) value = b.lshr(value, i64(8 * width));
      }
      return;
    }
    if (from.kind == Kind::tuple || from.kind == Kind::record) return cast_fields(*cast->operand, e.type, to, padding);
    return into(*cast->operand, to, padding, room);
  }
  if (std::holds_alternative<Member>(e.node) || std::holds_alternative<Index>(e.node) || std::holds_alternative<Unary>(e.node)) {
    if (!lies_elsewhere(e)) {
      const Address from = bytes_of(e);
      if (e.type.kind == Kind::string) copy_string(to, space, from, e.type.size, padding);
      else copy(to, from, std::min(space, e.type.size));
      return;
    }
    const Place place = place_of(e);
    const std::uint32_t size = std::min(space, e.type.size);
    // What lies in the context itself is loaded from there.
    if (place.space == Space::context && place.address == ctx && size <= kInlineBytes) {
      for (std::uint32_t done = 0; done < size;) {
        unsigned width = 8;
        while (width > 1 && (done + width > size || (place.offset + done) % width != 0 || (to.offset + done) % width != 0)) width /= 2;
        store_number(to + done, width, b.load(kI64, 8 * width, ctx, place.offset + done, ir::kInvariant));
        done += width;
      }
      if (size < space && padding == Padding::zero) zero(to + size, space - size);
      return;
    }
    const ValueId address = address_in(place);
    if (e.type.kind == Kind::string) {
      if (padding == Padding::zero) zero(to, space);
      const std::uint32_t bytes = std::min(space, e.type.size);
      const ValueId length = read_string(to, i64(bytes), address, place.space, e.at);
      // An array of characters may be full to its last one, which the helper makes a NUL.
      if (bytes == e.type.size && bytes > 1)
        when(b.eq(length, i64(bytes)), [&] { read_memory(to + (bytes - 1), 1, b.add(as_number(address), i64(bytes - 1)), place.space, e.at); }, true);
    } else {
      read_memory(to, std::min(space, e.type.size), address, place.space, e.at);
    }
    return;
  }
  if (const auto* named = std::get_if<Variable>(&e.node)) {
    const VariableHome& home = homes[named->id];
    if (home.kind == VariableHome::Kind::element) {
      const auto& fields = *e.type.fields;
      if (padding == Padding::zero) zero(to, e.type.size);
      copy(to + fields[0].offset, home.key, fields[0].type.size);
      copy(to + fields[1].offset, home.element, fields[1].type.size);
      return;
    }
    const Type& type = type_of_variable(named->id);
    if (type.kind == Kind::string) copy_string(to, space, home.at, type.size, padding);
    else copy(to, home.at, std::min(space, type.size));
    return;
  }
  unit.error(e.at, "this value has no bytes");
}

void Lowering::cast_fields(const Expr& from, const Type& type, Address to, Padding padding) {
  const Address at = bytes_of(from);
  if (padding == Padding::zero) zero(to, type.size);
  copy_fields(to, type, at, from.type, padding);
}

void Lowering::copy_fields(Address to, const Type& type, Address from, const Type& given, Padding padding) {
  for (std::size_t i = 0; i < type.fields->size() && i < given.fields->size(); ++i) {
    const Field& wanted = (*type.fields)[i];
    const Field& had = (*given.fields)[i];
    if (wanted.type.is_scalar()) store(to + wanted.offset, wanted.type, load(from + had.offset, had.type));
    else if (wanted.type.kind == Kind::string) copy_string(to + wanted.offset, wanted.type.size, from + had.offset, had.type.size, padding);
    else if (wanted.type.fields && had.type.fields) copy_fields(to + wanted.offset, wanted.type, from + had.offset, had.type, padding);
    else copy(to + wanted.offset, from + had.offset, std::min(wanted.type.size, had.type.size));
  }
}

bool Lowering::lies_elsewhere(const Expr& e) const {
  if (const auto* m = std::get_if<Member>(&e.node)) {
    if (argument_of(e) != nullptr) return true;
    const Type& object = m->object->type;
    if (object.kind == Kind::tuple || object.kind == Kind::record) return false;
    if (object.kind == Kind::structure) return lies_elsewhere(*m->object);
    return object.kind == Kind::pointer && (!object.element || object.space != Space::bpf);
  }
  if (const auto* i = std::get_if<Index>(&e.node)) {
    const Type& object = i->object->type;
    if (object.kind == Kind::pointer) return object.space != Space::bpf;
    if (object.kind == Kind::array) return lies_elsewhere(*i->object);
    return false;
  }
  if (const auto* u = std::get_if<Unary>(&e.node)) return u->op == UnaryOp::dereference && u->operand->type.space != Space::bpf;
  if (const auto* c = std::get_if<Cast>(&e.node)) return !c->operand->type.is_scalar() && lies_elsewhere(*c->operand);
  return false;
}

Address Lowering::bytes_of(const Expr& e, Padding padding) {
  if (const auto* named = std::get_if<Variable>(&e.node); named != nullptr && homes[named->id].kind == VariableHome::Kind::memory)
    return homes[named->id].at;
  if (const auto* m = std::get_if<Member>(&e.node); m != nullptr && !lies_elsewhere(e)) {
    const Type& object = m->object->type;
    if (const auto* named = std::get_if<Variable>(&m->object->node);
        named != nullptr && homes[named->id].kind == VariableHome::Kind::element)
      return m->field == 0 ? homes[named->id].key : homes[named->id].element;
    if (object.fields) return bytes_of(*m->object) + (*object.fields)[m->field].offset;
    if (object.kind == Kind::pointer) return Address{scalar(*m->object), m->bit_offset / 8};
    return bytes_of(*m->object) + m->bit_offset / 8;
  }
  if (const auto* i = std::get_if<Index>(&e.node); i != nullptr && !lies_elsewhere(e)) {
    const std::uint32_t size = e.type.size;
    const Address object = i->object->type.kind == Kind::pointer ? Address{scalar(*i->object), 0} : bytes_of(*i->object);
    if (const auto* known = std::get_if<Integer>(&i->index->node)) {
      if (i->object->type.fields) return object + (*i->object->type.fields)[std::min<std::size_t>(known->value, i->object->type.fields->size() - 1)].offset;
      return object + static_cast<std::int64_t>(known->value * size);
    }
    // The index is bounded by the array, so that the verifier can follow.
    const Type& array = i->object->type;
    const std::uint32_t count = std::max(array.kind == Kind::string ? array.size : array.count, 1U);
    ValueId at = number(*i->index);
    at = b.select(b.compare(ir::Op::ult, at, i64(count)), at, i64(0));
    return {b.ptr_add(pointer(object), b.mul(at, i64(size))), 0};
  }
  if (const auto* access = std::get_if<MapAccess>(&e.node)) {
    KnownElement found = lookup(*access);
    if (found.present) return {found.pointer, 0};
  }
  const Address to = temporary(std::max(e.type.size, 1U));
  into(e, to, padding);
  return to;
}

}  // namespace espy::trace::lowering
