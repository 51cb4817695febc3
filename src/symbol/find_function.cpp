#include <algorithm>

#include "base/text.hpp"
#include "symbol/demangle.hpp"
#include "symbol/elf_file.hpp"

namespace espy::symbol {

namespace {

// "ns::f" of "_ZN2ns1fEi" ("ns::f(int)"), Rust's names too; empty if it is no mangled name.
std::string demangled(const std::string& name, bool with_parameters) {
  if (!name.starts_with("_Z") && !name.starts_with("_R")) return {};
  std::string text = demangle(name, with_parameters ? Parameters::kept : Parameters::dropped);
  return text == name ? std::string() : text;
}

bool is_cpp_name(std::string_view name) { return name.find("::") != name.npos || name.find('(') != name.npos; }

std::string full_name(const Function& f) {
  return f.version.empty() ? f.name : fmt::format("{}{}{}", f.name, f.default_version ? "@@" : "@", f.version);
}

std::unexpected<Error> no_function(const ElfFile& file, const std::vector<Function>& functions, std::string_view name) {
  Error error{.kind = ErrorKind::not_found, .message = fmt::format("{} has no function `{}`", file.path(), name)};
  std::vector<std::string_view> names;
  for (const Function& f : functions)
    if (names.empty() || names.back() != f.name) names.push_back(f.name);
  if (names.empty()) {
    error.hint = file.find_section(".dynsym") == nullptr && file.find_section(".symtab") == nullptr
                     ? "it is stripped: it has no symbols; give an offset in the file (PATH:0x1234)"
                     : "its symbols are only those of other libraries; give an offset in the file (PATH:0x1234)";
  } else if (std::string_view near = nearest(name, names); !near.empty()) {
    error.hint = fmt::format("did you mean `{}`?", near);
  } else {
    std::vector<std::string_view> containing;
    for (std::string_view known : names)
      if (known.find(name) != known.npos && containing.size() < 8) containing.push_back(known);
    if (!containing.empty()) error.hint = fmt::format("there are {}", fmt::join(containing, ", "));
    else error.hint = fmt::format("`nm -D {0}` and `nm {0}` list what it has", file.path());
  }
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Function> find_function(const ElfFile& file, std::string_view wanted) {
  std::vector<Function> functions = TRY(file.functions());
  std::size_t at = wanted.find('@');
  std::string_view name = wanted.substr(0, at);
  std::string_view version = at == wanted.npos ? std::string_view{} : wanted.substr(wanted.find_first_not_of('@', at) == wanted.npos
                                                                                        ? wanted.size() : wanted.find_first_not_of('@', at));
  std::vector<const Function*> found;
  for (const Function& f : functions) {
    bool named = f.name == name || (is_cpp_name(name) && demangled(f.name, name.find('(') != name.npos) == name);
    if (named && (version.empty() || f.version == version)) found.push_back(&f);
  }
  if (found.empty()) return no_function(file, functions, wanted);
  // A name without version means the default one; a global function is meant rather than a file's own.
  auto keep = [&](auto preferred) {
    if (std::ranges::any_of(found, preferred)) std::erase_if(found, [&](const Function* f) { return !preferred(f); });
  };
  keep([](const Function* f) { return f->default_version; });
  keep([](const Function* f) { return !f->local; });
  bool ambiguous = std::ranges::any_of(found, [&](const Function* f) { return f->address != found.front()->address; });
  if (!ambiguous) return *found.front();
  std::vector<std::string> choices;
  for (const Function* f : found) choices.push_back(fmt::format("{} (offset {:#x})", full_name(*f), f->file_offset));
  return std::unexpected(Error{.kind = ErrorKind::invalid_argument,
                               .message = fmt::format("{} has {} functions `{}`", file.path(), found.size(), wanted),
                               .hint = fmt::format("name one of {}; an offset stands as PATH:0x1234", fmt::join(choices, ", "))});
}

Result<std::vector<Function>> match_functions(const ElfFile& file, std::string_view pattern) {
  std::vector<Function> functions = TRY(file.functions());
  std::vector<Function> found;
  bool cpp = is_cpp_name(pattern);
  for (const Function& f : functions)
    if (!f.indirect && (glob_match(pattern, f.name) || (cpp && glob_match(pattern, demangled(f.name, pattern.find('(') != pattern.npos)))))
      found.push_back(f);
  if (found.empty()) return no_function(file, functions, pattern);
  // Aliases stand at one place, which can be probed once.
  std::ranges::stable_sort(found, {}, &Function::file_offset);
  auto rest = std::ranges::unique(found, {}, &Function::file_offset);
  found.erase(rest.begin(), rest.end());
  return found;
}

}  // namespace espy::symbol
