// What the checker's functions hand each other: maps as the walk sees them, failures, what a call remembers of its arguments.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "facts/kfuncs.hpp"
#include "facts/prototypes.hpp"
#include "verifier/rules.hpp"
#include "verifier/types.hpp"

namespace espy::verifier {

inline constexpr int kNoRegister = -1;

enum class Access : std::uint8_t { read, write };

/// A map as the walk sees it: one of the object's, or the inner map of one.
struct MapView {
  const object::MapSpec* spec = nullptr;
  std::uint32_t object_index = 0;      ///< of the map, or of the outer one
  bool inner = false;
  std::uint32_t inner_view = 0;        ///< of a map of maps: the view of what it holds; 0: unknown
  const Record* record = nullptr;      ///< special fields of its values; never null
};

inline constexpr std::uint32_t kReadOnlyProg = 1U << 7, kWriteOnlyProg = 1U << 8;   ///< BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG
/// The map's flags; some types add their own.
inline std::uint32_t map_flags(const MapView& map) {
  const bool devices = map.spec->type == facts::MapType::devmap || map.spec->type == facts::MapType::devmap_hash;
  return map.spec->flags | (devices ? kReadOnlyProg : 0U);
}

/// Why the walk ended.
struct Failure {
  Rule rule{};
  std::uint32_t insn = 0;
  int reg = kNoRegister;               ///< the register at fault, if it is one
  std::int64_t offset = 0;             ///< memory: where the access begins, least and most
  std::int64_t least = 0, most = 0, size = 0;
  std::string says = {};               ///< the kernel's last line
  std::string message = {};            ///< ours; empty: by rule
  std::string hint = {};               ///< the same
};

/// What a call needs to remember from its arguments.
struct CallMeta {
  std::string_view name = {};          // of BTF or a table: outlives the call
  std::int32_t helper = 0;
  const facts::Prototype* prototype = nullptr;
  std::optional<std::uint32_t> map = {};
  std::uint32_t map_uid = 0;
  std::uint32_t ref_id = 0;            ///< of the argument that is or may be released
  int release_reg = 0, raw_reg = 0;
  std::uint32_t access_size = 0;       ///< of the raw memory argument
  std::uint64_t msize_max = 0;
  std::uint64_t mem_size = 0;          ///< returned memory
  std::uint32_t subprog = 0;           ///< callback
  std::optional<std::uint64_t> constant_key = {};
  DynptrType dynptr = DynptrType::none;
  std::uint32_t dynptr_id = 0;
  std::uint32_t type_id = 0;
  BtfRef btf = BtfRef::vmlinux;
  const SpecialField* kptr = nullptr;
  // kfuncs
  const facts::KfuncRow* kfunc = nullptr;
  std::uint32_t flags = 0;
  std::string_view iterator = {};      ///< "num"
  std::optional<btf::Type> proto = {};
  int iter_slot = -1, iter_frame = 0;
  std::uint32_t arg_type_id = 0;
  BtfRef arg_btf = BtfRef::program;
  std::optional<std::uint64_t> arg_constant = {};
  int mem_reg = 0;                     ///< slices: the buffer
  bool read_only_memory = false;
  const SpecialField* graph_root = nullptr;
};

/// A pointer that a kernel function takes.
struct KfuncArgument {
  unsigned number = 0;                 ///< of its register
  std::uint32_t index = 0;
  std::string_view name = {};          ///< the parameter's; its end says what it is for
  btf::TypeId pointee{};
  btf::Type target;                    ///< pointee, resolved
  std::string_view type_name = {};
  bool nullable = false, trusted = false, rcu = false;
  std::string_view next = {};          ///< the next parameter's name; empty: it is the last
};

/// An argument of a global function, by its BTF.
struct GlobalArgument {
  enum class Kind : std::uint8_t { scalar, context, memory, object, dynptr, arena } kind{};
  std::uint32_t size = 0;              ///< memory
  btf::TypeId type{};                  ///< object: in the kernel's BTF
  bool nullable = false, untrusted = false;
};
struct GlobalFunction {
  bool described = false;
  std::vector<GlobalArgument> arguments = {};
};

/// Registers and spills that share a scalar id.
struct LinkedReg {
  std::uint8_t frame = 0, number = 0;
  bool is_reg = true;
};
struct LinkedRegs {
  std::array<LinkedReg, 6> entries = {};
  unsigned count = 0;
  std::uint64_t pack() const;
  static LinkedRegs unpack(std::uint64_t packed);
};

}  // namespace espy::verifier
