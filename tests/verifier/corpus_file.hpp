// The corpus: small programs, each with the verdict that kernels give it.
//
// Two kinds of file hold them. A `.s` file holds many programs as assembly text (docs/assembly.md) behind header lines:
//
//     == NAME | SECTION [unprivileged] [proprietary] [types] [slow] | VERDICT | [RANGE VERDICT | …]
//
// VERDICT is `accept` or `reject: a piece of the kernel's message`. A RANGE says for which kernels another verdict than the
// first holds: `<6.1`, `>=6.4`, `5.10..6.1` (both included), `5.10`; the last that fits counts. What stands before the first
// header belongs to each program of the file that names it: maps, externs, and macros (`.macro NAME ARG…` to `.endm`, the
// arguments `$ARG`). `common.inc` stands before every file. `;;` is a line's end. `types` has the program written as an object file and read
// again, which gives it BTF (for callbacks).
//
// A `.bpf.c` file is compiled; a program's header fields behind the section are its btf_decl_tags (see corpus.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "object/link.hpp"
#include "object/spec.hpp"

namespace espy::corpus {

/// The verdict of a range of kernels.
struct Expectation {
  facts::KernelVersion from = {}, below = {.major = 9999};
  bool accept = false;
  std::string message = {};            ///< a piece of what the kernel says; empty: not said
};

struct Program {
  std::string name = {}, file = {};
  std::uint32_t line = 0;              ///< of the header; 0: compiled
  bool unprivileged = false;           ///< loaded without capabilities
  bool slow = false;                   ///< takes a kernel in an emulated machine a minute
  std::vector<Expectation> expectations = {};   ///< the first holds for all kernels
  std::shared_ptr<const object::ObjectSpec> object = {};

  const Expectation& expected(facts::KernelVersion version) const;
};

/// All programs of a file of text; `common` is what stands before every file.
Result<std::vector<Program>> read_text(const std::string& path, std::string_view common);
/// All programs of a compiled file that carry a verdict.
Result<std::vector<Program>> read_object(const std::string& path);
/// Of `FOLDER/*.s`, with FOLDER/common.inc, and `OBJECTS/*.bpf.o`, by name.
Result<std::vector<std::string>> files_of(const std::string& folder, const std::string& objects);
Result<std::vector<Program>> read_file(const std::string& path);

/// The program linked alone, its object without the maps that it does not use.
Result<object::LinkedObject> link_alone(const Program& program, const object::Target& target);

}  // namespace espy::corpus
