// Memory of others: kernel structures, user memory, the context. How an address is read depends on what it points into.
//
//   btf      loads go straight: the kernel catches what faults and gives 0
//   kernel   bpf_probe_read_kernel into a slot of the stack, and from there
//   user     bpf_probe_read_user, the same way
//   context  loads straight
//   bpf      our own: loads straight, behind a test for null
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::ValueId;

namespace {

struct BitField {
  std::uint32_t offset, bytes, shift, bits;
};

/// The aligned word that holds a bit-field.
BitField word_of(std::uint32_t bit_offset, std::uint32_t bits) {
  for (std::uint32_t bytes = 1; bytes < 8; bytes *= 2) {
    const std::uint32_t start = bit_offset / 8 / bytes * bytes;
    if (bit_offset + bits <= 8 * (start + bytes)) return {start, bytes, bit_offset - 8 * start, bits};
  }
  const std::uint32_t start = bit_offset / 64 * 8;
  return {start, 8, bit_offset - 8 * start, bits};
}

}  // namespace

void Lowering::report(ValueId result, std::string_view what, Span at) {
  if (!unit.options.report_errors) return;
  result = b.sext(result, 32);   // an int on kernels before 6.4, see count_failure
  when(b.compare(ir::Op::slt, result, i64(0)), [&] {
    record(unit.runtime_error(at, std::string(what)), 16, true, [&](Address to) { store_number(to + 8, 8, result); });
  }, true);
}

std::optional<ValueId> Lowering::read_memory(Address to, std::uint32_t bytes, ValueId address, Space space, Span at) {
  if (bytes == 0) return std::nullopt;
  const bool user = space == Space::user;
  const std::uint32_t number = !unit.abilities.probe_read_split ? helper::probe_read : user ? helper::probe_read_user : helper::probe_read_kernel;
  const ValueId result = b.helper(number, kI64, {pointer(to), i64(bytes), address});
  report(result, user ? "read of user memory" : "read of kernel memory", at);
  return result;
}

ValueId Lowering::read_string(Address to, ValueId bytes, ValueId address, Space space, Span at) {
  const bool user = space == Space::user;
  const std::uint32_t number =
      !unit.abilities.probe_read_split ? helper::probe_read_str : user ? helper::probe_read_user_str : helper::probe_read_kernel_str;
  const ValueId result = b.helper(number, kI64, {pointer(to), bytes, address});
  report(result, user ? "read of a user string" : "read of a kernel string", at);
  return result;
}

ValueId Lowering::read_scalar(const Type& type, ValueId address, std::int64_t offset, Space space, Span at) {
  const auto bytes = std::clamp<std::uint32_t>(type.size, 1, 8);
  const bool direct = fn().type_of(address).is_ptr();
  if (direct && space == Space::bpf)
    return choose(b.ne(address, b.null(fn().type_of(address).space)), [&] { return as_number(load({address, offset}, type)); },
                  [&] { return i64(0); });
  if (address == ctx)
    for (const auto& [known_offset, object] : context_objects)
      if (known_offset == offset && ir_type(type) == fn().type_of(object)) return object;
  // Of the registers that an event interrupted, the kernel gives whole words only.
  if (direct && address == ctx && bytes < 8 && probe != nullptr && probe->instance.prog_type == facts::ProgType::perf_event) {
    const std::int64_t word = offset / 8 * 8;
    return fit(b.lshr(load_number({address, word}, 8), i64(8 * (offset - word))), type);
  }
  if (direct) return load({address, offset}, type);
  const Address slot = temporary(8);
  read_memory(slot, bytes, offset == 0 ? address : b.add(address, i64(offset)), space, at);
  return load_number(slot, bytes, type.is_signed);
}

Lowering::Place Lowering::pointed_to(const Expr& e) {
  // The current task, and structures that are reached from it, are pointers that the verifier knows by type, though the
  // language calls them plain kernel pointers: what is loaded from them at once needs no helper.
  if (const auto* word = std::get_if<Identifier>(&e.node);
      word != nullptr && word->builtin != nullptr && word->builtin->id == BuiltinId::curtask && unit.abilities.task_btf)
    return {current_task(), 0, Space::btf};
  const bool structure = e.type.element && e.type.element->kind == Kind::structure && e.type.space != Space::user;
  if (const auto* m = std::get_if<Member>(&e.node); m != nullptr && structure && m->bitfield_bits == 0 && lies_elsewhere(e) && argument_of(e) == nullptr) {
    const Place place = place_of(e);
    if (place.space == Space::btf && fn().type_of(place.address).is_ptr())
      return {b.load(ir::ptr(ir::Space::kernel), 64, place.address, place.offset), 0, Space::btf};
    return {as_type(read_scalar(e.type, place.address, place.offset, place.space, e.at), e.type), 0, e.type.space};
  }
  return {scalar(e), 0, e.type.space};
}

ValueId Lowering::address_in(const Place& place) {
  if (place.offset == 0) return place.address;
  return fn().type_of(place.address).is_ptr() ? b.ptr_add(place.address, i64(place.offset)) : b.add(place.address, i64(place.offset));
}

Lowering::Place Lowering::place_of(const Expr& e) {
  if (const auto* u = std::get_if<Unary>(&e.node); u != nullptr && u->op == UnaryOp::dereference) return pointed_to(*u->operand);
  if (const auto* m = std::get_if<Member>(&e.node)) {
    if (const auto* known = argument_of(e)) return argument_place(*known, e.at);
    const Type& object = m->object->type;
    Place base = object.kind == Kind::pointer ? pointed_to(*m->object) : place_of(*m->object);
    base.offset += m->bit_offset / 8;
    return base;
  }
  if (const auto* i = std::get_if<Index>(&e.node); i != nullptr && !i->object->type.fields) {
    const Type& object = i->object->type;
    Place base = object.kind == Kind::pointer ? pointed_to(*i->object) : place_of(*i->object);
    const std::int64_t size = std::max<std::int64_t>(e.type.size, 1);
    if (const auto* known = std::get_if<Integer>(&i->index->node)) {
      base.offset += static_cast<std::int64_t>(known->value) * size;
      return base;
    }
    // The verifier lets nobody compute with pointers that it knows by type: read as plain kernel memory.
    const ValueId steps = b.mul(number(*i->index), i64(size));
    return {b.add(as_number(base.address), steps), base.offset, base.space == Space::user ? Space::user : Space::kernel};
  }
  if (const auto* c = std::get_if<Cast>(&e.node); c != nullptr && !c->operand->type.is_scalar()) return place_of(*c->operand);
  if (const auto* word = std::get_if<Identifier>(&e.node); word != nullptr && argument_of(e) != nullptr)
    return argument_place(*argument_of(e), e.at);
  const Address own = bytes_of(e);
  return {own.base, own.offset, Space::bpf};
}

ValueId Lowering::member(const Expr& e, const Member& m) {
  if (const auto* known = argument_of(e)) return argument(*known, e.type, e.at);
  const Type& object = m.object->type;
  const bool own = object.fields || !lies_elsewhere(e);
  if (m.bitfield_bits == 0) {
    if (own) return load(bytes_of(e), e.type);
    const Place place = place_of(e);
    return as_type(read_scalar(e.type, place.address, place.offset, place.space, e.at), e.type);
  }
  const BitField field = word_of(m.bit_offset, m.bitfield_bits);
  const auto word_there = [&] {
    Place place = place_of(e);
    place.offset += static_cast<std::int64_t>(field.offset) - m.bit_offset / 8;
    return read_scalar(integer_type(field.bytes, false), place.address, place.offset, place.space, e.at);
  };
  const ValueId whole = own ? load_number(bytes_of(*m.object) + field.offset, field.bytes) : word_there();
  const ValueId high = b.shl(whole, i64(64 - field.shift - field.bits));
  return e.type.is_signed ? b.ashr(high, i64(64 - field.bits)) : b.lshr(high, i64(64 - field.bits));
}

ValueId Lowering::index(const Expr& e, const Index& i) {
  if (i.object->type.fields || !lies_elsewhere(e)) return load(bytes_of(e), e.type);
  const Place place = place_of(e);
  return as_type(read_scalar(e.type, place.address, place.offset, place.space, e.at), e.type);
}

}  // namespace espy::trace::lowering
