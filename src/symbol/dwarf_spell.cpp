// Types as text. C's declarators are written inside out: `inner` is what stands around the name so far.
#include "symbol/dwarf_types.hpp"

namespace espy::symbol {

namespace {

constexpr int kSpellDepth = 32;
constexpr std::size_t kSpellLimit = 4096;

bool is_c(Dwarf_Die& type) {
  Dwarf_Die unit;
  if (dwarf_diecu(&type, &unit, nullptr, nullptr) == nullptr) return true;
  switch (dwarf_srclang(&unit)) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11: return true;
    default: return false;
  }
}

std::string joined(std::string base, std::string_view inner) {
  if (!inner.empty()) base += fmt::format(" {}", inner);
  return base;
}

std::string spell(std::optional<Dwarf_Die> type, std::string inner, int depth);

// `inner` binds less than an array's [] or a function's ().
std::string enclosed(const std::string& inner) {
  return inner.starts_with('*') || inner.starts_with('&') ? fmt::format("({})", inner) : inner;
}

std::string qualified(Dwarf_Die& type, std::string_view qualifier, const std::string& inner, int depth) {
  auto target = die::type(type);
  const int tag = target ? dwarf_tag(&*target) : 0;
  if (tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type) return spell(target, joined(std::string(qualifier), inner), depth);
  return fmt::format("{} {}", qualifier, spell(target, inner, depth));
}

std::string spell_function(Dwarf_Die& type, const std::string& inner, int depth) {
  std::string parameters;
  for (Dwarf_Die& parameter : die::parameters(type)) {
    if (!parameters.empty()) parameters += ", ";
    if (parameters.size() > kSpellLimit) break;
    parameters += dwarf_tag(&parameter) == DW_TAG_unspecified_parameters ? "..." : spell(die::type(parameter), {}, depth);
  }
  return spell(die::type(type), fmt::format("{}({})", enclosed(inner), parameters), depth);
}

std::string spell(std::optional<Dwarf_Die> type, std::string inner, int depth) {
  if (!type) return joined("void", inner);
  if (depth > kSpellDepth || inner.size() > kSpellLimit) return joined("...", inner);
  const std::string name(die::name(*type));
  auto tagged = [&](std::string_view tag) { return joined(is_c(*type) ? fmt::format("{} {}", tag, name.empty() ? "{...}" : name) : name.empty() ? "{...}" : name, inner); };
  switch (dwarf_tag(&*type)) {
    case DW_TAG_pointer_type: return spell(die::type(*type), "*" + inner, depth + 1);
    case DW_TAG_reference_type: return spell(die::type(*type), "&" + inner, depth + 1);
    case DW_TAG_rvalue_reference_type: return spell(die::type(*type), "&&" + inner, depth + 1);
    case DW_TAG_const_type: return qualified(*type, "const", inner, depth + 1);
    case DW_TAG_volatile_type: return qualified(*type, "volatile", inner, depth + 1);
    case DW_TAG_restrict_type: return qualified(*type, "restrict", inner, depth + 1);
    case DW_TAG_atomic_type: return qualified(*type, "_Atomic", inner, depth + 1);
    case DW_TAG_structure_type:
    case DW_TAG_class_type: return tagged("struct");
    case DW_TAG_union_type: return tagged("union");
    case DW_TAG_enumeration_type: return tagged("enum");
    case DW_TAG_array_type: {
      std::string around = enclosed(inner);
      for (std::uint32_t count : die::dimensions(*type)) around += count == 0 ? "[]" : fmt::format("[{}]", count);
      return spell(die::type(*type), std::move(around), depth + 1);
    }
    case DW_TAG_subroutine_type: return spell_function(*type, inner, depth + 1);
    default: return joined(name.empty() ? "?" : name, inner);
  }
}

}  // namespace

std::string spell_type(std::optional<Dwarf_Die> type, std::string_view name) { return spell(std::move(type), std::string(name), 0); }

}  // namespace espy::symbol
