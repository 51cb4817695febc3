// What each mistake says, and where: "line:column-end message | hint", notes indented.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "trace/syntax/parser.hpp"

namespace espy::trace {
namespace {

std::string errors_of(const std::string& script) {
  Sources sources;
  Diagnostics diagnostics;
  parse(sources, sources.add("s", script), diagnostics);
  std::string text;
  for (const Diagnostic& it : diagnostics.all()) {
    const Position from = sources.position(it.at), to = sources.position({it.at.end, it.at.end, it.at.source});
    text += fmt::format("{}:{}-{} {}{}{}\n", from.line, from.column, to.column, it.message, it.hint.empty() ? "" : " | ", it.hint);
    for (const Note& note : it.notes) {
      text += fmt::format("  {}:{} {}\n", sources.position(note.at).line, sources.position(note.at).column, note.message);
    }
    EXPECT_FALSE(render(it, sources, true).empty());
  }
  return text;
}

struct Case {
  std::string_view script, errors;
};
constexpr std::array kCases = std::to_array<Case>({
    {"begin { int32 $x = 5; };", "1:15-17 expected a statement, found `$x` | a variable is declared like this: let $x : int32;\n"},
    {"kprobe:f { print(1) ",
     "1:20-20 missing `}` at the end of the script\n"
     "  1:10 the block of this probe is open\n"},
    {"kprobe:f { if (x) { print(1); \nkprobe:g { print(2; }",
     "2:1-7 a probe cannot begin inside a block | is a `}` missing before it?\n"
     "  1:19 the block of this if is open\n"
     "2:19-20 expected `,` or `)`, found `;` | arguments are separated by `,`\n"},
    {"kprobe:f /pid = 1/ { }",
     "1:15-16 expected `/` after the predicate, found `=` | to compare, write `==`\n"},
    {"kprobe:f /pid == 1 { }",
     "1:20-21 expected `/` after the predicate, found `{` | a predicate stands between slashes: /pid == 1/\n"},
    {"kprobe:f { if (x = 1) { } }",
     "1:15-22 the condition of `if` is a record | to compare, write `==`\n"},
    {"kprobe:f { if (x) print(1); }",
     "1:27-28 expected `{` after `if`, found `;` | the body stands in braces, a single statement too\n"},
    {"begin { $x = sarg0; }",
     "1:14-19 `sarg0` is not in the language any more | arguments on the stack are read from where reg(\"sp\") points\n"},
    {"begin { printf(hello world); printf(%d, 1); printf(hello, 1) }",
     "1:22-27 expected `,` or `)`, found `world` | the format is a string in double quotes: printf(\"%d\\n\", pid)\n"
     "1:37-38 expected a string, found `%` | the format is a string in double quotes: printf(\"%d\\n\", pid)\n"},
    {"begin { $x = 'a'; $y = 1.5; $z = .5; }",
     "1:14-17 there are no character literals | write the character's number (65 for A), or a string in double quotes\n"
     "1:24-27 there are no floating-point numbers | count in smaller units: 1500 instead of 1.5 thousand\n"
     "1:34-35 expected an expression, found `.` | there are no floating-point numbers\n"},
    {"begin { $x = 08; $x = 99999999999999999999; $x = 5foo; $x = 0x; }",
     "1:14-16 this digit is not octal | a number that begins with 0 is octal\n"
     "1:23-43 this number does not fit 64 bits\n"
     "1:50-54 this number ends in letters that mean nothing | known are u, l, ul, ull, and the durations ns, us, ms, s, m, h, d\n"
     "1:61-63 `0x` needs hexadecimal digits after it\n"},
    {"begin { print(\"abc); }\nend { }",
     "1:15-19 this string has no closing quote | a string ends on the line that it begins on; write a new line as \\n\n"},
    {"begin { print(\"a\\qb\"); print(\"\\x\"); }",
     "1:15-21 unknown escape in a string | a string knows \\n, \\t, \\r, \\\", \\\\, \\NNN (octal) and \\xNN; a backslash itself is \\\\\n1:30-34 `\\x` needs hexadecimal digits after it | a string knows \\n, \\t, \\r, \\\", \\\\, \\NNN (octal) and \\xNN; a backslash itself is \\\\\n"},
    {"begin { x = 1; 1 = 2; args.f = 3 }",
     "1:9-10 `x` cannot be assigned to | variables begin with `$`, maps with `@`\n"
     "1:16-17 `1` cannot be assigned to | only variables and maps take values\n"
     "1:23-29 `args.f` cannot be assigned to | only variables and maps take values\n"},
    {"begin { $x++ $y++ }",
     "1:14-16 expected `;` or `}` after the statement, found `$y`\n"},
    {"begin { $x = 1\n$y = 2; }",
     "1:15-15 expected `;` or `}` after the statement, found `$y`\n"},
    {"begin { $x = ; $y = 1 +; $z = (1, ; @x[] = 1; @x[1 = 2; }",
     "1:14-15 expected an expression, found `;`\n"
     "1:24-25 expected an expression, found `;`\n"
     "1:35-36 expected an expression, found `;`\n"
     "1:37-41 a map's brackets need a key | a map without keys is written without brackets\n"
     "1:52-53 expected `,` or `]`, found `=` | to compare, write `==`\n"},
    {"begin { for ($x in @y) { } for (@x) { } for ($x : 5) { } for ($x : @y[1]) { } }",
     "1:17-19 expected `:` after the variable, found `in` | for ($kv : @map) { … } or for ($i : 0..10) { … }\n"
     "1:33-35 expected a variable after `for`, found `@x`\n"
     "1:51-52 `for` goes over a map or a range | for ($kv : @map) { … } or for ($i : 0..10) { … }\n"
     "1:68-73 `for` goes over a whole map, without a key | for ($kv : @map) { … } or for ($i : 0..10) { … }\n"},
    {"foo bar { }",
     "1:5-8 expected `{`, `/predicate/` or `,` after the probe, found `bar`\n"},
    {"{ }",
     "1:1-2 expected a probe, found `{` | a probe is written like tracepoint:sched:sched_switch { … }; `espy trace -l` lists all\n"},
    {", kprobe:f { }",
     "1:1-2 expected a probe, found `,` | a probe is written like tracepoint:sched:sched_switch { … }; `espy trace -l` lists all\n"},
    {"} begin { }",
     "1:1-2 this `}` closes nothing | is there one `}` too many above?\n"},
    {"config = { a = }",
     "1:16-17 expected an expression, found `}`\n"},
    {"begin { } config = { a = 1 }",
     "1:11-17 the config block stands before all probes | move it to the head of the script\n"},
    {"let @a; begin { let 5; let $x : = 1; }",
     "1:7-8 expected `=` after the map's name, found `;` | outside of probes `let` declares a map: let @name = lruhash(100);\n"
     "1:21-22 expected a variable after `let`, found `5`\n"
     "1:33-34 expected a type, found `=`\n"},
    {"macro f($a b) { } begin { }",
     "1:12-13 expected `,` or `)` after the macro's parameters, found `b`\n"},
    {"fn f(a) { } begin { }",
     "1:6-7 expected a parameter ($name : type), found `a`\n"},
    {"import foo; begin { }",
     "1:8-11 expected a path in quotes after `import`, found `foo` | import \"file.bt\";\n"},
    {"begin { 5++; ++(1); }",
     "1:9-10 only variables and maps can be counted up and down\n"
     "1:16-19 only variables and maps can be counted up and down\n"},
    {"begin { $ = 1; @ = $0; # }",
     "1:9-10 `$` without a name | a variable is $name; the script's parameters are $1, $2 …, their number is $#\n"
     "1:20-22 there is no such parameter | a variable is $name; the script's parameters are $1, $2 …, their number is $#\n"
     "1:24-25 expected an expression, found `#`\n"},
    {"begin { é = 1; }",
     "1:9-11 `é` means nothing here\n"
     "1:12-13 expected an expression, found `=` | to compare, write `==`\n"},
    {"begin { /* abc }",
     "1:9-11 this comment has no end | a comment that begins with /* ends with */\n"},
    {"struct a { int b;",
     "1:1-2 missing `}`: this definition does not end\n"},
    {"begin { { 1; } + 2; $x = { 1; }; }",
     "1:16-17 expected an expression, found `+` | there is no `+` before a single operand\n"
     "1:31-32 a block that stands for a value ends with an expression | without a `;` after it\n"},
    {"begin { else { } }",
     "1:9-13 expected a statement, found `else` | `else` follows the `}` of an `if` at once, without a `;`\n"},
    {"begin { if (1) { }; else { } }",
     "1:21-25 expected a statement, found `else` | `else` follows the `}` of an `if` at once, without a `;`\n"},
    {"begin { print(1 2); @a[1 2] = 3; print(a = 1) }",
     "1:17-18 expected `,` or `)`, found `2` | arguments are separated by `,`\n"
     "1:26-27 expected `,` or `]`, found `2` | the keys of a map stand in brackets: @map[key, key]\n"
     "1:42-43 expected `,` or `)`, found `=` | to compare, write `==`\n"},
    {"begin { $x = (a=1, 2); $y = (a=1 }",
     "1:20-21 expected a member's name, found `2`\n"
     "1:34-35 expected `,` or `)` after the members of the record, found `}`\n"},
    {"begin { $x = sizeof(; offsetof(struct a); offsetof(1,) ; typeof() }",
     "1:21-22 expected an expression, found `;`\n"
     "1:40-41 expected `,` and a field after the type, found `)` | offsetof(struct task_struct, pid)\n"
     "1:54-55 expected a field's name, found `)`\n"
     "1:65-66 expected an expression, found `)`\n"},
    {"begin { $x = a ? 1; }",
     "1:19-20 expected `:` between the two values of `?`, found `;`\n"},
    {"begin { args.; args->5.; }",
     "1:14-15 expected a field's name or a number, found `;` | fields are read as value.field, a tuple's as value.0\n"
     "1:24-25 expected a field's name or a number, found `;` | fields are read as value.field, a tuple's as value.0\n"},
    {"kprobe:\"abc { }",
     "1:8-9 this string has no closing quote\n"},
    {"kprobe:f : g { }",
     "1:10-11 expected `{`, `/predicate/` or `,` after the probe, found `:` | no spaces inside a probe's name; quote parts that have them\n"},
    {"begin { +1; struct x; }",
     "1:9-10 expected an expression, found `+` | there is no `+` before a single operand\n"
     "1:13-19 `struct` begins a type, an expression is expected | a cast stands in parentheses: (struct task_struct *)$x\n"},
    {"begin { return 1 2; break 1; }",
     "1:18-19 expected `;` or `}` after the statement, found `2`\n"
     "1:27-28 expected `;` or `}` after the statement, found `1`\n"},
    {"typedef struct { int x",
     "1:1-2 missing `}`: this definition does not end\n"},
    {"begin { if { } while (1) print(1); unroll(3) x; for $x : 1..2 x; }",
     "1:12-13 expected a condition after `if`, found `{`\n"
     "1:26-31 expected `{` after `while`, found `print` | the body stands in braces, a single statement too\n"
     "1:46-47 expected `{` after `unroll`, found `x` | the body stands in braces, a single statement too\n"
     "1:63-64 expected `{` at the beginning of the for, found `x` | blocks stand in braces, a single statement too\n"},
    {"begin { $x = (int32)(; $y = (struct)1; let $z : struct; }",
     "1:22-23 expected an expression, found `;`\n"
     "1:30-36 `struct` begins a type, an expression is expected | a cast stands in parentheses: (struct task_struct *)$x\n"
     "1:55-56 expected a name after `struct`, found `;`\n"},
    {"config = { a = 1 } config = { b = 2 }",
     "1:20-26 a script has one config block\n"
     "  1:1 the first is here\n"},
    {"config { a = 1 }",
     "1:8-9 expected `=` after `config`, found `{` | config = { max_map_keys = 100; }\n"},
    {"macro m(1) { } macro n { }",
     "1:9-10 expected a parameter ($variable, @map or a name for an expression), found `1`\n"
     "1:24-25 expected `(` after the macro's name, found `{` | macro name($variable, expression, @map) { … }\n"},
    {"fn f { } fn g($a : ) { } fn h($a : int64 { }",
     "1:6-7 expected `(` after the function's name, found `{` | fn name($a : int64) : int64 { … }\n"
     "1:20-21 expected a type, found `)`\n"
     "1:42-43 expected `,` or `)` after the function's parameters, found `{`\n"},
    {"probe1 probe2",
     "1:8-14 expected `{`, `/predicate/` or `,` after the probe, found `probe2`\n"},
    {"begin { @x = 1; } }",
     "1:19-20 this `}` closes nothing | is there one `}` too many above?\n"},
    {"kprobe:f /pid/",
     "1:15-15 expected an expression, found the end of the script\n"},
    {"kprobe:f / / { }",
     "1:12-13 expected an expression, found `/`\n"},
    {"kprobe:f,",
     "1:10-10 expected a probe, found the end of the script | a probe is written like tracepoint:sched:sched_switch { … }; `espy trace -l` lists all\n"},
    {"begin { $x = (1 2); $y = $z[1; }",
     "1:17-18 expected `)` after the expression, found `2`\n"
     "1:30-31 expected `]` after the index, found `;`\n"},
    {"begin { $9999999 = 1; $x = 0xfffffffffffffffff; $y = 1e30; $z = 99999999h; }",
     "1:9-17 there is no such parameter | a variable is $name; the script's parameters are $1, $2 …, their number is $#\n"
     "1:9-17 `$9999999` cannot be assigned to | only variables and maps take values\n"
     "1:28-47 this number does not fit 64 bits\n"
     "1:54-58 this number does not fit 64 bits\n"
     "1:65-74 this number does not fit 64 bits\n"},
});

TEST(SyntaxErrors, SayWhatWasExpectedWhere) {
  for (const Case& it : kCases) EXPECT_EQ(errors_of(std::string(it.script)), it.errors) << it.script;
}

TEST(SyntaxErrors, AreBounded) {
  std::string many = "begin { ";
  for (int number = 0; number < 1000; ++number) many += "$x = ; ";
  const std::string errors = errors_of(many + "}");
  EXPECT_EQ(std::ranges::count(errors, '\n'), 51);
  EXPECT_NE(errors.find("too many errors"), std::string::npos);
}

TEST(SyntaxErrors, NestingIsBounded) {
  const auto nested = [](std::string_view open, std::string_view middle, std::string_view close, int times) {
    std::string text = "begin { ";
    for (int number = 0; number < times; ++number) text += open;
    text += middle;
    for (int number = 0; number < times; ++number) text += close;
    return text + " }";
  };
  EXPECT_EQ(errors_of(nested("(", "1", ")", 100)), "");
  for (const std::string& text : {nested("(", "1", ")", 100000), nested("{", "1", "}", 100000), nested("if (1) {", "", "}", 100000),
                                  nested("!", "1", "", 100000), nested("@a[", "1", "]", 100000), nested("(int32)", "1", "", 100000),
                                  nested("if (1) { } else ", "{ }", "", 100000), nested("sizeof(typeof(", "1", "))", 100000)}) {
    EXPECT_NE(errors_of(text).find("nested too deeply"), std::string::npos) << text.substr(0, 30);
  }
  EXPECT_NE(errors_of(nested("1 + ", "1", "", 100000)).find("too long"), std::string::npos);
  EXPECT_NE(errors_of(nested("", "$x", ".f", 100000)).find("too long"), std::string::npos);
}

TEST(SyntaxErrors, EveryPrefixOfAScriptIsRead) {
  const std::string script =
      "#include <a.h>\nstruct s { int a; };\nconfig = { a = 1 }\nlet @a = hash(1);\nmacro m($a, @b, c) { $a }\n"
      "x=uprobe:/bin/sh:\"f(int)\",kprobe:g /pid == $1 && comm == \"a\\n\"/ { if (1) { @x[1, (2,)] = (a=1, b=(int32)$x); } else { for "
      "($i : 0..10) { $x = { 1; $i ?: 2 }; } } /* c */ }";
  EXPECT_EQ(errors_of(script), "");
  for (std::size_t size = 0; size < script.size(); ++size) errors_of(script.substr(0, size));
  for (std::size_t at = 0; at < script.size(); ++at) errors_of(script.substr(0, at) + script.substr(at + 1));
}

}  // namespace
}  // namespace espy::trace
