// The operators: how they are spelled and how tightly they bind.
#pragma once

#include <array>
#include <string_view>

#include "trace/syntax/ast.hpp"
#include "trace/syntax/lexer.hpp"

namespace espy::trace {

struct BinaryRow {
  BinaryOp op;
  TokenKind token;
  std::string_view spelling;
  unsigned precedence;  ///< binds tighter where it is higher, as in C
};
/// One row for each BinaryOp, in its order.
inline constexpr std::array kBinaryOps = std::to_array<BinaryRow>({
    {BinaryOp::add, TokenKind::plus, "+", 9}, {BinaryOp::sub, TokenKind::minus, "-", 9},
    {BinaryOp::mul, TokenKind::star, "*", 10}, {BinaryOp::div, TokenKind::slash, "/", 10}, {BinaryOp::mod, TokenKind::percent, "%", 10},
    {BinaryOp::bit_and, TokenKind::amp, "&", 5}, {BinaryOp::bit_or, TokenKind::pipe, "|", 3}, {BinaryOp::bit_xor, TokenKind::caret, "^", 4},
    {BinaryOp::shift_left, TokenKind::shift_left, "<<", 8}, {BinaryOp::shift_right, TokenKind::shift_right, ">>", 8},
    {BinaryOp::logical_and, TokenKind::amp_amp, "&&", 2}, {BinaryOp::logical_or, TokenKind::pipe_pipe, "||", 1},
    {BinaryOp::equal, TokenKind::equal, "==", 6}, {BinaryOp::not_equal, TokenKind::not_equal, "!=", 6},
    {BinaryOp::less, TokenKind::less, "<", 7}, {BinaryOp::less_equal, TokenKind::less_equal, "<=", 7},
    {BinaryOp::greater, TokenKind::greater, ">", 7}, {BinaryOp::greater_equal, TokenKind::greater_equal, ">=", 7},
});

struct UnaryRow {
  UnaryOp op;
  TokenKind token;
  std::string_view spelling;
};
/// One row for each UnaryOp, in its order; the last two are written behind their operand.
inline constexpr std::array kUnaryOps = std::to_array<UnaryRow>({
    {UnaryOp::minus, TokenKind::minus, "-"}, {UnaryOp::logical_not, TokenKind::bang, "!"}, {UnaryOp::bit_not, TokenKind::tilde, "~"},
    {UnaryOp::dereference, TokenKind::star, "*"}, {UnaryOp::address_of, TokenKind::amp, "&"},
    {UnaryOp::pre_increment, TokenKind::increment, "++"}, {UnaryOp::pre_decrement, TokenKind::decrement, "--"},
    {UnaryOp::post_increment, TokenKind::increment, "++"}, {UnaryOp::post_decrement, TokenKind::decrement, "--"},
});

consteval bool operators_are_in_order() {
  for (std::size_t row = 0; row < kBinaryOps.size(); ++row) {
    if (static_cast<std::size_t>(kBinaryOps[row].op) != row) return false;
  }
  for (std::size_t row = 0; row < kUnaryOps.size(); ++row) {
    if (static_cast<std::size_t>(kUnaryOps[row].op) != row) return false;
  }
  return true;
}
static_assert(operators_are_in_order());

inline constexpr const BinaryRow& row_of(BinaryOp op) { return kBinaryOps[static_cast<std::size_t>(op)]; }
inline constexpr const UnaryRow& row_of(UnaryOp op) { return kUnaryOps[static_cast<std::size_t>(op)]; }

/// The operator that a token between two operands is; null: none.
constexpr const BinaryRow* binary_row(TokenKind token) {
  if (token < TokenKind::plus) return nullptr;
  for (const BinaryRow& row : kBinaryOps) {
    if (row.token == token) return &row;
  }
  return nullptr;
}

/// The operator that a token before an operand is; null: none.
constexpr const UnaryRow* unary_row(TokenKind token) {
  if (token < TokenKind::increment) return nullptr;
  for (const UnaryRow& row : kUnaryOps) {
    if (row.token == token) return &row;
  }
  return nullptr;
}

}  // namespace espy::trace
