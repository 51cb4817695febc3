// Target: one place where a script's probe runs, found on this machine: what it is called, what attaches there, which kind of
// eBPF program that is, and what it can read of its arguments.
//
//   parse_attach_point("tracepoint:sched:sched_*")  →  AttachPoint  →  expand  →  a Target for each event that matches
//
// Looking up is cheap on purpose: a target says only where its arguments are described; their types are read (format file,
// BTF, debug information) when a probe's body asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "btf/btf.hpp"
#include "facts/types.hpp"
#include "probe/probe.hpp"
#include "symbol/usdt.hpp"
#include "trace/probes/attach_point.hpp"
#include "trace/probes/machine.hpp"

namespace espy::trace {

// ---- where arguments are described ----

struct NoArguments {};
/// The fields of a perf tracepoint's record: record_of.
struct RecordArguments { std::string category, event; };
/// Parameters that BTF describes, in the program's context one after the other, 8 bytes each: parameters_of.
struct ParameterArguments {
  enum class Of : std::uint8_t { raw_tracepoint, function, program } of{};
  std::string module;             ///< "vmlinux", or a module's name
  std::string name;               ///< the event's or function's
  std::uint32_t program_id = 0;   ///< of an eBPF program
};
/// Registers by the calling convention. `path` is the program's or library's file; empty: the kernel.
struct RegisterArguments { std::string path, function; bool at_return = false; };
/// As a USDT note says; `error` tells why it could not be read.
struct UsdtArguments { std::vector<symbol::UsdtArgument> arguments; std::string error; };
/// An iterator's context: struct bpf_iter__NAME.
struct ContextArguments { std::string module, struct_name; };

using Arguments = std::variant<NoArguments, RecordArguments, ParameterArguments, RegisterArguments, UsdtArguments, ContextArguments>;

struct Target {
  Provider provider{};
  std::string name;                               ///< what `probe` gives: "tracepoint:sched:sched_switch"
  std::string function = {};                      ///< what `func` gives; empty: nothing
  probe::Probe probe = probe::Nothing{};          ///< what attaches there; Nothing: run by test_run
  facts::ProgType prog_type{};
  std::optional<facts::AttachType> attach_type = {};   ///< for BPF_PROG_LOAD
  std::string attach_target = {};                 ///< ProgramSpec::attach_target, of types that settle it at load
  Arguments arguments = {};
};

// ---- from attach point to targets ----

/// What to do about a probe that is not there on this machine.
enum class MissingProbes : std::uint8_t { error, warn, ignore };

struct ExpandOptions {
  std::optional<int> pid = {};              ///< -p, or the child of -c
  std::size_t max_probes = 1024;
  MissingProbes missing = MissingProbes::error;
};

struct Expansion {
  std::vector<Target> targets;              ///< none: it is missing, which `missing` allowed
  std::vector<Error> warnings;
};

/// All that an attach point means here. What is not there is an error that names what is near; what this kernel cannot serve
/// one that says why and what serves instead.
Result<Expansion> expand(Machine& machine, const AttachPoint& point, const ExpandOptions& options);

// ---- types of arguments ----

/// One field of a tracepoint's record.
struct RecordField {
  std::string name;
  std::string spelling;               ///< its type as the kernel spells it: "const char *", "char[16]"
  btf::TypeId type{};                 ///< in the record's BTF. Integers are as wide as the field; of a dynamic field, what it points to
  std::uint32_t offset = 0, size = 0; ///< bytes in the record
  bool is_signed = false;
  /// `__data_loc` and `__rel_loc`: the field is a u32 that says where in the record the data is: offset (low half, from
  /// the record's start, or from the field's end) and length (high half).
  enum class Dynamic : std::uint8_t { no, from_start, from_field } dynamic = Dynamic::no;
};
struct Record {
  std::shared_ptr<const btf::Btf> btf;   ///< split BTF on top of vmlinux', where that is there
  btf::TypeId type{};                    ///< a struct with the fields that are not dynamic's data: "_tracepoint_sched_sched_switch"
  std::vector<RecordField> fields;       ///< without the common ones
  std::uint32_t size = 0;
};
/// Reads a format file as tracefs has it ("events/sched/sched_switch/format"). Types that `base` does not know become
/// integers of the field's size.
Result<Record> parse_format(std::string_view text, std::string_view category, std::string_view event, std::shared_ptr<const btf::Btf> base);
Result<Record> record_of(Machine& machine, const RecordArguments& arguments);

struct Parameter {
  std::string name;                   ///< "arg0" where BTF has no name
  btf::TypeId type{};
};
struct Parameters {
  std::shared_ptr<const btf::Btf> btf;
  std::vector<Parameter> parameters;  ///< the i-th is 8 bytes of context at 8 * i
  btf::TypeId result{};               ///< what the function returns, for fexit; kVoid: nothing
};
Result<Parameters> parameters_of(Machine& machine, const ParameterArguments& arguments);

struct Context {
  std::shared_ptr<const btf::Btf> btf;
  btf::TypeId type{};                 ///< the struct
};
Result<Context> context_of(Machine& machine, const ContextArguments& arguments);

/// Where argument N (from 0) and the result of a function stand in struct pt_regs, in bytes, on the machine this runs on;
/// nullopt: not in a register (the seventh on x86-64 is on the stack).
std::optional<std::uint32_t> argument_register(unsigned index);
std::uint32_t result_register();
/// A register of reg("…") in struct pt_regs, by the names that the architecture and its debuggers use: "ip", "sp", "di", "x0".
std::optional<std::uint32_t> named_register(std::string_view name);

}  // namespace espy::trace
