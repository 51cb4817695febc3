#include "vm/jit/compiled.hpp"

#include <utility>

#include "base/text.hpp"
#include "ir/lift/lift.hpp"
#include "ir/passes/passes.hpp"
#include "ir/x86/emit.hpp"
#include "vm/helpers/table.hpp"
#include "vm/jit/inline_lookups.hpp"
#include "vm/maps/references.hpp"
#include "vm/object.hpp"

namespace espy::vm {
namespace {

std::uint64_t helper_address(std::uint32_t id) {
  const Helper* helper = find_helper(id);
  return helper == nullptr ? 0 : reinterpret_cast<std::uint64_t>(helper->function);
}

/// What compiled programs pass as a callback is its address.
std::uint64_t call_back(Run&, std::uint64_t function, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
  return pointer<std::uint64_t(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t)>(function)(a, b, c, d);
}

/// Where a tail call goes on; 0: the slot is empty, there were too many, or its program is not compiled.
std::uint64_t tail_call(std::uint64_t map, std::uint64_t index) {
  Run& run = *current_run();
  const Map& array = *pointer<const Map>(map);
  if (array.attributes().type != facts::MapType::prog_array || run.tail_calls == kTailCalls) return 0;
  const Program* program = static_cast<const ProgramArray&>(array).at(static_cast<std::uint32_t>(index));
  if (program == nullptr || !program->compiled()) return 0;
  ++run.tail_calls;
  return program->compiled()->entry();
}

ir::Options passes_of(Tier tier) {
  if (tier == Tier::baseline) return {.level = 0};
  return {.level = 2, .divide_by_multiply = true, .hoist_cheap = true, .inline_limit = 40};
}

}  // namespace

Compiled::Compiled(CodeMemory memory, std::uint32_t entry)
    : memory_(std::move(memory)), entry_(pointer<std::uint64_t(std::uint64_t, std::uint64_t)>(reinterpret_cast<std::uint64_t>(memory_.at(entry)))) {}

Result<Compiled> Compiled::compile(std::span<const isa::Insn> code, Tier tier, std::string_view name, std::span<const std::uint64_t> maps) {
#if !defined(__x86_64__)
  return fail(ErrorKind::unsupported, "compile `{}`: there is no compiler for this processor", name);
#endif
  static const ir::x86::Features features = ir::x86::host_features();
  ir::Lifted lifted = TRY(ir::lift({.code = code}));
  if (tier == Tier::optimised) inline_lookups(lifted.module, maps);
  ir::optimise(lifted.module, passes_of(tier));
  const ir::x86::Code made = TRY(ir::x86::emit(lifted.module, {.features = features, .helper = helper_address, .tail_call = reinterpret_cast<std::uint64_t>(&tail_call)}));
  CodeMemory memory = TRY(CodeMemory::create(made.bytes));
  announce(memory.at(0), memory.size(), name);
  return Compiled(std::move(memory), made.entries[0]);
}

std::uint64_t Compiled::run(Run& run, std::uint64_t context, std::uint64_t second) const {
  Run* outer = std::exchange(current_run(), &run);
  run.safe = false;
  run.tail_calls = 0;
  run.call = call_back;
  const std::uint64_t result = entry_(context, second);
  current_run() = outer;
  return result;
}

}  // namespace espy::vm
