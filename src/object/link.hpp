// link: ObjectSpec × Target → the same programs with every reference settled that can be before maps exist.
//
// After linking, each program carries its subprograms behind its own code (in the order in which libbpf appends them),
// CO-RE relocations are applied, kconfig and kernel symbols are resolved, and the only relocations left are those to maps
// and to BTF descriptors, whose numbers the load fills in. The instructions equal libbpf's, bit for bit.
#pragma once

#include <string>
#include <vector>

#include "object/spec.hpp"
#include "object/target.hpp"

namespace espy::object {

struct LinkOptions {
  /// Programs to link; empty: all with autoload.
  std::vector<std::string> programs = {};
};

/// A kernel object that the load must pass by descriptor: the BTF of the module a kfunc or a ksym lives in.
struct ModuleBtfUse {
  isa::InsnIdx insn = 0;     ///< a kfunc call (its `off` becomes an fd_array index) or a ld_imm64 (its second imm)
  std::string module;        ///< "nf_conntrack"
};

/// What one CO-RE relocation became, for `-v` and `show`.
struct CoreOutcome {
  std::string program;
  isa::InsnIdx insn = 0;
  std::string text;          ///< "byte_off struct task_struct.pid (0:3): 2384 → 2392"
  bool poisoned = false;
};

/// A program ready to load but for map descriptors.
struct LinkedProgram {
  ProgramSpec spec;                       ///< code joined; relocations: only MapRef and MapValueRef are left
  std::vector<ModuleBtfUse> module_btfs;
  /// BTF id that the program attaches to (fentry, LSM, tp_btf, iter, struct_ops) and the module it is in, if the target
  /// knows it.
  std::optional<btf::TypeId> attach_btf_id;
  std::string attach_btf_module;          ///< empty: vmlinux
};

/// The result of linking: an object whose programs refer to nothing but its own maps.
struct LinkedObject {
  ObjectSpec object;                      ///< maps (kconfig contents filled in), BTF, licence; its programs are unlinked
  std::vector<LinkedProgram> programs;
  std::vector<CoreOutcome> core;
};

Result<LinkedObject> link(ObjectSpec object, const Target& target, const LinkOptions& options = {});

/// The instructions as `dis --raw --linked` prints them: map descriptors zero.
std::vector<isa::Insn> linked_insns(const LinkedProgram& program);

}  // namespace espy::object
