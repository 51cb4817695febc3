// Every need comes from a table of facts: the row says since when. Needs are found by walking the program and the
// subprograms that it reaches; what the kernel asks for only where a path leads (calls of helpers) is marked so.
#include "verifier/needs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "facts/features.hpp"
#include "facts/kfuncs.hpp"
#include "facts/prog_rules.hpp"
#include "facts/tables.hpp"
#include "isa/decode.hpp"

namespace espy::verifier {
namespace {

using facts::Feature;
using facts::KernelVersion;

class Collector {
 public:
  Collector(const object::ObjectSpec& object, const object::ProgramSpec& program) : object_(object), program_(program) {}

  std::vector<Need> run() {
    add_type();
    for (const object::MapSpec& map : object_.maps) {
      if (map.autocreate) add_map(map);
    }
    add_function(program_.code);
    return std::move(needs_);
  }

 private:
  void add(Need need) {
    auto same = [&](const Need& other) { return other.kind == need.kind && other.name == need.name; };
    if (std::ranges::none_of(needs_, same)) needs_.push_back(std::move(need));
  }
  void add(Feature feature, NeedKind kind = NeedKind::feature) {
    const facts::FeatureRow& row = facts::row_of(feature);
    add({.kind = kind, .name = std::string(row.what), .since = row.since});
  }

  void add_type() {
    if (const auto* row = facts::find(program_.type)) add({.kind = NeedKind::program_type, .name = std::string(row->name), .since = row->since});
    if (program_.type != facts::ProgType::struct_ops && program_.attach_type) {
      if (const auto* row = facts::find(*program_.attach_type); row != nullptr && attach_type_counts())
        add({.kind = NeedKind::attach_type, .name = std::string(row->name), .since = row->since});
    }
    if (program_.flags.sleepable) add_sleepable();
    if (program_.flags.xdp_frags) add(Feature::xdp_frags, NeedKind::program_flag);
  }

  // Kernels before 5.9 do not look at the attach type of XDP programs and their like, and loaders then leave it away.
  bool attach_type_counts() const {
    using enum facts::AttachType;
    switch (*program_.attach_type) {
      case xdp:
      case sk_reuseport_select:
      case perf_event:
      case tcx_ingress:
      case tcx_egress: return false;
      default: return true;
    }
  }

  void add_sleepable() {
    const auto& traits = facts::traits_of(program_.type);
    add({.kind = NeedKind::program_flag, .name = "programs that may sleep", .since = traits.sleepable,
         .what = fmt::format("of type {}", to_string(program_.type))});
  }

  void add_map(const object::MapSpec& map) {
    const auto* row = facts::find(map.type);
    if (row != nullptr && map.type != facts::MapType::unspec)
      add({.kind = NeedKind::map_type, .name = std::string(row->name), .since = row->since, .what = fmt::format("of the map `{}`", map.name)});
    if (map.is_data()) add(Feature::global_data);
    if (map.inner) add_map(*map.inner);
  }

  void add_function(const object::FunctionSpec& function) {
    if (!seen_.insert(&function).second) return;
    for (isa::InsnIdx at = 0; at < function.insns.size();) {
      auto decoded = isa::try_decode(function.insns, at);
      if (decoded.defect != isa::Defect::none) {
        ++at;
        continue;
      }
      add_instruction(decoded.instruction);
      at += decoded.instruction.slots();
    }
    for (const object::Relocation& relocation : function.relocations) add_reference(relocation.to);
  }

  void add_instruction(const isa::Instruction& instruction) {
    const isa::OpcodeRow& row = *instruction.row;
    if (row.since.major >= 4 && (row.since.major > 4 || row.since.minor > 14)) add(form_of(row));
    const bool is_helper = row.operation == isa::Operation::call && row.selector == isa::Selector::src &&
                           row.selected == std::to_underlying(isa::CallKind::helper);
    if (is_helper) add_helper(instruction.imm);
  }

  static Need form_of(const isa::OpcodeRow& row) {
    const KernelVersion since{row.since.major, row.since.minor};
    Need need{.kind = NeedKind::instruction, .since = since};
    if (row.isa == isa::IsaVersion::later || row.is_atomic()) need.name = std::string(row.name);
    else need.name = fmt::format("instruction set {}", to_string(row.isa)), need.what = fmt::format("`{}`", row.name);
    return need;
  }

  void add_helper(std::int32_t number) {
    const auto* row = facts::find_helper(static_cast<std::uint32_t>(number));
    if (row == nullptr || row->id == 0) return;
    auto since = program_.type == facts::ProgType::ext ? std::optional(row->since) : facts::callable_since(program_.type, *row);
    add({.kind = NeedKind::helper, .name = std::string(row->name), .since = since,
         .what = fmt::format("for programs of type {}", to_string(program_.type)), .if_reached = true});
  }

  void add_reference(const object::Reference& reference) {
    std::visit(overload{[](const object::MapRef&) {},
                        [this](const object::MapValueRef&) { add(Feature::global_data); },
                        [this](const object::CallRef& call) { add_function(object_.function(call.function)); },
                        [this](const object::FunctionRef& function) {
                          add({.kind = NeedKind::feature, .name = "functions given to helpers", .since = KernelVersion{5, 13}});
                          add_function(object_.function(function.function));
                        },
                        [this](const object::ExternRef& external) { add_extern(object_.external(external.external)); }},
               reference);
  }

  void add_extern(const object::ExternSpec& external) {
    if (external.weak || !std::holds_alternative<object::KfuncExtern>(external.kind)) return;
    const std::string& name = external.essence.empty() ? external.name : external.essence;
    const auto* row = facts::find_kfunc(name);
    add({.kind = NeedKind::kfunc, .name = name, .since = row != nullptr ? std::optional(row->since) : std::nullopt,
         .what = row != nullptr ? "" : "of no kernel that is known, or of a module"});
  }

  const object::ObjectSpec& object_;
  const object::ProgramSpec& program_;
  std::vector<Need> needs_;
  std::set<const object::FunctionSpec*> seen_;
};

/// "byte_off struct task_struct.pid (0:3): nothing like it in …" → "struct task_struct.pid".
std::string name_of_relocation(std::string_view text) {
  text = text.substr(0, text.find(" ("));
  if (auto space = text.find(' '); space != text.npos) text.remove_prefix(space + 1);
  return std::string(text);
}

constexpr std::array<std::string_view, 9> kKindNames = {
    "program type", "attach type", "program flag", "map type", "helper", "kernel function", "instruction", "feature", "type or field"};

}  // namespace

std::string_view to_string(NeedKind kind) { return kKindNames[std::to_underlying(kind)]; }

std::string describe(const Need& need) {
  std::string text = need.kind == NeedKind::feature || need.kind == NeedKind::program_flag || need.name.starts_with("instruction set")
                         ? need.name
                         : fmt::format("the {} {}", to_string(need.kind), need.name);
  if (!need.what.empty()) text += " " + need.what;
  if (need.since && *need.since < facts::kNoVersion) text += fmt::format(" (Linux {})", to_string(*need.since));
  return text;
}

std::vector<Need> needs_of(const object::ObjectSpec& object, const object::ProgramSpec& program) { return Collector(object, program).run(); }

std::vector<Need> lacking(const std::vector<Need>& needs, KernelVersion version) {
  std::vector<Need> lacks;
  std::ranges::copy_if(needs, std::back_inserter(lacks), [version](const Need& need) { return need.since && version < *need.since; });
  return lacks;
}

std::vector<Need> needs_at(const object::LinkedObject& object, const object::LinkedProgram& program, isa::InsnIdx insn, KernelVersion version) {
  std::vector<Need> needs;
  for (const object::CoreOutcome& outcome : object.core) {
    if (outcome.poisoned && outcome.program == program.spec.name && outcome.insn == insn)
      needs.push_back({.kind = NeedKind::kernel_type, .name = name_of_relocation(outcome.text), .what = outcome.hint, .insn = insn, .if_reached = true});
  }
  const auto& insns = program.spec.code.insns;
  if (insn >= insns.size() || !isa::is_call(insns[insn], isa::CallKind::helper)) return needs;
  const auto* row = facts::find_helper(static_cast<std::uint32_t>(insns[insn].imm));
  if (row == nullptr) return needs;
  auto since = facts::callable_since(program.spec.type, *row);
  if (since && version < *since)
    needs.push_back({.kind = NeedKind::helper, .name = std::string(row->name), .since = since,
                     .what = fmt::format("for programs of type {}", to_string(program.spec.type)), .insn = insn, .if_reached = true});
  return needs;
}

std::optional<Need> need_of_link(const Error& error) {
  const Error* deepest = &error;
  while (deepest->cause) deepest = deepest->cause.get();
  if (deepest->kind != ErrorKind::not_found && deepest->kind != ErrorKind::unsupported) return std::nullopt;
  return Need{.kind = NeedKind::kernel_type, .name = one_line(*deepest), .what = deepest->hint};
}

}  // namespace espy::verifier
