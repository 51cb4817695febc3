// Types: what the walk asks of BTF (the kernel's, the object's, modules'), with names found once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "btf/btf.hpp"
#include "object/link.hpp"
#include "verifier/reg.hpp"

namespace espy::verifier {

/// A kind of special field in a map's value or in an object of the program's own type, which programs use through helpers only.
enum class FieldKind : std::uint8_t {
  spin_lock, res_spin_lock, timer, workqueue, task_work, kptr_untrusted, kptr, kptr_percpu, uptr, list_head, list_node, rb_root,
  rb_node, refcount,
};

/// "bpf_spin_lock"
std::string_view name_of(FieldKind kind);

struct SpecialField {
  FieldKind kind{};
  std::uint32_t offset = 0, size = 0;
  /// kptrs: what is pointed to; list_head, rb_root: the type of the nodes.
  BtfRef btf = BtfRef::vmlinux;
  btf::TypeId type{};
  std::uint32_t node_offset = 0;      ///< list_head, rb_root: where in `type` the node is
};

/// The special fields of a type, by offset.
struct Record {
  std::vector<SpecialField> fields = {};
  std::uint32_t visited = 0;                                    ///< structures looked at, while it is made
  const SpecialField* find(FieldKind kind) const;
  const SpecialField* at(std::uint32_t offset) const;           ///< the field that begins here
  const SpecialField* overlapping(std::uint32_t offset, std::uint32_t size) const;
  bool has_lock() const { return find(FieldKind::spin_lock) != nullptr || find(FieldKind::res_spin_lock) != nullptr; }
  bool has_graph_root() const { return find(FieldKind::list_head) != nullptr || find(FieldKind::rb_root) != nullptr; }
};

/// What a load of a field of a kernel structure gives.
struct FieldAccess {
  enum class Kind : std::uint8_t { invalid, scalar, pointer, structure } kind = Kind::invalid;
  BtfRef btf = BtfRef::vmlinux;
  btf::TypeId type{};                 ///< pointer: the type pointed to
  std::uint32_t flags = 0;            ///< pointer: RegFlag from type tags (kRcu, kUser, kPerCpu)
  std::string_view field = {}, owner = {};  ///< the field's name, and its structure's
  std::string why = {};               ///< invalid: as the kernel says it
};

class Types {
 public:
  Types(const object::LinkedObject& object, const object::LinkedProgram& program, const object::Target& target);

  const btf::Btf* btf(BtfRef ref) const;
  const btf::Btf* kernel() const { return target_.vmlinux.get(); }
  const btf::Btf* own() const { return object_.object.btf.get(); }
  /// A structure of the kernel by name; nullopt: it has none, or there is no BTF.
  std::optional<btf::TypeId> kernel_struct(std::string_view name) const;
  std::string name(BtfRef ref, btf::TypeId type) const;
  std::uint32_t size(BtfRef ref, btf::TypeId type) const;   ///< 0: unknown

  /// The field of a structure that [offset, offset + size) reads.
  FieldAccess access(BtfRef ref, btf::TypeId type, std::int64_t offset, std::uint32_t size) const;
  /// Is `wanted` at this offset of `type`, or `type` itself?
  bool matches(BtfRef ref, btf::TypeId type, std::int64_t offset, BtfRef wanted_ref, btf::TypeId wanted, bool strict) const;

  /// Special fields of a type of the object: of a map's value, of an allocated object.
  const Record& record(btf::TypeId type) const;

  /// The BTF of a module that a kfunc call or variable at this instruction uses; vmlinux if none is named.
  BtfRef module_of(std::uint32_t insn) const;
  BtfRef module_named(std::string_view name) const;

 private:
  void collect_fields(btf::TypeId type, std::uint32_t offset, Record& record, int depth) const;
  void add_field(const btf::Member& member, std::string_view name, std::uint32_t offset, Record& record) const;
  bool add_kptr(const btf::Member& member, std::uint32_t offset, Record& record) const;
  void fill_graph(btf::TypeId parent, std::int32_t member, SpecialField& field) const;
  void collect_nodes(btf::TypeId variable, std::uint32_t offset, Record& record) const;

  const object::LinkedObject& object_;
  const object::LinkedProgram& program_;
  const object::Target& target_;
  mutable std::unordered_map<std::string, std::optional<btf::TypeId>> structs_;
  mutable std::unordered_map<std::uint32_t, Record> records_;
  mutable std::vector<object::ModuleBtf> modules_;
  mutable bool modules_read_ = false;
};

}  // namespace espy::verifier
