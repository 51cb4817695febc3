#include "trace/imported.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "object/read.hpp"
#include "trace/builtins.hpp"
#include "trace/functions.hpp"

namespace espy::trace {

namespace {

constexpr std::size_t kMostParameters = 5;   // registers r1 to r5

/// What a script passes or gets as one register; empty: it can.
std::string refusal(const Type& type, std::string_view what) {
  if (type.is_scalar()) return {};
  return fmt::format("{} is a `{}`, and only numbers and pointers pass between scripts and C", what, to_string(type));
}

class Reader {
 public:
  Reader(Imported& out, Diagnostics& diagnostics) : out_(out), diagnostics_(diagnostics) {}

  void read(const ImportedObject& imported) {
    Result<object::ObjectSpec> object = object::read(imported.bytes, imported.path);
    if (!object) return failed(imported, object.error());
    if (object->endian != Endian::native) {
      diagnostics_.error(imported.at, fmt::format("{} is of the other byte order", imported.path), "compile it for this machine: -target bpf");
      return;
    }
    if (!object->btf) {
      diagnostics_.error(imported.at, fmt::format("{} does not say what its functions take", imported.path), "compile it with -g, for its BTF");
      return;
    }
    const auto kconfig = [](const object::MapSpec& map) { return map.origin == object::MapOrigin::kconfig; };
    const auto reads_it = [&](const object::ObjectSpec& one) { return std::ranges::any_of(one.maps, kconfig); };
    if (reads_it(*object) && std::ranges::any_of(out_.objects, reads_it)) {
      diagnostics_.error(imported.at, fmt::format("{} is the second import that reads the kernel's configuration", imported.path), "put what uses `__kconfig` into one file");
      return;
    }
    // In an object without programs, functions that nobody calls count as such.
    for (const object::ProgramSpec& program : object->programs)
      if (program.code.section == ".text") object->functions.push_back(program.code);
    std::erase_if(object->programs, [](const object::ProgramSpec& program) { return program.code.section == ".text"; });
    if (!object->programs.empty()) {
      diagnostics_.warning(imported.at, fmt::format("{} of {} {} not attached: only functions are imported", object->programs.front().name, imported.path,
                           object->programs.size() == 1 ? "is" : fmt::format("and {} more are", object->programs.size() - 1)), "`espy run` attaches an object's programs");
      object->programs.clear();
    }
    functions_of(*object, imported);
    out_.objects.push_back(std::move(*object));
  }

 private:
  void failed(const ImportedObject& imported, const Error& error) {
    Diagnostic& diagnostic = diagnostics_.error(imported.at, one_line(error), error.hint);
    for (const std::string& note : error.notes) diagnostic.notes.push_back({{}, note});
  }

  void functions_of(const object::ObjectSpec& object, const ImportedObject& imported) {
    for (std::size_t i = 0; i < object.functions.size(); ++i) {
      const object::FunctionSpec& function = object.functions[i];
      if (function.func_info.empty()) continue;
      const btf::Type type = object.btf->type(function.func_info.front().type);
      if (type.kind() != btf::Kind::func || type.linkage() == btf::Linkage::static_) continue;
      if (const ImportedFunction* other = out_.find(function.name)) {
        diagnostics_.error(imported.at, fmt::format("{} and {} both have a function `{}`", out_.objects[other->object].path, imported.path, function.name));
        continue;
      }
      if (find_function(function.name) != nullptr || find_builtin(function.name) != nullptr)
        diagnostics_.warning(imported.at, fmt::format("`{}` of {} is hidden by the language's own", function.name, imported.path), "give it another name to call it");
      ImportedFunction row{.name = function.name, .object = out_.objects.size(), .function = static_cast<object::FunctionIdx>(i)};
      describe(row, object.btf, type);
      out_.functions.push_back(std::move(row));
    }
  }

  static void describe(ImportedFunction& row, const std::shared_ptr<const btf::Btf>& btf, const btf::Type& func) {
    const btf::Type proto = btf->resolve(func.target());
    const std::vector<btf::Param> params = proto.params();
    if (params.size() > kMostParameters) row.refused = fmt::format("it takes {} parameters, and eBPF functions at most {}", params.size(), kMostParameters);
    for (const btf::Param& param : params) {
      row.parameters.push_back(type_of_btf(btf, param.type, Space::none));
      if (row.refused.empty()) row.refused = refusal(row.parameters.back(), fmt::format("its parameter `{}`", param.name));
    }
    // What it points to may be anything; reading it as the kernel's memory is safe, and works for eBPF's own too.
    row.returns = type_of_btf(btf, proto.target(), Space::kernel);
    if (row.refused.empty() && row.returns.kind != Kind::none) row.refused = refusal(row.returns, "what it returns");
  }

  Imported& out_;
  Diagnostics& diagnostics_;
};

/// Moves one object's parts behind what the script's object has already.
class Joiner {
 public:
  Joiner(const Imported& imported, const object::ObjectSpec& from, object::ObjectSpec& to, btf::Builder& types, std::size_t own)
      : imported_(imported), from_(from), to_(to), types_(types), own_(own), delta_(types.next_id() - from.btf->start_id()), maps_(to.maps.size()),
        functions_(to.functions.size()), externs_(to.externs.size()) {}

  void run() {
    name_maps();
    join_types();
    for (std::size_t i = 0; i < from_.maps.size(); ++i) {
      to_.maps.push_back(moved(from_.maps[i]));
      to_.maps.back().name = names_[i];
    }
    for (object::ExternSpec external : from_.externs) to_.externs.push_back(moved(std::move(external)));
    for (object::FunctionSpec function : from_.functions) to_.functions.push_back(moved(std::move(function)));
  }

 private:
  btf::TypeId moved(btf::TypeId id) const { return id == btf::kVoid ? id : btf::TypeId{static_cast<std::uint32_t>(id) + delta_}; }
  object::MapIdx moved(object::MapIdx map) const { return static_cast<object::MapIdx>(static_cast<std::size_t>(map) + maps_); }
  object::FunctionIdx moved(object::FunctionIdx function) const { return static_cast<object::FunctionIdx>(static_cast<std::size_t>(function) + functions_); }

  /// Data sections are called alike in all objects, and the script's maps must be found by their names.
  void name_maps() {
    for (const object::MapSpec& map : from_.maps) {
      names_.push_back(map.name);
      for (int i = 2; to_.map_index(names_.back()); ++i) names_.back() = fmt::format("{}.{}", map.name, i);
    }
  }

  void join_types() {
    for (std::uint32_t id = from_.btf->start_id(); id < from_.btf->type_count(); ++id) {
      const btf::Type type = from_.btf->type(btf::TypeId{id});
      const auto map = std::ranges::find(from_.maps, type.name(), &object::MapSpec::name);
      if (type.kind() == btf::Kind::datasec && type.name() == ".maps") {
        // Definitions are written for all maps of the script or for none; the id stays taken.
        types_.add_fwd("imported_maps", false);
      } else if (type.kind() == btf::Kind::datasec && map != from_.maps.end()) {
        std::vector<btf::SectionVar> variables = type.section_vars();
        for (btf::SectionVar& variable : variables) variable.type = moved(variable.type);
        types_.add_datasec(names_[static_cast<std::size_t>(map - from_.maps.begin())], type.size(), variables);
      } else {
        types_.copy(type, from_.btf->start_id(), delta_);
      }
    }
  }

  object::MapSpec moved(object::MapSpec map) {
    map.key_type = moved(map.key_type);
    map.value_type = moved(map.value_type);
    if (map.inner) map.inner = std::make_shared<const object::MapSpec>(moved(object::MapSpec(*map.inner)));
    for (object::SlotValue& slot : map.slots)
      if (auto* inner = std::get_if<object::MapIdx>(&slot.value)) *inner = moved(*inner);
    return map;
  }

  object::ExternSpec moved(object::ExternSpec external) {
    external.btf_id = moved(external.btf_id);
    if (auto* ksym = std::get_if<object::KsymExtern>(&external.kind)) ksym->type = moved(ksym->type);
    if (auto* kfunc = std::get_if<object::KfuncExtern>(&external.kind)) kfunc->proto = moved(kfunc->proto);
    return external;
  }

  object::FunctionSpec moved(object::FunctionSpec function) {
    function.is_global = false;
    for (object::Relocation& relocation : function.relocations) relocation.to = moved(relocation.to);
    for (btf::CoreRelocation& relocation : function.core_relocations) relocation.type = moved(relocation.type);
    for (btf::FuncInfo& info : function.func_info) {
      const btf::Type type = from_.btf->type(info.type);
      info.type = types_.add_func(type.name(), moved(type.target()), btf::Linkage::static_);
    }
    for (btf::LineInfo& line : function.line_info) {
      line.file_name = types_.add_string(from_.btf->string(line.file_name));
      line.line_text = types_.add_string(from_.btf->string(line.line_text));
    }
    return function;
  }

  object::Reference moved(const object::Reference& to) const {
    if (const auto* map = std::get_if<object::MapRef>(&to)) return object::MapRef{moved(map->map)};
    if (const auto* value = std::get_if<object::MapValueRef>(&to)) return object::MapValueRef{moved(value->map), value->offset};
    if (const auto* call = std::get_if<object::CallRef>(&to)) return object::CallRef{moved(call->function)};
    if (const auto* load = std::get_if<object::FunctionRef>(&to)) return object::FunctionRef{moved(load->function)};
    const auto external = std::get<object::ExternRef>(to).external;
    // What one import declares another may have.
    if (const object::ExternSpec& wanted = from_.external(external); std::holds_alternative<object::UndeclaredExtern>(wanted.kind))
      if (const ImportedFunction* other = imported_.find(wanted.name)) return object::CallRef{joined_function(imported_, *other, own_)};
    return object::ExternRef{static_cast<object::ExternIdx>(static_cast<std::size_t>(external) + externs_)};
  }

  const Imported& imported_;
  const object::ObjectSpec& from_;
  object::ObjectSpec& to_;
  btf::Builder& types_;
  std::size_t own_;
  std::uint32_t delta_;
  std::size_t maps_, functions_, externs_;
  std::vector<std::string> names_;   // of the maps, as joined
};

}  // namespace

const ImportedFunction* Imported::find(std::string_view name) const {
  const auto found = std::ranges::find(functions, name, &ImportedFunction::name);
  return found != functions.end() ? &*found : nullptr;
}

Imported read_imported(std::span<const ImportedObject> objects, Diagnostics& diagnostics) {
  Imported imported;
  Reader reader(imported, diagnostics);
  for (const ImportedObject& object : objects) reader.read(object);
  return imported;
}

void join_imported(const Imported& imported, object::ObjectSpec& script, btf::Builder& types) {
  const std::size_t own = script.functions.size();
  for (const object::ObjectSpec& object : imported.objects) Joiner(imported, object, script, types, own).run();
}

object::FunctionIdx joined_function(const Imported& imported, const ImportedFunction& function, std::size_t own_functions) {
  std::size_t index = own_functions + static_cast<std::size_t>(function.function);
  for (std::size_t i = 0; i < function.object; ++i) index += imported.objects[i].functions.size();
  return static_cast<object::FunctionIdx>(index);
}

}  // namespace espy::trace
