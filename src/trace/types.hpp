// Types of the tracing language.
//
// A Type is a plain value. Structures, unions and enums are never copied into it: they stay in BTF (the kernel's, one made
// from C definitions, a tracepoint's format, or DWARF), and a Type names them by Btf and id.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "btf/btf.hpp"

namespace espy::trace {

enum class Kind : std::uint8_t {
  none,          ///< no value: what a statement-like call has
  integer,       ///< 1, 2, 4 or 8 bytes
  boolean,
  pointer,       ///< to `element`, in `space`
  string,        ///< `size` bytes, NUL-terminated
  buffer,        ///< `size` bytes behind a u32 length: size counts both
  array,         ///< `count` of `element`
  structure,     ///< a C struct or union, by BTF
  enumeration,   ///< an integer of `size` whose values have names, by BTF
  tuple,         ///< (a, b): `fields` without names
  record,        ///< (x=a, y=b): `fields` with names
  // Values that user space formats. Their bytes:
  inet,          ///< u32 family (AF_INET, AF_INET6), u8[16] address: 20 bytes
  mac,           ///< u8[6]
  ksym,          ///< u64 address
  usym,          ///< u64 address, u32 pid, u32 probe id: 16 bytes
  kstack,        ///< s64 id in the stack map: 8 bytes; negative: no stack
  ustack,        ///< s64 id in the stack map, u32 pid, u32 probe id, u64 address that a function just entered returns to, or 0: 24 bytes
  username,      ///< u64 uid
  timestamp,     ///< u64 ns, u32 clock, u32 index of a strftime format
  cgroup_path,   ///< u64 cgroup id, u32 index of a filter, u32 0: 16 bytes
  gfp_flags,     ///< u64
  strerror, signal_name, syscall_name,  ///< s64 number
  probe_name,    ///< u64 index into the plan's probe names
  // What the map functions keep (layout in plan.hpp). Only map values have these.
  count, sum, avg, min, max, stats, hist, lhist, tseries,
  // Only while checking.
  stack_mode,    ///< `perf`, `raw` …
  type_name,     ///< of typeof()
  map_reference, ///< a whole map, as an argument: print(@m)
  unknown,       ///< of an expression that an error was told of: nothing that is made of it is complained about
};

/// What memory an address points into, which decides how it is read.
enum class Space : std::uint8_t {
  none,       ///< a number: whoever reads it must say kernel or user
  kernel,     ///< bpf_probe_read_kernel
  user,       ///< bpf_probe_read_user
  btf,        ///< a pointer the verifier knows by its BTF type: loads may go straight
  context,    ///< the program's context
  bpf,        ///< memory of ours: stack, scratch, map value
};

/// A type in some BTF.
struct BtfRef {
  std::shared_ptr<const btf::Btf> btf;
  btf::TypeId id{};
};

/// Arguments of map functions that belong to the type: all uses of one map must agree.
struct AggregateShape {
  std::uint32_t bits = 0;                  ///< hist: sub-buckets are 2^bits
  std::int64_t min = 0, max = 0, step = 0; ///< lhist
  std::uint64_t interval_ns = 0;           ///< tseries
  std::uint32_t intervals = 0;
  Kind aggregate = Kind::none;             ///< tseries: avg, max, min, sum; none: the last value
  friend bool operator==(const AggregateShape&, const AggregateShape&) = default;
};

enum class StackMode : std::uint8_t { bpftrace, perf, raw, build_id };

struct Field;

struct Type {
  Kind kind = Kind::none;
  bool is_signed = false;                  ///< integers, enums; sum, min, max, avg, stats of signed values
  bool is_flexible = false;                ///< while checking, of an integer: made of literals only, none negative, so that it may become unsigned
  Space space = Space::none;               ///< of a pointer; of a structure or array: where its bytes lie
  StackMode mode = StackMode::bpftrace;    ///< kstack, ustack
  std::uint32_t size = 0;                  ///< bytes of a value
  std::uint32_t count = 0;                 ///< array: elements; stacks: frames at most
  std::shared_ptr<const Type> element = {};              ///< of a pointer or array
  std::shared_ptr<const std::vector<Field>> fields = {}; ///< tuple, record
  BtfRef btf = {};                         ///< structure, enumeration
  AggregateShape shape = {};

  bool is_aggregate() const { return kind >= Kind::count && kind <= Kind::tseries; }
  /// Fits a register: integer, boolean, pointer, enumeration, and those formatted values that are 8 bytes.
  bool is_scalar() const;
};

struct Field {
  std::string name;        ///< empty in a tuple
  Type type;
  std::uint32_t offset = 0;
};

Type integer_type(std::uint32_t bytes, bool is_signed);
inline Type int64_type() { return integer_type(8, true); }
inline Type uint64_type() { return integer_type(8, false); }
Type boolean_type();
Type string_type(std::uint32_t bytes);
Type buffer_type(std::uint32_t bytes);              ///< of this many bytes of data
Type pointer_to(Type element, Space space);
Type array_of(Type element, std::uint32_t count);
/// Fields laid out in order, each aligned to its size up to 8; the whole is padded to its largest alignment. Padding is
/// always zero in a value, so that keys compare as bytes.
Type tuple_of(std::vector<Type> members);
Type record_of(std::vector<Field> members);
/// A value of one of the kinds that have just one size (inet, ksym, …).
Type simple_type(Kind kind);
/// A type found in BTF, its typedefs and qualifiers removed; `space` is where a value of it lies.
Type type_of_btf(const std::shared_ptr<const btf::Btf>& btf, btf::TypeId id, Space space);

std::uint32_t alignment_of(const Type& type);
/// As the language spells it: "int64", "string[64]", "struct task_struct *", "(int64,string[16])".
std::string to_string(const Type& type);
/// Same values: kind, size, sign and what it is made of; spaces may differ.
bool same_type(const Type& a, const Type& b);

}  // namespace espy::trace
