#include "object/listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "facts/tables.hpp"
#include "isa/decode.hpp"
#include "isa/token.hpp"
#include "object/map_attributes.hpp"

namespace espy::object {

namespace {

template <typename... Args>
void append(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// A comment must stay one line whatever bytes the object holds.
void append_comment(std::string& out, std::string_view text) {
  out += "; ";
  for (char c : trim(text)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

std::string_view file_name(std::string_view path) { return path.substr(path.find_last_of('/') + 1); }

isa::Reference named(const ObjectSpec& object, const FunctionSpec& function, const Relocation& relocation) {
  isa::Reference reference;
  reference.insn = relocation.insn;
  std::visit(overload{
                 [&](const MapRef& to) { reference.kind = isa::ReferenceKind::map, reference.name = object.map(to.map).name; },
                 [&](const MapValueRef& to) {
                   reference.kind = isa::ReferenceKind::map_value;
                   reference.name = object.map(to.map).name;
                   reference.offset = to.offset;
                 },
                 [&](const CallRef& to) {
                   reference.kind = isa::ReferenceKind::function, reference.name = object.function(to.function).name;
                 },
                 [&](const FunctionRef& to) {
                   reference.kind = isa::ReferenceKind::function, reference.name = object.function(to.function).name;
                 },
                 [&](const ExternRef& to) {
                   bool call = relocation.insn < function.insns.size() && function.insns[relocation.insn].opcode == isa::kOpCall;
                   reference.kind = call ? isa::ReferenceKind::kfunc : isa::ReferenceKind::ksym;
                   reference.name = object.external(to.external).name;
                 },
             },
             relocation.to);
  return reference;
}

// What a function's instructions carry besides themselves, walked in step with them.
class Annotator {
 public:
  Annotator(const ObjectSpec& object, const FunctionSpec& function, const ListingOptions& options)
      : object_(object), function_(function), options_(options) {
    for (const Relocation& relocation : function.relocations) references_.push_back(named(object, function, relocation));
    std::ranges::sort(references_, {}, &isa::Reference::insn);
  }

  isa::DisassembleOptions options() {
    return {.jumps = options_.jumps,
            .numbers = options_.numbers,
            .opcodes = false,
            .helper_name =
                [](std::uint32_t id) {
                  const facts::HelperRow* row = facts::find_helper(id);
                  return row != nullptr && id != 0 ? row->name : std::string_view();
                },
            .reference = [this](isa::InsnIdx at) { return reference(at); },
            .before = [this](isa::InsnIdx at, std::string& out) { before(at, out); }};
  }

 private:
  const isa::Reference* reference(isa::InsnIdx at) const {
    auto found = std::ranges::lower_bound(references_, at, {}, &isa::Reference::insn);
    return found != references_.end() && found->insn == at ? &*found : nullptr;
  }

  void before(isa::InsnIdx at, std::string& out) {
    if (object_.btf == nullptr) return;
    const btf::Btf& types = *object_.btf;
    // Functions behind the first are subprograms that linking appended.
    while (next_function_ < function_.func_info.size() && function_.func_info[next_function_].insn <= at) {
      const btf::FuncInfo& info = function_.func_info[next_function_++];
      if (info.insn != at || at == 0 || !types.contains(info.type)) continue;
      append(out, "\n; {}:\n", types.type(info.type).name());
    }
    while (next_line_ < function_.line_info.size() && function_.line_info[next_line_].insn <= at) {
      const btf::LineInfo& line = function_.line_info[next_line_++];
      if (options_.source_lines && line.insn == at) source_line(line, out);
    }
    while (next_core_ < function_.core_relocations.size() && function_.core_relocations[next_core_].insn <= at) {
      const btf::CoreRelocation& core = function_.core_relocations[next_core_++];
      if (core.insn != at || !types.contains(core.type)) continue;
      append(out, "; CO-RE {} of {} ({})\n", to_string(core.kind), types.type_name(core.type), core.access);
    }
  }

  // "; int x = 1; @ probe.c:12". Compilers that cannot read the source leave its text out; a line that goes on, at
  // another column, is not told again.
  void source_line(const btf::LineInfo& line, std::string& out) {
    if (line.line == last_line_ && line.file_name == last_file_) return;
    last_line_ = line.line;
    last_file_ = line.file_name;
    std::string_view text = trim(object_.btf->string(line.line_text));
    append_comment(out, text);
    append(out, "{}{}:{}\n", text.empty() ? "" : " @ ", file_name(object_.btf->string(line.file_name)), line.line);
  }

  const ObjectSpec& object_;
  const FunctionSpec& function_;
  const ListingOptions& options_;
  std::vector<isa::Reference> references_;
  std::size_t next_function_ = 0, next_line_ = 0, next_core_ = 0;
  std::uint32_t last_line_ = 0, last_file_ = 0;
};

void append_function(const ObjectSpec& object, const FunctionSpec& function, const ListingOptions& options, std::string& out) {
  append(out, "\n.section {}\n", isa::quoted(function.section));
  if (!function.is_global) append(out, ".local {}\n", isa::quoted(function.name));
  append(out, ".func {}\n", isa::quoted(function.name));
  Annotator annotator(object, function, options);
  out += isa::disassemble(function.insns, annotator.options());
}

void append_header(const ObjectSpec& object, std::string& out) {
  if (!object.license.empty()) append(out, ".license {}\n", isa::quoted(object.license, true));
  if (object.version) append(out, ".version {}\n", *object.version);
  if (!object.maps.empty()) out += '\n';
  for (const MapSpec& map : object.maps) out += map_directive(object, map);
  if (!object.externs.empty()) out += '\n';
  for (const ExternSpec& external : object.externs) {
    append(out, ".extern {} {}{}\n", isa::quoted(external.name), kind_name(external), external.weak ? " weak" : "");
  }
}

}  // namespace

Result<std::vector<const FunctionSpec*>> functions_named(const ObjectSpec& object, const std::vector<std::string>& names) {
  std::vector<const FunctionSpec*> all;
  for (const ProgramSpec& program : object.programs) all.push_back(&program.code);
  for (const FunctionSpec& function : object.functions) all.push_back(&function);
  if (names.empty()) return all;
  std::vector<std::string_view> known;
  for (const FunctionSpec* function : all) known.push_back(function->name);
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) != known.end()) continue;
    return std::unexpected(Error{.kind = ErrorKind::not_found,
                                 .message = fmt::format("no program or function named `{}`", name),
                                 .where = object.path,
                                 .hint = fmt::format("there are {}", fmt::join(known, ", "))});
  }
  std::erase_if(all, [&](const FunctionSpec* function) { return std::ranges::find(names, function->name) == names.end(); });
  return all;
}

Result<std::string> listing(const ObjectSpec& object, const ListingOptions& options) {
  std::vector<const FunctionSpec*> functions = TRY(functions_named(object, options.functions));
  std::string out;
  if (!object.path.empty()) append_comment(out, object.path), out += '\n';
  if (options.functions.empty()) append_header(object, out);
  for (const FunctionSpec* function : functions) append_function(object, *function, options, out);
  return out;
}

std::string listing(const LinkedProgram& program, const ObjectSpec& object, const ListingOptions& options) {
  std::string out;
  append_function(object, program.spec.code, options, out);
  return out;
}

std::string raw_listing(std::span<const isa::Insn> code) {
  std::string out;
  out.reserve(code.size() * 17);
  for (isa::Insn insn : code) append(out, "{:016x}\n", isa::to_word(insn));
  return out;
}

}  // namespace espy::object
