// Imported objects: C that a script calls. Their functions become subprograms of the script's programs, and their maps and
// globals maps of its object.
//
//   import "count.bpf.c";                 // u64 seen(u64 key) { … }
//   tracepoint:… { @ = seen(pid); }
//
// The kernel verifies each call of such a function with the values that it is given there, as it does for functions of a
// program's own: so pointers of any kind may be passed. For that, all of them are called static in the joined object's
// types, whatever they were in C.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "btf/builder.hpp"
#include "object/spec.hpp"
#include "trace/expand/expand.hpp"
#include "trace/syntax/source.hpp"
#include "trace/types.hpp"

namespace espy::trace {

/// A function of an imported object, as scripts call it.
struct ImportedFunction {
  std::string name = {};
  std::vector<Type> parameters = {};
  Type returns = {};                   ///< none: void
  std::string refused = {};            ///< why a script cannot call it; empty: it can
  std::size_t object = 0;              ///< index into Imported::objects
  object::FunctionIdx function{};
};

struct Imported {
  std::vector<object::ObjectSpec> objects = {};
  std::vector<ImportedFunction> functions = {};

  const ImportedFunction* find(std::string_view name) const;
};

/// Reads the objects and finds their global functions. What is wrong with one is told at its import.
Imported read_imported(std::span<const ImportedObject> objects, Diagnostics& diagnostics);

/// Joins the objects to a script's, which must have all its own functions and maps already. `types` are the script's, and
/// get those of the objects.
void join_imported(const Imported& imported, object::ObjectSpec& script, btf::Builder& types);
/// Which function of the joined object one is, where the script has so many of its own.
object::FunctionIdx joined_function(const Imported& imported, const ImportedFunction& function, std::size_t own_functions);

}  // namespace espy::trace
