// The passes: each takes a function (or module) that `check` accepts to one that computes the same, in fewer steps. Each
// says whether it changed anything; what it needs to know about the function it computes itself. One file a pass.
#pragma once

#include <span>
#include <string_view>

#include "ir/ir.hpp"

namespace espy::ir {

struct Options {
  /// 0: only `lay_out` and `compact`; 1: what is quick, without inlining; 2: everything.
  unsigned level = 2;
  /// Divisions by constants become multiplications. Not for eBPF, whose verifiers lose the bounds.
  bool divide_by_multiply = false;
  /// Also values that cost one instruction are computed before a loop. Not for eBPF, which has few registers.
  bool hoist_cheap = false;
  /// A subprogram of up to so many instructions is inlined everywhere. One that is called once is, whatever its size.
  unsigned inline_limit = 20;
};

/// Constants, identities, chains of extensions and compares, offsets moved into memory accesses, values that are known
/// from their bits or facts.
bool fold(Function& function);
/// Multiplications and divisions by constants as shifts and masks.
bool reduce_strength(Function& function, const Options& options);
/// What nothing needs: pure instructions, loads, calls that are kRemovable, parameters of blocks.
bool remove_dead(Function& function);
/// Equal pure instructions become one where one dominates the other; where a branch decided a truth value, it is known.
bool number_values(Function& function);
/// Branches that are decided, blocks that only jump, blocks with one way in, parameters that are always the same value.
bool simplify_control(Function& function);
/// Stack slots whose address goes nowhere become values.
bool promote_slots(Function& function);
/// Loads of what was just stored in a slot; stores to a slot that nothing reads.
bool forward_stores(Function& function);
/// Stores to slots go to where the slot is read, if that is on one way out of a block only.
bool sink_stores(Function& function);
/// Computes what does not change in a loop before it.
bool hoist_invariants(Function& function, const Options& options);
/// Small subprograms into their callers.
bool inline_calls(Module& module, const Options& options);
/// Subprograms and callbacks that no program reaches go, and ids of functions change. Functions must be compact.
bool drop_uncalled(Module& module);
/// Orders blocks: each before what it dominates, the likelier successor next, cold blocks last.
void lay_out(Function& function);
/// Makes the arrays dense: no instruction, block or slot is left that nothing refers to. Ids change.
void compact(Function& function);

/// All of them, in a good order. Ids of values, blocks, slots and functions change; those of maps and externs do not.
void optimise(Module& module, const Options& options = {});

struct PassRow {
  std::string_view name;
  bool (*run)(Module& module, Function& function, const Options& options);
};
/// Every pass by name, for tests and tools.
std::span<const PassRow> passes();
const PassRow* find_pass(std::string_view name);

}  // namespace espy::ir
