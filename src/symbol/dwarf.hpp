// Debug information of a program: types of functions, source lines of addresses and addresses of source lines.
// DWARF 2 to 5 as elfutils' libdw reads it, in the program itself or in its separate debug file (symbol/debug_file.hpp).
// All of it is foreign: depth, counts and sizes are bounded, and what is broken is an error or is left out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "btf/btf.hpp"
#include "symbol/elf_file.hpp"

namespace espy::symbol {

/// A function's parameters and return type, with all that they lead to.
///
/// C++: classes are structs; a base class is a member without a name (its members are found through it, as those of any
/// anonymous struct); virtual bases and static members are left out; references are pointers; a method's first parameter
/// is `this`. Names stay C++'s ("vector<int, std::allocator<int> >", without the namespace).
struct FunctionTypes {
  std::shared_ptr<const btf::Btf> btf;
  btf::TypeId proto;                ///< a func_proto
};

struct SourceLine {
  std::string file;                 ///< with the folder it was compiled in
  std::uint32_t line = 0, column = 0;   ///< 0: not known
};

/// Where an address is: innermost first, a function that was inlined, then where it was inlined into, ...; the last is the
/// function itself.
struct SourceFrame {
  std::string function;             ///< unqualified
  SourceLine at;                    ///< the line in that function
};

/// Where a source line has code.
struct LineAddress {
  std::uint64_t address = 0;        ///< as linked
  std::uint64_t file_offset = 0;    ///< for a uprobe
  std::uint32_t line = 0, column = 0;
};

struct Parameter {
  std::string type, name;           ///< as C and C++ spell them: "struct x *", "p"; an empty name: not known
};
struct FunctionSignature {
  std::string name;                 ///< "f"
  std::string linkage_name;         ///< "_ZN2ns1fEi"; empty: the same
  std::uint64_t address = 0;
  std::string returns;              ///< "void" where it returns nothing
  std::vector<Parameter> parameters;
};

/// The debug information of one file, opened once and read as it is asked.
class Dwarf {
 public:
  /// Of a program or library, or of its separate debug file. `not_found`, with what to install, if there is none.
  static Result<Dwarf> open(const std::string& path, const std::string& root = {});
  /// Of an open file, whose path in `root` is `path`.
  static Result<Dwarf> of(const ElfFile& file, const std::string& path, const std::string& root = {});
  Dwarf(Dwarf&&) noexcept;
  Dwarf& operator=(Dwarf&&) noexcept;
  ~Dwarf();

  /// Of the function at this address (as linked: Function::address).
  Result<FunctionTypes> function_types(std::uint64_t address) const;
  std::optional<SourceLine> line_of(std::uint64_t address) const;
  std::vector<SourceFrame> frames_of(std::uint64_t address) const;
  /// All places where the code of a line begins, one for each function that it is in or inlined into. `file` is a name or
  /// the end of a path ("net/core.c"), `column` 0 any. Without one the error names the nearest line that has code, or the
  /// nearest file.
  Result<std::vector<LineAddress>> addresses_of_line(std::string_view file, std::uint32_t line, std::uint32_t column = 0) const;
  /// All functions that have code, by name.
  std::vector<FunctionSignature> functions() const;

  struct Impl;                      ///< symbol/dwarf_impl.hpp
 private:
  explicit Dwarf(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// For one question about a file: opens it, finds the function by name (find_function) and asks.
Result<FunctionTypes> function_types(const std::string& path, std::string_view function);
Result<std::vector<LineAddress>> addresses_of_line(const std::string& path, std::string_view file, std::uint32_t line,
                                                   std::uint32_t column = 0);

}  // namespace espy::symbol
