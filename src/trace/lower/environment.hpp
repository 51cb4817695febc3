// Environment: what is known at one point of a function that is being lowered, and how it comes together where ways meet.
//
// Scalar variables of the script are SSA values, so a script's `$x = …` makes no code: the environment remembers the value.
// Where ways meet (after an if, at a loop's head), a variable with different values becomes a parameter of the block. The
// script is structured, so nothing must be searched: a Join collects the ways that lead to it, each with its environment.
//
// The environment also remembers what need not be computed again: keys that stand on the stack, elements that were looked
// up, results of helpers that do not change while a program runs. Where ways meet, that stays which all of them know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace espy::trace::lowering {

/// Bytes that a program may read and write: of the stack, the scratch, a map's value or a record.
struct Address {
  ir::ValueId base = ir::kNoValue;
  std::int64_t offset = 0;

  Address operator+(std::int64_t bytes) const { return {base, offset + bytes}; }
  friend bool operator==(const Address&, const Address&) = default;
};

/// A key that stands ready in memory.
struct KnownKey {
  std::string print;        ///< what it was made of
  Address at;
  friend bool operator==(const KnownKey&, const KnownKey&) = default;
};

/// An element of a map that was looked up.
struct KnownElement {
  std::uint32_t map = 0;
  std::string key;          ///< its KnownKey::print
  ir::ValueId pointer;
  bool present = false;     ///< not null here
};

/// A value that stays the same while the program runs.
struct KnownValue {
  std::string name;
  ir::ValueId value;
  friend bool operator==(const KnownValue&, const KnownValue&) = default;
};

struct Environment {
  std::vector<ir::ValueId> variables;     ///< by id; kNoValue: not set, or in memory
  std::vector<KnownKey> keys;
  std::vector<KnownElement> elements;
  std::vector<KnownValue> values;

  /// What is remembered is bounded, the oldest goes: scripts are long, and what is near is what is asked for again.
  void remember(KnownKey key);
  void remember(KnownElement element);
  void remember(KnownValue value);

  void forget_map(std::uint32_t map);     ///< its elements may be gone
  void forget_elements() { elements.clear(); }
  KnownElement* find_element(std::uint32_t map, std::string_view key);
  /// What both know.
  void keep_common(const Environment& other);
};

/// Ways that meet. Each brings its environment, and a value if the Join is an expression's.
class Join {
 public:
  struct Way {
    ir::BlockId from;
    Environment environment;
    ir::ValueId value;
  };
  std::vector<Way> ways;
};

}  // namespace espy::trace::lowering
