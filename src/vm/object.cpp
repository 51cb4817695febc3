#include "vm/object.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "isa/disassemble.hpp"
#include "vm/context/packet.hpp"
#include "vm/context/rewrite.hpp"
#include "vm/maps/references.hpp"
#include "vm/maps/ring_buffer.hpp"

namespace espy::vm {

namespace {

void set_imm64(std::vector<isa::Insn>& code, isa::InsnIdx at, std::uint64_t value) {
  code[at].src = 0;
  code[at].imm = static_cast<std::int32_t>(value);
  code[at + 1].imm = static_cast<std::int32_t>(value >> 32);
}

const Step* first_on_packet(const Steps& steps) {
  auto found = std::ranges::find_if(steps.steps, [](const Step& step) { return step.helper != nullptr && step.helper->on_packet; });
  return found == steps.steps.end() ? nullptr : &*found;
}

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

Result<std::unique_ptr<Object>> Object::load(object::LinkedObject linked, Tier tier) {
  std::unique_ptr<Object> object(new Object());
  object->spec_ = std::move(linked.object);
  for (const object::MapSpec& spec : object->spec_.maps) {
    std::shared_ptr<Map> map;
    if (spec.autocreate) map = TRY(create_map(spec));
    object->maps_.push_back(map);
    if (map == nullptr) continue;
    for (const Region& region : map->regions()) object->values_.add(region);
    object->handles_.push_back(reinterpret_cast<std::uint64_t>(map.get()));
  }
  std::ranges::sort(object->handles_);
  for (object::LinkedProgram& program : linked.programs) {
    std::vector<isa::Insn> code = program.spec.code.insns;
    auto bound = object->bind(code, program.spec.code);
    if (!bound) return std::unexpected(wrap(bound.error(), fmt::format("load program `{}`", program.spec.name)));
    if (const ContextLayout* layout = context_layout(program.spec.type)) {
      auto checked = isa::check(code);
      auto rewritten = checked ? rewrite_context(code, *layout) : std::move(checked);
      if (!rewritten) return std::unexpected(wrap(rewritten.error(), fmt::format("load program `{}`", program.spec.name)));
    }
    auto steps = steps_of(code);
    if (!steps) return std::unexpected(wrap(steps.error(), fmt::format("load program `{}`", program.spec.name)));
    const Step* on_packet = first_on_packet(*steps);
    if (on_packet != nullptr && context_layout(program.spec.type) == nullptr) {
      return fail(ErrorKind::unsupported, "load program `{}`: instruction {}: programs of its type have no packet for helper {}", program.spec.name,
                  on_packet - steps->steps.data(), on_packet->helper->id);
    }
    Program& made = object->programs_.emplace_back();
    made.needs_packet_ = on_packet != nullptr;
    made.steps_ = std::move(*steps);
    if (tier != Tier::interpreter) {
      auto compiled = Compiled::compile(code, tier, program.spec.name, object->handles_);
      if (!compiled) return std::unexpected(wrap(compiled.error(), fmt::format("load program `{}`", program.spec.name)));
      made.compiled_ = std::move(*compiled);
    }
    made.spec_ = std::move(program.spec);
    made.object_ = object.get();
    made.steps_.program = &made;
  }
  TRY(object->fill_slots());
  return object;
}

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

// A program reads its context as it was rewritten to: any other would be misread. With none at all, r1 is null.
Result<void> Program::check_input(const RunInput& input) const {
  if (input.context == nullptr && input.packet == nullptr && !needs_packet_) return {};
  const ContextLayout* layout = context_layout(spec_.type);
  const ContextLayout* given = input.packet == nullptr ? nullptr : &input.packet->layout();
  if (layout == given || (layout != nullptr && given != nullptr && layout->user == given->user)) return {};
  return fail(ErrorKind::invalid_argument, "program `{}` {}", name(),
              layout == nullptr ? "takes no packet" : given == nullptr ? "needs a packet to run on" : "needs another kind of packet");
}

Result<RunResult> Program::run(const RunInput& input) const {
  TRY(check_input(input));
  Run run{.object = object_, .context = input.context, .shared = &object_->values_, .maps = object_->handles_, .budget = input.budget, .cookie = input.cookie};
  if (input.print) run.print = &input.print;
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
