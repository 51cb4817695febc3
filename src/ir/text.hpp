// The text form: what `print` writes, `parse` reads back.
//
//   map counts
//
//   func count(v0:ctx) -> i32 {
//     slot s0 4 align 4
//   b0:
//     store.32 [s0], 7:i32 @3
//     v1:map_value = helper.reads_only 1(map(counts), s0) @3
//     v2:i1 = ne v1, null:map_value
//     branch v2, b1, b2
//   b1:
//     atomic_add.64 [v1+8], 1
//     jump b2
//   b2: cold
//     ret 0:i32
//   }
//
// Leaves are written where they are used: `7` is an i64, `7:i32` and `1:i1` are of another type, `null:ctx` a pointer;
// `s0+8`, `map(m)`, `value(m+8)`, `func(f)`, `extern(x):kernel` are addresses. `@3` is a mark; facts follow in braces:
// `{0..63 zeros=0x1 ones=0x2 non_null}`. A name that is no plain word stands in quotes. `;` begins a comment.
//
// Values, blocks and slots are numbered as they appear, so two functions that differ only in ids print alike.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "ir/ir.hpp"

namespace espy::ir {

std::string print(const Module& module);
/// One function, as it stands in the module's text.
std::string print(const Module& module, const Function& function);

/// Reads a module. Errors say where: "FILE:line:column". What it gives is well-formed as text; `check` says whether it is
/// as IR. Maps and externs need no declaration.
Result<Module> parse(std::string_view text, std::string_view file = "ir");

/// "i64", "map_value"; no type: "none".
std::string_view to_string(Type type);
/// nullopt: no type has this name.
std::optional<Type> find_type(std::string_view name);

/// The flags' names, in the order of their bits.
inline constexpr std::string_view kFlagNames[] = {"signed", "fetch", "invariant", "ordered", "removable", "reads_only"};

}  // namespace espy::ir
