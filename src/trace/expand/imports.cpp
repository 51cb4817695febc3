// Imports: other scripts, C headers, C for eBPF and its objects, and directories of those.
//
// What is imported runs with the user's rights, so nothing is read that anybody may write: no file that others may write, none
// in a directory where others may replace it, no directory where others may add one. A file is read once, whoever imports it
// how often: circles end by themselves.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/fd.hpp"
#include "trace/expand/compile.hpp"
#include "trace/expand/expand.hpp"
#include "trace/syntax/parser.hpp"
#include "trace/syntax/walk.hpp"

namespace espy::trace {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kBiggest = std::size_t{16} << 20;

bool is_dangerous(const std::string& path, bool sticky_is_fine) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return false;
  const bool is_protected = sticky_is_fine && S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  return (info.st_mode & S_IWOTH) != 0 && !is_protected;
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Takes the imports out of blocks.
class StatementImports {
 public:
  void expr(Expr& expr) { each_child(expr, *this); }
  void type(TypeName& type) { each_child(type, *this); }
  void block(Block& block) {
    std::erase_if(block.statements, [&](Statement& statement) {
      auto* import = std::get_if<Import>(&statement.node);
      if (import) imports.push_back(std::move(*import));
      return import != nullptr;
    });
    for (Statement& statement : block.statements) each_child(statement, *this);
  }
  std::vector<Import> imports;
};

class Importer {
 public:
  Importer(Script& script, Sources& sources, const ExpandOptions& options, Diagnostics& diagnostics, std::vector<ImportedObject>& objects)
      : script_(script), sources_(sources), options_(options), diagnostics_(diagnostics), objects_(objects) {}

  void read(std::vector<Import> imports) {
    for (const Import& import : imports) find(import);
  }
  /// What the imported preambles said comes before the script's own.
  std::vector<Preamble> take_preambles() { return std::move(preambles_); }

 private:
  void find(const Import& import) {
    if (import.path.starts_with("stdlib/") || import.path == "stdlib") return;  // all of it is part of the language here
    std::vector<fs::path> places;
    if (fs::path(import.path).is_absolute()) {
      places.emplace_back(import.path);
    } else {
      places.push_back(fs::path(sources_.source(import.path_at.source).name).parent_path() / import.path);
      for (const std::string& directory : options_.include_directories) places.push_back(fs::path(directory) / import.path);
    }
    for (const fs::path& place : places) {
      std::error_code error;
      if (!fs::exists(place, error)) continue;
      if (fs::is_directory(place, error)) return directory(place, import.path_at);
      return file(place, import.path_at);
    }
    std::string where;
    for (const fs::path& place : places) where += fmt::format("{}`{}`", where.empty() ? "" : ", ", place.string());
    diagnostics_.error(import.path_at, fmt::format("no file or directory `{}` to import", import.path), "looked for " + where);
  }

  void directory(const fs::path& path, Span at) {
    if (is_dangerous(path, false)) {
      diagnostics_.error(at, fmt::format("`{}` is not imported: anybody may add files to it", path.string()), fmt::format("chmod o-w {}", path.string()));
      return;
    }
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      const std::string name = entry.path().filename();
      const bool is_ours = name.ends_with(".bt") || name.ends_with(".h") || name.ends_with(".bpf.c") || name.ends_with(".bpf.o");
      if (is_ours && entry.is_regular_file(error) && files.size() <= kMostFiles) files.push_back(entry.path());
    }
    if (error) diagnostics_.error(at, fmt::format("read the directory `{}`: {}", path.string(), error.message()));
    std::ranges::sort(files);
    for (const fs::path& next : files) file(next, at);
  }

  void file(const fs::path& path, Span at) {
    std::error_code error;
    const fs::path canonical = fs::canonical(path, error);
    if (!seen_.insert(error ? path.string() : canonical.string()).second) return;
    if (seen_.size() > kMostFiles) {
      if (seen_.size() == kMostFiles + 1) diagnostics_.error(at, "too many files are imported");
      return;
    }
    if (is_dangerous(path, false) || is_dangerous(canonical.parent_path(), true)) {
      diagnostics_.error(at, fmt::format("`{}` is not imported: anybody may write it", path.string()),
                         fmt::format("chmod o-w {}", is_dangerous(path, false) ? path.string() : canonical.parent_path().string()));
      return;
    }
    const std::string name = path.filename();
    if (name.ends_with(".bt")) return script(path, at);
    if (name.ends_with(".h")) return header(path, at);
    if (name.ends_with(".bpf.c")) return object(path, compile_bpf(path, options_.include_directories), at);
    if (name.ends_with(".o")) return object(path, read_file(path), at);
    diagnostics_.error(at, fmt::format("`{}` cannot be imported", path.string()), "scripts (.bt), C headers (.h), C for eBPF (.bpf.c) and objects (.o) can");
  }

  void object(const fs::path& path, Result<std::vector<std::byte>> bytes, Span at) {
    if (!bytes) return failed(bytes.error(), at);
    objects_.push_back({path.string(), std::move(*bytes), at});
  }

  void failed(const Error& error, Span at) {
    Diagnostic& diagnostic = diagnostics_.error(at, one_line(error), error.hint);
    for (const std::string& note : error.notes) diagnostic.notes.push_back({{}, note});
  }

  void header(const fs::path& path, Span at) {
    auto text = read_text_file(path, kBiggest);
    if (!text) return failed(text.error(), at);
    const auto size = static_cast<std::uint32_t>(text->size());
    const std::uint32_t number = sources_.add(path.string(), *text);
    preambles_.push_back({std::move(*text), {0, size, number}});
  }

  void script(const fs::path& path, Span at) {
    auto text = read_text_file(path, kBiggest);
    if (!text) return failed(text.error(), at);
    Script imported = parse(sources_, sources_.add(path.string(), std::move(*text)), diagnostics_);
    if (imported.config_at.end != 0) {
      diagnostics_.error(imported.config_at, "an imported script has no config block", "only the script that is run sets the configuration");
    }
    read(std::move(imported.imports));
    append(preambles_, imported.preambles);
    append(script_.maps, imported.maps);
    append(script_.macros, imported.macros);
    append(script_.subprograms, imported.subprograms);
    append(script_.probes, imported.probes);
  }

  Script& script_;
  Sources& sources_;
  const ExpandOptions& options_;
  Diagnostics& diagnostics_;
  std::vector<ImportedObject>& objects_;
  std::vector<Preamble> preambles_;
  std::set<std::string> seen_;
};

/// What the script's config block says of imports inside blocks.
Unstable statement_policy(const Script& script, Unstable otherwise) {
  for (const ConfigEntry& entry : script.config) {
    const auto* word = std::get_if<Identifier>(&entry.value.node);
    const auto* text = std::get_if<String>(&entry.value.node);
    if (entry.name != "unstable_import_statement" || (!word && !text)) continue;
    const std::string& value = word ? word->name : text->value;
    return value == "enable" ? Unstable::enable : value == "warn" ? Unstable::warn : Unstable::error;
  }
  return otherwise;
}

}  // namespace

void read_imports(Script& script, Sources& sources, const ExpandOptions& options, Diagnostics& diagnostics, std::vector<ImportedObject>& objects) {
  Importer importer(script, sources, options, diagnostics, objects);
  importer.read(std::exchange(script.imports, {}));
  StatementImports inside;
  each_child(script, inside);
  for (Macro& macro : script.macros) inside.block(macro.body.block);
  const Unstable policy = statement_policy(script, options.import_statement);
  for (const Import& import : inside.imports) {
    if (import.path.starts_with("stdlib/")) continue;
    const std::string message = "`import` inside a block may change its meaning in another version";
    if (policy == Unstable::error) diagnostics.error(import.at, message, "import at the head of the script, or set config = { unstable_import_statement=enable }");
    if (policy == Unstable::warn) diagnostics.warning(import.at, message, "import at the head of the script");
  }
  if (policy != Unstable::error) importer.read(std::move(inside.imports));
  std::vector<Preamble> preambles = importer.take_preambles();
  append(preambles, script.preambles);
  script.preambles = std::move(preambles);
}

Expanded expand(Script script, Sources& sources, const ExpandOptions& options, Diagnostics& diagnostics) {
  Expanded expanded{.script = std::move(script)};
  read_imports(expanded.script, sources, options, diagnostics, expanded.objects);
  expand_macros(expanded.script, sources, diagnostics);
  bind_arguments(expanded.script, options.arguments, diagnostics, expanded.options);
  const bool has_help = std::ranges::find(expanded.options, "help", &ScriptOption::name) != expanded.options.end();
  expanded.help_wanted = !has_help && std::ranges::any_of(options.arguments.named, [](const auto& pair) { return pair.first == "help"; });
  return expanded;
}

}  // namespace espy::trace
