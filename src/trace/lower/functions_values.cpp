// Functions of addresses and numbers, and values that user space formats.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"
#include "trace/probes/arguments.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

namespace {

constexpr std::uint32_t kUserStack = 1U << 8;    // BPF_F_USER_STACK
constexpr std::uint32_t kInetAddress = 16;

std::uint32_t index_in(std::vector<std::string>& all, const std::string& text) {
  const auto found = std::ranges::find(all, text);
  if (found != all.end()) return static_cast<std::uint32_t>(found - all.begin());
  all.push_back(text);
  return static_cast<std::uint32_t>(all.size() - 1);
}

std::string literal_of(const Call& call, std::size_t index) {
  if (index >= call.arguments.size()) return {};
  const auto* text = std::get_if<String>(&call.arguments[index].node);
  return text != nullptr ? text->value : std::string{};
}

/// Which clock (a clockid_t) a time was read from, as far as the script shows it.
std::uint32_t clock_of(const Expr& e) {
  if (const auto* cast = std::get_if<Cast>(&e.node)) return clock_of(*cast->operand);
  const auto* word = std::get_if<Identifier>(&e.node);
  if (word == nullptr || word->builtin == nullptr || word->builtin->id != BuiltinId::nsecs) return CLOCK_BOOTTIME;
  switch (static_cast<Clock>(word->number)) {
    case Clock::boot: return CLOCK_BOOTTIME;
    case Clock::monotonic: return CLOCK_MONOTONIC;
    case Clock::tai: case Clock::sw_tai: return CLOCK_TAI;
  }
  return CLOCK_BOOTTIME;
}

}  // namespace

ValueId Lowering::length_of(const Call& node, Span at) {
  const Expr& what = node.arguments[0];
  if (const auto* access = std::get_if<MapAccess>(&what.node); access != nullptr && !access->key) {
    if (!unit.abilities.for_each_map_elem) {
      unit.error(at, "this kernel's programs cannot walk through a map", "it needs Linux 5.13 or newer");
      return i64(0);
    }
    // The helper says how many elements it visited.
    const ir::Type parameters[] = {ir::ptr(ir::Space::map), ir::ptr(ir::Space::map_value), ir::ptr(ir::Space::map_value), ir::ptr(ir::Space::stack)};
    const ir::FuncId visit = library_function("each", parameters, ir::Role::callback, [](ir::Builder& s) { s.ret(s.i64(0)); });
    const Address none = on_stack(8);
    store_number(none, 8, i64(0));
    return b.helper(helper::for_each_map_elem, kI64, {b.map(unit.script_map(access->id)), b.func_addr(visit), pointer(none), i64(0)}, ir::kReadsOnly);
  }
  const std::uint32_t bytes = 8 * std::max(what.type.count, 1U);
  const Address frames = scratch(bytes);
  const bool user = what.type.kind == Kind::ustack;
  const ValueId got = b.helper(helper::get_stack, kI64, {ctx, pointer(frames), i64(bytes), i64(user ? kUserStack : 0)});
  return choose(b.compare(Op::sgt, got, i64(0)), [&] { return b.lshr(got, i64(3)); }, [&] { return i64(0); });
}

ValueId Lowering::percpu_address(const Call& node, Span at) {
  const std::string name = literal_of(node, 0);
  const auto variable = unit.kernel_object(name, ir::ExternKind::variable);
  if (!variable) {
    unit.error(node.arguments[0].at, fmt::format("the kernel's types name no per-CPU variable `{}`", name),
               "`bpftool btf dump file /sys/kernel/btf/vmlinux | grep VAR` lists them; Linux 5.10 or newer has them");
    return i64(0);
  }
  const ValueId base = b.extern_addr(*variable);
  if (node.arguments.size() < 2) return as_number(b.helper(helper::this_cpu_ptr, ir::ptr(ir::Space::kernel), {base}, ir::kReadsOnly));
  // Of a CPU that is none, there is no address: null.
  mark(at);
  const ValueId found = b.helper(helper::per_cpu_ptr, ir::ptr(ir::Space::kernel), {base, number(node.arguments[1])}, ir::kReadsOnly);
  return choose(b.ne(found, b.null(ir::Space::kernel)), [&] { return as_number(found); }, [&] { return i64(0); });
}

/// Checking left the address, or for what moves when it is loaded, how far it is from the probed instruction.
ValueId Lowering::user_address(const Expr& e, const Call& node) {
  const auto ip = probes::named_register("ip");
  const auto* distance = std::get_if<Integer>(&node.arguments[0].node);
  if (!ip || distance == nullptr) {
    unit.error(e.at, "uaddr() is of the file that a uprobe is in", "use it in a uprobe");
    return i64(0);
  }
  return b.add(context_word(*ip, kI64), i64(static_cast<std::int64_t>(distance->value)));
}

void Lowering::inet_into(const Call& node, Address to, Span at) {
  // u32 family, then 16 bytes of address.
  const Expr& address = node.arguments.back();
  const Type& type = address.type;
  zero(to, 4 + kInetAddress);
  const bool pointer_ = type.kind == Kind::pointer;
  const bool number_ = type.is_scalar() && !pointer_;
  const std::uint32_t bytes = number_ ? 4 : pointer_ ? (type.element && type.element->size == 4 ? 4U : kInetAddress) : std::min(type.size, kInetAddress);
  const Address place = to + 4;
  if (number_) {
    store_number(to, 4, node.arguments.size() == 2 ? number(node.arguments[0]) : i64(AF_INET));
    return store_number(place, 4, number(address));
  }
  ValueId family = i64(bytes == 4 ? AF_INET : AF_INET6);
  if (node.arguments.size() == 2) family = number(node.arguments[0]);
  store_number(to, 4, family);
  if (!pointer_) return into(address, place, Padding::any, bytes);
  // How much is read depends on the family; an address of 4 bytes must not be read as one of 16.
  const Place source = pointed_to(address);
  const ValueId from = address_in(source);
  if (const auto* known = fn().constant_value(family)) {
    read_memory(place, *known == AF_INET ? 4 : bytes, from, source.space, at);
    return;
  }
  Join four, sixteen, done;
  branch(b.eq(family, i64(AF_INET)), four, sixteen);
  enter(four);
  read_memory(place, 4, from, source.space, at);
  go(done);
  enter(sixteen);
  read_memory(place, kInetAddress, from, source.space, at);
  go(done);
  enter(done);
}

void Lowering::join(const Call& node, Span at) {
  // u64 count, then slots; the array ends with a null pointer.
  Action& action = unit.action(node.action);
  if (action.arguments.size() < 2) return;
  const std::uint32_t slot = action.arguments[0].type.size;
  const std::uint32_t most = action.arguments[1].type.count;
  constexpr std::uint32_t kBegin = sizeof(RecordHeader) + 8;
  action.arguments[0].offset = sizeof(RecordHeader);
  action.arguments[1].offset = kBegin;
  action.size = kBegin + slot * most;
  const Expr& array = node.arguments[0];
  const Space space = space_of(array);
  const Place place = array.type.is_scalar() ? Place{number(array), 0, space} : place_of(array);
  const ValueId first = as_number(address_in(place));
  record(node.action, action.size, false, [&](Address to) {
    Join done;
    for (std::uint32_t i = 0; i < most; ++i) {
      const ValueId text = read_scalar(uint64_type(), first, 8 * static_cast<std::int64_t>(i), space, at);
      Join more;
      const ValueId none = b.eq(text, i64(0));
      Join ended;
      branch(none, ended, more);
      enter(ended);
      store_number(to + sizeof(RecordHeader), 8, i64(i));
      go(done);
      enter(more);
      read_string(to + (kBegin + i * slot), i64(slot), text, space, at);
    }
    store_number(to + sizeof(RecordHeader), 8, i64(most));
    go(done);
    enter(done);
  });
}

ValueId Lowering::other_call(const Expr& e, const Call& node) {
  switch (node.function->id) {
    case FunctionId::strlen: return string_length(node.arguments[0]);
    case FunctionId::strncmp: return compare_bytes(node, true);
    case FunctionId::memcmp: return compare_bytes(node, false);
    case FunctionId::strstr: return find_text(node.arguments[0], node.arguments[1]);
    case FunctionId::strcontains: return b.zext(b.compare(Op::sge, find_text(node.arguments[0], node.arguments[1]), i64(0)), 1);
    case FunctionId::len: return length_of(node, e.at);
    case FunctionId::reg: return context_word(probes::named_register(literal_of(node, 0)).value_or(0), kI64);
    case FunctionId::signal: case FunctionId::signal_thread: {
      const bool thread = node.function->id == FunctionId::signal_thread;
      report(b.helper(thread ? helper::send_signal_thread : helper::send_signal, kI64, {number(node.arguments[0])}), "signal", e.at);
      return i64(0);
    }
    case FunctionId::override:
      b.helper(helper::override_return, kI64, {ctx, number(node.arguments[0])});
      return i64(0);
    case FunctionId::write_user: {
      const Expr& from = node.arguments[1];
      const auto* known = std::get_if<Integer>(&node.arguments[2].node);
      const std::uint32_t bytes = known != nullptr ? static_cast<std::uint32_t>(known->value) : 1;
      Address source = bytes <= 8 ? temporary(8) : scratch(bytes);
      if (!from.type.is_scalar()) source = bytes_of(from, Padding::zero);
      else if (from.type.kind == Kind::pointer) read_memory(source, bytes, number(from), space_of(from), e.at);
      else store_number(source, 8, number(from));
      const std::uint32_t have = from.type.is_scalar() ? std::max(bytes, 8U) : from.type.size;
      const ValueId result = b.helper(helper::probe_write_user, kI64, {number(node.arguments[0]), pointer(source), i64(std::min(bytes, have))}, ir::kReadsOnly);
      report(result, "write of user memory", e.at);
      return result;
    }
    case FunctionId::socket_cookie: return b.helper(helper::get_socket_cookie, kI64, {scalar(node.arguments[0])}, ir::kReadsOnly);
    case FunctionId::globmatch: return glob_match(node, e.at);
    case FunctionId::percpu_kaddr: return percpu_address(node, e.at);
    case FunctionId::uaddr: return user_address(e, node);
    default: unit.error(e.at, fmt::format("{}() is not compiled here", node.name)); return i64(0);
  }
}

void Lowering::other_call_into(const Expr& e, const Call& node, Address to, Padding padding, std::uint32_t room) {
  switch (node.function->id) {
    case FunctionId::str_concat: return concatenate(node, to, padding, room);
    case FunctionId::ntop: return inet_into(node, to, e.at);
    case FunctionId::pton: {
      unsigned char bytes[kInetAddress] = {};
      const std::string text = literal_of(node, 0);
      const bool four = e.type.size == 4;
      if (::inet_pton(four ? AF_INET : AF_INET6, text.c_str(), bytes) != 1) return unit.error(e.at, "this is no internet address");
      return store_bytes(to, {reinterpret_cast<const char*>(bytes), four ? 4U : kInetAddress}, e.type.size);
    }
    case FunctionId::macaddr: {
      const Expr& from = node.arguments[0];
      if (from.type.is_scalar()) {
        const Place place = pointed_to(from);
        read_memory(to, 6, address_in(place), place.space, e.at);
        return;
      }
      return copy(to, bytes_of(from), 6);
    }
    case FunctionId::strftime: {
      const ValueId time = number(node.arguments[1]);
      store_number(to, 8, time);
      store_number(to + 8, 4, i64(clock_of(node.arguments[1])));
      return store_number(to + 12, 4, i64(index_in(unit.plan.formats, literal_of(node, 0))));
    }
    case FunctionId::cgroup_path: {
      store_number(to, 8, number(node.arguments[0]));
      store_number(to + 8, 4, i64(index_in(unit.plan.cgroup_filters, literal_of(node, 1))));
      return store_number(to + 12, 4, i64(0));
    }
    case FunctionId::path: {
      const Expr& from = node.arguments[0];
      const Place place = from.type.kind == Kind::pointer ? pointed_to(from) : place_of(from);
      if (padding == Padding::zero) zero(to, room);
      const ValueId result = b.helper(helper::d_path, kI64, {address_in(place), pointer(to), i64(std::min(room, e.type.size))});
      // What could not be named is an empty string.
      when(b.compare(Op::slt, result, i64(0)), [&] { store_number(to, 1, i64(0)); });
      return;
    }
    default: unit.error(e.at, fmt::format("{}() is not compiled here", node.name));
  }
}

}  // namespace espy::trace::lowering
