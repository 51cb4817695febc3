#include "trace/syntax/spell.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "trace/syntax/lexer.hpp"
#include "trace/syntax/operators.hpp"
#include "trace/syntax/print.hpp"

namespace espy::trace {

namespace {

// How tightly what an expression is made of binds, on from the binary operators' 1 to 10.
constexpr unsigned kTernary = 0, kUnary = 11, kPostfix = 12, kPrimary = 13;

unsigned precedence(const Expr& expr) {
  return std::visit(overload{
      [](const Ternary& node) { return node.is_if ? kPrimary : kTernary; },
      [](const Binary& node) { return row_of(node.op).precedence; },
      [](const Unary& node) { return node.op >= UnaryOp::post_increment ? kPostfix : kUnary; },
      [](const Cast&) { return kUnary; },
      [](const Member&) { return kPostfix; },
      [](const Index&) { return kPostfix; },
      [](const Integer& node) { return node.spelling.empty() && static_cast<std::int64_t>(node.value) < 0 ? kUnary : kPrimary; },
      [](const auto&) { return kPrimary; },
  }, expr.node);
}

std::string spell(const Integer& node) {
  if (!node.spelling.empty()) return node.spelling;
  return node.is_unsigned ? fmt::format("{}u", node.value) : fmt::format("{}", static_cast<std::int64_t>(node.value));
}

}  // namespace

std::string Speller::expr(const Expr& expr, unsigned least) const {
  const std::string text = node(expr);
  if (expr.in_parentheses || precedence(expr) < least) return "(" + text + ")";
  return text;
}

std::string Speller::list(const std::vector<Expr>& list) const {
  std::string text;
  for (const Expr& item : list) {
    if (!text.empty()) text += ", ";
    text += expr(item);
  }
  return text;
}

std::string Speller::unary(const Unary& unary) const {
  const std::string_view op = row_of(unary.op).spelling;
  if (unary.op >= UnaryOp::post_increment) return expr(*unary.operand, kPostfix) + std::string(op);
  const std::string operand = expr(*unary.operand, kUnary);
  // `- -1` is not `--1`, nor `& &x` `&&x`.
  return fmt::format("{}{}{}", op, operand.front() == op.front() ? " " : "", operand);
}

std::string Speller::map(const MapAccess& map) const {
  if (!map.key) return "@" + map.name;
  const auto* keys = std::get_if<TupleLiteral>(&(*map.key)->node);
  const bool is_list = keys && keys->members.size() > 1 && !(*map.key)->in_parentheses;
  return fmt::format("@{}[{}]", map.name, is_list ? list(keys->members) : expr(**map.key));
}

std::string Speller::of(const std::variant<TypeName, Box<Expr>>& of) const {
  if (const auto* name = std::get_if<TypeName>(&of)) return type(*name);
  return expr(*std::get<Box<Expr>>(of));
}

std::string Speller::node(const Expr& whole) const {
  return std::visit(overload{
      [](const Integer& node) { return spell(node); },
      [](const Boolean& node) { return std::string(node.value ? "true" : "false"); },
      [&](const String& node) {
        const std::string_view written = sources_ && !sources_->expansion(whole.at.source) ? sources_->text(whole.at) : std::string_view{};
        const std::size_t open = written.find('"'), close = written.rfind('"');
        if (open != close && unescape(written.substr(open, close - open + 1)) == node.value) return std::string(written.substr(open, close - open + 1));
        return escape(node.value);
      },
      [](const Identifier& node) { return node.name; },
      [](const Positional& node) { return node.index == 0 ? "$#" : fmt::format("${}", node.index); },
      [](const Variable& node) { return "$" + node.name; },
      [&](const MapAccess& node) { return map(node); },
      [&](const Call& node) { return fmt::format("{}({})", node.name, list(node.arguments)); },
      [&](const Unary& node) { return unary(node); },
      [&](const Binary& node) {
        const BinaryRow& row = row_of(node.op);
        return fmt::format("{} {} {}", expr(*node.left, row.precedence), row.spelling, expr(*node.right, row.precedence + 1));
      },
      [&](const Ternary& node) {
        if (node.is_if) return fmt::format("if ({}) {} else {}", expr(*node.condition), expr(**node.then), expr(*node.otherwise));
        const std::string condition = expr(*node.condition, kTernary + 1), otherwise = expr(*node.otherwise);
        return node.then ? fmt::format("{} ? {} : {}", condition, expr(**node.then), otherwise) : fmt::format("{} ?: {}", condition, otherwise);
      },
      [&](const Cast& node) {
        if (node.to.name.empty() && !node.to.of) return expr(*node.operand, kUnary);
        return fmt::format("({}){}", type(node.to), expr(*node.operand, kUnary));
      },
      [&](const Member& node) { return fmt::format("{}{}{}", expr(*node.object, kPostfix), node.arrow ? "->" : ".", node.name); },
      [&](const Index& node) { return fmt::format("{}[{}]", expr(*node.object, kPostfix), expr(*node.index)); },
      [&](const TupleLiteral& node) { return fmt::format("({}{})", list(node.members), node.members.size() == 1 ? "," : ""); },
      [&](const RecordLiteral& node) {
        std::string text;
        for (const auto& [name, value] : node.members) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, expr(value));
        return "(" + text + ")";
      },
      [&](const SizeOf& node) { return fmt::format("sizeof({})", of(node.of)); },
      [&](const OffsetOf& node) { return fmt::format("offsetof({}, {})", of(node.of), fmt::join(node.path, ".")); },
      [&](const TypeOf& node) {
        const bool is_asked = node.type.tag == TypeName::Tag::type_of && node.type.suffixes.empty();
        const std::string inner = is_asked ? expr(**node.type.of) : type(node.type);
        return fmt::format("{}({})", node.info ? "typeinfo" : "typeof", inner);
      },
      [&](const BlockExpr& node) { return block_(node); },
  }, whole.node);
}

std::string Speller::type(const TypeName& type) const {
  std::string text;
  switch (type.tag) {
    case TypeName::Tag::plain: text = type.name; break;
    case TypeName::Tag::struct_: text = "struct " + type.name; break;
    case TypeName::Tag::union_: text = "union " + type.name; break;
    case TypeName::Tag::enum_: text = "enum " + type.name; break;
    case TypeName::Tag::type_of: text = type.of ? fmt::format("typeof({})", expr(**type.of)) : "typeof()"; break;
  }
  for (const auto& suffix : type.suffixes) {
    const auto* array = std::get_if<TypeName::Array>(&suffix);
    if (!array) text += text.ends_with('*') ? "*" : " *";
    else text += array->count ? fmt::format("[{}]", *array->count) : "[]";
  }
  return text;
}

std::string to_string(const TypeName& type) { return Speller(nullptr, [](const BlockExpr&) { return std::string("{ … }"); }).type(type); }

}  // namespace espy::trace
