// Where functions begin and end in an executable section.
//
// clang marks functions as such and gives their size; that is the rule, and then only those count. Objects in the wild
// also hold symbols without a type or a size (LLVM before 6, assemblers), and sections without any symbol (stripped files,
// objcopy): there a function reaches to the next one, and a section without symbols is one function.
#include <algorithm>
#include <cctype>

#include "object/reading.hpp"

namespace espy::object {
namespace {

/// Labels inside functions that old compilers and assemblers leave in the symbol table.
bool is_label(std::string_view name) { return name.empty() || name.starts_with("LBB") || name.starts_with(".L") || name.starts_with("L."); }

std::string name_from_section(std::string_view section) {
  std::string name(section);
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

constexpr std::string_view kNameIt = "mark it as a function of a size: `.type NAME,@function` and `.size`, or compile with a current clang";

/// The symbols of this section that are functions: typed ones, else untyped ones.
std::vector<const ElfSymbol*> function_symbols(const Reading& reading, const ElfSection& section) {
  std::vector<const ElfSymbol*> typed, global, local;
  for (std::uint32_t i : reading.elf.symbols_of(section)) {
    const ElfSymbol& symbol = reading.elf.symbols()[i];
    if (symbol.type == SymbolType::function) typed.push_back(&symbol);
    else if (symbol.type != SymbolType::untyped || is_label(symbol.name)) continue;
    else if (symbol.binding == Binding::local) local.push_back(&symbol);
    else global.push_back(&symbol);
  }
  if (!typed.empty()) return typed;
  if (!global.empty()) return global;
  // Local untyped symbols may be jump targets; the one at the beginning is the function.
  std::erase_if(local, [](const ElfSymbol* symbol) { return symbol->value != 0; });
  return local;
}

}  // namespace

Result<std::vector<CodeExtent>> functions_of(Reading& reading, const ElfSection& section) {
  constexpr std::uint64_t kSlot = sizeof(isa::Insn);
  const ElfFile& elf = reading.elf;
  if (section.size % kSlot != 0) return fail_at(elf.where(section), "its {} bytes are not a whole number of instructions", section.size);
  auto symbols = function_symbols(reading, section);
  std::ranges::stable_sort(symbols, {}, [](const ElfSymbol* symbol) { return symbol->value; });
  std::vector<CodeExtent> extents;
  if (symbols.empty()) {
    reading.warn(elf.where(section), "code without a symbol", std::string(kNameIt));
    extents.push_back({.name = name_from_section(section.name), .section = section.index, .start = 0, .count = static_cast<std::uint32_t>(section.size / kSlot)});
    return extents;
  }
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const ElfSymbol& symbol = *symbols[i];
    if (i > 0 && symbol.value == symbols[i - 1]->value) continue;  // another name of the same function
    auto next = std::ranges::upper_bound(symbols, symbol.value, {}, [](const ElfSymbol* other) { return other->value; });
    const std::uint64_t limit = next != symbols.end() ? (*next)->value : section.size;
    if (symbol.type != SymbolType::function || symbol.size == 0)
      reading.warn(elf.where(section, symbol.value), fmt::format("`{}` is {}", symbol.name, symbol.type == SymbolType::function ? "a function without a size" : "an untyped symbol"), std::string(kNameIt));
    const std::uint64_t size = symbol.size != 0 ? symbol.size : limit - symbol.value;
    if (symbol.value % kSlot != 0 || size % kSlot != 0)
      return fail_at(elf.where(section, symbol.value), "function `{}` is not made of whole instructions", symbol.name);
    if (symbol.value < end) return fail_at(elf.where(section, symbol.value), "function `{}` begins inside the one before it", symbol.name);
    end = symbol.value + size;
    if (size == 0) continue;
    extents.push_back({.name = symbol.name, .section = section.index, .start = static_cast<std::uint32_t>(symbol.value / kSlot),
                       .count = static_cast<std::uint32_t>(size / kSlot), .binding = symbol.binding, .hidden = symbol.hidden});
  }
  return extents;
}

}  // namespace espy::object
