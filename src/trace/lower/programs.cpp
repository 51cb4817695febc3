// The frame of a program:
//
//   which target fired, if one program serves several       → else end
//   the predicate                                           → else end
//   a level of the scratch is claimed, if the body needs it → else counted, end
//   the body
//   exit: the level is given back
//   end: return 0
//
// Whether scratch is needed shows only when the body has been lowered, so the way into it is left open until then. A
// predicate that needs scratch itself has the claim in front of it.
#include "trace/lower/programs.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "trace/lower/helpers.hpp"
#include "trace/lower/lowering.hpp"

namespace espy::trace::lowering {

using ir::BlockId;
using ir::kI64;
using ir::kNoValue;
using ir::Op;
using ir::ValueId;

namespace {

constexpr ir::Type kElement = ir::ptr(ir::Space::map_value);
constexpr std::size_t kNameBytes = 100;          // of a program's name; the kernel's names of types end at 127

std::string program_name(const probes::Instance& instance, std::uint32_t number) {
  std::string name = instance.targets.empty() ? "program" : instance.targets[0].name;
  for (char& c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
  if (name.size() > kNameBytes) name.resize(kNameBytes);
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') name = "p" + name;
  return fmt::format("{}_{}", name, number);
}

/// Programs of raw tracepoints return to nobody. Those of perf events say whether the sample is to be written to the event's
/// ring as well, and these events have none.
bool result_matters(const probes::Instance& instance) {
  using enum facts::ProgType;
  if (instance.attachments.empty()) return true;   // run by test_run, which tells
  const bool raw = instance.prog_type == tracing && instance.attach_type == facts::AttachType::trace_raw_tp;
  return !raw && instance.prog_type != raw_tracepoint && instance.prog_type != perf_event;
}

class Program {
 public:
  Program(Unit& unit, std::uint32_t index, ir::FuncId id)
      : unit_(unit), probe_(unit.checked.probes[index]), l_(unit, id, probe_.variables) {
    l_.probe = &probe_;
    l_.program = index;
    l_.first_probe = static_cast<std::uint32_t>(unit.plan.probes.size() - probe_.instance.targets.size());
    l_.ctx = l_.b.param(0);
    l_.exit_to = &exit_;
    l_.mark(probe_.at);
  }

  void run() {
    l_.followed = decide_turns(probe_.body);
    addressed_variables();
    which_target();
    if (l_.reachable()) only_process();
    if (!l_.reachable()) return finish(false);
    Opening before = open();
    if (probe_.predicate) {
      l_.mark(probe_.predicate->at);
      Join yes;
      l_.condition(*probe_.predicate, yes, skip_);
      l_.enter(yes);
    }
    const bool early = l_.scratch_area.most != 0;
    Opening after;
    if (!early) {
      close(before, kNoValue);
      after = open();
    }
    l_.block(probe_.body);
    l_.go(exit_);
    const bool claimed = l_.scratch_area.most != 0;
    if (claimed) unit_.need_scratch(l_.scratch_area.most);
    Opening& opening = early ? before : after;
    const ValueId base = opening.base;
    if (claimed) claim(opening);
    else close(opening, kNoValue);
    if (early) {  // the predicate's own way out has the level to give back, too
      std::ranges::move(skip_.ways, std::back_inserter(exit_.ways));
      skip_.ways.clear();
    }
    l_.enter(exit_);
    if (l_.reachable() && claimed) l_.store_number({base, 0}, 8, l_.i64(0));
    l_.go(end_);
    finish(true);
  }

 private:
  // A way that is not yet continued: into a block whose parameter is the scratch.
  struct Opening {
    BlockId from{}, to{};
    Environment environment;
    ValueId base = kNoValue;
    bool reachable = false;
  };

  Opening open() {
    Opening opening{.from = l_.b.here(), .environment = l_.env, .reachable = l_.reachable()};
    opening.to = l_.b.block({kElement});
    opening.base = l_.b.param_of(opening.to, 0);
    l_.b.at(opening.to);
    l_.scratch_area.base = opening.base;
    return opening;
  }

  void close(const Opening& opening, ValueId base) {
    const BlockId here = l_.b.here();
    l_.b.at(opening.from);
    const ValueId given = base != kNoValue ? base : l_.b.null(ir::Space::map_value);
    if (!l_.b.terminated()) l_.b.jump(opening.to, {given});
    l_.b.at(here);
  }

  /// The first free level: each has a word that is exchanged for 1, and was 0 if it was free.
  void claim(const Opening& opening) {
    if (l_.b.terminated()) return;
    const Environment kept = l_.env;
    const bool was_reachable = l_.reachable();
    const BlockId here = l_.b.here();
    ir::Builder& b = l_.b;
    b.at(opening.from);
    const ir::MapId map = unit_.scratch();
    const Address key = l_.on_stack(4);
    const BlockId busy = b.cold_block();
    // A program stays on its CPU while it runs.
    const ValueId first = unit_.scratch_by_cpu ? b.mul(b.helper(helper::get_smp_processor_id, kI64, {}, ir::kReadsOnly), l_.i64(kScratchLevels)) : kNoValue;
    for (std::uint32_t level = 0; level < kScratchLevels; ++level) {
      l_.store_number(key, 4, first == kNoValue ? l_.i64(level) : b.add(first, l_.i64(level)));
      const ValueId area = b.helper(helper::map_lookup_elem, kElement, {b.map(map), l_.pointer(key)}, ir::kReadsOnly);
      const BlockId there = level == 0 ? b.block() : b.cold_block();
      const BlockId next = level + 1 < kScratchLevels ? b.cold_block() : busy;
      b.branch(b.ne(area, b.null(ir::Space::map_value)), there, busy);
      b.at(there);
      if (unit_.abilities.atomics) {
        const ValueId was = b.atomic_fetch(Op::atomic_xchg, area, l_.i64(1), 64);
        b.branch(b.eq(was, l_.i64(0)), opening.to, {area}, next, {});
      } else {
        // Before atomic operations with a result, programs are not preempted: what interrupts one ends before it goes on.
        const ValueId was = b.load(kI64, 64, area);
        const BlockId free = b.block();
        b.branch(b.eq(was, l_.i64(0)), free, next);
        b.at(free);
        b.store(64, area, 0, l_.i64(1));
        b.jump(opening.to, {area});
      }
      b.at(next);
    }
    b.at(busy);
    l_.env = opening.environment;
    Join counted;
    counted.ways.push_back({busy, opening.environment, kNoValue});
    l_.enter(counted);
    l_.env.keys.clear();
    l_.count(Counter::Kind::scratch_busy, l_.first_probe);
    l_.go(end_);
    b.at(here);
    l_.env = kept;
    l_.set_reachable(was_reachable);
  }

  void finish(bool open_end) {
    if (open_end) {
      std::ranges::move(skip_.ways, std::back_inserter(end_.ways));
      l_.enter(end_);
      if (l_.reachable()) l_.fn().result == ir::kNoType ? l_.b.ret() : l_.b.ret(l_.i64(0));
    }
    l_.seal();
  }

  void addressed_variables() {
    VariableUse use = variables_of(probe_.body);
    if (probe_.predicate) {
      const VariableUse more = variables_of(*probe_.predicate);
      use.address_taken.insert(more.address_taken.begin(), more.address_taken.end());
    }
    for (const std::uint32_t id : use.address_taken) {
      const Type& type = l_.type_of_variable(id);
      const bool in_scratch = unit_.economy == Economy::variables && !Lowering::ir_type(type).is_ptr() && !l_.followed.contains(id);
      if (!type.is_scalar() || in_scratch) continue;
      l_.homes[id] = {.kind = VariableHome::Kind::memory, .at = l_.on_stack(8)};
      l_.store_number(l_.homes[id].at, 8, l_.i64(0));
    }
  }

  /// Ends the program where none of its targets fired, and settles which one did.
  ///
  /// A system call's number is compared before the task is asked whether it calls as a 32-bit program would: that is free.
  void which_target() {
    which_call();
    const probes::Instance& instance = probe_.instance;
    if (instance.compat && l_.reachable()) {
      // Words of the context that are wanted later are read before that call: a register keeps them instead of the context.
      l_.context_word(0, instance.arguments.typed_pointers ? ir::ptr(ir::Space::kernel) : kI64);
      l_.context_word(8, kI64);
      const ValueId task = l_.current_task();
      const bool typed = l_.fn().type_of(task).is_ptr();
      const ValueId flags = l_.read_scalar(integer_type(4, false), task, instance.compat->offset, typed ? Space::btf : Space::kernel, probe_.at);
      Join native;
      l_.branch(l_.b.eq(l_.b.and_(flags, l_.i64(instance.compat->mask)), l_.i64(0)), native, end_);
      l_.enter(native);
    }
  }

  /// Probes that fire for all processes, and are wanted of one.
  void only_process() {
    using enum probes::Provider;
    constexpr probes::Provider kOfAll[] = {tracepoint, rawtracepoint, kprobe, kretprobe, fentry, fexit};
    if (!unit_.options.only_pid || std::ranges::find(kOfAll, probe_.instance.targets.front().provider) == std::end(kOfAll)) return;
    Join wanted;
    l_.branch(l_.b.eq(l_.pid_number(false, PidNamespace::current), l_.i64(*unit_.options.only_pid)), wanted, end_);
    l_.enter(wanted);
  }

  void which_call() {
    const probes::Instance& instance = probe_.instance;
    if (instance.attach_type == facts::AttachType::trace_iter) return objects_of_iterator();
    if (instance.which != probes::Which::syscall) return;
    const probes::Argument number{.name = {}, .spelling = {}, .size = 8, .source = instance.number};
    const ValueId called = l_.argument(number, uint64_type(), probe_.at);
    Join traced;
    if (instance.syscalls.size() == 1) {
      l_.target = l_.i64(instance.syscalls[0].target);
      l_.branch(l_.b.eq(called, l_.i64(instance.syscalls[0].number)), traced, end_);
      l_.enter(traced);
      return;
    }
    // A table of u16 by the call's number: 0 is not traced, else the target's index and 1.
    const std::uint32_t most = instance.syscalls.empty() ? 0 : instance.syscalls.back().number;
    std::string table(2 * (std::size_t{most} + 1), '\0');
    for (const probes::SyscallCase& one : instance.syscalls) {
      table[2 * one.number] = static_cast<char>((one.target + 1) & 0xff);
      table[2 * one.number + 1] = static_cast<char>((one.target + 1) >> 8);
    }
    const std::uint32_t offset = unit_.constant(table, 2);
    Join known;
    l_.branch(l_.b.compare(Op::ule, called, l_.i64(most)), known, end_);
    l_.enter(known);
    const ValueId row = l_.b.ptr_add(l_.b.map_value(unit_.constants(), offset), l_.b.shl(called, l_.i64(1)));
    const ValueId entry = l_.load_number({row, 0}, 2);
    l_.branch(l_.b.ne(entry, l_.i64(0)), traced, end_);
    l_.enter(traced);
    l_.target = l_.b.sub(entry, l_.i64(1));
  }

  /// An iterator's program is called once more when all is over, without an object: the script does not see that. The
  /// verifier follows only the very values that were tested.
  void objects_of_iterator() {
    const probes::ArgumentSet& set = probe_.instance.arguments;
    if (!set.btf || !set.context) return;
    const btf::Type context = set.btf->resolve(*set.context);
    for (std::uint32_t i = 0; i < context.vlen() && l_.reachable(); ++i) {
      const btf::Member member = context.member(i);
      if (member.name == "meta") continue;
      // Members are pointers in unions of 8 bytes, where the kernel's programs are 32 bits wide, or pointers.
      btf::Type type = set.btf->resolve(member.type);
      if (type.kind() == btf::Kind::union_ && type.vlen() != 0) type = set.btf->resolve(type.member(0).type);
      if (type.kind() != btf::Kind::ptr) continue;
      const std::uint32_t offset = member.bit_offset / 8;
      const ValueId object = l_.b.load(ir::ptr(ir::Space::kernel), 64, l_.ctx, offset);
      Join there;
      l_.branch(l_.b.ne(object, l_.b.null(ir::Space::kernel)), there, end_);
      l_.enter(there);
      l_.context_objects.emplace_back(offset, object);
    }
  }

  Unit& unit_;
  const CheckedProbe& probe_;
  Lowering l_;
  Join exit_, skip_, end_;
};

}  // namespace

namespace {

std::uint32_t add_targets(Unit& unit, const CheckedProbe& probe) {
  const auto first = static_cast<std::uint32_t>(unit.plan.probes.size());
  for (const probes::Target& target : probe.instance.targets) unit.plan.probes.push_back({.name = target.name, .at = probe.at});
  return first;
}

constexpr ir::Type kContext[] = {ir::ptr(ir::Space::ctx)};

/// One program for both ends of the same functions. Each block is a function of its own; the program asks which it is to run.
void add_session(Unit& unit, std::uint32_t index) {
  const CheckedProbe& entry = unit.checked.probes[index];
  const CheckedProbe& at_return = unit.checked.probes[*entry.returns];
  const std::string name = program_name(entry.instance, index + 1);
  const auto asks = unit.kernel_object("bpf_session_is_return", ir::ExternKind::kfunc);
  if (!asks) return unit.error(entry.at, "this kernel cannot tell a function's entry from its return", "--no-feature kprobe_session,uprobe_session");
  ProgramPlan plan{.program = name, .instance = entry.instance, .first_probe = add_targets(unit, entry)};
  plan.instance.targets.insert(plan.instance.targets.end(), at_return.instance.targets.begin(), at_return.instance.targets.end());
  const ir::FuncId id = unit.module.add_function(name, kI64, kContext, ir::Role::program);
  const ir::FuncId at_entry = unit.module.add_function(name + "_entry", kI64, kContext, ir::Role::subprogram);
  Program(unit, index, at_entry).run();
  add_targets(unit, at_return);
  const ir::FuncId behind = unit.module.add_function(name + "_return", kI64, kContext, ir::Role::subprogram);
  Program(unit, *entry.returns, behind).run();
  unit.plan.programs.push_back(std::move(plan));

  ir::Builder b(unit.module[id]);
  b.mark = unit.mark(entry.at);
  // A function without parameters until 7.0: what it is given more than that does not matter.
  const ValueId is_return = b.kfunc(*asks, kI64, {b.param(0)});
  const BlockId yes = b.block(), no = b.block();
  b.branch(b.ne(b.zext(is_return, 8), b.i64(0)), yes, no);
  b.at(yes);
  b.call(behind, kI64, {b.param(0)});
  b.ret(b.i64(0));
  b.at(no);
  b.call(at_entry, kI64, {b.param(0)});
  b.ret(b.i64(0));
}

}  // namespace

void add_program(Unit& unit, std::uint32_t index) {
  const CheckedProbe& probe = unit.checked.probes[index];
  if (probe.is_joined) return;
  if (probe.returns) return add_session(unit, index);
  const std::string name = program_name(probe.instance, index + 1);
  const std::uint32_t first = add_targets(unit, probe);
  unit.plan.programs.push_back({.program = name, .instance = probe.instance, .first_probe = first});
  const ir::FuncId id = unit.module.add_function(name, result_matters(probe.instance) ? kI64 : ir::kNoType, kContext, ir::Role::program);
  Program(unit, index, id).run();
}

}  // namespace espy::trace::lowering
