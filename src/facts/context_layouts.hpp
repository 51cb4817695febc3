// What programs see of their context: for each program type, the fields that it may read and write, and what a read gives.
// The kernel's `is_valid_access` functions (net/core/filter.c, kernel/trace/bpf_trace.c, kernel/bpf/cgroup.c) decide there;
// these rows say the same as data. Contexts that BTF describes (fentry, tp_btf, LSM, iterators, struct_ops) have none.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "facts/types.hpp"

namespace espy::facts {

/// What a load of a field leaves in the register.
enum class ContextValue : std::uint8_t {
  scalar, packet, packet_meta, packet_end, flow_keys, socket, socket_or_null, sock_common_or_null, xdp_sock_or_null,
  buffer,           ///< of the sysctl or socket option, `data` to `data_end` style: see cgroup_sockopt
};

/// How a field may be accessed, as bits. Without `narrow`, an access has the field's whole size (of an array: its element's).
enum ContextAccess : std::uint8_t {
  ctx_read = 1,
  ctx_write = 2,
  ctx_narrow_read = 4,    ///< reads of fewer bytes, a power of two, aligned
  ctx_narrow_write = 8,
  ctx_wide_read = 16,     ///< reads of 8 bytes that cover two elements, where the first is aligned to 8
  ctx_wide_write = 32,
};

struct ContextField {
  std::string_view name{};
  std::uint16_t offset = 0, size = 4;      ///< of the whole field
  std::uint8_t access = ctx_read;          ///< ContextAccess
  ContextValue value = ContextValue::scalar;
  std::uint8_t element = 0;                ///< of an array: bytes of an element; 0: no array
  KernelVersion since{};                   ///< the first kernel with it; zero: as old as the program type
  std::uint64_t attach = 0;                ///< bit i: only under attach type i; 0: under any
};

struct ContextLayout {
  std::string_view name{};                 ///< "__sk_buff"
  std::uint32_t size = 0;                  ///< one past the last byte that any program may access
  std::span<const ContextField> fields{};
  /// No fields: every read inside [start, size) that is aligned to its own size is a number (registers, tracepoint fields).
  bool flat = false;
  std::uint32_t start = 0;
};

/// nullptr: the type's context is described by BTF, or the program may not touch it.
const ContextLayout* context_layout(ProgType type);

/// The field that has these bytes; nullptr: none has.
const ContextField* find_field(const ContextLayout& layout, std::int64_t offset, std::uint32_t size);

}  // namespace espy::facts
