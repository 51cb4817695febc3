// What a probe's body asks of its arguments: fields of records, parameters, registers, USDT arguments. probes/arguments.hpp
// says for each where it is; here is the code that gets it.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/probes/arguments.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::ValueId;
using probes::Argument;

namespace {

constexpr ir::Type kKernel = ir::ptr(ir::Space::kernel);

/// Programs whose context is an array of 64-bit words, read as such.
bool has_words(const probes::Instance& instance) {
  return instance.prog_type == facts::ProgType::raw_tracepoint || instance.prog_type == facts::ProgType::tracing;
}

}  // namespace

const Argument* Lowering::argument_of(const Expr& e) const {
  if (probe == nullptr) return nullptr;
  const probes::ArgumentSet& set = probe->instance.arguments;
  if (const auto* m = std::get_if<Member>(&e.node)) {
    const auto* word = std::get_if<Identifier>(&m->object->node);
    if (word == nullptr || word->builtin == nullptr || word->builtin->id != BuiltinId::args) return nullptr;
    if (m->field < set.arguments.size() && set.arguments[m->field].name == m->name) return &set.arguments[m->field];
    const auto found = std::ranges::find(set.arguments, m->name, &Argument::name);
    return found == set.arguments.end() ? nullptr : &*found;
  }
  const auto* word = std::get_if<Identifier>(&e.node);
  if (word == nullptr || word->builtin == nullptr) return nullptr;
  if (word->builtin->id == BuiltinId::arg) return word->number < set.numbered.size() ? &set.numbered[word->number] : nullptr;
  if (word->builtin->id == BuiltinId::retval) return set.result ? &*set.result : nullptr;
  return nullptr;
}

ValueId Lowering::context_word(std::uint32_t offset, ir::Type type) {
  return once(type.is_ptr() ? fmt::format("context pointer {}", offset) : fmt::format("context word {}", offset),
              [&] { return b.load(type, 64, ctx, offset, ir::kInvariant); });
}

ValueId Lowering::note_argument(const symbol::UsdtArgument& note, Span at) {
  using Kind = symbol::UsdtArgument::Kind;
  const auto cut = [&](ValueId value) {
    if (note.size >= 8) return value;
    return note.is_signed ? b.sext(value, 8U * note.size) : b.zext(value, 8U * note.size);
  };
  switch (note.kind) {
    case Kind::constant: return i64(note.value);
    case Kind::reg: return cut(context_word(note.reg, kI64));
    case Kind::memory: case Kind::indexed: {
      ValueId address = context_word(note.reg, kI64);
      if (note.kind == Kind::indexed) address = b.add(address, b.mul(context_word(note.index_reg, kI64), i64(note.scale)));
      address = b.add(address, i64(note.value));
      return read_scalar(integer_type(note.size, note.is_signed), address, 0, Space::user, at);
    }
  }
  return i64(0);
}

Lowering::Place Lowering::argument_place(const Argument& argument, Span at) {
  if (const auto* here = std::get_if<probes::InContext>(&argument.source)) return {ctx, here->offset, Space::context};
  if (const auto* there = std::get_if<probes::Located>(&argument.source)) {
    const ValueId where = b.and_(b.load(kI64, 32, ctx, there->offset, ir::kInvariant), i64(0xffff));
    return {b.ptr_add(ctx, where), there->from, Space::kernel};
  }
  if (const auto* behind = std::get_if<probes::Behind>(&argument.source)) {
    const bool typed = probe->instance.arguments.typed_pointers;
    ValueId address = context_word(behind->offset, typed ? kKernel : kI64);
    for (std::size_t i = 0; i + 1 < behind->steps.size(); ++i) {
      Type pointer_type = pointer_to(Type{}, typed ? Space::btf : Space::kernel);
      address = read_scalar(pointer_type, address, behind->steps[i], typed ? Space::btf : Space::kernel, at);
    }
    return {address, behind->steps.empty() ? 0 : behind->steps.back(), typed ? Space::btf : Space::kernel};
  }
  if (const auto* pushed = std::get_if<probes::OnStack>(&argument.source)) {
    const auto sp = probes::named_register("sp");
    const bool user = row_of(probe->instance.targets[0].provider).is_user;
    return {context_word(sp.value_or(0), kI64), pushed->offset, user ? Space::user : Space::kernel};
  }
  // The others have no place: they stand in a register, or nowhere.
  const Address own = temporary(8);
  store_number(own, 8, this->argument(argument, uint64_type(), at));
  return {own.base, own.offset, Space::bpf};
}

ValueId Lowering::argument(const Argument& argument, const Type& type, Span at) {
  if (const auto* here = std::get_if<probes::InContext>(&argument.source)) {
    if (has_words(probe->instance) || argument.size >= 8) {
      const bool typed = probe->instance.arguments.typed_pointers && ir_type(type).is_ptr();
      return typed ? context_word(here->offset, ir_type(type)) : as_type(fit(context_word(here->offset, kI64), type), type);
    }
    const unsigned flags = ir::kInvariant | (argument.is_signed || type.is_signed ? ir::kSigned : 0);
    return as_type(fit(b.load(kI64, 8 * std::max(argument.size, 1U), ctx, here->offset, flags), type), type);
  }
  if (const auto* always = std::get_if<probes::Always>(&argument.source)) return as_type(i64(static_cast<std::int64_t>(always->value)), type);
  if (const auto* note = std::get_if<probes::ByNote>(&argument.source)) return as_type(note_argument(note->argument, at), type);
  const Place place = argument_place(argument, at);
  if (std::holds_alternative<probes::Located>(argument.source)) {
    // As a number: where the data is.
    const ValueId address = place.offset == 0 ? place.address : b.ptr_add(place.address, i64(place.offset));
    return as_number(address);
  }
  if (type.kind == Kind::pointer || type.size >= argument.size || argument.size == 0)
    return as_type(read_scalar(type, place.address, place.offset, place.space, at), type);
  return as_type(fit(read_scalar(integer_type(argument.size, argument.is_signed), place.address, place.offset, place.space, at), type), type);
}

ValueId Lowering::target_index() {
  if (target != ir::kNoValue) return target;
  if (probe == nullptr || probe->instance.which != probes::Which::cookie) return i64(0);
  return once("target", [&] { return b.helper(helper::get_attach_cookie, kI64, {ctx}, ir::kReadsOnly | ir::kRemovable); });
}

ValueId Lowering::probe_number() {
  const ValueId index = target_index();
  if (const auto* known = fn().constant_value(index)) return i64(*known + first_probe);
  return first_probe == 0 ? index : b.add(index, i64(first_probe));
}

}  // namespace espy::trace::lowering
