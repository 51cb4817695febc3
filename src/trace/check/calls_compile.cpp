// Functions whose value is known while compiling: the call is replaced by it.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.hpp"
#include "facts/kfuncs.hpp"
#include "trace/check/checker.hpp"

namespace espy::trace {

namespace {

Result<std::uint64_t> inode_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return fail_sys(errno, "look at {}", path);
  return status.st_ino;
}

}  // namespace

/// What a predicate says of an argument whose type is known; nullopt: it is none, or the type is not known yet.
std::optional<bool> predicate_of(const Function& row, const Expr& argument) {
  const Type& type = argument.type;
  if (is_unknown(type)) return std::nullopt;
  switch (row.id) {
    case FunctionId::is_literal:
      return std::holds_alternative<Integer>(argument.node) || std::holds_alternative<Boolean>(argument.node) || std::holds_alternative<String>(argument.node);
    case FunctionId::is_ptr: return type.kind == Kind::pointer;
    case FunctionId::is_str: return type.kind == Kind::string;
    case FunctionId::is_array: return type.kind == Kind::array;
    case FunctionId::is_integer: return type.kind == Kind::integer;
    case FunctionId::is_unsigned_integer: return type.kind == Kind::integer && !type.is_signed;
    default: return std::nullopt;
  }
}

Type Checker::predicate_call(Expr& expr, Call& node, const Function& row) {
  Expr& argument = node.arguments.front();
  expression(argument);
  auto value = predicate_of(row, argument);
  if (!value) return unknown_type();
  if (final_) expr.node = Boolean{*value};
  return boolean_type();
}

Type Checker::assertion_call(Expr& expr, Call& node, const Function& row) {
  Expr& first = node.arguments.front();
  if (row.id == FunctionId::fail) {
    for (std::size_t i = 1; i < node.arguments.size(); ++i) expression(node.arguments[i]);
    auto format = literal_argument(node, 0);
    if (!format) return unknown_type();
    std::string text;
    std::size_t next = 1;
    for (const FormatPiece& piece : parse_format_string(*format).pieces) {
      text += piece.literal;
      if (piece.conversion.empty() || next >= node.arguments.size()) continue;
      auto constant = constant_of(node.arguments[next++]);
      if (!constant) return refuse(node.arguments[next - 1].at, "fail() prints constants only");
      text += std::visit(overload{[](const Integer& number) { return number.is_unsigned ? std::to_string(number.value) : std::to_string(static_cast<std::int64_t>(number.value)); },
                                  [](const Boolean& flag) { return std::string(flag.value ? "true" : "false"); },
                                  [](const String& string) { return string.value; }},
                         *constant);
    }
    return refuse(expr.at, text);
  }
  if (row.id == FunctionId::assert_str) {
    const Type& type = expression(first);
    if (!is_unknown(type) && type.kind != Kind::string && !(type.kind == Kind::pointer && type.element && type.element->size == 1))
      error(first.at, fmt::format("this must be a string, and is a `{}`", to_string(type)));
    if (final_) expr.node = Boolean{true};
    return {};
  }
  std::optional<std::string> message;
  if (node.arguments.size() == 2) message = literal_argument(node, 1);
  if (row.id == FunctionId::assert) {
    // if (!condition) { errorf(message); exit(1); }
    std::string format;
    for (char c : message.value_or("assertion failed")) format += c == '%' ? "%%" : std::string(1, c);
    const auto run = [&](std::string name, Expr argument) {
      Expr call{.node = Call{.name = std::move(name), .arguments = {}, .name_at = node.name_at}, .at = expr.at};
      std::get<Call>(call.node).arguments.push_back(std::move(argument));
      return Statement{.node = ExprStatement{std::move(call)}, .at = expr.at};
    };
    If unless{.condition = {.node = Unary{.op = UnaryOp::logical_not, .operand = std::move(first)}, .at = expr.at}, .then = {.statements = {}, .at = expr.at}, .otherwise = {}};
    unless.then.statements.push_back(run("errorf", {.node = String{std::move(format)}, .at = expr.at}));
    unless.then.statements.push_back(run("exit", {.node = Integer{.value = 1}, .at = expr.at}));
    BlockExpr all{.block = {.statements = {}, .at = expr.at}, .value = Expr{.node = Integer{}, .at = expr.at}};
    all.block.statements.push_back({.node = std::move(unless), .at = expr.at});
    expr.node = std::move(all);
    block_value(std::get<BlockExpr>(expr.node));
    return {};
  }
  expression(first);
  auto constant = constant_of(first);
  if (!constant) {
    if (final_ && !is_unknown(first.type)) error(first.at, "static_assert() takes a condition that is known while compiling");
    return {};
  }
  const bool holds = std::visit(overload{[](const Integer& number) { return number.value != 0; }, [](const Boolean& flag) { return flag.value; },
                                         [](const String& text) { return !text.value.empty(); }},
                                *constant);
  if (!holds) error(expr.at, message ? fmt::format("static_assert: {}", *message) : "static_assert does not hold");
  if (final_) expr.node = Boolean{true};
  return {};
}

/// Functions of places: kaddr, uaddr, pton, cgroupid.
Type Checker::place_call(Expr& expr, Call& node, const Function& row) {
  auto name = literal_argument(node, 0);
  if (!name) return unknown_type();
  const Span at = node.arguments.front().at;
  if (row.id == FunctionId::kaddr) {
    if (!final_) return uint64_type();
    if (!options_.kernel_symbol) return refuse(at, "the addresses of the kernel's symbols are not known here");
    auto address = options_.kernel_symbol(*name);
    if (!address) return refuse(at, one_line(address.error()), address.error().hint);
    if (!*address) return refuse(at, fmt::format("the kernel has no symbol `{}`", *name), "/proc/kallsyms lists them");
    expr.node = Integer{.value = **address, .is_unsigned = true};
    return uint64_type();
  }
  if (row.id == FunctionId::cgroupid) {
    if (!final_) return uint64_type();
    auto id = options_.cgroup_id ? options_.cgroup_id(*name) : inode_of(*name);
    if (!id) return refuse(at, one_line(id.error()), id.error().hint);
    expr.node = Integer{.value = *id, .is_unsigned = true};
    return uint64_type();
  }
  if (row.id == FunctionId::pton) {
    std::uint8_t bytes[16];
    const bool six = name->find(':') != std::string::npos;
    if (inet_pton(six ? AF_INET6 : AF_INET, name->c_str(), bytes) != 1) return refuse(at, fmt::format("`{}` is no internet address", *name));
    Type type = array_of(integer_type(1, false), six ? 16 : 4);
    type.space = Space::bpf;
    return type;
  }
  // uaddr: the size of the symbol says what it points to. What moves when it is loaded is found from the probed instruction.
  if (!options_.user_symbol) return pointer_to(uint64_type(), Space::user);
  auto symbol = options_.user_symbol(body_->instance->targets, *name);
  if (!symbol) return refuse(at, one_line(symbol.error()), symbol.error().hint);
  Type element = uint64_type();
  if (symbol->size == 1 || symbol->size == 2 || symbol->size == 4) element = integer_type(static_cast<std::uint32_t>(symbol->size), false);
  if (final_) {
    if (symbol->distance) node.arguments.front().node = Integer{.value = static_cast<std::uint64_t>(*symbol->distance)};
    else expr.node = Integer{.value = symbol->address, .is_unsigned = true};
  }
  return pointer_to(std::move(element), Space::user);
}

/// container_of(field, struct x, name) is ((struct x *)((uint8 *)field - offsetof(struct x, name))).
Type Checker::container_of(Expr& expr, Call& node) {
  const Type& field = expression(node.arguments[0]);
  std::optional<Type> whole;
  if (auto* type = std::get_if<TypeOf>(&node.arguments[1].node)) whole = named_type(type->type);
  else whole = expression(node.arguments[1]);
  if (is_unknown(field) || !whole || is_unknown(*whole)) return unknown_type();
  if (whole->kind == Kind::pointer && whole->element) whole = *whole->element;
  if (field.kind != Kind::pointer) return refuse(node.arguments[0].at, fmt::format("container_of() takes a pointer to a field, and this is a `{}`", to_string(field)));
  // The name: x, or a path x.y.
  std::string path;
  const Expr* part = &node.arguments[2];
  while (auto* member = std::get_if<Member>(&part->node)) {
    path = "." + member->name + path;
    part = &*member->object;
  }
  auto* first = std::get_if<Identifier>(&part->node);
  if (first == nullptr) return refuse(node.arguments[2].at, "container_of() takes the name of a field");
  path = first->name + path;
  std::uint32_t bytes = 0;
  Type at = *whole;
  for (std::string_view name : split(path, '.')) {
    at = complete(at);
    auto place = at.kind == Kind::structure && at.btf.btf ? find_field(*at.btf.btf, at.btf.id, name) : std::nullopt;
    if (!place || place->bits != 0) return refuse(node.arguments[2].at, fmt::format("no field `{}` in `{}`", name, to_string(at)));
    bytes += place->bit_offset / 8;
    at = type_of_btf(at.btf.btf, place->type, Space::none);
  }
  const Space space = field.space == Space::btf ? Space::kernel : field.space;
  Type result = pointer_to(std::move(*whole), space);
  if (!final_) return result;
  const Type byte = pointer_to(integer_type(1, false), space);
  Expr from{.node = Cast{.to = {}, .operand = std::move(node.arguments[0])}, .at = expr.at, .type = byte};
  Expr amount{.node = Integer{.value = bytes}, .at = expr.at, .type = int64_type()};
  Expr difference{.node = Binary{.op = BinaryOp::sub, .left = std::move(from), .right = std::move(amount)}, .at = expr.at, .type = byte};
  expr.node = Cast{.to = {}, .operand = std::move(difference)};
  return result;
}

Type Checker::config_call(Expr& expr, Call& node) {
  auto name = literal_argument(node, 0);
  if (!name) return unknown_type();
  for (const ConfigRow& row : config_rows()) {
    if (row.name != *name) continue;
    const std::string value = value_of(checked_.config, row);
    auto number = parse_number<std::uint64_t>(value);
    Constant constant = number ? Constant(Integer{.value = *number}) : Constant(String{value});
    Type type = number ? literal_type({.value = *number}) : string_type(static_cast<std::uint32_t>(value.size() + 1));
    if (final_) replace(expr, std::move(constant));
    return type;
  }
  std::vector<std::string_view> names;
  for (const ConfigRow& row : config_rows()) names.push_back(row.name);
  const std::string_view near = nearest(*name, names);
  return refuse(node.arguments.front().at, fmt::format("no configuration variable is called `{}`", *name), near.empty() ? "" : fmt::format("did you mean `{}`?", near));
}

Type Checker::compile_time_call(Expr& expr, Call& node, const Function& row) {
  switch (row.id) {
    case FunctionId::is_literal: case FunctionId::is_ptr: case FunctionId::is_str: case FunctionId::is_array: case FunctionId::is_integer:
    case FunctionId::is_unsigned_integer:
      return predicate_call(expr, node, row);
    case FunctionId::fail: case FunctionId::assert_str: case FunctionId::static_assert_: return assertion_call(expr, node, row);
    case FunctionId::getopt: return refuse(expr.at, "getopt() takes constants", std::string(row.signature));
    case FunctionId::kaddr: case FunctionId::uaddr: case FunctionId::pton: case FunctionId::cgroupid: return place_call(expr, node, row);
    case FunctionId::container_of: return container_of(expr, node);
    case FunctionId::config: return config_call(expr, node);
    case FunctionId::default_str_length:
      if (final_) expr.node = Integer{.value = checked_.config.max_strlen};
      return uint64_type();
    case FunctionId::strcap: {
      const bool text = text_argument(node, 0);
      if (!text) return unknown_type();
      const Type& type = node.arguments.front().type;
      const std::uint64_t bytes = type.kind == Kind::pointer ? checked_.config.max_strlen : std::max(type.size, 1U);
      if (final_) expr.node = Integer{.value = type.kind == Kind::string ? bytes - 1 : bytes};
      return uint64_type();
    }
    case FunctionId::kfunc_exist: case FunctionId::kfunc_allowed: {
      auto name = literal_argument(node, 0);
      if (!name) return unknown_type();
      auto btf = kernel_btf();
      bool value = btf && btf->find(*name, btf::Kind::func).has_value();
      if (value && row.id == FunctionId::kfunc_allowed) {
        const facts::KfuncRow* kfunc = facts::find_kfunc(*name);
        const facts::KfuncSetRow* set = kfunc != nullptr ? facts::find_kfunc_set(kfunc->set) : nullptr;
        const facts::ProgTypes callers = kfunc != nullptr && !kfunc->callers.empty() ? kfunc->callers : set != nullptr ? set->callers : facts::ProgTypes{};
        value = body_->instance != nullptr && callers.has(body_->instance->prog_type);
      }
      if (final_) expr.node = Boolean{value};
      return boolean_type();
    }
    default: return refuse(expr.at, fmt::format("{}() is not known here", row.name));
  }
}

}  // namespace espy::trace
