// Before the walk: what the program is, which maps it uses, what its context is. Behind it: what is judged as a whole.
#include <unistd.h>

#include <algorithm>
#include <array>

#include "verifier/checker.hpp"

namespace espy::verifier {
namespace {

constexpr std::array<std::string_view, 5> kGplLicences = {"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL"};

Deduction deduction_of(const Profile& profile) {
  return {.across_widths = profile.has(Behaviour::deduce_across_widths),
          .across_sign = profile.has(Behaviour::deduce_across_sign),
          .wrapping_add = profile.has(Behaviour::wrapping_add),
          .signed_mul = profile.has(Behaviour::signed_mul),
          .joined_mul = profile.has(Behaviour::joined_mul),
          .negation = profile.has(Behaviour::negation),
          .refine_not_equal = profile.has(Behaviour::refine_not_equal),
          .two_registers = profile.has(Behaviour::two_registers),
          .tnum_overlap = profile.has(Behaviour::tnum_overlap),
          .extend_sign_by_shift = profile.has(Behaviour::extend_sign_by_shift),
          .equal_by_range = profile.has(Behaviour::equal_by_range),
          .shared_value = profile.has(Behaviour::shared_value)};
}

}  // namespace

Checker::Checker(const object::LinkedObject& object, const object::LinkedProgram& program, const object::Target& target,
                 const Profile& profile, const Options& options)
    : object_(object), program_(program), target_(target), profile_(profile), options_(options), how_(deduction_of(profile)),
      types_(object, program, target) {
  type_ = program.spec.type;
  attach_ = program.spec.attach_type;
  leaks_allowed_ = capable_ = privileged();
  sleepable_ = program.spec.flags.sleepable;
  max_processed_ = options.max_insns != 0 ? options.max_insns : profile.limits.insns_processed;
  gpl_compatible_ = std::ranges::find(kGplLicences, object.object.license) != kGplLicences.end();
}

/// CPUs that the kernel may have: what the kernel's own verifier takes for the bound of the CPU's number.
std::uint32_t Checker::possible_cpus() const {
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  return cpus > 0 ? static_cast<std::uint32_t>(cpus) : 1;
}

void Checker::view_maps() {
  static const Record kNothing;
  const auto record_of = [&](const object::MapSpec& map) -> const Record* {
    return map.value_type == btf::kVoid || types_.own() == nullptr || map.is_data() ? &kNothing : &types_.record(map.value_type);
  };
  const auto& maps = object_.object.maps;
  maps_.reserve(2 * maps.size() + 1);
  for (std::uint32_t i = 0; i < maps.size(); ++i) {
    const Record* record = maps[i].is_data() && types_.own() != nullptr && maps[i].value_type != btf::kVoid ? &types_.record(maps[i].value_type) : record_of(maps[i]);
    maps_.push_back({.spec = &maps[i], .object_index = i, .inner = false, .inner_view = 0, .record = record});
  }
  for (std::uint32_t i = 0; i < maps.size(); ++i) {
    const object::MapSpec* inner = maps[i].inner.get();
    if (inner == nullptr) continue;
    maps_[i].inner_view = static_cast<std::uint32_t>(maps_.size());
    maps_.push_back({.spec = inner, .object_index = i, .inner = true, .inner_view = 0, .record = record_of(*inner)});
  }
}

/// Maps that the program names, against what its kind may use.
bool Checker::check_map_use() {
  std::vector<bool> used(maps_.size(), false);
  std::size_t count = 0;
  for (std::uint32_t at = 0; at < code_.size(); ++at) {
    const Insn& insn = code_.insns[at];
    if (insn.second_half || insn.op != isa::Operation::ld_imm64 || (insn.literal != Literal::map && insn.literal != Literal::map_value)) continue;
    if (insn.map >= object_.object.maps.size()) continue;
    insn_ = at;
    if (used[insn.map]) continue;
    used[insn.map] = true;
    if (++count > profile_.limits.maps) return reject(Rule::limit, "The total number of maps per program has reached the limit of {}", profile_.limits.maps);
    const object::MapSpec& map = *maps_[insn.map].spec;
    if (map.type == facts::MapType::arena) has_arena_ = true;
    if (sleepable_) {
      const auto since = facts::sleepable_since(map.type);
      if (!since || profile_.version < *since)
        return reject(Rule::sleepable, "Sleepable programs can only use array, hash, ringbuf and local storage maps");
    }
    const bool tracing = facts::traits_of(type_).tracing;
    const Record& record = *maps_[insn.map].record;
    if (record.find(FieldKind::spin_lock) != nullptr) {
      if (type_ == facts::ProgType::socket_filter) return reject(Rule::map_use, "socket filter progs cannot use bpf_spin_lock yet");
      if (tracing) return reject(Rule::map_use, "tracing progs cannot use bpf_spin_lock yet");
    }
    if (record.find(FieldKind::timer) != nullptr && tracing) return reject(Rule::map_use, "tracing progs cannot use bpf_timer yet");
    if (record.find(FieldKind::workqueue) != nullptr && tracing) return reject(Rule::map_use, "tracing progs cannot use bpf_wq yet");
    if ((record.find(FieldKind::list_head) != nullptr || record.find(FieldKind::rb_root) != nullptr) && tracing && profile_.version < facts::KernelVersion{6, 8})
      return reject(Rule::map_use, "tracing progs cannot use bpf_{{list_head,rb_root}} yet");
  }
  return true;
}

bool Checker::check_program_type() {
  if (type_ == facts::ProgType::unspec) return reject(Rule::program_type, "program type 0 is not known to the kernel");
  context_ = facts::find_context(type_, attach_);
  typed_context_ = context_ != nullptr && context_->kind == facts::ContextKind::arguments;
  const facts::ProgTraitsRow& traits = facts::traits_of(type_);
  if (!privileged() && !traits.unprivileged) return reject(Rule::privileges, "Operation not permitted");
  if (sleepable_ && !facts::may_sleep(type_, attach_, profile_.version))
    return reject(Rule::sleepable, "Program of this type cannot be sleepable");
  return true;
}

/// How many registers each call reads: what a call does not read need not be the same when states are compared.
std::vector<std::uint8_t> Checker::call_parameters() const {
  std::vector<std::uint8_t> parameters(code_.size(), 0);
  for (std::uint32_t at = 0; at < code_.size(); ++at) {
    const Insn& insn = code_.insns[at];
    if (insn.second_half || (insn.op != isa::Operation::call && insn.op != isa::Operation::callx)) continue;
    parameters[at] = 5;
    if (insn.call != isa::CallKind::helper || insn.imm <= 0 || static_cast<std::size_t>(insn.imm) >= facts::prototypes().size()) continue;
    const auto& arguments = facts::prototype_of(static_cast<std::uint32_t>(insn.imm), program_.spec.type)->args;
    parameters[at] = static_cast<std::uint8_t>(std::ranges::find(arguments, facts::Arg::none, &facts::Argument::kind) - arguments.begin());
  }
  return parameters;
}

bool Checker::prepare() {
  const CodeRules rules{.allow_back_edges = privileged() && profile_.has(Behaviour::bounded_loops),
                        .may_goto = profile_.has(Behaviour::may_goto),
                        .fields_everywhere = profile_.has(Behaviour::fields_everywhere),
                        .max_insns = privileged() ? profile_.limits.program_insns : std::min<std::uint32_t>(4096, profile_.limits.program_insns),
                        .kernel = profile_.version};
  code_ = Code::make(object_, program_, rules);
  stats_.visits.assign(code_.size(), 0);
  if (code_.flaw) {
    insn_ = code_.flaw->insn;
    constexpr Rule kRules[] = {Rule::bad_instruction, Rule::bad_jump, Rule::dead_code, Rule::infinite_loop, Rule::bad_jump,
                               Rule::bad_jump, Rule::read_only, Rule::too_large, Rule::limit};
    fail_with(kRules[static_cast<std::size_t>(code_.flaw->kind)], kNoRegister, code_.flaw->kernel_says);
    failure_.message = code_.flaw->message;
    return false;
  }
  facts_.assign(code_.size(), {});
  iter_next_.assign(code_.size(), false);
  access_types_.assign(code_.size(), RegType::not_init);
  global_called_.assign(code_.subprograms.size(), false);
  global_done_.assign(code_.subprograms.size(), false);
  view_maps();
  if (!check_program_type() || !check_map_use() || !check_kernel_symbols() || !check_attach_target()) return false;
  if (!check_abnormal_returns()) return false;
  find_iterators();
  return find_callee_effects();
}

/// Functions that may end the program in their middle (tail calls, packet loads) must say in BTF that they return a number.
bool Checker::check_abnormal_returns() {
  for (std::uint32_t i = 1; i < code_.subprograms.size(); ++i) {
    const Subprogram& subprogram = code_.subprograms[i];
    if (!subprogram.has_tail_call && !subprogram.has_ld_abs) continue;
    insn_ = subprogram.start;
    if (program_.spec.code.func_info.empty() || types_.own() == nullptr || subprogram.func == btf::kVoid)
      return reject(Rule::missing_btf, "{} is not allowed in subprogs without BTF", subprogram.has_ld_abs ? "LD_ABS" : "tail_call");
    const btf::Type result = types_.own()->resolve(types_.own()->type(types_.own()->type(subprogram.func).target()).target());
    if (result.kind() != btf::Kind::int_ && result.kind() != btf::Kind::enum_ && result.kind() != btf::Kind::enum64)
      return reject(Rule::subprogram, "{} is only allowed in functions that return 'int'.", subprogram.has_ld_abs ? "LD_ABS" : "tail_call");
  }
  return true;
}

/// What global functions do that their callers must know: whether they may move the packet, sleep.
bool Checker::find_callee_effects() {
  for (bool changed = true; changed;) {
    changed = false;
    for (Subprogram& subprogram : code_.subprograms)
      for (std::uint32_t at = subprogram.start; at < subprogram.end; at += code_.insns[at].slots) {
        const Insn& insn = code_.insns[at];
        if (insn.op != isa::Operation::call) continue;
        bool moves = false, sleeps = false, calls_tail = false;
        if (insn.call == isa::CallKind::helper && insn.imm > 0 && static_cast<std::size_t>(insn.imm) < facts::prototypes().size()) {
          moves = facts::prototypes()[static_cast<std::size_t>(insn.imm)].changes_packet;
          sleeps = facts::prototypes()[static_cast<std::size_t>(insn.imm)].might_sleep;
          calls_tail = insn.imm == 12;
        } else if (insn.call == isa::CallKind::subprogram) {
          const Subprogram& callee = code_.subprograms[code_.subprogram_of(insn.target)];
          moves = callee.changes_packet;
          sleeps = callee.might_sleep;
          calls_tail = callee.tail_call_reachable;
        }
        if (moves && !subprogram.changes_packet) subprogram.changes_packet = changed = true;
        if (sleeps && !subprogram.might_sleep) subprogram.might_sleep = changed = true;
        if (calls_tail && !subprogram.tail_call_reachable) subprogram.tail_call_reachable = changed = true;
      }
  }
  if (!profile_.has(Behaviour::global_changes_packet))
    for (Subprogram& subprogram : code_.subprograms) subprogram.changes_packet = false;
  return true;
}

bool Checker::walk_main() {
  compute_live_registers(code_, call_parameters());
  return walk_from(0);
}

/// Global functions are judged alone, by their BTF; those that nothing calls are not (6.8).
bool Checker::walk_globals() {
  for (bool again = true; again;) {
    again = false;
    for (std::uint32_t i = 1; i < code_.subprograms.size(); ++i) {
      if (!code_.subprograms[i].is_global || global_done_[i]) continue;
      if (profile_.has(Behaviour::global_lazy) && !global_called_[i]) continue;
      global_done_[i] = true;
      again = true;
      if (!walk_from(i)) return false;
    }
  }
  return true;
}

/// The deepest chain of calls, each frame rounded up as compiled code takes it.
bool Checker::check_stack_depth() {
  constexpr unsigned kRound = 16;
  constexpr std::uint64_t kMaxChainSteps = 50'000'000;   // hostile programs call in more ways than can be followed
  std::uint64_t steps = 0;
  const auto size_of = [&](std::uint32_t number) {
    const unsigned depth = std::max<unsigned>(code_.subprograms[number].stack_depth, 1);
    return (depth + kRound - 1) / kRound * kRound;
  };
  struct Level {
    std::uint32_t subprogram, at;
    unsigned depth;
  };
  for (std::uint32_t root = 0; root < code_.subprograms.size(); ++root) {
    if (root != 0 && !code_.subprograms[root].is_async_callback) continue;
    std::vector<Level> chain = {{root, code_.subprograms[root].start, size_of(root)}};
    stats_.stack_depth = std::max(stats_.stack_depth, static_cast<std::uint32_t>(chain.back().depth));
    while (!chain.empty()) {
      if (++steps > kMaxChainSteps) return reject(Rule::too_complex, "The sequence of {} jumps is too complex.", steps);
      const std::uint32_t number = chain.back().subprogram, at = chain.back().at;
      const Subprogram& subprogram = code_.subprograms[number];
      if (at >= subprogram.end) {
        chain.pop_back();
        continue;
      }
      const Insn& insn = code_.insns[at];
      chain.back().at += insn.slots;
      const bool calls = insn.op == isa::Operation::call && insn.call == isa::CallKind::subprogram;
      const bool refers = insn.op == isa::Operation::ld_imm64 && insn.literal == Literal::function;
      if (!calls && !refers) continue;
      const std::uint32_t callee = code_.subprogram_of(insn.target);
      if (refers && code_.subprograms[callee].is_async_callback) continue;
      insn_ = at;
      if (chain.size() >= kMaxFrames) return reject(Rule::call_depth, "the call stack of {} frames is too deep !", chain.size() + 1);
      const unsigned depth = chain.back().depth + size_of(callee);
      stats_.stack_depth = std::max(stats_.stack_depth, static_cast<std::uint32_t>(depth));
      if (code_.subprograms[callee].has_tail_call && depth - size_of(callee) >= 256)
        return reject(Rule::tail_call, "tail_calls are not allowed when call stack of previous frames is {} bytes. Too large", depth - size_of(callee));
      const bool own_stacks = profile_.has(Behaviour::private_stack) && has_private_stack();
      if (own_stacks ? size_of(callee) > isa::kStackBytes : depth > isa::kStackBytes)
        return reject(Rule::stack_overflow, "combined stack size of {} calls is {}. Too large", chain.size() + 1, depth);
      chain.push_back({callee, code_.subprograms[callee].start, depth});
    }
  }
  return true;
}

/// Programs that may interrupt themselves get stacks of their own from the kernel, each of 512 bytes.
bool Checker::has_private_stack() const {
  using enum facts::ProgType;
  for (const Subprogram& subprogram : code_.subprograms)
    if (subprogram.has_tail_call) return false;
  switch (type_) {
    case kprobe:
    case tracepoint:
    case perf_event:
    case raw_tracepoint: return true;
    case tracing: return attach_ != facts::AttachType::trace_iter;
    default: return false;
  }
}

void Checker::judge(Verdict& verdict) {
  const bool fine = prepare() && walk_main() && walk_globals() && check_stack_depth();
  verdict.accepted = fine && !failed_;
  stats_.insns_processed = processed_;
  if (!verdict.accepted) verdict.errors.push_back(diagnose());
  else verdict.facts = std::move(facts_);
  if (options_.log_level > 0) verdict.log = log_of_path();
  verdict.stats = std::move(stats_);
}

Verdict Checker::run() {
  Verdict verdict;
  judge(verdict);
  return verdict;
}

}  // namespace espy::verifier
