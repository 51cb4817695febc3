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
  /// Programs to link; empty: all with autoload (and of struct_ops programs those that a map refers to).
  std::vector<std::string> programs = {};
};

/// A kernel object that the load must pass by descriptor: the BTF of the module a kfunc or a ksym lives in.
struct ModuleBtfUse {
  isa::InsnIdx insn = 0;     ///< a kfunc call (its `off` becomes an fd_array index) or a ld_imm64 (its second imm)
  std::string module;        ///< "nf_conntrack"
};

/// A call of a kernel function, or a load of its address, by the name that its number stands for.
struct KfuncUse {
  isa::InsnIdx insn = 0;
  std::string name;          ///< without what follows "___"
};

/// What one CO-RE relocation became, for `-v` and `show`.
struct CoreOutcome {
  std::string program;
  isa::InsnIdx insn = 0;
  std::string text;          ///< "byte_off struct task_struct.pid (0:3): 2384 → 2392"
  bool poisoned = false;     ///< nothing matched: the instruction is one the verifier refuses if it can be reached
  std::string hint = {};     ///< poisoned: "did you mean `pids`?"; may be empty
};

/// A program ready to load but for map descriptors.
struct LinkedProgram {
  ProgramSpec spec;                       ///< code joined; relocations: only MapRef and MapValueRef are left
  std::vector<ModuleBtfUse> module_btfs;
  std::vector<KfuncUse> kfuncs;
  /// BTF id that the program attaches to (fentry, LSM, tp_btf, iter: a function or tracepoint type; struct_ops: the
  /// struct, and then `spec.attach_type` is the number of the member that the program implements) and the module it is
  /// in. Empty: the program attaches to no kernel type, its section names none, or the target has no BTF.
  std::optional<btf::TypeId> attach_btf_id;
  std::string attach_btf_module;          ///< empty: vmlinux
};

/// A struct_ops map's value as the target lays it out: what BPF_MAP_CREATE and the update of its only element need.
struct LinkedStructOps {
  struct ProgramSlot {
    std::uint32_t offset = 0;             ///< in `value`: eight bytes that the loaded program's descriptor goes into
    std::string program;
  };
  MapIdx map{};
  btf::TypeId value_type{};               ///< `struct bpf_struct_ops_NAME`: btf_vmlinux_value_type_id; its size is the value's
  std::string module;                     ///< whose BTF that is; empty: vmlinux
  std::vector<std::byte> value;           ///< the value's bytes; program slots are zero
  std::vector<ProgramSlot> programs;
};

/// The result of linking: an object whose programs refer to nothing but its own maps.
struct LinkedObject {
  ObjectSpec object;                      ///< maps (kconfig contents filled in), BTF, licence; its programs are unlinked
  std::vector<LinkedProgram> programs;
  std::vector<LinkedStructOps> struct_ops;  ///< one for each struct_ops map that is created
  std::vector<CoreOutcome> core;
};

Result<LinkedObject> link(ObjectSpec object, const Target& target, const LinkOptions& options = {});

/// The instructions as `dis --raw --linked` prints them: map descriptors zero.
std::vector<isa::Insn> linked_insns(const LinkedProgram& program);

}  // namespace espy::object
