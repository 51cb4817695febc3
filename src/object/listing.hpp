// An object as assembly text: the other direction of object/asm.hpp, in the language of docs/assembly.md.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "isa/disassemble.hpp"
#include "object/link.hpp"
#include "object/spec.hpp"

namespace espy::object {

struct ListingOptions {
  /// Functions to show: programs or subprograms by name; empty: the whole object, with its maps and externs.
  std::vector<std::string> functions = {};
  isa::JumpStyle jumps = isa::JumpStyle::annotated;
  bool numbers = true;        ///< instruction numbers before instructions
  bool source_lines = true;   ///< source text from line info as comments
};

/// The object as it is in its file: maps, subprograms and whatever instructions refer to go by name. What it prints
/// assembles to an object of the same code. A function that is not there is an error that lists those that are.
Result<std::string> listing(const ObjectSpec& object, const ListingOptions& options = {});

/// The functions with these names, programs before subprograms; no names: all.
Result<std::vector<const FunctionSpec*>> functions_named(const ObjectSpec& object, const std::vector<std::string>& names);

/// A linked program: its subprograms stand behind its own code, each under a comment with its name, and calls of them
/// are distances; maps go by name. `object` is the one it was linked from.
std::string listing(const LinkedProgram& program, const ObjectSpec& object, const ListingOptions& options = {});

/// One slot a line, as the 16 hexadecimal digits of its 64-bit little-endian value.
std::string raw_listing(std::span<const isa::Insn> code);

}  // namespace espy::object
