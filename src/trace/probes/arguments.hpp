// What a program can read of its arguments, and how: one list for every kind of probe, so that the checker looks up `args.f`
// and lowering reads it in the same way whether it is a field of a record, a parameter, a register or a chain of pointers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "btf/btf.hpp"
#include "trace/probes/machine.hpp"
#include "trace/probes/target.hpp"

namespace espy::trace::probes {

// ---- how a value is got; "context" is what the program is called with ----

/// `size` bytes in the context itself, at `offset`. An array is there too. In programs of type tracing and raw_tracepoint the
/// context is slots of 8 bytes, which are loaded whole and cut to `size`.
struct InContext { std::uint32_t offset = 0; };
/// Data in the context, at a place that a u32 in it, at `offset`, tells: low half where, high half how many bytes. `from` is
/// added to where: 0, or the end of that u32 (`__rel_loc`).
struct Located { std::uint32_t offset = 0, from = 0; };
/// Behind pointers: the u64 at `offset` of the context is an address; for each of `steps` but the last, the u64 that many
/// bytes behind it is the next; the value (or array) lies the last step behind that.
/// Where ArgumentSet::typed_pointers holds, the verifier knows these pointers by their BTF types: pointers and numbers are
/// loaded directly. Arrays and text always, and everything elsewhere, are read with bpf_probe_read_kernel.
struct Behind { std::uint32_t offset = 0; std::vector<std::uint32_t> steps; };
/// As a USDT note says, of the registers that the context is.
struct ByNote { symbol::UsdtArgument argument; };
/// On the probed function's stack: `offset` bytes behind where its stack pointer points (the seventh argument on x86-64).
struct OnStack { std::uint32_t offset = 0; };
/// A number that is always the same.
struct Always { std::uint64_t value = 0; };

using Source = std::variant<InContext, Located, Behind, ByNote, OnStack, Always>;

struct Argument {
  std::string name;              ///< "prev_comm", "fd", "arg0"
  std::string spelling;          ///< its type as listings print it: "const char *", "char[16]"
  btf::TypeId type{};            ///< in Arguments' BTF. Of located data: an array, of 0 elements where the length varies
  std::uint32_t size = 0;        ///< bytes to read. An integer may be wider than its type says: system calls' are all 8
  bool is_signed = false;        ///< of an integer as wide as `size`
  Source source;
};

struct ArgumentSet {
  std::shared_ptr<const btf::Btf> btf;   ///< of all types; null: all are plain 8-byte integers
  std::vector<Argument> arguments;       ///< args.NAME, in order
  std::vector<Argument> numbered;        ///< argN
  std::optional<Argument> result;        ///< retval
  std::optional<btf::TypeId> context;    ///< ctx: the struct that it points to
  /// Are pointers among the arguments known to the verifier by type (tp_btf, fentry, iterators), so that they may be loaded
  /// from directly? Those of `context` always are.
  bool typed_pointers = false;
};

/// The arguments of a target as its own program type gets them.
Result<ArgumentSet> arguments_of(Machine& machine, const Target& target);

/// Does the verifier let a program of type tracing load a parameter of this type from its context? Numbers and pointers to
/// structs and to plain void, on all kernels; other pointers (to functions, pointers, integers, const void) not everywhere.
bool is_loadable(const btf::Btf& btf, btf::TypeId type);

// ---- pieces ----

/// One field of a tracepoint's record.
struct RecordField {
  std::string name;
  std::string spelling;
  std::uint32_t offset = 0, size = 0;
  bool is_signed = false;
  enum class Dynamic : std::uint8_t { no, from_start, from_field } dynamic = Dynamic::no;   ///< __data_loc, __rel_loc
};
/// Reads a format file as tracefs has it ("events/sched/sched_switch/format"); the common fields are left out.
Result<std::vector<RecordField>> parse_format(std::string_view text);

/// The fields with types: those that `base` knows, else integers and arrays of the field's size.
Result<ArgumentSet> typed(const std::vector<RecordField>& fields, std::shared_ptr<const btf::Btf> base);

/// Where argument N (from 0) and the result of a function stand in struct pt_regs, in bytes, on the machine this runs on;
/// nullopt: not in a register.
std::optional<std::uint32_t> argument_register(unsigned index);
std::uint32_t result_register();
/// Where argument N of a system call stands in struct pt_regs.
std::optional<std::uint32_t> syscall_register(unsigned index);
/// A register of reg("…") in struct pt_regs, by the names of the architecture: "ip", "sp", "di", "x0".
std::optional<std::uint32_t> named_register(std::string_view name);

}  // namespace espy::trace::probes
