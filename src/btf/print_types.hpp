// One type as C text; the order of many is print.cpp's business.
#pragma once

#include <string>

#include "btf/alignment.hpp"
#include "btf/names.hpp"

namespace espy::btf {

class TypePrinter {
 public:
  TypePrinter(const Btf& btf, Names names) : btf_(btf), names_(std::move(names)), alignments_(btf) {}

  /// "struct x *name[4]", anonymous types expanded.
  std::string declaration(TypeId id, std::string_view name, int indent = 0);
  /// "struct x {…}" without a semicolon; of an enum likewise.
  std::string body(const Type& type, int indent);
  /// "typedef int x" of a typedef; an int that is no C word likewise, as its size says.
  std::string alias(const Type& type);
  /// "struct x".
  std::string tag(const Type& type) const;
  Names& names() { return names_; }

 private:
  std::string spell(const Type& type, int indent);
  std::string composite_body(const Type& type, int indent);
  std::string enum_body(const Type& type, int indent);
  void member_line(const Type& composite, const Member& member, bool packed, std::uint64_t& at, int indent, std::string& text);

  const Btf& btf_;
  Names names_;
  Alignments alignments_;
  std::vector<TypeId> expanding_;     // anonymous types being printed, outermost first
  std::uint64_t printed_ = 0;         // bytes of declarations, which the outer ones count again
};

/// Is this the name of a type that every C compiler has: "long unsigned int"?
bool is_c_word(std::string_view name);

}  // namespace espy::btf
