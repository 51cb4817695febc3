// Linking, step by step, for each program:
//   1. CO-RE relocations patch the program's own code, and once each subprogram it reaches;
//   2. subprograms are joined behind the program, calls get their distances;
//   3. references to maps, kernel configuration and kernel symbols get all that is known before maps exist;
//   4. calls of helpers that the target's kernel knows by another number are renamed;
//   5. the kernel type to attach to is found.
// Before any program, the .kconfig map gets its contents and struct_ops values their layout, which some steps refer to.
#include "object/link.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "object/link_steps.hpp"

namespace espy::object {
namespace {

/// All programs of an object together: subprograms are copied into each, so a small hostile object could ask for
/// terabytes. 16 Mi instructions are 128 MiB, more than any real object by two orders of magnitude.
constexpr std::size_t kMaxObjectInsns = std::size_t{16} << 20;
constexpr std::size_t kMaxReports = std::size_t{1} << 20;   ///< what became of relocations: as many, for the same reason

constexpr std::int32_t kPoisonedMap = 2'001'000'000;  ///< + map: a helper that no kernel has, where a map is not created

/// A helper that older kernels have under one number for both address spaces.
struct RenamedHelper {
  std::int32_t number, old_number;
  facts::KernelVersion since;
};
constexpr RenamedHelper kRenamedHelpers[] = {
    {112, 4, {5, 5}},   // probe_read_user → probe_read
    {113, 4, {5, 5}},   // probe_read_kernel → probe_read
    {114, 45, {5, 5}},  // probe_read_user_str → probe_read_str
    {115, 45, {5, 5}},  // probe_read_kernel_str → probe_read_str
};

/// Calls of kernel functions exist since; before, the verifier refuses the form even where it cannot be reached.
constexpr facts::KernelVersion kKfuncsSince{5, 13};
constexpr std::int32_t kPoisonedKfunc = 2'002'000'000;  ///< + extern

class Linker {
 public:
  Linker(LinkedObject& out, const Target& target)
      : out_(out), object_(out.object), target_(target), core_(out.object, target), externs_(out.object, target),
        functions_(out.object.functions.size()),
        kconfig_map_(static_cast<std::size_t>(std::ranges::find(object_.maps, MapOrigin::kconfig, &MapSpec::origin) - object_.maps.begin())) {}

  Result<void> run(const LinkOptions& options) {
    TRY(fill_kconfig(object_, target_));
    TRY(lay_out_all_struct_ops());
    for (const ProgramSpec* program : TRY(chosen(options))) {
      auto linked = link_program(*program);
      if (!linked) return std::unexpected(wrap(linked.error(), fmt::format("link program `{}`", program->name)));
      out_.programs.push_back(std::move(*linked));
    }
    return {};
  }

 private:
  /// A subprogram with its CO-RE relocations applied.
  struct Patched {
    FunctionSpec code;
    std::vector<CoreFixup> fixups;
  };
  struct Implements {
    btf::TypeId kernel_struct{};
    std::string module;
    std::uint32_t member = 0;
  };

  Result<std::vector<const ProgramSpec*>> chosen(const LinkOptions& options) {
    std::vector<const ProgramSpec*> programs;
    std::unordered_map<std::string_view, const ProgramSpec*> by_name;
    for (const ProgramSpec& program : object_.programs) by_name.try_emplace(program.name, &program);
    for (const std::string& name : options.programs) {
      auto program = by_name.find(name);
      if (program == by_name.end()) return no_program(name);
      programs.push_back(program->second);
    }
    if (!options.programs.empty()) return programs;
    for (const ProgramSpec& program : object_.programs) {
      bool unused = program.type == facts::ProgType::struct_ops && !implements_.contains(program.name);
      if (program.autoload && !unused) programs.push_back(&program);
    }
    return programs;
  }

  std::unexpected<Error> no_program(const std::string& name) const {
    std::vector<std::string_view> names;
    for (const ProgramSpec& program : object_.programs) names.push_back(program.name);
    auto error = fail(ErrorKind::not_found, "no program named `{}`", name);
    std::string_view near = nearest(name, names);
    error.error().hint = near.empty() ? fmt::format("there are {}", fmt::join(names, ", ")) : fmt::format("did you mean `{}`?", near);
    return error;
  }

  Result<void> lay_out_all_struct_ops() {
    for (std::size_t i = 0; i < object_.maps.size(); ++i) {
      const MapSpec& map = object_.maps[i];
      if (map.origin != MapOrigin::struct_ops || !map.autocreate) continue;
      StructOpsLayout layout = TRY(lay_out_struct_ops(object_, static_cast<MapIdx>(i), target_));
      for (const auto& implementation : layout.implementations)
        implements_[implementation.program] = {layout.kernel_struct, layout.linked.module, implementation.member};
      out_.struct_ops.push_back(std::move(layout.linked));
    }
    return {};
  }

  Result<LinkedProgram> link_program(const ProgramSpec& program) {
    LinkedProgram linked{.spec = program, .module_btfs = {}, .attach_btf_id = {}, .attach_btf_module = {}};
    FunctionSpec& code = linked.spec.code;
    TRY(report(program, 0, TRY(core_.apply(code))));
    auto joined = join_functions(code, [this](FunctionIdx index) { return subprogram(index); });
    if (!joined) return std::unexpected(located(joined.error(), code));
    for (const JoinedFunction& part : *joined) TRY(report(program, part.start, functions_[static_cast<std::size_t>(part.function)]->fixups));
    total_insns_ += code.insns.size();
    if (total_insns_ > kMaxObjectInsns)
      return fail(ErrorKind::exhausted, "the programs of this object have more than {} instructions with their subprograms", kMaxObjectInsns);
    TRY(settle_references(linked, *joined));
    rename_helpers(code.insns);
    TRY(resolve_attach_type(linked, target_));
    if (auto implements = implements_.find(program.name); implements != implements_.end()) {
      linked.attach_btf_id = implements->second.kernel_struct;
      linked.attach_btf_module = implements->second.module;
      linked.spec.attach_type = static_cast<facts::AttachType>(implements->second.member);
    }
    return linked;
  }

  Result<const FunctionSpec*> subprogram(FunctionIdx index) {
    auto at = static_cast<std::size_t>(index);
    if (at >= functions_.size()) return fail(ErrorKind::malformed, "a relocation names subprogram {}, there are {}", at, functions_.size());
    if (!functions_[at]) {
      Patched patched{.code = object_.functions[at], .fixups = {}};
      patched.fixups = TRY(core_.apply(patched.code));
      functions_[at] = std::move(patched);
    }
    return &functions_[at]->code;
  }

  Result<void> report(const ProgramSpec& program, isa::InsnIdx start, const std::vector<CoreFixup>& fixups) {
    if (out_.core.size() + fixups.size() > kMaxReports)
      return fail(ErrorKind::exhausted, "the programs of this object have more than {} CO-RE relocations with their subprograms", kMaxReports);
    for (const CoreFixup& fixup : fixups) out_.core.push_back({program.name, start + fixup.insn, fixup.text, fixup.poisoned, fixup.hint});
    return {};
  }

  Error located(Error error, const FunctionSpec& code) const {
    if (error.where.empty()) error.where = fmt::format("section {}: function `{}`", code.section, code.name);
    return error;
  }

  /// Resolves what is left in a joined program's relocations; those to maps remain.
  Result<void> settle_references(LinkedProgram& linked, const std::vector<JoinedFunction>& joined) {
    FunctionSpec& code = linked.spec.code;
    std::vector<Relocation> rest;
    for (const Relocation& relocation : code.relocations) {
      auto left = settle(linked, relocation);
      if (!left) {
        Error error = left.error();
        if (error.where.empty()) error.where = place_in(code, joined, relocation.insn);
        return std::unexpected(std::move(error));
      }
      if (*left) rest.push_back(**left);
    }
    code.relocations = std::move(rest);
    return {};
  }

  /// Where an instruction of a joined program was written: in the program itself, or in which subprogram.
  std::string place_in(const FunctionSpec& code, const std::vector<JoinedFunction>& joined, isa::InsnIdx insn) const {
    auto after = std::ranges::upper_bound(joined, insn, {}, &JoinedFunction::start);
    if (after == joined.begin()) return place_of(code, insn, object_.btf.get());
    const JoinedFunction& part = *std::prev(after);
    return place_of(object_.function(part.function), insn - part.start, object_.btf.get());
  }

  /// One reference; gives back what the load still has to fill in.
  Result<std::optional<Relocation>> settle(LinkedProgram& linked, const Relocation& relocation) {
    std::vector<isa::Insn>& insns = linked.spec.code.insns;
    if (const auto* external = std::get_if<ExternRef>(&relocation.to)) return settle_extern(linked, relocation.insn, external->external);
    if (!isa::is_ld_imm64(insns[relocation.insn]) || relocation.insn + 1 >= insns.size())
      return fail(ErrorKind::malformed, "the instruction refers to a map but is no 64-bit load");
    if (const auto* map = std::get_if<MapRef>(&relocation.to)) return settle_map(insns, relocation.insn, map->map, std::nullopt);
    const auto& value = std::get<MapValueRef>(relocation.to);
    return settle_map(insns, relocation.insn, value.map, value.offset);
  }

  Result<std::optional<Relocation>> settle_map(std::vector<isa::Insn>& insns, isa::InsnIdx at, MapIdx map,
                                               std::optional<std::uint32_t> offset) {
    auto number = static_cast<std::size_t>(map);
    if (number >= object_.maps.size()) return fail(ErrorKind::malformed, "a relocation names map {}, there are {}", number, object_.maps.size());
    if (!object_.map(map).autocreate) {
      insns[at] = insns[at + 1] = {.opcode = isa::kOpCall, .imm = kPoisonedMap + static_cast<std::int32_t>(number)};
      return std::nullopt;
    }
    insns[at].src = static_cast<std::uint8_t>(offset ? isa::Pseudo::map_value : isa::Pseudo::map_fd);
    insns[at].imm = 0;
    if (!offset) return Relocation{at, MapRef{map}};
    insns[at + 1].imm = static_cast<std::int32_t>(*offset);
    return Relocation{at, MapValueRef{map, *offset}};
  }

  Result<std::optional<Relocation>> settle_extern(LinkedProgram& linked, isa::InsnIdx at, ExternIdx index) {
    std::vector<isa::Insn>& insns = linked.spec.code.insns;
    const ResolvedExtern& found = *TRY(externs_.resolve(index));
    const ExternSpec& external = object_.external(index);
    const auto* object = std::get_if<KernelObject>(&found);
    isa::Insn& insn = insns[at];
    if (object && std::holds_alternative<KfuncExtern>(external.kind)) {
      linked.kfuncs.push_back({at, external.essence.empty() ? external.name : external.essence});
    }
    if (insn.opcode == isa::kOpCall) {
      if (!std::holds_alternative<KfuncExtern>(external.kind)) return fail(ErrorKind::malformed, "a call of `{}`, which is no function", external.name);
      insn.src = static_cast<std::uint8_t>(isa::CallKind::kfunc);
      insn.off = 0;
      insn.imm = object ? static_cast<std::int32_t>(object->id) : 0;
      if (!object && target_.version < kKfuncsSince && target_.version != facts::KernelVersion{})
        insn = {.opcode = isa::kOpCall, .imm = kPoisonedKfunc + static_cast<std::int32_t>(index)};
    } else {
      if (!isa::is_ld_imm64(insn) || at + 1 >= insns.size())
        return fail(ErrorKind::malformed, "the instruction refers to `{}` but neither calls nor loads it", external.name);
      if (const auto* value = std::get_if<KconfigValue>(&found)) return settle_map(insns, at, TRY(kconfig_map()), value->offset);
      const auto* address = std::get_if<KernelAddress>(&found);
      if (object) insn.src = static_cast<std::uint8_t>(isa::Pseudo::btf_id);
      insn.imm = object ? static_cast<std::int32_t>(object->id) : address ? static_cast<std::int32_t>(address->address) : 0;
      insns[at + 1].imm = address ? static_cast<std::int32_t>(address->address >> 32) : 0;
    }
    if (object && !object->module.empty()) linked.module_btfs.push_back({at, object->module});
    return std::nullopt;
  }

  Result<MapIdx> kconfig_map() const {
    if (kconfig_map_ < object_.maps.size()) return static_cast<MapIdx>(kconfig_map_);
    return fail(ErrorKind::malformed, "kernel configuration is read, but there is no .kconfig map");
  }

  void rename_helpers(std::vector<isa::Insn>& insns) const {
    if (target_.version == facts::KernelVersion{}) return;  // not known: as new as the program
    for (std::size_t i = 0; i < insns.size(); i += isa::is_ld_imm64(insns[i]) ? 2 : 1) {
      if (!isa::is_call(insns[i], isa::CallKind::helper)) continue;
      for (const RenamedHelper& helper : kRenamedHelpers)
        if (insns[i].imm == helper.number && target_.version < helper.since) {
          insns[i].imm = helper.old_number;
          break;
        }
    }
  }

  LinkedObject& out_;
  ObjectSpec& object_;
  const Target& target_;
  CoreLinker core_;
  ExternLinker externs_;
  std::vector<std::optional<Patched>> functions_;   // by FunctionIdx; patched when first reached
  std::unordered_map<std::string, Implements> implements_;
  std::size_t kconfig_map_;   // past the maps if there is none
  std::size_t total_insns_ = 0;
};

}  // namespace

Result<LinkedObject> link(ObjectSpec object, const Target& target, const LinkOptions& options) {
  LinkedObject linked{.object = std::move(object), .programs = {}, .struct_ops = {}, .core = {}};
  auto done = Linker(linked, target).run(options);
  if (!done) return std::unexpected(linked.object.path.empty() ? done.error() : wrap(done.error(), linked.object.path));
  return linked;
}

std::vector<isa::Insn> linked_insns(const LinkedProgram& program) {
  std::vector<isa::Insn> insns = program.spec.code.insns;
  for (const Relocation& relocation : program.spec.code.relocations)
    if (relocation.insn < insns.size()) insns[relocation.insn].imm = 0;
  return insns;
}

std::string place_of(const FunctionSpec& function, isa::InsnIdx insn, const btf::Btf* btf) {
  std::string place = fmt::format("section {}: function `{}`: instruction {}", function.section, function.name, insn);
  auto after = std::ranges::upper_bound(function.line_info, insn, {}, &btf::LineInfo::insn);
  if (!btf || after == function.line_info.begin()) return place;
  const btf::LineInfo& line = *std::prev(after);
  std::string_view file = btf->string(line.file_name), text = trim(btf->string(line.line_text));
  place += fmt::format(" ({}:{}", file.substr(file.find_last_of('/') + 1), line.line);
  return place + (text.empty() ? std::string(")") : fmt::format(": `{}`)", text));
}

std::string nearest_name(std::string_view wanted, const btf::Btf* btf, btf::Kind kind, std::string_view prefix) {
  if (!btf) return {};
  std::vector<std::string_view> names;
  for (std::uint32_t id = 1; id < btf->type_count(); ++id) {
    btf::Type type = btf->type(static_cast<btf::TypeId>(id));
    if (type.kind() == kind && type.name().starts_with(prefix)) names.push_back(type.name().substr(prefix.size()));
  }
  std::string_view near = nearest(wanted, names);
  return near.empty() ? std::string{} : fmt::format("did you mean `{}`?", near);
}

}  // namespace espy::object
