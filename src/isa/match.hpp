// Reads one instruction by matching a line's words against the syntax templates of the opcode table.
//
// Every template is tried; the line is the instruction whose template it matches whole. If none does, the error is at the
// word that the furthest template could not take, and says what any template would have taken there: so what the
// assembler expects is never written down twice.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "isa/decode.hpp"
#include "isa/reference.hpp"
#include "isa/token.hpp"

namespace espy::isa {

/// A helper's number by its name; nullopt: no such helper.
using HelperNumber = std::function<std::optional<std::uint32_t>(std::string_view name)>;

/// One instruction as its line says it.
struct MatchedLine {
  Instruction instruction;
  std::string_view label;            ///< the target of a jump that names a label; else empty
  std::size_t label_token = 0;
  std::optional<Reference> reference;
  std::size_t reference_token = 0;
};

/// Why a line is no instruction.
struct Mismatch {
  std::size_t token = 0;   ///< the word at which it goes wrong
  std::string message;
  std::string hint;
};

/// `tokens` ends in an end token.
std::expected<MatchedLine, Mismatch> match_line(std::span<const Token> tokens, const HelperNumber& helper_number);

}  // namespace espy::isa
