// C's declarations, to types with their layout; private to the folder.
//
// Types are kept in one array and name each other by index, so that they can be looked at while they are being made; at the
// end they become BTF. Layout is that of the System V ABI, which x86-64, arm64 and BPF share as far as data goes: a member
// goes to the next multiple of its alignment, a bit-field into the current unit of its type if it fits there.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trace/c/constant.hpp"
#include "trace/c/token.hpp"
#include "trace/c/types.hpp"

namespace espy::trace::c {

using TypeIndex = std::uint32_t;

struct CMember {
  std::string name;
  TypeIndex type = 0;
  std::uint64_t bit_offset = 0;
  std::uint32_t bits = 0;        // of a bit-field
};

struct CType {
  btf::Kind kind = btf::Kind::void_;
  std::string name = {};
  std::uint64_t size = 0;
  std::uint32_t align = 1;
  TypeIndex target = 0;          // ptr, typedef, array; what a func_proto returns
  std::uint64_t count = 0;       // array
  bool is_signed = false, is_bool = false, is_char = false, is_variadic = false;
  bool is_complete = true;       // of a struct, union or enum: it has been defined
  std::vector<CMember> members = {};                                  // and parameters
  std::vector<std::pair<std::string, std::uint64_t>> enumerators = {};
  btf::TypeId foreign = btf::kVoid;                                   // the kernel's type that this one is
};

struct Attributes {
  bool is_packed = false;
  std::uint32_t align = 0;       // 0: as it comes
};

class Declarations {
 public:
  Declarations(std::span<const Token> tokens, const Options& options, Diagnostics& diagnostics);

  /// Parses all of the file.
  void file();
  /// The value of a constant expression that stands by itself, as a #define's.
  std::optional<Value> constant(std::span<const Token> tokens);
  Result<std::shared_ptr<const btf::Btf>> build() const;
  const std::map<std::string, Value, std::less<>>& enumerators() const { return enumerators_; }

 private:
  struct Declarator {
    std::string name;
    TypeIndex type = 0;
    Attributes attributes = {};
  };
  // the file (declare.cpp)
  void declaration();
  void recover();
  const Token& peek(std::size_t ahead = 0) const;
  bool at(std::string_view text) const { return peek().is(text); }
  bool accept(std::string_view text);
  bool expect(std::string_view text, std::string_view where);
  void wrong(std::string message, std::string hint = {});
  void skip_balanced();
  std::optional<Value> constant_value();
  std::optional<std::uint64_t> constant_here();
  Meaning meaning();
  // specifiers and declarators (declarator.cpp)
  std::optional<TypeIndex> specifiers(bool& is_typedef, Attributes& attributes);
  std::optional<TypeIndex> base_words();
  std::optional<TypeIndex> named_type();
  void attributes(Attributes& into);
  void qualifiers(Attributes& into);
  Declarator declarator(TypeIndex base, unsigned depth);
  TypeIndex suffixes(TypeIndex base, unsigned depth);
  TypeIndex function(TypeIndex returns, unsigned depth);
  bool begins_type() const;
  // structs and enums (composite.cpp)
  std::optional<TypeIndex> composite(btf::Kind kind);
  std::optional<TypeIndex> enumeration();
  void members(CType& type);
  void lay_out(CType& type, const Attributes& own, const std::vector<Attributes>& of_members, const std::vector<bool>& is_field);
  TypeIndex tagged(btf::Kind kind, const std::string& name);
  bool complete(TypeIndex type);
  // types
  TypeIndex add(CType type);
  TypeIndex basic(std::string_view name);
  TypeIndex pointer(TypeIndex to);
  TypeIndex resolve(TypeIndex type) const;
  std::uint32_t align_of(TypeIndex type) const;
  std::optional<TypeIndex> kernel_type(std::string_view name, btf::Kind kind);

  std::span<const Token> tokens_;
  std::size_t at_ = 0;
  const Options& options_;
  Diagnostics& diagnostics_;
  std::vector<CType> types_;
  std::map<std::string, TypeIndex, std::less<>> typedefs_, tags_, basics_;
  std::map<TypeIndex, TypeIndex> pointers_;
  std::map<std::string, Value, std::less<>> enumerators_;
  std::uint32_t pack_ = 0;
  unsigned depth_ = 0, errors_ = 0;
  unsigned braces_ = 0;          // open around where the parser is
  bool failed_ = false;          // in this declaration
  std::vector<Attributes> pending_attributes_;  // of the members that were read last
  std::vector<bool> pending_fields_;            // which of them are bit-fields
};

}  // namespace espy::trace::c
