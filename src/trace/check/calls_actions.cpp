// Calls that send a record for user space to act on: each becomes an Action.
#include <fmt/format.h>

#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

Action::Kind action_kind(FunctionId id) {
  switch (id) {
    case FunctionId::printf: return Action::Kind::printf;
    case FunctionId::errorf: return Action::Kind::errorf;
    case FunctionId::warnf: return Action::Kind::warnf;
    case FunctionId::cat: return Action::Kind::cat;
    case FunctionId::system: return Action::Kind::system;
    case FunctionId::time: return Action::Kind::time;
    case FunctionId::join: return Action::Kind::join;
    case FunctionId::clear: return Action::Kind::clear;
    case FunctionId::zero: return Action::Kind::zero;
    case FunctionId::exit: return Action::Kind::exit;
    case FunctionId::unwatch: return Action::Kind::watchpoint_off;
    case FunctionId::skboutput: return Action::Kind::skb_output;
    default: return Action::Kind::print_value;
  }
}

// exit, clear and the like pass where data has filled the ring.
bool is_control(Action::Kind kind) {
  switch (kind) {
    case Action::Kind::exit: case Action::Kind::clear: case Action::Kind::zero: case Action::Kind::print_map: case Action::Kind::errorf:
    case Action::Kind::watchpoint_off:
      return true;
    default: return false;
  }
}

constexpr std::uint32_t kJoined = 16;  // strings that join() reads at most

}  // namespace

std::uint32_t Checker::add_action(Action action) {
  if (!final_) return 0;
  checked_.actions.push_back(std::move(action));
  return static_cast<std::uint32_t>(checked_.actions.size() - 1);
}

/// The format and arguments of printf and its kin.
void Checker::formatted_action(Call& node, const Function& row, Action& action) {
  auto format = literal_argument(node, 0);
  for (std::size_t i = 1; i < node.arguments.size(); ++i) {
    Expr& argument = node.arguments[i];
    expression(argument);
    if (argument.type.kind == Kind::none) error(argument.at, "this has no value to print");
  }
  if (!format) return;
  ParsedFormat parsed = parse_format_string(*format);
  if (!parsed.problem.empty()) {
    error(node.arguments.front().at, parsed.problem);
    return;
  }
  std::size_t wanted = 0;
  for (const FormatPiece& piece : parsed.pieces) wanted += piece.conversion.empty() ? 0 : 1;
  const std::size_t given = node.arguments.size() - 1;
  if (wanted != given) {
    error(node.arguments.front().at, fmt::format("this format has {} conversion{}, and {}() is given {} value{}", wanted, wanted == 1 ? "" : "s", row.name, given, given == 1 ? "" : "s"));
    return;
  }
  std::size_t next = 1;
  for (const FormatPiece& piece : parsed.pieces) {
    if (piece.conversion.empty()) continue;
    Expr& argument = node.arguments[next++];
    if (argument.type.kind == Kind::none) continue;
    as_number(argument);
    if (const std::string_view takes = conversion_takes(piece.conversion, argument.type); !takes.empty()) {
      const bool text = piece.conversion.ends_with('s') && (argument.type.kind == Kind::pointer || argument.type.kind == Kind::integer);
      const bool whole = argument.type.is_aggregate();
      error(argument.at, fmt::format("`%{}` prints {}, and this is a `{}`", piece.conversion, takes, to_string(argument.type)),
            text ? (argument.type.kind == Kind::pointer ? "read the string first: `str(p)`" : "use %d, or str() if it is an address of text")
                 : whole ? "print(@x) prints it" : "");
    }
    if (final_) argument.type.is_flexible = false;
    action.arguments.push_back({.name = {}, .type = argument.type});
  }
  action.format = std::move(parsed.pieces);
}

void Checker::print_action(Expr& expr, Call& node, Action& action) {
  Expr& what = node.arguments.front();
  auto* access = std::get_if<MapAccess>(&what.node);
  if (access != nullptr && !access->key) {
    if (whole_map(what, "print") == nullptr) return;
    action.kind = Action::Kind::print_map;
    action.map = access->id;
    for (std::size_t i = 1; i < node.arguments.size(); ++i) integer_argument(node, i);
    if (node.arguments.size() == 3)
      if (auto divisor = constant_integer(node.arguments[2]); divisor == 0) error(node.arguments[2].at, "values cannot be divided by 0");
    return;
  }
  expression(what);
  if (node.arguments.size() > 1) {
    error(expr.at, "only a whole map is printed by top and divisor", "as in print(@x, 5)");
    return;
  }
  if (const auto map = entry_of(what)) {
    // Printed as an entry of its map.
    action.kind = Action::Kind::print_map;
    action.map = *map;
    return;
  }
  if (what.type.kind == Kind::none || what.type.kind == Kind::type_name) {
    error(what.at, "this has no value to print");
    return;
  }
  as_number(what);
  // The value is copied; what is pointed to is not: `print(*p)` does.
  if (final_) what.type.is_flexible = false;
  action.arguments.push_back({.name = {}, .type = what.type});
}

Type Checker::asynchronous_call(Expr& expr, Call& node, const Function& row) {
  Action action{.kind = action_kind(row.id), .at = expr.at};
  Type result{};
  switch (row.id) {
    case FunctionId::printf: case FunctionId::errorf: case FunctionId::warnf: case FunctionId::cat: case FunctionId::system:
      formatted_action(node, row, action);
      break;
    case FunctionId::print: print_action(expr, node, action); break;
    case FunctionId::time: {
      std::string format = "%H:%M:%S\n";
      if (!node.arguments.empty()) format = literal_argument(node, 0).value_or("");
      action.text.push_back(std::move(format));
      break;
    }
    case FunctionId::join: {
      Expr& array = node.arguments.front();
      expression(array);
      // What the kernel does not tell the target of is believed.
      const bool pointers = (array.type.kind == Kind::pointer && (!array.type.element || array.type.element->kind == Kind::pointer || array.type.element->kind == Kind::none)) ||
                            (array.type.kind == Kind::array && array.type.element && array.type.element->kind == Kind::pointer);
      if (!is_unknown(array.type) && !pointers && array.type.kind != Kind::integer)
        error(array.at, fmt::format("join() takes a `char **`, and this is a `{}`", to_string(array.type)));
      action.text.push_back(node.arguments.size() == 2 ? literal_argument(node, 1).value_or(" ") : " ");
      // A slot for each string; what is longer than a slot is cut.
      const auto slot = static_cast<std::uint32_t>(std::min<std::uint64_t>(checked_.config.max_strlen, 1024));
      action.arguments.push_back({.name = {}, .type = string_type(slot)});
      action.arguments.push_back({.name = {}, .type = array_of(string_type(slot), kJoined)});
      break;
    }
    case FunctionId::exit:
      if (node.arguments.empty()) {
        if (final_) node.arguments.push_back({.node = Integer{}, .at = expr.at, .type = int64_type()});
      } else if (integer_argument(node, 0)) {
        auto code = constant_integer(node.arguments.front());
        if (code && *code > 255) error(node.arguments.front().at, "an exit code is from 0 to 255");
      }
      action.arguments.push_back({.name = {}, .type = int64_type()});
      break;
    case FunctionId::clear: case FunctionId::zero:
      if (auto* map = whole_map(node.arguments.front(), row.name)) action.map = map->id;
      break;
    case FunctionId::unwatch:
      integer_argument(node, 0);
      action.arguments.push_back({.name = {}, .type = uint64_type()});
      break;
    case FunctionId::skboutput: {
      action.text.push_back(literal_argument(node, 0).value_or(""));
      const Type& buffer = expression(node.arguments[1]);
      if (!is_unknown(buffer) && buffer.kind != Kind::pointer) error(node.arguments[1].at, fmt::format("skboutput() takes a `struct sk_buff *`, and this is a `{}`", to_string(buffer)));
      integer_argument(node, 2);
      expression(node.arguments[3]);
      if (!constant_integer(node.arguments[3])) error(node.arguments[3].at, "the offset is a constant");
      result = int64_type();
      break;
    }
    default: return unknown_type();
  }
  action.control = is_control(action.kind);
  node.action = add_action(std::move(action));
  return result;
}

}  // namespace espy::trace
