// What happens to a tree before it is checked: imports are read, macros replaced, parameters and options given their values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trace/config.hpp"
#include "trace/syntax/ast.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace {

/// What stands behind the script on the command line.
struct ScriptArguments {
  std::vector<std::string> positional = {};                            ///< $1, $2, …
  std::vector<std::pair<std::string, std::string>> named = {};         ///< --name=value; --name alone: "true"
};
/// Arguments before `--` are positional; of those after it, the ones that begin with `--` are named.
ScriptArguments read_arguments(std::span<const std::string> before, std::span<const std::string> after);

struct ExpandOptions {
  ScriptArguments arguments = {};
  std::vector<std::string> include_directories = {};     ///< -I: where imports are searched, after the importing file's own
  Unstable import_statement = Unstable::error;           ///< `import` inside blocks; the script's config block overrides it
};

/// An option that a script asks for with getopt().
struct ScriptOption {
  enum class Kind : std::uint8_t { boolean, integer, string } kind = Kind::boolean;
  std::string name;
  std::string default_value = {};   ///< as the script writes it
  std::string description = {};
  Span at = {};
};

/// An eBPF object that the script imports, to be linked with its own.
struct ImportedObject {
  std::string path;
  std::vector<std::byte> bytes;     ///< the ELF file
  Span at = {};
};

struct Expanded {
  Script script;                            ///< without imports, macros, parameters; `preambles` has imported headers as well
  std::vector<ImportedObject> objects = {};
  std::vector<ScriptOption> options = {};   ///< in the order in which they are first asked for
  bool help_wanted = false;                 ///< --help was given, and the script has no such option of its own
};

/// All passes. Errors and warnings go to `diagnostics`; sources that are read are added to `sources`.
Expanded expand(Script script, Sources& sources, const ExpandOptions& options, Diagnostics& diagnostics);

/// The help text that `--help` behind a script shows.
std::string options_help(std::string_view script, std::span<const ScriptOption> options);

// ---- the passes by themselves, in this order ----

/// Reads what `import` names: scripts into the tree (their own imports too), headers into its preambles, objects as bytes.
/// C is compiled by clang, if there is one.
void read_imports(Script& script, Sources& sources, const ExpandOptions& options, Diagnostics& diagnostics,
                  std::vector<ImportedObject>& objects);
/// Replaces the uses of macros by their bodies and removes the macros.
void expand_macros(Script& script, Sources& sources, Diagnostics& diagnostics);
/// Replaces $1, $# and getopt() by values.
void bind_arguments(Script& script, const ScriptArguments& arguments, Diagnostics& diagnostics, std::vector<ScriptOption>& options);

}  // namespace espy::trace
