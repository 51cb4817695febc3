// Lowering: one function of the IR being made from the syntax tree.
//
// How values are made. A scalar (integer, boolean, pointer, enumeration, 8-byte formatted value) is an SSA value: i64,
// extended to 64 bits as its type says; pointers whose type the verifier knows are IR pointers (`ir_type`). Everything else
// has bytes, and is made by `into`, right where it is to be: in a map's key on the stack, in a record of the ring, in the
// scratch. `bytes_of` gives an address for something that has bytes already, and makes it in temporary memory if it has not.
//
// Where bytes are. Small things stand on the stack, each in a slot of its own; what is larger than `on_stack_limit` in the
// scratch: an area of per-CPU memory that a program claims when it begins (if it needs one) and gives back at its single
// exit. Programs interrupt each other on a CPU, so there are several areas ("levels"), each with a word that says whether
// it is taken. Offsets in the area are handed out like a stack: a statement's temporaries are free again behind it, a
// variable's when its block ends.
//
// Conditions are lowered as control flow (`condition`), so && and || short-circuit and a missing element goes straight to
// the side of 0.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/builder.hpp"
#include "trace/builtins.hpp"
#include "trace/functions.hpp"
#include "trace/lower/environment.hpp"
#include "trace/lower/unit.hpp"
#include "trace/lower/walk.hpp"

namespace espy::trace::lowering {

/// Does memory that a value is made in need all bytes defined, because they will be compared (a key), or only those that
/// mean something (a record)?
enum class Padding : std::uint8_t { any, zero };

/// A variable of the script whose value has an address, or that stands for a map's element in a loop over it.
struct VariableHome {
  enum class Kind : std::uint8_t { value, memory, element } kind = Kind::value;
  Address at = {};                                       ///< memory
  Address key = {}, element = {};                        ///< element: the key's and the value's bytes
  std::uint32_t map = 0;
};

/// Where in the capture of a loop's body the result of the subprogram around it is, if the body returns.
inline constexpr std::uint32_t kCapturedResult = 24;

/// Where `break`, `continue` and `return` lead.
struct LoopTargets {
  Join* break_to = nullptr;
  Join* continue_to = nullptr;
};

class Lowering {
 public:
  Lowering(Unit& unit, ir::FuncId function, std::span<const CheckedVariable> variables);

  Unit& unit;
  ir::FuncId function;
  ir::Builder b;
  Environment env;

  // ---- what it is lowered for ----
  const CheckedProbe* probe = nullptr;      ///< null: a subprogram
  std::uint32_t first_probe = 0;            ///< index into Plan::probes of the instance's first target
  std::uint32_t program = 0;                ///< index into Checked::probes
  ir::ValueId ctx = ir::kNoValue;           ///< the program's context
  ir::ValueId target = ir::kNoValue;        ///< which of the instance's targets fired, where code decided it; else see target_index
  /// Pointers in an iterator's context, by offset, that are known not to be null.
  std::vector<std::pair<std::int64_t, ir::ValueId>> context_objects;
  Join* exit_to = nullptr;                  ///< the single exit
  std::span<const CheckedVariable> variables;
  std::vector<VariableHome> homes;          ///< by variable
  std::vector<LoopTargets> loops;
  /// In a callback: what `return`, and a `break` out of it, do.
  std::function<void()> leave_callback = {};

  // ---- control flow ----
  ir::Function& fn() { return unit.module[function]; }
  /// After functions were added to the module.
  void refresh();
  bool reachable() const { return reachable_; }
  void set_reachable(bool reachable) { reachable_ = reachable; }
  void mark(Span at) { b.mark = unit.mark(at); }
  /// The current way goes to `to`; what follows is not reached.
  void go(Join& to, ir::ValueId value = ir::kNoValue);
  /// What is lowered next is not reached: it goes into a block that nothing leads to.
  void nothing_follows();
  /// At the function's end: blocks that nothing leads to go.
  void seal();
  void branch(ir::ValueId condition, Join& yes, Join& no);
  /// Goes on where all ways of `join` meet. Gives their value, if they brought one.
  ir::ValueId enter(Join& join, bool cold = false);
  /// A branch whose `no` side is an exceptional way that is rarely taken.
  void branch_cold(ir::ValueId condition, Join& usual, Join& rare);
  /// Runs `body` if the condition holds.
  void when(ir::ValueId condition, const std::function<void()>& body, bool cold = false);
  /// `yes()` or `no()`, as a value.
  ir::ValueId choose(ir::ValueId condition, const std::function<ir::ValueId()>& yes, const std::function<ir::ValueId()>& no);

  // ---- values (expr.cpp) ----
  /// A scalar's value, of ir_type(e.type).
  ir::ValueId scalar(const Expr& e);
  /// The same as a plain i64.
  ir::ValueId number(const Expr& e) { return as_number(scalar(e)); }
  ir::ValueId as_number(ir::ValueId value);
  /// Both sides of an operation, the left one first.
  std::pair<ir::ValueId, ir::ValueId> numbers(const Expr& left, const Expr& right);
  /// As the type wants it: an IR pointer or an i64.
  ir::ValueId as_type(ir::ValueId value, const Type& type);
  /// i1: is it not 0?
  ir::ValueId truth(const Expr& e);
  void condition(const Expr& e, Join& yes, Join& no);
  ir::ValueId compare(const Binary& binary);             ///< i1
  ir::ValueId values_equal(const Expr& left, const Expr& right);
  ir::ValueId binary(const Expr& e, const Binary& node);
  ir::ValueId arithmetic(BinaryOp op, ir::ValueId a, ir::ValueId c, bool is_signed, bool left_signed);
  ir::ValueId from_condition(const Expr& e);             ///< 0 or 1
  ir::ValueId unary(const Expr& e, const Unary& node);
  ir::ValueId step(const Expr& e, const Unary& node);    ///< ++ and --
  ir::ValueId address_of(const Expr& e, const Expr& operand);
  ir::ValueId cast(const Expr& e, const Cast& node);
  /// Of a side of a conditional, whose value may be none.
  ir::ValueId value_or_effect(const Expr& e);
  /// Cuts or extends to the type's width.
  ir::ValueId fit(ir::ValueId value, const Type& type);
  static ir::Type ir_type(const Type& type);
  /// Evaluates for its effects.
  void effect(const Expr& e);
  ir::ValueId i64(std::int64_t value) { return b.i64(value); }
  /// A value of the environment's, computed once.
  ir::ValueId once(std::string_view name, const std::function<ir::ValueId()>& make);

  // ---- bytes (memory.cpp) ----
  /// Makes the value of `e`, of e.type, at `to`. A string in a place of `room` bytes (0: its type's size) is cut or padded.
  void into(const Expr& e, Address to, Padding padding, std::uint32_t room = 0);
  /// Where the bytes of `e` are: its own, or temporary ones.
  Address bytes_of(const Expr& e, Padding padding = Padding::any);
  /// Memory for a temporary, until the statement ends: on the stack if it is small.
  Address temporary(std::uint32_t bytes);
  /// Memory on the stack, whatever its size: what the kernel wants there.
  Address on_stack(std::uint32_t bytes);
  ir::ValueId pointer(Address at);
  ir::ValueId load(Address at, const Type& type);            ///< a scalar
  ir::ValueId load_number(Address at, unsigned bytes, bool is_signed = false);
  void store(Address at, const Type& type, ir::ValueId value);
  void store_number(Address at, unsigned bytes, ir::ValueId value);
  void zero(Address at, std::uint32_t bytes);
  void copy(Address to, Address from, std::uint32_t bytes);
  /// Bytes known now, and zeros up to `room`.
  void store_bytes(Address at, std::string_view bytes, std::uint32_t room);
  /// From a string in `have` bytes to a string in `room`.
  void copy_string(Address to, std::uint32_t room, Address from, std::uint32_t have, Padding padding);
  void cast_fields(const Expr& from, const Type& type, Address to, Padding padding);
  void copy_fields(Address to, const Type& type, Address from, const Type& given, Padding padding);
  /// Is it in memory that is not a program's: behind a pointer, or an argument?
  bool lies_elsewhere(const Expr& e) const;
  /// The scratch of this program: claims it, if nobody did. Offset 0 is behind the header.
  Address scratch(std::uint32_t bytes);

  // ---- memory of others (pointers.cpp) ----
  /// Reads `bytes` at an address in this space into memory of ours. Gives the helper's result where a helper was called.
  std::optional<ir::ValueId> read_memory(Address to, std::uint32_t bytes, ir::ValueId address, Space space, Span at);
  /// A scalar at `address` + offset.
  ir::ValueId read_scalar(const Type& type, ir::ValueId address, std::int64_t offset, Space space, Span at);
  /// bpf_probe_read_*_str: gives the length, or an error.
  ir::ValueId read_string(Address to, ir::ValueId bytes, ir::ValueId address, Space space, Span at);
  ir::ValueId member(const Expr& e, const Member& m);
  void member_into(const Expr& e, const Member& m, Address to, Padding padding, std::uint32_t room);
  ir::ValueId index(const Expr& e, const Index& i);
  /// The address of something that lies in others' memory, for helpers: a pointer or an i64, and its space.
  struct Place { ir::ValueId address; std::int64_t offset = 0; Space space = Space::none; };
  Place place_of(const Expr& e);
  /// What a pointer points to.
  Place pointed_to(const Expr& pointer);
  ir::ValueId address_in(const Place& place);
  /// Code that reports a negative result of a helper (-k).
  void report(ir::ValueId result, std::string_view what, Span at);

  // ---- maps (maps.cpp) ----
  /// The key of an access, in memory; the same key is made once.
  KnownKey key_of(const MapAccess& access);
  KnownKey make_key(std::uint32_t map, const Expr& key);
  /// Where among the constants a key of 8 bytes stands that is known now.
  std::optional<std::uint32_t> constant_key(const Expr& key, const Type& type);
  /// A pointer to the element, or null. Scalar maps' elements are always there.
  KnownElement lookup(const MapAccess& access);
  /// This CPU's row of a map that is an array of them.
  ir::ValueId own_row(std::uint32_t map);
  /// The same, of a map with keys, whose key stands ready.
  KnownElement lookup(std::uint32_t map, const KnownKey& key);
  ir::ValueId map_scalar(const Expr& e, const MapAccess& access);
  void map_into(const Expr& e, const MapAccess& access, Address to, Padding padding, std::uint32_t room);
  void assign_map(const Assign& assign, const MapAccess& access, Span at);
  ir::ValueId step_map(const Unary& step, const MapAccess& access, Span at);
  ir::ValueId delete_element(const MapAccess& access);
  ir::ValueId has_element(const MapAccess& access);
  /// bpf_map_update_elem; counts a full map. `rare`: see count_failure.
  void update(std::uint32_t map, Address key, Address value, std::uint64_t flags, Span at, bool rare = false);
  /// The element of a key, made of zeros if it is missing; what follows is only reached with one.
  void with_element(const MapAccess& access, Span at, const std::function<void(Address)>& use);
  void key_into(const Expr& key, const Type& type, Address to, std::uint32_t own);
  /// A value as a key or element of a map holds it: of `type`, every byte of it defined.
  void value_into(const Expr& value, const Type& type, Address to);
  Address bytes_to_store(const Expr& value, const Type& type, std::uint32_t bytes);
  void set_scalar_flag(const MapShape& shape, Address element);
  void per_cpu_element_at(std::uint32_t map, Address key, ir::ValueId found, Span at, const std::function<void(Address)>& use);
  void element_at(std::uint32_t map, Address key, ir::ValueId found, Span at, const std::function<void(Address)>& use);
  /// Changes the element of a key on this CPU, or puts these words there if it is missing.
  void change_or_put(std::uint32_t map, Address key, ir::ValueId found, Span at, const std::function<void(Address)>& change,
                     std::initializer_list<ir::ValueId> first);
  // aggregates.cpp
  void aggregate(const MapAccess& access, const Call& call, const Expr& value, Span at);
  /// What an aggregate amounts to now, over all CPUs.
  ir::ValueId aggregate_value(const MapAccess& access, const Type& type, Span at);
  /// Of a number that is not negative: which is its highest bit, and the number shifted down by that (0 of 0, else 1).
  struct HighestBit { ir::ValueId number, rest; };
  HighestBit highest_bit(ir::ValueId value);
  ir::ValueId hist_bucket(ir::ValueId value, std::uint32_t bits);
  ir::ValueId lhist_bucket(ir::ValueId value, const AggregateShape& shape);

  void add_to(Address at, ir::ValueId by);
  void keep_extreme(Address element, ir::ValueId value, bool greatest, bool is_signed);
  /// Adds to the element of a key on this CPU, or puts the number there if it is missing.
  void add_or_put(std::uint32_t map, Address key, ir::ValueId found, Span at, ir::ValueId by);
  void add_to_bucket(const MapAccess& access, ir::ValueId bucket, Span at);
  void tseries(Address element, ir::ValueId value, const Type& type, Span at);
  /// A function of the module: (key) → what the words at `offset` of all CPUs' elements come to.
  ir::FuncId sum_function(std::uint32_t map, std::uint32_t offset, Kind how, bool is_signed);
  ir::ValueId value_of_element(Address element, const Type& type);
  /// The address of any memory of ours, as functions of the module are given it.
  ir::ValueId plain(Address at);

  // ---- records (records.cpp) ----
  /// Reserves a record of an action in the ring, has it filled, and submits it. `fill` gets the record's address.
  void record(std::uint32_t action, std::uint32_t bytes, bool control, const std::function<void(Address)>& fill);
  /// Adds to a counter; without a number, 1.
  void count(Counter::Kind kind, std::uint32_t index, ir::ValueId by = ir::kNoValue);
  /// Adds 1 if this result of a helper is not 0. Where it stands on a way that is `rare` itself, in the fewest instructions.
  void count_failure(Counter::Kind kind, std::uint32_t index, ir::ValueId result, bool rare = false);
  /// Where in its record each argument of an action lies, behind the header and `fixed` bytes more; and its size.
  static void lay_out(Action& action, std::size_t fixed);
  /// A record of this action with these arguments.
  void arguments_record(std::uint32_t action, std::span<const Expr* const> arguments);
  /// One argument of a record, as `type`.
  void argument_bytes(const Expr& e, const Type& type, Address to);
  ir::ValueId aggregate_of(const Expr& e);
  /// Index into Plan::probes of what fired, 32 bits.
  ir::ValueId probe_number();
  /// printf and its like: action `call.action` with these arguments from `first` on.
  void format_record(const Call& call, std::size_t first);
  void print(const Call& call);
  // snapshots.cpp: what print(@m) sends
  /// Can programs send what this map holds?
  bool can_send(std::uint32_t map) const;
  /// A function of the module: (key, value, state) → 0, or 1 if there was no room.
  ir::FuncId send_entry_function(std::uint32_t map);
  Address snapshot_state(std::uint32_t action, std::uint64_t parts, ir::ValueId top, ir::ValueId div);
  void print_entry(std::uint32_t action, std::uint32_t map, Address key, ir::ValueId element);
  void print_whole(std::uint32_t action, std::uint32_t map, ir::ValueId top, ir::ValueId div);
  void map_record(const Call& call);
  void exit_record(const Call& call);

  // ---- arguments, builtins (arguments.cpp, builtins.cpp, task.cpp) ----
  ir::ValueId argument(const probes::Argument& argument, const Type& type, Span at);
  /// An argument's bytes at `to`.
  void argument_bytes_into(const probes::Argument& argument, const Type& type, Address to, Span at);
  Place argument_place(const probes::Argument& argument, Span at);
  const probes::Argument* argument_of(const Expr& e) const;
  /// Index into the instance's targets of what fired.
  ir::ValueId target_index();
  ir::ValueId builtin(const Expr& e, const Builtin& row, std::uint32_t number, std::span<const Expr> arguments);
  void builtin_into(const Expr& e, const Builtin& row, std::uint32_t number, std::span<const Expr> arguments, Address to);
  ir::ValueId context_word(std::uint32_t offset, ir::Type type);
  ir::ValueId note_argument(const symbol::UsdtArgument& note, Span at);
  ir::ValueId pid_tgid();
  ir::ValueId pid_number(bool thread, PidNamespace space);
  ir::ValueId task_pointer_member(ir::ValueId task, std::string_view name, Span at);
  void task_comm(ir::ValueId task, Address to, Span at);
  void comm_of(const Expr& pid, Address to, Span at);
  ir::ValueId user_mode(Span at);
  ir::ValueId function_address(Span at);
  void name_of_target(Address to, std::uint32_t room, const std::function<std::string(const probes::Target&)>& name);
  ir::ValueId current_task();
  /// A scalar member of the kernel's task_struct, through pointers where the path has them: {"real_parent", "tgid"}.
  ir::ValueId task_member(ir::ValueId task, std::initializer_list<std::string_view> path, unsigned bytes, Span at);
  ir::ValueId nsecs(Clock clock, Span at);
  void stack_into(const Expr& e, bool user, Address to);
  ir::ValueId caller_at_entry(const Expr& e);
  ir::ValueId stack_id(const Type& type, bool user);

  // ---- functions (functions.cpp, functions_*.cpp) ----
  ir::ValueId call(const Expr& e, const Call& call);
  void call_into(const Expr& e, const Call& call, Address to, Padding padding, std::uint32_t room);
  ir::ValueId asynchronous(const Expr& e, const Call& call);
  /// What functions_*.cpp add: functions with a number, or with bytes, as their value.
  ir::ValueId other_call(const Expr& e, const Call& call);
  void other_call_into(const Expr& e, const Call& call, Address to, Padding padding, std::uint32_t room);
  ir::ValueId strings_equal(const Expr& left, const Expr& right);
  /// Text that a function is given, as a string in memory: its address, and how many bytes it has at most.
  struct Text { Address at; std::uint32_t bytes = 0; };
  Text text_of(const Expr& e);
  ir::ValueId string_length(const Expr& e);
  ir::ValueId compare_bytes(const Call& call, bool stop_at_end);
  ir::ValueId find_text(const Expr& haystack, const Expr& needle);
  void concatenate(const Call& call, Address to, Padding padding, std::uint32_t room);
  void inet_into(const Call& call, Address to, Span at);
  void join(const Call& call, Span at);
  ir::ValueId length_of(const Call& call, Span at);
  ir::ValueId glob_match(const Call& call, Span at);
  ir::ValueId percpu_address(const Call& call, Span at);
  ir::ValueId user_address(const Expr& e, const Call& call);
  /// A function of the module, made by `make` when it is first asked for.
  ir::FuncId library_function(const std::string& name, std::span<const ir::Type> parameters, ir::Role role,
                              const std::function<void(ir::Builder&)>& make);
  ir::ValueId subprogram_call(const Expr& e, const Call& call);
  /// A call whose parameters go through the scratch; gives where its piece begins, and the number that it returns.
  std::pair<Address, ir::ValueId> call_in_scratch(const Call& call);
  ir::ValueId imported_call(const Expr& e, const Call& call);
  void str_into(const Expr& e, const Call& call, Address to, Padding padding, std::uint32_t room);
  void buf_into(const Expr& e, const Call& call, Address to);
  /// How an address is read that a function is given: what its type says, else what the probe is about.
  Space space_of(const Expr& address) const;
  /// The map and key that delete(), has_key() and find() are given: (@m[k]) or (@m, k).
  static MapAccess element_argument(const Call& call);
  ir::ValueId find(const Call& call);
  /// Strings, buffers, arrays: ways for equal and not equal.
  void bytes_condition(const Expr& left, const Expr& right, Join& yes, Join& no);
  ir::ValueId bytes_equal(const Expr& left, const Expr& right);

  // ---- statements (statements.cpp, loops.cpp) ----
  void block(const Block& block);
  void statement(const Statement& statement);
  void declare(std::uint32_t variable, const Expr* value);
  void assign_variable(std::uint32_t variable, const Expr& value);
  ir::ValueId variable(std::uint32_t id);
  void set_variable(std::uint32_t id, ir::ValueId value);
  void leave();                                   ///< `return` of a probe
  void unroll(const Unroll& loop);
  void while_loop(const While& loop);
  void for_range(const ForRange& loop, Span at);
  void range_with_back_edge(const ForRange& loop);
  void for_map(const ForMap& loop, Span at);
  /// One turn of a loop's body; goes on behind it, where `continue` leads.
  void turn(const Block& body, Join& break_to);
  struct LoopHead {
    ir::BlockId block{};
    std::vector<std::uint32_t> variables;
  };
  LoopHead enter_head(const std::set<std::uint32_t>& changed);
  void close_head(const LoopHead& head);
  // Loops whose body is a function of its own.
  struct Captured { std::uint32_t id, offset; bool changed; };
  struct Capture {
    Address at;
    std::uint32_t bytes = 0;
    std::vector<Captured> variables;
    ir::ValueId scratch = ir::kNoValue;      ///< of the outer function
  };
  Capture make_capture(const VariableUse& use, std::uint32_t binding);
  ir::FuncId body_function(std::span<const ir::Type> parameters, const std::function<void(Lowering&)>& fill);
  void restore_capture(const Capture& capture, ir::ValueId at);
  static ir::Type outer_types_of(Address outer);
  void callback_body(const Capture& capture, const Block& body);
  void after_callback(const Capture& capture);
  void bind_element(std::uint32_t binding, std::uint32_t map, Span at);
  /// Memory for a variable that has bytes.
  void give_home(std::uint32_t id);
  bool is_subprogram = false;
  const Type* subprogram_returns = nullptr;   ///< of a subprogram
  std::uint32_t subprogram_result = 0;        ///< where in the scratch a result that is no number is to be
  /// `return value` of a subprogram, also out of a loop's body that is a function of its own.
  void return_value(const Expr& value);
  void leave_with(ir::ValueId result);
  bool uses_scratch_base = false;             ///< in a callback: the capture has the scratch
  bool captures_target = false;               ///< in a callback: the capture says which target fired
  ir::ValueId capture_pointer = ir::kNoValue; ///< in a callback

  // ---- scratch of the program ----
  struct Scratch {
    ir::ValueId base = ir::kNoValue;    ///< of the value of the level, header included
    std::uint32_t used = 0, most = 0;   ///< bytes behind the header
  };
  Scratch scratch_area;

  std::vector<std::uint32_t> given_homes;     ///< variables that were given memory, in the blocks that are being lowered
  /// Where the scratch of the variable that was last given memory ends.
  std::uint32_t kept_scratch = 0;
  /// Variables that stay registers under Economy::variables, because they decide how often a loop turns.
  std::set<std::uint32_t> followed;
  /// Forgets what is only remembered to save code.
  void forget_all();

  const Type& type_of_variable(std::uint32_t id) const { return variables[id].type; }
  /// Whether something of this size stands on the stack.
  bool fits_stack(std::uint32_t bytes) const;

 private:
  bool reachable_ = true;
  bool step_unused_ = false;   ///< the value of the ++ or -- that is lowered now is not asked for
};

/// The IR function of a script's subprogram: they come first in the module, in order.
inline ir::FuncId subprogram_id(const Unit&, std::uint32_t index) { return ir::FuncId{index}; }

}  // namespace espy::trace::lowering
