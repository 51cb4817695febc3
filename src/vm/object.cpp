#include "vm/object.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "isa/disassemble.hpp"
#include "vm/context/packet.hpp"
#include "vm/context/rewrite.hpp"
#include "vm/helpers/timers.hpp"
#include "vm/maps/references.hpp"
#include "vm/maps/ring_buffer.hpp"

namespace espy::vm {

namespace {

void set_imm64(std::vector<isa::Insn>& code, isa::InsnIdx at, std::uint64_t value) {
  code[at].src = 0;
  code[at].imm = static_cast<std::int32_t>(value);
  code[at + 1].imm = static_cast<std::int32_t>(value >> 32);
}

/// Why the program needs a packet; empty: it does not.
std::string needs_packet(const Steps& steps) {
  for (std::size_t i = 0; i < steps.steps.size(); ++i) {
    const Callee* callee = steps.steps[i].callee;
    if (callee != nullptr && callee->on_packet) return fmt::format("instruction {} calls `{}`", i, callee->name);
  }
  return steps.loads_packet ? "it loads from one" : "";
}

std::uint64_t missing(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  Run& run = *current_run();
  run.fault = "calls a kfunc that is not there";
  leave(run);
  return 0;
}
constexpr facts::Prototype kNothingTaken{.returns = facts::Return::nothing};
constexpr Callee kMissing{.name = "missing", .function = missing, .prototype = &kNothingTaken};

}  // namespace

// Map references become addresses: of the map, or in its value.
Result<void> Object::bind(std::vector<isa::Insn>& code, const object::FunctionSpec& from) const {
  for (const object::Relocation& relocation : from.relocations) {
    if (const auto* map = std::get_if<object::MapRef>(&relocation.to)) {
      set_imm64(code, relocation.insn, reinterpret_cast<std::uint64_t>(maps_[static_cast<std::size_t>(map->map)].get()));
    } else if (const auto* value = std::get_if<object::MapValueRef>(&relocation.to)) {
      const std::uint32_t zero = 0;
      void* data = maps_[static_cast<std::size_t>(value->map)]->lookup(&zero);
      set_imm64(code, relocation.insn, reinterpret_cast<std::uint64_t>(data) + value->offset);
    } else {
      return fail(ErrorKind::unsupported, "instruction {}: a reference to the kernel, which the user engine has not", relocation.insn);
    }
  }
  return {};
}

// Calls of kfuncs get numbers of this program's own, loads of their addresses say whether they are there. One that is not may
// stand in the program if that asks first, or declares it weak: calling it is a fault.
Result<Calls> Object::bind_kfuncs(std::vector<isa::Insn>& code, std::span<const object::KfuncUse> uses) const {
  Calls calls{.registry = registry_.get(), .kfuncs = {&kMissing}};
  for (isa::InsnIdx at = 0; at < code.size(); at += isa::is_ld_imm64(code[at]) ? 2 : 1) {
    if (isa::is_call(code[at], isa::CallKind::kfunc)) code[at].imm = 0, code[at].off = 0;
  }
  for (const object::KfuncUse& use : uses) {
    if (use.insn >= code.size()) return fail(ErrorKind::malformed, "a kfunc at instruction {}, there are {}", use.insn, code.size());
    const Callee* callee = registry_ == nullptr ? find_kfunc(use.name) : registry_->kfunc(use.name);
    if (isa::is_ld_imm64(code[use.insn])) {
      if (use.insn + 1 >= code.size()) return fail(ErrorKind::malformed, "half an instruction at {}", use.insn);
      set_imm64(code, use.insn, callee != nullptr ? 1 : 0);
      continue;
    }
    const bool asks = std::ranges::any_of(uses, [&](const object::KfuncUse& other) { return other.name == use.name && isa::is_ld_imm64(code[other.insn]); });
    if (callee == nullptr && !asks) return fail(ErrorKind::unsupported, "instruction {}: the user engine has no kfunc `{}`", use.insn, use.name);
    if (callee == nullptr) continue;
    code[use.insn].imm = static_cast<std::int32_t>(calls.kfuncs.size());
    calls.kfuncs.push_back(callee);
  }
  return calls;
}

// Maps and programs that the object puts into its maps from the start. A program that was not asked for is no error.
Result<void> Object::fill_slots() {
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    for (const object::SlotValue& slot : spec_.maps[i].slots) {
      if (auto* programs = dynamic_cast<ProgramArray*>(maps_[i].get())) {
        const auto* wanted = std::get_if<std::string>(&slot.value);
        if (wanted != nullptr) TRY(programs->set(slot.slot, find_program(*wanted)));
      } else if (auto* outer = dynamic_cast<MapOfMaps*>(maps_[i].get())) {
        const auto* inner = std::get_if<object::MapIdx>(&slot.value);
        const std::shared_ptr<Map> map = inner == nullptr ? nullptr : maps_[static_cast<std::size_t>(*inner)];
        if (map != nullptr) TRY(outer->put(std::as_bytes(std::span(&slot.slot, 1)), map));
      }
    }
  }
  return {};
}

Result<void> Object::make_maps(const LoadOptions& options) {
  for (const object::MapSpec& spec : spec_.maps) {
    std::shared_ptr<Map> map;
    if (auto given = options.maps.find(spec.name); given != options.maps.end() && given->second != nullptr) {
      map = given->second;
      const MapAttributes& have = map->attributes();
      if (have.type != spec.type || have.key_size != spec.key_size || have.value_size != spec.value_size) {
        return fail(ErrorKind::invalid_argument, "map `{}` is shared with one of another kind, or other sizes", spec.name);
      }
    } else if (spec.autocreate) {
      map = TRY(create_map(spec, spec_.btf.get()));
    }
    maps_.push_back(map);
    const auto handle = reinterpret_cast<std::uint64_t>(map.get());
    if (map == nullptr || std::ranges::find(handles_, handle) != handles_.end()) continue;
    for (const Region& region : map->regions()) values_.add(region);
    handles_.push_back(handle);
    if (!spec.is_data() || !map->attributes().read_only_for_programs) continue;
    static_cast<void>(map->freeze());   // as loaders for the kernel do
    for (const Region& region : map->regions()) constants_.add(region);
  }
  std::ranges::sort(handles_);
  return {};
}

// What the compiler lacks is no error: the program is interpreted.
Result<void> Object::compile(Program& program, std::span<const isa::Insn> code, const LoadOptions& options, const Calls& calls) {
  auto compiled = Compiled::compile(code, options.tier, program.spec_.name,
                                    {.maps = handles_, .calls = &calls, .constants = &constants_, .bounded = options.bounded, .blinded = options.blinded});
  if (compiled) program.compiled_ = std::move(*compiled);
  else if (compiled.error().kind == ErrorKind::unsupported) program.fallback_ = describe(compiled.error());
  else return std::unexpected(compiled.error());
  return {};
}

Result<void> Object::make_program(object::LinkedProgram& program, const LoadOptions& options) {
  std::vector<isa::Insn> code = program.spec.code.insns;
  const ContextLayout* layout = context_layout(program.spec.type);
  TRY(bind(code, program.spec.code));
  const Calls calls = TRY(bind_kfuncs(code, program.kfuncs));
  if (layout != nullptr) {
    TRY(isa::check(code));
    TRY(rewrite_context(code, *layout));
  }
  Steps steps = TRY(steps_of(code, calls));
  const std::string on_packet = needs_packet(steps);
  if (!on_packet.empty() && layout == nullptr) return fail(ErrorKind::unsupported, "programs of its type have no packet: {}", on_packet);
  if (steps.loads_packet && layout->user == kXdp) return fail(ErrorKind::unsupported, "programs of its type reach the packet by pointers only");
  Program& made = programs_.emplace_back();
  made.needs_packet_ = !on_packet.empty();
  made.steps_ = std::move(steps);
  made.spec_ = std::move(program.spec);
  made.object_ = this;
  made.steps_.program = &made;
  if (options.tier != Tier::interpreter) TRY(compile(made, code, options, calls));
  return {};
}

Result<std::unique_ptr<Object>> Object::load(object::LinkedObject linked, const LoadOptions& options) {
  std::unique_ptr<Object> object(new Object());
  object->spec_ = std::move(linked.object);
  object->registry_ = options.registry;
  TRY(object->make_maps(options));
  for (object::LinkedProgram& program : linked.programs) {
    const std::string name = program.spec.name;
    auto made = object->make_program(program, options);
    if (!made) return std::unexpected(wrap(made.error(), fmt::format("load program `{}`", name)));
  }
  TRY(object->fill_slots());
  return object;
}

Object::~Object() { forget_timers(*this); }

std::shared_ptr<Map> Object::find_map(std::string_view name) const {
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    if (spec_.maps[i].name == name) return maps_[i];
  }
  return nullptr;
}

const Program* Object::find_program(std::string_view name) const {
  auto found = std::ranges::find(programs_, name, &Program::name);
  return found == programs_.end() ? nullptr : &*found;
}

namespace {

// What safe mode lets the program touch. The pointers of its context are for reading; helpers move them.
void add_packet(Run& run, Packet& packet) {
  auto begin = reinterpret_cast<std::uintptr_t>(packet.context());
  run.own.add({.begin = begin, .end = begin + offsetof(PacketContext, fields), .writable = false, .what = "context"});
  run.own.add({.begin = begin + offsetof(PacketContext, fields), .end = begin + sizeof(PacketContext), .what = "context"});
  run.own.add(packet.region());
}

}  // namespace

// A program reads its context as it was rewritten to: any other would be misread. With none at all, r1 is null: the interpreter
// says so where it is read, compiled code would not.
Result<void> Program::check_input(const RunInput& input) const {
  if (compiled_ && input.packet == nullptr && context_layout(spec_.type) == nullptr && input.context_bytes < compiled_->context_bytes()) {
    return fail(ErrorKind::invalid_argument, "program `{}` reads {} bytes of its context, which has {}", name(), compiled_->context_bytes(), input.context_bytes);
  }
  if (input.context == nullptr && input.packet == nullptr && !needs_packet_ && !compiled_) return {};
  const ContextLayout* layout = context_layout(spec_.type);
  const ContextLayout* given = input.packet == nullptr ? nullptr : &input.packet->layout();
  if (layout == given || (layout != nullptr && given != nullptr && layout->user == given->user)) return {};
  return fail(ErrorKind::invalid_argument, "program `{}` {}", name(),
              layout == nullptr ? "takes no packet" : given == nullptr ? "needs a packet to run on" : "needs another kind of packet");
}

Result<RunResult> Program::run(const RunInput& input) const {
  TRY(check_input(input));
  Run run{.object = object_, .program = this, .context = input.context, .shared = &object_->values_, .maps = object_->handles_, .budget = input.budget, .cookie = input.cookie};
  if (input.print) run.print = &input.print;
  run.instruction = input.frame != 0 ? input.instruction : reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  run.frame = input.frame != 0 ? input.frame : *static_cast<const std::uintptr_t*>(__builtin_frame_address(0));
  if (input.packet != nullptr) run.context = input.packet->context(), run.packet = input.packet;
  if (compiled_) {
    const std::uint64_t value = compiled_->run(run, reinterpret_cast<std::uint64_t>(run.context));
    if (run.fault.empty()) return RunResult{.value = value};
    return fail(ErrorKind::rejected, "program `{}` {}", name(), run.fault);
  }
  if (input.packet != nullptr) add_packet(run, *input.packet);
  auto context = reinterpret_cast<std::uintptr_t>(input.context);
  if (input.context_bytes != 0) run.own.add({.begin = context, .end = context + input.context_bytes, .what = "context"});
  for (const Region& region : input.memory) run.own.add(region);
  Outcome outcome = interpret(steps_, run, {reinterpret_cast<std::uint64_t>(run.context), 0, 0, 0, 0});
  for (std::byte* record : run.records) RingBuffer::finish(record, true);   // a run that faulted may hold some
  if (!outcome.fault) return RunResult{.value = outcome.value, .instructions = outcome.instructions};
  const Program& where = outcome.fault->program == nullptr ? *this : *outcome.fault->program;
  Error error{.kind = ErrorKind::rejected, .message = fmt::format("program `{}` {}", where.name(), outcome.fault->message),
              .where = fmt::format("instruction {}", outcome.fault->insn)};
  error.notes.push_back(isa::disassemble(where.spec_.code.insns[outcome.fault->insn]));
  return std::unexpected(std::move(error));
}

}  // namespace espy::vm
