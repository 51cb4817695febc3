// Types and constants from C: a script's preamble and the headers that it includes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "btf/btf.hpp"
#include "trace/syntax/ast.hpp"
#include "trace/syntax/source.hpp"

namespace espy::trace::c {

/// A name that stands for a value: an enumerator, or a #define whose text is an integer constant expression or a string.
struct Constant {
  std::string name;
  std::variant<std::int64_t, std::uint64_t, std::string> value;
};

struct CTypes {
  /// All types that were defined, split BTF on top of the kernel's where one was given; never null after `parse`.
  std::shared_ptr<const btf::Btf> btf;
  std::vector<Constant> constants;   ///< each name once, sorted by it
  const Constant* find(std::string_view name) const;
};

struct Options {
  std::vector<std::string> include_directories = {};  ///< -I, searched first
  std::vector<std::string> include_files = {};        ///< --include: read before the preambles
  /// Where `#include <…>` looks; the usual directories of the system.
#if defined(__aarch64__)
  std::vector<std::string> system_directories = {"/usr/local/include", "/usr/include/aarch64-linux-gnu", "/usr/include"};
#else
  std::vector<std::string> system_directories = {"/usr/local/include", "/usr/include/x86_64-linux-gnu", "/usr/include"};
#endif
  /// The kernel's types, which C may name without defining them; null: none.
  std::shared_ptr<const btf::Btf> kernel = nullptr;
};

/// Parses the preambles of a script as one C file. What is wrong in them goes to `diagnostics` with its place; of system
/// headers, what is not understood is skipped. Files that are read are added to `sources`.
CTypes parse(const std::vector<Preamble>& preambles, Sources& sources, const Options& options, Diagnostics& diagnostics);

}  // namespace espy::trace::c
