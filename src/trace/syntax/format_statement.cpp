#include <fmt/format.h>

#include "base/text.hpp"
#include "trace/syntax/format.hpp"
#include "trace/syntax/operators.hpp"

namespace espy::trace {

namespace {

constexpr std::size_t kWidth = 100;

}  // namespace

void Formatter::block(const Block& block, const Expr* value) {
  const bool has_comment = !inline_ && next_comment_ < script_->comments.size() && script_->comments[next_comment_].at.begin < block.at.end;
  if (block.statements.empty() && !value && !has_comment) {
    out_ += "{ }";
    done_ = block.at.end;
    return;
  }
  out_ += '{';
  const std::uint32_t open = block.at.begin + 1;
  const bool is_first_inside = has_comment && script_->comments[next_comment_].at.begin >= open;
  done_ = open;
  if (is_first_inside) comments_behind(open);
  line_end();
  ++indent_;
  block_begins_ = true;
  for (const Statement& next : block.statements) statement(next);
  if (value) {
    if (!inline_) comments_before(value->at.begin), blank_line_before(value->at.begin);
    line_begin();
    out_ += speller_.expr(*value);
    done_ = value->at.end;
    if (!inline_) comments_behind(done_);
    line_end();
  }
  if (!inline_) comments_before(block.at.end);
  --indent_;
  line_begin();
  out_ += '}';
  done_ = block.at.end;
  block_begins_ = false;
}

void Formatter::statement(const Statement& statement) {
  if (!inline_) {
    comments_before(statement.at.begin);
    blank_line_before(statement.at.begin);
  }
  line_begin();
  body(statement.node);
  block_begins_ = false;
  if (!inline_) {
    done_ = statement.at.end;
    comments_behind(done_);
  }
  line_end();
}

/// A statement that ends in `;`. Where it is too long for a line, the arguments of the call that it is break.
void Formatter::simple(std::string text, const Expr* wrap) {
  if (wrap && !inline_ && indent_ * 2 + text.size() >= kWidth) text = wrapped(text, *wrap);
  out_ += text;
  out_ += ';';
}

std::string Formatter::wrapped(const std::string& text, const Expr& expr) const {
  const auto* call = std::get_if<Call>(&expr.node);
  if (!call || expr.in_parentheses) return text;
  std::string broken = text.substr(0, text.size() - speller_.expr(expr).size()) + call->name + "(";
  std::size_t column = indent_ * 2 + broken.size();
  const std::string margin(indent_ * 2 + 4, ' ');
  for (std::size_t number = 0; number < call->arguments.size(); ++number) {
    std::string argument = speller_.expr(call->arguments[number]) + (number + 1 < call->arguments.size() ? "," : ")");
    if (number > 0 && column + 1 + argument.size() >= kWidth) {
      broken += "\n" + margin;
      column = margin.size();
    } else if (number > 0) {
      broken += ' ', ++column;
    }
    broken += argument;
    column += argument.size();
  }
  return call->arguments.empty() ? text : broken;
}

void Formatter::if_chain(const If& node) {
  out_ += fmt::format("if ({}) ", speller_.expr(node.condition));
  block(node.then);
  if (!node.otherwise) return;
  out_ += " else ";
  const auto* chained = node.otherwise->statements.size() == 1 ? std::get_if<If>(&node.otherwise->statements[0].node) : nullptr;
  // A block that is no block of the source's is an `else if`.
  if (chained && node.otherwise->at == node.otherwise->statements[0].at) if_chain(*chained);
  else block(*node.otherwise);
}

void Formatter::body(const Statement::Node& node) {
  const auto expr = [&](const Expr& value) { return speller_.expr(value); };
  std::visit(overload{
      [&](const ExprStatement& it) { simple(expr(it.value), &it.value); },
      [&](const Discard& it) { simple("_ = " + expr(it.value), &it.value); },
      [&](const Assign& it) {
        simple(fmt::format("{} {}= {}", expr(it.target), it.op ? row_of(*it.op).spelling : "", expr(it.value)), &it.value);
      },
      [&](const Declare& it) {
        std::string text = "let $" + it.variable.name;
        if (it.type) text += " : " + speller_.type(*it.type);
        if (it.value) text += " = " + expr(*it.value);
        simple(std::move(text), it.value ? &*it.value : nullptr);
      },
      [&](const If& it) { if_chain(it); },
      [&](const Unroll& it) { out_ += fmt::format("unroll ({}) ", expr(it.count)), block(it.body); },
      [&](const While& it) { out_ += fmt::format("while ({}) ", expr(it.condition)), block(it.body); },
      [&](const ForMap& it) { out_ += fmt::format("for ${} : {} ", it.binding.name, speller_.map(it.map)), block(it.body); },
      [&](const ForRange& it) {
        out_ += fmt::format("for ${} : {}..{} ", it.binding.name, expr(it.from), expr(it.to));
        block(it.body);
      },
      [&](const Break&) { simple("break"); },
      [&](const Continue&) { simple("continue"); },
      [&](const Return& it) { simple(it.value ? "return " + expr(*it.value) : "return"); },
      [&](const Import& it) { simple("import " + expr(Expr{.node = String{it.path}, .at = it.path_at})); },
      [&](const Block& it) { block(it); },
  }, node);
}

}  // namespace espy::trace
