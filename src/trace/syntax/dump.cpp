// The tree as a tree, for -d ast.
#include <fmt/format.h>

#include "base/text.hpp"
#include "trace/syntax/lexer.hpp"
#include "trace/syntax/operators.hpp"
#include "trace/syntax/print.hpp"

namespace espy::trace {

namespace {

class Dumper {
 public:
  explicit Dumper(unsigned indent) : indent_(indent) {}
  std::string take() { return std::move(out_); }
  void script(const Script& script);
  void block(const Block& block);
  void expr(const Expr& expr);

 private:
  struct Deeper {
    explicit Deeper(unsigned& indent) : indent(indent) { ++indent; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    ~Deeper() { --indent; }
    unsigned& indent;
  };

  void line(std::string_view text) { out_ += fmt::format("{:{}}{}\n", "", indent_ * 2, text); }
  void under(std::string_view title, const Expr& child) {
    line(title);
    const Deeper deeper(indent_);
    expr(child);
  }
  void under(std::string_view title, const Block& child) {
    line(title);
    const Deeper deeper(indent_);
    block(child);
  }
  void statement(const Statement& statement);
  void if_statement(const If& node);
  void children(const Expr& expr);
  void block_value(const BlockExpr& node);
  void of(const std::variant<TypeName, Box<Expr>>& of);
  static std::string title(const Expr& expr);

  std::string out_;
  unsigned indent_;
};

std::string Dumper::title(const Expr& expr) {
  return std::visit(overload{
      [&](const Integer& node) { return fmt::format("integer {}{}", to_string(expr), node.is_unsigned ? " unsigned" : ""); },
      [](const Boolean& node) { return fmt::format("bool {}", node.value); },
      [](const String& node) { return "string " + escape(node.value); },
      [](const Identifier& node) { return "name " + node.name; },
      [](const Positional& node) { return node.index == 0 ? std::string("parameters $#") : fmt::format("parameter ${}", node.index); },
      [](const Variable& node) { return "variable $" + node.name; },
      [](const MapAccess& node) { return "map @" + node.name; },
      [](const Call& node) { return "call " + node.name; },
      [](const Unary& node) {
        return fmt::format("unary {}{}", row_of(node.op).spelling, node.op >= UnaryOp::post_increment ? " after" : "");
      },
      [](const Binary& node) { return fmt::format("binary {}", row_of(node.op).spelling); },
      [](const Ternary& node) { return std::string(node.is_if ? "if" : "ternary"); },
      [](const Cast& node) { return node.to.name.empty() && !node.to.of ? std::string("convert") : "cast " + to_string(node.to); },
      [](const Member& node) { return fmt::format("member {}{}", node.arrow ? "->" : ".", node.name); },
      [](const Index&) { return std::string("index"); },
      [](const TupleLiteral&) { return std::string("tuple"); },
      [](const RecordLiteral&) { return std::string("record"); },
      [](const SizeOf&) { return std::string("sizeof"); },
      [](const OffsetOf& node) { return fmt::format("offsetof {}", fmt::join(node.path, ".")); },
      [](const TypeOf& node) { return fmt::format("{} {}", node.info ? "typeinfo" : "typeof", to_string(node.type)); },
      [](const BlockExpr&) { return std::string("block"); },
  }, expr.node);
}

void Dumper::of(const std::variant<TypeName, Box<Expr>>& of) {
  if (const auto* type = std::get_if<TypeName>(&of)) line("type " + to_string(*type));
  else expr(*std::get<Box<Expr>>(of));
}

void Dumper::block_value(const BlockExpr& node) {
  block(node.block);
  under("value", *node.value);
}

void Dumper::children(const Expr& whole) {
  std::visit(overload{
      [&](const MapAccess& node) { if (node.key) expr(**node.key); },
      [&](const Call& node) { for (const Expr& argument : node.arguments) expr(argument); },
      [&](const Unary& node) { expr(*node.operand); },
      [&](const Binary& node) { expr(*node.left), expr(*node.right); },
      [&](const Ternary& node) {
        expr(*node.condition);
        if (node.then) expr(**node.then);
        expr(*node.otherwise);
      },
      [&](const Cast& node) { expr(*node.operand); },
      [&](const Member& node) { expr(*node.object); },
      [&](const Index& node) { expr(*node.object), expr(*node.index); },
      [&](const TupleLiteral& node) { for (const Expr& member : node.members) expr(member); },
      [&](const RecordLiteral& node) { for (const auto& [name, value] : node.members) under(name, value); },
      [&](const SizeOf& node) { of(node.of); },
      [&](const OffsetOf& node) { of(node.of); },
      [&](const BlockExpr& node) { block_value(node); },
      [](const auto&) {},
  }, whole.node);
}

void Dumper::expr(const Expr& expr) {
  line(expr.type.kind == Kind::none ? title(expr) : fmt::format("{} :: {}", title(expr), to_string(expr.type)));
  const Deeper deeper(indent_);
  children(expr);
}

void Dumper::if_statement(const If& node) {
  line("if");
  const Deeper deeper(indent_);
  expr(node.condition);
  under("then", node.then);
  if (node.otherwise) under("else", *node.otherwise);
}

void Dumper::statement(const Statement& statement) {
  std::visit(overload{
      [&](const ExprStatement& it) { expr(it.value); },
      [&](const Discard& it) { under("discard", it.value); },
      [&](const Assign& it) {
        under(fmt::format("assign {}=", it.op ? row_of(*it.op).spelling : ""), it.target);
        const Deeper deeper(indent_);
        expr(it.value);
      },
      [&](const Declare& it) {
        line(fmt::format("let ${}{}", it.variable.name, it.type ? " : " + to_string(*it.type) : ""));
        const Deeper deeper(indent_);
        if (it.value) expr(*it.value);
      },
      [&](const If& it) { if_statement(it); },
      [&](const Unroll& it) { under("unroll", it.count), under("body", it.body); },
      [&](const While& it) { under("while", it.condition), under("body", it.body); },
      [&](const ForMap& it) { under(fmt::format("for ${} : @{}", it.binding.name, it.map.name), it.body); },
      [&](const ForRange& it) {
        under(fmt::format("for ${} from", it.binding.name), it.from);
        under("to", it.to);
        under("body", it.body);
      },
      [&](const Break&) { line("break"); },
      [&](const Continue&) { line("continue"); },
      [&](const Return& it) {
        line("return");
        const Deeper deeper(indent_);
        if (it.value) expr(*it.value);
      },
      [&](const Import& it) { line("import " + escape(it.path)); },
      [&](const Block& it) { under("block", it); },
  }, statement.node);
}

void Dumper::block(const Block& block) {
  for (const Statement& next : block.statements) statement(next);
}

void Dumper::script(const Script& script) {
  for (const Preamble& it : script.preambles) {
    line("c");
    const Deeper deeper(indent_);
    for (const std::string_view text : split(trim(it.text), '\n')) line(text);
  }
  for (const ConfigEntry& it : script.config) under("config " + it.name, it.value);
  for (const Import& it : script.imports) line("import " + escape(it.path));
  for (const MapDeclaration& it : script.maps) under(fmt::format("map @{} = {}", it.name, it.kind), it.size);
  for (const Macro& it : script.macros) {
    line("macro " + it.name);
    const Deeper deeper(indent_);
    for (const MacroParameter& parameter : it.parameters) {
      const char* mark = parameter.kind == MacroParameter::Kind::variable ? "$" : parameter.kind == MacroParameter::Kind::map ? "@" : "";
      line(fmt::format("parameter {}{}{}", mark, parameter.name, parameter.type ? " : " + to_string(*parameter.type) : ""));
    }
    block(it.body.block);
    if (it.has_value) under("value", *it.body.value);
  }
  for (const Subprogram& it : script.subprograms) {
    line(fmt::format("fn {} : {}", it.name, to_string(it.returns)));
    const Deeper deeper(indent_);
    for (const SubprogramParameter& parameter : it.parameters) line(fmt::format("parameter ${} : {}", parameter.name, to_string(parameter.type)));
    block(it.body);
  }
  for (const Probe& it : script.probes) {
    line(it.label.empty() ? "probe" : "probe " + it.label);
    const Deeper deeper(indent_);
    for (const AttachPointText& point : it.attach_points) line("at " + point.text);
    if (it.predicate) under("if", *it.predicate);
    block(it.body);
  }
}

}  // namespace

std::string dump(const Script& script) {
  Dumper dumper(0);
  dumper.script(script);
  return dumper.take();
}

std::string dump(const Block& block, unsigned indent) {
  Dumper dumper(indent);
  dumper.block(block);
  return dumper.take();
}

std::string dump(const Expr& expr, unsigned indent) {
  Dumper dumper(indent);
  dumper.expr(expr);
  return dumper.take();
}

}  // namespace espy::trace
