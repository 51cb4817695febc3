// Reg: what is known of one register, or of one register that was spilled to the stack. A small trivially copyable value:
// states are made of these, and copied at every branch.
//
// A pointer's address is base + `off` + `value`: a fixed offset and a variable one. Ids tell which registers are copies of one
// another: the same number (scalars), the same unchecked pointer (or_null), the same variable offset (packet pointers).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "verifier/scalar.hpp"

namespace espy::verifier {

enum class RegType : std::uint8_t {
  not_init, scalar, ctx, map_ptr, map_value, map_key, stack, packet_meta, packet, packet_end, flow_keys,
  socket, sock_common, tcp_sock, tp_buffer, xdp_sock, btf, mem, arena, buffer, func, dynptr,
};

/// What is true of a pointer beside what it points to, as bits.
enum RegFlag : std::uint32_t {
  kMaybeNull = 1 << 0,
  kReadOnly = 1 << 1,
  kAlloc = 1 << 2,        ///< mem: a ring buffer's record; btf: an object of the program's own type (bpf_obj_new)
  kPerCpu = 1 << 3,
  kUntrusted = 1 << 4,
  kTrusted = 1 << 5,
  kRcu = 1 << 6,
  kNonOwning = 1 << 7,    ///< a reference into a list or tree that others own
  kUser = 1 << 8,         ///< user memory: read by helpers only
  kPercpuMem = 1 << 9,
  kRingbuf = 1 << 10,
  kPacketSlice = 1 << 11, ///< mem: a slice of an skb or xdp dynptr
};

/// Liveness of a stack slot on the way from a state to its children (prune.cpp).
enum Live : std::uint8_t { kLiveRead = 1, kLiveWritten = 2 };

/// Which BTF a type id is in.
enum class BtfRef : std::uint8_t { vmlinux = 0, program = 1, first_module = 2 };

enum class DynptrType : std::uint8_t { none, local, ringbuf, skb, xdp, skb_meta };
enum class IterState : std::uint8_t { none, active, drained };

/// `id` of a scalar that is another one's plus a constant (in `off`).
inline constexpr std::uint32_t kIdPlusConstant = 1U << 31;
/// `range` of a packet_end that a packet pointer was compared with.
inline constexpr std::int32_t kAtPacketEnd = -1, kBeyondPacketEnd = -2;

struct Reg {
  RegType type = RegType::not_init;
  bool precise = false;           ///< a scalar whose exact value decided something: pruning must compare it
  std::uint8_t live = 0;
  BtfRef btf = BtfRef::vmlinux;   ///< of type_id
  std::uint32_t flags = 0;        ///< RegFlag
  std::int32_t off = 0;           ///< pointers: fixed part of the offset; scalars with kIdPlusConstant: the constant
  std::uint32_t id = 0;
  std::uint32_t ref_id = 0;       ///< the reference this came with; released, the register is gone
  union {
    std::uint32_t first = 0;
    std::uint32_t map;            ///< map_ptr, map_value, map_key: index of the map in the checker's table
    std::uint32_t mem_size;       ///< mem: bytes
    std::int32_t range;           ///< packet, packet_meta: bytes behind the pointer known to be there; packet_end
    std::uint32_t type_id;        ///< btf
    std::uint32_t frame;          ///< stack: which frame's
    std::uint32_t subprog;        ///< func
    DynptrType dynptr;            ///< dynptr, and slots of one
    std::uint32_t iter_type;      ///< slots of an iterator: BTF id of its type
    std::uint32_t irq_kind;       ///< slots of an irq flag
  };
  union {
    std::uint32_t second = 0;
    std::uint32_t map_uid;        ///< map_ptr, map_value: which inner map, if it came out of a map of maps
    std::uint32_t first_slot;     ///< dynptr and iterator slots: is it the first of them?
    std::uint32_t iter;           ///< iterator: IterState | first << 8 | depth << 16
  };
  Scalar value = {};

  bool is_scalar() const { return type == RegType::scalar; }
  bool is_pointer() const { return type != RegType::scalar && type != RegType::not_init; }
  bool has(std::uint32_t flag) const { return (flags & flag) != 0; }
  bool maybe_null() const { return has(kMaybeNull); }
  bool is_packet() const { return type == RegType::packet || type == RegType::packet_meta; }
  bool is_null() const { return is_scalar() && value.is_zero(); }
  bool is_const() const { return is_scalar() && value.is_const(); }

  static Reg unknown() { return scalar(Scalar::unknown()); }
  static Reg scalar(const Scalar& value) {
    Reg reg;
    reg.type = RegType::scalar;
    reg.value = value;
    return reg;
  }
  static Reg constant(std::uint64_t number) { return scalar(Scalar::constant(number)); }
  static Reg pointer(RegType type, std::uint32_t flags = 0) {
    Reg reg;
    reg.type = type;
    reg.flags = flags;
    reg.value = Scalar::constant(0);
    return reg;
  }
};
static_assert(std::is_trivially_copyable_v<Reg> && sizeof(Reg) == 96);

/// Same type, flags, and what the unions hold.
inline bool same_kind(const Reg& a, const Reg& b) {
  return a.type == b.type && a.flags == b.flags && a.btf == b.btf && a.first == b.first && a.second == b.second && a.off == b.off;
}

/// May functions rely on what the pointer points to being there?
bool is_trusted(const Reg& reg);

/// "scalar", "map_value_or_null", "ringbuf_mem", "trusted_ptr_": as the kernel's log names a register's type.
std::string type_name(const Reg& reg);
std::string type_name(RegType type, std::uint32_t flags);

}  // namespace espy::verifier
