// Any text as a script: mistakes are said, and what has none formats to what parses to the same tree.
#include <cstdint>
#include <cstdlib>

#include "trace/expand/expand.hpp"
#include "trace/syntax/parser.hpp"
#include "trace/syntax/print.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace espy::trace;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Sources sources;
  Diagnostics diagnostics;
  Script script = parse(sources, sources.add("fuzz.bt", text), diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.message.empty() || render(diagnostic, sources, true).empty()) std::abort();
  }
  if (!diagnostics.has_errors()) {
    const std::string formatted = format(script, sources);
    Sources sources_again;
    Diagnostics diagnostics_again;
    const Script again = parse(sources_again, sources_again.add("fuzz.bt", formatted), diagnostics_again);
    if (diagnostics_again.has_errors() || dump(again) != dump(script) || format(again, sources_again) != formatted) std::abort();
  }
  script.imports.clear();  // files are not the script's
  ExpandOptions options{.arguments = {.positional = {"1", "two"}, .named = {{"n", "3"}}}};
  const Expanded expanded = expand(std::move(script), sources, options, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) render(diagnostic, sources, false);
  (void)dump(expanded.script);
  return 0;
}
