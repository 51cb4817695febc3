// What helpers take and give, as the kernel's verifier sees it: `struct bpf_func_proto` of each, one row a helper.
//
// Where kernels differ, the row says what newest ones want; a difference that changes verdicts stands with the rule that it
// changes, in the verifier's profiles.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "facts/tables.hpp"

namespace espy::facts {

enum class Arg : std::uint8_t {
  none,               ///< not taken
  anything,           ///< any initialised value
  const_map,          ///< a map, known when the program is loaded
  map_key,            ///< readable memory of the map's key size
  map_value,          ///< readable memory of the map's value size
  uninit_map_value,   ///< writable memory of the map's value size; written
  mem,                ///< readable memory whose size is the next argument
  write_mem,          ///< memory whose size is the next argument, initialised and written
  uninit_mem,         ///< memory whose size is the next argument; need not be initialised, is written
  fixed_mem,          ///< readable memory of `size` bytes
  fixed_write,        ///< writable memory of `size` bytes, aligned; written
  const_size,         ///< size of the memory before it, not 0
  const_size_or_zero,
  alloc_size,         ///< a constant: size of the memory that is returned
  ringbuf_mem,        ///< a record that ringbuf_reserve gave; released
  ctx,                ///< the program's context, unmodified
  spin_lock,          ///< the bpf_spin_lock in a map's value or an allocated object
  timer,              ///< the bpf_timer in a map's value
  kptr,               ///< a kptr field of a map's value
  dynptr,             ///< an initialised dynptr; `dynptr` says of what
  dynptr_uninit,      ///< 16 bytes of stack that become a dynptr
  callback,           ///< a function of the program
  stack_or_null,      ///< stack memory, for callbacks
  const_str,          ///< a NUL-terminated string in a read-only map
  sock_common, sock_or_null, btf_sock_common, socket,
  btf,                ///< a pointer to `type`, a kernel structure
  btf_or_null,
  percpu_btf,         ///< a per-CPU kernel variable
};

enum class Return : std::uint8_t {
  integer, nothing,
  map_value, map_value_or_null,
  socket_or_null, tcp_sock_or_null, sock_common_or_null,
  mem_or_null,            ///< of the alloc_size argument
  btf, btf_or_null,       ///< a pointer to `type`
  percpu_or_null, percpu, ///< memory or structure behind a per-CPU variable
  dynptr_mem_or_null,     ///< of the constant size argument
};

enum class DynptrKind : std::uint8_t { any, local, ringbuf, skb, xdp };

struct Argument {
  Arg kind = Arg::none;
  bool or_null = false;
  bool read_only_ok = true;      ///< memory that programs cannot write will do
  std::uint16_t size = 0;        ///< fixed_mem, fixed_write
  DynptrKind dynptr = DynptrKind::any;
  std::string_view type = {};    ///< btf
};

struct Prototype {
  std::uint32_t id = 0;          ///< the helper's
  Return returns{};
  std::array<Argument, 5> args = {};
  bool packet_access = false;    ///< takes pointers into the packet
  bool changes_packet = false;   ///< packet pointers are lost behind it
  bool acquires = false, releases = false;
  bool might_sleep = false;
  std::string_view type = {};    ///< of what is returned
};

/// Row i is helper i; 0 takes nothing.
std::span<const Prototype> prototypes();

/// Programs of these types call another function under the same number.
struct PrototypeVariant {
  ProgTypes types{};
  Prototype prototype{};
};
std::span<const PrototypeVariant> prototype_variants();

/// What the helper is to programs of this type; nullptr: there is no such helper.
const Prototype* prototype_of(std::uint32_t helper, ProgType type);

}  // namespace espy::facts
