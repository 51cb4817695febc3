// Checker: one program on one kernel, being judged. The walk follows one path at a time, keeps the others for later, and
// forgets a path where an earlier state covers it.
//
//   explore.cpp     the walk: the next instruction, the next path, the instruction's effect by class
//   prune.cpp       have we been here? states kept where paths meet, liveness, loops
//   equal.cpp       does an old state cover a new one?
//   precision.cpp   the way back from a decision to the numbers that it depends on
//   alu.cpp, pointer_arithmetic.cpp, jump.cpp, packet.cpp, memory.cpp, stack.cpp, context.cpp, btf_access.cpp
//                   transfer functions
//   call.cpp, helper*.cpp, special_arguments.cpp, kfunc*.cpp, subprogram.cpp, globals.cpp, dynptr.cpp, holds.cpp, return.cpp
//                   calls and what they take, give, hold
//   diagnose.cpp    from a failure to a Diagnostic
//
// Every function that may refuse returns bool: false means that `reject` has said why, and the walk ends.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "facts/contexts.hpp"
#include "facts/kfuncs.hpp"
#include "facts/map_rules.hpp"
#include "facts/prog_rules.hpp"
#include "facts/prototypes.hpp"
#include "facts/tables.hpp"
#include "verifier/checker_parts.hpp"
#include "verifier/code.hpp"
#include "verifier/profile.hpp"
#include "verifier/rules.hpp"
#include "verifier/state.hpp"
#include "verifier/types.hpp"
#include "verifier/verify.hpp"

namespace espy::verifier {

class Checker {
 public:
  Checker(const object::LinkedObject& object, const object::LinkedProgram& program, const object::Target& target,
          const Profile& profile, const Options& options);
  Verdict run();

 private:
  struct Pending {                     // a path to follow later
    State* state = nullptr;
    std::uint32_t insn = 0, previous = 0;
  };
  struct Kept {                        // a state kept at an instruction
    State* state = nullptr;
    std::uint32_t callsite = 0;
    std::uint32_t hits = 0, misses = 0;
  };
  struct LoopVisit {
    std::array<std::uint32_t, kMaxFrames> callsites = {};
    std::uint32_t depth = 0, scc = 0;
    State* entry = nullptr;
    std::vector<State*> back_edges = {};
  };
  enum class Next : std::uint8_t { go_on, path_done, failed };
  enum class Exactness : std::uint8_t { not_exact, exact, range_within };

  // ---- setting up (setup.cpp) ----
  bool prepare();
  bool check_program_type();
  void view_maps();
  bool check_map_use();
  bool check_attach_target();
  std::vector<std::uint8_t> call_parameters() const;
  bool privileged() const { return !options_.unprivileged; }
  void judge(Verdict& verdict);
  bool check_stack_depth();
  bool find_callee_effects();
  bool check_abnormal_returns();
  bool has_private_stack() const;
  std::uint32_t possible_cpus() const;

  // ---- the walk (explore.cpp) ----
  bool walk_main();
  bool walk_globals();
  bool walk_from(std::uint32_t subprogram);
  bool walk();
  Next step();
  Next step_jump(const Insn& insn);
  bool step_memory(const Insn& insn);
  bool step_store_immediate(const Insn& insn);
  bool step_atomic(const Insn& insn);
  bool step_packet_load(const Insn& insn);
  bool load_literal(const Insn& insn);
  Next leave(bool thrown);
  State* push(std::uint32_t insn, std::uint32_t previous);
  bool next_path();
  void finish_path();
  bool same_access_type(RegType type);
  bool check_kernel_symbols();
  bool load_kernel_variable(const Insn& insn, Reg& dst);
  void note_map(std::uint32_t view);
  void record_fact(const Insn& insn, std::uint32_t at);

  // ---- failing (diagnose.cpp) ----
  template <typename... Args>
  bool reject(Rule rule, fmt::format_string<Args...> says, Args&&... args) {
    return fail_with(rule, kNoRegister, fmt::format(says, std::forward<Args>(args)...));
  }
  template <typename... Args>
  bool reject_reg(Rule rule, int reg, fmt::format_string<Args...> says, Args&&... args) {
    return fail_with(rule, reg, fmt::format(says, std::forward<Args>(args)...));
  }
  bool fail_with(Rule rule, int reg, std::string says);
  Diagnostic diagnose() const;
  std::string log_of_path() const;
  void log_state();
  void log_line(std::string_view text);
  std::string describe(unsigned number, const Reg& reg) const;
  std::vector<std::uint32_t> trace() const;
  std::string origin_of(std::uint32_t at, unsigned number) const;
  std::vector<Note> path_to_failure() const;
  std::string hint_of() const;
  Place place_of(std::uint32_t insn) const;

  // ---- registers (registers.cpp) ----
  Reg* regs() { return state_->frame().regs.data(); }
  bool read_reg(unsigned reg);
  bool write_reg(unsigned reg);
  bool is_pointer_value(const Reg& reg) const { return !leaks_allowed_ && reg.is_pointer(); }
  void set_unknown(Reg& reg) const;
  void invalidate(Reg& reg) const;
  void set_constant(Reg& reg, std::uint64_t number) const;
  std::uint32_t new_id() { return ++last_id_; }
  void give_scalar_id(Reg& reg);
  void adopt_null_check(Reg& reg);
  Frame& frame_of(const Reg& reg) { return *state_->frames[reg.frame]; }

  // ---- arithmetic (alu.cpp, pointer_arithmetic.cpp) ----
  bool step_alu(const Insn& insn);
  bool move(const Insn& insn);
  bool byte_swap(const Insn& insn);
  bool arithmetic(const Insn& insn);
  bool scalar_arithmetic(const Insn& insn, Reg& dst, const Reg& src);
  bool pointer_arithmetic(const Insn& insn, const Reg& pointer, const Reg& number);
  bool sane_offset(const Reg& pointer, RegType type, const Reg& number);

  // ---- jumps (jump.cpp, packet.cpp) ----
  Next conditional(const Insn& insn);
  Decision decide_jump(const Insn& insn, const Reg& left, const Reg& right) const;
  void refine_scalars(Compare compare, Reg& left, Reg& right, bool narrow) const;
  void collect_linked(State& state, std::uint32_t id, LinkedRegs& linked);
  void sync_linked(State& state, const Reg& known, const LinkedRegs& linked);
  void resolve_null(State& state, unsigned reg, bool is_null);
  void resolve_null_of(Reg& reg, std::uint32_t id, bool is_null);
  bool match_packet(const Insn& insn, Reg& dst, Reg& src, State& here, State& there);
  void find_packet_range(State& state, const Reg& pointer, RegType type, bool range_right_open);
  void mark_packet_end(State& state, unsigned reg, bool range_open);
  void forget_packet();
  Next may_goto(const Insn& insn);
  State* previous_turn(const State& now, std::uint32_t insn);
  bool never_null(const Reg& reg) const;
  bool check_unprivileged_pointer(unsigned number, const Reg& pointer);

  // ---- memory (memory.cpp, stack.cpp, context.cpp, btf_access.cpp) ----
  bool access_memory(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg, bool once_strict, bool sign_extends);
  bool access_map_value(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool access_sized_memory(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool access_buffer(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool access_context(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool access_btf(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool access_map_pointer(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool access_socket(unsigned reg, std::int32_t off, unsigned size, Access access, int value_reg);
  bool check_alignment(const Reg& reg, std::int32_t off, unsigned size, bool once_strict);
  bool check_region(unsigned reg, std::int64_t off, std::int64_t size, std::uint64_t mem_size, bool zero_ok);
  bool check_bounds(unsigned reg, std::int64_t off, std::int64_t size, std::uint64_t mem_size, bool zero_ok);
  bool check_map_region(unsigned reg, std::int64_t off, std::int64_t size, bool zero_ok, bool by_helper);
  bool check_packet_region(unsigned reg, std::int64_t off, std::int64_t size, bool zero_ok);
  bool check_pointer_offset(const Reg& reg, unsigned number, bool fixed_ok);
  bool kptr_access(unsigned reg, int value_reg, const Insn& insn, const SpecialField& field);
  bool may_access_packet(const CallMeta* meta, Access access);
  std::optional<std::uint64_t> read_only_value(const Reg& reg, std::int64_t off, unsigned size) const;
  bool stack_bounds(unsigned reg, std::int64_t off, std::int64_t size, Access access);
  bool stack_read(unsigned reg, std::int32_t off, unsigned size, int value_reg);
  bool stack_read_fixed(Frame& frame, std::int64_t off, unsigned size, int value_reg);
  bool stack_read_variable(unsigned reg, std::int64_t off, unsigned size, int value_reg);
  bool stack_write(unsigned reg, std::int32_t off, unsigned size, int value_reg);
  bool stack_write_fixed(Frame& frame, std::int64_t off, unsigned size, int value_reg);
  bool stack_write_variable(Frame& frame, const Reg& pointer, std::int64_t off, unsigned size, int value_reg);
  bool stack_initialised(unsigned reg, std::int64_t off, std::int64_t size, bool zero_ok, CallMeta* meta, Access access);
  void spill(Frame& frame, unsigned slot, const Reg& reg, unsigned size);
  void mark_slot_read(Frame& frame, unsigned slot);
  void mark_slot_written(Frame& frame, unsigned slot);
  void scrub_slot(StackSlot& slot) const;
  bool grow_stack(Frame& frame, unsigned slots);
  void load_context_value(Reg& reg, const facts::ContextFieldRow& field);
  bool typed_context(std::int32_t off, unsigned size, Access access, int value_reg);
  std::uint32_t flags_of_argument(std::uint32_t argument, std::string_view name, btf::TypeId pointee) const;
  bool in_rcu() const;
  std::uint32_t trust_of(const Reg& from, const FieldAccess& field) const;
  bool struct_ops_may_write(const Reg& reg, std::int64_t off, unsigned size) const;

  // ---- calls ----
  Next call(const Insn& insn);
  bool call_helper(const Insn& insn);
  bool helper_allowed(const facts::HelperRow& helper);
  bool check_argument(unsigned index, CallMeta& meta);
  bool check_argument_type(unsigned reg, facts::Argument argument, CallMeta& meta);
  bool check_memory_argument(unsigned reg, std::uint64_t size, Access access, bool zero_ok, CallMeta* meta);
  bool check_size_argument(unsigned memory_reg, unsigned size_reg, Access access, bool zero_ok, CallMeta* meta);
  bool check_map_and_helper(const MapView& map, std::int32_t helper);
  bool check_constant_string(unsigned reg);
  bool check_special_argument(unsigned reg, facts::Argument argument, CallMeta& meta);
  bool check_field_argument(unsigned reg, FieldKind kind, std::string_view name, CallMeta& meta);
  bool check_kptr_argument(unsigned reg, CallMeta& meta);
  bool check_btf_argument(unsigned reg, const facts::Argument& argument, CallMeta& meta);
  bool check_release_argument(unsigned reg, const Reg& value, CallMeta& meta);
  bool check_helper_specials(CallMeta& meta);
  bool set_helper_result(CallMeta& meta);
  void bound_helper_result(CallMeta& meta);
  bool check_formatting(unsigned format_reg, unsigned data_reg);
  std::optional<std::uint64_t> constant_key_of(unsigned reg, std::uint32_t key_size);

  Next call_subprogram(const Insn& insn);
  bool enter_subprogram(std::uint32_t subprogram, std::uint32_t callsite);
  bool check_global_arguments(std::uint32_t subprogram, bool entry);
  bool describe_arguments(std::uint32_t subprogram);
  bool describe_pointer(std::uint32_t subprogram, std::uint32_t index, btf::TypeId pointee, GlobalArgument& argument);
  Reg promised(const GlobalArgument& argument);
  bool keeps_promise(unsigned reg, const GlobalArgument& argument);
  bool keeps_memory_promise(unsigned reg, const GlobalArgument& argument);
  bool leave_subprogram();
  bool call_back(CallMeta& meta, bool asynchronous);
  bool set_callback_arguments(Frame& caller, Frame& callee, CallMeta& meta);

  Next call_kfunc(const Insn& insn);
  bool check_kfunc_allowed(CallMeta& meta);
  bool check_kfunc_arguments(CallMeta& meta);
  bool check_kfunc_argument(std::uint32_t index, CallMeta& meta, bool& skip_next);
  bool check_kfunc_number(unsigned reg, std::string_view name, CallMeta& meta);
  bool check_kfunc_reference(const KfuncArgument& argument, CallMeta& meta);
  std::optional<bool> check_kfunc_by_name(const KfuncArgument& argument, CallMeta& meta);
  std::optional<bool> check_kfunc_by_type(const KfuncArgument& argument, CallMeta& meta);
  bool skip_absent_memory(const KfuncArgument& argument, CallMeta& meta, bool& skip_next);
  bool check_kfunc_object(const KfuncArgument& argument, CallMeta& meta);
  bool check_kfunc_memory(const KfuncArgument& argument, CallMeta& meta, bool& skip_next);
  bool check_kfunc_sized_memory(const KfuncArgument& argument, CallMeta& meta);
  bool check_kfunc_dynptr(unsigned reg, std::string_view name, CallMeta& meta);
  bool check_kfunc_iterator(unsigned reg, const btf::Type& target, CallMeta& meta);
  bool check_graph_root(unsigned reg, std::string_view name, CallMeta& meta);
  bool check_graph_node(unsigned reg, std::string_view name, CallMeta& meta);
  bool describe_kfunc(const Insn& insn, std::uint32_t at, CallMeta& meta) const;
  void find_iterators();
  bool enter_or_leave_region(CallMeta& meta);
  void share_reference(std::uint32_t id);
  std::string_view kernel_context_name() const;
  bool set_kfunc_result(const Insn& insn, CallMeta& meta);
  std::optional<bool> set_named_result(const CallMeta& meta);
  void set_result_by_type(const btf::Type& target, const CallMeta& meta);
  bool fail_to_lock(const Insn& insn);

  bool object_slot(unsigned reg, unsigned slots, std::string_view name, Frame*& frame, unsigned& slot);
  bool make_dynptr(unsigned reg, DynptrType type, CallMeta& meta);
  bool use_dynptr(unsigned reg, facts::DynptrKind kind, CallMeta& meta, bool uninit_ok);
  bool drop_dynptr_at(Frame& frame, unsigned slot);
  bool drop_dynptr(unsigned reg);
  void forget_slices(std::uint32_t dynptr_id);
  bool make_iterator(unsigned reg, CallMeta& meta, unsigned slots);
  bool use_iterator(unsigned reg, CallMeta& meta, unsigned slots);
  bool drop_iterator(CallMeta& meta, unsigned slots);
  bool advance_iterator(const Insn& insn, CallMeta& meta);
  void widen(State& old, State& now);
  bool irq_save(unsigned reg, std::uint32_t kind);
  bool irq_restore(unsigned reg, std::uint32_t kind);

  std::uint32_t hold(HoldKind kind, std::uint32_t id = 0, std::uint64_t object = 0);
  bool let_go(std::uint32_t id);
  bool holds_reference(std::uint32_t id) const;
  bool check_holds(bool exception, std::string_view where);
  bool lock_spin(unsigned reg, bool lock, bool res, bool irq);
  void forget_non_owning();
  bool in_sleepable() const { return state_->may_sleep; }

  bool check_return(unsigned reg, std::string_view what);
  bool reject_range(const Reg& reg, std::int64_t least, std::int64_t most, std::string_view where, std::string_view name);

  // ---- pruning (prune.cpp, equal.cpp, precision.cpp) ----
  enum class Visit : std::uint8_t { covered, go_on, failed };
  Visit visit_state();
  void keep_state();
  void forget_states();
  void clean_states(std::uint32_t insn);
  void clean_state(State& state);
  bool covers(State& old, State& now, Exactness exactness);
  bool frame_covers(Frame& old, Frame& now, std::uint32_t insn, Exactness exactness);
  bool stack_covers(Frame& old, Frame& now, Exactness exactness);
  bool reg_covers(const Reg& old, const Reg& now, Exactness exactness);
  bool holds_cover(const State& old, const State& now);
  bool same_ids(std::uint32_t old, std::uint32_t now);
  bool same_scalar_ids(std::uint32_t old, std::uint32_t now);
  std::uint32_t frame_insn(const State& state, std::uint32_t frame) const;
  bool maybe_looping(const State& old, const State& now) const;
  bool iterators_differ(const State& old, const State& now) const;
  void propagate_liveness(State& from, State& to);
  void mark_parents_read(State& state, std::uint32_t frame, unsigned slot);
  bool loop_key(const State& state, LoopVisit& key) const;
  LoopVisit* find_loop(const State& state);
  void enter_loop(State& state);
  void leave_loop(State& state);
  bool incomplete(const State& state);
  void finish_branches(State* state);
  void retire(State& state);
  bool is_iter_next(std::uint32_t insn) const;
  bool iterator_is_active(const Reg& pointer) const;
  void push_step(std::uint8_t frame, std::uint8_t slot, bool stack_access, std::uint64_t linked);
  void push_step() { push_step(0, 0, false, 0); }
  void push_linked(std::uint64_t linked, std::uint8_t pointers);
  void sync_back_linked(const Step* step);
  void mark_imprecise(State& state) const;
  void mark_all_precise(State& state) const;
  bool need_precise(unsigned reg) { return track_back(*state_, static_cast<int>(reg), nullptr); }
  bool track_back(State& state, int reg, bool* changed);
  bool propagate_precision(State& old, State& now, bool* changed);
  enum class Back : std::uint8_t { ok, give_up };
  Back back_over(std::uint32_t insn, std::uint32_t following, const Step* step);
  void clear_singular_ids(State& state);

  // ---- what is judged ----
  const object::LinkedObject& object_;
  const object::LinkedProgram& program_;
  const object::Target& target_;
  const Profile& profile_;
  const Options& options_;
  Deduction how_;
  Types types_;
  Code code_;
  std::vector<MapView> maps_;
  facts::ProgType type_{};             ///< of the program, or of the one that it extends
  std::optional<facts::AttachType> attach_{};
  const facts::ContextRow* context_ = nullptr;
  bool leaks_allowed_ = true, capable_ = true, sleepable_ = false, strict_alignment_ = false;
  bool typed_context_ = false, has_arena_ = false, gpl_compatible_ = false;
  facts::HookKind hook_ = facts::HookKind::any;
  std::optional<btf::Type> attach_proto_{};
  BtfRef attach_ref_ = BtfRef::vmlinux;
  std::string attach_name_ = {};
  std::uint32_t first_argument_ = 0;   ///< of the prototype, as the program counts
  std::uint64_t max_processed_ = 1'000'000;

  // ---- the walk ----
  StatePool pool_;
  State* state_ = nullptr;
  std::vector<Pending> pending_;
  std::vector<std::vector<Kept>> kept_;        // by instruction
  std::vector<LoopVisit> loops_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> loops_by_scc_;
  std::vector<State*> retired_;                // no longer compared, perhaps still on somebody's path
  std::size_t open_edges_ = 0, kept_count_ = 0;
  std::uint32_t insn_ = 0, previous_ = 0;
  std::uint32_t last_id_ = 0;
  std::string walked_ = {};                  ///< Options::log_level 2: what was known before each instruction
  std::uint64_t processed_ = 0, jumps_ = 0, processed_at_keep_ = 0, jumps_at_keep_ = 0;
  bool step_recorded_ = false;                 // this instruction already has a Step
  std::vector<GlobalFunction> global_arguments_;
  std::vector<bool> iter_next_;                // by instruction: advances an iterator
  std::vector<bool> global_called_, global_done_;
  std::vector<RegType> access_types_;          // by instruction: through what pointer it accesses memory
  Failure failure_;
  bool failed_ = false;
  Stats stats_;
  std::vector<InsnFacts> facts_;

  // scratch of equal.cpp: which old id stands for which new one
  struct IdPair {
    std::uint32_t old = 0, now = 0;
  };
  std::vector<IdPair> id_pairs_;
  std::uint32_t scratch_id_ = 0;
  // scratch of precision.cpp
  std::uint32_t back_frame_ = 0;
  std::array<std::uint32_t, kMaxFrames> back_regs_ = {};
  std::array<std::uint64_t, kMaxFrames> back_slots_ = {};
  bool back_empty() const;
};

}  // namespace espy::verifier
