// Assembly text → instructions, functions, maps: docs/assembly.md has the language.
//
// It takes what `disassemble` prints, what the kernel's verifier log and clang's assembler spell differently, labels,
// and directives enough to write a whole object. The result knows nothing of files: src/object makes objects of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "isa/insn.hpp"
#include "isa/match.hpp"
#include "isa/reference.hpp"

namespace espy::isa {

struct AssembledFunction {
  std::string name;
  std::string section;                 ///< ".text" unless a `.section` says otherwise
  bool is_global = true;               ///< false after `.local NAME`
  std::vector<Insn> insns = {};
  std::vector<Reference> references = {};   ///< by instruction
  std::uint32_t line = 0;              ///< where it begins in the text
};

/// One `key=value` of a directive.
struct Attribute {
  std::string key, value;
  std::uint32_t line = 0, column = 0;
};

struct AssembledMap {
  std::string name;
  std::vector<Attribute> attributes = {};   ///< type=hash key=4 …: what they mean is the object floor's business
  std::vector<std::byte> contents = {};     ///< `.bytes`, `.ascii`, `.zero` behind it
  std::uint32_t line = 0;
};

/// `.extern NAME KIND [weak]`
struct AssembledExtern {
  std::string name, kind;
  bool weak = false;
  std::uint32_t line = 0;
};

struct Assembled {
  std::string license;
  std::optional<std::uint32_t> version;
  std::vector<AssembledFunction> functions;
  std::vector<AssembledMap> maps;
  std::vector<AssembledExtern> externs;
};

struct AssembleOptions {
  std::string file = "";               ///< named in errors
  HelperNumber helper_number = nullptr;
};

/// Assembles a text. The first error ends it: its place is "file:line:column", its notes show the line with a caret.
Result<Assembled> assemble(std::string_view text, const AssembleOptions& options = {});

/// Instructions alone, as one function: for tests and tools. Directives other than `.slot` and names are errors.
Result<std::vector<Insn>> assemble_insns(std::string_view text, const AssembleOptions& options = {});

}  // namespace espy::isa
