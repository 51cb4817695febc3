// ObjectSpec: a whole eBPF object as plain values. The ELF reader makes it, the tracing language makes it, a test builds
// one by hand; from there on nobody knows where it came from. Read it, edit it, print it; then `link` it and load it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "btf/btf.hpp"
#include "btf/ext.hpp"
#include "facts/types.hpp"
#include "isa/insn.hpp"

namespace espy::object {

/// Indices into the vectors of an ObjectSpec.
enum class MapIdx : std::uint32_t {};
enum class FunctionIdx : std::uint32_t {};
enum class ExternIdx : std::uint32_t {};

// ---- relocations: what an instruction refers to, before its number is known ----

struct MapRef { MapIdx map; friend bool operator==(const MapRef&, const MapRef&) = default; };  ///< ld_imm64 of a map
/// ld_imm64 of an address inside a map's (only) value: a global variable.
struct MapValueRef { MapIdx map; std::uint32_t offset = 0; friend bool operator==(const MapValueRef&, const MapValueRef&) = default; };
/// A call of a subprogram.
struct CallRef { FunctionIdx function; friend bool operator==(const CallRef&, const CallRef&) = default; };
/// ld_imm64 of a subprogram's address, for callbacks.
struct FunctionRef { FunctionIdx function; friend bool operator==(const FunctionRef&, const FunctionRef&) = default; };
/// A use of something the kernel provides: a kconfig value, a kernel symbol, a kfunc.
struct ExternRef { ExternIdx external; friend bool operator==(const ExternRef&, const ExternRef&) = default; };

using Reference = std::variant<MapRef, MapValueRef, CallRef, FunctionRef, ExternRef>;

struct Relocation {
  isa::InsnIdx insn = 0;  ///< in its function
  Reference to = {};
  friend bool operator==(const Relocation&, const Relocation&) = default;
};

// ---- code ----

/// One function as it was compiled. Instruction numbers count from its first instruction.
struct FunctionSpec {
  std::string name = {};
  std::string section = {};                  ///< ELF section; ".text" for subprograms
  std::vector<isa::Insn> insns = {};
  std::vector<Relocation> relocations = {};              ///< sorted by instruction
  std::vector<btf::CoreRelocation> core_relocations = {};  ///< sorted by instruction
  std::vector<btf::FuncInfo> func_info = {};             ///< one before linking; one for each joined function after
  std::vector<btf::LineInfo> line_info = {};
  bool is_global = true;                ///< STB_GLOBAL or STB_WEAK with default visibility: verified on its own
  std::uint32_t section_offset = 0;     ///< in instructions, for messages
};

/// Flags of BPF_PROG_LOAD that the section name asks for.
struct ProgramFlags {
  bool sleepable = false;   ///< "fentry.s/": BPF_F_SLEEPABLE
  bool xdp_frags = false;   ///< "xdp.frags": BPF_F_XDP_HAS_FRAGS
  friend bool operator==(const ProgramFlags&, const ProgramFlags&) = default;
};

/// A program: an entry function and where it is to run.
struct ProgramSpec {
  std::string name = {};                     ///< the entry function's
  FunctionSpec code = {};                    ///< after linking, subprograms have been appended to it
  facts::ProgType type = facts::ProgType::unspec;
  std::optional<facts::AttachType> attach_type = {};  ///< BPF_PROG_LOAD's expected_attach_type, if it has one
  /// What the section says after its kind: "vfs_read" of "kprobe/vfs_read", "syscalls/sys_enter_open" of "tp/…",
  /// "/bin/bash:readline" of "uprobe//bin/bash:readline". Parsed by src/probe.
  std::string attach_target = {};
  std::string section_kind = {};             ///< the matched row of the section table: "kprobe", "tp_btf", "fentry.s"
  ProgramFlags flags = {};
  bool autoload = true;                 ///< false for "?section"
  bool autoattach = true;               ///< the section's kind says where to attach without being told
  std::uint32_t log_level = 0;
};

// ---- maps ----

/// Where a map's definition stands in the object.
enum class MapOrigin { btf, legacy, data, rodata, bss, kconfig, struct_ops };

enum class Pinning { none, by_name };

/// A reference that is put into a map's slot when it is created: an inner map, or a program for a prog array.
struct SlotValue {
  std::uint32_t slot = 0;
  std::variant<MapIdx, std::string /* program name */> value = {};
};

/// A function pointer of a struct_ops value, filled with a loaded program.
struct StructOpsMember {
  std::uint32_t offset = 0;     ///< in the object's own struct
  std::string member = {};           ///< its name there
  std::string program = {};
};

struct MapSpec {
  std::string name = {};                     ///< as the object spells it: "events", ".rodata.str"
  MapOrigin origin = MapOrigin::btf;
  std::string section = {};
  facts::MapType type = facts::MapType::unspec;
  std::uint32_t key_size = 0, value_size = 0, max_entries = 0;
  std::uint32_t flags = 0;              ///< BPF_F_*
  std::uint64_t map_extra = 0;          ///< bloom filter: hash functions; arena: user address
  std::uint32_t numa_node = 0;          ///< used with BPF_F_NUMA_NODE
  Pinning pinning = Pinning::none;
  btf::TypeId key_type{}, value_type{}; ///< in the object's BTF; kVoid: not known. A data section's: its datasec
  std::shared_ptr<const MapSpec> inner = {}; ///< template of the inner maps, for maps of maps
  std::vector<SlotValue> slots = {};         ///< initial references
  std::vector<std::byte> contents = {};      ///< initial value of a data section or struct_ops map; else empty
  std::vector<StructOpsMember> struct_ops_members = {};
  bool autocreate = true;
  bool autoattach = true;               ///< struct_ops: "?.struct_ops" has none

  bool is_data() const { return origin == MapOrigin::data || origin == MapOrigin::rodata || origin == MapOrigin::bss || origin == MapOrigin::kconfig; }
};

// ---- externs ----

enum class KconfigType { boolean, tristate, character, integer, characters };

struct KconfigExtern {
  KconfigType type{};
  std::uint32_t size = 0;               ///< bytes of the variable
  bool is_signed = false;
  std::uint32_t offset = 0;             ///< in the .kconfig map's value
};
/// `extern const T x __ksym`: T with BTF, or `void` for its mere address.
struct KsymExtern { btf::TypeId type{}; bool typeless = false; };
struct KfuncExtern { btf::TypeId proto{}; };
/// A name that is used and nothing says what it is: for a loader of the object's own to fill in. Programs that use it cannot
/// be linked unless it is weak.
struct UndeclaredExtern {};
/// What to do about one, as a hint.
inline constexpr std::string_view kDeclareIt =
    "if the kernel provides it, declare it `extern … __ksym` or `__kconfig`; if another object does, link them with `bpftool gen object`";

struct ExternSpec {
  std::string name = {};
  std::string essence = {};                  ///< name without a flavour suffix `___x`
  bool weak = false;                    ///< may be missing: zero, or a call that is not taken
  btf::TypeId btf_id{};                 ///< the var or func in the object's BTF
  std::variant<KconfigExtern, KsymExtern, KfuncExtern, UndeclaredExtern> kind = {};
};

/// "kconfig", "ksym", "kfunc" or "undeclared": what machine output and assembly call the kind.
std::string_view kind_name(const ExternSpec& external);

// ---- the object ----

struct Warning {
  std::string where = {};     ///< "probe.o: section maps"
  std::string message = {};   ///< what is old or odd
  std::string hint = {};      ///< what to write instead
};

/// A section of the file that the object came from, for `show`.
struct SectionInfo {
  std::string name = {};
  std::string_view what;        ///< "code", "data", "zeroes", "relocations", "other"
  std::uint64_t bytes = 0;
  std::uint32_t relocations = 0;  ///< that patch it
};

struct ObjectSpec {
  std::string name = {};                     ///< file name without folder and suffix, for pin paths and kernel names
  std::string path = {};                     ///< "" if it did not come from a file
  std::string license = {};
  std::optional<std::uint32_t> version = {}; ///< the old `version` section; checked by kernels before 5.0
  std::vector<ProgramSpec> programs = {};
  std::vector<FunctionSpec> functions = {};  ///< subprograms: .text
  std::vector<MapSpec> maps = {};
  std::vector<ExternSpec> externs = {};
  std::shared_ptr<const btf::Btf> btf = {};  ///< may be null
  std::vector<Warning> warnings = {};
  std::vector<SectionInfo> sections = {};    ///< empty if it did not come from a file
  Endian endian = Endian::little;            ///< of the file; what is in here is native

  MapSpec& map(MapIdx index) { return maps[static_cast<std::size_t>(index)]; }
  const MapSpec& map(MapIdx index) const { return maps[static_cast<std::size_t>(index)]; }
  const FunctionSpec& function(FunctionIdx index) const { return functions[static_cast<std::size_t>(index)]; }
  const ExternSpec& external(ExternIdx index) const { return externs[static_cast<std::size_t>(index)]; }

  ProgramSpec* find_program(std::string_view program);
  const ProgramSpec* find_program(std::string_view program) const;
  MapSpec* find_map(std::string_view map_name);
  const MapSpec* find_map(std::string_view map_name) const;
  std::optional<MapIdx> map_index(std::string_view map_name) const;
};

/// A global variable: where its bytes stand in a data section's contents.
struct Variable {
  std::string name = {};
  MapIdx map;
  btf::TypeId type{};
  std::uint32_t offset = 0, size = 0;
};

/// All global variables, by the datasecs of the object's BTF.
std::vector<Variable> variables(const ObjectSpec& object);

/// Sets a global before loading ("--set VAR=VALUE"): integers, booleans, characters, enums by name, char arrays from
/// text, `var.field` and `var[3]`. The error says the variable's type and range.
Result<void> set_variable(ObjectSpec& object, std::string_view name, std::string_view value);

}  // namespace espy::object
