#include "object/asm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "isa/assemble.hpp"
#include "isa/decode.hpp"
#include "object/map_attributes.hpp"
#include "object/sections.hpp"

namespace espy::object {

namespace {

using Name = std::variant<MapIdx, FunctionIdx, ExternIdx>;

std::optional<std::uint32_t> helper_number(std::string_view name) {
  const facts::HelperRow* row = facts::find_helper(name);
  return row != nullptr && row->id != 0 ? std::optional(row->id) : std::nullopt;
}

// Names are views into `text`, which must stay as it is.
struct ObjectMaker {
  ObjectMaker(const std::string& file_name, isa::Assembled assembled) : file(file_name), text(std::move(assembled)) {}

  const std::string& file;
  isa::Assembled text;
  ObjectSpec object;
  std::unordered_map<std::string_view, Name> names;
  std::unordered_map<std::string, std::uint32_t> section_sizes;   // in slots
  const isa::AssembledFunction* current = nullptr;                // whose references are being resolved

  std::unexpected<Error> error_at(std::uint32_t line, std::string message, std::string hint = {}) const {
    return std::unexpected(Error{.kind = ErrorKind::malformed, .message = std::move(message), .where = place(file, line, 1), .hint = std::move(hint)});
  }

  // ---- what names stand for ----

  Result<void> add_maps() {
    for (const isa::AssembledMap& map : text.maps) {
      names.emplace(map.name, MapIdx(object.maps.size()));
      object.maps.push_back(TRY(map_from_text(map, file)));
    }
    return {};
  }

  Result<void> add_externs() {
    for (const isa::AssembledExtern& external : text.externs) {
      ExternSpec spec{.name = external.name, .essence = external.name.substr(0, external.name.find("___")), .weak = external.weak, .kind = {}};
      if (external.kind == "kfunc") spec.kind = KfuncExtern{};
      else if (external.kind == "ksym") spec.kind = KsymExtern{.typeless = true};
      else if (external.kind == "kconfig") spec.kind = KconfigExtern{};
      else if (external.kind == "undeclared") spec.kind = UndeclaredExtern{};
      else return error_at(external.line, fmt::format("an extern is a kfunc, ksym, kconfig or undeclared, not `{}`", external.kind));
      names.emplace(external.name, ExternIdx(object.externs.size()));
      object.externs.push_back(std::move(spec));
    }
    return {};
  }

  void add_functions() {
    for (isa::AssembledFunction& function : text.functions) {
      if (function.section != ".text") continue;
      names.emplace(function.name, FunctionIdx(object.functions.size()));
      object.functions.push_back(code_of(function));
    }
    for (isa::AssembledFunction& function : text.functions) {
      if (function.section == ".text") continue;
      ProgramSpec program;
      program.name = function.name;
      program.code = code_of(function);
      if (auto match = match_section(function.section)) {
        program.autoload = match->autoload;
        program.attach_target = match->target;
        if (match->row != nullptr) {
          program.type = match->row->type;
          program.attach_type = match->row->attach_type;
          program.section_kind = match->row->kind;
          program.flags = match->row->flags;
          program.autoattach = match->row->autoattach;
        }
      }
      object.programs.push_back(std::move(program));
    }
  }

  FunctionSpec code_of(const isa::AssembledFunction& function) {
    FunctionSpec code;
    code.name = function.name;
    code.section = function.section;
    code.insns = function.insns;
    code.is_global = function.is_global;
    std::uint32_t& offset = section_sizes[function.section];
    code.section_offset = offset;
    offset += static_cast<std::uint32_t>(code.insns.size());
    return code;
  }

  // ---- references by name ----

  Result<void> resolve(const isa::AssembledFunction& function, FunctionSpec& code) {
    for (const isa::Reference& reference : function.references) {
      Relocation relocation{.insn = reference.insn, .to = TRY(target(reference))};
      settle(code.insns, relocation);
      code.relocations.push_back(std::move(relocation));
    }
    return {};
  }

  // The instruction as it stands before linking: what it refers to is in its relocation, not in its fields.
  static void settle(std::vector<isa::Insn>& insns, const Relocation& relocation) {
    isa::Insn& insn = insns[relocation.insn];
    bool call = insn.opcode == isa::kOpCall;
    insn.src = call ? std::to_underlying(isa::CallKind::subprogram) : std::to_underlying(isa::Pseudo::none);
    insn.imm = call ? -1 : 0;
    if (const auto* value = std::get_if<MapValueRef>(&relocation.to)) insn.imm = static_cast<std::int32_t>(value->offset);
    if (!call && relocation.insn + 1 < insns.size()) insns[relocation.insn + 1].imm = 0;
  }

  Result<Reference> target(const isa::Reference& reference) const {
    auto found = names.find(reference.name);
    if (found == names.end()) return unknown(reference);
    const Name& name = found->second;
    using enum isa::ReferenceKind;
    isa::ReferenceKind kind = reference.kind;
    if (const auto* map = std::get_if<MapIdx>(&name)) {
      bool data = object.map(*map).is_data();
      if (kind == map_value || (kind == symbol && data)) return MapValueRef{*map, reference.offset};
      if (kind == isa::ReferenceKind::map || kind == symbol) return MapRef{*map};
      return mismatch(reference, "a map");
    }
    if (const auto* function = std::get_if<FunctionIdx>(&name)) {
      if (kind == symbol) return FunctionRef{*function};
      if (kind != isa::ReferenceKind::function) return mismatch(reference, "a function");
      return is_call(reference) ? Reference(CallRef{*function}) : Reference(FunctionRef{*function});
    }
    ExternIdx external = std::get<ExternIdx>(name);
    // A kfunc's address is taken too: to see whether the kernel has it.
    bool is_kfunc = std::holds_alternative<KfuncExtern>(object.external(external).kind);
    bool fits = kind == ksym || kind == symbol || (is_kfunc && (kind == kfunc || kind == isa::ReferenceKind::function));
    if (!fits) return mismatch(reference, "a kernel variable");
    return ExternRef{external};
  }

  bool is_call(const isa::Reference& reference) const {
    return current != nullptr && current->insns[reference.insn].opcode == isa::kOpCall;
  }

  std::unexpected<Error> mismatch(const isa::Reference& reference, std::string_view what) const {
    return error_at(reference.line, fmt::format("`{}` is {}, which cannot stand here", reference.name, what));
  }

  std::unexpected<Error> unknown(const isa::Reference& reference) const {
    for (const ProgramSpec& program : object.programs) {
      if (program.name != reference.name) continue;
      return error_at(reference.line, fmt::format("`{}` is a program, and only subprograms can be called", reference.name),
                      "subprograms stand in `.section .text`");
    }
    std::vector<std::string_view> known;
    for (const auto& [name, what] : names) known.push_back(name);
    if (reference.kind == isa::ReferenceKind::function) {
      for (const facts::HelperRow& row : facts::helpers()) known.push_back(row.name);
    }
    std::string_view near = nearest(reference.name, known);
    return error_at(reference.line, fmt::format("nothing is named `{}`", reference.name),
                    !near.empty() ? fmt::format("did you mean `{}`?", near)
                                  : fmt::format("define it, or declare it: `.extern {} kfunc`", reference.name));
  }

  Result<void> resolve_all() {
    auto code_for = [&](const isa::AssembledFunction& function) -> FunctionSpec& {
      if (auto found = names.find(function.name); found != names.end() && function.section == ".text") {
        return object.functions[std::to_underlying(std::get<FunctionIdx>(found->second))];
      }
      return object.find_program(function.name)->code;
    };
    for (const isa::AssembledFunction& function : text.functions) {
      current = &function;
      TRY(resolve(function, code_for(function)));
    }
    for (std::size_t i = 0; i < text.maps.size(); ++i) TRY(link_map(text.maps[i], object, object.maps[i], file));
    return {};
  }
};

}  // namespace

Result<ObjectSpec> assemble_object(std::string_view text, const std::string& file) {
  ObjectMaker maker(file, TRY(isa::assemble(text, {.file = file, .helper_number = helper_number})));
  TRY(maker.add_maps());
  TRY(maker.add_externs());
  maker.add_functions();
  TRY(maker.resolve_all());
  ObjectSpec& object = maker.object;
  object.license = std::move(maker.text.license);
  object.version = maker.text.version;
  object.path = file;
  std::string_view name = std::string_view(file).substr(file.find_last_of('/') + 1);
  object.name = name.substr(0, name.find('.'));
  return std::move(object);
}

}  // namespace espy::object
