// Functions of strings and bytes.
#include <fmt/format.h>

#include <algorithm>

#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

bool is_text_pointer(const Type& type) {
  return type.kind == Kind::pointer && (!type.element || type.element->kind == Kind::none || type.element->size == 1 || type.element->kind == Kind::string);
}

/// How many bytes of text a value can have with its NUL.
std::uint32_t capacity(const Type& type, std::uint64_t most) {
  if (type.kind == Kind::string || type.kind == Kind::array) return type.size;
  return static_cast<std::uint32_t>(most);
}

}  // namespace

/// An argument that is text: a string, an array of bytes, or a pointer to text, which is read as str() does.
bool Checker::text_argument(Call& node, std::size_t index) {
  Expr& argument = node.arguments[index];
  expression(argument);
  const Type& type = argument.type;
  if (is_unknown(type)) return false;
  if (type.kind == Kind::string || (type.kind == Kind::array && type.element && type.element->size == 1) || is_text_pointer(type)) return true;
  error(argument.at, fmt::format("{}() takes a string here, and this is a `{}`", node.name, to_string(type)),
        type.kind == Kind::integer || type.kind == Kind::pointer ? "read it first: `str(p)`" : "");
  return false;
}

/// A length argument: how many bytes at most the result has. A constant settles it; `extra` is added to one.
std::uint32_t Checker::length_argument(Call& node, std::size_t index, std::uint64_t limit, std::uint32_t extra) {
  Expr& argument = node.arguments[index];
  expression(argument);
  auto constant = constant_integer(argument);
  if (!constant) {
    integer_argument(node, index);
    return static_cast<std::uint32_t>(limit);
  }
  if (argument.type.kind == Kind::integer && static_cast<std::int64_t>(*constant) < 0) {
    error(argument.at, fmt::format("{}() takes no negative length", node.name));
    return static_cast<std::uint32_t>(limit);
  }
  if (*constant + extra > limit) {
    warning(argument.at, fmt::format("at most {} bytes are read", limit), "set max_strlen for more");
    return static_cast<std::uint32_t>(limit);
  }
  if (final_) integer_argument(node, index);
  return std::max<std::uint32_t>(static_cast<std::uint32_t>(*constant) + extra, 1);
}

Type Checker::read_string(Expr&, Call& node) {
  const std::uint64_t limit = checked_.config.max_strlen;
  Expr& source = node.arguments.front();
  expression(source);
  std::uint32_t bytes = static_cast<std::uint32_t>(limit);
  if (node.arguments.size() == 2) bytes = length_argument(node, 1, limit, 1);
  const Type& type = source.type;
  if (is_unknown(type)) return unknown_type();
  if (type.kind == Kind::string || (type.kind == Kind::array && type.element && type.element->size == 1)) return string_type(std::min(bytes, std::max(type.size, 1U)));
  if (type.kind == Kind::pointer || type.kind == Kind::integer) return string_type(bytes);
  return refuse(source.at, fmt::format("str() takes an address of text, and this is a `{}`", to_string(type)));
}

Type Checker::read_buffer(Expr&, Call& node) {
  const std::uint64_t limit = checked_.config.max_strlen;
  Expr& source = node.arguments.front();
  expression(source);
  const Type& type = source.type;
  if (is_unknown(type)) return unknown_type();
  const bool sized = type.kind == Kind::array || type.kind == Kind::string || type.kind == Kind::structure;
  if (!sized && type.kind != Kind::pointer && type.kind != Kind::integer)
    return refuse(source.at, fmt::format("buf() takes an address or an array, and this is a `{}`", to_string(type)));
  if (node.arguments.size() == 2) return buffer_type(length_argument(node, 1, limit, 0));
  if (!sized) return refuse(source.at, "buf() of an address takes a length", "as in buf(p, 16)");
  if (type.size > limit) warning(source.at, fmt::format("at most {} bytes are read", limit), "set max_strlen for more");
  return buffer_type(static_cast<std::uint32_t>(std::min<std::uint64_t>(type.size, limit)));
}

Type Checker::string_call(Expr& expr, Call& node, const Function& row) {
  const std::uint64_t limit = checked_.config.max_strlen;
  switch (row.id) {
    case FunctionId::str: return read_string(expr, node);
    case FunctionId::buf: return read_buffer(expr, node);
    case FunctionId::path: {
      Expr& source = node.arguments.front();
      expression(source);
      const std::uint32_t bytes = node.arguments.size() == 2 ? length_argument(node, 1, limit, 0) : static_cast<std::uint32_t>(limit);
      const Type& type = source.type;
      if (is_unknown(type)) return unknown_type();
      const Type& target = type.kind == Kind::pointer && type.element ? *type.element : type;
      if (target.kind != Kind::structure || to_string(target) != "struct path")
        return refuse(source.at, fmt::format("path() takes a `struct path`, and this is a `{}`", to_string(type)));
      return string_type(bytes);
    }
    case FunctionId::str_concat: {
      if (!(static_cast<unsigned>(text_argument(node, 0)) & static_cast<unsigned>(text_argument(node, 1)))) return unknown_type();
      const std::uint64_t both = std::uint64_t{capacity(node.arguments[0].type, limit)} + capacity(node.arguments[1].type, limit) - 1;
      return string_type(static_cast<std::uint32_t>(std::min(both, std::max<std::uint64_t>(limit, capacity(node.arguments[0].type, limit)))));
    }
    case FunctionId::strlen: return text_argument(node, 0) ? uint64_type() : unknown_type();
    case FunctionId::strncmp: case FunctionId::memcmp: {
      bool good = true;
      for (std::size_t i = 0; i < 2; ++i) {
        if (row.id == FunctionId::strncmp) {
          good &= text_argument(node, i);
          continue;
        }
        const Type& type = expression(node.arguments[i]);
        const bool bytes = type.kind == Kind::array || type.kind == Kind::string || type.kind == Kind::buffer || type.kind == Kind::pointer || type.kind == Kind::structure;
        if (!bytes && !is_unknown(type)) error(node.arguments[i].at, fmt::format("memcmp() compares bytes, and this is a `{}`", to_string(type)));
        good &= bytes;
      }
      expression(node.arguments[2]);
      auto length = constant_integer(node.arguments[2]);
      if (!length && !is_unknown(node.arguments[2].type)) return refuse(node.arguments[2].at, fmt::format("{}() compares a constant number of bytes", row.name));
      if (length && *length > limit && good)
        return refuse(node.arguments[2].at, fmt::format("{}() compares at most {} bytes", row.name, limit), "set max_strlen for more");
      return good ? int64_type() : unknown_type();
    }
    case FunctionId::strcontains: case FunctionId::strstr:
      return (static_cast<unsigned>(text_argument(node, 0)) & static_cast<unsigned>(text_argument(node, 1))) != 0
                 ? (row.id == FunctionId::strstr ? int64_type() : boolean_type())
                 : unknown_type();
    case FunctionId::globmatch: {
      auto pattern = literal_argument(node, 1);
      return text_argument(node, 0) && pattern ? boolean_type() : unknown_type();
    }
    default: return unknown_type();
  }
}

}  // namespace espy::trace
