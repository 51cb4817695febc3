// Subprograms of the script (`fn`): functions of the module of their own.
//
// One whose parameters and result are numbers, and which needs no memory but the stack, has them in registers. Else they go
// through the scratch (SubprogramShape): the caller takes a piece of its own scratch, as for a temporary, puts the parameters
// at its head, and hands it over with the program's context. Functions that are called are made before those that call them,
// so that the size of a piece is known; a circle of calls is refused, because it has no end that the kernel would see.
#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/lowering.hpp"
#include "trace/lower/programs.hpp"

namespace espy::trace::lowering {

using ir::kI64;
using ir::kNoValue;
using ir::ValueId;

namespace {

constexpr std::size_t kInRegisters = 5;

std::uint32_t padded(std::uint32_t bytes) { return (bytes + 7) / 8 * 8; }

/// What a subprogram's body calls, and whether it asks for something that only the context gives.
struct Calls {
  std::set<std::uint32_t> subprograms;
  bool needs_context = false;
};

Calls calls_of(const Block& body) {
  Calls out;
  const auto stack = [](const Builtin* row) { return row != nullptr && (row->id == BuiltinId::kstack || row->id == BuiltinId::ustack || row->id == BuiltinId::dw_ustack); };
  walk(body, {.expr = [&](const Expr& e) {
    if (const auto* word = std::get_if<Identifier>(&e.node)) out.needs_context |= stack(word->builtin);
    const auto* call = std::get_if<Call>(&e.node);
    if (call == nullptr) return;
    out.needs_context |= stack(call->builtin);
    if (call->function == nullptr && call->builtin == nullptr && !call->is_imported) out.subprograms.insert(call->subprogram);
    if (call->function != nullptr) out.needs_context |= call->function->id == FunctionId::len;
  }, .statement = [&](const Statement& s) {   // bodies of loops are given the context along with the rest
    out.needs_context |= std::holds_alternative<ForMap>(s.node) || std::holds_alternative<ForRange>(s.node);
  }});
  return out;
}

class Subprograms {
 public:
  explicit Subprograms(Unit& unit) : unit_(unit), state_(unit.checked.subprograms.size(), State::waiting) {}

  void add_all() {
    for (std::uint32_t i = 0; i < state_.size(); ++i) {
      unit_.subprograms.push_back(shape_of(unit_.checked.subprograms[i]));
      unit_.module.add_function(name_of(i), kI64, {}, ir::Role::subprogram);   // its number; see replace()
    }
    for (std::uint32_t i = 0; i < state_.size(); ++i) add(i);
  }

 private:
  enum class State : std::uint8_t { waiting, open, done };

  std::string name_of(std::uint32_t index) const { return "fn_" + unit_.checked.subprograms[index].name; }

  SubprogramShape shape_of(const CheckedSubprogram& sub) const {
    SubprogramShape shape{.in_scratch = sub.parameters > kInRegisters || calls_of(sub.body).needs_context || !unit_.abilities.ring_buffer, .parameters = {}};
    for (std::uint32_t i = 0; i < sub.parameters; ++i) {
      const Type& type = sub.variables[i].type;
      shape.in_scratch |= !type.is_scalar();
      shape.parameters.push_back(shape.bytes);
      shape.bytes += padded(std::max(type.size, 8U));
    }
    shape.result = shape.bytes;
    if (!sub.returns.is_scalar() && sub.returns.kind != Kind::none) {
      shape.in_scratch = true;
      shape.bytes += padded(sub.returns.size);
    }
    return shape;
  }

  void add(std::uint32_t index) {
    const CheckedSubprogram& sub = unit_.checked.subprograms[index];
    if (state_[index] == State::done) return;
    if (state_[index] == State::open) return unit_.error(sub.at, fmt::format("`{}` calls itself", sub.name), "a program must come to an end that the kernel sees: use a loop");
    state_[index] = State::open;
    for (const std::uint32_t called : calls_of(sub.body).subprograms) add(called);
    SubprogramShape& shape = unit_.subprograms[index];
    std::uint32_t used = make(index);
    if (used != 0 && !shape.in_scratch) {   // it is more than registers after all
      shape.in_scratch = true;
      used = make(index);
    }
    shape.bytes = std::max(shape.bytes, used);
    state_[index] = State::done;
  }

  /// Makes the function; gives the bytes of scratch that it uses.
  std::uint32_t make(std::uint32_t index) {
    const CheckedSubprogram& sub = unit_.checked.subprograms[index];
    const SubprogramShape& shape = unit_.subprograms[index];
    const std::vector<ir::Type> registers(shape.in_scratch ? 0 : sub.parameters, kI64);
    const ir::Type handed[] = {ir::ptr(ir::Space::ctx), ir::ptr(ir::Space::map_value)};
    const ir::FuncId id = subprogram_id(unit_, index);
    replace(id, shape.in_scratch ? std::span<const ir::Type>(handed) : std::span<const ir::Type>(registers));
    Lowering l(unit_, id, sub.variables);
    Join exit;
    l.is_subprogram = true;
    l.exit_to = &exit;
    l.followed = decide_turns(sub.body);
    l.mark(sub.at);
    // Without a piece there is an address all the same, for code that is thrown away when it turns out to be needed.
    l.scratch_area.base = shape.in_scratch ? l.b.param(1) : l.b.null(ir::Space::map_value);
    if (shape.in_scratch) {
      l.ctx = l.b.param(0);
      l.scratch_area.used = l.scratch_area.most = shape.bytes;
      l.subprogram_result = kScratchHeader + shape.result;
    }
    l.subprogram_returns = &sub.returns;
    for (std::uint32_t p = 0; p < sub.parameters; ++p) {
      const Type& type = sub.variables[p].type;
      const Address at{l.scratch_area.base, kScratchHeader + static_cast<std::int64_t>(shape.parameters[p])};
      if (!shape.in_scratch) l.set_variable(p, l.fit(l.b.param(p), type));
      else if (type.is_scalar() && !address_taken(sub, p)) l.set_variable(p, l.fit(l.load_number(at, 8), type));
      else l.homes[p] = {.kind = VariableHome::Kind::memory, .at = at};
    }
    l.block(sub.body);
    l.go(exit, l.i64(0));
    const ValueId result = l.enter(exit);
    if (l.reachable()) l.b.ret(sub.returns.is_scalar() ? l.fit(result, sub.returns) : result);
    l.seal();
    return l.scratch_area.most;
  }

  static bool address_taken(const CheckedSubprogram& sub, std::uint32_t variable) { return variables_of(sub.body).address_taken.contains(variable); }

  /// An empty function with these parameters in the place of the one with this number.
  void replace(ir::FuncId id, std::span<const ir::Type> parameters) {
    const std::string name = unit_.module[id].name;
    const ir::FuncId fresh = unit_.module.add_function(name, kI64, parameters, ir::Role::subprogram);
    unit_.module[id] = std::move(unit_.module[fresh]);
    unit_.module.functions.pop_back();
  }

  Unit& unit_;
  std::vector<State> state_;
};

}  // namespace

void add_subprograms(Unit& unit) { Subprograms(unit).add_all(); }

std::pair<Address, ValueId> Lowering::call_in_scratch(const Call& call) {
  const SubprogramShape& shape = unit.subprograms[call.subprogram];
  const CheckedSubprogram& sub = unit.checked.subprograms[call.subprogram];
  const Address piece = scratch(shape.bytes);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Expr& argument = call.arguments[i];
    const Type& type = sub.variables[i].type;
    const Address to = piece + shape.parameters[i];
    if (type.is_scalar()) store_number(to, 8, number(argument));
    else value_into(argument, type, to);
  }
  // What it finds behind the header of its scratch is the piece.
  const ValueId context = ctx != kNoValue ? ctx : b.null(ir::Space::ctx);
  const ValueId result = b.call(subprogram_id(unit, call.subprogram), kI64, {context, pointer(piece + -static_cast<std::int64_t>(kScratchHeader))});
  env.forget_elements();
  return {piece + shape.result, result};
}

}  // namespace espy::trace::lowering
