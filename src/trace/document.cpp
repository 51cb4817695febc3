#include "trace/document.hpp"

#include <fmt/format.h>

#include "trace/availability.hpp"
#include "trace/builtins.hpp"
#include "trace/config.hpp"
#include "trace/functions.hpp"
#include "trace/probes/providers.hpp"

namespace espy::trace {

namespace {

// Syntax has no table that the parser could read, so the rows of it are here.
struct SyntaxRow {
  std::string_view what, form, note = {};
  Status status = Status::works;
};

constexpr SyntaxRow kProgram[] = {
    {"preamble of C", "`#include <x.h>`, `#define`, `struct`, `union`, `enum`, `typedef`", "read by a parser of our own: no compiler is needed"},
    {"configuration", "`config = { stack_mode = perf; max_map_keys = 2 }`", "variables of the environment take precedence"},
    {"import", "`import \"lib.bt\"; import \"types.h\"; import \"x.bpf.c\"; import \"folder\"`", "functions of C are called as the script's own are; `.bpf.c` is compiled where clang is found, `.bpf.o` needs none"},
    {"map declaration", "`let @a = lruhash(100);`", "kinds hash, lruhash, percpuhash, percpulruhash"},
    {"macro", "`macro f($v, expression, @m) { …; value }`", "hygienic; several by number of parameters"},
    {"subprogram", "`fn f($a : int64) : int64 { return $a; }`", "a function of its own in the program; values of any type, passed by value"},
    {"probe block", "`probe, probe /predicate/ { statements }`", "patterns `*`, `?`, `[a-z]` in any part"},
    {"comments", "`// …`, `/* … */`, `#! …` first"},
    {"positional parameters", "`$1`, `$2`, `$#`, `str($1)`", "also in names of probes"},
    {"named parameters", "`getopt(\"name\", default, \"help\")`", "given as `--name=value` behind `--`"},
};

constexpr SyntaxRow kStatements[] = {
    {"assignment", "`$x = v`, `@m[k] = v`, `+= -= *= /= %= &= |= ^= <<= >>=`", "of maps not atomic: count() and sum() are"},
    {"declaration", "`let $x`, `let $x = v`, `let $x : type = v`", "a variable ends with its block, and hides no other"},
    {"if", "`if (c) { } else if (c) { } else { }`", "what a constant rules out is not compiled"},
    {"conditional value", "`c ? a : b`, `a ?: b`, `if (c) { …; a } else { …; b }`", "both sides have one type"},
    {"loop over a map", "`for ($kv : @m) { $kv.0; $kv.1 }`", "Linux 5.13"},
    {"loop over a range", "`for ($i : from..to) { }`", "the ends are evaluated once"},
    {"while", "`while (c) { }`", "the kernel must see an end of it"},
    {"unroll", "`unroll(5) { }`", "1 to 100 times"},
    {"leaving", "`break`, `continue`, `return`, `return value`"},
    {"block with a value", "`$x = { let $a = 2; $a * 21 }`"},
    {"discard", "`_ = f()`"},
    {"counting", "`$x++`, `--@m[k]`", "of integers and pointers"},
    {"removing", "`delete(@m, k)`", "also `delete(@m[k])`"},
};

constexpr SyntaxRow kTypes[] = {
    {"integers", "`int8 … int64`, `uint8 … uint64`, C's names", "a literal has the least signed type that holds it, and grows with its variable"},
    {"bool", "`true`, `false`", "what comparisons give"},
    {"string", "`\"text\"`, `string[64]`", "at most max_strlen bytes when read; `char` arrays are strings"},
    {"buffer", "`buf(p, 16)`"},
    {"pointers", "`*p`, `p + 1`, `&$v`, `&@m[k]`, `&p.field`, `int32*[4]`", "read from the kernel or the program by where they came from; kptr(), uptr() say otherwise"},
    {"arrays", "`p.numbers[2]`, `(uint8[8])n`", "read from memory; several dimensions"},
    {"structures, unions", "`(struct task_struct *)p`, `p.field`, `p->field`", "by BTF, C definitions, debug information; bit-fields and anonymous members"},
    {"enumerations", "`GREEN`, `(enum color)5`", "%s prints the name"},
    {"tuples", "`(1, \"a\")`, `(1,)`, `()`, `t.0`, `t[0]`", "nested; several keys of a map are one"},
    {"records", "`(color=\"red\", size=2)`, `r.color`"},
    {"formatted values", "`ksym_t usym_t kstack_t ustack_t inet_t mac_t username_t timestamp_t cgroup_path_t`", "kept as numbers and printed as text"},
    {"aggregates", "`count_t sum_t avg_t min_t max_t stats_t hist_t lhist_t tseries_t`", "of maps only; the first five are read as integers where one is needed"},
    {"casts", "`(int32)x`, `(struct x *)p`, `(typeof(y))x`"},
    {"sizes", "`sizeof(T)`, `offsetof(T, a.b)`", "also of expressions"},
    {"types of expressions", "`typeof(x)`; `typeinfo(x)`", "typeinfo must be allowed by configuration", Status::experimental},
    {"literals", "`10 0x10 010 1e6 1_000 5s 100ms`, `\"\\n\\x41\\101\"`"},
};

constexpr SyntaxRow kOperators[] = {
    {"arithmetic", "`+ - * / %`", "in 64 bits, signed if one side is; `-` always; division by 0 gives 0"},
    {"bits", "`& | ^ ~ << >>`", "`>>` keeps the sign of what has one"},
    {"logic", "`&& || !`", "the right side only where it decides; gives bool"},
    {"comparisons", "`< <= > >= == !=`", "strings, arrays, tuples: `==` and `!=`; gives bool"},
};

constexpr std::string_view kIntro = R"(# The tracing language

What `espy trace` understands: the language of bpftrace in its newest form, and the older spellings that scripts in the wild
use. This page is made of the tables that the compiler reads; `status` tells how far a row is served:

- **works**: on every kernel that offers what the row needs;
- **limited**: with the restriction that the row names;
- **experimental**: works and may change; a warning says so, or the configuration must allow it.

)";

/// Text in a table's cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

/// "a; b" as two pieces of code.
std::string codes(std::string_view text, std::string_view separator) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) out += (out.empty() ? "" : ", ") + code(text.substr(0, end));
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
  return out;
}

std::string version(facts::KernelVersion since) { return since == facts::KernelVersion{} ? "" : facts::to_string(since); }

template <std::size_t N>
void syntax(std::string& out, std::string_view title, const SyntaxRow (&rows)[N]) {
  out += fmt::format("## {}\n\n| what | how | note | status |\n|---|---|---|---|\n", title);
  for (const SyntaxRow& row : rows) out += fmt::format("| {} | {} | {} | {} |\n", row.what, cell(row.form), cell(row.note), to_string(row.status));
  out += '\n';
}

void provider_rows(std::string& out) {
  out += "## Probes\n\n| provider | also | forms | fires | since | needs | status |\n|---|---|---|---|---|---|---|\n";
  for (const probes::ProviderRow& row : probes::providers())
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", code(row.name), codes(row.aliases, " "), codes(row.forms, "; "), cell(row.doc), version(row.since),
                       codes(row.needs, ","), to_string(Status::works));
  out += '\n';
}

void builtin_rows(std::string& out) {
  out += "## Builtins\n\nEach may be written with `()` as well. A name with `__builtin_` in front is the same.\n\n";
  out += "| name | type | with arguments | meaning | example | since | needs | status |\n|---|---|---|---|---|---|---|---|\n";
  for (const Builtin& row : builtins())
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", code(row.name), code(row.type), code(row.forms), cell(row.help), code(row.example), version(since(row)),
                       cell(row.needs), to_string(row.status));
  out += '\n';
}

void function_rows(std::string& out, std::string_view title, FunctionKind kind) {
  out += fmt::format("### {}\n\n| name | signature | meaning | example | since | needs | status |\n|---|---|---|---|---|---|---|\n", title);
  for (const Function& row : functions()) {
    if (row.kind != kind) continue;
    std::string needs(row.needs);
    if (row.is_unsafe) needs += needs.empty() ? "--unsafe" : ", --unsafe";
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", code(row.name), codes(row.signature, "; "), cell(row.help), code(row.example), version(since(row)), cell(needs),
                       to_string(row.status));
  }
  out += '\n';
}

void config_rows_of(std::string& out) {
  out += "## Configuration\n\nIn a script's `config = { … }` block, or as a variable of the environment: `BPFTRACE_MAX_MAP_KEYS=10`.\n\n";
  out += "| name | default | meaning |\n|---|---|---|\n";
  for (const ConfigRow& row : config_rows())
    if (!row.removed) out += fmt::format("| {} | {} | {} |\n", code(row.name), code(row.default_value), cell(row.help));
  std::string removed;
  for (const ConfigRow& row : config_rows())
    if (row.removed) removed += (removed.empty() ? "" : ", ") + code(row.name);
  out += fmt::format("\nAccepted, and without effect: {}.\n", removed);
}

}  // namespace

std::string language_page() {
  std::string out(kIntro);
  syntax(out, "Scripts", kProgram);
  provider_rows(out);
  syntax(out, "Statements", kStatements);
  syntax(out, "Types and values", kTypes);
  syntax(out, "Operators", kOperators);
  builtin_rows(out);
  out += "## Functions\n\n";
  function_rows(out, "Done by the tracer, from a record that the probe sends", FunctionKind::asynchronous);
  function_rows(out, "Values that are text when they are printed", FunctionKind::formatted);
  function_rows(out, "Done in the probe", FunctionKind::kernel);
  function_rows(out, "Done while compiling", FunctionKind::compile_time);
  function_rows(out, "What a map takes", FunctionKind::map_value);
  config_rows_of(out);
  return out;
}

}  // namespace espy::trace
