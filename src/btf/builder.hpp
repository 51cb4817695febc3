// Writes BTF: types are appended, strings shared, and the result parsed again, so that what is built is what is read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "btf/btf.hpp"

namespace espy::btf {

class Builder {
 public:
  /// With a base: split BTF, whose ids continue the base's.
  explicit Builder(std::shared_ptr<const Btf> base = nullptr);
  /// Starts from a copy of existing types, whose ids stay the same.
  static Builder copy_of(const Btf& btf);
  /// Starts without types, but with all strings of another at their offsets.
  static Builder strings_of(const Btf& btf);

  std::uint32_t add_string(std::string_view text);  ///< its offset; the same text has one offset

  TypeId add_int(std::string_view name, std::uint32_t bytes, IntInfo info);
  TypeId add_float(std::string_view name, std::uint32_t bytes);
  /// ptr, typedef, volatile, const, restrict, type_tag: anything that is a name and a target. `attribute`, of a tag: its
  /// name is a whole attribute rather than the text of one (the kind_flag of kernels since 6.14).
  TypeId add_ref(Kind kind, std::string_view name, TypeId target, bool attribute = false);
  TypeId add_array(TypeId element, TypeId index, std::uint32_t count);
  /// The kind_flag form, which holds bit-field sizes, is used where a member is a bit-field; bit offsets must then be below
  /// 2^24. At most 65535 members, as everywhere here.
  TypeId add_struct(Kind struct_or_union, std::string_view name, std::uint32_t bytes, const std::vector<Member>& members);
  /// An enum64 if `bytes` is 8, an enum otherwise.
  TypeId add_enum(std::string_view name, std::uint32_t bytes, bool is_signed, const std::vector<Enumerator>& values);
  TypeId add_fwd(std::string_view name, bool is_union);
  TypeId add_func(std::string_view name, TypeId proto, Linkage linkage);
  TypeId add_func_proto(TypeId returns, const std::vector<Param>& params);
  TypeId add_var(std::string_view name, TypeId type, Linkage linkage);
  TypeId add_datasec(std::string_view name, std::uint32_t bytes, const std::vector<SectionVar>& vars);
  TypeId add_decl_tag(std::string_view name, TypeId target, std::int32_t component_index, bool attribute = false);

  /// Appends all own types of another Btf, ids and strings moved; returns what to add to each of its ids. Where `other` is
  /// split, its base must be this one's.
  std::uint32_t merge(const Btf& other);

  /// Appends a copy of one type's record: names by text, ids from `from` on moved by `delta`.
  TypeId copy(const Type& type, std::uint32_t from, std::uint32_t delta);

  std::uint32_t next_id() const;
  std::vector<std::byte> bytes(Endian endian = Endian::native) const;
  Result<std::shared_ptr<const Btf>> build(std::string origin = "built BTF") const;

 private:
  TypeId add(std::string_view name, Kind kind, bool kind_flag, std::size_t vlen, std::uint32_t size_or_type);

  std::shared_ptr<const Btf> base_;
  std::uint32_t next_id_ = 1;
  std::uint32_t start_string_ = 0;
  Writer types_;
  std::string strings_;
  std::size_t indexed_ = 0;  // how much of strings_ is in string_offsets_
  std::unordered_map<std::string, std::uint32_t> string_offsets_;
};

}  // namespace espy::btf
