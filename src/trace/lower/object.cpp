#include "trace/lower/object.hpp"

#include <fmt/format.h>

#include <map>
#include <unordered_map>

#include "btf/builder.hpp"
#include "ir/bpf/emit.hpp"

namespace espy::trace::lowering {
namespace {


/// BTF of a script's object: a prototype, a function for each function, and the text of lines.
class Types {
 public:
  Types() {
    int_ = builder_.add_int("int", 4, {.bits = 32, .is_signed = true});
    const btf::TypeId anything = builder_.add_ref(btf::Kind::ptr, "", btf::kVoid);
    program_ = builder_.add_func_proto(int_, {{.name = "ctx", .type = anything}});
    long_ = builder_.add_int("long", 8, {.bits = 64, .is_signed = true});
  }

  btf::TypeId function(const ir::Function& f) {
    if (f.role == ir::Role::program) return builder_.add_func(f.name, program_, btf::Linkage::global);
    std::vector<btf::Param> parameters;
    for (std::size_t i = 0; i < f.params().size(); ++i) parameters.push_back({.name = kNames[i], .type = long_});
    return builder_.add_func(f.name, builder_.add_func_proto(long_, parameters), btf::Linkage::static_);
  }

  std::uint32_t text(std::string_view text) { return builder_.add_string(text); }
  btf::Builder& builder() { return builder_; }
  Result<std::shared_ptr<const btf::Btf>> build() { return builder_.build("the script's types"); }

 private:
  static constexpr std::string_view kNames[] = {"a", "b", "c", "d", "e"};
  btf::Builder builder_;
  btf::TypeId int_{}, long_{}, program_{};
};

class Maker {
 public:
  explicit Maker(Unit& unit) : unit_(unit) {}

  Result<Compiled> run() {
    std::vector<ir::bpf::Code> codes =
        TRY(ir::bpf::emit(unit_.module, {.isa = unit_.abilities.isa, .fetching_atomics = unit_.abilities.atomics}));
    object::ObjectSpec& object = out_.object;
    object.name = "script";
    object.license = unit_.checked.config.license;
    object.maps = unit_.map_specs();
    number_functions();
    std::size_t program = 0;
    for (std::uint32_t i = 0; i < codes.size(); ++i) {
      const ir::Function& f = unit_.module.functions[i];
      if (f.order.empty()) continue;
      object::FunctionSpec spec = TRY(function_of(f, codes[i]));
      if (f.role != ir::Role::program) {
        object.functions.push_back(std::move(spec));
        continue;
      }
      const probes::Instance& instance = unit_.plan.programs[program++].instance;
      object.programs.push_back({.name = f.name, .code = std::move(spec), .type = instance.prog_type, .attach_type = instance.attach_type,
                                 .attach_target = instance.attach_target, .section_kind = section_of(instance), .autoattach = false});
    }
    if (unit_.options.imported != nullptr) join_imported(*unit_.options.imported, object, types_.builder());
    if (unit_.abilities.func_info || unit_.options.imported != nullptr) object.btf = TRY(types_.build());
    for (Action& action : unit_.plan.actions)
      if (action.size == 0) action.size = sizeof(RecordHeader);
    out_.plan = std::move(unit_.plan);
    return std::move(out_);
  }

 private:
  /// Which row of the section table a program would stand in, where loading depends on it.
  static std::string section_of(const probes::Instance& instance) {
    if (instance.prog_type != facts::ProgType::tracing || !instance.attach_type) return {};
    switch (*instance.attach_type) {
      case facts::AttachType::trace_raw_tp: return "tp_btf";
      case facts::AttachType::trace_fentry: return "fentry";
      case facts::AttachType::trace_fexit: return "fexit";
      case facts::AttachType::trace_iter: return "iter";
      default: return {};
    }
  }

  void number_functions() {
    std::uint32_t next = 0;
    numbers_.assign(unit_.module.functions.size(), 0);
    for (std::size_t i = 0; i < unit_.module.functions.size(); ++i) {
      const ir::Function& f = unit_.module.functions[i];
      if (f.order.empty() || f.role == ir::Role::program) continue;
      numbers_[i] = next++;
    }
    own_functions_ = next;
  }

  Result<object::FunctionSpec> function_of(const ir::Function& f, ir::bpf::Code& code) {
    object::FunctionSpec spec{.name = f.name, .section = f.role == ir::Role::program ? f.name : ".text", .insns = std::move(code.insns),
                              .is_global = f.role == ir::Role::program};
    for (const ir::bpf::Reference& reference : code.references) {
      object::Relocation relocation{.insn = reference.insn};
      switch (reference.kind) {
        case ir::bpf::ReferenceKind::map: relocation.to = object::MapRef{TRY(map_of(reference.id))}; break;
        case ir::bpf::ReferenceKind::map_value:
          relocation.to = object::MapValueRef{.map = TRY(map_of(reference.id)), .offset = reference.offset};
          break;
        case ir::bpf::ReferenceKind::function:
          if (!isa::is_ld_imm64(spec.insns[reference.insn])) relocation.to = object::CallRef{object::FunctionIdx{numbers_[reference.id]}};
          else relocation.to = object::FunctionRef{object::FunctionIdx{numbers_[reference.id]}};
          break;
        case ir::bpf::ReferenceKind::external:
          if (const ImportedFunction* imported = unit_.imported_at(reference.id)) {
            relocation.to = object::CallRef{joined_function(*unit_.options.imported, *imported, own_functions_)};
            break;
          }
          // Of the kernel that this is compiled for: its number stands in the instruction.
          spec.insns[reference.insn].imm = unit_.kernel_object_id(reference.id);
          continue;
      }
      spec.relocations.push_back(relocation);
    }
    if (!unit_.abilities.func_info) return spec;
    spec.func_info.push_back({.insn = 0, .type = types_.function(f)});
    line_info(spec, code);
    return spec;
  }

  void line_info(object::FunctionSpec& spec, const ir::bpf::Code& code) {
    const Sources* sources = unit_.options.sources;
    if (sources == nullptr || sources->size() == 0) return;
    for (const ir::bpf::LineMark& mark : code.marks) {
      const Span at = unit_.place(mark.mark);
      const Position position = sources->position(at);
      // The kernel wants the first instruction to have a line, and each instruction at most one.
      const std::uint32_t insn = spec.line_info.empty() ? 0 : mark.insn;
      if (!spec.line_info.empty() && (spec.line_info.back().insn == insn || spec.line_info.back().line == position.line)) continue;
      spec.line_info.push_back({.insn = insn, .file_name = types_.text(sources->source(at.source).name), .line_text = types_.text(sources->line(at)),
                                .line = position.line, .column = position.column});
    }
    if (!spec.line_info.empty()) return;
    spec.line_info.push_back({.insn = 0, .file_name = types_.text(sources->source(0).name), .line_text = types_.text(""), .line = 1, .column = 1});
  }

  Result<object::MapIdx> map_of(std::uint32_t id) {
    const std::string& name = unit_.module.maps[id];
    const auto index = out_.object.map_index(name);
    if (!index) return fail(ErrorKind::not_found, "no map named `{}`", name);
    return *index;
  }

  Unit& unit_;
  Compiled out_;
  Types types_;
  std::vector<std::uint32_t> numbers_;   // FunctionIdx, by FuncId
  std::uint32_t own_functions_ = 0;      // the script's; those of imported objects follow
};

}  // namespace

Result<Compiled> make_object(Unit& unit) { return Maker(unit).run(); }

}  // namespace espy::trace::lowering
