#include "symbol/dwarf_die.hpp"

#include <algorithm>

namespace espy::symbol::die {

std::string_view text(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute attr;
  if (dwarf_attr_integrate(&die, attribute, &attr) == nullptr) return {};
  const char* string = dwarf_formstring(&attr);
  return string == nullptr ? std::string_view{} : std::string_view(string);
}

std::string_view name(Dwarf_Die& die) { return text(die, DW_AT_name); }

std::optional<std::uint64_t> number(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute attr;
  Dwarf_Word value = 0;
  if (dwarf_attr_integrate(&die, attribute, &attr) == nullptr || dwarf_formudata(&attr, &value) != 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> signed_number(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute attr;
  if (dwarf_attr_integrate(&die, attribute, &attr) == nullptr) return std::nullopt;
  Dwarf_Sword value = 0;
  Dwarf_Word plain = 0;
  const unsigned form = dwarf_whatform(&attr);
  if (form == DW_FORM_sdata || form == DW_FORM_implicit_const) {
    if (dwarf_formsdata(&attr, &value) == 0) return value;
  } else if (dwarf_formudata(&attr, &plain) == 0) {
    return static_cast<std::int64_t>(plain);
  }
  return std::nullopt;
}

bool flag(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute attr;
  bool value = false;
  return dwarf_attr(&die, attribute, &attr) != nullptr && dwarf_formflag(&attr, &value) == 0 && value;
}

std::optional<Dwarf_Die> reference(Dwarf_Die& die, unsigned attribute) {
  Dwarf_Attribute attr;
  Dwarf_Die target;
  if (dwarf_attr_integrate(&die, attribute, &attr) == nullptr || dwarf_formref_die(&attr, &target) == nullptr) return std::nullopt;
  return target;
}

std::optional<Dwarf_Die> type(Dwarf_Die& die) {
  auto target = reference(die, DW_AT_type);
  for (int i = 0; target && i < 16; ++i) {
    const int tag = dwarf_tag(&*target);
    Dwarf_Attribute attr;
    Dwarf_Die next;
    if (tag == DW_TAG_unspecified_type) return std::nullopt;
    if (dwarf_attr(&*target, DW_AT_signature, &attr) != nullptr && dwarf_formref_die(&attr, &next) != nullptr) target = next;
    else if (tag == DW_TAG_subrange_type) target = reference(*target, DW_AT_type);
    else return target;
  }
  return std::nullopt;
}

std::vector<std::uint32_t> dimensions(Dwarf_Die& array) {
  std::vector<std::uint32_t> counts;
  for_each_child(array, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) != DW_TAG_subrange_type) return true;
    std::uint64_t count = 0;
    if (auto elements = number(child, DW_AT_count)) count = *elements;
    else if (auto last = signed_number(child, DW_AT_upper_bound); last && *last >= 0 && *last < UINT32_MAX) count = static_cast<std::uint64_t>(*last) + 1;
    counts.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(count, UINT32_MAX)));
    return counts.size() < 16;
  });
  if (counts.empty()) counts.push_back(0);
  return counts;
}

std::vector<Dwarf_Die> parameters(Dwarf_Die& function) {
  std::vector<Dwarf_Die> found;
  for_each_child(function, [&](Dwarf_Die& child) {
    const int tag = dwarf_tag(&child);
    if (tag == DW_TAG_formal_parameter || tag == DW_TAG_unspecified_parameters) found.push_back(child);
    return found.size() < 256;
  });
  if (!found.empty()) return found;
  // The out-of-line copy of a function may leave its parameters with the declaration.
  for (unsigned attribute : {DW_AT_abstract_origin, DW_AT_specification}) {
    auto origin = reference(function, attribute);
    if (!origin || dwarf_dieoffset(&*origin) == dwarf_dieoffset(&function)) continue;
    for_each_child(*origin, [&](Dwarf_Die& child) {
      const int tag = dwarf_tag(&child);
      if (tag == DW_TAG_formal_parameter || tag == DW_TAG_unspecified_parameters) found.push_back(child);
      return found.size() < 256;
    });
    if (!found.empty()) break;
  }
  return found;
}

}  // namespace espy::symbol::die
