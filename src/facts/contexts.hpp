// What the first argument of a program, its context, lets itself be asked: which bytes may be read or written, in which
// sizes, by programs of which type and attach type, and what a load gives: a number or a pointer of some kind.
//
// The kernel writes a function per program type for this (`is_valid_access` of its bpf_verifier_ops); here it is a table of
// the fields of each structure, a table of who sees which structure, and one function that reads them. The same tables tell
// of structures that programs reach by pointers which the verifier follows by hand: `struct bpf_sock`, `struct bpf_tcp_sock`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "facts/enum_set.hpp"
#include "facts/tables.hpp"

namespace espy::facts {

/// What a load of a field gives.
enum class ContextValue : std::uint8_t {
  scalar,
  packet, packet_meta, packet_end,    ///< `data`, `data_meta`, `data_end`: a 4-byte field stands for an 8-byte pointer
  socket, socket_or_null, sock_common_or_null,
  flow_keys,                          ///< `struct bpf_flow_keys`, readable and writable
  tracepoint_buffer,                  ///< memory that a writable tracepoint lends
  btf,                                ///< a trusted pointer to the kernel structure that the row names
};

/// How much of a field one access may take. Every access is aligned to its own size.
enum class AccessSize : std::uint8_t {
  none,           ///< no access
  whole,          ///< the field (of an array: one element), exactly
  narrow,         ///< the element, or an aligned part of 1, 2, 4 or 8 bytes of it
  at_start,       ///< as narrow, but only from the field's first byte
  narrow_or_wide, ///< as narrow, and 8 aligned bytes of an array of 4-byte elements
  whole_or_wide,  ///< an element, or 8 aligned bytes
  at_least_two,   ///< as narrow, but no single byte
  half_or_whole,  ///< a 2-byte field that may be read in parts, or with 4 bytes for old programs
  any,            ///< 1, 2, 4 or 8 bytes anywhere within the field
};

struct ContextFieldRow {
  std::string_view name{};
  std::uint16_t offset = 0;
  std::uint16_t size = 4;             ///< bytes of the whole field
  std::uint16_t element = 4;          ///< bytes of one element; of what is no array, its size
  AccessSize read = AccessSize::narrow;
  AccessSize write = AccessSize::none;
  std::uint32_t readers = ~0U;        ///< users (bits of ContextRow::user) that may read it
  std::uint32_t writers = ~0U;        ///< users that may write it, if `write` lets anybody
  ContextValue value = ContextValue::scalar;
  std::string_view type{};            ///< ContextValue::btf: the structure
  KernelVersion since{};
  std::uint32_t privileged = 0;       ///< users that need CAP_BPF for any access of it
};

/// A structure: its fields, sorted by offset; bytes of no field may not be touched.
struct ContextLayout {
  std::string_view name{};            ///< "__sk_buff"
  std::uint16_t size = 0;
  std::span<const ContextFieldRow> fields{};
};

using AttachTypes = EnumSet<AttachType>;

enum class ContextKind : std::uint8_t {
  fields,     ///< a structure of the table
  bytes,      ///< plain bytes: registers, a tracepoint's record, raw arguments, a syscall program's input
  arguments,  ///< the typed arguments of a kernel function or tracepoint, 8 bytes each: BTF says what they are
};

/// Which programs see which context.
struct ContextRow {
  ProgType type{};
  AttachTypes attach{};               ///< empty: all
  ContextKind kind{};
  const ContextLayout* layout = nullptr;  ///< of `fields`
  std::uint32_t user = 1;             ///< this kind of program's bit in the layout's `readers` and `writers`
  std::uint32_t first = 0, end = 0;   ///< of `bytes` and `arguments`: the offsets that may be accessed
  KernelVersion writable{.major = 0xffff};  ///< of `bytes`: since when they may be written
  std::string_view name{};            ///< of `bytes` and `arguments`, for messages: "struct pt_regs"
};

/// The row of programs of this type and expected attach type; nullptr: there is none (`ext` follows what it extends).
const ContextRow* find_context(ProgType type, std::optional<AttachType> attach);
std::span<const ContextRow> contexts();

/// Structures that the verifier knows besides contexts.
const ContextLayout& sock_layout();        ///< behind a full socket pointer; a program's own socket context is the same
const ContextLayout& sock_common_layout(); ///< behind a pointer of which only the common part is known
const ContextLayout& tcp_sock_layout();
const ContextLayout& xdp_sock_layout();
inline constexpr std::uint32_t kFlowKeysSize = 56;  ///< sizeof(struct bpf_flow_keys)

/// Sees a pointer to the structure, not a context: no user's restrictions, nothing can be written.
inline constexpr std::uint32_t kPointerUser = 1U << 31;

struct AccessQuery {
  std::int64_t offset = 0;
  std::uint32_t size = 0;             ///< bytes: 1, 2, 4 or 8
  bool write = false;
  bool sign_extends = false;          ///< a load that extends the sign
  KernelVersion version{};
  bool privileged = true;             ///< has CAP_BPF
};

/// The field that the access takes a permitted part of; nullptr: the kernel refuses ("invalid bpf_context access").
const ContextFieldRow* allowed_access(const ContextLayout& layout, std::uint32_t user, const AccessQuery& query);
/// The field that holds the byte, permitted or not, for messages; may be null.
const ContextFieldRow* field_at(const ContextLayout& layout, std::int64_t offset);

}  // namespace espy::facts
