// Calls: which function is meant, whether it may be called here, and what the simpler ones give.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "trace/check/checker.hpp"
#include "trace/probes/arguments.hpp"

namespace espy::trace {

namespace {

std::string times(std::uint8_t count) { return count == 0 ? "no arguments" : fmt::format("{} argument{}", count, count == 1 ? "" : "s"); }

/// Where a text is in a list, which it is added to.
std::uint32_t text_index(std::vector<std::string>& texts, const std::string& text) {
  const auto found = std::ranges::find(texts, text);
  if (found != texts.end()) return static_cast<std::uint32_t>(found - texts.begin());
  texts.push_back(text);
  return static_cast<std::uint32_t>(texts.size() - 1);
}

}  // namespace

bool Checker::counted(Span at, const Call& node, const Function& row) {
  const std::size_t given = node.arguments.size();
  if (given >= row.least && (given <= row.most || row.most == kAnyNumber)) return true;
  std::string takes = row.least == row.most ? times(row.least)
                      : row.most == kAnyNumber ? fmt::format("{} or more arguments", row.least)
                                               : fmt::format("{} to {} arguments", row.least, row.most);
  error(at, fmt::format("{}() takes {}, and here {} {}", row.name, takes, given == 1 ? "is" : "are", given), std::string(row.signature));
  return false;
}

Type Checker::call(Expr& expr, Call& node) {
  const Function* row = find_function(node.name);
  // A script's own subprogram was checked not to hide a function.
  if (row == nullptr) {
    if (const Builtin* builtin = find_builtin(node.name); builtin != nullptr && builtin->id != BuiltinId::arg && builtin->id != BuiltinId::args)
      return builtin_call(expr, node, *builtin);
    return subprogram_call(expr, node);
  }
  node.function = row;
  if (!counted(expr.at, node, *row)) {
    return unknown_type();
  }
  if (row->is_unsafe && !options_.allow_unsafe) return refuse(expr.at, fmt::format("{}() can do harm, and is not allowed", row->name), "start with --unsafe if it is meant");
  if (!available(expr.at, row->name, row->where, since(*row))) return unknown_type();
  switch (row->kind) {
    case FunctionKind::asynchronous: return row->id == FunctionId::assert ? assertion_call(expr, node, *row) : asynchronous_call(expr, node, *row);
    case FunctionKind::formatted: return formatted_call(expr, node, *row);
    case FunctionKind::kernel: return kernel_call(expr, node, *row);
    case FunctionKind::compile_time: return compile_time_call(expr, node, *row);
    case FunctionKind::map_value:
      return refuse(expr.at, fmt::format("{}() is only assigned to a map", row->name), fmt::format("as in @x = {}", row->signature.substr(row->signature.find(' ') + 1)));
  }
  return unknown_type();
}

Type Checker::subprogram_call(Expr& expr, Call& node) {
  for (std::size_t i = 0; i < checked_.subprograms.size(); ++i) {
    CheckedSubprogram& subprogram = checked_.subprograms[i];
    if (subprogram.name != node.name) continue;
    node.subprogram = static_cast<std::uint32_t>(i);
    if (node.arguments.size() != subprogram.parameters)
      return refuse(expr.at, fmt::format("{}() takes {} parameters, and here are {}", node.name, subprogram.parameters, node.arguments.size()));
    for (std::size_t k = 0; k < node.arguments.size(); ++k) {
      Expr& argument = node.arguments[k];
      expression(argument);
      as_number(argument);
      const Type& wanted = parameter_types_[i][k];
      if (!convert(argument, wanted))
        error(argument.at, fmt::format("this parameter is a `{}`, and this is a `{}`", to_string(wanted), to_string(argument.type)));
    }
    return subprogram.returns;
  }
  if (const ImportedFunction* function = options_.imported != nullptr ? options_.imported->find(node.name) : nullptr) return imported_call(expr, node, *function);
  for (Expr& argument : node.arguments) expression(argument);
  std::vector<std::string_view> imported;
  if (options_.imported != nullptr) std::ranges::transform(options_.imported->functions, std::back_inserter(imported), [](const ImportedFunction& function) { return std::string_view(function.name); });
  std::string_view near = nearest(node.name, imported);
  if (near.empty()) near = nearest_function(node.name);
  return refuse(node.name_at.end != 0 ? node.name_at : expr.at, fmt::format("no function is called `{}`", node.name),
                near.empty() ? "" : fmt::format("did you mean `{}`?", near));
}

namespace {

/// May C that takes a pointer to `wanted` be given this? Structures are told apart by name: theirs is in other types than ours.
bool points_to(const Type& given, const Type* wanted) {
  const bool of_anything = wanted == nullptr || wanted->kind == Kind::none;
  // Values with bytes of their own are passed by their address.
  if (given.kind == Kind::string || given.kind == Kind::buffer) return of_anything || wanted->size == 1;
  if (given.kind == Kind::array) return of_anything || (given.element && given.element->size == wanted->size);
  if (given.kind != Kind::pointer) return given.kind == Kind::integer && given.size == 8;
  const bool to_anything = !given.element || given.element->kind == Kind::none;
  if (of_anything || to_anything) return true;
  if (given.element->kind == Kind::structure && wanted->kind == Kind::structure) return to_string(*given.element) == to_string(*wanted);
  return given.element->kind == wanted->kind ? given.element->size == wanted->size : given.element->size == 1 || wanted->size == 1;
}

}  // namespace

Type Checker::imported_call(Expr& expr, Call& node, const ImportedFunction& function) {
  node.is_imported = true;
  node.subprogram = static_cast<std::uint32_t>(&function - options_.imported->functions.data());
  if (!function.refused.empty()) return refuse(expr.at, fmt::format("{}() cannot be called: {}", node.name, function.refused));
  if (node.arguments.size() != function.parameters.size())
    return refuse(expr.at, fmt::format("{}() takes {}, and here {} {}", node.name, times(static_cast<std::uint8_t>(function.parameters.size())),
                  node.arguments.size() == 1 ? "is" : "are", node.arguments.size()));
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    Expr& argument = node.arguments[i];
    const Type& wanted = function.parameters[i];
    expression(argument);
    if (is_unknown(argument.type)) continue;
    bool fits = false;
    if (const auto null = constant_integer(argument); wanted.kind == Kind::pointer && null) fits = *null == 0 && convert(argument, uint64_type());
    else if (wanted.kind == Kind::pointer) fits = points_to(argument.type, wanted.element.get());
    else as_number(argument), read_as(argument, wanted), fits = is_integer_like(argument.type) || is_unknown(argument.type);
    if (!fits) error(argument.at, fmt::format("{}() takes a `{}` here, and this is a `{}`", node.name, to_string(wanted), to_string(argument.type)));
  }
  return function.returns;
}

/// Checks an argument that is an integer at run time, and makes it one of 64 bits.
bool Checker::integer_argument(Call& node, std::size_t index) {
  Expr& argument = node.arguments[index];
  expression(argument);
  as_number(argument);
  if (is_unknown(argument.type)) return false;
  if (!is_integer_like(argument.type) && argument.type.kind != Kind::pointer) {
    error(argument.at, fmt::format("{}() takes an integer here, and this is a `{}`", node.name, to_string(argument.type)));
    return false;
  }
  if (argument.type.kind == Kind::pointer) return true;
  Type wide = wide_integer(argument.type);
  wide.is_flexible = false;
  return convert(argument, wide);
}

/// An argument that must be written out as a string.
std::optional<std::string> Checker::literal_argument(Call& node, std::size_t index) {
  Expr& argument = node.arguments[index];
  expression(argument);
  if (auto text = constant_string(argument)) return text;
  if (!is_unknown(argument.type)) error(argument.at, fmt::format("{}() takes a string that is written out here", node.name));
  return std::nullopt;
}

Type Checker::formatted_call(Expr&, Call& node, const Function& row) {
  switch (row.id) {
    case FunctionId::strftime: {
      auto format = literal_argument(node, 0);
      if (!integer_argument(node, 1) || !format) return unknown_type();
      node.action = text_index(checked_.formats, *format);
      return simple_type(Kind::timestamp);
    }
    case FunctionId::cgroup_path: {
      auto filter = node.arguments.size() == 2 ? literal_argument(node, 1) : std::string();
      if (!integer_argument(node, 0) || !filter) return unknown_type();
      node.action = text_index(checked_.cgroup_filters, *filter);
      return simple_type(Kind::cgroup_path);
    }
    case FunctionId::ksym: return integer_argument(node, 0) ? simple_type(Kind::ksym) : unknown_type();
    case FunctionId::usym: return integer_argument(node, 0) ? simple_type(Kind::usym) : unknown_type();
    case FunctionId::strerror: return integer_argument(node, 0) ? simple_type(Kind::strerror) : unknown_type();
    case FunctionId::signal_name: return integer_argument(node, 0) ? simple_type(Kind::signal_name) : unknown_type();
    case FunctionId::syscall_name: return integer_argument(node, 0) ? simple_type(Kind::syscall_name) : unknown_type();
    default: return unknown_type();
  }
}

Type Checker::kernel_call(Expr& expr, Call& node, const Function& row) {
  switch (row.id) {
    case FunctionId::len: case FunctionId::has_key: case FunctionId::delete_: case FunctionId::find: return map_call(expr, node, row);
    case FunctionId::str: case FunctionId::buf: case FunctionId::path: case FunctionId::str_concat: case FunctionId::strlen:
    case FunctionId::strncmp: case FunctionId::strcontains: case FunctionId::strstr: case FunctionId::memcmp: case FunctionId::globmatch:
      return string_call(expr, node, row);
    default: return address_call(expr, node, row);
  }
}

/// Functions of addresses, numbers and registers.
Type Checker::address_call(Expr& expr, Call& node, const Function& row) {
  Expr* first = node.arguments.empty() ? nullptr : &node.arguments.front();
  switch (row.id) {
    case FunctionId::kptr: case FunctionId::uptr: {
      expression(*first);
      if (is_unknown(first->type)) return unknown_type();
      const Space space = row.id == FunctionId::kptr ? Space::kernel : Space::user;
      Type type = first->type;
      if (type.kind == Kind::integer) return pointer_to(integer_type(1, true), space);
      if (type.kind != Kind::pointer) return refuse(first->at, fmt::format("{}() takes an address, and this is a `{}`", row.name, to_string(type)));
      type.space = space;
      return type;
    }
    case FunctionId::percpu_kaddr: {
      auto name = literal_argument(node, 0);
      if (node.arguments.size() == 2 && !integer_argument(node, 1)) return unknown_type();
      return name ? pointer_to(uint64_type(), Space::kernel) : unknown_type();
    }
    case FunctionId::reg: {
      auto name = literal_argument(node, 0);
      if (!name) return unknown_type();
      if (!probes::named_register(*name)) return refuse(first->at, fmt::format("no register is called `{}` on this machine", *name));
      return uint64_type();
    }
    case FunctionId::ntop: {
      Expr& address = node.arguments.back();
      expression(address);
      if (node.arguments.size() == 2 && !integer_argument(node, 0)) return unknown_type();
      if (is_unknown(address.type)) return unknown_type();
      const Type& type = address.type;
      const bool bytes = (type.kind == Kind::array || type.kind == Kind::string) && (type.size == 4 || type.size == 16);
      const bool pointed = type.kind == Kind::pointer && type.element && type.element->kind == Kind::array && (type.element->size == 4 || type.element->size == 16);
      const bool chosen = type.kind == Kind::pointer && node.arguments.size() == 2;
      if (!bytes && !pointed && !chosen && !is_integer_like(type) && type.kind != Kind::structure)
        return refuse(address.at, fmt::format("ntop() takes an integer, 4 or 16 bytes, and this is a `{}`", to_string(type)));
      if (type.kind == Kind::structure && type.size != 4 && type.size != 16) return refuse(address.at, fmt::format("ntop() takes 4 or 16 bytes, and this has {}", type.size));
      if (is_integer_like(type)) convert(address, uint64_type());
      return simple_type(Kind::inet);
    }
    case FunctionId::macaddr: {
      expression(*first);
      const Type& type = first->type;
      if (is_unknown(type)) return unknown_type();
      const bool six = (type.kind == Kind::array && type.size == 6) || (type.kind == Kind::string && type.size >= 6 && type.size <= 7);
      if (!six && type.kind != Kind::pointer) return refuse(first->at, fmt::format("macaddr() takes 6 bytes, and this is a `{}`", to_string(type)));
      return simple_type(Kind::mac);
    }
    case FunctionId::bswap: {
      expression(*first);
      if (is_unknown(first->type)) return unknown_type();
      if (first->type.kind != Kind::integer) return refuse(first->at, fmt::format("bswap() takes an integer, and this is a `{}`", to_string(first->type)));
      return integer_type(first->type.size, false);
    }
    case FunctionId::signal: case FunctionId::signal_thread: {
      if (auto name = constant_string(*first)) {
        std::vector<std::string_view> names;
        for (const probes::SignalRow& signal : probes::signals()) {
          names.push_back(signal.name);
          if (signal.name == *name || signal.name.substr(3) == *name) {
            if (final_) *first = {.node = Integer{.value = static_cast<std::uint64_t>(signal.number)}, .at = first->at, .type = int64_type()};
            return {};
          }
        }
        const std::string_view near = nearest(name->starts_with("SIG") ? *name : "SIG" + *name, names);
        return refuse(first->at, fmt::format("no signal is called `{}`", *name), near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      }
      if (auto number = constant_integer(*first); number && (*number == 0 || *number > 64)) return refuse(first->at, "signals have numbers from 1 to 64");
      return integer_argument(node, 0) ? Type{} : unknown_type();
    }
    case FunctionId::override: return integer_argument(node, 0) ? Type{} : unknown_type();
    case FunctionId::write_user: {
      const bool to = integer_argument(node, 0);
      expression(node.arguments[1]);
      expression(node.arguments[2]);
      auto length = constant_integer(node.arguments[2]);
      if (!length || *length == 0 || *length > checked_.config.max_strlen)
        return refuse(node.arguments[2].at, fmt::format("write_user() writes a constant number of bytes, from 1 to {}", checked_.config.max_strlen));
      return to && !is_unknown(node.arguments[1].type) ? int64_type() : unknown_type();
    }
    case FunctionId::socket_cookie: {
      expression(*first);
      if (is_unknown(first->type)) return unknown_type();
      if (first->type.kind != Kind::pointer) return refuse(first->at, fmt::format("socket_cookie() takes a `struct sock *`, and this is a `{}`", to_string(first->type)));
      return uint64_type();
    }
    case FunctionId::is_err: {
      expression(*first);
      if (is_unknown(first->type)) return unknown_type();
      if (first->type.kind != Kind::pointer && first->type.kind != Kind::integer) return refuse(first->at, fmt::format("is_err() takes a pointer, and this is a `{}`", to_string(first->type)));
      return boolean_type();
    }
    default: return refuse(expr.at, fmt::format("{}() is not known here", row.name));
  }
}

}  // namespace espy::trace
