#include "ir/lift/lift.hpp"

#include <algorithm>

#include "ir/lift/translate.hpp"

namespace espy::ir {
namespace lifting {
namespace {

constexpr std::int32_t kTailCall = 12, kLoop = 181;
constexpr std::int64_t kMostTurns = 1 << 23, kTooMany = 0xfffffff9;   // of bpf_loop; what it gives then: -E2BIG, in 32 bits

/// Does the helper leave the memory that it is given as it was?
bool reads_only(const facts::Prototype* prototype) {
  return prototype != nullptr && std::ranges::all_of(prototype->args, [](const facts::Argument& argument) {
    using facts::Arg;
    return argument.kind == Arg::none || argument.kind == Arg::anything || argument.kind == Arg::const_map || argument.kind == Arg::map_key ||
           argument.kind == Arg::map_value || argument.kind == Arg::mem || argument.kind == Arg::fixed_mem || argument.kind == Arg::const_size ||
           argument.kind == Arg::const_size_or_zero || argument.kind == Arg::alloc_size;
  });
}

}  // namespace

Result<void> Translator::call(std::uint32_t at) {
  const isa::Instruction& i = shape_.insns[at];
  const auto kind = static_cast<isa::CallKind>(i.row->selected);
  const bool numbered = i.imm >= 0 && static_cast<std::uint32_t>(i.imm) < kFirstKfunc;
  if (kind != isa::CallKind::subprogram && !numbered) return fail(ErrorKind::unsupported, "instruction {}: calls number {}, which nothing has", at, i.imm);
  if (kind == isa::CallKind::helper) return helper(i.imm, shape_.effects[at].prototype), Result<void>{};
  if (kind == isa::CallKind::kfunc) {
    return helper(static_cast<std::int32_t>(kFirstKfunc) + i.imm, shape_.effects[at].prototype), Result<void>{};
  }
  const std::uint32_t callee = shape_.function_at(static_cast<std::uint32_t>(std::int64_t{at} + 1 + i.imm));
  if (callee == 0) return fail(ErrorKind::unsupported, "instruction {}: calls the program itself", at);
  std::vector<ValueId> arguments;
  for (unsigned r = 1; r <= shape_.functions[callee].parameters; ++r) arguments.push_back(get(r));
  set(0, b_.call(FuncId{callee}, kI64, arguments));
  forget_arguments();
  return {};
}

void Translator::forget_arguments() {
  for (unsigned r = 1; r <= 5; ++r) set(r, b_.i64(0));
}

/// bpf_loop(turns, function, context, 0), as a loop. false: it is not known what it calls.
bool Translator::loop() {
  ir::Function& f = b_.function();
  if (r_[2].place != kNowhere || r_[4].place != kNowhere) return false;
  const Inst& address = f[r_[2].value];
  const std::int64_t* flags = f.constant_value(r_[4].value);
  if (flags == nullptr || *flags != 0 || !address.is(Op::ptr_to_int) || !f[f.operands(address)[0]].is(Op::func_addr)) return false;
  const std::uint32_t callee = f[f.operands(address)[0]].extra;
  if (shape_.functions[callee].parameters > 2) return false;
  const ValueId turns = b_.zext(low(1), 32), context = get(3);
  const BlockId head = b_.block({kI64}), turn = b_.block(), done = b_.block({kI64}), too_many = b_.cold_block();
  b_.branch(b_.compare(Op::ugt, turns, b_.i64(kMostTurns)), too_many, {}, head, {b_.i64(0)});
  b_.at(too_many);
  b_.jump(done, {b_.i64(kTooMany)});
  b_.at(head);
  const ValueId number = b_.param_of(head, 0);
  b_.branch(b_.compare(Op::ult, number, turns), turn, {}, done, {number});
  b_.at(turn);
  const std::array given{number, context};
  const ValueId stop = b_.call(FuncId{callee}, kI64, std::span(given).first(shape_.functions[callee].parameters));
  const ValueId next = b_.add(number, b_.i64(1));
  b_.branch(b_.ne(stop, b_.i64(0)), done, {next}, head, {next});
  b_.at(done);
  set(0, b_.param_of(done, 0));
  forget_arguments();
  return true;
}

/// The functions whose addresses the program takes are tried one after the other.
void Translator::call_indirect(const isa::Instruction& i) {
  const ValueId wanted = get(i.dst);
  std::array<ValueId, 5> given{};
  for (unsigned r = 1; r <= 5; ++r) given[r - 1] = get(r);
  const BlockId behind = b_.block({kI64});
  for (std::uint32_t id = 1; id < shape_.functions.size(); ++id) {
    if (!shape_.functions[id].callback) continue;
    const BlockId it = b_.block(), other = b_.block();
    b_.branch(b_.eq(wanted, b_.ptr_to_int(b_.func_addr(FuncId{id}))), it, other);
    b_.at(it);
    b_.jump(behind, {b_.call(FuncId{id}, kI64, std::span(given).first(shape_.functions[id].parameters))});
    b_.at(other);
  }
  b_.helper(kNoFunction, kI64, {});
  b_.ret(b_.i64(0));
  b_.at(behind);
  set(0, b_.param_of(behind, 0));
  forget_arguments();
}

/// A packet that is too short ends the function.
void Translator::load_packet(const isa::Instruction& i) {
  ValueId offset = b_.i64(static_cast<std::uint32_t>(i.imm));
  if (i.operation() == isa::Operation::ld_ind) offset = b_.zext(b_.add(low(i.src), b_.i32(i.imm)), 32);
  const ValueId loaded = b_.helper(kLoadPacket, kI64, {offset, b_.i64(i.row->bits / 8)}, kReadsOnly);
  const BlockId there = b_.block(), missing = b_.cold_block();
  b_.branch(b_.compare(Op::sge, loaded, b_.i64(0)), there, missing);
  b_.at(missing);
  b_.ret(b_.i64(0));
  b_.at(there);
  set(0, loaded);
  forget_arguments();
}

void Translator::helper(std::int32_t id, const facts::Prototype* prototype) {
  if (id == kTailCall) {
    BlockId failed = b_.block();
    b_.tail_call(b_.int_to_ptr(get(1), Space::ctx), b_.int_to_ptr(get(2), Space::map), low(3), failed);
    b_.at(failed);
    for (unsigned r = 0; r <= 5; ++r) set(r, b_.i64(0));
    return;
  }
  if (id == kLoop && program_.expand_loops && loop()) return;
  std::vector<ValueId> arguments;
  for (unsigned r = 1; r <= lifting::arguments_of(prototype); ++r) arguments.push_back(r_[r].place == kNowhere ? r_[r].value : frame_address(r_[r].place));
  set(0, b_.helper(static_cast<std::uint32_t>(id), kI64, arguments, reads_only(prototype) ? unsigned{kReadsOnly} : 0U));
  forget_arguments();
}

void Translator::immediate(std::uint32_t at) {
  const isa::Instruction& i = shape_.insns[at];
  auto reference = std::ranges::find(program_.references, at, &bpf::Reference::insn);
  if (reference != program_.references.end() && reference->kind == bpf::ReferenceKind::map) {
    set(i.dst, b_.ptr_to_int(b_.map(MapId{reference->id})));
  } else if (reference != program_.references.end() && reference->kind == bpf::ReferenceKind::map_value) {
    set(i.dst, b_.ptr_to_int(b_.map_value(MapId{reference->id}, reference->offset)));
  } else if (static_cast<isa::Pseudo>(i.row->selected) == isa::Pseudo::func) {
    set(i.dst, b_.ptr_to_int(b_.func_addr(FuncId{shape_.function_at(static_cast<std::uint32_t>(std::int64_t{at} + 1 + i.imm))})));
  } else {
    set(i.dst, b_.i64(i.imm64()));
  }
}

ValueId Translator::condition(const isa::Instruction& i) {
  using isa::Operation;
  if (i.operation() == Operation::may_goto) return count_down();
  const Type type = i.row->bits == 32 ? kI32 : kI64;
  ValueId a = type == kI32 ? low(i.dst) : get(i.dst);
  ValueId b = operand(i, type);
  switch (i.operation()) {
    case Operation::jeq: return b_.eq(a, b);
    case Operation::jne: return b_.ne(a, b);
    case Operation::jgt: return b_.compare(Op::ugt, a, b);
    case Operation::jge: return b_.compare(Op::uge, a, b);
    case Operation::jlt: return b_.compare(Op::ult, a, b);
    case Operation::jle: return b_.compare(Op::ule, a, b);
    case Operation::jsgt: return b_.compare(Op::sgt, a, b);
    case Operation::jsge: return b_.compare(Op::sge, a, b);
    case Operation::jslt: return b_.compare(Op::slt, a, b);
    case Operation::jsle: return b_.compare(Op::sle, a, b);
    default: return b_.ne(b_.and_(a, b), b_.constant(type, 0));
  }
}

/// may_goto: is the budget of turns spent?
ValueId Translator::count_down() {
  ValueId left = b_.load(kI64, 64, b_.stack_addr(turns_));
  b_.store(64, b_.stack_addr(turns_), 0, b_.sub(left, b_.i64(1)));
  return b_.eq(left, b_.i64(0));
}

}  // namespace lifting

Result<Lifted> lift(const Bytecode& program) {
  const lifting::Shape shape = TRY(lifting::shape_of(program));
  Lifted lifted;
  lifted.module.functions.reserve(shape.functions.size());
  for (const bpf::Reference& reference : program.references) {
    if (reference.kind != bpf::ReferenceKind::map && reference.kind != bpf::ReferenceKind::map_value) continue;
    while (lifted.module.maps.size() <= reference.id) lifted.module.maps.push_back(fmt::format("map{}", lifted.module.maps.size()));
  }
  for (const lifting::Function& function : shape.functions) {
    const bool program_itself = lifted.begins.empty();
    std::vector<Type> parameters(function.parameters, kI64);
    if (program_itself) {
      parameters.resize(std::max(function.parameters, 1U), kI64);
      parameters[0] = ptr(Space::ctx);
    }
    lifted.module.add_function(fmt::format("f{}", function.begin), kI64, parameters,
                               program_itself ? Role::program : function.callback ? Role::callback : Role::subprogram);
    lifted.begins.push_back(function.begin);
  }
  for (std::size_t i = 0; i < shape.functions.size(); ++i)
    TRY(lifting::Translator(program, shape, shape.functions[i], lifted.module.functions[i]).run());
  return lifted;
}

}  // namespace espy::ir
