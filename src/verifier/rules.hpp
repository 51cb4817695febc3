// Rules: what a program can break, one row each: a name for machines, the title and the way out for people. docs/check.md has
// a section for each. A rejection names its rule; the text that only the place knows (values, names) stands in the diagnostic.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "verifier/verify.hpp"

namespace espy::verifier {

enum class Rule : std::uint8_t {
  unbounded_offset, missing_null_check, packet_bounds, uninitialised_stack, uninitialised_register, pointer_arithmetic,
  leaked_reference, lock_held, lock_order, infinite_loop, too_complex, stack_overflow, stack_bounds, helper_not_allowed,
  gpl_only, wrong_argument, map_value_bounds, memory_bounds, modified_pointer, context_access, dead_code, sleepable,
  kfunc, kfunc_reference, rcu, missing_btf, missing_core_field, too_large, bad_instruction, bad_jump, return_value,
  read_only, pointer_leak, misaligned, callback, dynptr, iterator, irq, map_use, map_field, tail_call, call_depth,
  privileges, exception, arena, program_type, btf_access, subprogram, zero_size, limit,
};

struct RuleRow {
  Rule rule{};
  std::string_view name{};    ///< "missing-null-check": stable, in JSON and SARIF
  std::string_view title{};   ///< "a pointer that may be NULL is used unchecked"
  std::string_view hint{};    ///< what mends it; {reg} {what} … are filled in by the diagnostic
};

std::span<const RuleRow> rules();   ///< row i is rule i
const RuleRow& row_of(Rule rule);

}  // namespace espy::verifier
