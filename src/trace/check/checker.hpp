// What the files of the checker share: the state of a check, and each file's functions.
//
// A body is walked several times. While inferring (`final_` unset), walking only sets Expr::type and lets variables and maps
// grow; it says nothing and rewrites nothing, so that it can be done again. The final walk says what is wrong, resolves
// identifiers and calls to their rows, folds constants and inserts conversions. `Kind::unknown` is the type of what is not
// known yet, or was complained about: whatever it touches is unknown too, and silent.
#pragma once

#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "trace/builtins.hpp"
#include "trace/check/check.hpp"
#include "trace/functions.hpp"

namespace espy::trace {

using probes::Provider;
using probes::ProviderRow;
using probes::Reads;

inline Type unknown_type() { return {.kind = Kind::unknown}; }
inline bool is_unknown(const Type& type) { return type.kind == Kind::unknown; }

/// The smallest signed integer that holds the value; uint64 if none does. A value that is not negative is flexible.
Type literal_type(const Integer& literal);
/// The type that values of both have in one variable: the wider integer, the longer string; nullopt: there is none.
std::optional<Type> join_types(const Type& a, const Type& b);
/// Has the type a plain number as its value: integers, booleans, enums, pointers, and aggregates that sum up to one?
bool is_number(const Type& type);
/// Integer, boolean or enum, or an aggregate that can be read as an integer.
bool is_integer_like(const Type& type);
/// count, sum, min, max, avg: what `(int64)@x` reads from all CPUs.
bool is_castable_aggregate(const Type& type);
/// What an integer-like value is in arithmetic: int64, or uint64 if it has no sign.
Type wide_integer(const Type& type);
/// A value as it lies in a variable or map: structures' and arrays' bytes are ours then.
Type stored_type(Type type, bool in_map);

/// A constant while compiling. Integers as in Integer: two's complement unless unsigned.
using Constant = std::variant<Integer, Boolean, String>;

struct VariableState {
  std::string name;
  Type type = unknown_type();
  bool is_fixed = false;     ///< declared with a type
  bool is_assigned = false;
  Span at = {};
  std::optional<std::uint32_t> entry_of = {};   ///< the map whose entries it stands for, in a loop
};

struct MapState {
  std::string name;
  Type key = unknown_type();   ///< none: scalar
  Type value = unknown_type();
  std::string declared_kind;
  std::uint32_t max_entries = 0;
  bool is_iterated = false;
  Span at = {}, key_at = {}, value_at = {};
};

/// The body that is being walked, and what walking it keeps from one time to the next.
struct Body {
  const probes::Instance* instance = nullptr;        ///< null: a subprogram
  const ProviderRow* provider = nullptr;
  std::vector<VariableState> variables;              ///< by Variable::id
  std::unordered_map<std::uint64_t, std::uint32_t> declared;   ///< where a variable first stands → its id
  std::vector<std::unordered_map<std::string, std::uint32_t>> scopes;
  unsigned loops = 0;
  const Type* returns = nullptr;                     ///< of a subprogram
};

/// Where a field lies in a structure.
struct FieldPlace {
  btf::TypeId type{};
  std::uint32_t bit_offset = 0, bits = 0;
};
std::optional<FieldPlace> find_field(const btf::Btf& btf, btf::TypeId structure, std::string_view name);
void field_names(const btf::Btf& btf, btf::TypeId structure, std::vector<std::string_view>& out);
/// The value of a field: arrays of char are strings, pointers marked as the program's are.
Type field_type(const std::shared_ptr<const btf::Btf>& btf, btf::TypeId id, Space space);

/// The enum that has an enumerator of this name, and its value; of the own types, not the base's.
std::optional<std::pair<btf::TypeId, std::uint64_t>> find_enumerator(const btf::Btf& btf, std::string_view name);

/// What is wrong with a format string or fits it.
struct ParsedFormat {
  std::vector<FormatPiece> pieces;
  std::string problem;                               ///< empty: none
};
ParsedFormat parse_format_string(std::string_view format);
/// Can a value of this type be printed so? Else what the conversion takes.
std::string_view conversion_takes(std::string_view conversion, const Type& type);

std::optional<bool> predicate_of(const Function& row, const Expr& argument);

/// Does this provider offer it?
bool offers(const ProviderRow& provider, const probes::Instance& instance, Where where);

class Checker {
 public:
  Checker(const CheckOptions& options, Diagnostics& diagnostics) : options_(options), diagnostics_(diagnostics) {}
  std::optional<Checked> run(Script script);

 private:
  // check.cpp
  void apply_config(Script& script);
  void declare_maps(Script& script);
  void make_bodies(Script& script);
  void walk_all();
  void walk_probe(std::size_t index);
  void walk_subprogram(std::size_t index);
  std::string progress() const;
  void finish_maps();
  void error(Span at, std::string message, std::string hint = {});
  void warning(Span at, std::string message, std::string hint = {});
  Type refuse(Span at, std::string message, std::string hint = {});   ///< error; gives unknown

  // statements.cpp
  void block(Block& block);
  void statements(Block& block);
  void statement(Statement& statement);
  void assign(Statement& at, Assign& node);
  void assign_map(Statement& at, Assign& node, MapAccess& target);
  void declare(Statement& at, Declare& node);
  void condition(Expr& expr);
  void if_statement(If& node);
  void for_map(ForMap& node);
  void for_range(ForRange& node);
  void return_statement(Statement& at, Return& node);
  void discarded(Expr& value);

  // variables.cpp
  std::uint32_t declare_variable(const std::string& name, Span at);
  VariableState* find_variable(const std::string& name);
  std::optional<std::uint32_t> variable_id(const std::string& name) const;
  void grow_variable(VariableState& variable, const Type& type, Span at);
  std::uint32_t map_id(const std::string& name, Span at);
  void use_key(MapAccess& access, Span at);
  void grow_key(std::uint32_t map, const Type& type, Span at);
  void grow_value(std::uint32_t map, const Type& type, Span at);
  Type variable(Expr& expr, Variable& node);
  Type map_access(Expr& expr, MapAccess& node);
  MapAccess* whole_map(Expr& expr, std::string_view function);
  std::optional<std::uint32_t> entry_of(const Expr& expr) const;

  // expressions.cpp
  const Type& expression(Expr& expr);
  Type identifier(Expr& expr, Identifier& node);
  Type unary(Expr& expr, Unary& node);
  Type step(Expr& expr, Unary& node);
  Type dereference(Expr& expr, Unary& node);
  Type address_of(Expr& expr, Unary& node);
  Type ternary(Expr& expr, Ternary& node);
  Type tuple(TupleLiteral& node);
  Type record(RecordLiteral& node);
  Type block_value(BlockExpr& node);
  std::optional<std::pair<Constant, Type>> named_constant(const std::string& name);
  std::optional<std::pair<Constant, Type>> enumerator_of(const std::shared_ptr<const btf::Btf>& btf, const std::string& name);

  // operators.cpp
  Type binary(Expr& expr, Binary& node);
  Type compare(Expr& expr, Binary& node);
  Type pointer_arithmetic(Expr& expr, Binary& node);
  Type arithmetic(Expr& expr, Binary& node);
  Type result_of(Span at, BinaryOp op, const Expr& left, const Expr& right);
  void as_number(Expr& expr);   ///< reads a castable aggregate as an integer

  // convert.cpp
  bool convert(Expr& expr, const Type& to);   ///< inserts what makes it so; false: it cannot be
  /// The same of integers also where not every value fits: the bits are what they are, and the type says how they are read.
  void read_as(Expr& expr, const Type& to);
  bool convertible(const Expr& expr, const Type& to) const;

  // fold.cpp
  std::optional<Constant> constant_of(const Expr& expr);
  std::optional<Constant> fold_binary(const Expr& expr, const Binary& node);
  std::optional<Constant> fold_unary(const Expr& expr, const Unary& node);
  std::optional<std::uint64_t> constant_integer(const Expr& expr);
  std::optional<std::string> constant_string(const Expr& expr);
  void fold(Expr& expr);
  static void replace(Expr& expr, Constant constant);

  // fields.cpp
  Type member(Expr& expr, Member& node);
  Type argument_member(Expr& expr, Member& node);
  Type structure_member(Expr& expr, Member& node, const Type& structure);
  Type tuple_member(Expr& expr, Member& node, const Type& tuple);
  Type index(Expr& expr, Index& node);
  Type argument_type(const probes::Argument& argument) const;
  Type complete(const Type& structure);
  Type whole_arguments(Span at);

  // type_names.cpp
  std::optional<Type> named_type(TypeName& name, Space space = Space::none);
  std::optional<Type> base_type(TypeName& name, Space space);
  std::optional<Type> find_type(std::string_view name, TypeName::Tag tag, Space space);
  Type cast(Expr& expr, Cast& node);
  Type size_of(Expr& expr, SizeOf& node);
  Type offset_of(Expr& expr, OffsetOf& node);
  Type type_of(Expr& expr, TypeOf& node);
  std::shared_ptr<const btf::Btf> kernel_btf();
  std::string nearest_type(std::string_view name);

  // builtins.cpp
  Type builtin(Expr& expr, Identifier& node, const Builtin& row);
  Type builtin_call(Expr& expr, Call& node, const Builtin& row);
  Type builtin_type(Span at, const Builtin& row, std::uint32_t number);
  Type stack(Expr& expr, Call* call, const Builtin& row);
  Type task_pointer();
  bool available(Span at, std::string_view name, Where where, facts::KernelVersion since);

  // calls.cpp
  Type call(Expr& expr, Call& node);
  Type subprogram_call(Expr& expr, Call& node);
  Type imported_call(Expr& expr, Call& node, const ImportedFunction& function);
  bool counted(Span at, const Call& node, const Function& row);
  Type kernel_call(Expr& expr, Call& node, const Function& row);
  Type formatted_call(Expr& expr, Call& node, const Function& row);
  bool integer_argument(Call& node, std::size_t index);
  std::optional<std::string> literal_argument(Call& node, std::size_t index);

  // calls_text.cpp
  Type string_call(Expr& expr, Call& node, const Function& row);
  Type read_string(Expr& expr, Call& node);
  Type read_buffer(Expr& expr, Call& node);
  Type address_call(Expr& expr, Call& node, const Function& row);
  bool text_argument(Call& node, std::size_t index);
  std::uint32_t length_argument(Call& node, std::size_t index, std::uint64_t limit, std::uint32_t extra);

  // calls_actions.cpp
  Type asynchronous_call(Expr& expr, Call& node, const Function& row);
  void formatted_action(Call& node, const Function& row, Action& action);
  void print_action(Expr& expr, Call& node, Action& action);
  std::uint32_t add_action(Action action);

  // calls_maps.cpp
  Type map_call(Expr& expr, Call& node, const Function& row);
  Type delete_call(Expr& expr, Call& node);
  std::optional<Type> aggregate(Call& node, const Function& row);
  bool aggregate_shape(Call& node, const Function& row, Type& type);

  // calls_compile.cpp
  Type compile_time_call(Expr& expr, Call& node, const Function& row);
  Type predicate_call(Expr& expr, Call& node, const Function& row);
  Type assertion_call(Expr& expr, Call& node, const Function& row);
  Type place_call(Expr& expr, Call& node, const Function& row);
  Type container_of(Expr& expr, Call& node);
  Type config_call(Expr& expr, Call& node);

  const CheckOptions& options_;
  Diagnostics& diagnostics_;
  bool final_ = false;
  unsigned round_ = 0;
  Checked checked_ = {};
  std::vector<MapState> maps_;
  std::unordered_map<std::string, std::uint32_t> map_ids_;
  std::vector<Body> bodies_;               // of probes, in the order of checked_.probes
  std::vector<Body> subprogram_bodies_;
  std::vector<std::vector<Type>> parameter_types_;
  Body* body_ = nullptr;
  /// Enumerators that were looked for, by BTF: a whole kernel's enums are searched once for a name.
  std::map<std::pair<const btf::Btf*, std::string>, std::optional<std::pair<btf::TypeId, std::uint64_t>>> enumerators_;
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::string>> said_;   // one block is checked once an instance
};

}  // namespace espy::trace
