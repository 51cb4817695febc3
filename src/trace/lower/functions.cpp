// Functions of the language, by FunctionId. What needs more than a few lines has a file of its own (functions_*.cpp).
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/probes/providers.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

Space Lowering::space_of(const Expr& address) const {
  if (address.type.space != Space::none) return address.type.space;
  return probe != nullptr && row_of(probe->instance.targets[0].provider).is_user ? Space::user : Space::kernel;
}

MapAccess Lowering::element_argument(const Call& call) {
  MapAccess access = std::get<MapAccess>(call.arguments[0].node);
  if (!access.key && call.arguments.size() > 1) access.key = Box<Expr>(call.arguments[1]);
  return access;
}

ValueId Lowering::subprogram_call(const Expr& e, const Call& call) {
  if (unit.subprograms[call.subprogram].in_scratch) return fit(call_in_scratch(call).second, e.type);
  std::vector<ValueId> arguments;
  for (const Expr& argument : call.arguments) arguments.push_back(number(argument));
  const ValueId result = b.call(subprogram_id(unit, call.subprogram), kI64, arguments);
  env.forget_elements();
  return fit(result, e.type);
}

ValueId Lowering::imported_call(const Expr& e, const Call& call) {
  std::vector<ValueId> arguments;
  for (const Expr& argument : call.arguments) {
    if (argument.type.kind == Kind::pointer && argument.type.element && argument.type.element->kind == Kind::structure) arguments.push_back(address_in(pointed_to(argument)));
    else if (argument.type.kind == Kind::pointer) arguments.push_back(scalar(argument));
    else if (argument.type.is_scalar() || argument.type.is_aggregate()) arguments.push_back(number(argument));
    else arguments.push_back(pointer(bytes_of(argument)));
  }
  const ValueId result = b.kfunc(unit.imported(call.subprogram), kI64, arguments);
  env.forget_elements();
  return e.type.kind == Kind::none ? i64(0) : fit(result, e.type);
}

ValueId Lowering::find(const Call& call) {
  const MapAccess access = element_argument(call);
  const auto* named = std::get_if<Variable>(&call.arguments.back().node);
  const KnownElement found = lookup(access);
  if (named == nullptr) return i64(0);
  const Type& type = type_of_variable(named->id);
  const Type& kept = unit.maps[access.id].plan.value;
  give_home(named->id);
  Join there, missing, done;
  branch(found.present ? b.i1(true) : b.ne(found.pointer, b.null(ir::Space::map_value)), there, missing);
  enter(there);
  if (kept.is_aggregate()) set_variable(named->id, aggregate_value(access, kept, call.name_at));
  else if (type.is_scalar()) set_variable(named->id, load({found.pointer, 0}, kept));
  else copy(homes[named->id].at, {found.pointer, 0}, type.size);
  go(done, i64(1));
  enter(missing);
  go(done, i64(0));
  return enter(done);
}

namespace {

/// Bytes of a packet that skboutput() sends at most.
constexpr std::uint32_t kMostPacketBytes = 2048;

/// skboutput(): u32 length, then the bytes that lie in the packet's linear part.
void packet_record(Lowering& l, const Call& node, Span at) {
  const auto data_at = l.unit.kernel_offset("sk_buff", "data", at), length_at = l.unit.kernel_offset("sk_buff", "len", at);
  const auto elsewhere_at = l.unit.kernel_offset("sk_buff", "data_len", at);
  if (!data_at || !length_at || !elsewhere_at) return;
  const ValueId buffer = l.number(node.arguments[1]), asked = l.number(node.arguments[2]), offset = l.number(node.arguments[3]);
  const auto member = [&](std::uint32_t where, std::uint32_t bytes) {
    return l.read_scalar(integer_type(bytes, false), buffer, where, Space::kernel, at);
  };
  const auto least = [&](ValueId a, ValueId c) { return l.b.select(l.b.compare(Op::ult, a, c), a, c); };
  const ValueId linear = l.b.sub(member(*length_at, 4), member(*elsewhere_at, 4));
  const ValueId there = l.b.select(l.b.compare(Op::ugt, linear, offset), l.b.sub(linear, offset), l.i64(0));
  const ValueId bytes = least(least(asked, there), l.i64(kMostPacketBytes));
  const ValueId from = l.b.add(member(*data_at, 8), offset);
  constexpr std::uint32_t kBegin = sizeof(RecordHeader) + 4;
  l.unit.action(node.action).size = kBegin + kMostPacketBytes;
  l.record(node.action, kBegin + kMostPacketBytes, false, [&](Address to) {
    l.store_number(to + sizeof(RecordHeader), 4, bytes);
    const std::uint32_t read = l.unit.abilities.probe_read_split ? helper::probe_read_kernel : helper::probe_read;
    l.report(l.b.helper(read, kI64, {l.pointer(to + kBegin), bytes, from}), "read of a packet", at);
  });
}

}  // namespace

ValueId Lowering::asynchronous(const Expr& e, const Call& call) {
  switch (call.function->id) {
    case FunctionId::printf: case FunctionId::errorf: case FunctionId::warnf: case FunctionId::cat: case FunctionId::system:
      format_record(call, 1);
      break;
    case FunctionId::time: {
      lay_out(unit.action(call.action), 0);
      record(call.action, unit.action(call.action).size, false, [](Address) {});
      break;
    }
    case FunctionId::print: print(call); break;
    case FunctionId::exit: exit_record(call); break;
    case FunctionId::clear: case FunctionId::zero: map_record(call); break;
    case FunctionId::unwatch: {
      const Expr* argument = &call.arguments[0];
      arguments_record(call.action, {&argument, 1});
      break;
    }
    case FunctionId::assert: {
      // The message, then the end with status 1: the action behind the message's.
      Join holds, fails;
      condition(call.arguments[0], holds, fails);
      enter(fails);
      for (const std::uint32_t index : {call.action, call.action + 1}) {
        lay_out(unit.action(index), 0);
        const Action action = unit.action(index);
        record(index, action.size, true, [&](Address at) {
          for (const Field& field : action.arguments) store_number(at + field.offset, 8, i64(1));
        });
      }
      leave();
      enter(holds);
      break;
    }
    case FunctionId::join: join(call, e.at); break;
    case FunctionId::skboutput: packet_record(*this, call, e.at); break;
    default: unit.error(e.at, fmt::format("{}() is not compiled here", call.name));
  }
  return i64(0);
}

ValueId Lowering::call(const Expr& e, const Call& node) {
  if (node.function == nullptr) {
    if (const Builtin* row = find_builtin(node.name)) {
      if (e.type.is_scalar() || e.type.kind == Kind::none) return builtin(e, *row, 0, node.arguments);
      bytes_of(e);
      return i64(0);
    }
    return node.is_imported ? imported_call(e, node) : subprogram_call(e, node);
  }
  if (node.function->kind == FunctionKind::asynchronous) return asynchronous(e, node);
  switch (node.function->id) {
    case FunctionId::delete_: {
      const auto* first = std::get_if<MapAccess>(&node.arguments[0].node);
      if (node.arguments.size() == 1 || first == nullptr || !first->key) {
        const ValueId gone = delete_element(element_argument(node));
        if (unit.options.report_errors) {
          when(b.eq(gone, i64(0)), [&] {
            record(unit.runtime_error(e.at, "map delete"), 16, true, [&](Address to) { store_number(to + 8, 8, i64(-2)); });
          }, true);
        }
        return gone;
      }
      ValueId all = i64(1);   // an older form: several entries
      for (const Expr& entry : node.arguments) all = b.and_(all, delete_element(std::get<MapAccess>(entry.node)));
      return all;
    }
    case FunctionId::has_key: return has_element(element_argument(node));
    case FunctionId::find: return find(node);
    case FunctionId::kptr: case FunctionId::uptr: return scalar(node.arguments[0]);
    case FunctionId::ksym: case FunctionId::strerror: case FunctionId::signal_name: case FunctionId::syscall_name:
      return number(node.arguments[0]);
    case FunctionId::bswap: {
      const std::uint32_t bytes = std::max(node.arguments[0].type.size, 1U);
      const ValueId value = number(node.arguments[0]);
      return bytes == 1 ? value : b.bswap(value, 8 * bytes);
    }
    case FunctionId::is_err: return b.zext(b.compare(Op::uge, number(node.arguments[0]), i64(-4095)), 1);
    default: break;
  }
  if (!e.type.is_scalar() && e.type.size != 0) {
    bytes_of(e);
    return i64(0);
  }
  return other_call(e, node);
}

void Lowering::str_into(const Expr& e, const Call& node, Address to, Padding padding, std::uint32_t room) {
  const Expr& source = node.arguments[0];
  const std::uint32_t space = room != 0 ? std::min(room, e.type.size) : e.type.size;
  if (source.type.kind == Kind::string && !lies_elsewhere(source)) return into(source, to, padding, room);
  if (padding == Padding::zero) zero(to, std::max(room, space));
  ValueId bytes = i64(space);
  if (node.arguments.size() > 1) {
    const ValueId asked = number(node.arguments[1]);
    if (const auto* known = fn().constant_value(asked)) bytes = i64(std::clamp<std::int64_t>(*known, 0, space));
    else bytes = b.select(b.compare(Op::ult, asked, i64(space)), asked, i64(space));
  }
  if (source.type.is_scalar()) {
    read_string(to, bytes, scalar(source), space_of(source), e.at);
    return;
  }
  const Place place = place_of(source);
  const ValueId address = address_in(place);
  read_string(to, bytes, address, place.space, e.at);
}

void Lowering::buf_into(const Expr& e, const Call& node, Address to) {
  // u32 length, then the bytes.
  const Expr& source = node.arguments[0];
  const std::uint32_t most = e.type.size - 4;
  ValueId bytes = i64(most);
  if (node.arguments.size() > 1) {
    const ValueId asked = number(node.arguments[1]);
    if (const auto* known = fn().constant_value(asked)) bytes = i64(std::clamp<std::int64_t>(*known, 0, most));
    else bytes = b.select(b.compare(Op::ult, asked, i64(most)), asked, i64(most));
  }
  zero(to, e.type.size);
  store_number(to, 4, bytes);
  const bool user = space_of(source) == Space::user;
  ValueId address = kNoValue;
  if (source.type.is_scalar()) {
    address = scalar(source);
  } else {
    const Place place = place_of(source);
    address = address_in(place);
  }
  const std::uint32_t number_ = !unit.abilities.probe_read_split ? helper::probe_read : user ? helper::probe_read_user : helper::probe_read_kernel;
  // Of a text that is shorter than what is asked for, only it is read: zeroes follow.
  ValueId there = bytes;
  if (const auto whole = static_cast<std::int64_t>(source.type.size); !source.type.is_scalar() && whole < std::int64_t{most}) {
    if (const auto* known = fn().constant_value(bytes)) there = i64(std::min<std::int64_t>(*known, whole));
    else there = b.select(b.compare(Op::ult, bytes, i64(whole)), bytes, i64(whole));
  }
  report(b.helper(number_, kI64, {pointer(to + 4), there, address}), "read for buf()", e.at);
}

void Lowering::call_into(const Expr& e, const Call& node, Address to, Padding padding, std::uint32_t room) {
  const std::uint32_t space = room != 0 ? room : e.type.size;
  if (node.function == nullptr) {
    if (const Builtin* row = find_builtin(node.name)) return builtin_into(e, *row, 0, node.arguments, to);
    const auto [piece, number] = call_in_scratch(node);
    if (e.type.kind == Kind::string) return copy_string(to, space, piece, e.type.size, padding);
    return copy(to, piece, std::min(space, e.type.size));
  }
  switch (node.function->id) {
    case FunctionId::str: return str_into(e, node, to, padding, space);
    case FunctionId::buf: return buf_into(e, node, to);
    case FunctionId::usym:
      store_number(to, 8, number(node.arguments[0]));
      store_number(to + 8, 4, pid_number(false, PidNamespace::init));
      store_number(to + 12, 4, probe_number());
      return;
    default: return other_call_into(e, node, to, padding, space);
  }
}

// ---- equality of bytes ----

void Lowering::bytes_condition(const Expr& left, const Expr& right, Join& yes, Join& no) {
  const auto literal_of = [](const Expr& e) -> const String* {
    if (const auto* cast = std::get_if<Cast>(&e.node)) return std::get_if<String>(&cast->operand->node);
    return std::get_if<String>(&e.node);
  };
  const String* literal = literal_of(right);
  const Expr& other = literal != nullptr ? left : right;
  if (literal == nullptr) literal = literal_of(left);
  if (literal != nullptr && other.type.kind == Kind::string) {
    if (literal->value.size() >= other.type.size) return go(no);
    const Address at = bytes_of(other);
    std::string bytes = literal->value;
    bytes += '\0';
    for (std::size_t done = 0; done < bytes.size();) {
      std::size_t width = 4;
      while (width > 1 && (done + width > bytes.size() || static_cast<std::uint64_t>(at.offset + static_cast<std::int64_t>(done)) % width != 0)) width /= 2;
      std::uint64_t word = 0;
      for (std::size_t i = 0; i < width; ++i) word |= std::uint64_t{static_cast<unsigned char>(bytes[done + i])} << (8 * i);
      Join same;
      branch(b.eq(load_number(at + static_cast<std::int64_t>(done), static_cast<unsigned>(width)), i64(static_cast<std::int64_t>(word))), same, no);
      enter(same);
      done += width;
    }
    return go(yes);
  }
  if (left.type.kind == Kind::string && right.type.kind == Kind::string) return branch(strings_equal(left, right), yes, no);
  branch(values_equal(left, right), yes, no);
}

ValueId Lowering::bytes_equal(const Expr& left, const Expr& right) {
  Join yes, no, done;
  bytes_condition(left, right, yes, no);
  enter(yes);
  go(done, b.i1(true));
  enter(no);
  go(done, b.i1(false));
  return enter(done);
}

}  // namespace espy::trace::lowering
