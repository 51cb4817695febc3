// The abstract syntax tree of a script.
//
// The parser makes it, macro expansion rewrites it, the checker completes it (Expr::type, and the members marked "checked"),
// lowering reads it. Nodes are values: a tree copies with `=`, which is how one block becomes several programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "trace/box.hpp"
#include "trace/syntax/source.hpp"
#include "trace/types.hpp"

namespace espy::trace {

struct Expr;
struct Statement;
struct Function;   // a row of functions.hpp
struct Builtin;    // a row of builtins.hpp

/// { statements }: a scope.
struct Block {
  std::vector<Statement> statements;
  Span at = {};
};

// ---- type names ----

/// A type as it is written: `uint64`, `struct task_struct *`, `string[64]`, `typeof($x)`, `int32*[4]`.
struct TypeName {
  enum class Tag : std::uint8_t { plain, struct_, union_, enum_, type_of };
  struct Pointer {};
  struct Array { std::optional<std::uint64_t> count; };
  Tag tag = Tag::plain;
  std::string name = {};                              ///< "uint64", "task_struct"; several words joined: "unsigned long"
  std::optional<Box<Expr>> of = {};                   ///< typeof(…)
  std::vector<std::variant<Pointer, Array>> suffixes = {};  ///< left to right
  Span at = {};
};

// ---- expressions ----

/// A literal; also what a constant, an enumerator, `sizeof` or a folded expression becomes.
struct Integer {
  std::uint64_t value = 0;      ///< a negative one (only after folding) in two's complement
  bool is_unsigned = false;     ///< suffix u, or too big for int64
  std::string spelling = {};    ///< as it was written: "0x10", "1e6", "5s"; empty: made by a stage
};
struct Boolean { bool value = false; };
struct String { std::string value; };                       ///< escapes already replaced
/// A bare word: a builtin (`pid`), an enumerator, a stack mode, a macro parameter, a type as an argument.
/// Checked: also what a builtin in call form becomes whose arguments are all constant: `pid()`, `nsecs(boot)`, `kstack(perf, 5)`
/// (whose mode and frames are in Expr::type). `comm(1)`, `ppid($task)` stay calls with Call::builtin.
struct Identifier {
  std::string name;
  const Builtin* builtin = nullptr;                         ///< checked: the row, if it is one
  std::uint32_t number = 0;                                 ///< checked: N of argN; Clock of nsecs; PidNamespace of pid and tid
};
struct Positional { std::uint32_t index = 0; };             ///< $1; 0: `$#`
struct Variable {
  std::string name;                                         ///< without the `$`
  std::uint32_t id = 0;                                     ///< checked: index into the program's variables
};
struct MapAccess {
  std::string name;                                         ///< without the `@`; empty: `@` alone
  std::optional<Box<Expr>> key = {};                        ///< several keys are one tuple; none: the scalar, or the whole map
  std::uint32_t id = 0;                                     ///< checked: index into Checked::maps
};
struct Call {
  std::string name;
  std::vector<Expr> arguments;
  Span name_at = {};
  const Function* function = nullptr;                       ///< checked: the row; null: a builtin, or a subprogram of the script
  const Builtin* builtin = nullptr;                         ///< checked: the row of `comm(pid)`, `ppid(task)` …
  std::uint32_t subprogram = 0;                             ///< checked: index into Checked::subprograms, or Imported::functions
  bool is_imported = false;                                 ///< checked: a function of an imported object
  std::uint32_t action = 0;                                 ///< checked: index into Checked::actions, of asynchronous functions; of strftime()
                                                            ///< into Checked::formats, of cgroup_path() into Checked::cgroup_filters
};
enum class UnaryOp : std::uint8_t { minus, logical_not, bit_not, dereference, address_of, pre_increment, pre_decrement,
                                    post_increment, post_decrement };
enum class BinaryOp : std::uint8_t { add, sub, mul, div, mod, bit_and, bit_or, bit_xor, shift_left, shift_right,
                                     logical_and, logical_or, equal, not_equal, less, less_equal, greater, greater_equal };
struct Unary { UnaryOp op; Box<Expr> operand; };
struct Binary { BinaryOp op; Box<Expr> left, right; Span op_at = {}; };
/// `a ? b : c`; no `then`: `a ?: b`; `is_if`: written as `if a { …; b } else { …; c }`, both sides are BlockExprs or such an `if`.
struct Ternary { Box<Expr> condition; std::optional<Box<Expr>> then; Box<Expr> otherwise; bool is_if = false; };
struct Cast { TypeName to; Box<Expr> operand; };            ///< checked also inserts these, with `to` empty and Expr::type set
/// `a.b`, `a->b`; of a tuple `.0`.
struct Member {
  Box<Expr> object;
  std::string name;
  bool arrow = false;
  Span name_at = {};
  // checked; of a structure: where the field lies. `object` is the pointer or structure before any automatic dereference.
  std::uint32_t bit_offset = 0, bitfield_bits = 0;          ///< bits != 0: a bit-field
  std::uint32_t field = 0;                                  ///< of a tuple, record or `args`: its index
};
struct Index { Box<Expr> object, index; };
struct TupleLiteral { std::vector<Expr> members; };
struct RecordMember;
struct RecordLiteral { std::vector<RecordMember> members; };
struct SizeOf { std::variant<TypeName, Box<Expr>> of; };
struct OffsetOf { std::variant<TypeName, Box<Expr>> of; std::vector<std::string> path; };
struct TypeOf { TypeName type; bool info = false; };        ///< `typeof(x)` as an argument; `typeinfo(x)`
struct BlockExpr { Block block; Box<Expr> value; };         ///< { …; value }

struct Expr {
  using Node = std::variant<Integer, Boolean, String, Identifier, Positional, Variable, MapAccess, Call, Unary, Binary, Ternary,
                            Cast, Member, Index, TupleLiteral, RecordLiteral, SizeOf, OffsetOf, TypeOf, BlockExpr>;
  Node node;
  Span at = {};
  Type type = {};   ///< checked
  bool in_parentheses = false;  ///< as it was written, for --fmt; means nothing
};

/// Called as a pair calls them, which this cannot be: its parts must be complete.
struct RecordMember { std::string first; Expr second; };

// ---- statements ----

struct ExprStatement { Expr value; };
struct Discard { Expr value; };                             ///< `_ = f()`
struct Assign { Expr target; std::optional<BinaryOp> op; Expr value; };  ///< to a variable or a map; `op`: `+=` …
struct Declare { Variable variable; std::optional<TypeName> type; std::optional<Expr> value; Span name_at = {}; };
struct If { Expr condition; Block then; std::optional<Block> otherwise; };   ///< `else if`: an If alone in `otherwise`
struct Unroll { Expr count; Block body; };
struct While { Expr condition; Block body; };
struct ForMap { Variable binding; MapAccess map; Block body; Span map_at = {}; };     ///< for ($kv : @map)
struct ForRange { Variable binding; Expr from, to; Block body; };    ///< for ($i : from..to)
struct Break {};
struct Continue {};
struct Return { std::optional<Expr> value; };
struct Import { std::string path; Span path_at = {}; Span at = {}; };     ///< at the root, or as a statement

struct Statement {
  using Node = std::variant<ExprStatement, Discard, Assign, Declare, If, Unroll, While, ForMap, ForRange, Break, Continue,
                            Return, Import, Block>;
  Node node;
  Span at = {};
};

// ---- the root ----

struct ConfigEntry { std::string name; Expr value; Span at = {}; };
struct MapDeclaration { std::string name, kind; Expr size; Span at = {}; };            ///< let @a = lruhash(100);
struct MacroParameter {
  enum class Kind : std::uint8_t { variable, map, expression } kind = Kind::expression;
  std::string name;
  std::optional<TypeName> type = {};
  Span at = {};
};
/// `macro f($v, expr, @m) { …; value }`. Without a value (`has_value` unset) `body.value` means nothing.
struct Macro { std::string name; std::vector<MacroParameter> parameters; BlockExpr body; bool has_value = false; Span at = {}; };
struct SubprogramParameter { std::string name; TypeName type; Span at = {}; };
struct Subprogram { std::string name; std::vector<SubprogramParameter> parameters; TypeName returns; Block body; Span at = {}; };
struct AttachPointText { std::string text; Span at = {}; };  ///< "tracepoint:sched:sched_switch", as written, quotes kept
struct Probe {
  std::string label = {};                                    ///< `name=` before the attach points
  std::vector<AttachPointText> attach_points;
  std::optional<Expr> predicate;
  Block body;
  Span at = {};
};
/// C at the head of a script: directives and definitions, parsed by src/trace/c.
struct Preamble { std::string text; Span at = {}; };

/// A comment with its marks, or the `#!` line; kept for --fmt.
struct Comment { std::string text; Span at = {}; };

struct Script {
  std::vector<Preamble> preambles = {};
  std::vector<ConfigEntry> config = {};
  Span config_at = {};
  std::vector<Import> imports = {};
  std::vector<MapDeclaration> maps = {};
  std::vector<Macro> macros = {};
  std::vector<Subprogram> subprograms = {};
  std::vector<Probe> probes = {};
  std::vector<Comment> comments = {};
};

}  // namespace espy::trace
