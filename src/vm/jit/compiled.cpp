#include "vm/jit/compiled.hpp"

#include <algorithm>
#include <csetjmp>
#include <random>
#include <utility>

#include "base/text.hpp"
#include "ir/lift/lift.hpp"
#include "ir/passes/passes.hpp"
#include "ir/x86/emit.hpp"
#include "vm/context/fields.hpp"
#include "vm/cpu.hpp"
#include "vm/helpers/old_loads.hpp"
#include "vm/helpers/table.hpp"
#include "vm/jit/bound_turns.hpp"
#include "vm/jit/context_use.hpp"
#include "vm/jit/inline_lookups.hpp"
#include "vm/jit/thread_state.hpp"
#include "vm/maps/references.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

constexpr std::int32_t kTailCall = 12;

// ---- what compiled code calls ---------------------------------------------------------------------------------------

std::uint64_t no_function(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Run& run = *current_run();
  run.fault = "calls what is no function";
  leave(run);
  return 0;
}

void out_of_turns() {
  Run& run = *current_run();
  run.fault = "has spent its budget of instructions";
  leave(run);
}

HelperFunction function_of(std::uint32_t id, const Calls& calls) {
  if (id == ir::kLoadPacket) return load_packet_of_run;
  if (id == ir::kNoFunction) return no_function;
  const Callee* callee = id >= ir::kFirstKfunc ? calls.kfunc(id - ir::kFirstKfunc) : calls.helper(id);
  return callee == nullptr ? nullptr : callee->function;
}

/// What compiled programs pass as a callback is its address. One that leaves its run comes out here, so that the helper in
/// between ends as it should, and then leaves, too (after_callbacks).
std::uint64_t call_back(Run& run, std::uint64_t function, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
  const auto callback = pointer<std::uint64_t(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t)>(function);
  if (run.way_out == nullptr) return callback(a, b, c, d);
  if (run.leaving) return 1;
  std::jmp_buf here;
  void* const outer = run.way_out;
  run.way_out = &here;
  if (setjmp(here) != 0) {
    run.way_out = outer;
    run.leaving = true;
    return 1;
  }
  const std::uint64_t value = callback(a, b, c, d);
  run.way_out = outer;
  return value;
}

/// Gives the turns that were left to whatever ran on this thread before.
std::int64_t begin_turns(const Run& run) {
  return std::exchange(thread_state.turns, static_cast<std::int64_t>(std::min<std::uint64_t>(run.budget, INT64_MAX)));
}

/// Apart, so that nothing else is kept across the jump.
[[gnu::noinline]] std::uint64_t enter_unless_left(Run& run, std::jmp_buf& here, std::uint64_t (*entry)(std::uint64_t, std::uint64_t), std::uint64_t context, std::uint64_t second) {
  if (setjmp(here) != 0) return run.thrown.value_or(0);
  return entry(context, second);
}

std::uint64_t run_until_left(Run& run, std::uint64_t (*entry)(std::uint64_t, std::uint64_t), std::uint64_t context, std::uint64_t second) {
  const std::int64_t turns = begin_turns(run);
  std::jmp_buf here;
  run.way_out = &here;
  const std::uint64_t value = enter_unless_left(run, here, entry, context, second);
  thread_state.turns = turns;
  return value;
}

/// A tail call's program, interpreted in the run that has called it.
std::uint64_t interpret_next(std::uint64_t context) {
  Run& run = *current_run();
  {
    Outcome outcome = interpret(run.next->steps(), run, {context, 0, 0, 0, 0});
    if (outcome.fault) run.fault = std::move(outcome.fault->message);
    else if (!run.thrown) return outcome.value;
  }
  leave(run);
  return run.thrown.value_or(0);
}

/// Where a tail call goes on; 0: the slot is empty, or there were too many.
std::uint64_t tail_call(std::uint64_t map, std::uint64_t index) {
  Run& run = *current_run();
  const Map& array = *pointer<const Map>(map);
  if (array.attributes().type != facts::MapType::prog_array || run.tail_calls == kTailCalls) return 0;
  const Program* program = static_cast<const ProgramArray&>(array).at(static_cast<std::uint32_t>(index));
  if (program == nullptr) return 0;
  if ((context_layout(program->spec().type) != nullptr) != (run.packet != nullptr)) {
    run.fault = fmt::format("makes a tail call of `{}`, which takes another context", program->name());
    leave(run);
    return 0;
  }
  ++run.tail_calls;
  run.program = program;
  if (program->compiled()) return program->compiled()->entry();
  run.next = program;
  return reinterpret_cast<std::uint64_t>(&interpret_next);
}

// ---- compiling ------------------------------------------------------------------------------------------------------

ir::Options passes_of(Tier tier) {
  if (tier == Tier::baseline) return {.level = 0};
  return {.level = 2, .divide_by_multiply = true, .hoist_cheap = true, .inline_limit = 40};
}

/// Calls it what may end a run? Only then the way out is kept.
bool may_leave(std::span<const isa::Insn> code, const Calls& calls) {
  for (isa::InsnIdx at = 0; at < code.size(); at += isa::is_ld_imm64(code[at]) ? 2 : 1) {
    if (code[at].opcode == isa::kOpCallX || isa::is_call(code[at], isa::CallKind::kfunc)) return true;
    if (!isa::is_call(code[at], isa::CallKind::helper)) continue;
    const auto id = static_cast<std::uint32_t>(code[at].imm);
    if (code[at].imm == kTailCall || calls.helper(id) != find_helper(id)) return true;
  }
  return false;
}

/// Loops that were helpers' call their functions: one whose address is taken no more may be inlined.
void settle_roles(ir::Module& module) {
  std::vector<bool> taken(module.functions.size(), false);
  for (ir::Function& f : module.functions) {
    ir::remove_dead(f);
    for (ir::BlockId block : f.order)
      for (ir::ValueId id : f[block].insts)
        for (ir::ValueId operand : f.operands(id))
          if (f[operand].is(ir::Op::func_addr)) taken[f[operand].extra] = true;
  }
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (!taken[i] && module.functions[i].role == ir::Role::callback) module.functions[i].role = ir::Role::subprogram;
}

std::uint64_t random_seed() {
  std::random_device random;
  return (std::uint64_t{random()} << 32 | random()) | 1;
}

}  // namespace

Compiled::Compiled(CodeMemory memory, std::uint32_t entry)
    : memory_(std::move(memory)), entry_(pointer<std::uint64_t(std::uint64_t, std::uint64_t)>(reinterpret_cast<std::uint64_t>(memory_.at(entry)))) {}

Result<Compiled> Compiled::compile(std::span<const isa::Insn> code, Tier tier, std::string_view name, const CompileOptions& options) {
#if !defined(__x86_64__)
  return fail(ErrorKind::unsupported, "compile `{}`: there is no compiler for this processor", name);
#endif
  static const ir::x86::Features features = ir::x86::host_features();
  static const Calls kOwn;
  const Calls& calls = options.calls == nullptr ? kOwn : *options.calls;
  auto prototype = [&](bool kfunc, std::int32_t number) -> const facts::Prototype* {
    const Callee* callee = kfunc ? calls.kfunc(static_cast<std::uint32_t>(number)) : calls.helper(static_cast<std::uint32_t>(number));
    return callee == nullptr ? nullptr : callee->prototype;
  };
  ir::Lifted lifted = TRY(ir::lift({.code = code, .prototype = prototype, .expand_loops = tier == Tier::optimised}));
  if (tier == Tier::optimised) {
    inline_lookups(lifted.module, options.maps);
    if (options.constants != nullptr) read_constants(lifted.module, *options.constants);
    if (std::ranges::any_of(lifted.module.functions, [](const ir::Function& f) { return f.role == ir::Role::callback; })) settle_roles(lifted.module);
  }
  ir::optimise(lifted.module, passes_of(tier));
  if (options.bounded) bound_turns(lifted.module);
  ir::x86::Options emission{.features = features,
                            .thread_cpu = from_thread_pointer(&thread_state.cpu),
                            .thread_turns = from_thread_pointer(&thread_state.turns),
                            .out_of_turns = reinterpret_cast<std::uint64_t>(&out_of_turns),
                            .blinding = options.blinded ? random_seed() : 0,
                            .tail_call = reinterpret_cast<std::uint64_t>(&tail_call)};
  emission.helper = [&](std::uint32_t id) {
    if (id >= kFirstDirectUpdate) return reinterpret_cast<std::uint64_t>(pointer<const Map>(options.maps[id - kFirstDirectUpdate])->direct_update());
    if (id >= kFirstDirectLookup) return reinterpret_cast<std::uint64_t>(pointer<const Map>(options.maps[id - kFirstDirectLookup])->direct_lookup());
    return reinterpret_cast<std::uint64_t>(function_of(id, calls));
  };
  const ir::x86::Code made = TRY(ir::x86::emit(lifted.module, emission));
  CodeMemory memory = TRY(CodeMemory::create(made.bytes));
  Compiled compiled(std::move(memory), made.entries[0]);
  compiled.announcement_ = announce({compiled.code(), compiled.code_bytes()}, name);
  compiled.context_bytes_ = vm::context_bytes(lifted.module.functions[0]);
  compiled.may_leave_ = options.bounded || may_leave(code, calls);
  return compiled;
}

std::uint64_t Compiled::run(Run& run, std::uint64_t context, std::uint64_t second) const {
  Run* outer = std::exchange(current_run(), &run);
  run.safe = false;
  run.leaving = false;
  run.tail_calls = 0;
  run.call = call_back;
  run.way_out = nullptr;
  if (!thread_state.known) [[unlikely]] thread_state = {.cpu = current_cpu(), .known = true};
  const std::uint64_t value = may_leave_ ? run_until_left(run, entry_, context, second) : entry_(context, second);
  current_run() = outer;
  return value;
}

std::uint64_t Compiled::call(Run& run, std::uint64_t function, std::uint64_t a, std::uint64_t b, std::uint64_t c) const {
  Run* outer = std::exchange(current_run(), &run);
  std::jmp_buf nowhere;
  run.safe = false;
  run.call = call_back;
  run.way_out = may_leave_ ? &nowhere : nullptr;   // the callback's own way out comes first
  if (!thread_state.known) [[unlikely]] thread_state = {.cpu = current_cpu(), .known = true};
  const std::int64_t turns = begin_turns(run);
  const std::uint64_t result = call_back(run, function, a, b, c, 0);
  thread_state.turns = turns;
  current_run() = outer;
  return result;
}

}  // namespace espy::vm
