// What a kernel's verifier does and what it does not: one value per kernel, made from tables, the only place that knows
// versions. A profile of a kernel that is at hand (or whose BTF is) takes what it can from there, because distributions take
// features and fixes back to older versions.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "facts/types.hpp"
#include "object/target.hpp"

namespace espy::verifier {

/// A behaviour of the algorithm that came, or went, with a version: one row each in profile.cpp.
enum class Behaviour : std::uint8_t {
  // how far it looks
  million_insns,            ///< a million processed instructions; before, 131,072 (and 4,096 in the program)
  bounded_loops,            ///< back edges are followed; before, any is refused
  precise_scalars,          ///< scalars that decide nothing do not hinder pruning
  spilled_scalar_ids,       ///< precision follows scalars through the stack and by their ids
  iterator_convergence,     ///< loops of iterators end when states repeat; callbacks are followed as often as they run
  sixteen_frames,           ///< calls 16 deep; before, 8
  private_stack,           ///< 512 bytes for each of a program's functions where it can have its own stack
  global_lazy,     ///< global functions that nothing calls are not verified

  // what it knows of numbers
  bounds32,                ///< 32-bit bounds beside the 64-bit ones
  spilled_bounds,           ///< bounds survive a spill of 8 bytes; before, constants only
  spill_scalars_narrow,            ///< … and spills of 1, 2, 4 bytes
  spilled_unbounded,        ///< a spilled scalar without bounds keeps its identity
  linked_scalars,           ///< a check of one copy of a scalar tells of the others
  linked_constants,            ///< … and of copies plus a constant
  two_registers,        ///< branches between two ranges are decided, and both sides refined
  deduce_across_widths,           ///< 64-bit bounds are narrowed from the 32-bit ones
  refine_not_equal,          ///< `!=` with the edge of a range moves the edge
  null_by_comparison,       ///< a pointer equal to one that is not null is not null
  const_rodata,             ///< loads from frozen read-only maps give their value
  lookup_constant_key,    ///< a lookup in an array with a constant index inside it is not NULL
  deduce_across_sign,       ///< bounds of one sign narrow the other's
  wrapping_add,             ///< sums that wrap at both ends keep their range
  joined_mul,               ///< products by known bits of both factors
  extend_sign_by_shift,     ///< `<<` and `s>>` of 32 keep a sign-extended range
  signed_mul,    ///< products of signed ranges are ranges
  negation,          ///< the range of a negated range
  division_bounds,          ///< quotients and remainders by constants are ranges
  byte_swap_bounds,         ///< byte swaps keep what is known of the bits
  tnum_overlap,               ///< `&` tests and tests of known bits are decided by them
  helper_ranges,            ///< what helpers return has the range that they promise

  // memory
  variable_stack_access,    ///< the stack at an offset that is not constant, privileged
  uninitialised_stack,       ///< uninitialised stack may be read, privileged
  variable_context_offset,  ///< contexts at an offset that is not constant, or moved

  // functions
  global_functions,         ///< global functions are verified on their own
  global_memory_arguments,  ///< … and may take pointers to memory
  global_by_tags,            ///< … with tags: nonnull, nullable, trusted, ctx, arena
  global_changes_packet,    ///< a call of one that may change the packet loses packet pointers
  global_might_sleep,       ///< a call of one that may sleep is refused where sleeping is
  tail_calls_in_functions,  ///< tail calls beside calls of functions
  callbacks,                ///< functions may be given to helpers
  callbacks_as_loops,       ///< callbacks are followed for each of their runs, not once
  locked_functions,         ///< static functions may be called while a lock is held
  fastcall,                 ///< helpers that keep r1 to r5
  exceptions,               ///< bpf_throw
  void_global_any,          ///< global functions return scalars of any width
  raw_tp_may_be_null,       ///< arguments of tp_btf programs that may be NULL must be checked
  bpf_capable,              ///< CAP_BPF and CAP_PERFMON; before, CAP_SYS_ADMIN
  static_registers,         ///< registers that are not read again do not count when states are compared

  // features of programs
  jmp32, atomics, cpu_v4, load_acquire, may_goto, infinite_loop_by_iterators, bpf_loop, kfuncs, dynptrs, kptrs, timers, sleepable,
  rcu_sections, preempt_sections, irq_flags, spin_locks, res_spin_lock, graph_objects, arenas, insn_arrays,
  lsm_return_ranges,        ///< LSM programs return what their hook may
  context_writes_by_st,     ///< stores of constants to the context
  equal_by_range,           ///< equality is decided by ranges that are apart, not by constants alone
  unknown_operands,         ///< results of all operations with a range for an operand have one; before, of + - & alone
  spilled_identity,         ///< a scalar and its spill are known to be one
  shared_value,             ///< where known bits and a range have one value in common, it is that
  fields_everywhere,        ///< unused fields must be zero in code that is never reached, too
};

struct BehaviourRow {
  Behaviour behaviour{};
  std::string_view name{};
  facts::KernelVersion since{};
  facts::KernelVersion until{.major = 0xffff};   ///< the first kernel without it: behaviours go, too
  /// The oldest long-term kernel whose later releases have it, too: "5.10" stands for the newest 5.10.x. Seen in Debian's.
  facts::KernelVersion taken_back_to{.major = 0xffff};
  /// How a kernel's BTF shows it, whatever the version says: "bpf_reg_state.s32_min_value" (a member of one of the verifier's
  /// own structures), "func:bpf_iter_num_new", "enum:BPF_FUNC_loop". Empty: nothing does.
  std::string_view shown_by{};
};

std::span<const BehaviourRow> behaviours();  ///< row i is behaviour i
/// The longest a processed program may get, and how deep it may nest.
struct Limits {
  std::uint64_t insns_processed = 1'000'000;
  std::uint32_t program_insns = 1'000'000;      ///< in the program itself; 4,096 without privileges
  std::uint32_t jump_sequence = 8192;           ///< branches waiting to be followed
  std::uint32_t call_frames = 8;
  std::uint32_t stack_bytes = 512;
  std::uint32_t maps = 64;
};

struct Profile {
  std::string name = {};                ///< "6.1", "running kernel 6.18.44"
  facts::KernelVersion version = {};
  std::bitset<96> behaviours = {};      ///< bit i: Behaviour i
  Limits limits = {};

  bool has(Behaviour behaviour) const { return behaviours[static_cast<unsigned>(behaviour)]; }
};

/// By version alone.
Profile profile_of(facts::KernelVersion version);
/// By version, and by what the target's BTF shows.
Profile profile_of(const object::Target& target);

/// Long-term kernels, oldest first, and the newest that is known: what `--kernel all` means.
std::span<const facts::KernelVersion> long_term_kernels();

}  // namespace espy::verifier
