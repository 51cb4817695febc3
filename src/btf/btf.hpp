// BTF: the type information that the kernel, its modules and eBPF objects carry (Documentation/bpf/btf.rst).
//
// A Btf is an immutable view of one blob. Nothing is decoded up front: opening checks the header and the bounds of the
// two sections; the index from type id to offset is built on first need in one pass over the bytes; names are found by
// searching the string section first. A Type is a cheap view (pointer + offset) that decodes as it is asked. Split BTF
// (a module's, or a program's on top of another) refers to its base: ids and string offsets continue the base's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace espy::btf {

/// Names one type of a Btf. 0 is `void`.
enum class TypeId : std::uint32_t {};
inline constexpr TypeId kVoid{0};

/// The kinds, with the kernel's numbers.
enum class Kind : std::uint8_t {
  void_ = 0, int_ = 1, ptr = 2, array = 3, struct_ = 4, union_ = 5, enum_ = 6, fwd = 7, typedef_ = 8, volatile_ = 9,
  const_ = 10, restrict_ = 11, func = 12, func_proto = 13, var = 14, datasec = 15, float_ = 16, decl_tag = 17,
  type_tag = 18, enum64 = 19,
};

/// The kind's name as the kernel documents it: "struct", "type_tag".
std::string_view to_string(Kind kind);

/// A name without its flavour, the suffix that tells variants of one type apart in CO-RE: "task_struct___old" is
/// "task_struct".
std::string_view essential_name(std::string_view name);

enum class Linkage : std::uint32_t { static_ = 0, global = 1, extern_ = 2 };

struct Member {
  std::string_view name;             ///< empty: anonymous
  TypeId type;
  std::uint32_t bit_offset = 0;      ///< from the start of the enclosing struct or union
  std::uint32_t bitfield_size = 0;   ///< in bits; 0: not a bit-field
};
struct Enumerator {
  std::string_view name;
  std::uint64_t value = 0;  ///< sign-extended to 64 bits where the enum is signed (Type::is_signed)
};
struct Param {
  std::string_view name;
  TypeId type;  ///< kVoid with an empty name, last: `...`
};
struct SectionVar {
  TypeId type;  ///< a var (or, in .ksyms, a func)
  std::uint32_t offset = 0, size = 0;
};
struct ArrayInfo {
  TypeId element, index;
  std::uint32_t count = 0;
};
struct IntInfo {
  std::uint8_t bits = 0, offset = 0;
  bool is_signed = false, is_char = false, is_bool = false;
};

class Btf;

/// A view of one type. Valid as long as its Btf lives. Accessors that do not fit the kind, and indices past vlen(),
/// return empty values: a Type read from hostile bytes is safe to ask anything.
class Type {
 public:
  TypeId id() const { return id_; }
  Kind kind() const;
  std::string_view name() const;       ///< empty: anonymous
  std::uint32_t vlen() const;          ///< number of members, enumerators, parameters or variables
  bool kind_flag() const;
  /// Bytes, for kinds that store a size (int, float, struct, union, enum, enum64, datasec); see Btf::size_of for others.
  std::uint32_t size() const;
  /// What a ptr, typedef, qualifier, func, var or tag refers to; a func_proto's return type.
  TypeId target() const;

  bool is_signed() const;              ///< of an int or an enum
  bool is_union_fwd() const;           ///< of a fwd
  IntInfo int_info() const;
  ArrayInfo array() const;
  Linkage linkage() const;             ///< of a var or func
  std::int32_t component_index() const;  ///< of a decl_tag: which member or parameter; -1 the type itself

  Member member(std::uint32_t index) const;  ///< index < vlen()
  Enumerator enumerator(std::uint32_t index) const;
  Param param(std::uint32_t index) const;
  SectionVar section_var(std::uint32_t index) const;

  std::vector<Member> members() const;
  std::vector<Enumerator> enumerators() const;
  std::vector<Param> params() const;
  std::vector<SectionVar> section_vars() const;

  /// The record itself in native order, header and all that follows it.
  Bytes record() const;
  /// The Btf that holds this record: for a base's type found through split BTF, the base.
  const Btf& btf() const { return *btf_; }

 private:
  friend class Btf;
  Type(const Btf* btf, TypeId id, const std::byte* at) : btf_(btf), at_(at), id_(id) {}
  std::uint32_t word(std::size_t index) const;
  const Btf* btf_;       // the Btf that holds the record; the Type must not outlive it
  const std::byte* at_;  // its record, whose bounds the index has checked
  TypeId id_;
};

class Btf {
 public:
  /// Takes the bytes of a .BTF section or file. Bytes of the other byte order are swapped once here, so that the rest
  /// reads native. `base` makes it split BTF. Checks all that later accessors rely on: a malformed blob fails here or in
  /// `validate`, with the offset.
  static Result<std::shared_ptr<const Btf>> parse(std::vector<std::byte> bytes, std::shared_ptr<const Btf> base = nullptr,
                                                  std::string origin = "BTF");
  /// A raw BTF file, or an ELF file with a .BTF section.
  static Result<std::shared_ptr<const Btf>> open(const std::string& path, std::shared_ptr<const Btf> base = nullptr);
  /// The running kernel's, /sys/kernel/btf/vmlinux; mapped where the kernel allows it, read otherwise.
  static Result<std::shared_ptr<const Btf>> kernel();
  /// A module's, /sys/kernel/btf/NAME, on top of vmlinux'.
  static Result<std::shared_ptr<const Btf>> module(std::string_view name, std::shared_ptr<const Btf> vmlinux);

  ~Btf();

  /// Number of types including void and those of the base: valid ids are below it.
  std::uint32_t type_count() const;
  /// The first id that is not the base's (1 without a base).
  std::uint32_t start_id() const;
  const std::shared_ptr<const Btf>& base() const;
  const std::string& origin() const;   ///< where the bytes came from, for messages
  unsigned pointer_size() const;       ///< 8 unless the blob shows otherwise (a `long` of 4 bytes)
  Endian stored_endian() const;        ///< the byte order that the bytes came in

  bool contains(TypeId id) const { return static_cast<std::uint32_t>(id) < type_count(); }
  /// The type with this id; `void` where there is none.
  Type type(TypeId id) const;
  /// The type with this id; where there is none, an error that says so.
  Result<Type> find(TypeId id) const;
  /// The first type of this kind with this name, own types before the base's.
  std::optional<Type> find(std::string_view name, Kind kind) const;
  /// All types with this name, of any kind: the base's first, each in order of id.
  std::vector<Type> find_all(std::string_view name) const;
  /// The own data types (neither the base's nor functions and variables) whose essential name is `name`: "task_struct"
  /// finds `task_struct___old` too.
  std::vector<Type> find_flavours(std::string_view name) const;

  /// The sections as they are, own part only, in native order.
  Bytes type_section() const;
  Bytes string_section() const;
  /// The first string offset past this Btf's: where a split BTF's on top of it begin.
  std::uint32_t string_end() const;

  /// The string at an offset (continuing the base's strings); empty if there is none.
  std::string_view string(std::uint32_t offset) const;

  /// Removes typedefs, qualifiers and type tags (bounded: a cycle ends at void).
  Type resolve(TypeId id) const;
  /// Size in bytes of a value of this type: follows typedefs, multiplies arrays, knows pointers.
  Result<std::uint32_t> size_of(TypeId id) const;
  /// Alignment in bytes of a value of this type as clang lays it out for BPF.
  Result<std::uint32_t> align_of(TypeId id) const;
  /// The type as C spells it in a declaration without a name: "struct task_struct *", "__u8[16]".
  std::string type_name(TypeId id) const;

  /// The whole blob in native order, as the kernel takes it (own part only, for split BTF).
  Bytes bytes() const;
  /// Checks every type: references in range, no loops through non-pointers, names valid. For bytes we did not make.
  Result<void> validate() const;

 private:
  friend class Type;
  struct Impl;
  static Result<std::shared_ptr<const Btf>> adopt(std::unique_ptr<Impl> impl);
  enum class Family : std::uint8_t;
  static Family family_of(Kind kind);
  /// The own types of a family whose name, or essential name, this is, in order of id.
  std::vector<TypeId> own_ids(std::string_view name, Family family, bool flavours) const;
  explicit Btf(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace espy::btf
