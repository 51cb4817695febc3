// Externs: what a program uses and the kernel provides. `extern int X __kconfig`, `extern const T x __ksym`, and kfuncs
// (`extern T f(…) __ksym`). Each is an undefined symbol, with a var or func in the datasec .kconfig or .ksyms of the BTF.
#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "object/reading.hpp"

namespace espy::object {
namespace {

using btf::Kind;
/// Values of a kernel configuration are short; a hostile object may declare any size.
constexpr std::uint32_t kLargestKconfigSection = 1U << 20;

/// The kernel's name: without the last `___flavour`, whose neighbours are not underscores.
std::string essence_of(std::string_view name) {
  for (std::size_t i = name.size() < 5 ? 0 : name.size() - 4; i-- > 0;)
    if (name[i] != '_' && name.substr(i + 1, 3) == "___" && name[i + 4] != '_') return std::string(name.substr(0, i + 1));
  return std::string(name);
}

/// The types that a kconfig value can be read as.
std::optional<KconfigExtern> kconfig_type(const btf::Btf& btf, btf::TypeId id) {
  btf::Type type = btf.resolve(id);
  auto size = btf.size_of(id);
  KconfigExtern result{.size = size.value_or(0)};
  switch (type.kind()) {
    case Kind::int_: {
      const btf::IntInfo info = type.int_info();
      result.is_signed = info.is_signed;
      if (info.is_bool) {
        result.type = KconfigType::boolean;
        return result.size == 1 ? std::optional(result) : std::nullopt;
      }
      if (result.size == 1) result.type = KconfigType::character;
      else if (result.size >= 1 && result.size <= 8 && (result.size & (result.size - 1)) == 0) result.type = KconfigType::integer;
      else return std::nullopt;
      return result;
    }
    case Kind::enum_:
      if (result.size != 4 || type.name() != "libbpf_tristate") return std::nullopt;
      result.type = KconfigType::tristate;
      return result;
    case Kind::enum64:
      if (type.name() != "libbpf_tristate") return std::nullopt;
      result.type = KconfigType::tristate;
      return result;
    case Kind::array: {
      if (btf.resolve(type.array().element).kind() != Kind::int_) return std::nullopt;
      auto element = kconfig_type(btf, type.array().element);
      if (type.array().count == 0 || !element || element->type != KconfigType::character) return std::nullopt;
      result.type = KconfigType::characters;
      return result;
    }
    default: return std::nullopt;
  }
}

/// A variable or function of .kconfig or .ksyms.
struct Declaration {
  btf::TypeId id{};
  bool kconfig = false;
};
using Declarations = std::unordered_map<std::string_view, Declaration>;

Declarations declarations(const Reading& reading) {
  Declarations result;
  for (std::string_view name : {".kconfig", ".ksyms"}) {
    auto sec = datasec(reading, name);
    if (!sec) continue;
    for (const btf::SectionVar& entry : sec->section_vars())
      if (auto type = reading.btf()->find(entry.type)) result.emplace(type->name(), Declaration{entry.type, name == ".kconfig"});
  }
  return result;
}

Result<ExternSpec> describe_extern(const Reading& reading, const ElfSymbol& symbol, const Declaration& declared) {
  const btf::Btf& btf = *reading.btf();
  btf::Type type = btf.type(declared.id);
  ExternSpec result{.name = symbol.name, .essence = essence_of(symbol.name), .weak = symbol.binding == Binding::weak, .btf_id = declared.id, .kind = {}};
  const std::string where = fmt::format("{}: extern {}", reading.elf.path(), symbol.name);
  if (declared.kconfig) {
    if (type.kind() != Kind::var) return fail_at(where, "a {} in .kconfig", btf::to_string(type.kind()));
    auto kconfig = kconfig_type(btf, type.target());
    if (!kconfig || kconfig->size == 0 || kconfig->size > kLargestKconfigSection) {
      auto error = fail_at(where, "a kconfig value cannot be read as `{}`", btf.type_name(type.target()));
      error.error().hint = "use bool, char, an integer of 1 to 8 bytes, enum libbpf_tristate, or an array of char";
      return error;
    }
    result.kind = *kconfig;
  } else if (type.kind() == Kind::func) {
    result.kind = KfuncExtern{type.target()};
  } else {
    result.kind = KsymExtern{.type = type.target(), .typeless = btf.resolve(type.target()).kind() == Kind::void_};
  }
  return result;
}

/// Gives each kconfig value its place in the .kconfig map: by falling alignment, rising size, then name, as libbpf does,
/// since instructions hold the offsets.
Result<void> lay_out_kconfig(Reading& reading) {
  struct Entry {
    std::uint32_t align, size;
    std::string_view name;
    btf::TypeId var;
    KconfigExtern* kconfig;
  };
  std::vector<Entry> entries;
  for (ExternSpec& external : reading.object.externs) {
    auto* kconfig = std::get_if<KconfigExtern>(&external.kind);
    if (kconfig == nullptr) continue;
    const auto align = TRY(reading.btf()->align_of(reading.btf()->type(external.btf_id).target()));
    entries.push_back({align, kconfig->size, external.name, external.btf_id, kconfig});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::tuple(b.align, a.size, a.name) < std::tuple(a.align, b.size, b.name);
  });
  std::uint32_t end = 0;
  std::unordered_map<std::uint32_t, std::uint32_t> offsets;
  for (Entry& entry : entries) {
    end = (end + entry.align - 1) / entry.align * entry.align;
    entry.kconfig->offset = end;
    offsets.emplace(static_cast<std::uint32_t>(entry.var), end);
    end += entry.size;
    if (end > kLargestKconfigSection) return fail_at(reading.elf.path() + ": section .kconfig", "more than {} bytes of values", kLargestKconfigSection);
  }
  auto sec = datasec(reading, ".kconfig");
  if (!sec) return {};
  if (entries.empty()) {  // then the size is the file's
    if (sec->size() > kLargestKconfigSection) return fail_at(reading.elf.path() + ": section .kconfig", "it has {} bytes, more than {}", sec->size(), kLargestKconfigSection);
    return {};
  }
  // A value that is declared but never used has no symbol, and so no place; it stands at the end, where nothing reads it.
  std::vector<btf::SectionVar> vars = sec->section_vars();
  for (btf::SectionVar& var : vars) {
    auto placed = offsets.find(static_cast<std::uint32_t>(var.type));
    var.offset = placed != offsets.end() ? placed->second : end;
    if (placed == offsets.end()) var.size = 0;
  }
  std::ranges::stable_sort(vars, {}, &btf::SectionVar::offset);
  return lay_out_datasec(reading, sec->id(), end, vars);
}

}  // namespace

Result<void> read_externs(Reading& reading) {
  if (reading.btf() == nullptr) return {};
  const Declarations declared = declarations(reading);
  const auto& symbols = reading.elf.symbols();
  for (std::size_t i = 1; i < symbols.size(); ++i) {
    const ElfSymbol& symbol = symbols[i];
    if (symbol.section != kUndefined || symbol.binding == Binding::local || symbol.name.empty()) continue;
    auto found = declared.find(symbol.name);
    if (found == declared.end()) continue;  // an error where code uses it
    reading.externs[i] = static_cast<ExternIdx>(reading.object.externs.size());
    reading.object.externs.push_back(TRY(describe_extern(reading, symbol, found->second)));
  }
  return lay_out_kconfig(reading);
}

}  // namespace espy::object
