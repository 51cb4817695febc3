// Shape: a BTF type made ready for rendering.
//
// Looking a type up in BTF means following typedefs, decoding members and searching tags; a stream of records would pay
// for it with every record. A Shape does it once: a small arena of nodes in which structs are laid out, anonymous members
// are spliced into their parent (their names live in its scope, as in C), and every field knows its meaning.
// The size of a Shape is bounded whatever the BTF claims; what lies beyond the bound is `opaque` and shown as bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "btf/btf.hpp"
#include "render/meaning.hpp"

namespace espy::render {

enum class ShapeKind : std::uint8_t { integer, boolean, character, real, pointer, enumeration, array, record, union_, opaque };

/// Index of a node in its Shape.
enum class NodeIdx : std::uint32_t {};

struct Field {
  std::string name;
  NodeIdx node{};
  Meaning meaning = Meaning::plain;
  std::uint64_t bit_offset = 0;   ///< from the start of the record
  std::uint32_t bits = 0;         ///< width of a bit-field; 0: the whole type
  bool last = false;              ///< of a record: a flexible array here reaches to the record's end
};

struct EnumName {
  std::uint64_t value = 0;        ///< sign-extended
  std::string name;
};

struct ShapeNode {
  ShapeKind kind = ShapeKind::opaque;
  std::uint32_t size = 0;         ///< bytes; 0 of a flexible array
  bool is_signed = false;
  bool is_flags = false;          ///< an enum of single bits, whose values may be or-ed
  std::uint8_t bit_start = 0, bit_width = 0;  ///< of an integer that is narrower than its bytes (old bit-fields); width 0: not
  NodeIdx element{};              ///< of an array
  Meaning element_meaning = Meaning::plain;
  std::uint32_t count = 0;        ///< of an array; 0: flexible
  std::vector<Field> fields = {}; ///< of a record (a struct, or the variables of a data section) or union
  std::vector<EnumName> names = {};
};

class Shape {
 public:
  /// `field_name` gives the whole value a meaning, as a field of that name would have.
  Shape(const btf::Btf& btf, btf::TypeId type, std::string_view field_name = {});
  /// Of a data section, by its variables: an object that was not linked says where they are in its symbols, not its BTF.
  struct Variable {
    std::string name;
    btf::TypeId type{};
    std::uint32_t offset = 0, size = 0;
  };
  Shape(const btf::Btf& btf, std::span<const Variable> variables);
  /// Of an unsigned integer of 1, 2, 4 or 8 bytes whose type nobody wrote down.
  static Shape number(std::uint32_t bytes);
  /// Of one that is known by its bytes only.
  Shape() { nodes_.emplace_back(); }

  const ShapeNode& root() const { return node(root_); }
  NodeIdx root_index() const { return root_; }
  Meaning meaning() const { return meaning_; }
  const ShapeNode& node(NodeIdx index) const { return nodes_[static_cast<std::size_t>(index)]; }
  /// Is the value an integer, enum or boolean: something one counts?
  bool is_scalar() const;
  /// A field of the root record by name; nullptr: it has none.
  const Field* field(std::string_view name) const;

 private:
  struct Compiler;
  std::vector<ShapeNode> nodes_;
  NodeIdx root_{};
  Meaning meaning_ = Meaning::plain;
};

}  // namespace espy::render
