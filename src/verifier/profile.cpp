// Which kernel's verifier does what. Versions are those of the change in Linux itself. Distributions and the long-term kernels
// take changes back, soundness fixes above all; where a kernel's BTF is at hand, the members of the verifier's own structures
// show what it really does, and count more than its version.
#include "verifier/profile.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "btf/btf.hpp"

namespace espy::verifier {
namespace {

using enum Behaviour;

// clang-format off
constexpr auto kBehaviours = std::to_array<BehaviourRow>({
    {.behaviour = million_insns, .name = "million_insns", .since = {5, 2}},
    {.behaviour = bounded_loops, .name = "bounded_loops", .since = {5, 3}, .shown_by = "bpf_verifier_state.branches"},
    {.behaviour = precise_scalars, .name = "precise_scalars", .since = {5, 3}, .shown_by = "bpf_reg_state.precise"},
    {.behaviour = spilled_scalar_ids, .name = "spilled_scalar_ids", .since = {6, 5}, .shown_by = "bpf_verifier_env.idset_scratch"},
    {.behaviour = iterator_convergence, .name = "iterator_convergence", .since = {6, 7}, .shown_by = "bpf_verifier_state.callback_unroll_depth"},
    {.behaviour = sixteen_frames, .name = "sixteen_frames", .since = {7, 3}, .shown_by = "bpf_verifier_env.max_stack_depth"},
    {.behaviour = private_stack, .name = "private_stack", .since = {6, 13}, .shown_by = "bpf_prog_aux.priv_stack_ptr"},
    {.behaviour = global_lazy, .name = "global_lazy", .since = {6, 8}, .shown_by = "bpf_func_info_aux.called"},

    {.behaviour = bounds32, .name = "bounds32", .since = {5, 7}},
    {.behaviour = spilled_bounds, .name = "spilled_bounds", .since = {5, 10}},
    {.behaviour = spill_scalars_narrow, .name = "spill_scalars_narrow", .since = {5, 16}},
    {.behaviour = spilled_unbounded, .name = "spilled_unbounded", .since = {6, 9}},
    {.behaviour = linked_scalars, .name = "linked_scalars", .since = {5, 11}},
    {.behaviour = linked_constants, .name = "linked_constants", .since = {6, 11}},
    {.behaviour = two_registers, .name = "two_registers", .since = {6, 8}},
    {.behaviour = deduce_across_widths, .name = "deduce_across_widths", .since = {6, 8}},
    {.behaviour = refine_not_equal, .name = "refine_not_equal", .since = {6, 8}},
    {.behaviour = null_by_comparison, .name = "null_by_comparison", .since = {6, 2}},
    {.behaviour = const_rodata, .name = "const_rodata", .since = {5, 5}},
    {.behaviour = lookup_constant_key, .name = "lookup_constant_key", .since = {6, 14}},
    {.behaviour = deduce_across_sign, .name = "deduce_across_sign", .since = {6, 17}},
    {.behaviour = wrapping_add, .name = "wrapping_add", .since = {6, 17}},
    {.behaviour = joined_mul, .name = "joined_mul", .since = {6, 18}},
    {.behaviour = extend_sign_by_shift, .name = "extend_sign_by_shift", .since = {6, 12}},
    {.behaviour = signed_mul, .name = "signed_mul", .since = {6, 14}},
    {.behaviour = negation, .name = "negation", .since = {6, 17}},
    {.behaviour = division_bounds, .name = "division_bounds", .since = {7, 0}},
    {.behaviour = byte_swap_bounds, .name = "byte_swap_bounds", .since = {6, 17}},
    {.behaviour = tnum_overlap, .name = "tnum_overlap", .since = {6, 18}},
    {.behaviour = helper_ranges, .name = "helper_ranges", .since = {6, 10}},

    {.behaviour = variable_stack_access, .name = "variable_stack_access", .since = {5, 12}},
    {.behaviour = uninitialised_stack, .name = "uninitialised_stack", .since = {6, 3}},
    {.behaviour = variable_context_offset, .name = "variable_context_offset", .since = {7, 1}},

    {.behaviour = global_functions, .name = "global_functions", .since = {5, 6}, .shown_by = "bpf_func_info_aux.linkage"},
    {.behaviour = global_memory_arguments, .name = "global_memory_arguments", .since = {5, 12}},
    {.behaviour = global_by_tags, .name = "global_by_tags", .since = {6, 8}, .shown_by = "bpf_subprog_info.args_cached"},
    {.behaviour = global_changes_packet, .name = "global_changes_packet", .since = {6, 13}, .taken_back_to = {6, 12}, .shown_by = "bpf_subprog_info.changes_pkt_data"},
    {.behaviour = global_might_sleep, .name = "global_might_sleep", .since = {6, 15}, .shown_by = "bpf_subprog_info.might_sleep"},
    {.behaviour = tail_calls_in_functions, .name = "tail_calls_in_functions", .since = {5, 10}, .shown_by = "bpf_subprog_info.tail_call_reachable"},
    {.behaviour = callbacks, .name = "callbacks", .since = {5, 13}, .shown_by = "bpf_func_state.in_callback_fn"},
    {.behaviour = callbacks_as_loops, .name = "callbacks_as_loops", .since = {6, 7}, .shown_by = "bpf_verifier_state.callback_unroll_depth"},
    {.behaviour = locked_functions, .name = "locked_functions", .since = {6, 9}},
    {.behaviour = fastcall, .name = "fastcall", .since = {6, 12}, .shown_by = "bpf_subprog_info.fastcall_stack_off"},
    {.behaviour = exceptions, .name = "exceptions", .since = {6, 7}, .shown_by = "func:bpf_throw"},
    {.behaviour = void_global_any, .name = "void_global_any", .since = {5, 6}},
    {.behaviour = raw_tp_may_be_null, .name = "raw_tp_may_be_null", .since = {6, 13}},
    {.behaviour = bpf_capable, .name = "bpf_capable", .since = {5, 8}},
    {.behaviour = static_registers, .name = "static_registers", .since = {6, 16}, .shown_by = "bpf_insn_aux_data.live_regs_before"},

    {.behaviour = jmp32, .name = "jmp32", .since = {5, 1}},
    {.behaviour = atomics, .name = "atomics", .since = {5, 12}},
    {.behaviour = cpu_v4, .name = "cpu_v4", .since = {6, 6}},
    {.behaviour = load_acquire, .name = "load_acquire", .since = {6, 15}},
    {.behaviour = may_goto, .name = "may_goto", .since = {6, 9}, .shown_by = "bpf_verifier_state.may_goto_depth"},
    {.behaviour = infinite_loop_by_iterators, .name = "infinite_loop_by_iterators", .since = {6, 4}, .shown_by = "func:bpf_iter_num_new"},
    {.behaviour = bpf_loop, .name = "bpf_loop", .since = {5, 17}, .shown_by = "enum:BPF_FUNC_loop"},
    {.behaviour = kfuncs, .name = "kfuncs", .since = {5, 13}},
    {.behaviour = dynptrs, .name = "dynptrs", .since = {5, 19}, .shown_by = "enum:BPF_FUNC_dynptr_from_mem"},
    {.behaviour = kptrs, .name = "kptrs", .since = {5, 19}, .shown_by = "enum:BPF_FUNC_kptr_xchg"},
    {.behaviour = timers, .name = "timers", .since = {5, 15}, .shown_by = "enum:BPF_FUNC_timer_init"},
    {.behaviour = sleepable, .name = "sleepable", .since = {5, 10}, .shown_by = "enum:BPF_FUNC_copy_from_user"},
    {.behaviour = rcu_sections, .name = "rcu_sections", .since = {6, 2}, .shown_by = "func:bpf_rcu_read_lock"},
    {.behaviour = preempt_sections, .name = "preempt_sections", .since = {6, 10}, .shown_by = "func:bpf_preempt_disable"},
    {.behaviour = irq_flags, .name = "irq_flags", .since = {6, 14}, .shown_by = "func:bpf_local_irq_save"},
    {.behaviour = spin_locks, .name = "spin_locks", .since = {5, 1}, .shown_by = "enum:BPF_FUNC_spin_lock"},
    {.behaviour = res_spin_lock, .name = "res_spin_lock", .since = {6, 15}, .shown_by = "func:bpf_res_spin_lock"},
    {.behaviour = graph_objects, .name = "graph_objects", .since = {6, 2}, .shown_by = "func:bpf_obj_new_impl"},
    {.behaviour = arenas, .name = "arenas", .since = {6, 9}, .shown_by = "enum:BPF_MAP_TYPE_ARENA"},
    {.behaviour = insn_arrays, .name = "insn_arrays", .since = {6, 19}, .shown_by = "enum:BPF_MAP_TYPE_INSN_ARRAY"},
    {.behaviour = lsm_return_ranges, .name = "lsm_return_ranges", .since = {6, 12}},
    {.behaviour = context_writes_by_st, .name = "context_writes_by_st", .since = {6, 4}},
    {.behaviour = equal_by_range, .name = "equal_by_range", .since = {6, 4}},
    {.behaviour = unknown_operands, .name = "unknown_operands", .since = {6, 10}},
    {.behaviour = spilled_identity, .name = "spilled_identity", .since = {6, 9}},
    {.behaviour = shared_value, .name = "shared_value", .since = {6, 18}},
    {.behaviour = fields_everywhere, .name = "fields_everywhere", .since = {7, 1}},
});
// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < kBehaviours.size(); ++i)
    if (std::to_underlying(kBehaviours[i].behaviour) != i) return false;
  return true;
}
static_assert(in_order() && kBehaviours.size() == std::to_underlying(fields_everywhere) + 1U);
static_assert(kBehaviours.size() <= 96, "Profile::behaviours has 96 bits");

constexpr facts::KernelVersion kLongTerm[] = {{5, 4}, {5, 10}, {5, 15}, {6, 1}, {6, 6}, {6, 12}, {6, 18}};

/// A long-term kernel without a patch level means its newest release.
bool taken_back(const BehaviourRow& row, facts::KernelVersion version) {
  const facts::KernelVersion release{version.major, version.minor};
  return release >= row.taken_back_to && std::ranges::find(kLongTerm, release) != std::end(kLongTerm);
}
bool by_version(const BehaviourRow& row, facts::KernelVersion version) {
  return (row.since <= version || taken_back(row, version)) && version < row.until;
}

/// Has the structure this member, in itself or in an anonymous one inside it?
bool has_member(const btf::Btf& types, const btf::Type& record, std::string_view name, int depth = 4) {
  for (const btf::Member& member : record.members()) {
    if (member.name == name) return true;
    if (member.name.empty() && depth > 0 && has_member(types, types.resolve(member.type), name, depth - 1)) return true;
  }
  return false;
}

bool has_enumerator(const btf::Btf& types, std::string_view enumeration, std::string_view name) {
  auto type = types.find(enumeration, btf::Kind::enum_);
  return type && std::ranges::any_of(type->enumerators(), [name](const btf::Enumerator& one) { return one.name == name; });
}

/// Do the kernel's types show what a row's `shown_by` asks for? nullopt: they are not of a kind that tells.
std::optional<bool> shows(const btf::Btf& types, std::string_view what) {
  if (what.empty()) return std::nullopt;
  if (what.starts_with("func:")) return types.find(what.substr(5), btf::Kind::func).has_value();
  if (what.starts_with("enum:")) {
    what.remove_prefix(5);
    const auto enumeration = what.starts_with("BPF_MAP_TYPE_") ? "bpf_map_type" : "bpf_func_id";
    if (!types.find(enumeration, btf::Kind::enum_)) return std::nullopt;
    return has_enumerator(types, enumeration, what);
  }
  const auto dot = what.find('.');
  auto record = types.find(what.substr(0, dot), btf::Kind::struct_);
  if (!record) return std::nullopt;
  return has_member(types, *record, what.substr(dot + 1));
}

/// A file that holds the types of a few structures only says nothing by what it does not hold.
bool is_whole_kernel(const btf::Btf& types) { return types.find("bpf_verifier_env", btf::Kind::struct_).has_value(); }

void set(Profile& profile, Behaviour behaviour, bool on) {
  profile.behaviours.set(std::to_underlying(behaviour), on);
}

/// What follows from the behaviours.
void set_limits(Profile& profile) {
  if (!profile.has(million_insns)) profile.limits = {.insns_processed = 131'072, .program_insns = 4096, .jump_sequence = 1024};
  if (profile.has(sixteen_frames)) profile.limits.call_frames = 16;
}

}  // namespace

std::span<const BehaviourRow> behaviours() { return kBehaviours; }
std::span<const facts::KernelVersion> long_term_kernels() { return kLongTerm; }

Profile profile_of(facts::KernelVersion version) {
  Profile profile{.name = to_string(version), .version = version};
  for (const BehaviourRow& row : kBehaviours) set(profile, row.behaviour, by_version(row, version));
  set_limits(profile);
  return profile;
}

Profile profile_of(const object::Target& target) {
  Profile profile = profile_of(target.version);
  if (!target.name.empty()) profile.name = target.name;
  if (target.vmlinux == nullptr || !is_whole_kernel(*target.vmlinux)) return profile;
  for (const BehaviourRow& row : kBehaviours) {
    if (auto shown = shows(*target.vmlinux, row.shown_by)) set(profile, row.behaviour, *shown);
  }
  set_limits(profile);
  return profile;
}

}  // namespace espy::verifier
